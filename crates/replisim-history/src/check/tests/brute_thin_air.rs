//! What was read and never written, straight from the definition: on random histories in which some reads are made to see
//! what failed, what somebody asked for only later, what another key holds, or what nobody ever wrote.

use proptest::prelude::*;

use super::brute::witnesses_stand;
use super::random::{draft, fork, random_history};
use crate::check::check;
use crate::{Check, Datum, History, Key, Op, Operation, Seen, SessionId, Value};

/// A value that nobody writes.
fn foreign() -> Value {
    Value::written(SessionId(9), 0)
}

/// What an operation asked to write, and under which keys.
fn asked(it: &Operation) -> impl Iterator<Item = (Key, Value)> {
    let written = |part: &Op| match *part {
        Op::Write { key, value } => Some((key, value)),
        _ => None,
    };
    it.op.parts().iter().filter_map(written)
}

/// Lets the reads of some operations see any of the values there are, whoever wrote it and whatever became of that.
fn forge(history: &mut History, forgeries: &[(usize, usize)]) {
    let written = history.operations.iter().flat_map(asked).map(|(_, value)| value);
    let values: Vec<Value> = written.chain([foreign()]).collect();
    for (operation, value) in forgeries {
        let forged = Seen::Datum(Datum::Register(values[value % values.len()]));
        let number = operation % history.operations.len();
        let it = history.operations.get_mut(number as u64).expect("a number below their count");
        if !it.outcome.is_ok() {
            continue;
        }
        it.seen = match (&it.op, &it.seen) {
            (Op::Read { .. }, _) => forged,
            (Op::Txn(parts), Seen::Many(seen)) => {
                let forged = |(part, seen): (&Op, &Seen)| if part.is_read() { forged.clone() } else { seen.clone() };
                Seen::Many(parts.iter().zip(&**seen).map(forged).collect())
            }
            (_, seen) => seen.clone(),
        };
    }
}

/// Every value that was read, with its key and by whom.
fn reads(history: &History) -> Vec<(&Operation, Key, Option<Value>)> {
    let mut reads = Vec::new();
    for it in history.operations.iter().filter(|it| it.outcome.is_ok()) {
        let seen = match &it.seen {
            Seen::Many(seen) => seen.to_vec(),
            single => vec![single.clone()],
        };
        for (part, seen) in it.op.parts().iter().zip(seen) {
            match (part, seen) {
                (Op::Read { key }, Seen::Datum(Datum::Register(value))) => reads.push((it, *key, Some(value))),
                (Op::Read { key }, Seen::Datum(_)) => reads.push((it, *key, None)),
                _ => {}
            }
        }
    }
    reads
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_never_written_is_found_read_by_read(
        drafts in prop::collection::vec(draft(), 1..14),
        logged in any::<bool>(),
        fork in fork(),
        forgeries in prop::collection::vec((any::<usize>(), any::<usize>()), 0..4),
    ) {
        let mut history = random_history(&drafts, logged, fork.filter(|_| logged));
        let honest = check(Check::NoThinAirReads, &history);
        prop_assert_eq!(honest.broken, 0, "{:#?}", history);
        forge(&mut history, &forgeries);
        let is_written = |read: &Operation, key: Key, value: Value| {
            let wrote = |it: &&Operation| it.outcome.may_have_happened() && it.invoked <= read.completed;
            history.operations.iter().filter(wrote).any(|it| asked(it).any(|wrote| wrote == (key, value)))
        };
        let reads = reads(&history);
        let lacking = reads.iter().filter(|(it, key, value)| value.is_some_and(|value| !is_written(it, *key, value)));
        let lacking = lacking.count() as u64;
        let found = check(Check::NoThinAirReads, &history);
        prop_assert_eq!((found.broken, found.of), (lacking, reads.len() as u64), "{:#?}", history);
        witnesses_stand(&history)?;
    }
}
