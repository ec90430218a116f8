//! How a distribution is read from a scenario and written into one.
//!
//! A bare length of time stands for a constant, so the reader must look before it decides. RON hands over the text of
//! the value untouched, and the first character tells: a quote begins a length of time, anything else a named
//! distribution. That keeps the errors of a plain enum, which name the fields and variants that would have been right.

use std::fmt;

use ron::value::RawValue;
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::Distribution;
use crate::Span;

/// The variants of [`Distribution`] once more: what is read and written when it is not a bare length of time.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(remote = "Distribution", rename = "Distribution", deny_unknown_fields)]
enum Named {
    Constant(Span),
    Uniform { min: Span, max: Span },
    Exponential { mean: Span },
    LogNormal { median: Span, p99: Span },
    Pareto { scale: Span, shape: f64 },
    Mixture(Vec<(f64, Distribution)>),
    Empirical(Vec<(f64, Span)>),
    Shifted { by: Span, of: Box<Distribution> },
}

impl<'de> Deserialize<'de> for Distribution {
    /// Reads RON, and refuses what [`Distribution::check`] refuses.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let distribution = parse(raw.trim().get_ron()).map_err(de::Error::custom)?;
        distribution.check().map_err(de::Error::custom)?;
        Ok(distribution)
    }
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Distribution::Constant(span) => span.serialize(serializer),
            named => Named::serialize(named, serializer),
        }
    }
}

impl fmt::Display for Distribution {
    /// As a scenario writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ron::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Reads one value. Errors leave out their place in it, which would mislead: the reader of the whole file adds its own.
fn parse(text: &str) -> Result<Distribution, ron::Error> {
    let mut value = ron::Deserializer::from_str(text).map_err(|error| error.code)?;
    if text.starts_with('"') {
        Span::deserialize(&mut value).map(Distribution::Constant)
    } else {
        Named::deserialize(&mut value)
    }
}
