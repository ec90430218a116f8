//! What a campaign is to do, and how its runs fall into lots and lots into shares.

use std::num::NonZero;

use super::lot::LOT_RUNS;
use crate::cores;
use crate::store::Place;

/// What a campaign is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Orders {
    /// How many runs, over all subjects; as many as there is time for, if not given.
    pub runs: Option<u64>,
    /// The first seed of each subject.
    pub seed_start: u64,
    /// Whether most runs are made up by the search.
    pub guided: bool,
    /// How many workers.
    pub jobs: NonZero<usize>,
    /// Which part of it.
    pub share: Share,
    /// How its scenarios were changed for it, as it is told: `--set run=1s`. What they say now is what counts.
    pub changes: Vec<String>,
}

impl Orders {
    /// The most runs of a campaign: as many as one subject can have lots for.
    pub const RUNS_MAX: u64 = u32::MAX as u64 * LOT_RUNS as u64;

    /// So many runs from the first seed on, by guided search and on all cores.
    pub fn of(runs: u64) -> Self {
        Orders { runs: Some(runs), seed_start: 1, guided: true, jobs: cores(), share: Share::ALL, changes: Vec::new() }
    }

    /// Whether a place is one of the campaign's, of any share, if it has so many subjects.
    pub(super) fn has(&self, at: Place, subjects: usize) -> bool {
        u64::from(at.lot) * u64::from(LOT_RUNS) + u64::from(at.place) < self.runs_of(at.subject, subjects)
    }

    /// How many runs the subject with this number has, among so many: the first subjects have those that are left over.
    fn runs_of(&self, subject: u32, subjects: usize) -> u64 {
        let (number, count) = (u64::from(subject), subjects as u64);
        self.runs.map_or(u64::MAX, |runs| runs / count + u64::from(number < runs % count))
    }

    /// The lots of the share that are of the subject with this number, among so many.
    pub(super) fn lots_of(&self, subject: u32, subjects: usize) -> Lots {
        Lots { next: self.share.first_lot(subject), step: self.share.of, runs: self.runs_of(subject, subjects) }
    }
}

/// Lots of a subject: the number of each, and how many runs it has.
pub(super) struct Lots {
    next: u64,
    step: u32,
    /// How many runs the subject has, over all its lots.
    runs: u64,
}

impl Iterator for Lots {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let number = u32::try_from(self.next).ok()?;
        let left = self.runs.checked_sub(self.next * u64::from(LOT_RUNS)).filter(|left| *left > 0)?;
        self.next += u64::from(self.step);
        Some((number, left.min(u64::from(LOT_RUNS)) as u32))
    }

    /// Not by going through them: there may be billions.
    fn count(self) -> usize {
        let end = self.runs.div_ceil(u64::from(LOT_RUNS)).min(1 << u32::BITS);
        end.saturating_sub(self.next).div_ceil(u64::from(self.step)) as usize
    }
}

/// A part of a campaign: of each subject every `of`-th lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Which part, from 0.
    pub shard: u32,
    /// How many parts there are.
    pub of: u32,
}

impl Share {
    /// All of it.
    pub const ALL: Share = Share { shard: 0, of: 1 };

    /// Whether a lot of a subject belongs to it.
    pub(super) const fn has(self, subject: u32, lot: u32) -> bool {
        lot as u64 % self.of as u64 == self.first_lot(subject)
    }

    /// The first lot of a subject that belongs to it. Subjects take turns in who has their first lot, so that many small
    /// ones are spread as well as a few large ones.
    const fn first_lot(self, subject: u32) -> u64 {
        let (shard, of, subject) = (self.shard as u64, self.of as u64, subject as u64);
        (shard + of - subject % of) % of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lot_belongs_to_one_share_however_many_there_are() {
        let lots = |shard, of, runs| {
            let orders = Orders { share: Share { shard, of }, ..Orders::of(runs) };
            (0..2).flat_map(move |subject| orders.lots_of(subject, 2).map(move |(lot, runs)| (subject, lot, runs)))
        };
        let runs = 9 * u64::from(LOT_RUNS) + 1;
        let mut shared: Vec<_> = (0..3).flat_map(|shard| lots(shard, 3, runs)).collect();
        shared.sort_unstable();
        assert_eq!(shared, lots(0, 1, runs).collect::<Vec<_>>());
        assert_eq!(shared.iter().map(|(_, _, runs)| u64::from(*runs)).sum::<u64>(), runs);
        assert!((0..3).all(|shard| {
            let orders = Orders { share: Share { shard, of: 3 }, ..Orders::of(runs) };
            orders.lots_of(1, 2).count() == orders.lots_of(1, 2).fold(0, |count, _| count + 1)
        }));
        // The last lot that has a number.
        assert_eq!(lots(u32::MAX - 1, u32::MAX, u64::MAX).next(), Some((0, u32::MAX - 1, LOT_RUNS)));
        let has = |shard| move |(subject, lot, _): (u32, u32, u32)| Share { shard, of: 3 }.has(subject, lot);
        assert!(
            (0..3).all(|shard| lots(shard, 3, runs).all(has(shard)) && !lots(shard, 3, runs).any(has((shard + 1) % 3)))
        );
    }
}
