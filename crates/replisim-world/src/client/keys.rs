//! Which key an operation touches: one draw of a word each, whatever the distribution.

use replisim_history::Key;

use crate::spec::Keys;

/// A compiled choice of keys.
#[derive(Clone, Debug)]
pub(crate) enum KeyChoice {
    Uniform {
        count: u64,
    },
    /// The chance that a key is below each index, cumulated.
    Skewed {
        cumulative: Vec<f64>,
    },
    Fresh,
    PerSession {
        count: u64,
    },
}

impl KeyChoice {
    pub fn new(keys: &Keys) -> Self {
        match *keys {
            Keys::Uniform { count } => KeyChoice::Uniform { count },
            Keys::Zipf { count, exponent } => KeyChoice::Skewed { cumulative: zipf(count, exponent) },
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
            KeyChoice::Uniform { count } => below(word, *count),
            KeyChoice::Skewed { cumulative } => {
                let level = (word >> 11) as f64 / (1u64 << 53) as f64;
                cumulative.partition_point(|&chance| chance <= level) as u64
            }
            KeyChoice::Fresh => fresh(session, below(word, own), sessions).0,
            KeyChoice::PerSession { count } => u64::from(session) * count + below(word, *count),
        })
    }
}

/// The key that the `nth` insert of a session makes, of a run with so many sessions: dense, and no two the same.
pub(crate) fn fresh(session: u32, nth: u64, sessions: u64) -> Key {
    Key(nth * sessions + u64::from(session))
}

fn below(word: u64, bound: u64) -> u64 {
    ((u128::from(word) * u128::from(bound)) >> 64) as u64
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
    use super::*;

    #[test]
    fn every_key_can_be_picked_and_none_beyond() {
        for keys in [Keys::Uniform { count: 7 }, Keys::Zipf { count: 7, exponent: 0.99 }] {
            let choice = KeyChoice::new(&keys);
            let picked: std::collections::BTreeSet<u64> =
                (0..10_000u64).map(|i| choice.pick(i.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0, 0, 1).0).collect();
            assert_eq!(picked, (0..7).collect(), "{keys:?}");
            assert_eq!(choice.pick(u64::MAX, 0, 0, 1), Key(6));
        }
    }

    #[test]
    fn zipf_favours_the_first() {
        let cumulative = zipf(1_000, 0.99);
        assert!(cumulative[0] > 0.12 && cumulative[0] < 0.14, "{}", cumulative[0]);
    }
}
