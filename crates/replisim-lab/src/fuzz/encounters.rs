//! What a run met, in bytes, for a store.

use replisim_history::Cell;
use replisim_world::spec::KindSet;

use super::cell;

/// What a run met, as its row holds it: 20 bytes, then the cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Encounters {
    /// The kinds of faults that struck.
    pub struck: KindSet,
    /// The kinds of those that were planned and did not.
    pub idle: KindSet,
    /// How many operations there were.
    pub operations: u32,
    /// The cells that were new to those of its lot of which as much is demanded under faults of the same kinds.
    pub cells: Vec<Cell>,
}

impl Encounters {
    /// As a row holds it.
    pub fn bytes(&self) -> Vec<u8> {
        let Encounters { struck, idle, operations, cells } = self;
        let kinds = [struck.bits(), idle.bits()].map(u64::to_le_bytes);
        let mut bytes = [&kinds[0][..], &kinds[1], &operations.to_le_bytes()].concat();
        cells.iter().for_each(|cell| bytes.extend(cell::bytes(cell)));
        bytes
    }

    /// What these bytes say; `None` if this version did not write them.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (struck, bytes) = bytes.split_first_chunk()?;
        let (idle, bytes) = bytes.split_first_chunk()?;
        let (operations, bytes) = bytes.split_first_chunk()?;
        Some(Encounters {
            struck: KindSet::from_bits(u64::from_le_bytes(*struck)),
            idle: KindSet::from_bits(u64::from_le_bytes(*idle)),
            operations: u32::from_le_bytes(*operations),
            cells: bytes.chunks(cell::BYTES).map(cell::read).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use replisim_history::{Deed, OpKind};

    use super::*;

    #[test]
    fn what_was_met_is_read_back_as_it_was_written() {
        let cell = |state| Cell { state, faults: 1, deed: Deed::Done(OpKind::Write), cluster: Cell::cluster([0, 1]) };
        let cells = vec![cell(0), cell(1)];
        let encounters =
            Encounters { struck: KindSet::from_bits(0b101), idle: KindSet::from_bits(0b110), operations: 300, cells };
        let bytes = encounters.bytes();
        assert_eq!(bytes[..20], [5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 44, 1, 0, 0]);
        assert_eq!(bytes.len(), 20 + 2 * cell::BYTES);
        assert_eq!(Encounters::read(&bytes), Some(encounters.clone()));
        assert_eq!(Encounters::read(&bytes[..20]), Some(Encounters { cells: Vec::new(), ..encounters }));
        assert_eq!((Encounters::read(&bytes[..19]), Encounters::read(&bytes[..21])), (None, None));
    }
}
