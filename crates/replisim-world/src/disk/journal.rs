//! What a process keeps on disk: an append-only journal and one control record.
//!
//! ```text
//!   start            durable                end
//!     │  on the platter  │  in the page cache  │
//! ```
//!
//! Append writes to the page cache, which outlives the process but not the host. A completed sync moves `durable` up to
//! where the journal ended when the sync began: what was written while it was under way waits for the next one. The control
//! record stands for the one small file that a system replaces as a whole (write, sync, rename).

use std::collections::BTreeSet;

use replisim_kernel::Tape;

use crate::process::Payload;

/// A process's disk, as the process sees it.
#[derive(Clone, Debug)]
pub struct Journal<R: Clone> {
    records: Tape<R>,
    durable: u64,
    control: Option<R>,
    durable_control: Option<R>,
    /// The first sync that covers the control record, until the disk says that such a one is done.
    control_awaits: Option<u64>,
    /// The syncs under way, in the order they began: one of the process that lives, and those of its earlier lives.
    under_way: Vec<Sync<R>>,
    /// How many syncs have begun, which numbers the next one.
    syncs: u64,
    /// Positions that fail their checksum: torn by a crash, or rotten.
    damaged: BTreeSet<u64>,
    /// Bytes of all records that are kept, and of those appended since the last sync began.
    bytes: u64,
    unsynced_bytes: u64,
}

/// A sync under way: what will be durable when it is done.
#[derive(Clone, Debug)]
struct Sync<R> {
    number: u64,
    /// The first position that it does not cover.
    upto: u64,
    control: Option<R>,
}

impl<R: Payload> Journal<R> {
    /// An empty disk.
    pub(crate) fn new() -> Self {
        Journal {
            records: Tape::new(),
            durable: 0,
            control: None,
            durable_control: None,
            control_awaits: None,
            under_way: Vec::new(),
            syncs: 0,
            damaged: BTreeSet::new(),
            bytes: 0,
            unsynced_bytes: 0,
        }
    }

    /// The oldest position that is kept.
    pub fn start(&self) -> u64 {
        self.records.start()
    }

    /// The position that the next record will have.
    pub fn end(&self) -> u64 {
        self.records.end()
    }

    /// The first position that a loss of power may take.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// The record at `position`; `None` if it is not kept or fails its checksum.
    pub fn get(&self, position: u64) -> Option<&R> {
        match self.is_damaged(position) {
            true => None,
            false => self.records.get(position),
        }
    }

    /// Whether a record is kept at `position` but fails its checksum.
    fn is_damaged(&self, position: u64) -> bool {
        !self.damaged.is_empty() && self.damaged.contains(&position)
    }

    /// The readable records from `from` on with their positions, up to the first damaged one.
    pub fn iter_from(&self, from: u64) -> impl Iterator<Item = (u64, &R)> {
        (from.max(self.start())..self.end()).map_while(|position| Some((position, self.get(position)?)))
    }

    /// The first position at or after `start` for which `before` no longer holds; records must be sorted by it.
    pub fn partition_point(&self, before: impl FnMut(&R) -> bool) -> u64 {
        self.records.partition_point(before)
    }

    /// The control record.
    pub fn control(&self) -> Option<&R> {
        self.control.as_ref()
    }

    /// Whether the disk has said that the control record is durable as it is. A disk that lies says so too.
    pub fn control_is_synced(&self) -> bool {
        self.control_awaits.is_none()
    }

    /// Bytes of all records that are kept.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that a sync beginning now has to write.
    pub(crate) fn take_unsynced_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.unsynced_bytes)
    }

    pub(crate) fn append(&mut self, record: R) -> u64 {
        let bytes = u64::from(record.bytes());
        self.bytes += bytes;
        self.unsynced_bytes += bytes;
        self.records.push(record)
    }

    pub(crate) fn write_control(&mut self, record: R) {
        self.control = Some(record);
        self.control_awaits = Some(self.syncs);
    }

    pub(crate) fn cut_front(&mut self, before: u64) {
        self.bytes -= self.bytes_between(self.start(), before);
        self.records.cut_front(before);
        self.durable = self.durable.max(self.start());
        self.damaged = self.damaged.split_off(&before);
    }

    pub(crate) fn cut_back(&mut self, from: u64) {
        self.bytes -= self.bytes_between(from, self.end());
        self.records.cut_back(from);
        self.durable = self.durable.min(self.end());
        // What comes to stand at these positions was not there when the syncs under way began.
        for sync in &mut self.under_way {
            sync.upto = sync.upto.min(from);
        }
        self.damaged.split_off(&from);
    }

    /// A sync begins: it covers all that is here now. Returns the number that it goes by.
    pub(crate) fn begin_sync(&mut self) -> u64 {
        let number = self.syncs;
        self.syncs += 1;
        self.under_way.push(Sync { number, upto: self.end(), control: self.control.clone() });
        number
    }

    /// Whether a sync is still to be done. It is not if the power was lost since, or if a later sync was done before it.
    pub(crate) fn is_under_way(&self, number: u64) -> bool {
        self.under_way.iter().any(|sync| sync.number == number)
    }

    /// A sync is done. What it covers is on the platter, unless the disk `lied`. Returns the first position that it does
    /// not cover; `None` if it was no longer under way.
    pub(crate) fn end_sync(&mut self, number: u64, lied: bool) -> Option<u64> {
        let at = self.under_way.iter().position(|sync| sync.number == number)?;
        let sync = self.under_way.remove(at);
        self.control_awaits.take_if(|first| *first <= number);
        if !lied {
            // Those that began before have nothing left to do.
            self.under_way.drain(..at);
            self.durable = self.durable.max(sync.upto);
            self.durable_control = sync.control;
        }
        Some(sync.upto)
    }

    /// The host lost power: of what was not durable the first `kept` records remain, the next one torn if `torn`.
    /// Returns how many records were lost.
    pub(crate) fn lose_power(&mut self, kept: u64, torn: bool) -> u64 {
        let survivor = (self.durable + kept).min(self.end());
        let lost = self.end() - survivor;
        let torn = torn && lost > 0;
        self.cut_back(survivor + u64::from(torn));
        if torn {
            self.damaged.insert(survivor);
        }
        self.durable = self.end();
        self.control.clone_from(&self.durable_control);
        self.control_awaits = None;
        self.under_way.clear();
        lost
    }

    /// The host lost power, but all had reached the platter. Returns how many records were lost: none.
    pub(crate) fn lose_power_after_sync(&mut self) -> u64 {
        self.durable = self.end();
        self.durable_control.clone_from(&self.control);
        self.lose_power(0, false)
    }

    /// A record no longer passes its checksum: that at `position`, or else the next one that did until now, from the start
    /// on behind the end.
    pub(crate) fn rot(&mut self, position: u64) {
        let mut all = (position..self.end()).chain(self.start()..position);
        let next = all.find(|position| !self.is_damaged(*position));
        self.damaged.extend(next);
    }

    /// Everything is gone, and with it what was on its way to the platter.
    pub(crate) fn wipe(&mut self) {
        self.put_back(Journal::new());
    }

    /// The disk is as it was at some time before. What was on its way to the platter, then or now, never arrives.
    pub(crate) fn put_back(&mut self, snapshot: Journal<R>) {
        *self = Journal { under_way: Vec::new(), syncs: self.syncs, ..snapshot };
    }

    fn bytes_between(&self, from: u64, to: u64) -> u64 {
        self.records.range(from, to).map(|record| u64::from(record.bytes())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Payload for u32 {
        fn bytes(&self) -> u32 {
            4
        }
    }

    fn append(journal: &mut Journal<u32>, records: std::ops::Range<u32>) {
        for record in records {
            journal.append(record);
        }
    }

    fn sync(journal: &mut Journal<u32>) {
        let sync = journal.begin_sync();
        journal.end_sync(sync, false);
    }

    fn records(journal: &Journal<u32>) -> Vec<u32> {
        journal.iter_from(0).map(|(_, record)| *record).collect()
    }

    /// So many records, of which the first ones are synced.
    fn journal(records: u32, synced: u32) -> Journal<u32> {
        let mut journal = Journal::new();
        append(&mut journal, 0..synced);
        sync(&mut journal);
        append(&mut journal, synced..records);
        journal
    }

    #[test]
    fn power_loss_takes_what_was_not_synced() {
        let mut journal = journal(5, 3);
        assert_eq!(journal.lose_power(0, false), 2);
        assert_eq!(records(&journal), [0, 1, 2]);
        assert_eq!(journal.end(), 3);
    }

    #[test]
    fn a_torn_record_is_there_but_unreadable() {
        let mut journal = journal(5, 3);
        assert_eq!(journal.lose_power(1, true), 1);
        assert_eq!((journal.end(), journal.get(3), journal.get(4)), (5, Some(&3), None));
        assert!(journal.is_damaged(4));
        assert_eq!(journal.iter_from(0).count(), 4);
        journal.cut_back(4);
        assert!(!journal.is_damaged(4));
    }

    #[test]
    fn the_control_record_is_durable_with_the_next_sync() {
        let mut journal = journal(1, 1);
        journal.write_control(7);
        assert_eq!(journal.control(), Some(&7));
        journal.lose_power(0, false);
        assert_eq!(journal.control(), None);
        journal.write_control(8);
        sync(&mut journal);
        journal.lose_power(0, false);
        assert_eq!(journal.control(), Some(&8));
    }

    #[test]
    fn a_power_loss_that_spares_all_spares_the_control_record() {
        let mut journal = journal(5, 3);
        journal.write_control(7);
        assert_eq!(journal.lose_power_after_sync(), 0);
        assert_eq!((records(&journal).len(), journal.control()), (5, Some(&7)));
        journal.lose_power(0, false);
        assert_eq!((records(&journal).len(), journal.control()), (5, Some(&7)), "it is on the platter");
    }

    #[test]
    fn so_many_records_rot_as_are_struck() {
        let mut journal = journal(5, 5);
        for struck in 1..=7 {
            journal.rot(3);
            let rotten: Vec<u64> = (0..5).filter(|position| journal.is_damaged(*position)).collect();
            assert_eq!(rotten.len(), struck.min(5), "{rotten:?}");
        }
    }

    #[test]
    fn what_is_written_during_a_sync_waits_for_the_next() {
        let mut journal = journal(2, 1);
        let first = journal.begin_sync();
        append(&mut journal, 2..3);
        journal.write_control(7);
        assert_eq!(journal.end_sync(first, false), Some(2));
        assert!(!journal.control_is_synced());
        let mut unlucky = journal.clone();
        assert_eq!(unlucky.lose_power(0, false), 1);
        assert_eq!((records(&unlucky), unlucky.control()), (vec![0, 1], None));
        sync(&mut journal);
        assert!(journal.control_is_synced());
        journal.lose_power(0, false);
        assert_eq!((records(&journal), journal.control()), (vec![0, 1, 2], Some(&7)));
    }

    #[test]
    fn what_takes_the_place_of_dropped_records_during_a_sync_waits_for_the_next() {
        let mut journal = journal(5, 0);
        let sync = journal.begin_sync();
        journal.cut_back(2);
        append(&mut journal, 10..13);
        assert_eq!(journal.end_sync(sync, false), Some(2));
        assert_eq!(journal.lose_power(0, false), 3);
        assert_eq!(records(&journal), [0, 1]);
    }

    #[test]
    fn a_sync_of_a_disk_that_was_wiped_or_put_back_is_void() {
        for put_back in [Journal::wipe, |disk: &mut Journal<u32>| disk.put_back(journal(1, 1))] {
            let mut journal = journal(1, 1);
            append(&mut journal, 1..9);
            let sync = journal.begin_sync();
            put_back(&mut journal);
            append(&mut journal, 20..24);
            assert_eq!(journal.end_sync(sync, false), None);
            assert_eq!(journal.lose_power(0, false), 4);
        }
    }

    #[test]
    fn a_sync_of_an_earlier_life_does_not_bring_its_control_record_back() {
        let mut journal = journal(1, 0);
        journal.write_control(1);
        let earlier = journal.begin_sync();
        journal.write_control(2);
        sync(&mut journal);
        assert!(!journal.is_under_way(earlier));
        assert_eq!(journal.end_sync(earlier, false), None);
        journal.lose_power(0, false);
        assert_eq!(journal.control(), Some(&2));
    }

    #[test]
    fn a_disk_that_lies_says_that_it_is_done() {
        let mut journal = journal(1, 0);
        journal.write_control(1);
        let sync = journal.begin_sync();
        assert_eq!(journal.end_sync(sync, true), Some(1));
        assert!(journal.control_is_synced());
        assert_eq!(journal.lose_power(0, false), 1);
        assert_eq!(journal.control(), None);
    }
}
