//! Which key an operation touches: one draw of a word each, whatever the distribution.

use replisim_history::Key;
use replisim_kernel::{share, unit};

use crate::spec::Keys;

/// A compiled choice of keys.
#[derive(Clone, Debug)]
pub(crate) enum KeyChoice {
    Uniform { count: u64 },
    Skewed(Skewed),
    Fresh,
    PerSession { count: u64 },
}

/// Keys of unequal chances.
#[derive(Clone, Debug)]
pub(crate) struct Skewed {
    /// The chance of a key up to each but the last.
    cumulative: Vec<f64>,
    /// All chances cut into as many parts as there are keys, each as wide: the key to look from for a level in each part.
    /// Few steps are left from there (H. C. Chen and Y. Asau, *On Generating Random Variates from an Empirical
    /// Distribution*, AIIE Transactions 6(2), 1974).
    guide: Vec<u32>,
}

impl KeyChoice {
    pub fn new(keys: &Keys) -> Self {
        match *keys {
            Keys::Uniform { count } => KeyChoice::Uniform { count },
            Keys::Zipf { count, exponent } => KeyChoice::Skewed(Skewed::new(zipf(count, exponent))),
            Keys::Fresh => KeyChoice::Fresh,
            Keys::PerSession { count } => KeyChoice::PerSession { count },
        }
    }

    /// Whether every write makes a key of its own.
    pub fn is_fresh(&self) -> bool {
        matches!(self, KeyChoice::Fresh)
    }

    /// The key that a random word stands for, for a session that has inserted `own` keys of a run with `sessions`.
    pub fn pick(&self, word: u64, session: u32, own: u64, sessions: u64) -> Key {
        Key(match self {
            KeyChoice::Uniform { count } => share(word, *count),
            KeyChoice::Skewed(skewed) => skewed.at(unit(word)),
            KeyChoice::Fresh => fresh(session, share(word, own), sessions).0,
            KeyChoice::PerSession { count } => u64::from(session) * count + share(word, *count),
        })
    }
}

impl Skewed {
    fn new(cumulative: Vec<f64>) -> Self {
        let keys = cumulative.len() + 1;
        let before = |part| cumulative.partition_point(|&chance| part_of(chance, keys) < part) as u32;
        Skewed { guide: (0..keys).map(before).collect(), cumulative }
    }

    /// The key that a level stands for, which is at least 0 and less than 1.
    fn at(&self, level: f64) -> u64 {
        let from = self.guide[part_of(level, self.guide.len())] as usize;
        let passed = self.cumulative[from..].iter().take_while(|&&chance| chance <= level).count();
        (from + passed) as u64
    }
}

/// Into which of so many parts, each as wide, a level falls. A greater level never falls into an earlier part.
fn part_of(level: f64, parts: usize) -> usize {
    (level * parts as f64) as usize
}

/// The key that the `nth` insert of a session makes, of a run with so many sessions: dense, and no two the same.
pub(crate) fn fresh(session: u32, nth: u64, sessions: u64) -> Key {
    Key(nth * sessions + u64::from(session))
}

fn zipf(count: u64, exponent: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=count).map(|rank| libm::pow(rank as f64, -exponent)).collect();
    let total: f64 = weights.iter().sum();
    weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight / total;
            Some(*sum)
        })
        .take(count.saturating_sub(1) as usize)
        .collect()
}

#[cfg(test)]
mod tests {
    use replisim_kernel::GOLDEN;

    use super::*;

    #[test]
    fn every_key_can_be_picked_and_none_beyond() {
        for keys in [Keys::Uniform { count: 7 }, Keys::Zipf { count: 7, exponent: 0.99 }] {
            let choice = KeyChoice::new(&keys);
            let picked: std::collections::BTreeSet<u64> =
                (0..10_000u64).map(|i| choice.pick(i.wrapping_mul(GOLDEN), 0, 0, 1).0).collect();
            assert_eq!(picked, (0..7).collect(), "{keys:?}");
            assert_eq!(choice.pick(u64::MAX, 0, 0, 1), Key(6));
        }
    }

    #[test]
    fn zipf_favours_the_first() {
        let cumulative = zipf(1_000, 0.99);
        assert!(cumulative[0] > 0.12 && cumulative[0] < 0.14, "{}", cumulative[0]);
    }

    #[test]
    fn the_guide_leads_to_where_a_search_does() {
        for (count, exponent) in [(1, 0.99), (2, 3.0), (1_000, 0.99), (1_000, 5.0)] {
            let cumulative = zipf(count, exponent);
            let skewed = Skewed::new(cumulative.clone());
            let just_below = |level: f64| f64::from_bits(level.to_bits() - 1);
            let ends = cumulative.iter().flat_map(|&chance| [just_below(chance), chance]);
            let levels = ends.chain((0..4_096).map(|i| f64::from(i) / 4_096.0)).filter(|level| *level < 1.0);
            for level in levels.chain([just_below(1.0)]) {
                assert_eq!(skewed.at(level), cumulative.partition_point(|&chance| chance <= level) as u64, "{level}");
            }
        }
    }
}
