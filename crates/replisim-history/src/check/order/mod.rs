//! Which version of a key is newer: every check but convergence rests on the answer.
//!
//! A version's place is its [`Rank`] among the versions of its key; rank 0 is the initial version, before any write.
//! There are two grounds on which versions are ordered, and a key has one of them:
//!
//! - **[`Basis::Log`]**: the node in charge put the versions into its log, so their positions tell. Epochs come one
//!   after another. When an epoch loses its tail at a promotion, the lost versions form a branch; they are placed where
//!   their positions put them: after all they were built on, and before every version of a later epoch.
//!
//!   ```text
//!   epoch 1   ── 480 ── 481 ── 502          481 and 502 were lost
//!                  └─────────────── 481@2 ──   480@1 < 481@1 < 502@1 < 481@2
//!   ```
//!
//!   A quorum system has no log, but its versions carry tags that any coordinator can choose. They order a key like a
//!   log where all replicas are alike and the tags are distinct and of one epoch.
//!
//! - **[`Basis::RealTime`]**: nobody was in charge, or several were. Then a version is newer than another if its write
//!   was invoked after the other's was acknowledged, and of two concurrent ones nothing is said. A checker that would
//!   need to know says `unknown`.
//!
//! A key's order is the log's unless one of these shows that no single log ordered it: it has no installs; a write was
//! acknowledged that is none of them; two nodes installed it within one epoch; several nodes installed it and not one replica alone leads at the end, or a panic left no
//! end to look at; or the versions that survive were not installed in the order of their positions, so that the epochs ran
//! side by side.
//!
//! Some positions of a log can contradict what clients know, for a write that began after another was acknowledged has the
//! lower one. That is what a former leader does that keeps writing after the next epoch began:
//!
//! ```text
//! epoch 1   ── 1 ──────────────────── 2@1       written after 2@2 was acknowledged: a session that wrote it, and then
//!              └─── 2@2 ──                      reads 2@2, does not see its own write
//! ```
//!
//! And a lost branch can have the higher epoch: that of a server which began to lead beside those that won. Nothing tells
//! that its versions are newer than any but those it was built on.
//!
//! ```text
//! epoch 1   ── 1 ── 2@2 ── 3@2            the end of epoch 2 survives; in epoch 3, begun by a server that had not heard
//!              └─── 2@3                   of epoch 2, 1@1 < 2@3, and nothing is said of 2@2 and 2@3
//! ```
//!
//! Strays of either sort are placed by real time, and so is whatever an epoch placed after one that contradicts what clients
//! know. The others stay in the order of the log where no stray is near (`interval.rs`). Where nobody was told of such a
//! write, and nobody saw it, it makes no difference to anyone: it stays on its branch.

mod arrange;
mod authority;
mod interval;

use std::cell::OnceCell;
use std::cmp::Ordering;

use replisim_kernel::SimTime;

use super::access::{Clearing, Kind, Part};
use super::keys::{Keys, Slot};
use crate::{History, Key, Position, SessionId, Value};
use arrange::Arranger;
pub(super) use interval::{Interval, Moment};

/// A version's place among the versions of its key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank(pub u32);

/// On what ground the versions of a key are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Basis {
    /// By their positions in the log.
    Log,
    /// By which write ended before which other began, and where no stray is near by the log too.
    RealTime,
}

/// One version of a key.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// The value that names it, if one does.
    pub value: Option<Value>,
    /// Where it was installed; zero if that is not known.
    pub position: Position,
    /// The earliest moment at which it can have been seen.
    pub at: SimTime,
    /// The operation that wrote it, if it is in the history.
    pub writer: Option<u32>,
    /// The session of that operation.
    session: Option<SessionId>,
    /// When its write was invoked; the beginning of all if the write is not in the history.
    pub invoked: SimTime,
    /// When its write was acknowledged, or never.
    pub acknowledged: SimTime,
    /// Whether a reader may find nothing after it.
    may_leave_nothing: bool,
    /// What it made of the key, if that is known.
    kind: Option<Kind>,
    /// Whether it cleared away the elements of a set, list or text.
    clearing: Clearing,
}

/// The versions of one key in order.
#[derive(Debug)]
pub(super) struct KeyOrder {
    /// The key.
    pub key: Key,
    /// The ground of the order.
    pub basis: Basis,
    /// The version of rank `r` stands at `r - 1`. On the ground of real time they stand in the order in which they began.
    pub versions: Vec<Version>,
    /// On the ground of real time, when each version took its place.
    intervals: Vec<Interval>,
    /// The first write that was acknowledged without being in the key's log, if it has one.
    pub unlogged: Option<u32>,
    /// Whether it was, or may have been, written as data of several kinds, each of which replaces the others.
    pub mixes_kinds: bool,
    /// Whether it is a text, whose newest element can stand anywhere.
    pub grows_anywhere: bool,
    /// Elements that were, or may have been, removed one by one, and when that was asked for; ascending.
    removed: Vec<(Value, SimTime)>,
    /// Whether both a set and a list were put into it, so that each may have replaced the other.
    mixes_elements: bool,
    /// By time: the latest version, among those that can have been seen by then, that no older element outlives, or may
    /// not: a deletion, or another kind of datum in its place. Made when somebody asks.
    sweeps: OnceCell<Vec<(SimTime, Rank)>>,
    /// The same for lists alone, of a key that is both a set and a list.
    sweeps_of_lists: OnceCell<Vec<(SimTime, Rank)>>,
    /// The rank of each version that a value names, by value and rank.
    places: Vec<(Value, Rank)>,
    /// By time: the latest version, among those that can have been seen by then, that leaves nothing.
    absences: Vec<(SimTime, Rank)>,
}

/// The order of the versions of every key.
pub(super) struct Order {
    keys: Vec<KeyOrder>,
    /// For each part of the history the rank of the version that it made.
    made: Vec<Option<Rank>>,
}

impl Rank {
    /// What a key holds before it was ever written.
    pub(super) const INITIAL: Rank = Rank(0);

    fn index(self) -> usize {
        self.0 as usize - 1
    }

    fn at_index(index: usize) -> Rank {
        Rank(index as u32 + 1)
    }
}

impl Order {
    /// Orders the versions of every key of a history, which consists of `parts`, in O(n log n).
    pub(super) fn of(history: &History, parts: &[Part], mut keys: Keys) -> Order {
        let mut arranger = Arranger::new(history, parts, &mut keys);
        let arranged = (0..).map(Slot).zip(keys.all()).map(|(slot, key)| arranger.arrange(slot, *key)).collect();
        Order { keys: arranged, made: arranger.made }
    }

    /// The versions of the key at `slot`.
    pub(super) fn key(&self, slot: Slot) -> &KeyOrder {
        &self.keys[slot.index()]
    }

    /// The versions of every key, by slot.
    pub(super) fn keys(&self) -> &[KeyOrder] {
        &self.keys
    }

    /// Whether of any two versions of a key it is known which is newer.
    pub(super) fn is_total(&self) -> bool {
        self.keys.iter().all(|key| key.basis == Basis::Log || key.versions.len() < 2)
    }

    /// For each part of the history the rank of the version that it made; `None` if it was never installed in a key that
    /// a log orders, or is no write.
    pub(super) fn made(&self) -> &[Option<Rank>] {
        &self.made
    }
}

impl Version {
    /// Whether it made the key a set, a list or a text, as far as that is known.
    pub(super) fn is_of_elements(&self) -> bool {
        matches!(self.kind, Some(Kind::Set | Kind::List)) || self.element().is_some()
    }

    /// The element that it added to a set, list or text, unless it certainly made the key something else.
    pub(super) fn element(&self) -> Option<Value> {
        match self.kind {
            Some(Kind::Set | Kind::List) => self.value,
            Some(Kind::Register | Kind::Counter) => None,
            None => self.value.filter(|value| value.author().is_some()),
        }
    }
}

impl KeyOrder {
    /// Which of two versions is newer; `None` if the history does not tell.
    pub(super) fn compare(&self, a: Rank, b: Rank) -> Option<Ordering> {
        match self.basis {
            Basis::Log => Some(a.cmp(&b)),
            Basis::RealTime if a == b => Some(Ordering::Equal),
            Basis::RealTime if a == Rank::INITIAL => Some(Ordering::Less),
            Basis::RealTime if b == Rank::INITIAL => Some(Ordering::Greater),
            Basis::RealTime if self.precedes(a, b) => Some(Ordering::Less),
            Basis::RealTime if self.precedes(b, a) => Some(Ordering::Greater),
            Basis::RealTime => None,
        }
    }

    /// The lowest rank from which on every version is certainly newer than `rank`.
    pub(super) fn newer_than(&self, rank: Rank) -> Rank {
        if self.basis == Basis::Log || rank == Rank::INITIAL {
            return Rank(rank.0 + 1);
        }
        let ends = self.interval(rank).ends;
        Rank::at_index(self.intervals.partition_point(|interval| interval.begins <= ends))
    }

    /// When the version of a rank took its place, of a key that no one log orders.
    pub(super) fn interval(&self, rank: Rank) -> Interval {
        if rank == Rank::INITIAL { Interval::OF_NOTHING } else { self.intervals[rank.index()] }
    }

    /// The version of a rank.
    ///
    /// # Panics
    /// If it is the initial one, which nobody wrote.
    pub(super) fn version(&self, rank: Rank) -> &Version {
        &self.versions[rank.index()]
    }

    /// The operation that wrote the version of `rank`, if the history tells.
    pub(super) fn writer(&self, rank: Rank) -> Option<u32> {
        if rank == Rank::INITIAL { None } else { self.version(rank).writer }
    }

    /// The first and the last rank at which `value` was installed.
    pub(super) fn place(&self, value: Value) -> Option<(Rank, Rank)> {
        let places = self.places(value);
        Some((places.first()?.1, places.last()?.1))
    }

    /// Each rank at which `value` was installed, ascending: more than one if a retry was installed too.
    pub(super) fn places(&self, value: Value) -> &[(Value, Rank)] {
        let begin = self.places.partition_point(|(other, _)| *other < value);
        let mut end = begin;
        while self.places.get(end).is_some_and(|(other, _)| *other == value) {
            end += 1;
        }
        &self.places[begin..end]
    }

    /// The version that was installed last at or before `position`, of a key that a log orders.
    pub(super) fn since(&self, position: Position) -> Option<Rank> {
        let logged = self.basis == Basis::Log && position != Position::ZERO;
        logged.then(|| Rank(self.versions.partition_point(|version| version.position <= position) as u32))
    }

    /// The latest version that a reader who found nothing at `at` may have met.
    pub(super) fn absence(&self, at: SimTime) -> Rank {
        let seen = self.absences.partition_point(|(since, _)| *since <= at);
        seen.checked_sub(1).map_or(Rank::INITIAL, |last| self.absences[last].1)
    }

    /// The versions that a reader who found nothing at `at` may have met.
    pub(super) fn absences_by(&self, at: SimTime) -> impl Iterator<Item = Rank> {
        let absences = self.versions.iter().enumerate();
        absences.filter(move |(_, it)| it.may_leave_nothing && it.at <= at).map(|(index, _)| Rank::at_index(index))
    }

    /// Who wrote the version whose invocation tells that the one of `rank` took its place no earlier than it did: of those
    /// that a log orders, the last to be begun among those before it.
    pub(super) fn writer_that_begins(&self, rank: Rank) -> Option<u32> {
        let before = self.logged().filter(|(turn, _)| *turn <= self.interval(rank).begins.turn);
        let last = before.max_by_key(|(_, version)| version.invoked);
        last.map_or(self.writer(rank), |(_, version)| version.writer)
    }

    /// Who wrote the version whose acknowledgement tells that the one of `rank` took its place no later than it did: of
    /// those that a log orders, the first to be acknowledged among those after it.
    pub(super) fn writer_that_ends(&self, rank: Rank) -> Option<u32> {
        let turn = self.interval(rank).ends.turn;
        let after = self.logged().filter(|(other, _)| turn > 0 && *other >= turn);
        let first = after.min_by_key(|(_, version)| version.acknowledged);
        first.map_or(self.writer(rank), |(_, version)| version.writer)
    }

    /// The versions that a log orders of a key that no one log does, each with its turn.
    fn logged(&self) -> impl Iterator<Item = (u32, &Version)> {
        let turns = self.intervals.iter().map(|interval| interval.begins.turn);
        turns.zip(&self.versions).filter(|(turn, _)| *turn > 0)
    }

    /// From when on a reader of a set, list or text may miss the element of this rank by the rules: it may have been
    /// removed then, or swept away with all others; never, if nobody may have done that.
    pub(super) fn may_be_gone_from(&self, rank: Rank) -> SimTime {
        let version = self.version(rank);
        let removed = version.value.map_or(SimTime::NEVER, |element| self.removed_from(element));
        removed.min(self.swept_from(version.kind, rank))
    }

    /// When somebody first asked for an element to be removed.
    pub(super) fn removed_from(&self, element: Value) -> SimTime {
        let first = self.removed.partition_point(|(other, _)| *other < element);
        self.removed.get(first).filter(|(other, _)| *other == element).map_or(SimTime::NEVER, |(_, at)| *at)
    }

    /// From when on an element of a datum of this kind may have been swept away: when the first version can have been seen
    /// that leaves no older ones, or may, and that is not certainly older itself.
    pub(super) fn swept_from(&self, kind: Option<Kind>, rank: Rank) -> SimTime {
        let sweeps = match kind {
            Some(Kind::Set) => self.sweeps.get_or_init(|| self.sweeps_by_time(Kind::Set)),
            _ if self.mixes_elements => self.sweeps_of_lists.get_or_init(|| self.sweeps_by_time(Kind::List)),
            _ => self.sweeps.get_or_init(|| self.sweeps_by_time(Kind::Set)),
        };
        let is_outlasted = |sweep: Rank| match self.basis {
            Basis::Log => sweep <= rank,
            Basis::RealTime => self.compare(sweep, rank) == Some(Ordering::Less),
        };
        let outlasted = sweeps.partition_point(|(_, sweep)| is_outlasted(*sweep));
        sweeps.get(outlasted).map_or(SimTime::NEVER, |(at, _)| *at)
    }

    /// Whether a log tells that no element of a lower rank is left once there is the version of this one.
    pub(super) fn clears(&self, rank: Rank) -> bool {
        self.basis == Basis::Log && self.version(rank).clearing == Clearing::Certainly
    }

    /// The oldest version among these elements.
    pub(super) fn oldest(&self, elements: &[Value]) -> Option<Rank> {
        elements.iter().filter_map(|element| Some(self.place(*element)?.1)).min()
    }

    fn precedes(&self, a: Rank, b: Rank) -> bool {
        self.interval(a).ends < self.interval(b).begins
    }

    fn empty(key: Key) -> Self {
        KeyOrder {
            key,
            basis: Basis::RealTime,
            versions: Vec::new(),
            intervals: Vec::new(),
            unlogged: None,
            mixes_kinds: false,
            grows_anywhere: false,
            removed: Vec::new(),
            mixes_elements: false,
            sweeps: OnceCell::new(),
            sweeps_of_lists: OnceCell::new(),
            places: Vec::new(),
            absences: Vec::new(),
        }
    }
}
