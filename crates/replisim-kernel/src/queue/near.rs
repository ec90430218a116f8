//! The near tier: keys in order.
//!
//! The keys of a small cluster fit into a few lines of the cache. There, to find a key's place by halving and to move its
//! neighbours aside is cheaper than to keep a heap, and takes no branch that the processor could guess wrong; and to take
//! out the earliest key is next to nothing.
//!
//! ```text
//!   taken out ▯ ▯ ▯ ▮ ▮ ▮ ▮ ▮ ▮ latest
//!                   └─ head
//! ```
//!
//! A key takes its place by moving those before it to where others were taken out. One that is later than all is put
//! behind them, so events at one instant cost the same however many there are.

use super::key::Key;
use crate::SimTime;

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

    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        let place = self.head + self.live().partition_point(|other| *other < key);
        if place == self.keys.len() {
            self.append(key);
        } else if self.head > 0 {
            self.keys.copy_within(self.head..place, self.head - 1);
            self.head -= 1;
            self.keys[place - 1] = key;
        } else {
            self.keys.insert(place, key);
        }
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

    #[inline]
    pub(super) fn next_at(&self) -> Option<SimTime> {
        self.live().first().map(|key| key.at())
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
        self.live().last().map(|key| key.at()) == self.next_at()
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.head = 0;
    }

    /// All keys, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.live().iter()
    }

    /// Takes everything out, in order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Key> {
        let head = std::mem::take(&mut self.head);
        self.keys.drain(..).skip(head)
    }

    /// Puts a key behind all others. If that takes more room, what was taken out is cleared away first, if it is much.
    #[inline]
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
