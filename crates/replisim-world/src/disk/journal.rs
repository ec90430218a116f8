//! What a process keeps on disk: an append-only journal and one control record.
//!
//! ```text
//!   start            durable                end
//!     │  on the platter  │  in the page cache  │
//! ```
//!
//! Append writes to the page cache, which outlives the process but not the host. A completed sync moves `durable` up.
//! The control record stands for the one small file that a system replaces as a whole (write, sync, rename).

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
    /// Whether the control record was replaced since the last sync.
    control_replaced: bool,
    /// Positions that fail their checksum: torn by a crash, or rotten.
    damaged: BTreeSet<u64>,
    /// Bytes of all records that are kept, and of those appended since the last sync began.
    bytes: u64,
    unsynced_bytes: u64,
}

impl<R: Payload> Journal<R> {
    /// An empty disk.
    pub(crate) fn new() -> Self {
        Journal {
            records: Tape::new(),
            durable: 0,
            control: None,
            durable_control: None,
            control_replaced: false,
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
        self.control_replaced = true;
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
        self.damaged.split_off(&from);
    }

    /// A sync that began when the journal ended at `upto` has reached the platter.
    pub(crate) fn harden(&mut self, upto: u64) {
        self.durable = self.durable.max(upto.min(self.end()));
        if std::mem::take(&mut self.control_replaced) {
            self.durable_control.clone_from(&self.control);
        }
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
        self.control_replaced = false;
        lost
    }

    /// The record at `position` no longer passes its checksum.
    pub(crate) fn rot(&mut self, position: u64) {
        if (self.start()..self.end()).contains(&position) {
            self.damaged.insert(position);
        }
    }

    /// Everything is gone.
    pub(crate) fn wipe(&mut self) {
        *self = Journal::new();
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

    fn journal(records: u32, synced: u64) -> Journal<u32> {
        let mut journal = Journal::new();
        for record in 0..records {
            journal.append(record);
        }
        journal.harden(synced);
        journal
    }

    #[test]
    fn power_loss_takes_what_was_not_synced() {
        let mut journal = journal(5, 3);
        assert_eq!(journal.lose_power(0, false), 2);
        assert_eq!(journal.iter_from(0).map(|(_, r)| *r).collect::<Vec<_>>(), [0, 1, 2]);
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
        journal.harden(1);
        journal.lose_power(0, false);
        assert_eq!(journal.control(), Some(&8));
    }
}
