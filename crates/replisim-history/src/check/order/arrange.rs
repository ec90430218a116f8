//! Puts the versions of each key in order, from its writes and its installs.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use replisim_kernel::SimTime;

use super::authority::Authority;
use super::interval::intervals;
use super::{Basis, KeyOrder, Rank, Version};
use crate::check::access::{Change, Clearing, Kind, Part};
use crate::check::keys::{Groups, Keys, Slot};
use crate::{Datum, History, Install, Key, Made, Position, Value};

/// One write that may have happened.
#[derive(Clone, Copy)]
struct Write<'a> {
    /// The part of an operation that made it.
    part: &'a Part<'a>,
    /// How many parts stand before it in the history.
    number: u32,
    /// How it changes the key.
    change: Change,
}

/// Arranges one key after another. What it gathers of a key lies in room that the next key uses again.
pub(super) struct Arranger<'a> {
    parts: &'a [Part<'a>],
    all_installs: Vec<&'a Install>,
    writes_by_slot: Groups,
    installs_by_slot: Groups,
    /// Made when a key first asks what was seen of it.
    sightings_by_slot: OnceCell<Groups>,
    authority: Authority<'a>,
    /// For each part of the history the rank of the version that it made.
    pub made: Vec<Option<Rank>>,
    /// The key's installs, sorted by position.
    installs: Vec<&'a Install>,
    /// For each of the key's versions, the write that made it.
    makers: Vec<Option<Write<'a>>>,
}

impl<'a> Arranger<'a> {
    /// Gathers the installs of `history`, and numbers those of their keys that no part of it touches.
    pub(super) fn new(history: &'a History, parts: &'a [Part<'a>], keys: &mut Keys) -> Self {
        let mut all_installs = Vec::with_capacity(history.installs.len());
        let mut slots = Vec::with_capacity(history.installs.len());
        for install in history.installs.iter() {
            all_installs.push(install);
            slots.push(keys.intern(install.key));
        }
        let written = |part: &Part| part.change().map(|_| part.slot.index());
        Arranger {
            parts,
            writes_by_slot: Groups::of(keys.all().len(), parts.iter().map(written)),
            installs_by_slot: Groups::of(keys.all().len(), slots.iter().map(|slot| Some(slot.index()))),
            sightings_by_slot: OnceCell::new(),
            all_installs,
            authority: Authority::of(history),
            made: vec![None; parts.len()],
            installs: Vec::new(),
            makers: Vec::new(),
        }
    }

    /// Puts the versions of `key`, which is the one at `slot`, in order.
    pub(super) fn arrange(&mut self, slot: Slot, key: Key) -> KeyOrder {
        let mut order = KeyOrder::empty(key);
        order.note_changes(self.writes(slot));
        self.gather_installs(slot);
        order.places = places(self.installs.iter().map(|install| install.made.value()));
        self.find_makers(slot, &order);
        let installed = self.installs.iter().zip(&self.makers);
        order.versions.extend(installed.map(|(install, maker)| Version::installed(install, maker.as_ref())));
        self.note_made(&order);
        order.unlogged = self.acknowledged_outside_log(slot);
        let strays = self.authority.strays(&self.installs, &order.versions, || self.seen(slot));
        if strays.is_empty() && !self.installs.is_empty() && order.unlogged.is_none() {
            order.basis = Basis::Log;
        } else {
            self.add_uninstalled(slot, &mut order);
            self.sort_by_time(&mut order, &strays);
            self.writes_by_slot.group(slot.index()).iter().for_each(|number| self.made[*number as usize] = None);
            self.note_made(&order);
        }
        order.absences = order.latest_by_time(|version, _| version.may_leave_nothing);
        order
    }

    /// The first write of a key that was acknowledged without being in its log, if it has one.
    fn acknowledged_outside_log(&self, slot: Slot) -> Option<u32> {
        let outside = |write: &Write| write.part.of.outcome.is_ok() && self.made[write.number as usize].is_none();
        let mut writes = self.writes(slot).filter(|_| !self.installs.is_empty());
        writes.find(outside).map(|write| write.part.operation)
    }

    /// The writes of a key, in the order of operations.
    fn writes(&self, slot: Slot) -> impl Iterator<Item = Write<'a>> + use<'a, '_> {
        let parts = self.parts;
        self.writes_by_slot.group(slot.index()).iter().filter_map(|&number| {
            let part = &parts[number as usize];
            Some(Write { part, number, change: part.change()? })
        })
    }

    /// Every value that was seen of a key.
    fn seen(&self, slot: Slot) -> BTreeSet<Value> {
        let saw = |part: &Part| part.saw().map(|_| part.slot.index());
        let by_slot = || Groups::of(self.writes_by_slot.len(), self.parts.iter().map(saw));
        let sightings = self.sightings_by_slot.get_or_init(by_slot).group(slot.index()).iter();
        let data = sightings.filter_map(|&number| self.parts[number as usize].saw());
        data.flat_map(Datum::values).copied().collect()
    }

    fn gather_installs(&mut self, slot: Slot) {
        let installs = self.installs_by_slot.group(slot.index()).iter();
        self.installs.clear();
        self.installs.extend(installs.map(|&install| self.all_installs[install as usize]));
        // Stable: the versions that one transaction made of one key share a position and stay in order.
        self.installs.sort_by_key(|install| install.position);
    }

    /// Finds the write that made each version that was installed: the one of its value, and among several the one of its
    /// position. Of those that no value identifies, only a position can tell which one it is.
    fn find_makers(&mut self, slot: Slot, order: &KeyOrder) {
        let mut makers = std::mem::take(&mut self.makers);
        makers.clear();
        makers.resize(self.installs.len(), None);
        for write in self.writes(slot) {
            let mut claim = |index: usize| {
                let maker = &mut makers[index];
                if maker.is_none_or(|other| write.is_nearer(self.installs[index].position, &other)) {
                    *maker = Some(write);
                }
            };
            match write.change.value() {
                Some(value) => order.places(value).iter().for_each(|(_, rank)| claim(rank.index())),
                None => self.nameless_at(write.position()).for_each(claim),
            }
        }
        self.makers = makers;
    }

    /// The key's installs at a position that no value identifies.
    fn nameless_at(&self, position: Position) -> impl Iterator<Item = usize> {
        let first = self.installs.partition_point(|install| install.position < position);
        let here = (first..).zip(&self.installs[first..]).take_while(move |(_, install)| install.position == position);
        here.filter(|(_, install)| install.made.value().is_none()).map(|(index, _)| index)
    }

    /// Adds a version for each write that was not installed, for keys that no one log orders.
    fn add_uninstalled(&mut self, slot: Slot, order: &mut KeyOrder) {
        let mut installed: Vec<u32> = self.makers.iter().flatten().map(|maker| maker.number).collect();
        installed.sort_unstable();
        let is_missing = |write: &Write| installed.binary_search(&write.number).is_err();
        let mut uninstalled: Vec<Write> = self.writes(slot).filter(is_missing).collect();
        uninstalled.sort_unstable_by_key(|write| (write.change.value(), write.position(), write.number));
        order.versions.extend(uninstalled.iter().map(Version::written));
        self.makers.extend(uninstalled.into_iter().map(Some));
    }

    /// Sorts the versions by when they began to be, where no log ordered these strays, nor what was not installed.
    fn sort_by_time(&mut self, order: &mut KeyOrder, strays: &[usize]) {
        let is_logged = |index| index < self.installs.len() && strays.binary_search(&index).is_err();
        let intervals = intervals(&order.versions, is_logged);
        let both = order.versions.drain(..).zip(self.makers.drain(..));
        let mut all: Vec<_> = both.zip(intervals).collect();
        all.sort_by_key(|((version, _), interval)| (interval.begins, version.writer));
        ((order.versions, self.makers), order.intervals) = all.into_iter().unzip();
        order.places = places(order.versions.iter().map(|version| version.value));
    }

    fn note_made(&mut self, order: &KeyOrder) {
        for (index, (maker, version)) in self.makers.iter().zip(&order.versions).enumerate() {
            let Some(write) = maker else { continue };
            let rank = self.made[write.number as usize].get_or_insert(Rank::at_index(index));
            // Of several installs of one write, the one it was acknowledged at is what its client was told.
            if write.position() != Position::ZERO && write.position() == version.position {
                *rank = Rank::at_index(index);
            }
        }
    }
}

impl Write<'_> {
    /// Where it was acknowledged to be; zero if that is not known.
    fn position(&self) -> Position {
        self.part.of.position
    }

    /// Whether it, rather than another that stands before it, made the version of their value at `position`.
    fn is_nearer(&self, position: Position, other: &Write) -> bool {
        other.position() != position && (self.position() == position || self.position() < other.position())
    }
}

impl KeyOrder {
    fn note_changes<'a>(&mut self, writes: impl Iterator<Item = Write<'a>>) {
        let mut kinds = BTreeSet::new();
        for write in writes {
            kinds.extend(write.change.kind());
            match write.change {
                Change::Insert(_) => self.grows_anywhere = true,
                Change::Remove(element) => self.removed.push((element, write.part.of.invoked)),
                Change::Put(_) | Change::MakeUp | Change::Count(_) | Change::Grow(_) | Change::Append(_) => {}
                Change::Erase | Change::Trim => {}
            }
        }
        self.mixes_kinds = kinds.len() > 1;
        self.mixes_elements = kinds.contains(&Kind::Set) && kinds.contains(&Kind::List);
        self.removed.sort_unstable();
    }

    /// By time: the latest version, among those that can have been seen by then, of those that count.
    fn latest_by_time(&self, counts: impl Fn(&Version, usize) -> bool) -> Vec<(SimTime, Rank)> {
        let counted = self.versions.iter().enumerate().filter(|(index, version)| counts(version, *index));
        let mut latest: Vec<_> = counted.map(|(index, version)| (version.at, Rank::at_index(index))).collect();
        latest.sort_unstable();
        for next in 1..latest.len() {
            let (before, here) = (latest[next - 1].1, latest[next].1);
            latest[next].1 = self.later(before, here);
        }
        latest
    }

    /// By time: the latest version, among those that can have been seen by then, that older elements of a datum of this
    /// kind do not outlive, or may not.
    pub(super) fn sweeps_by_time(&self, kind: Kind) -> Vec<(SimTime, Rank)> {
        self.latest_by_time(|version, index| {
            version.clearing != Clearing::Never || (self.mixes_elements && self.replaces(index, kind))
        })
    }

    /// Whether the version at `index` put a set in a list's place, or a list in a set's; where no one log tells, whether it
    /// put another kind in the place of one of this kind, if that was there.
    fn replaces(&self, index: usize, kind: Kind) -> bool {
        let replaced = match self.basis {
            // Of a version of no known kind nothing is left in any case.
            Basis::Log => index.checked_sub(1).and_then(|before| self.versions[before].kind),
            Basis::RealTime => Some(kind),
        };
        replaced.is_some_and(|kind| self.versions[index].kind != Some(kind))
    }

    /// The one that fewer versions are certainly newer than.
    fn later(&self, a: Rank, b: Rank) -> Rank {
        match self.basis {
            Basis::Log => a.max(b),
            Basis::RealTime if self.interval(a).ends > self.interval(b).ends => a,
            Basis::RealTime => b,
        }
    }
}

impl Version {
    fn installed(install: &Install, write: Option<&Write>) -> Self {
        Version {
            value: install.made.value(),
            position: install.position,
            at: install.at,
            writer: write.map(|write| write.part.operation),
            session: write.map(|write| write.part.of.session),
            invoked: write.map_or(SimTime::ZERO, |write| write.part.of.invoked),
            acknowledged: write.map_or(SimTime::NEVER, |write| write.part.acknowledged()),
            may_leave_nothing: install.made == Made::Nothing,
            kind: install.made.kind().or(write.and_then(|write| write.change.kind())),
            clearing: match install.made {
                Made::Nothing | Made::Sum => Clearing::Certainly,
                Made::Without(_) => Clearing::Never,
                Made::Shorter => Clearing::Perhaps,
                Made::Value(_) => write.map_or(Clearing::Perhaps, |write| write.change.clearing()),
            },
        }
    }

    fn written(write: &Write) -> Self {
        Version {
            value: write.change.value(),
            position: write.position(),
            at: write.part.of.invoked,
            writer: Some(write.part.operation),
            session: Some(write.part.of.session),
            invoked: write.part.of.invoked,
            acknowledged: write.part.acknowledged(),
            may_leave_nothing: write.change == Change::Erase,
            kind: write.change.kind(),
            clearing: write.change.clearing(),
        }
    }
}

impl Made {
    /// What the key is after it, if that is certain and not nothing.
    fn kind(self) -> Option<Kind> {
        match self {
            Made::Sum => Some(Kind::Counter),
            Made::Without(_) => Some(Kind::Set),
            Made::Shorter => Some(Kind::List),
            Made::Value(_) | Made::Nothing => None,
        }
    }
}

/// The rank of each version that a value names, by value and rank, from the values of all versions in their order.
fn places(values: impl ExactSizeIterator<Item = Option<Value>>) -> Vec<(Value, Rank)> {
    let mut places = Vec::with_capacity(values.len());
    places.extend(values.enumerate().filter_map(|(index, value)| Some((value?, Rank::at_index(index)))));
    // Stable: the ranks of one value ascend.
    places.sort_by_key(|(value, _)| *value);
    places
}
