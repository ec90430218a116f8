//! A map from small whole numbers to values that costs next to nothing to clone.
//!
//! Keys are meant to be dense: records, nodes and sessions numbered from zero. Sixty-four neighbouring keys share a
//! chunk. The first chunk is the table's own and is copied with it: most tables of a short run have no other, and nobody
//! has to ask who shares it before it is written. All further chunks are found by indexing a list. The list and each chunk
//! on it stand behind shared pointers, so a clone copies one pointer, and a write copies the list and one chunk if a clone
//! still shares them.
//!
//! Memory grows with the largest key: one pointer for every 64 keys up to it, plus a chunk for every 64 keys among
//! which at least one was written. Past [`DENSE_CHUNKS`] chunks the list would waste more than it saves, so chunks of
//! larger keys are kept in an ordered map instead: a stray huge key costs one chunk and one map entry.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How many neighbouring keys share a chunk.
const CHUNK: u64 = 64;

/// How many chunks the indexed list may have: keys below four million are found by indexing alone.
const DENSE_CHUNKS: u64 = 1 << 16;

/// The values of [`CHUNK`] neighbouring keys.
#[derive(Clone)]
struct Chunk<T> {
    slots: Box<[Option<T>]>,
    used: u32,
}

/// All chunks but the first, by the number that their keys have in common.
#[derive(Clone)]
struct Chunks<T> {
    dense: Vec<Option<Arc<Chunk<T>>>>,
    sparse: BTreeMap<u64, Arc<Chunk<T>>>,
}

/// A map from dense `u64` keys to `T`, in key order, with a clone in constant time.
#[derive(Clone)]
pub struct Table<T> {
    /// The values of the first [`CHUNK`] keys; empty until there is one.
    first: Vec<Option<T>>,
    chunks: Arc<Chunks<T>>,
    len: usize,
}

impl<T: Clone> Table<T> {
    /// A table with nothing in it.
    pub fn new() -> Self {
        Table { first: Vec::new(), chunks: Arc::new(Chunks { dense: Vec::new(), sparse: BTreeMap::new() }), len: 0 }
    }

    /// The value at `key`.
    #[inline]
    pub fn get(&self, key: u64) -> Option<&T> {
        let slot = match key {
            ..CHUNK => self.first.get(key as usize)?,
            _ => &self.chunks.get(key / CHUNK)?.slots[(key % CHUNK) as usize],
        };
        slot.as_ref()
    }

    /// The value at `key`, to be changed in place. A chunk that a clone still shares is copied first.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        self.get(key)?;
        match key {
            ..CHUNK => self.first[key as usize].as_mut(),
            _ => self.chunk_mut(key).slots[(key % CHUNK) as usize].as_mut(),
        }
    }

    /// Puts `value` at `key` and returns what was there.
    pub fn insert(&mut self, key: u64, value: T) -> Option<T> {
        let old = match key {
            ..CHUNK => {
                if self.first.is_empty() {
                    self.first.resize(CHUNK as usize, None);
                }
                self.first[key as usize].replace(value)
            }
            _ => self.chunk_mut(key).replace((key % CHUNK) as usize, value),
        };
        self.len += usize::from(old.is_none());
        old
    }

    /// Takes out what is at `key`. The last value of a chunk takes the chunk with it, unless it is the first chunk.
    pub fn remove(&mut self, key: u64) -> Option<T> {
        self.get(key)?;
        self.len -= 1;
        if key < CHUNK {
            return self.first[key as usize].take();
        }
        let chunk = self.chunk_mut(key);
        let old = chunk.slots[(key % CHUNK) as usize].take();
        chunk.used -= 1;
        if chunk.used == 0 {
            Arc::make_mut(&mut self.chunks).drop_chunk(key / CHUNK);
        }
        old
    }

    /// How many keys have a value.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self = Table::new();
    }

    /// All keys and values, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let further = self.chunks.iter().map(|(number, chunk)| (number, &*chunk.slots));
        std::iter::once((0, &*self.first)).chain(further).flat_map(|(number, slots)| {
            let keys = (0..CHUNK).map(move |slot| number * CHUNK + slot);
            keys.zip(slots).filter_map(|(key, slot)| Some((key, slot.as_ref()?)))
        })
    }

    /// The chunk that `key` belongs to, made if it is missing, and ours alone to change.
    fn chunk_mut(&mut self, key: u64) -> &mut Chunk<T> {
        Arc::make_mut(&mut self.chunks).chunk_mut(key / CHUNK)
    }
}

impl<T: Clone> Chunks<T> {
    #[inline]
    fn get(&self, number: u64) -> Option<&Chunk<T>> {
        if number < DENSE_CHUNKS {
            self.dense.get(number as usize)?.as_deref()
        } else {
            self.sparse.get(&number).map(Arc::as_ref)
        }
    }

    fn chunk_mut(&mut self, number: u64) -> &mut Chunk<T> {
        let shared = if number < DENSE_CHUNKS {
            if self.dense.len() as u64 <= number {
                self.dense.resize(number as usize + 1, None);
            }
            self.dense[number as usize].get_or_insert_with(Chunk::empty)
        } else {
            self.sparse.entry(number).or_insert_with(Chunk::empty)
        };
        Arc::make_mut(shared)
    }

    fn drop_chunk(&mut self, number: u64) {
        if number < DENSE_CHUNKS {
            self.dense[number as usize] = None;
        } else {
            self.sparse.remove(&number);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &Chunk<T>)> {
        let dense = (0..).zip(&self.dense).filter_map(|(number, chunk)| Some((number, chunk.as_deref()?)));
        dense.chain(self.sparse.iter().map(|(&number, chunk)| (number, &**chunk)))
    }
}

impl<T> Chunk<T> {
    fn empty() -> Arc<Self> {
        Arc::new(Chunk { slots: (0..CHUNK).map(|_| None).collect(), used: 0 })
    }

    /// Puts a value into a slot and returns what was there.
    fn replace(&mut self, slot: usize, value: T) -> Option<T> {
        let old = self.slots[slot].replace(value);
        self.used += u32::from(old.is_none());
        old
    }
}

impl<T: Clone> Default for Table<T> {
    fn default() -> Self {
        Table::new()
    }
}

impl<T: Clone + fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: Clone + PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<T: Clone + Eq> Eq for Table<T> {}

impl<T: Clone> FromIterator<(u64, T)> for Table<T> {
    fn from_iter<I: IntoIterator<Item = (u64, T)>>(entries: I) -> Self {
        let mut table = Table::new();
        for (key, value) in entries {
            table.insert(key, value);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A key in the first chunks, on the border between list and map, or anywhere.
    fn any_key() -> impl Strategy<Value = u64> {
        let border = DENSE_CHUNKS * CHUNK;
        prop_oneof![8 => 0..300u64, 1 => border - 2..border + 2, 1 => any::<u64>(), 1 => Just(u64::MAX)]
    }

    proptest! {
        #[test]
        fn behaves_as_an_ordered_map(steps in prop::collection::vec((0..4u8, any_key(), 0..1_000u32), 0..200)) {
            let (mut table, mut model) = (Table::new(), BTreeMap::new());
            let mut forks = Vec::new();
            for (what, key, value) in steps {
                match what {
                    0 => prop_assert_eq!(table.insert(key, value), model.insert(key, value)),
                    1 => prop_assert_eq!(table.remove(key), model.remove(&key)),
                    2 => prop_assert_eq!(table.get_mut(key).map(|at| *at += 1), model.get_mut(&key).map(|at| *at += 1)),
                    _ => forks.push((table.clone(), model.clone())),
                }
                prop_assert_eq!(table.get(key), model.get(&key));
            }
            forks.push((table, model));
            for (table, model) in forks {
                prop_assert_eq!(table.len(), model.len());
                prop_assert!(table.iter().eq(model.iter().map(|(&key, value)| (key, value))));
            }
        }
    }

    #[test]
    fn emptied_chunks_are_given_back() {
        let mut table: Table<u8> = [(5, 1), (CHUNK, 2), (u64::MAX, 3)].into_iter().collect();
        assert_eq!([5, CHUNK, u64::MAX].map(|key| table.remove(key)), [Some(1), Some(2), Some(3)]);
        assert!(table.is_empty() && table.iter().next().is_none());
        assert!(table.chunks.dense[1].is_none() && table.chunks.sparse.is_empty());
    }
}
