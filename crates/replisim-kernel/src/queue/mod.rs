//! Pending events, popped in exact `(time, sequence)` order at a cost that hardly grows with how many are pending.
//!
//! Events at one instant come out in the order they were pushed: the sequence number is what makes a run repeatable.
//!
//! A few keys in order are the fastest queue there is, and a slow one once they are many. A run may have ten events pending
//! or a million, so there are two tiers:
//!
//! ```text
//!          now            until                                   end of the coarsest wheel
//! time  ────┼───────────────┼────┬────┬────┬─────────┬─────────┬─────────┼────────────────────▶
//!           │ near: in order│  far: wheels of buckets, fine, coarse …    │ far: an unsorted rest
//! ```
//!
//! - **Near**: everything up to the instant `until`, in order. While few events are pending, that is all of them and the
//!   far tier is empty.
//! - **Far**: everything later, thrown unsorted into buckets of equal width. When the near tier has run out, the next
//!   bucket is poured into it.
//!
//! The widths follow the contents: a bucket too full to pour is spread over a finer wheel, a near tier grown too large
//! is turned into one, and when all wheels have run out the rest is spread over a new one. Each wheel is narrower than
//! one bucket of the one before, so an event moves a bounded number of times. This is the ladder queue of Tang, Goh and
//! Thng, *Ladder Queue: An O(1) Priority Queue Structure for Large-Scale Discrete Event Simulation* (ACM TOMACS 15(3),
//! 2005). Both tiers hold keys; the events themselves stay where they were written (`slab.rs`).
//!
//! **Invariant**: the order in which events come out depends only on the order of the calls, never on the tiers.

mod far;
mod key;
mod near;
mod slab;

use std::fmt;

use far::Far;
use key::Key;
use near::Near;
use slab::Slab;

use crate::SimTime;

/// A near tier larger than this is spread over a wheel. A small cluster has a few dozen events close ahead, and hundreds
/// of timeouts far off that never come due: those are not to be in the way.
const NEAR_MAX: usize = 64;

/// An event with the instant it is for and its place among all events pushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scheduled<E> {
    /// When the event happens.
    pub at: SimTime,
    /// How many events were pushed before this one: decides between events at one instant.
    pub sequence: u64,
    /// What happens.
    pub event: E,
}

/// Pending events, in the exact order of their time, then of their push.
#[derive(Clone)]
pub struct Queue<E> {
    events: Slab<E>,
    order: Order,
}

/// The keys of all that is pending.
#[derive(Clone)]
struct Order {
    /// Never empty while anything is pending.
    near: Near,
    far: Far,
    /// The last instant that belongs to the near tier: `NEVER`, so every instant, while the far tier is empty.
    until: SimTime,
    /// The size at which the near tier is next to be spread.
    near_max: usize,
    /// The sequence number of the next push.
    sequence: u64,
}

impl<E> Queue<E> {
    /// A queue with nothing pending.
    pub fn new() -> Self {
        Queue { events: Slab::with_capacity(NEAR_MAX + 1), order: Order::new() }
    }

    /// Schedules an event and returns its sequence number.
    #[inline(always)]
    pub fn push(&mut self, at: SimTime, event: E) -> u64 {
        let (slot, place) = self.events.vacancy();
        let sequence = self.order.sequence;
        self.order.push(at, slot);
        // The event is moved last and once: it is large. What was there is nothing: to look whether it must be dropped
        // would cost a copy of the event.
        std::mem::forget(place.replace(event));
        sequence
    }

    /// Takes out the earliest event.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Scheduled<E>> {
        let key = self.order.pop()?;
        Some(Scheduled { at: key.at(), sequence: key.sequence(), event: self.events.take(key.slot()) })
    }

    /// When the earliest event is.
    #[inline]
    pub fn next_at(&self) -> Option<SimTime> {
        self.order.near.first().map(|key| key.at())
    }

    /// The earliest event, which stays where it is.
    pub fn peek(&self) -> Option<&E> {
        self.order.near.first().map(|key| self.events.get(key.slot()))
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.order.near.len() + self.order.far.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.order.near.is_empty()
    }
}

impl Order {
    fn new() -> Self {
        Order {
            near: Near::with_capacity(NEAR_MAX + 1),
            far: Far::new(),
            until: SimTime::NEVER,
            near_max: NEAR_MAX,
            sequence: 0,
        }
    }

    /// Takes note of an event in a slot, under the next sequence number.
    fn push(&mut self, at: SimTime, slot: usize) {
        let key = Key::new(at, self.sequence, slot);
        self.sequence += 1;
        self.put(key);
    }

    /// Puts a key into its tier. Most go into the near one, not at its end: whatever else there is to do stands apart and
    /// comes last, so that nothing is kept for it.
    #[inline]
    fn put(&mut self, key: Key) {
        if key.at() > self.until {
            self.far.push(key);
        } else if self.near.len() > self.near_max {
            self.spread_and_put(key);
        } else {
            self.near.push(key);
        }
    }

    /// Takes out the earliest key.
    #[inline]
    fn pop(&mut self) -> Option<Key> {
        let earliest = self.near.pop()?;
        if self.near.is_empty() && !self.far.is_empty() {
            self.refill();
        }
        Some(earliest)
    }

    /// Moves the next stretch of time from the far tier into the near one, which has run out.
    #[inline(never)]
    fn refill(&mut self) {
        self.until = self.far.pour(&mut self.near);
        self.near_max = NEAR_MAX.max(2 * self.near.len());
    }

    /// Puts a key into its tier once the near one, which has grown too large, is spread.
    #[cold]
    fn spread_and_put(&mut self, key: Key) {
        self.spread_near();
        self.put(key);
    }

    /// Turns a near tier that has grown too large into a wheel. If all its events are at one instant no wheel could
    /// tell them apart, and the limit is raised instead.
    fn spread_near(&mut self) {
        if self.near.is_one_instant() {
            self.near_max *= 2;
        } else {
            self.far.take_over(self.near.drain(), self.until);
            self.refill();
        }
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

impl<E: fmt::Debug> fmt::Debug for Queue<E> {
    /// How much is pending, and what is next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("pending", &self.len()).field("next", &self.peek()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
