//! A probability, written `"3%"` and compared against one random word.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A chance between never and always, kept in units of 2⁻³² so that a draw is one integer comparison.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Probability(u64);

impl Probability {
    /// Never happens.
    pub const NEVER: Probability = Probability(0);
    /// Happens every time.
    pub const ALWAYS: Probability = Probability(1 << 32);

    /// The nearest probability to `p`; `None` outside 0 to 1.
    pub fn new(p: f64) -> Option<Self> {
        (0.0..=1.0).contains(&p).then_some(Probability((p * (1u64 << 32) as f64 + 0.5) as u64))
    }

    /// Whether a uniformly drawn word falls within this chance.
    pub const fn hit(self, word: u32) -> bool {
        (word as u64) < self.0
    }

    /// As a number from 0 to 1.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / (1u64 << 32) as f64
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fewest decimals that it is told by.
        let percent = self.as_f64() * 100.0;
        let mut texts = (0..).map(|decimals| format!("{percent:.decimals$}%"));
        let exact = texts.find(|text| text.parse() == Ok(*self));
        f.write_str(&exact.expect("with enough decimals every chance is told apart"))
    }
}

impl fmt::Debug for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a probability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseProbabilityError(String);

impl fmt::Display for ParseProbabilityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a probability: a percentage from 0% to 100%, as in \"3%\"", self.0)
    }
}

impl std::error::Error for ParseProbabilityError {}

impl FromStr for Probability {
    type Err = ParseProbabilityError;

    fn from_str(text: &str) -> Result<Self, ParseProbabilityError> {
        let number = text.trim().strip_suffix('%').and_then(|digits| digits.trim().parse::<f64>().ok());
        number
            .and_then(|percent| Probability::new(percent / 100.0))
            .ok_or_else(|| ParseProbabilityError(text.to_owned()))
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Percent;
        impl de::Visitor<'_> for Percent {
            type Value = Probability;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a probability such as \"3%\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Probability, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Percent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_printed_reads_back(steps in 0..=1_u64 << 32) {
            let chance = Probability(steps);
            prop_assert_eq!(chance.to_string().parse(), Ok(chance));
        }
    }

    #[test]
    fn the_ends_are_certain() {
        assert!(!Probability::NEVER.hit(0));
        assert!(Probability::ALWAYS.hit(u32::MAX));
    }

    #[test]
    fn percentages_read_and_print() {
        for text in ["0%", "3%", "0.5%", "100%", "91.22%", "0.000001%"] {
            assert_eq!(text.parse::<Probability>().unwrap().to_string(), text);
        }
        for text in ["", "3", "-1%", "101%", "NaN%", "%"] {
            assert!(text.parse::<Probability>().is_err(), "{text}");
        }
    }
}
