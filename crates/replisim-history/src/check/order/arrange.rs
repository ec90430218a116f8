//! Puts the versions of each key in order, from its writes and its installs.

use replisim_kernel::SimTime;

use super::authority::Authority;
use super::{Basis, KeyOrder, Rank, Version};
use crate::check::deed::{Change, Part};
use crate::check::keys::{Groups, Keys, Slot};
use crate::{History, Install, Key, Position, Value};

/// One write that may have happened.
pub(super) struct Write<'a> {
    /// The part of an operation that made it.
    pub part: &'a Part<'a>,
    /// How many parts stand before it in the history.
    pub number: u32,
    /// How it changes the key.
    pub change: Change,
    /// The value that names its version, if one does.
    pub value: Option<Value>,
    /// Where it was acknowledged to be; zero if that is not known.
    pub position: Position,
}

/// Arranges one key after another. What it gathers of a key lies in room that the next key uses again.
pub(super) struct Arranger<'a> {
    parts: &'a [Part<'a>],
    all_installs: Vec<&'a Install>,
    writes_by_slot: Groups,
    installs_by_slot: Groups,
    authority: Authority<'a>,
    /// For each part of the history the rank of the version that it made.
    pub made: Vec<Option<Rank>>,
    /// The key's writes, sorted by value and position.
    writes: Vec<Write<'a>>,
    /// The key's installs, sorted by position.
    installs: Vec<&'a Install>,
    /// For each of the key's versions, which of its writes made it.
    makers: Vec<Option<usize>>,
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
        let written = |part: usize| parts[part].change().map(|_| parts[part].slot.index());
        Arranger {
            parts,
            writes_by_slot: Groups::of(parts.len(), keys.all().len(), written),
            installs_by_slot: Groups::of(slots.len(), keys.all().len(), |install| Some(slots[install].index())),
            all_installs,
            authority: Authority::of(history),
            made: vec![None; parts.len()],
            writes: Vec::new(),
            installs: Vec::new(),
            makers: Vec::new(),
        }
    }

    /// Puts the versions of `key`, which is the one at `slot`, in order.
    pub(super) fn arrange(&mut self, slot: Slot, key: Key) -> KeyOrder {
        self.gather(slot);
        let mut order = KeyOrder::empty(key);
        order.note_changes(&self.writes);
        order.basis = self.authority.basis(&self.writes, &self.installs);
        self.version_installs(&mut order);
        if order.basis == Basis::RealTime {
            self.add_uninstalled(&mut order);
            self.sort_by_invocation(&mut order);
        }
        order.index_values();
        order.index_absences();
        self.note_made(&order);
        order
    }

    fn gather(&mut self, slot: Slot) {
        let parts = self.parts;
        self.writes.clear();
        self.writes.extend(self.writes_by_slot.group(slot.index()).iter().filter_map(|&number| {
            let part = &parts[number as usize];
            let change = part.change()?;
            Some(Write { part, number, change, value: change.value(), position: part.of.position })
        }));
        self.writes.sort_unstable_by_key(|write| (write.value, write.position, write.number));
        self.installs.clear();
        let installs = self.installs_by_slot.group(slot.index()).iter();
        self.installs.extend(installs.map(|&install| self.all_installs[install as usize]));
        // Stable: the versions that one transaction made of one key share a position and stay in order.
        self.installs.sort_by_key(|install| install.position);
    }

    /// One version for each install.
    fn version_installs(&mut self, order: &mut KeyOrder) {
        self.makers.clear();
        order.versions.reserve_exact(self.installs.len());
        for install in &self.installs {
            let maker = find_write(&self.writes, install);
            order.versions.push(Version::installed(install, maker.map(|maker| &self.writes[maker])));
            self.makers.push(maker);
        }
    }

    /// Adds a version for each write that was not installed, for keys that no log orders.
    fn add_uninstalled(&mut self, order: &mut KeyOrder) {
        let mut installed = vec![false; self.writes.len()];
        self.makers.iter().flatten().for_each(|&maker| installed[maker] = true);
        for (maker, write) in self.writes.iter().enumerate() {
            if !installed[maker] {
                order.versions.push(Version::written(write));
                self.makers.push(Some(maker));
            }
        }
    }

    fn sort_by_invocation(&mut self, order: &mut KeyOrder) {
        let mut both: Vec<_> = order.versions.drain(..).zip(self.makers.drain(..)).collect();
        both.sort_by_key(|(version, _)| (version.invoked, version.writer));
        (order.versions, self.makers) = both.into_iter().unzip();
    }

    fn note_made(&mut self, order: &KeyOrder) {
        for (index, maker) in self.makers.iter().enumerate() {
            let Some(write) = maker.map(|maker| &self.writes[maker]) else { continue };
            let rank = self.made[write.number as usize].get_or_insert(Rank::at_index(index));
            // Of several installs of one write, the one it was acknowledged at is what its client was told.
            if write.position != Position::ZERO && write.position == order.versions[index].position {
                *rank = Rank::at_index(index);
            }
        }
    }
}

impl KeyOrder {
    fn note_changes(&mut self, writes: &[Write]) {
        let (mut registers, mut counters, mut collections) = (false, false, false);
        for write in writes {
            match write.change {
                Change::Put(_) => registers = true,
                Change::Count(_) => counters = true,
                Change::Grow(_) => collections = true,
                Change::Insert(_) => (collections, self.grows_anywhere) = (true, true),
                Change::Remove(element) => {
                    collections = true;
                    self.removed.push(element);
                }
                Change::Erase | Change::Unnamed => {}
            }
            self.erased |= write.change.may_leave_nothing();
        }
        // What is written to one key as if it were of another kind replaces it.
        self.erased |= u8::from(registers) + u8::from(counters) + u8::from(collections) > 1;
        self.removed.sort_unstable();
    }

    fn index_values(&mut self) {
        let named = self.versions.iter().enumerate().filter_map(|(index, version)| Some((version.value?, index)));
        self.places.reserve_exact(self.versions.len());
        self.places.extend(named.map(|(value, index)| (value, Rank::at_index(index), Rank::at_index(index))));
        self.places.sort_unstable();
        self.places.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.2 = later.2;
            }
            same
        });
    }

    fn index_absences(&mut self) {
        let gone = self.versions.iter().enumerate().filter(|(_, version)| version.leaves_nothing);
        let mut absences: Vec<_> = gone.map(|(index, version)| (version.at, Rank::at_index(index))).collect();
        absences.sort_unstable();
        for next in 1..absences.len() {
            let (before, here) = (absences[next - 1].1, absences[next].1);
            absences[next].1 = self.later(before, here);
        }
        self.absences = absences;
        let sweeps = self.versions.iter().enumerate().filter(|(_, version)| version.sweeps);
        let swept = sweeps.map(|(index, _)| Rank::at_index(index)).reduce(|a, b| self.later(a, b));
        self.swept = swept.unwrap_or(Rank::INITIAL);
    }

    /// The one that fewer versions are certainly newer than.
    fn later(&self, a: Rank, b: Rank) -> Rank {
        match self.basis {
            Basis::Log => a.max(b),
            Basis::RealTime if self.version(a).acknowledged > self.version(b).acknowledged => a,
            Basis::RealTime => b,
        }
    }
}

impl Version {
    fn installed(install: &Install, write: Option<&Write>) -> Self {
        Version {
            value: install.value,
            position: install.position,
            at: install.at,
            writer: write.map(|write| write.part.operation),
            invoked: write.map_or(SimTime::ZERO, |write| write.part.of.invoked),
            acknowledged: write.map_or(SimTime::NEVER, |write| write.part.acknowledged()),
            leaves_nothing: install.value.is_none() && write.is_none_or(|write| write.change.may_leave_nothing()),
            sweeps: write.is_none_or(|write| write.change.sweeps()),
        }
    }

    fn written(write: &Write) -> Self {
        Version {
            value: write.value,
            position: write.position,
            at: write.part.of.invoked,
            writer: Some(write.part.operation),
            invoked: write.part.of.invoked,
            acknowledged: write.part.acknowledged(),
            leaves_nothing: write.change.may_leave_nothing(),
            sweeps: write.change.sweeps(),
        }
    }
}

/// Which of a key's writes, sorted by value and position, made what was installed: the one of its value, and among
/// several the one of its position.
pub(super) fn find_write(writes: &[Write], install: &Install) -> Option<usize> {
    // Only a position can tell which deletion this is.
    let Some(value) = install.value else {
        let from = writes.partition_point(|write| write.value.is_none() && write.position < install.position);
        let found = writes.get(from)?;
        return (found.value.is_none() && found.position == install.position).then_some(from);
    };
    let first = writes.partition_point(|write| write.value < Some(value));
    writes.get(first).filter(|write| write.value == Some(value))?;
    let mut of_value = writes[first..].iter().take_while(|write| write.value == Some(value));
    Some(first + of_value.position(|write| write.position == install.position).unwrap_or(0))
}
