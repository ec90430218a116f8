//! Where pending events are kept: each is written once and read once, however its key is moved about.

use super::key::SLOTS_MAX;

/// Events in numbered slots.
#[derive(Clone)]
pub(super) struct Slab<E> {
    slots: Vec<Option<E>>,
    /// Slots that hold nothing. The one emptied last is filled first, as it is the likeliest to be in the cache.
    vacant: Vec<u32>,
}

impl<E> Slab<E> {
    /// No events, and room for so many.
    pub(super) fn with_capacity(events: usize) -> Self {
        Slab { slots: Vec::with_capacity(events), vacant: Vec::with_capacity(events) }
    }

    /// The number of a slot that holds nothing, and the slot, to be filled.
    #[inline(always)]
    pub(super) fn vacancy(&mut self) -> (usize, &mut Option<E>) {
        let slot = match self.vacant.pop() {
            Some(slot) => slot as usize,
            None => self.grow(),
        };
        (slot, &mut self.slots[slot])
    }

    /// Empties a slot.
    #[inline(always)]
    pub(super) fn take(&mut self, slot: usize) -> E {
        self.vacant.push(slot as u32);
        self.slots[slot].take().expect("a key's slot holds its event")
    }

    /// What a slot holds.
    pub(super) fn get(&self, slot: usize) -> &E {
        self.slots[slot].as_ref().expect("a key's slot holds its event")
    }

    #[cold]
    fn grow(&mut self) -> usize {
        assert!(self.slots.len() < SLOTS_MAX, "fewer than 67 million events are pending");
        self.slots.push(None);
        self.slots.len() - 1
    }
}
