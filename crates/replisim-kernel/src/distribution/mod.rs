//! How long something takes, when that differs from time to time.
//!
//! A [`Distribution`] is what a scenario says; a [`Sampler`] is the same thing made ready to draw from. A scenario
//! writes a bare length of time for a constant, and names everything else:
//!
//! ```ron
//! "0.1ms"
//! Uniform(min: "1ms", max: "3ms")
//! Shifted(by: "0.2ms", of: Exponential(mean: "0.1ms"))
//! LogNormal(median: "0.6ms", p99: "2ms")
//! Mixture([(0.9122, Pareto(scale: "0.235ms", shape: 10)), (0.0878, Exponential(mean: "0.602ms"))])
//! ```
//!
//! **Every draw takes exactly two words of the stream**, whatever the distribution: one chooses a branch of a mixture,
//! one is the level at which the quantile function is read. So replacing one distribution by another moves no other
//! draw of the same stream, and the same level gives a longer delay under a slower distribution.
//!
//! Quantiles are computed with IEEE basic arithmetic and `libm` alone, so they are the same on every platform.

mod check;
mod normal;
mod notation;
mod power;
mod sampler;

pub use check::DistributionError;
pub use sampler::Sampler;

use crate::Span;

/// The lengths of time something may take, and how likely each is.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    /// Always the same. Written as a bare length of time.
    Constant(Span),
    /// Every length from `min` to `max`, both included, is equally likely.
    Uniform {
        /// The shortest.
        min: Span,
        /// The longest.
        max: Span,
    },
    /// Waiting for something that is equally likely at every moment: many short lengths, few long ones.
    Exponential {
        /// The average.
        mean: Span,
    },
    /// The logarithm is normally distributed: the usual shape of a network or disk latency.
    LogNormal {
        /// Half of all lengths are shorter.
        median: Span,
        /// One length in a hundred is longer.
        p99: Span,
    },
    /// A power law: twice as long is 2^`shape` times as rare, however long it already is.
    Pareto {
        /// The shortest.
        scale: Span,
        /// How fast the tail falls off. The average is finite only above 1.
        shape: f64,
    },
    /// Now one distribution, now another; each with its weight, and the weights add up to 1.
    Mixture(Vec<(f64, Distribution)>),
    /// As measured: pairs of a cumulative probability and the length not exceeded with it, both rising, the last
    /// probability being 1. Between two pairs the length is interpolated; below the first it is the first.
    Empirical(Vec<(f64, Span)>),
    /// Another distribution and a fixed length on top, such as the speed of light.
    Shifted {
        /// The fixed length.
        by: Span,
        /// What varies.
        of: Box<Distribution>,
    },
}

impl Distribution {
    /// Takes no time at all.
    pub const ZERO: Distribution = Distribution::Constant(Span::ZERO);

    /// The average length, or `None` if it is infinite.
    ///
    /// # Panics
    /// If the distribution is one that [`Distribution::check`] refuses.
    pub fn mean(&self) -> Option<Span> {
        Sampler::new(self).mean()
    }
}

impl From<Span> for Distribution {
    fn from(span: Span) -> Self {
        Distribution::Constant(span)
    }
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution::ZERO
    }
}

#[cfg(test)]
mod tests;
