//! What the queue orders by.

use crate::SimTime;

/// How many bits of a key say where the event is: 67 million may be pending. 38 are left for the sequence: a run may have
/// 274 billion.
const SLOT_BITS: u32 = 26;

/// How many events may be pending.
pub(super) const SLOTS_MAX: usize = 1 << SLOT_BITS;

/// When an event is, its place among all that were pushed, and where it is kept: time, then sequence, then slot, as one
/// number. Comparing it takes no branch, and as no two sequence numbers are the same, the slot never decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    #[inline]
    pub(super) fn new(at: SimTime, sequence: u64, slot: usize) -> Self {
        debug_assert!(sequence < 1 << (u64::BITS - SLOT_BITS), "a run has fewer than 274 billion events");
        debug_assert!(slot < SLOTS_MAX, "fewer than 67 million events are pending");
        Key(u128::from(at.as_nanos()) << 64 | u128::from(sequence << SLOT_BITS | slot as u64))
    }

    #[inline]
    pub(super) fn at(self) -> SimTime {
        SimTime::from_nanos((self.0 >> 64) as u64)
    }

    #[inline]
    pub(super) fn sequence(self) -> u64 {
        self.0 as u64 >> SLOT_BITS
    }

    #[inline]
    pub(super) fn slot(self) -> usize {
        self.0 as usize & (SLOTS_MAX - 1)
    }
}
