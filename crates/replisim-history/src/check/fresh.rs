//! Staleness: which reads missed what had been acknowledged before they began, and by how much.
//!
//! A read is **stale** if some version newer than the one it returned was acknowledged to its client before the read was
//! invoked. Intervals are closed: a read that begins in the very instant of an acknowledgement is concurrent with it, and
//! not stale. How stale it is has two measures (Bailis et al., *Probabilistically Bounded Staleness*, VLDB 2012):
//!
//! ```text
//! w(x)1 ├──┤ack        w(x)2 ├──┤ack   w(x)3 ├──┤ack      r(x) ├──┤ returns 1
//!                                │                             │
//!                                └──────── time behind ────────┘     versions behind: 2
//! ```
//!
//! - *versions behind*: how many newer versions had been acknowledged by then;
//! - *time behind*: for how long at least one had been, that is, since the acknowledgement of the next version (of
//!   the one among all newer ones that was acknowledged first, should they have overtaken each other).
//!
//! A lost version counts as any other: it was acknowledged, so a read that misses it is stale. For a set, a list or a
//! text the newer versions are the acknowledged elements that it lacks and that nobody may have removed or swept away, and
//! the acknowledged deletions of what it holds.
//!
//! Cost: O(n log n), and for each read of a set or list what it had to hold, and the size of what was read, in addition.

use std::cell::OnceCell;

use replisim_kernel::{SimTime, Span};

use super::access::datum_seen;
use super::order::{Basis, KeyOrder, Rank};
use super::placed::{Event, Most, Placed, What};
use super::tally::Tally;
use super::witness::{Story, rest_on_order};
use crate::measure::Quantile;
use crate::words::{span, things};
use crate::{Check, Datum, Finding, History, Value};

/// How far a read was behind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Staleness {
    /// For how long a newer version had been acknowledged when the read was invoked.
    pub time_behind: Span,
    /// How many newer versions had been.
    pub versions_behind: u64,
}

/// A read that was stale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StaleRead {
    /// The read, as a position in [`History::operations`].
    pub operation: u64,
    /// The acknowledged write that it missed, the first to be acknowledged if there are several.
    pub missed: u64,
    /// How far it was behind.
    pub behind: Staleness,
}

/// The staleness of every read in a history.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StalenessReport {
    /// The positions in [`History::operations`] of all that were found to be fresh or stale, one entry for each key
    /// that was read, ascending.
    pub reads: Vec<u64>,
    /// Those of them that were stale, in order of invocation.
    pub stale: Vec<StaleRead>,
    /// The positions of those of which the order of versions does not tell, likewise.
    pub unknown: Vec<u64>,
    /// How many reads returned a counter's sum, which tells no version.
    pub counters: u64,
}

/// Finds the staleness of every read.
pub fn staleness(history: &History) -> StalenessReport {
    report(&Placed::new(history))
}

/// No read is stale.
pub(super) fn fresh_reads(placed: &Placed) -> Finding {
    let report = report(placed);
    let unknown = report.unknown.len() as u64;
    let tally = Tally {
        broken: report.stale.len() as u64,
        of: report.reads.len() as u64 + unknown,
        unknown,
        unjudged: report.counters,
    };
    tally.conclude(Check::FreshReads, "reads", report.stale.first().map(|stale| tell(placed, stale)))
}

impl StalenessReport {
    /// The share of stale reads; `None` if there are no reads of which it is known.
    pub fn share(&self) -> Option<f64> {
        (!self.reads.is_empty()).then(|| self.stale.len() as f64 / self.reads.len() as f64)
    }

    /// The `quantile` of the time behind over all reads, where a fresh read is behind by nothing.
    pub fn time_behind(&self, quantile: Quantile) -> Option<Span> {
        self.quantile(quantile, |behind| behind.time_behind).map(|span| span.unwrap_or(Span::ZERO))
    }

    /// The `quantile` of the versions behind over all reads, where a fresh read is behind by none.
    pub fn versions_behind(&self, quantile: Quantile) -> Option<u64> {
        self.quantile(quantile, |behind| behind.versions_behind).map(|versions| versions.unwrap_or(0))
    }

    /// The read that was behind for the longest time, and the first of those.
    pub fn worst(&self) -> Option<&StaleRead> {
        self.stale.iter().rev().max_by_key(|stale| stale.behind)
    }

    /// The outer `None`: there are no reads. The inner: the quantile falls among the fresh ones.
    fn quantile<T: Ord + Copy>(&self, quantile: Quantile, of: fn(&Staleness) -> T) -> Option<Option<T>> {
        let rank = quantile.place(self.reads.len())?;
        let fresh = self.reads.len() - self.stale.len();
        let mut behind: Vec<T> = self.stale.iter().map(|stale| of(&stale.behind)).collect();
        behind.sort_unstable();
        Some(rank.checked_sub(fresh).map(|among| behind[among]))
    }
}

/// The read, the write it missed, and how long ago that was.
fn tell(placed: &Placed, stale: &StaleRead) -> crate::Witness {
    let (read, missed) = (stale.operation as u32, stale.missed as u32);
    let mut story = Story::new(placed.history);
    story.tell_end(missed);
    let Staleness { time_behind, versions_behind } = stale.behind;
    let (node, asked) = (placed.operation(read).node, placed.operation(read).invoked);
    let versions = things(versions_behind, "version");
    // It counts from when the read began, and the line is told by when it ended.
    story.tell(read, format!("asked at {asked}, {node} was {} and {versions} behind", span(time_behind)));
    for returned in placed.writers_of(read) {
        story.tell_end(returned);
    }
    let made =
        |slot| placed.events_of(missed).iter().find(move |event| event.slot == slot && event.what == What::Wrote);
    for event in placed.events_of(read).iter().filter(|event| event.sees_others()) {
        made(event.slot).into_iter().for_each(|made| rest_on_order(placed, event, made.rank, &mut story));
    }
    story.called("stale read")
}

enum Age {
    Fresh,
    Stale { behind: Staleness, missed: u32 },
    Unknown,
    Counter,
}

/// One read of one key.
struct Reading<'a> {
    event: &'a Event,
    invoked: SimTime,
    completed: SimTime,
}

/// Takes the reads in the order of operations, which is that of their invocation.
fn report(placed: &Placed) -> StalenessReport {
    let mut report = StalenessReport { reads: Vec::with_capacity(placed.events.len()), ..StalenessReport::default() };
    let mut acknowledgements: Vec<_> = placed.order.keys().iter().map(|_| None).collect();
    let mut stale = Vec::new();
    for (number, it) in (0..).zip(placed.history.operations.iter()) {
        let operation = u64::from(number);
        for event in placed.events_of(number).iter().filter(|event| event.sees_others()) {
            let of_key = &mut acknowledgements[event.slot.index()];
            let of_key = of_key.get_or_insert_with(|| Acknowledgements::of(placed.key_of(event)));
            match of_key.age(placed, &Reading { event, invoked: it.invoked, completed: it.completed }) {
                Age::Unknown => report.unknown.push(operation),
                Age::Counter => report.counters += 1,
                Age::Fresh => report.reads.push(operation),
                Age::Stale { behind, missed } => {
                    report.reads.push(operation);
                    stale.push((event.slot, StaleRead { operation, missed: u64::from(missed), behind }));
                }
            }
        }
    }
    // Of a transaction's reads those come first whose key occurs first in the history.
    stale.sort_by_key(|(slot, stale)| (stale.operation, *slot));
    report.stale.extend(stale.into_iter().map(|(_, stale)| stale));
    report
}

/// A version that reads must show from one moment on, until another.
#[derive(Clone, Copy)]
struct Lasting {
    from: SimTime,
    until: SimTime,
    rank: Rank,
}

/// When the versions of one key were acknowledged, prepared for reads in order of their invocation.
struct Acknowledgements<'a> {
    key: &'a KeyOrder,
    /// For each rank the first acknowledgement among it and all higher ones.
    first_from: Vec<(SimTime, Rank)>,
    /// All in order of time. Most keys are only asked for the first one from a rank on, so this is not made before
    /// somebody asks for more.
    in_time: OnceCell<Vec<(SimTime, Rank)>>,
    /// Those of elements that every set, list or text of the key must hold from then on, until they may be gone, and of
    /// deletions, of which each must hold nothing older.
    lasting: OnceCell<Vec<Lasting>>,
    /// How many of `in_time` have been counted.
    passed: usize,
    counted: RankCounts,
    /// How many of `in_time` have been looked at for rivals.
    met: usize,
    /// The two of those that end last.
    last_to_end: [Rank; 2],
}

impl<'a> Acknowledgements<'a> {
    fn of(key: &'a KeyOrder) -> Self {
        let mut first_from = Vec::with_capacity(key.versions.len() + 2);
        first_from.push((SimTime::NEVER, Rank::INITIAL));
        first_from.extend(ranked(key));
        first_from.push((SimTime::NEVER, Rank::INITIAL));
        for rank in (1..=key.versions.len()).rev() {
            first_from[rank] = first_from[rank].min(first_from[rank + 1]);
        }
        Acknowledgements {
            key,
            first_from,
            in_time: OnceCell::new(),
            lasting: OnceCell::new(),
            passed: 0,
            counted: RankCounts(Vec::new()),
            met: 0,
            last_to_end: [Rank::INITIAL; 2],
        }
    }

    fn in_time(&self) -> &[(SimTime, Rank)] {
        self.in_time.get_or_init(|| {
            let mut in_time: Vec<_> = ranked(self.key).filter(|(at, _)| at.is_reached()).collect();
            in_time.sort_unstable();
            in_time
        })
    }

    fn lasting(&self) -> &[Lasting] {
        let until = |rank: Rank| match self.key.version(rank).element() {
            Some(_) => self.key.may_be_gone_from(rank),
            None if self.key.clears(rank) => SimTime::NEVER,
            None => SimTime::ZERO,
        };
        let lasting = |&(from, rank): &(SimTime, Rank)| Lasting { from, until: until(rank), rank };
        self.lasting.get_or_init(|| self.in_time().iter().map(lasting).filter(|it| it.from < it.until).collect())
    }

    fn age(&mut self, placed: &Placed, reading: &Reading) -> Age {
        let What::Saw(most) = reading.event.what else { return Age::Fresh };
        match most {
            Most::Rank(most) => self.age_of_version(reading, most),
            Most::Elements { part } => datum_seen(placed.operation_of(reading.event), part)
                .map_or(Age::Fresh, |datum| self.age_of_elements(reading, datum)),
            Most::Unplaced => Age::Unknown,
            Most::Counter => Age::Counter,
        }
    }

    fn age_of_version(&mut self, reading: &Reading, most: Rank) -> Age {
        let newer = self.key.newer_than(most);
        let (since, first) = self.first_from[newer.0 as usize];
        if since < reading.invoked {
            let versions_behind = self.count_from(newer, reading.invoked);
            return self.stale(reading, since, first, versions_behind);
        }
        if self.has_rival(most, reading.invoked) { Age::Unknown } else { Age::Fresh }
    }

    fn stale(&self, reading: &Reading, since: SimTime, first: Rank, versions_behind: u64) -> Age {
        let behind = Staleness { time_behind: reading.invoked.since(since), versions_behind };
        let missed = self.key.version(first).writer.expect("only what a client wrote is acknowledged");
        Age::Stale { behind, missed }
    }

    /// How many versions from `rank` on were acknowledged before `moment`. Moments must not go back.
    fn count_from(&mut self, rank: Rank, moment: SimTime) -> u64 {
        if self.counted.is_empty() {
            self.counted = RankCounts::of(self.key.versions.len());
        }
        while let Some(&(at, acknowledged)) = self.in_time().get(self.passed)
            && at < moment
        {
            self.counted.add(acknowledged);
            self.passed += 1;
        }
        self.passed as u64 - self.counted.below(rank)
    }

    /// Whether an acknowledged version may be newer than this one: one that is not certainly older. Moments must not go
    /// back.
    fn has_rival(&mut self, rank: Rank, moment: SimTime) -> bool {
        if self.key.basis == Basis::Log || rank == Rank::INITIAL {
            return false;
        }
        let ends = |rank: Rank| self.key.interval(rank).ends;
        while let Some(&(at, acknowledged)) = self.in_time().get(self.met)
            && at < moment
        {
            let [last, before] = self.last_to_end;
            self.last_to_end = match acknowledged {
                newest if ends(newest) > ends(last) => [newest, last],
                other if ends(other) > ends(before) => [last, other],
                _ => [last, before],
            };
            self.met += 1;
        }
        let begins = self.key.interval(rank).begins;
        self.last_to_end.iter().any(|other| *other != rank && ends(*other) >= begins)
    }

    fn age_of_elements(&self, reading: &Reading, datum: &Datum) -> Age {
        let (Datum::Set(seen) | Datum::List(seen)) = datum else { return Age::Fresh };
        let known = &self.lasting()[..self.lasting().partition_point(|it| it.from < reading.invoked)];
        if known.is_empty() {
            return Age::Fresh;
        }
        let mut seen: Vec<Value> = seen.to_vec();
        seen.sort_unstable();
        let oldest = self.key.oldest(&seen);
        let is_missed = |it: &&Lasting| match self.key.version(it.rank).element() {
            Some(element) => it.until > reading.completed && seen.binary_search(&element).is_err(),
            None => oldest.is_some_and(|oldest| oldest < it.rank),
        };
        let mut missing = known.iter().filter(is_missed);
        match missing.next() {
            Some(first) => self.stale(reading, first.from, first.rank, 1 + missing.count() as u64),
            None => Age::Fresh,
        }
    }
}

/// When each version of a key was acknowledged, or never, by rank.
fn ranked(key: &KeyOrder) -> impl Iterator<Item = (SimTime, Rank)> {
    (1..).map(Rank).zip(&key.versions).map(|(rank, version)| (version.acknowledged, rank))
}

/// How many ranks were added below a given one: a Fenwick tree.
struct RankCounts(Vec<u64>);

impl RankCounts {
    fn of(ranks: usize) -> Self {
        RankCounts(vec![0; ranks + 1])
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, rank: Rank) {
        let mut node = rank.0 as usize;
        while node < self.0.len() {
            self.0[node] += 1;
            node += node & node.wrapping_neg();
        }
    }

    fn below(&self, rank: Rank) -> u64 {
        let mut node = (rank.0 as usize - 1).min(self.0.len() - 1);
        let mut count = 0;
        while node > 0 {
            count += self.0[node];
            node -= node & node.wrapping_neg();
        }
        count
    }
}
