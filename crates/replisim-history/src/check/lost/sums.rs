//! What a counter lacks.
//!
//! A counter's sum does not tell which addition is missing, but it tells that something is, where no choice of those that
//! were never answered makes up for the difference. Of those whose records are not gone, the latest acknowledged additions
//! that make up the deficit are called lost. Where something was subtracted there is no telling which: the last
//! acknowledged change is called lost, and of the others it is not known; nor is it of any where the unanswered ones may
//! hide a loss, for the sum is what it would be with some of them and without some of the acknowledged.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use replisim_kernel::SimTime;

use super::{Fate, Way, Write, record, writes};
use crate::Lineage;
use crate::check::access::Change;
use crate::check::keys::Slot;
use crate::check::order::Rank;
use crate::check::placed::Placed;

/// The additions to one counter, as one replica should have them.
#[derive(Default)]
pub(super) struct Counted {
    /// For each operation whose addition must be there, in order of invocation, the sum of all up to and including its own.
    up_to: Vec<(u32, i64)>,
    /// What may have been added besides: it was never answered, its record is gone, or it may have been dropped.
    uncertain: Vec<i64>,
    /// Whether something of no known client was added, or the counter was dropped: then the sum may also be too large.
    has_strangers: bool,
    /// What that comes to, whichever of it was; `None` if that is too much to say.
    besides: OnceCell<Option<BTreeSet<i64>>>,
    /// What comes to be missing if some were lost; `None` if that is too much to say.
    losses: OnceCell<Option<BTreeSet<i64>>>,
    /// Whether something was or may have been subtracted.
    subtracts: bool,
}

/// As many sums of what was never answered, or of what may be missing, are told apart at most.
const SUMS_MAX: usize = 4_096;

/// The additions to every counter, as a replica of this lineage should have them.
pub(super) fn count(placed: &Placed, lineage: Option<&Lineage>) -> BTreeMap<Slot, Counted> {
    let mut additions = BTreeMap::<Slot, Counted>::new();
    for write in writes(placed) {
        let Change::Count(amount) = write.change else { continue };
        let counted = additions.entry(write.part.slot).or_default();
        counted.subtracts |= amount < 0;
        counted.has_strangers = write.key.absence(SimTime::NEVER) != Rank::INITIAL;
        if must_count(lineage, &write) {
            counted.up_to.push((write.part.operation, counted.sum() + amount));
        } else {
            counted.uncertain.push(amount);
        }
    }
    additions
}

/// Whether a replica of this lineage must have the addition: it was acknowledged, its record is not known to be gone, and
/// the counter was not dropped since. Where no client deleted it, whatever leaves nothing may be a drop.
pub(super) fn must_count(lineage: Option<&Lineage>, write: &Write) -> bool {
    let dropped = write.key.absence(SimTime::NEVER);
    let outlasts = |rank| write.key.compare(dropped, rank) == Some(Ordering::Less);
    write.part.of.outcome.is_ok()
        && record(lineage, write) != Some(false)
        && (dropped == Rank::INITIAL || write.rank.is_some_and(outlasts))
}

impl Counted {
    /// The fate of an operation's addition where so much is missing from the sum.
    pub fn fate(&self, operation: u32, missing: i64) -> Fate {
        let is_last = self.up_to.last().is_some_and(|(last, _)| *last == operation);
        match self.besides() {
            _ if missing == 0 => Fate::NotLost,
            _ if !self.subtracts => self.fate_of_addend(operation, missing),
            _ if self.has_strangers => Fate::Unknown,
            Some(sums) if is_last && !sums.contains(&-missing) => Fate::Lost(Way::MissingFromSum),
            Some(sums) if sums.contains(&-missing) && !self.may_hide_a_loss(missing, sums) => Fate::NotLost,
            _ => Fate::Unknown,
        }
    }

    /// Whether what was never answered may have made up for some acknowledged additions, so that they are missing too.
    fn may_hide_a_loss(&self, missing: i64, besides: &BTreeSet<i64>) -> bool {
        let before = std::iter::once(0).chain(self.up_to.iter().map(|(_, sum)| *sum));
        let amounts = self.up_to.iter().zip(before).map(|((_, sum), before)| sum - before);
        let lost = self.losses.get_or_init(|| sums_of_some(amounts));
        lost.as_ref().is_none_or(|lost| lost.iter().any(|lost| besides.contains(&(lost - missing))))
    }

    /// The same where nothing was or may have been subtracted.
    fn fate_of_addend(&self, operation: u32, missing: i64) -> Fate {
        // What was never answered may have made up for a part of what is missing: for as little as there can be.
        let besides = match self.besides() {
            _ if missing > 0 => 0,
            _ if self.has_strangers => return Fate::NotLost,
            None => return Fate::Unknown,
            Some(sums) => sums.range(-missing..).next().map_or(0, |sum| *sum),
        };
        if self.sum_after(operation) < missing + besides { Fate::Lost(Way::MissingFromSum) } else { Fate::NotLost }
    }

    fn besides(&self) -> Option<&BTreeSet<i64>> {
        let sums = || {
            let mut sums = sums_of_some(self.uncertain.iter().copied())?;
            sums.insert(0);
            Some(sums)
        };
        self.besides.get_or_init(sums).as_ref()
    }

    pub fn sum(&self) -> i64 {
        self.up_to.last().map_or(0, |(_, sum)| *sum)
    }

    /// The sum of what was added after `operation`.
    fn sum_after(&self, operation: u32) -> i64 {
        let passed = self.up_to.partition_point(|(at, _)| *at <= operation);
        self.sum() - passed.checked_sub(1).map_or(0, |last| self.up_to[last].1)
    }
}

/// What these amounts come to, one or more of them; `None` if that is too much to say.
fn sums_of_some(amounts: impl Iterator<Item = i64>) -> Option<BTreeSet<i64>> {
    let mut sums = BTreeSet::new();
    for amount in amounts {
        let with: Vec<i64> = sums.iter().map(|sum| sum + amount).collect();
        sums.extend(with);
        sums.insert(amount);
        if sums.len() > SUMS_MAX {
            return None;
        }
    }
    Some(sums)
}
