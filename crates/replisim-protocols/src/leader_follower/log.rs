//! The log as one server keeps it: what is in memory, what is written, what is durable, and where a place is found.
//!
//! ```text
//!            base                   flushed              written        tip
//!   dropped   │   on the platter       │   page cache        │  memory   │
//!   ──────────┴────────────────────────┴─────────────────────┴───────────┘
//! ```
//!
//! Memory is used only under [`Flush::Buffered`]: entries wait there until a page is full or the log writer's moment
//! has come. That is the whole difference between losing the process and losing nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use replisim_history::{Lineage, Position};
use replisim_world::disk::Journal;
use replisim_world::process::Cx;

use super::node::{Replica, Timer};
use super::profile::Profile;
use super::record::{Entry, Place, Record};
use super::rules::{Extent, Flush, Numbering};

/// What a server knows of its log beside the journal itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// The last record, wherever it is.
    pub tip: Position,
    /// Every record, dropped ones included.
    pub history: Lineage,
    /// The last record that the journal no longer holds.
    pub base: Position,
    /// Entries that are not written yet.
    buffer: VecDeque<Arc<Entry>>,
    /// The first offset that is not durable.
    pub flushed: u64,
    /// The last record that is durable.
    pub flushed_tip: Position,
    /// Commits since the last sync, under [`Flush::EveryNth`].
    unsynced: u32,
}

impl Log {
    /// A log that begins after what `history` consists of: of a server that was born, or copied from another.
    pub fn after(history: Lineage, flushed: u64) -> Self {
        let tip = history.last();
        Log { tip, history, base: tip, flushed, flushed_tip: tip, ..Log::default() }
    }

    /// The log found on disk: `history` up to some checkpoint and the entries since, of which those before the offset
    /// `flushed` are known to be durable.
    pub fn recovered(history: Lineage, base: Position, flushed: u64, since: &[(u64, Arc<Entry>)]) -> Self {
        let mut log = Log { base, ..Log::after(history, flushed) };
        for (offset, entry) in since {
            log.note(entry);
            if *offset < flushed {
                log.flushed_tip = log.tip;
            }
        }
        log
    }

    /// Whether the record at `position` is in it.
    #[inline]
    pub fn contains(&self, position: Position) -> bool {
        self.history.contains(position)
    }

    /// Takes in a record that is written, or about to be.
    #[inline]
    fn note(&mut self, entry: &Entry) {
        self.history.extend(entry.previous, entry.position);
        self.tip = entry.position;
    }

    /// The entries in memory that fill whole pages of `page_bytes`, taken out.
    fn take_full_pages(&mut self, page_bytes: u64) -> impl Iterator<Item = Arc<Entry>> {
        let full = self.tip.index - self.tip.index % page_bytes;
        let whole = self.buffer.partition_point(|entry| entry.position.index <= full);
        self.buffer.drain(..whole)
    }
}

/// Finding places in the journal.
pub(super) trait Places {
    /// The offset of the first entry after index `last`, in a log whose indexes only grow.
    fn offset_after(&self, last: u64) -> u64;
    /// The offset of the first entry that is not part of `history`.
    fn offset_outside(&self, history: &Lineage) -> u64;
    /// The entry at `offset`, if it is there and can be read.
    fn entry(&self, offset: u64) -> Option<&Arc<Entry>>;
}

impl Places for Journal<Record> {
    fn offset_after(&self, last: u64) -> u64 {
        self.partition_point(|record| record.entry().is_some_and(|entry| entry.position.index <= last))
    }

    fn offset_outside(&self, history: &Lineage) -> u64 {
        // What cannot be read may be outside as well, unless a later entry shows that it is not.
        let mut unread = None;
        for offset in self.start()..self.end() {
            match self.entry(offset) {
                None => _ = unread.get_or_insert(offset),
                Some(entry) if history.contains(entry.position) => unread = None,
                Some(_) => return unread.unwrap_or(offset),
            }
        }
        unread.unwrap_or(self.end())
    }

    #[inline]
    fn entry(&self, offset: u64) -> Option<&Arc<Entry>> {
        self.get(offset)?.entry()
    }
}

impl<F: Profile> Replica<F> {
    /// Puts a commit of this leader into the log. Returns its offset if it is written at once.
    pub(super) fn log_commit(&mut self, cx: &mut Cx<'_, Self>, entry: Arc<Entry>) -> Option<u64> {
        self.log.note(&entry);
        match self.rules.flush {
            Flush::BeforeAnswer => {
                self.write_buffer(cx);
                let offset = cx.append(Record::Entry(entry));
                cx.sync();
                Some(offset)
            }
            Flush::EveryNth(nth) => {
                self.write_buffer(cx);
                let offset = cx.append(Record::Entry(entry));
                self.count_unsynced(cx, nth);
                Some(offset)
            }
            Flush::Buffered { page_bytes, .. } => {
                self.log.buffer.push_back(entry);
                self.write_full_pages(cx, page_bytes);
                self.set_log_writer_timer(cx);
                None
            }
        }
    }

    /// Puts an entry received from the upstream into the log.
    pub(super) fn log_received(&mut self, cx: &mut Cx<'_, Self>, entry: Arc<Entry>) {
        self.log.note(&entry);
        cx.append(Record::Entry(entry));
    }

    /// The log writer's moment: everything is written and synced.
    pub(super) fn on_log_writer(&mut self, cx: &mut Cx<'_, Self>) {
        self.log_writer_set = false;
        self.write_buffer(cx);
        self.log.unsynced = 0;
        cx.sync();
    }

    /// Everything up to `upto` is durable.
    pub(super) fn on_flushed(&mut self, cx: &mut Cx<'_, Self>, upto: u64) {
        let upto = upto.min(cx.journal().end());
        if upto > self.log.flushed {
            self.log.flushed = upto;
            self.log.flushed_tip = cx.journal().entry(upto - 1).map_or(self.log.flushed_tip, |entry| entry.position);
        }
    }

    /// The first offset that is beyond `extent`.
    pub(super) fn extent(&self, cx: &Cx<'_, Self>, extent: Extent) -> u64 {
        match extent {
            Extent::Written => cx.journal().end(),
            Extent::Flushed => self.log.flushed,
        }
    }

    /// Writes everything that is still in memory.
    pub(super) fn write_buffer(&mut self, cx: &mut Cx<'_, Self>) {
        while let Some(entry) = self.log.buffer.pop_front() {
            cx.append(Record::Entry(entry));
        }
    }

    /// Throws the whole log away.
    pub(super) fn drop_log(&mut self, cx: &mut Cx<'_, Self>) {
        let start = cx.journal().start();
        cx.cut_back(start);
    }

    /// This server's log as others must know it to compare theirs.
    pub(super) fn history(&self) -> Arc<Lineage> {
        Arc::new(self.log.history.clone())
    }

    /// The place of the next record if it is `bytes` long.
    pub(super) fn next_place(&self, bytes: u32) -> Place {
        let previous = self.last_index();
        let position = Position::new(self.epoch, self.rules.numbering.after(previous, bytes));
        Place { position, previous, made_up: self.commits.made_up }
    }

    /// The index of this epoch's last record, or where the epoch begins if it has none. An index of the epoch before is none
    /// of this one's where each epoch counts from one: to count by it would take new records for old ones.
    pub(super) fn last_index(&self) -> u64 {
        match self.log.tip.epoch == self.epoch {
            true => self.log.tip.index,
            false => self.rules.numbering.epoch_begins(self.log.tip.index),
        }
    }

    /// Writes what fills whole pages; the rest stays in memory.
    fn write_full_pages(&mut self, cx: &mut Cx<'_, Self>, page_bytes: u64) {
        assert!(self.rules.numbering == Numbering::Bytes, "pages need a log counted in bytes");
        for entry in self.log.take_full_pages(page_bytes) {
            cx.append(Record::Entry(entry));
        }
    }

    fn count_unsynced(&mut self, cx: &mut Cx<'_, Self>, nth: u32) {
        self.log.unsynced += 1;
        if self.log.unsynced == nth {
            self.log.unsynced = 0;
            cx.sync();
        }
        self.set_log_writer_timer(cx);
    }

    /// Sets the log writer's timer, unless it is set. Its moments are the multiples of its delay.
    fn set_log_writer_timer(&mut self, cx: &mut Cx<'_, Self>) {
        if !std::mem::replace(&mut self.log_writer_set, true) {
            let delay = self.rules.flush.delay();
            let past = cx.monotonic().0 % delay.as_nanos().max(1);
            cx.set_timer(Timer::LogWriter, delay - replisim_kernel::Span::nanos(past));
        }
    }
}
