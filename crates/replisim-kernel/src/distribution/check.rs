//! Which distributions are possible at all.

use std::fmt;

use super::Distribution;
use crate::Span;

/// How deep mixtures and shifts may be nested.
const DEPTH_MAX: usize = 8;

/// How far the weights of a mixture may be from adding up to 1, as decimal fractions often do not exactly.
const WEIGHT_SLACK: f64 = 1e-6;

/// Why a distribution is impossible.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum DistributionError {
    /// A uniform distribution whose shortest length is longer than its longest.
    MinAboveMax {
        /// The shortest length given.
        min: Span,
        /// The longest length given.
        max: Span,
    },
    /// A log-normal distribution with a median of zero, which has no logarithm.
    MedianZero,
    /// A log-normal distribution whose 99th percentile is below its median.
    P99BelowMedian {
        /// The median given.
        median: Span,
        /// The 99th percentile given.
        p99: Span,
    },
    /// A Pareto distribution whose tail does not fall off.
    ShapeNotPositive(f64),
    /// A weight that is negative or not a number.
    BadWeight(f64),
    /// Weights that do not add up to 1.
    WeightsSum(f64),
    /// A cumulative table without entries.
    TableEmpty,
    /// A cumulative table whose entry of this index does not rise above the one before.
    TableNotRising(usize),
    /// A cumulative table that ends at a probability other than 1.
    TableUnfinished(f64),
    /// Mixtures and shifts nested too deep.
    TooDeep,
}

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DistributionError::*;
        match self {
            MinAboveMax { min, max } => write!(f, "`min` ({min}) is longer than `max` ({max})"),
            MedianZero => write!(f, "`median` is zero; a log-normal length is always longer than zero"),
            P99BelowMedian { median, p99 } => write!(f, "`p99` ({p99}) is shorter than `median` ({median})"),
            ShapeNotPositive(shape) => write!(f, "`shape` is {shape}; it must be a number above zero"),
            BadWeight(weight) => write!(f, "a weight is {weight}; weights are numbers from 0 to 1"),
            WeightsSum(sum) => write!(f, "the weights add up to {sum}, not to 1"),
            TableEmpty => write!(f, "the table of cumulative probabilities is empty"),
            TableNotRising(index) => write!(
                f,
                "entry {} of the table does not rise: probabilities go up from 0 to 1, and lengths never go down",
                index + 1
            ),
            TableUnfinished(last) => write!(f, "the table ends at probability {last}; its last probability must be 1"),
            TooDeep => write!(f, "mixtures and shifts are nested more than {DEPTH_MAX} deep"),
        }
    }
}

impl std::error::Error for DistributionError {}

impl Distribution {
    /// Whether such a distribution can be.
    ///
    /// # Errors
    /// The first thing about it that is impossible.
    pub fn check(&self) -> Result<(), DistributionError> {
        self.check_within(DEPTH_MAX)
    }

    fn check_within(&self, depth: usize) -> Result<(), DistributionError> {
        use DistributionError::*;
        match self {
            Distribution::Constant(_) | Distribution::Exponential { .. } => Ok(()),
            &Distribution::Uniform { min, max } => possible(min <= max, MinAboveMax { min, max }),
            &Distribution::LogNormal { median, p99 } => {
                possible(!median.is_zero(), MedianZero)?;
                possible(median <= p99, P99BelowMedian { median, p99 })
            }
            &Distribution::Pareto { shape, .. } => possible(shape > 0.0 && shape.is_finite(), ShapeNotPositive(shape)),
            Distribution::Mixture(branches) => check_mixture(branches, depth),
            Distribution::Empirical(table) => check_table(table),
            Distribution::Shifted { of, .. } => of.check_within(depth.checked_sub(1).ok_or(TooDeep)?),
        }
    }
}

fn possible(is: bool, otherwise: DistributionError) -> Result<(), DistributionError> {
    if is { Ok(()) } else { Err(otherwise) }
}

fn check_mixture(branches: &[(f64, Distribution)], depth: usize) -> Result<(), DistributionError> {
    let depth = depth.checked_sub(1).ok_or(DistributionError::TooDeep)?;
    let mut sum = 0.0;
    for (weight, branch) in branches {
        possible((0.0..=1.0).contains(weight), DistributionError::BadWeight(*weight))?;
        branch.check_within(depth)?;
        sum += weight;
    }
    possible((sum - 1.0).abs() <= WEIGHT_SLACK, DistributionError::WeightsSum(sum))
}

fn check_table(table: &[(f64, Span)]) -> Result<(), DistributionError> {
    let &(last, _) = table.last().ok_or(DistributionError::TableEmpty)?;
    let rises = |pair: &[(f64, Span)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
    possible(table[0].0 >= 0.0, DistributionError::TableNotRising(0))?;
    match table.windows(2).position(|pair| !rises(pair)) {
        Some(before) => Err(DistributionError::TableNotRising(before + 1)),
        None => possible(last == 1.0, DistributionError::TableUnfinished(last)),
    }
}
