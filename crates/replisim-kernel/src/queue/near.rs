//! The near tier: a heap of keys.
//!
//! Four children a node make the heap half as deep as a binary one, and four keys of 16 bytes fill one line of the cache.
//!
//! Much of what is pushed comes out next: a message that has arrived, once the processor has come to it. Such a key
//! waits in front of the heap and never enters it, unless another is pushed in front of it.

use super::key::Key;
use crate::SimTime;

/// How many children a node of the heap has.
const CHILDREN: usize = 4;

/// The keys of the near future, in a heap.
#[derive(Clone)]
pub(super) struct Near {
    /// The earliest, if it was earlier than all others when it was pushed.
    front: Option<Key>,
    heap: Vec<Key>,
}

impl Near {
    /// An empty tier with room for so many keys.
    pub(super) fn with_capacity(keys: usize) -> Self {
        Near { front: None, heap: Vec::with_capacity(keys) }
    }

    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        match self.first() {
            Some(first) if first < key => self.enter_heap(key),
            _ => {
                if let Some(second) = self.front.replace(key) {
                    self.enter_heap(second);
                }
            }
        }
    }

    /// Takes out the earliest key.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Key> {
        match self.front.take() {
            None => self.leave_heap(),
            front => front,
        }
    }

    #[inline]
    pub(super) fn next_at(&self) -> Option<SimTime> {
        self.first().map(Key::at)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.heap.len() + usize::from(self.front.is_some())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.front.is_none() && self.heap.is_empty()
    }

    pub(super) fn is_one_instant(&self) -> bool {
        self.iter().all(|key| Some(key.at()) == self.next_at())
    }

    pub(super) fn clear(&mut self) {
        self.front = None;
        self.heap.clear();
    }

    /// All keys, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.front.iter().chain(&self.heap)
    }

    /// Takes everything out, in no particular order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Key> {
        self.front.take().into_iter().chain(self.heap.drain(..))
    }

    /// The earliest key.
    #[inline]
    fn first(&self) -> Option<Key> {
        self.front.or_else(|| self.heap.first().copied())
    }

    /// Puts a key into the heap.
    #[inline]
    fn enter_heap(&mut self, key: Key) {
        self.heap.push(key);
        self.sift_up(self.heap.len() - 1, key);
    }

    /// Takes the heap's earliest key.
    #[inline]
    fn leave_heap(&mut self) -> Option<Key> {
        let last = self.heap.pop()?;
        let first = self.heap.first().copied().unwrap_or(last);
        if !self.heap.is_empty() {
            self.sift_down(last);
        }
        Some(first)
    }

    /// Moves later parents down until `key` may stand at `hole`.
    #[inline]
    fn sift_up(&mut self, mut hole: usize, key: Key) {
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if self.heap[parent] < key {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = key;
    }

    /// Moves earliest children up from the root to a leaf, and lets `key` rise from there. As `key` comes from a leaf
    /// it seldom rises far, and going down needs no comparison with it.
    #[inline]
    fn sift_down(&mut self, key: Key) {
        let mut hole = 0;
        while let Some(child) = self.earliest_child(hole) {
            self.heap[hole] = self.heap[child];
            hole = child;
        }
        self.sift_up(hole, key);
    }

    #[inline]
    fn earliest_child(&self, parent: usize) -> Option<usize> {
        let first = parent * CHILDREN + 1;
        let earlier = |a: usize, b: usize| if self.heap[b] < self.heap[a] { b } else { a };
        if first + CHILDREN <= self.heap.len() {
            // The usual case, written as a tournament so that it compiles without unpredictable branches.
            return Some(earlier(earlier(first, first + 1), earlier(first + 2, first + 3)));
        }
        (first..self.heap.len()).reduce(earlier)
    }
}
