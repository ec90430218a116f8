//! The keys of a history, numbered, and things grouped by such numbers.

use replisim_kernel::Table;

use crate::Key;

/// A key's place among the keys of a history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Slot(pub u32);

/// Every key of a history, in the order in which they first occur.
pub(super) struct Keys {
    slots: Table<u32>,
    keys: Vec<Key>,
}

/// The numbers from 0 up to but not including some other, put into groups. Those of one group ascend.
pub(super) struct Groups {
    numbers: Vec<u32>,
    /// Where each group begins, and the end of the last.
    begins: Vec<u32>,
}

impl Slot {
    /// As an index into a vector with one entry a key.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Keys {
    /// No keys yet.
    pub(super) fn new() -> Self {
        Keys { slots: Table::new(), keys: Vec::new() }
    }

    /// The slot of `key`, a new one if it did not occur before.
    pub(super) fn intern(&mut self, key: Key) -> Slot {
        match self.slots.get(key.0) {
            Some(&slot) => Slot(slot),
            None => self.add(key),
        }
    }

    #[cold]
    fn add(&mut self, key: Key) -> Slot {
        let slot = self.keys.len() as u32;
        self.slots.insert(key.0, slot);
        self.keys.push(key);
        Slot(slot)
    }

    /// Every key, by slot.
    pub(super) fn all(&self) -> &[Key] {
        &self.keys
    }
}

impl Groups {
    /// Groups the numbers from 0 on into `groups`, by the group that each belongs to in turn; some belong to none.
    pub(super) fn of(groups: usize, group_of: impl Iterator<Item = Option<usize>> + Clone) -> Self {
        let mut begins = vec![0u32; groups + 1];
        group_of.clone().flatten().for_each(|group| begins[group + 1] += 1);
        for group in 0..groups {
            begins[group + 1] += begins[group];
        }
        let (mut numbers, mut next) = (vec![0; begins[groups] as usize], begins.clone());
        for (number, group) in (0..).zip(group_of) {
            let Some(group) = group else { continue };
            numbers[next[group] as usize] = number;
            next[group] += 1;
        }
        Groups { numbers, begins }
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.begins.len() - 1
    }

    /// The numbers that belong to `group`.
    pub(super) fn group(&self, group: usize) -> &[u32] {
        &self.numbers[self.begins[group] as usize..self.begins[group + 1] as usize]
    }
}
