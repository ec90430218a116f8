//! Each union is commutative, associative and idempotent, so merged stores do not show what they were merged from.

use std::fmt::Debug;

use proptest::prelude::*;

use super::sample::{digest, manifest};
use crate::store::{CellRow, FailureRow, KnownRow, Manifest, Place, Status, Subject};

const AT: Place = Place { subject: 0, lot: 3, place: 5 };

fn lawful<R: Clone + PartialEq + Debug>(union: fn(R, R) -> R, [a, b, c]: [R; 3]) {
    let join = |one: &R, other: &R| union(one.clone(), other.clone());
    assert_eq!(join(&a, &a), a);
    assert_eq!(join(&a, &b), join(&b, &a));
    assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
}

fn failure() -> impl Strategy<Value = FailureRow> {
    (0..3_u32, 0..3_u32, "[ab]{0,2}", "[ab]{1}", "[ab]{1}").prop_map(|(faults, operations, case, kind, phase)| {
        FailureRow { at: AT, check: "Convergence".to_owned(), kind, phase, faults, operations, case }
    })
}

fn cell() -> impl Strategy<Value = CellRow> {
    (0..4_u32, "[ab]{1}").prop_map(|(place, words)| {
        let at = Place { place, ..AT };
        CellRow { at, cell: vec![1], words }
    })
}

fn known() -> impl Strategy<Value = KnownRow> {
    let version = prop::sample::select(vec!["0.2.0", "0.10.0", "0.10.0-rc", "1"]);
    (version, any::<bool>(), "[ab]{0,2}").prop_map(|(version, failing, case)| KnownRow {
        subject: "s".to_owned(),
        scenario: digest(7),
        seed: 1,
        plan: digest(1),
        check: "Convergence".to_owned(),
        kind: "apart".to_owned(),
        status: if failing { Status::Failing } else { Status::Fixed },
        version: version.to_owned(),
        case,
    })
}

proptest! {
    #[test]
    fn failures_unite(rows in prop::array::uniform3(failure())) {
        lawful(FailureRow::union, rows);
    }

    #[test]
    fn cells_unite(rows in prop::array::uniform3(cell())) {
        lawful(CellRow::union, rows);
    }

    #[test]
    fn known_failures_unite(rows in prop::array::uniform3(known())) {
        lawful(KnownRow::union, rows);
    }
}

#[test]
fn a_manifest_is_known_by_everything_in_it() {
    let plain = manifest("lots=4");
    let mut others = vec![manifest("lots=5"), Manifest { version: "0.2.0".to_owned(), ..plain.clone() }];
    let changes: [fn(&mut Subject); 3] =
        [|it| it.name.push('x'), |it| it.scenario.push(' '), |it| it.checks.truncate(1)];
    for change in changes {
        let mut other = plain.clone();
        change(&mut other.subjects[1]);
        others.push(other);
    }
    others.push(Manifest { subjects: plain.subjects[..1].to_vec(), ..plain.clone() });
    assert!(others.iter().all(|other| other.digest() != plain.digest()));
}
