//! Pending events, popped in exact `(time, sequence)` order at a cost that hardly grows with how many are pending.
//!
//! Events at one instant come out in the order they were pushed: the sequence number is what makes a run repeatable.
//!
//! A heap is the fastest queue while it fits in the processor's cache, and slows down steadily after that. A run may
//! have ten events pending or a million, so there are two tiers:
//!
//! ```text
//!          now            until                                   end of the coarsest wheel
//! time  ────┼───────────────┼────┬────┬────┬─────────┬─────────┬─────────┼────────────────────▶
//!           │  near: a heap │  far: wheels of buckets, fine, coarse …    │ far: an unsorted rest
//! ```
//!
//! - **Near**: everything up to the instant `until`, in a small heap. While few events are pending, that is all of them
//!   and the far tier is empty.
//! - **Far**: everything later, thrown unsorted into buckets of equal width. When the near tier has run out, the next
//!   bucket is poured into it.
//!
//! The widths follow the contents: a bucket too full to pour is spread over a finer wheel, a near tier grown too large
//! is turned into one, and when all wheels have run out the rest is spread over a new one. Each wheel is narrower than
//! one bucket of the one before, so an event moves a bounded number of times. This is the ladder queue of Tang, Goh and
//! Thng, *Ladder Queue: An O(1) Priority Queue Structure for Large-Scale Discrete Event Simulation* (ACM TOMACS 15(3),
//! 2005), with a heap as its bottom.
//!
//! **Invariant**: the order in which events come out depends only on the order of the calls, never on the tiers.

mod far;
mod near;

use far::Far;
use near::Near;

use crate::SimTime;

/// A near tier larger than this is spread over a wheel. A small cluster has a few dozen events close ahead, and hundreds
/// of timeouts far off that never come due: those are not to make its heap deeper.
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
    /// Never empty while anything is pending.
    near: Near<E>,
    far: Far<E>,
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
        Queue {
            near: Near::with_capacity(NEAR_MAX + 1),
            far: Far::new(),
            until: SimTime::NEVER,
            near_max: NEAR_MAX,
            sequence: 0,
        }
    }

    /// Schedules an event and returns its sequence number.
    #[inline]
    pub fn push(&mut self, at: SimTime, event: E) -> u64 {
        let sequence = self.sequence;
        self.sequence += 1;
        if at <= self.until {
            self.near.push(at, sequence, event);
            if self.near.len() > self.near_max {
                self.spread_near();
            }
        } else {
            self.far.push(Scheduled { at, sequence, event });
        }
        sequence
    }

    /// Takes out the earliest event.
    #[inline]
    pub fn pop(&mut self) -> Option<Scheduled<E>> {
        let earliest = self.near.pop()?;
        if self.near.is_empty() && !self.far.is_empty() {
            self.refill();
        }
        // The event is moved last and once: it is large.
        Some(self.near.take(earliest))
    }

    /// When the earliest event is.
    #[inline]
    pub fn next_at(&self) -> Option<SimTime> {
        self.near.next_at()
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.near.len() + self.far.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.near.is_empty()
    }

    /// Drops all that is pending and starts the sequence anew, and keeps the memory for the next run.
    pub fn clear(&mut self) {
        self.near.clear();
        self.far.clear();
        (self.until, self.near_max, self.sequence) = (SimTime::NEVER, NEAR_MAX, 0);
    }

    /// All that is pending, as time, sequence number and event, **in no particular order**.
    pub fn iter(&self) -> impl Iterator<Item = (SimTime, u64, &E)> {
        self.near.iter().chain(self.far.iter())
    }

    /// Moves the next stretch of time from the far tier into the near one, which has run out.
    fn refill(&mut self) {
        self.until = self.far.pour(&mut self.near);
        self.near_max = NEAR_MAX.max(2 * self.near.len());
    }

    /// Turns a near tier that has grown too large into a wheel. If all its events are at one instant no wheel could
    /// tell them apart, and the limit is raised instead.
    #[cold]
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

impl<E: std::fmt::Debug> std::fmt::Debug for Queue<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut pending: Vec<_> = self.iter().collect();
        pending.sort_unstable_by_key(|&(at, sequence, _)| (at, sequence));
        f.debug_list().entries(pending).finish()
    }
}

#[cfg(test)]
mod tests;
