//! A distribution made ready to draw from.

use std::f64::consts::LN_2;

use super::{Distribution, normal, power};
use crate::{Span, Stream};

/// A [`Distribution`] compiled: mixtures flattened, logarithms taken.
#[derive(Clone, Debug)]
pub struct Sampler {
    /// The only branch of most.
    first: Branch,
    /// The others of a mixture, in the order of their thresholds.
    others: Vec<Branch>,
}

/// One branch of a mixture, or all of a distribution that is none.
#[derive(Clone, Debug)]
struct Branch {
    /// Drawn when the choice is at most this and above that of the branch before.
    threshold: u64,
    weight: f64,
    /// What is added to every length.
    base: Span,
    shape: Shape,
}

/// A quantile function, in nanoseconds.
#[derive(Clone, Debug)]
enum Shape {
    Constant,
    Uniform {
        width: u64,
    },
    Exponential {
        mean: f64,
    },
    /// The logarithm to base 2 is normal: that base has the faster exponential.
    LogNormal {
        mu: f64,
        sigma: f64,
    },
    Pareto {
        scale: f64,
        shape: f64,
    },
    Empirical {
        table: Vec<(f64, f64)>,
    },
}

impl Sampler {
    /// Compiles a distribution.
    ///
    /// # Panics
    /// If the distribution is one that [`Distribution::check`] refuses.
    pub fn new(distribution: &Distribution) -> Self {
        if let Err(error) = distribution.check() {
            panic!("only a distribution that was checked is compiled: {error}");
        }
        let mut branches = Vec::new();
        flatten(distribution, 1.0, Span::ZERO, &mut branches);
        set_thresholds(&mut branches);
        let mut branches = branches.into_iter();
        let first = branches.next().expect("a distribution that was checked has a branch");
        Sampler { first, others: branches.collect() }
    }

    /// Draws a length, from exactly two words of the stream.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> Span {
        let [choice, level] = stream.words();
        self.sample(choice, level)
    }

    /// The length that two uniformly drawn words stand for: `choice` picks the branch of a mixture, `level` the
    /// quantile within it. A higher level never gives a shorter length of the same branch.
    pub fn sample(&self, choice: u64, level: u64) -> Span {
        let branch = match choice <= self.first.threshold {
            true => &self.first,
            false => self.others.iter().find(|branch| choice <= branch.threshold).unwrap_or(&self.first),
        };
        branch.base + branch.shape.at(level)
    }

    /// A length that is neither short nor long: the median, and of a mixture that of the branch in its middle.
    pub fn typical(&self) -> Span {
        self.sample(1 << 63, 1 << 63)
    }

    /// The one length that it ever gives, if there is only one: it takes no chance to know it.
    #[inline]
    pub fn constant(&self) -> Option<Span> {
        match &self.first {
            Branch { base, shape: Shape::Constant, .. } if self.others.is_empty() => Some(*base),
            _ => None,
        }
    }

    /// The average length, or `None` if it is infinite.
    pub fn mean(&self) -> Option<Span> {
        let mut nanos = 0.0;
        for branch in self.branches() {
            nanos += branch.weight * (branch.base.as_nanos() as f64 + branch.shape.mean()?);
        }
        Some(nearest(nanos))
    }

    /// All branches, in the order of their thresholds.
    fn branches(&self) -> impl Iterator<Item = &Branch> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl Shape {
    /// The length at a quantile, which is a word's share of all words.
    #[inline]
    fn at(&self, level: u64) -> Span {
        let u = || unit_open(level);
        nearest(match self {
            Shape::Constant => return Span::ZERO,
            Shape::Uniform { width } => return Span::nanos(part(level, *width)),
            Shape::Exponential { mean } => -mean * libm::log(1.0 - u()),
            Shape::LogNormal { mu, sigma } => power::of_two(mu + sigma * normal::at(level)),
            Shape::Pareto { scale, shape } => scale * libm::pow(1.0 - u(), -1.0 / shape),
            Shape::Empirical { table } => interpolate(table, u()),
        })
    }

    /// The average in nanoseconds, or `None` if it is infinite.
    fn mean(&self) -> Option<f64> {
        match self {
            Shape::Constant => Some(0.0),
            Shape::Uniform { width } => Some(*width as f64 / 2.0),
            Shape::Exponential { mean } => Some(*mean),
            Shape::LogNormal { mu, sigma } => Some(libm::exp2(mu + sigma * sigma * LN_2 / 2.0)),
            Shape::Pareto { scale, shape } => (*shape > 1.0).then(|| scale * shape / (shape - 1.0)),
            Shape::Empirical { table } => Some(mean_of_table(table)),
        }
    }
}

/// Adds the branches of `distribution`, which is itself drawn with probability `weight` and shifted by `base`.
fn flatten(distribution: &Distribution, weight: f64, base: Span, branches: &mut Vec<Branch>) {
    let nanos = |span: Span| span.as_nanos() as f64;
    let (base, shape) = match distribution {
        Distribution::Constant(span) => (base + *span, Shape::Constant),
        Distribution::Uniform { min, max } => (base + *min, Shape::Uniform { width: (*max - *min).as_nanos() }),
        Distribution::Exponential { mean } => (base, Shape::Exponential { mean: nanos(*mean) }),
        Distribution::LogNormal { median, p99 } => {
            let mu = libm::log2(nanos(*median));
            (base, Shape::LogNormal { mu, sigma: (libm::log2(nanos(*p99)) - mu) / normal::quantile(0.99) })
        }
        Distribution::Pareto { scale, shape } => (base, Shape::Pareto { scale: nanos(*scale), shape: *shape }),
        Distribution::Empirical(table) => {
            (base, Shape::Empirical { table: table.iter().map(|&(p, span)| (p, nanos(span))).collect() })
        }
        Distribution::Shifted { by, of } => return flatten(of, weight, base + *by, branches),
        Distribution::Mixture(parts) => {
            return parts.iter().for_each(|(share, part)| flatten(part, weight * share, base, branches));
        }
    };
    if weight > 0.0 {
        branches.push(Branch { threshold: u64::MAX, weight, base, shape });
    }
}

/// Gives each branch its share of all words, and the last one whatever rounding leaves over.
fn set_thresholds(branches: &mut [Branch]) {
    let total: f64 = branches.iter().map(|branch| branch.weight).sum();
    let mut sum = 0.0;
    for branch in &mut *branches {
        branch.weight /= total;
        sum += branch.weight;
        branch.threshold = (sum * (1u128 << 64) as f64) as u64;
    }
    if let Some(last) = branches.last_mut() {
        last.threshold = u64::MAX;
    }
}

/// The length at cumulative probability `u`, on the line between the two entries around it.
fn interpolate(table: &[(f64, f64)], u: f64) -> f64 {
    let above = table.partition_point(|&(p, _)| p < u).min(table.len() - 1);
    let (p_above, nanos_above) = table[above];
    match above.checked_sub(1).map(|below| table[below]) {
        Some((p_below, nanos_below)) => {
            nanos_below + (nanos_above - nanos_below) * ((u - p_below) / (p_above - p_below))
        }
        None => nanos_above,
    }
}

fn mean_of_table(table: &[(f64, f64)]) -> f64 {
    let (first_p, first_nanos) = table[0];
    let between = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0;
    first_p * first_nanos + table.windows(2).map(between).sum::<f64>()
}

/// One of the numbers from 0 to `width`, each standing for as many words.
#[inline]
fn part(word: u64, width: u64) -> u64 {
    ((u128::from(word) * (u128::from(width) + 1)) >> 64) as u64
}

/// The number strictly between 0 and 1 that a word stands for: its upper 52 bits, and half of the next.
#[inline]
pub(super) fn unit_open(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

#[inline]
fn nearest(nanos: f64) -> Span {
    Span::nanos((nanos + 0.5) as u64)
}
