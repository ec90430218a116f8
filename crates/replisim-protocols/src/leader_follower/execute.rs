//! What a client's operation does to the leader's data, and what of it goes into the log.
//!
//! The leader runs an operation on its newest state, in which every logged transaction is visible whether or not it is
//! committed yet, and logs the outcome: the rows as they are afterwards, or the statement as it was. Nobody sees that
//! state; what readers see trails behind it by the commits under way (see [`super::commit`]).
//!
//! A value that a server makes up (`UUID()`, `SYSDATE()`) depends on who executes the statement and on the record alone,
//! which says how many were made up before it. So a server that recovers finds the value it had, and a replica that executes
//! the same statement makes up another.

use replisim_history::{Contents, Key, Made, NodeId, Op, OpKind, Seen, Value};
use smallvec::SmallVec;

use super::record::{Change, Place, Rows};
use super::rules::Format;

/// An operation that has been run but not yet committed.
#[derive(Clone, PartialEq, Debug)]
pub struct Executed {
    /// What its client will see.
    pub seen: Seen,
    /// What goes into the log; `None` if it changed nothing.
    pub change: Option<Change>,
    /// The versions it made, for the observer of the order: a key and what became of it.
    pub versions: SmallVec<[(Key, Made); 1]>,
    /// How many values were made up in its epoch before the next record.
    pub made_up: u32,
}

/// Runs `op` on `head` as the record at `place`, on server `me`.
pub fn execute(op: &Op, head: &mut Contents, place: Place, me: NodeId, format: Format) -> Executed {
    let mut made_up = place.made_up;
    let mut inventor = inventor(me, place.position.epoch, place.made_up);
    let seen = head.apply(op, place.position, &mut || {
        made_up += 1;
        inventor()
    });
    let mut rows = Rows::new();
    let mut versions = SmallVec::new();
    for (part, seen) in op.parts().iter().zip(answers(op, &seen)) {
        let Some((key, made)) = part.key().zip(Made::by(part, seen)) else { continue };
        versions.push((key, made));
        if rows.iter().all(|(other, _)| *other != key) {
            rows.push((key, head.read(key)));
        }
    }
    let change = match (rows.is_empty(), format.logs_statement(is_deterministic(op))) {
        (true, _) => None,
        (false, true) => Some(Change::Statement(op.clone())),
        (false, false) => Some(Change::Rows(rows)),
    };
    Executed { seen, change, versions, made_up }
}

/// The values that server `me` makes up while it executes a record of this epoch, before which `made_up` were: all
/// different, and the same again if it executes the record again.
pub fn inventor(me: NodeId, epoch: u32, made_up: u32) -> impl FnMut() -> Value {
    let mut next = u64::from(epoch) << IN_EPOCH_BITS | u64::from(made_up);
    move || {
        next += 1;
        Value::generated(me, next)
    }
}

/// The lower bits of a made-up value's number count within the epoch, the upper ones tell the epoch: there is room for 134
/// million values in each of a million epochs. An epoch takes a promotion or a restart of the leader.
const IN_EPOCH_BITS: u32 = 27;

/// The size in the log of what `op` does, in bytes: the system's headers and the rows or the statement, with values of
/// `value_bytes`.
///
/// The headers' sizes are chosen, of the order of what the systems write. How fast the log grows hangs on them: when a
/// segment or a page of it is full, how much a slot holds back, and how much log a slow link carries.
pub fn log_bytes(op: &Op, value_bytes: u32, format: Format) -> u32 {
    let writes = op.parts().iter().filter(|part| !part.is_read()).count() as u32;
    let (transaction, each) = match format {
        // A commit record, and for each row a heap and an index record with their headers.
        Format::Physical => (48, 112),
        // GTID, BEGIN and XID events; for each row a table map and a rows event.
        Format::Row => (160, 90),
        // GTID, BEGIN and XID events; for each statement its text and context.
        Format::Statement | Format::Mixed => (160, 110),
    };
    value_bytes.saturating_add(each).saturating_mul(writes).saturating_add(transaction)
}

/// Whether `op` gives the same result wherever it is executed.
fn is_deterministic(op: &Op) -> bool {
    op.parts().iter().all(|part| part.kind() != OpKind::Generate)
}

/// What each part of `op` saw.
fn answers<'a>(op: &Op, seen: &'a Seen) -> &'a [Seen] {
    match (op, seen) {
        (Op::Txn(_), Seen::Many(answers)) => answers,
        _ => std::slice::from_ref(seen),
    }
}

#[cfg(test)]
mod tests {
    use replisim_history::{Datum, Position, SessionId};

    use super::*;

    const KEY: Key = Key(1);

    fn value(n: u32) -> Value {
        Value::written(SessionId(1), n)
    }

    fn run(op: &Op, head: &mut Contents, format: Format) -> Executed {
        let place = Place { position: Position::new(1, 640), previous: 0, made_up: 0 };
        execute(op, head, place, NodeId(2), format)
    }

    #[test]
    fn rows_carry_what_the_leader_made_up_and_statements_do_not() {
        let mut head = Contents::new();
        let rows = run(&Op::Generate { key: KEY }, &mut head, Format::Row);
        let Seen::Datum(datum) = rows.seen else { panic!("a generated value is shown to its author") };
        assert_eq!(rows.change, Some(Change::Rows(Rows::from_iter([(KEY, datum)]))));

        let statement = run(&Op::Generate { key: KEY }, &mut head, Format::Statement);
        assert_eq!(statement.change, Some(Change::Statement(Op::Generate { key: KEY })));
        let mixed = run(&Op::Generate { key: KEY }, &mut head, Format::Mixed);
        assert!(matches!(mixed.change, Some(Change::Rows(_))), "mixed logs rows where a statement is not safe");
    }

    #[test]
    fn each_server_makes_up_its_own_and_always_the_same() {
        let three = |server, epoch, made_up| {
            let mut next = inventor(NodeId(server), epoch, made_up);
            [next(), next(), next()]
        };
        assert_eq!(three(1, 3, 9), three(1, 3, 9));
        let others = [three(2, 3, 9), three(1, 3, 12), three(1, 67, 9), three(1, 4, 9)].concat();
        assert!(three(1, 3, 9).iter().all(|value| !others.contains(value)));
    }

    #[test]
    fn a_record_goes_on_where_the_last_one_stopped_making_values_up() {
        let mut head = Contents::new();
        let ten = Op::Txn((0..10).map(|key| Op::Generate { key: Key(key) }).collect::<Vec<_>>().into());
        assert_eq!(run(&ten, &mut head, Format::Physical).made_up, 10);
        assert_eq!(run(&Op::Write { key: KEY, value: value(1) }, &mut head, Format::Physical).made_up, 0);
    }

    #[test]
    fn a_large_value_takes_as_much_log() {
        let write = Op::Write { key: KEY, value: value(1) };
        assert_eq!(log_bytes(&write, 100, Format::Physical), 260);
        assert_eq!(log_bytes(&write, 100_000, Format::Physical), 100_160);
        assert_eq!(log_bytes(&Op::Txn([write.clone(), write].into()), 100, Format::Row), 160 + 2 * 190);
    }

    #[test]
    fn a_swap_that_does_not_happen_is_not_logged() {
        let mut head = Contents::new();
        let swap = Op::CompareAndSet { key: KEY, expect: Some(value(1)), value: value(2) };
        let executed = run(&swap, &mut head, Format::Physical);
        assert_eq!((executed.seen, executed.change), (Seen::Swapped(false), None));
        assert!(executed.versions.is_empty());
    }

    #[test]
    fn a_transaction_logs_each_row_once_as_it_is_at_the_end() {
        let mut head = Contents::new();
        let parts = [1, 2].map(|n| Op::Write { key: KEY, value: value(n) });
        let executed = run(&Op::Txn(parts.into()), &mut head, Format::Physical);
        assert_eq!(executed.change, Some(Change::Rows(Rows::from_iter([(KEY, Datum::Register(value(2)))]))));
        assert_eq!(executed.versions.as_slice(), [(KEY, Made::Value(value(1))), (KEY, Made::Value(value(2)))]);
    }
}
