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
//!   A quorum system has no log, but its versions carry tags that any coordinator can choose. They order a key like a log
//!   where all replicas are alike and the tags keep their word: one epoch, no position twice, and no write that began after another was acknowledged
//!   has the lower position.
//!
//! - **[`Basis::RealTime`]**: nobody was in charge, or several were. Then a version is newer than another if its write
//!   was invoked after the other's was acknowledged, and of two concurrent ones nothing is said. A checker that would
//!   need to know says `unknown`.
//!
//! A key's order is the log's unless one of these shows that no single log ordered it: it has no installs; two nodes
//! installed it within one epoch; several nodes installed it and several replicas lead at the end; or the versions that
//! survive were not installed in the order of their positions, so that the epochs ran side by side.

use std::cmp::Ordering;

use replisim_kernel::{SimTime, Table};

use super::deed::{Change, Deed, deeds};
use crate::{Final, History, Install, Key, Position, Value};

/// A version's place among the versions of its key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank(pub u32);

/// A key's place among the keys of a history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Slot(pub u32);

/// On what ground the versions of a key are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Basis {
    /// By their positions in the log.
    Log,
    /// By which write ended before which other began.
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
    /// When its write was invoked; the beginning of all if the write is not in the history.
    pub invoked: SimTime,
    /// When its write was acknowledged, or never.
    pub acknowledged: SimTime,
    /// Whether a reader may find nothing after it.
    leaves_nothing: bool,
    /// Whether no element of a set, list or text outlives it, or that is not known.
    sweeps: bool,
}

/// The versions of one key in order.
#[derive(Debug)]
pub(super) struct KeyOrder {
    /// The key.
    pub key: Key,
    /// The ground of the order.
    pub basis: Basis,
    /// The version of rank `r` stands at `r - 1`. On the ground of real time they stand in order of invocation.
    pub versions: Vec<Version>,
    /// Elements that were, or may have been, removed one by one; ascending.
    pub removed: Vec<Value>,
    /// Whether the whole key, or an element that the history does not name, may have been deleted.
    pub erased: bool,
    /// Whether it is a text, whose newest element can stand anywhere.
    pub grows_anywhere: bool,
    /// The latest version that no older element outlives: a deletion, or a register or counter in a set's place.
    pub swept: Rank,
    /// The first and the last rank of each value, by value. They differ if a retry was installed twice.
    places: Vec<(Value, Rank, Rank)>,
    /// By time: the latest version, among those that can have been seen by then, that leaves nothing.
    absences: Vec<(SimTime, Rank)>,
}

/// The order of the versions of every key.
pub(super) struct Order {
    slots: Table<u32>,
    keys: Vec<KeyOrder>,
    /// The rank of what each write made, by the write's number: how many writes stand before it in the history.
    made: Vec<Option<Rank>>,
}

/// One write that may have happened.
#[derive(Clone, Copy)]
struct Write {
    slot: Slot,
    value: Option<Value>,
    position: Position,
    number: u32,
    operation: u32,
    change: Change,
    invoked: SimTime,
    acknowledged: SimTime,
}

/// Who had the last word on the order of writes.
struct Authority<'a> {
    leading: Vec<&'a Final>,
    /// Whether all replicas are alike: nobody leads, or everybody.
    all_lead: bool,
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

/// Things that each concern one key, grouped by slot.
pub(super) struct BySlot<T> {
    grouped: Vec<T>,
    /// Where each slot's things begin, and the end of the last.
    begins: Vec<u32>,
}

/// Groups `things` by slot. Those of one slot keep their order.
pub(super) fn by_slot<T: Copy>(things: &[T], slots: usize, slot_of: impl Fn(&T) -> Slot) -> BySlot<T> {
    let mut begins = vec![0u32; slots + 1];
    things.iter().for_each(|thing| begins[slot_of(thing).index() + 1] += 1);
    for slot in 0..slots {
        begins[slot + 1] += begins[slot];
    }
    let (mut grouped, mut next) = (things.to_vec(), begins.clone());
    for thing in things {
        let place = &mut next[slot_of(thing).index()];
        grouped[*place as usize] = *thing;
        *place += 1;
    }
    BySlot { grouped, begins }
}

impl<T> BySlot<T> {
    /// What concerns the key at `slot`.
    pub(super) fn of(&mut self, slot: Slot) -> &mut [T] {
        let (begin, end) = (self.begins[slot.index()], self.begins[slot.index() + 1]);
        &mut self.grouped[begin as usize..end as usize]
    }
}

impl Slot {
    /// As an index into a vector with one entry a key.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Order {
    /// Orders the versions of every key of `history`, in O(n log n).
    pub(super) fn of(history: &History) -> Order {
        let mut order = Order { slots: Table::new(), keys: Vec::new(), made: Vec::new() };
        let (writes, installs) = (order.collect_writes(history), order.collect_installs(history));
        order.made = vec![None; writes.len()];
        let mut writes = by_slot(&writes, order.len(), |write| write.slot);
        let mut installs = by_slot(&installs, order.len(), |(slot, _)| *slot);
        let authority = Authority::of(history);
        for (slot, key) in (0..).map(Slot).zip(&mut order.keys) {
            let (writes, installs) = (writes.of(slot), installs.of(slot));
            writes.sort_unstable_by_key(|write| (write.value, write.position, write.number));
            // Stable: the versions that one transaction made of one key share a position and stay in order.
            installs.sort_by_key(|(_, install)| install.position);
            key.arrange(writes, installs, &authority, &mut order.made);
        }
        order
    }

    /// The slot of `key`, which must occur in the history.
    pub(super) fn slot(&self, key: Key) -> Slot {
        Slot(*self.slots.get(key.0).expect("every key of the history has a slot"))
    }

    /// The versions of the key at `slot`.
    pub(super) fn key(&self, slot: Slot) -> &KeyOrder {
        &self.keys[slot.index()]
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether of any two versions of a key it is known which is newer.
    pub(super) fn is_total(&self) -> bool {
        self.keys.iter().all(|key| key.basis == Basis::Log || key.versions.len() < 2)
    }

    /// The rank of what the write of this number made; `None` if it was never installed in a key that a log orders.
    pub(super) fn made(&self, number: u32) -> Option<Rank> {
        self.made[number as usize]
    }

    fn intern(&mut self, key: Key) -> Slot {
        if let Some(&slot) = self.slots.get(key.0) {
            return Slot(slot);
        }
        let slot = self.keys.len() as u32;
        self.slots.insert(key.0, slot);
        self.keys.push(KeyOrder::empty(key));
        Slot(slot)
    }

    fn collect_writes(&mut self, history: &History) -> Vec<Write> {
        let mut writes = Vec::with_capacity(history.operations.len());
        for (operation, it) in (0..).zip(history.operations.iter()) {
            for (_, key, deed) in deeds(it) {
                let slot = self.intern(key);
                let Deed::Wrote(change) = deed else { continue };
                writes.push(Write {
                    slot,
                    value: change.value(),
                    position: it.position,
                    number: writes.len() as u32,
                    operation,
                    change,
                    invoked: it.invoked,
                    acknowledged: if it.outcome.is_ok() { it.completed } else { SimTime::NEVER },
                });
            }
        }
        writes
    }

    fn collect_installs<'a>(&mut self, history: &'a History) -> Vec<(Slot, &'a Install)> {
        let mut installs = Vec::with_capacity(history.installs.len());
        installs.extend(history.installs.iter().map(|install| (self.intern(install.key), install)));
        installs
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
        let acknowledged = self.version(rank).acknowledged;
        Rank::at_index(self.versions.partition_point(|version| version.invoked <= acknowledged))
    }

    /// The version of a rank.
    ///
    /// # Panics
    /// If it is the initial one, which nobody wrote.
    pub(super) fn version(&self, rank: Rank) -> &Version {
        &self.versions[rank.index()]
    }

    /// The first and the last rank at which `value` was installed.
    pub(super) fn place(&self, value: Value) -> Option<(Rank, Rank)> {
        let found = self.places.binary_search_by_key(&value, |place| place.0).ok()?;
        let (_, first, last) = self.places[found];
        Some((first, last))
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

    fn precedes(&self, a: Rank, b: Rank) -> bool {
        self.version(a).acknowledged < self.version(b).invoked
    }

    fn empty(key: Key) -> Self {
        KeyOrder {
            key,
            basis: Basis::RealTime,
            versions: Vec::new(),
            removed: Vec::new(),
            erased: false,
            grows_anywhere: false,
            swept: Rank::INITIAL,
            places: Vec::new(),
            absences: Vec::new(),
        }
    }

    /// Fills in everything from the key's writes, sorted by value, and its installs, sorted by position.
    fn arrange(
        &mut self,
        writes: &[Write],
        installs: &[(Slot, &Install)],
        authority: &Authority,
        made: &mut [Option<Rank>],
    ) {
        self.note_changes(writes);
        self.basis = authority.basis(writes, installs);
        let mut makers = self.version_installs(writes, installs);
        if self.basis == Basis::RealTime {
            self.add_uninstalled(writes, &mut makers);
            self.sort_by_invocation(&mut makers);
        }
        self.index_values();
        self.index_absences();
        for (index, maker) in makers.into_iter().enumerate() {
            let Some(write) = maker.map(|maker| &writes[maker]) else { continue };
            let rank = made[write.number as usize].get_or_insert(Rank::at_index(index));
            // Of several installs of one write, the one it was acknowledged at is what its client was told.
            if write.position != Position::ZERO && write.position == self.versions[index].position {
                *rank = Rank::at_index(index);
            }
        }
    }

    fn note_changes(&mut self, writes: &[Write]) {
        let any = |is: fn(Change) -> bool| writes.iter().any(|write| is(write.change));
        // What is written to one key as if it were of another kind replaces it.
        let registers = any(|change| matches!(change, Change::Put(_)));
        let counters = any(|change| matches!(change, Change::Count(_)));
        let collections = any(|change| matches!(change, Change::Grow(_) | Change::Insert(_) | Change::Remove(_)));
        let mixed = u8::from(registers) + u8::from(counters) + u8::from(collections) > 1;
        self.grows_anywhere = any(|change| matches!(change, Change::Insert(_)));
        self.erased = mixed || any(Change::may_leave_nothing);
        self.removed = writes.iter().filter_map(|write| removed(write.change)).collect();
        self.removed.sort_unstable();
    }

    /// One version for each install. Returns, for each, which of `writes` made it.
    fn version_installs(&mut self, writes: &[Write], installs: &[(Slot, &Install)]) -> Vec<Option<usize>> {
        let mut makers = Vec::with_capacity(installs.len());
        self.versions.reserve_exact(installs.len());
        for (_, install) in installs {
            let maker = find_write(writes, install);
            self.versions.push(Version::installed(install, maker.map(|maker| &writes[maker])));
            makers.push(maker);
        }
        makers
    }

    /// Adds a version for each write that was not installed, for keys that no log orders.
    fn add_uninstalled(&mut self, writes: &[Write], makers: &mut Vec<Option<usize>>) {
        let mut installed = vec![false; writes.len()];
        makers.iter().flatten().for_each(|&maker| installed[maker] = true);
        for (maker, write) in writes.iter().enumerate() {
            if !installed[maker] {
                self.versions.push(Version::written(write));
                makers.push(Some(maker));
            }
        }
    }

    fn sort_by_invocation(&mut self, makers: &mut Vec<Option<usize>>) {
        let versions = std::mem::take(&mut self.versions);
        let mut both: Vec<_> = versions.into_iter().zip(std::mem::take(makers)).collect();
        both.sort_by_key(|(version, _)| (version.invoked, version.writer));
        (self.versions, *makers) = both.into_iter().unzip();
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
            writer: write.map(|write| write.operation),
            invoked: write.map_or(SimTime::ZERO, |write| write.invoked),
            acknowledged: write.map_or(SimTime::NEVER, |write| write.acknowledged),
            leaves_nothing: install.value.is_none() && write.is_none_or(|write| write.change.may_leave_nothing()),
            sweeps: write.is_none_or(|write| write.change.sweeps()),
        }
    }

    fn written(write: &Write) -> Self {
        Version {
            value: write.value,
            position: write.position,
            at: write.invoked,
            writer: Some(write.operation),
            invoked: write.invoked,
            acknowledged: write.acknowledged,
            leaves_nothing: write.change.may_leave_nothing(),
            sweeps: write.change.sweeps(),
        }
    }
}

impl<'a> Authority<'a> {
    fn of(history: &'a History) -> Self {
        let leading: Vec<&Final> = history.finals.iter().filter(|replica| replica.leads).collect();
        Authority { all_lead: leading.len() > 1 && leading.len() == history.finals.len(), leading }
    }

    /// Whether one log, or tags, ordered these installs of one key, which are sorted by position.
    fn basis(&self, writes: &[Write], installs: &[(Slot, &Install)]) -> Basis {
        let ordered = self.one_log(installs) || (self.all_lead && are_tagged(writes, installs));
        if ordered { Basis::Log } else { Basis::RealTime }
    }

    fn one_log(&self, installs: &[(Slot, &Install)]) -> bool {
        let Some((_, first)) = installs.first() else { return false };
        let one_node = installs.iter().all(|(_, install)| install.node == first.node);
        let one_per_epoch = installs.windows(2).all(|pair| {
            let (before, after) = (pair[0].1, pair[1].1);
            before.position.epoch != after.position.epoch || before.node == after.node
        });
        let shared = !one_node && self.leading.len() > 1;
        one_per_epoch && !shared && self.in_order_of_time(installs)
    }

    /// Whether the installs that survive were made in the order of their positions.
    fn in_order_of_time(&self, installs: &[(Slot, &Install)]) -> bool {
        let [only] = self.leading[..] else { return true };
        let surviving = installs.iter().filter(|(_, install)| only.lineage.contains(install.position));
        surviving.map(|(_, install)| install.at).is_sorted()
    }
}

/// Whether several nodes ordered these installs of one key, sorted by position, by tags that agree with real time.
fn are_tagged(writes: &[Write], installs: &[(Slot, &Install)]) -> bool {
    let mut latest_invocation = SimTime::ZERO;
    let mut agrees = |install: &Install| {
        let Some(write) = find_write(writes, install).map(|maker| &writes[maker]) else { return false };
        let in_time = write.acknowledged >= latest_invocation;
        latest_invocation = latest_invocation.max(write.invoked);
        in_time
    };
    let by_several = installs.windows(2).any(|pair| pair[0].1.node != pair[1].1.node);
    let distinct = installs.windows(2).all(|pair| {
        let (before, after) = (pair[0].1.position, pair[1].1.position);
        before.epoch == after.epoch && before != after
    });
    by_several && distinct && installs.iter().all(|(_, install)| agrees(install))
}

fn removed(change: Change) -> Option<Value> {
    match change {
        Change::Remove(element) => Some(element),
        Change::Put(_) | Change::Grow(_) | Change::Insert(_) | Change::Erase | Change::Count(_) | Change::Unnamed => {
            None
        }
    }
}

/// Which of a key's writes, sorted by value and position, made what was installed: the one of its value, and among
/// several the one of its position.
fn find_write(writes: &[Write], install: &Install) -> Option<usize> {
    let from = writes.partition_point(|write| (write.value, write.position) < (install.value, install.position));
    let exact = writes.get(from).filter(|write| (write.value, write.position) == (install.value, install.position));
    if exact.is_some() {
        return Some(from);
    }
    // A position tells which deletion this is; without one only a value can.
    install.value?;
    let first = writes.partition_point(|write| write.value < install.value);
    (writes.get(first)?.value == install.value).then_some(first)
}
