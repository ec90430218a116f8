//! The near tier: a heap of small keys over a slab of events.
//!
//! Sifting moves keys of 16 bytes; an event is written once and read once, whatever its size. Four children a node
//! make the heap half as deep as a binary one, and four keys fill one line of the cache.
//!
//! Much of what is pushed comes out next: a message that has arrived, once the processor has come to it. Such a key
//! waits in front of the heap and never enters it, unless another is pushed in front of it.

use super::Scheduled;
use crate::SimTime;

/// How many children a node of the heap has.
const CHILDREN: usize = 4;

/// How many bits of a key say where the event is. With 24, sixteen million events fit into the near tier, which grows
/// beyond a few hundred only if that many are at one instant; 40 are left for the sequence, a trillion events.
const SLOT_BITS: u32 = 24;

/// What the heap orders by, and where the event is: time, then sequence, then slot, as one number. Comparing it takes
/// no branch, and as no two sequence numbers are the same, the slot never decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    #[inline]
    fn new(at: SimTime, sequence: u64, slot: usize) -> Self {
        debug_assert!(sequence < 1 << (u64::BITS - SLOT_BITS), "a run has fewer than a trillion events");
        Key(u128::from(at.as_nanos()) << 64 | u128::from(sequence << SLOT_BITS | slot as u64))
    }

    #[inline]
    fn at(self) -> SimTime {
        SimTime::from_nanos((self.0 >> 64) as u64)
    }

    #[inline]
    fn sequence(self) -> u64 {
        self.0 as u64 >> SLOT_BITS
    }

    #[inline]
    fn slot(self) -> usize {
        self.0 as usize & ((1 << SLOT_BITS) - 1)
    }
}

/// The events of the near future, in a heap.
pub(super) struct Near<E> {
    /// The earliest, if it was earlier than all others when it was pushed.
    front: Option<Key>,
    heap: Vec<Key>,
    slots: Vec<Option<E>>,
    /// Slots that hold nothing. The one emptied last is filled first, as it is the likeliest to be in the cache.
    vacant: Vec<u32>,
}

impl<E> Near<E> {
    /// An empty tier with room for so many events.
    pub(super) fn with_capacity(events: usize) -> Self {
        Near {
            front: None,
            heap: Vec::with_capacity(events),
            slots: Vec::with_capacity(events),
            vacant: Vec::with_capacity(events),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, at: SimTime, sequence: u64, event: E) {
        let key = Key::new(at, sequence, self.occupy(event));
        match self.first() {
            Some(first) if first < key => self.enter_heap(key),
            _ => {
                if let Some(second) = self.front.replace(key) {
                    self.enter_heap(second);
                }
            }
        }
    }

    /// Takes out the earliest key; its event is for [`Near::take`].
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Key> {
        match self.front.take() {
            None => self.leave_heap(),
            front => front,
        }
    }

    /// The event of a key that was taken out.
    #[inline]
    pub(super) fn take(&mut self, key: Key) -> Scheduled<E> {
        self.vacant.push(key.slot() as u32);
        let event = self.slots[key.slot()].take().expect("a key's slot holds its event");
        Scheduled { at: key.at(), sequence: key.sequence(), event }
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
        self.keys().all(|key| Some(key.at()) == self.next_at())
    }

    pub(super) fn clear(&mut self) {
        self.front = None;
        self.heap.clear();
        self.slots.clear();
        self.vacant.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SimTime, u64, &E)> {
        let event = |key: &Key| self.slots[key.slot()].as_ref().expect("a key's slot holds its event");
        self.keys().map(move |key| (key.at(), key.sequence(), event(key)))
    }

    /// Takes everything out, in no particular order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Scheduled<E>> {
        let Near { front, heap, slots, vacant } = self;
        vacant.clear();
        vacant.extend(0..slots.len() as u32);
        front.take().into_iter().chain(heap.drain(..)).map(|key| {
            let event = slots[key.slot()].take().expect("a key's slot holds its event");
            Scheduled { at: key.at(), sequence: key.sequence(), event }
        })
    }

    #[inline]
    fn occupy(&mut self, event: E) -> usize {
        if let Some(slot) = self.vacant.pop() {
            self.slots[slot as usize] = Some(event);
            return slot as usize;
        }
        assert!(self.slots.len() < 1 << SLOT_BITS, "fewer than sixteen million events are at one instant");
        self.slots.push(Some(event));
        self.slots.len() - 1
    }

    /// The key of the earliest event.
    #[inline]
    fn first(&self) -> Option<Key> {
        self.front.or_else(|| self.heap.first().copied())
    }

    /// All keys, in no particular order.
    fn keys(&self) -> impl Iterator<Item = &Key> {
        self.front.iter().chain(&self.heap)
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

impl<E: Clone> Clone for Near<E> {
    /// Copies what is pending and leaves the vacant slots behind.
    fn clone(&self) -> Self {
        let slots = self.iter().map(|(_, _, event)| Some(event.clone())).collect();
        let mut keys = (0..).zip(self.keys()).map(|(slot, key)| Key::new(key.at(), key.sequence(), slot));
        let front = if self.front.is_some() { keys.next() } else { None };
        Near { front, heap: keys.collect(), slots, vacant: Vec::new() }
    }
}
