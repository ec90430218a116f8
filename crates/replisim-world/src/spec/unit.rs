//! Quantities that a scenario writes as text: sizes, rates and signed offsets.

use std::fmt;
use std::str::FromStr;

use replisim_kernel::Span;

/// A number of bytes, written `"16MB"` or `"1GB"`; units are powers of 1024, as PostgreSQL and MySQL count them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct ByteSize(pub u64);

/// Bytes a second, written in bits as network people do: `"1Gbit/s"`, or in bytes as disks do: `"500MB/s"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rate(pub u64);

/// A signed length of time in nanoseconds, written `"+2s"` or `"-150ms"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Offset(pub i64);

/// Units of size, largest first.
const SIZES: [(&str, u64); 5] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10), ("B", 1)];
/// Units of rate in bytes a second, largest first; bits count in thousands, bytes in 1024s.
const RATES: [(&str, u64); 6] = [
    ("Gbit/s", 125_000_000),
    ("Mbit/s", 125_000),
    ("kbit/s", 125),
    ("GB/s", 1 << 30),
    ("MB/s", 1 << 20),
    ("kB/s", 1 << 10),
];

/// The whole number and unit that a text consists of, as a product.
fn product(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let (_, size) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*size)
}

/// A number in the unit that makes it the smallest whole one.
fn in_units(f: &mut fmt::Formatter<'_>, amount: u64, units: &[(&str, u64)]) -> fmt::Result {
    let whole = units.iter().filter(|(_, size)| amount >= *size && amount.is_multiple_of(*size));
    match whole.min_by_key(|(_, size)| amount / size) {
        Some((unit, size)) => write!(f, "{}{unit}", amount / size),
        None => write!(f, "{amount}B"),
    }
}

impl Rate {
    /// How long `bytes` take at this rate.
    pub fn time_for(self, bytes: u64) -> Span {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.0.max(1));
        Span::nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many whole bytes pass in `span`.
    pub fn bytes_in(self, span: Span) -> u64 {
        let bytes = u128::from(self.0) * u128::from(span.as_nanos()) / 1_000_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl Offset {
    /// How far it is, either way.
    pub const fn length(self) -> Span {
        Span::nanos(self.0.unsigned_abs())
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        in_units(f, self.0, &SIZES)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        in_units(f, self.0, &RATES)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.0 < 0 { '-' } else { '+' }, self.length())
    }
}

impl FromStr for ByteSize {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = if text.trim() == "0" { Some(0) } else { product(text, &SIZES) };
        bytes
            .map(ByteSize)
            .ok_or_else(|| format!("`{text}` is not a size: a whole number and B, kB, MB, GB or TB, as in \"16MB\""))
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match product(text, &RATES) {
            Some(rate) if rate > 0 => Ok(Rate(rate)),
            _ => Err(format!(
                "`{text}` is not a rate: a whole number and kbit/s, Mbit/s, Gbit/s, kB/s, MB/s or GB/s, written like this: \
                 `10Mbit/s` counts bits, `10MB/s` bytes"
            )),
        }
    }
}

impl FromStr for Offset {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        let (sign, rest) = match trimmed.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let span: Span = rest.parse().map_err(|error| format!("{error}, with a sign if it is behind: \"-2s\""))?;
        i64::try_from(span.as_nanos()).map(|nanos| Offset(sign * nanos)).map_err(|_| format!("`{text}` is too long"))
    }
}

macro_rules! read_as_text {
    ($($type:ident: $expected:literal),* $(,)?) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    )*};
}
pub(crate) use read_as_text;

read_as_text! {
    ByteSize: "a size such as \"16MB\"",
    Rate: "a rate such as \"1Gbit/s\" or \"500MB/s\"",
    Offset: "a signed length of time such as \"-2s\"",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_and_print() {
        for text in ["16MB", "1GB", "512kB", "7B"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
        for text in ["1Gbit/s", "10Mbit/s", "500MB/s"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["+2s", "-150ms", "+0s"] {
            assert_eq!(text.parse::<Offset>().unwrap().to_string(), text);
        }
        assert_eq!(Rate(125).time_for(u64::MAX), Span::FOREVER);
        for text in ["16", "16mb", "16KB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
        for text in ["10Mb/s", "10mbit/s", "10Gb/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}: bits or bytes?");
        }
        assert_eq!(Rate(125).bytes_in(Rate(125).time_for(1_000)), 1_000);
        assert!("0Mbit/s".parse::<Rate>().is_err());
        assert!("--2s".parse::<Offset>().is_err());
    }
}
