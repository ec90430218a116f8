//! Cells in words, for people, and in bytes, for a store.

use replisim_history::{Cell, Deed, OpKind};
use replisim_world::spec::FaultFamily;

/// How many bytes a cell has.
pub(super) const BYTES: usize = 13;

/// A cell as a store holds it.
pub(super) fn bytes(cell: &Cell) -> Vec<u8> {
    let (tag, of) = match cell.deed {
        Deed::Done(kind) => (0, kind as u8),
        Deed::Failed(kind) => (1, kind as u8),
        Deed::Unknown(kind) => (2, kind as u8),
        Deed::Struck(family) => (3, family),
    };
    let [low, high] = cell.faults.to_le_bytes();
    let mut bytes = vec![cell.state, low, high, tag, of];
    bytes.extend(cell.cluster.to_le_bytes());
    bytes
}

/// The cell that these bytes stand for, if they stand for one.
pub(super) fn read(bytes: &[u8]) -> Option<Cell> {
    let [state, low, high, tag, of, cluster @ ..] = bytes else { return None };
    let kind = OpKind::ALL.get(usize::from(*of)).copied();
    let deed = match tag {
        0 => Deed::Done(kind?),
        1 => Deed::Failed(kind?),
        2 => Deed::Unknown(kind?),
        3 => Deed::Struck(*of),
        _ => return None,
    };
    let cluster = u64::from_le_bytes(cluster.try_into().ok()?);
    Some(Cell { state: *state, faults: u16::from_le_bytes([*low, *high]), deed, cluster })
}

/// A cell in words: `Write done by leading; delay, kill; 1 leading, 2 streaming`.
pub(super) fn words(cell: &Cell, states: &[&str]) -> String {
    let state = |number: u8| match number {
        Cell::DOWN => "down",
        number => states.get(usize::from(number)).copied().unwrap_or("?"),
    };
    let asked = state(cell.state);
    let deed = match cell.deed {
        Deed::Done(kind) => format!("{kind:?} done by {asked}"),
        Deed::Failed(kind) => format!("{kind:?} failed at {asked}"),
        Deed::Unknown(kind) => format!("{kind:?} unanswered by {asked}"),
        Deed::Struck(family) => format!("{} strikes", family_name(family)),
    };
    let families = FaultFamily::ALL.into_iter().filter(|family| cell.faults & family.bit() != 0);
    let families: Vec<&str> = families.map(FaultFamily::in_words).collect();
    let faults = if families.is_empty() { "no fault".to_owned() } else { families.join(", ") };
    let counted = (0..=Cell::DOWN).filter(|number| cell.replicas_in(*number) > 0);
    let more = |count: u64| if count == 3 { "3 or more".to_owned() } else { count.to_string() };
    let cluster: Vec<String> = counted.map(|it| format!("{} {}", more(cell.replicas_in(it)), state(it))).collect();
    format!("{deed}; {faults}; {}", cluster.join(", "))
}

fn family_name(number: u8) -> &'static str {
    FaultFamily::ALL.get(usize::from(number)).map_or("?", |family| family.in_words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_back_as_it_was_written() {
        for kind in OpKind::ALL {
            assert_eq!(OpKind::ALL[kind as usize], kind, "the order is that of the numbers");
            for deed in [Deed::Done(kind), Deed::Failed(kind), Deed::Unknown(kind), Deed::Struck(4)] {
                let cell = Cell { state: 3, faults: 0x201, deed, cluster: Cell::cluster([3, 3, Cell::DOWN]) };
                assert_eq!(bytes(&cell).len(), BYTES);
                assert_eq!(read(&bytes(&cell)), Some(cell));
            }
        }
        assert_eq!(read(&[1, 2, 3]), None);
        assert_eq!(read(&[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn a_cell_in_words() {
        let faults = FaultFamily::Delay.bit() | FaultFamily::Kill.bit();
        let deed = Deed::Done(OpKind::Write);
        let cell = Cell { state: 0, faults, deed, cluster: Cell::cluster([0, 1, Cell::DOWN]) };
        assert_eq!(
            words(&cell, &["leading", "streaming"]),
            "Write done by leading; delay, kill; 1 leading, 1 streaming, 1 down"
        );
    }
}
