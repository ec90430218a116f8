//! The near tier: keys in order.
//!
//! The keys of a small cluster fit into a few lines of the cache, and most events are due soon: half of them next of all. To
//! put a key in its place by moving those before it aside is cheaper there than to keep a heap, and to take out the earliest
//! is next to nothing.
//!
//! ```text
//!   taken out ▯ ▯ ▯ ▮ ▮ ▮ ▮ ▮ ▮ latest
//!                   └─ head
//! ```
//!
//! A key takes its place by moving those before it to where others were taken out. One that is later than all is put
//! behind them at once, so events at one instant cost the same however many there are.

use super::key::Key;

/// How many keys are moved one by one before the place is searched for by halving.
const SOON: usize = 8;

/// The keys of the near future, in order.
#[derive(Clone)]
pub(super) struct Near {
    keys: Vec<Key>,
    /// The place of the earliest. What stands before it has been taken out.
    head: usize,
}

impl Near {
    /// An empty tier with room for so many keys.
    pub(super) fn with_capacity(keys: usize) -> Self {
        Near { keys: Vec::with_capacity(keys), head: 0 }
    }

    /// Puts a key in its place, most often before later ones.
    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        if self.keys.last().is_none_or(|latest| *latest < key) {
            self.append(key);
        } else if let Some(free) = self.head.checked_sub(1) {
            self.put_before_later(key, free);
        } else {
            self.insert(key);
        }
    }

    /// Moves the earlier keys forward by one, beginning at the `free` place before them all, until `key` fits in.
    #[inline]
    fn put_before_later(&mut self, key: Key, free: usize) {
        self.head = free;
        let (mut hole, keys) = self.keys[free..].split_first_mut().expect("a place is free before the latest key");
        for next in keys.iter_mut().take(SOON) {
            if key < *next {
                *hole = key;
                return;
            }
            *hole = *next;
            hole = next;
        }
        self.put_late(key, free + SOON);
    }

    /// The same where many are earlier: the place is searched for by halving.
    #[inline(never)]
    fn put_late(&mut self, key: Key, free: usize) {
        let place = free + self.keys[free + 1..].partition_point(|other| *other < key);
        self.keys.copy_within(free + 1..=place, free);
        self.keys[place] = key;
    }

    /// Makes room for a key where none was taken out.
    #[cold]
    fn insert(&mut self, key: Key) {
        let place = self.keys.partition_point(|other| *other < key);
        self.keys.insert(place, key);
    }

    /// Takes over keys in any order; there must be none before.
    pub(super) fn fill(&mut self, keys: impl Iterator<Item = Key>) {
        debug_assert!(self.is_empty(), "only an empty tier is filled");
        self.clear();
        self.keys.extend(keys);
        self.keys.sort_unstable();
    }

    /// Takes out the earliest key.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Key> {
        let earliest = *self.live().first()?;
        self.head += 1;
        if self.head == self.keys.len() {
            self.clear();
        }
        Some(earliest)
    }

    /// The earliest key.
    #[inline]
    pub(super) fn first(&self) -> Option<&Key> {
        self.live().first()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.keys.len() - self.head
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn is_one_instant(&self) -> bool {
        self.live().last().map(|key| key.at()) == self.first().map(|key| key.at())
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.head = 0;
    }

    /// Takes everything out, in order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Key> {
        let head = std::mem::take(&mut self.head);
        self.keys.drain(..).skip(head)
    }

    /// Puts a key behind all others. If that takes more room, what was taken out is cleared away first, if it is much.
    #[inline(never)]
    fn append(&mut self, key: Key) {
        if self.keys.len() == self.keys.capacity() && self.head > self.keys.len() / 2 {
            self.keys.drain(..std::mem::take(&mut self.head));
        }
        self.keys.push(key);
    }

    #[inline]
    fn live(&self) -> &[Key] {
        &self.keys[self.head..]
    }
}
