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

    /// A slot that holds nothing, to be filled.
    #[inline]
    pub(super) fn reserve(&mut self) -> usize {
        match self.vacant.pop() {
            Some(slot) => slot as usize,
            None => self.grow(),
        }
    }

    /// Fills a slot that was reserved.
    #[inline(always)]
    pub(super) fn fill(&mut self, slot: usize, event: E) {
        // What was there is nothing: to look whether it must be dropped would cost a copy of the event.
        std::mem::forget(self.slots[slot].replace(event));
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

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.vacant.clear();
    }

    #[cold]
    fn grow(&mut self) -> usize {
        assert!(self.slots.len() < SLOTS_MAX, "fewer than 67 million events are pending");
        self.slots.push(None);
        self.slots.len() - 1
    }
}
