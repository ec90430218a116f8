//! An append-only log that can be cut at both ends and costs almost nothing to clone.
//!
//! A run that can be forked at any moment must be able to copy its logs at any moment. So full chunks are frozen behind
//! a shared pointer, and so is the list of them: a clone copies two pointers and the short tail, whatever the length.
//! Whoever writes into a shared chunk first gets a copy of that chunk.
//!
//! ```text
//! position   100 ........ 355 356 ........ 611 612 ... 640
//!            [ frozen chunk ] [ frozen chunk ] [   tail  ]
//!            └─ base      ^ start                        ^ end
//! ```

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

/// How many entries a frozen chunk holds: enough to make the list of chunks short, few enough to make a tail cheap.
const CHUNK: usize = 256;

/// For how many entries a tail has room at first: most tapes of a short run never outgrow it. One that does has room for
/// a whole chunk at once.
const FIRST: usize = 32;

/// A log of `T` with absolute positions: an entry keeps its position when what came before it is cut off.
#[derive(Clone)]
pub struct Tape<T> {
    /// Position of the first slot of the first frozen chunk, or of the tail if nothing is frozen.
    base: u64,
    /// Position of the first entry still there; between `base` and `base + CHUNK`, or at the end of an empty tape.
    start: u64,
    frozen: Arc<Vec<Arc<Vec<T>>>>,
    tail: Vec<T>,
}

impl<T: Clone> Tape<T> {
    /// An empty tape whose first entry will have position zero.
    pub fn new() -> Self {
        Tape::starting_at(0)
    }

    /// An empty tape whose first entry will have position `start`.
    pub fn starting_at(start: u64) -> Self {
        Tape { base: start, start, frozen: Arc::default(), tail: Vec::new() }
    }

    /// Appends an entry and returns its position.
    pub fn push(&mut self, entry: T) -> u64 {
        if self.tail.len() == CHUNK {
            self.freeze();
        } else if self.tail.len() == self.tail.capacity() {
            self.tail.reserve_exact(if self.tail.is_empty() { FIRST } else { CHUNK - self.tail.len() });
        }
        self.tail.push(entry);
        self.end() - 1
    }

    /// Position of the first entry; equal to [`Tape::end`] if there is none.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Position that the next entry will get.
    pub fn end(&self) -> u64 {
        self.tail_base() + self.tail.len() as u64
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        (self.end() - self.start) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.end() == self.start
    }

    /// The entry at `position`, or `None` before the start and from the end on.
    #[inline]
    pub fn get(&self, position: u64) -> Option<&T> {
        if position < self.start {
            return None;
        }
        let offset = (position - self.base) as usize;
        match self.frozen.get(offset / CHUNK) {
            Some(chunk) => chunk.get(offset % CHUNK),
            None => self.tail.get(offset - self.frozen.len() * CHUNK),
        }
    }

    /// The entry at `position`, to be changed in place. A chunk that a clone still shares is copied first.
    pub fn get_mut(&mut self, position: u64) -> Option<&mut T> {
        if position < self.start || position >= self.end() {
            return None;
        }
        let offset = (position - self.base) as usize;
        let frozen = self.frozen.len();
        if offset / CHUNK < frozen {
            let chunk = &mut Arc::make_mut(&mut self.frozen)[offset / CHUNK];
            Arc::make_mut(chunk).get_mut(offset % CHUNK)
        } else {
            self.tail.get_mut(offset - frozen * CHUNK)
        }
    }

    /// The entry before the end.
    pub fn last(&self) -> Option<&T> {
        self.get(self.end().checked_sub(1)?)
    }

    /// All entries, first to last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.range(self.start, self.end())
    }

    /// The entries at positions `from` up to but not including `to`; positions that are not there are left out.
    pub fn range(&self, from: u64, to: u64) -> impl DoubleEndedIterator<Item = &T> {
        let to = to.min(self.end());
        let from = from.max(self.start).min(to);
        let (skip, stop) = ((from.max(self.base) - self.base) as usize, (to.max(self.base) - self.base) as usize);
        let chunks = if stop > skip { skip / CHUNK..(stop - 1) / CHUNK + 1 } else { 0..0 };
        chunks.flat_map(move |number| {
            let chunk = self.frozen.get(number).map_or(&self.tail, |chunk| &**chunk);
            let first = number * CHUNK;
            &chunk[skip.max(first) - first..(stop - first).min(chunk.len())]
        })
    }

    /// Drops the entries before position `before`; what stays keeps its position. Cutting beyond the end drops all,
    /// and the end stays where it was.
    pub fn cut_front(&mut self, before: u64) {
        let end = self.end();
        self.start = before.clamp(self.start, end);
        let passed = (((self.start - self.base) as usize) / CHUNK).min(self.frozen.len());
        if passed > 0 {
            Arc::make_mut(&mut self.frozen).drain(..passed);
            self.base += (passed * CHUNK) as u64;
        }
        if self.start == end {
            *self = Tape::starting_at(end);
        }
    }

    /// Drops the entries from position `from` on; the next entry gets position `from`. Cutting before the start drops
    /// all, and the tape goes on at its start.
    pub fn cut_back(&mut self, from: u64) {
        let from = from.clamp(self.start, self.end());
        let keep = (from - self.base) as usize;
        if keep >= self.frozen.len() * CHUNK {
            return self.tail.truncate(keep - self.frozen.len() * CHUNK);
        }
        let whole = keep / CHUNK;
        self.tail.clear();
        self.tail.extend_from_slice(&self.frozen[whole][..keep % CHUNK]);
        Arc::make_mut(&mut self.frozen).truncate(whole);
    }

    /// The position of the first entry for which `before` is false, or the end: a binary search, if all entries for
    /// which it is true come first.
    pub fn partition_point(&self, mut before: impl FnMut(&T) -> bool) -> u64 {
        let (mut low, mut high) = (self.start, self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if before(&self[middle]) { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn tail_base(&self) -> u64 {
        self.base + (self.frozen.len() * CHUNK) as u64
    }

    #[cold]
    fn freeze(&mut self) {
        let full = std::mem::replace(&mut self.tail, Vec::with_capacity(CHUNK));
        Arc::make_mut(&mut self.frozen).push(Arc::new(full));
    }
}

impl<T: Clone> Default for Tape<T> {
    fn default() -> Self {
        Tape::new()
    }
}

impl<T: Clone> Index<u64> for Tape<T> {
    type Output = T;

    /// # Panics
    /// If there is no entry at `position`.
    fn index(&self, position: u64) -> &T {
        match self.get(position) {
            Some(entry) => entry,
            None => panic!("position {position} is not on the tape, which holds {}..{}", self.start, self.end()),
        }
    }
}

impl<T: Clone + fmt::Debug> fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{} ", self.start)?;
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Clone + PartialEq> PartialEq for Tape<T> {
    /// Equal if the same entries stand at the same positions.
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.end() == other.end() && self.iter().eq(other.iter())
    }
}

impl<T: Clone + Eq> Eq for Tape<T> {}

impl<T: Clone> Extend<T> for Tape<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, entries: I) {
        for entry in entries {
            self.push(entry);
        }
    }
}

impl<T: Clone> FromIterator<T> for Tape<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let mut tape = Tape::new();
        tape.extend(entries);
        tape
    }
}

#[cfg(test)]
mod tests;
