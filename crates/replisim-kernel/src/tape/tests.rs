use proptest::prelude::*;

use super::*;

/// The plain model: a first position and the entries from there on.
#[derive(Clone, Debug)]
struct Model {
    start: u64,
    entries: Vec<u32>,
}

#[derive(Clone, Debug)]
enum Step {
    Append(u16),
    Change(u64),
    CutFront(u64),
    CutBack(u64),
    Fork,
}

/// Positions are relative to the start, and sometimes beyond the end.
fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..700u16).prop_map(Step::Append),
        3 => (0..2_000u64).prop_map(Step::Change),
        1 => (0..900u64).prop_map(Step::CutFront),
        2 => (0..2_000u64).prop_map(Step::CutBack),
        2 => Just(Step::Fork),
    ]
}

fn apply(step: &Step, tape: &mut Tape<u32>, model: &mut Model, next: &mut u32) {
    let end = model.start + model.entries.len() as u64;
    match *step {
        Step::Append(count) => {
            for _ in 0..count {
                *next += 1;
                let position = tape.push(*next);
                assert_eq!(position, model.start + model.entries.len() as u64);
                model.entries.push(*next);
            }
        }
        Step::Change(offset) => {
            let ours = tape.get_mut(model.start + offset);
            let theirs = model.entries.get_mut(offset as usize);
            assert_eq!(ours.is_some(), theirs.is_some());
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                (*ours, *theirs) = (0, 0);
            }
        }
        Step::CutFront(offset) => {
            tape.cut_front(model.start + offset);
            let cut = offset.min(end - model.start);
            model.entries.drain(..cut as usize);
            model.start += cut;
        }
        Step::CutBack(offset) => {
            tape.cut_back(model.start + offset);
            model.entries.truncate(offset as usize);
        }
        Step::Fork => {}
    }
}

fn assert_same(tape: &Tape<u32>, model: &Model) {
    let end = model.start + model.entries.len() as u64;
    assert_eq!((tape.start(), tape.end(), tape.len()), (model.start, end, model.entries.len()));
    assert!(tape.iter().eq(&model.entries));
    assert!(tape.iter().rev().eq(model.entries.iter().rev()));
    assert_eq!(tape.last(), model.entries.last());
    assert_eq!((tape.get(model.start.wrapping_sub(1)), tape.get(end)), (None, None));
    for (offset, entry) in model.entries.iter().enumerate() {
        assert_eq!(tape.get(model.start + offset as u64), Some(entry));
    }
    let (from, to) = (model.entries.len() / 3, model.entries.len() * 2 / 3);
    let range = tape.range(model.start + from as u64, model.start + to as u64);
    assert!(range.eq(&model.entries[from..to]));
}

proptest! {
    #[test]
    fn behaves_as_a_vector(start in 0..1_000u64, steps in prop::collection::vec(any_step(), 0..30)) {
        let (mut tape, mut model, mut next) = (Tape::starting_at(start), Model { start, entries: Vec::new() }, 0);
        let mut forks = Vec::new();
        for step in &steps {
            apply(step, &mut tape, &mut model, &mut next);
            if let Step::Fork = step {
                forks.push((tape.clone(), model.clone()));
            }
        }
        forks.push((tape, model));
        for (tape, model) in &forks {
            assert_same(tape, model);
        }
    }
}

#[test]
fn an_entry_keeps_its_position() {
    let mut tape: Tape<u64> = (0..1_000).collect();
    tape.cut_front(700);
    tape.cut_back(900);
    assert_eq!((tape.start(), tape.end()), (700, 900));
    assert!((700..900).all(|position| tape[position] == position));
    assert_eq!(tape.push(7), 900);
}

#[test]
fn a_search_finds_absolute_positions() {
    let mut tape: Tape<u64> = (0..1_000).map(|i| i * 2).collect();
    tape.cut_front(300);
    assert_eq!(tape.partition_point(|&entry| entry < 1_401), 701);
    assert_eq!(tape.partition_point(|&entry| entry < 5), 300);
    assert_eq!(tape.partition_point(|_| true), 1_000);
}

#[test]
fn cutting_beyond_either_end_leaves_an_empty_tape_that_goes_on() {
    let mut front: Tape<u64> = (0..600).collect();
    front.cut_front(10_000);
    assert_eq!((front.start(), front.push(1)), (600, 600));
    let mut back: Tape<u64> = (0..600).collect();
    back.cut_front(400);
    back.cut_back(3);
    assert_eq!((back.start(), back.push(1)), (400, 400));
}

#[test]
#[should_panic(expected = "position 3 is not on the tape, which holds 0..3")]
fn indexing_outside_names_the_bounds() {
    let tape: Tape<u8> = (0..3).collect();
    let _ = tape[3];
}
