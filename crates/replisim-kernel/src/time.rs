//! Simulated time: [`SimTime`] is an instant, [`Span`] a length, both in integer nanoseconds.
//!
//! Integers make time exact: two events are ordered the same on every platform, and adding a thousand short spans
//! gives the same instant as adding one long one. 64 bits of nanoseconds last 584 years.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant of simulated true time, in nanoseconds since the run began. No process can read it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(u64);

/// A length of time in nanoseconds. Reads and prints as `"150ms"`, `"2s"`, `"1.5us"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl SimTime {
    /// The beginning of every run.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than anything that happens: the completion time of what never completed.
    pub const NEVER: SimTime = SimTime(u64::MAX);

    /// The instant `nanos` nanoseconds after the beginning.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimTime(nanos)
    }

    /// Nanoseconds since the beginning.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: SimTime) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Whether this is a real instant, not [`SimTime::NEVER`].
    pub const fn is_reached(self) -> bool {
        self.0 != u64::MAX
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than any run: never, as a length.
    pub const FOREVER: Span = Span(u64::MAX);

    /// A span of `n` nanoseconds.
    pub const fn nanos(n: u64) -> Self {
        Span(n)
    }

    /// A span of `n` microseconds.
    pub const fn micros(n: u64) -> Self {
        Span(n.saturating_mul(1_000))
    }

    /// A span of `n` milliseconds.
    pub const fn millis(n: u64) -> Self {
        Span(n.saturating_mul(1_000_000))
    }

    /// A span of `n` seconds.
    pub const fn secs(n: u64) -> Self {
        Span(n.saturating_mul(1_000_000_000))
    }

    /// The nearest span to `seconds`; negative and not-a-number give zero, too large gives [`Span::FOREVER`].
    pub fn from_secs_f64(seconds: f64) -> Self {
        // `as` saturates, and is exact and the same everywhere for the rounding we ask of it.
        Span((seconds * 1e9 + 0.5) as u64)
    }

    /// Length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Length in milliseconds, for display and statistics.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Length in seconds, for display and statistics.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whether the span is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The difference, or zero where `other` is longer.
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add<Span> for SimTime {
    type Output = SimTime;
    fn add(self, span: Span) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for SimTime {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        self.saturating_sub(other)
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, factor: u64) -> Span {
        Span(self.0.saturating_mul(factor))
    }
}

impl Div<u64> for Span {
    type Output = Span;
    fn div(self, divisor: u64) -> Span {
        Span(self.0 / divisor)
    }
}

impl Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

/// The units a span is written in, largest first, with their length in nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl fmt::Display for Span {
    /// The shortest exact form: the largest of `s`, `ms`, `us`, `ns` that the length reaches, so `1.5s`, `20ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Span::FOREVER {
            return f.pad("forever");
        }
        let (unit, size) = UNITS[3..].iter().find(|(_, size)| self.0 >= *size).unwrap_or(&UNITS[3]);
        let (whole, rest) = (self.0 / size, self.0 % size);
        if rest == 0 {
            return f.pad(&format!("{whole}{unit}"));
        }
        let digits = size.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        f.pad(&format!("{whole}.{}{unit}", fraction.trim_end_matches('0')))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SimTime {
    /// The trace's clock: milliseconds below a second, seconds from there, always to the microsecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            u64::MAX => "never".to_owned(),
            ns if ns < 1_000_000_000 => format!("{}.{:03} ms", ns / 1_000_000, ns / 1_000 % 1_000),
            ns => format!("{}.{:06} s", ns / 1_000_000_000, ns / 1_000 % 1_000_000),
        };
        f.pad(&text)
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no [`Span`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseSpanError {
    /// It is not a length of time.
    Malformed(String),
    /// It is longer than what a [`Span`] holds.
    TooLong(String),
}

impl fmt::Display for ParseSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseSpanError::Malformed(text) => {
                write!(
                    f,
                    "`{text}` is not a length of time: a number and one of d, h, min, s, ms, us, ns, as in \"150ms\""
                )
            }
            ParseSpanError::TooLong(text) => {
                write!(f, "`{text}` is too long: at most 213503d, or \"forever\"")
            }
        }
    }
}

impl std::error::Error for ParseSpanError {}

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, ParseSpanError> {
        let malformed = || ParseSpanError::Malformed(text.to_owned());
        let too_long = || ParseSpanError::TooLong(text.to_owned());
        if text == "forever" {
            return Ok(Span::FOREVER);
        }
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(malformed)?;
        let (number, unit) = trimmed.split_at(split);
        let unit = if unit.trim() == "µs" { "us" } else { unit.trim() };
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || (number.contains('.') && fraction.is_empty()) {
            return Err(malformed());
        }
        let fraction = fraction_of(fraction, *size).ok_or_else(malformed)?;
        let whole: u64 = whole.parse().map_err(|_| too_long())?;
        whole.checked_mul(*size).and_then(|nanos| nanos.checked_add(fraction)).map(Span).ok_or_else(too_long)
    }
}

/// The nanoseconds that decimal digits after the point stand for, exactly; what is below a nanosecond is cut.
fn fraction_of(digits: &str, size: u64) -> Option<u64> {
    // The digits as one whole number, divided once: digit by digit, the roundings of days, hours and minutes, which are
    // no powers of ten, would add up. Digits beyond the 20th are far below a nanosecond of any unit.
    let (mut number, mut scale) = (0, 1);
    for (place, digit) in digits.bytes().enumerate() {
        if !digit.is_ascii_digit() {
            return None;
        }
        if place < 20 {
            number = number * 10 + u128::from(digit - b'0');
            scale *= 10;
        }
    }
    Some((number * u128::from(size) / scale) as u64)
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as \"150ms\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        for (text, nanos) in [
            ("150ms", 150_000_000),
            ("2s", 2_000_000_000),
            ("1.5us", 1_500),
            ("0.25 s", 250_000_000),
            ("1min", 60_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("0.123456789012345678901234567890d", 10_666_666_570_666),
            ("7ns", 7),
            ("0s", 0),
        ] {
            assert_eq!(text.parse::<Span>().unwrap().as_nanos(), nanos, "{text}");
        }
        for text in ["", "ms", "5", "-1s", "1.s", ".5s", "1..5s", "99999999999999999999..5s", "5 parsecs", "1e3s"] {
            assert_eq!(text.parse::<Span>(), Err(ParseSpanError::Malformed(text.to_owned())));
        }
        assert!("213503d".parse::<Span>().is_ok());
        for text in ["213504d", "99999999999999999999s", "18446744073709551.999999us"] {
            assert_eq!(text.parse::<Span>(), Err(ParseSpanError::TooLong(text.to_owned())));
        }
    }

    #[test]
    fn instants_print_to_the_microsecond() {
        assert_eq!(SimTime::from_nanos(12_345_678).to_string(), "12.345 ms");
        assert_eq!(SimTime::from_nanos(2_000_000_000).to_string(), "2.000000 s");
    }

    proptest! {
        #[test]
        fn a_printed_span_reads_back(nanos in 0..u64::MAX) {
            prop_assert_eq!(Span(nanos).to_string().parse(), Ok(Span(nanos)));
        }
    }
}
