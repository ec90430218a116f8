//! What is put into a store comes out again, and whatever cannot be a store is refused in words.

mod files;
mod kill;
mod laws;
mod merging;
mod sample;

use std::fs;
use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::scratch::Scratch;
use sample::{cells, failure, keep, manifest, record, run};

#[test]
fn what_was_put_is_read_again() {
    let scratch = Scratch::new("again");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    let records: Vec<Record> = (0..1_000).map(record).collect();
    for record in records.iter().rev() {
        writer.put(record.clone()).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), 1_000);

    let store = Store::open(&path).unwrap();
    assert_eq!(store.campaigns().unwrap(), std::slice::from_ref(&manifest));
    let lots = records.chunk_by(|a, b| (a.run.at.subject, a.run.at.lot) == (b.run.at.subject, b.run.at.lot));
    for lot in lots {
        let Place { subject, lot: number, .. } = lot[0].run.at;
        let expected: Vec<RunRow> = lot.iter().map(|record| record.run.clone()).collect();
        assert_eq!(store.lot(manifest.digest(), subject, number).unwrap(), expected);
    }
    let mut failures: Vec<FailureRow> = records.iter().flat_map(|record| record.failures.clone()).collect();
    failures.sort();
    assert!(!failures.is_empty());
    assert_eq!(store.failures(manifest.digest()).unwrap(), failures);
    let known = store.known().unwrap();
    assert_eq!(known.len(), failures.len());
    assert!(known.iter().all(|known| known.status == Status::Failing && known.version == "0.1.0"));
    let failing = known.iter().find(|known| known.seed == run(failures[0].at).seed).unwrap();
    assert_eq!(failing.case, failures[0].case);
}

#[test]
fn a_store_is_read_while_it_is_written() {
    let scratch = Scratch::new("meanwhile");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    let store = Store::open(&path).unwrap();
    for i in 0..300 {
        writer.put(record(i)).unwrap();
    }
    while writer.committed() < 300 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen: u64 = store.summary(manifest.digest()).unwrap().subjects.iter().map(|tally| tally.runs).sum();
    assert_eq!(seen, 300, "what is counted as committed can be read although the writer goes on");
    writer.put(record(300)).unwrap();
    assert_eq!(writer.finish().unwrap(), 301);
}

#[test]
fn the_same_result_again_does_no_harm_and_another_one_stops_the_writer() {
    let scratch = Scratch::new("conflict");
    let path = scratch.path("a.store");
    let writer = Writer::begin(&path, &manifest("first"), Begin::Resume).unwrap();
    writer.put(record(5)).unwrap();
    writer.put(record(5)).unwrap();
    assert_eq!(writer.finish().unwrap(), 2);

    let writer = Writer::begin(&path, &manifest("first"), Begin::Resume).unwrap();
    let mut other = record(5);
    other.run.fingerprint.0 ^= 1;
    other.run.events += 1;
    writer.put(other).unwrap();
    while writer.put(record(6)).is_ok() {}
    let StoreError::Conflict(conflict) = writer.finish().unwrap_err() else { panic!("two results are a conflict") };
    assert_eq!(conflict.differ, ["fingerprint", "events"]);
    assert_eq!(conflict.first.fingerprint, record(5).run.fingerprint);
    assert!(conflict.first.by.ends_with("a.store"));
    assert_eq!(conflict.second.by, "this run");
    assert_eq!(conflict.subject, "scenarios/failover/lost_write.ron");
}

#[test]
fn a_campaign_that_begins_anew_keeps_only_what_is_known() {
    let scratch = Scratch::new("anew");
    let path = scratch.path("a.store");
    for name in ["first", "second"] {
        let writer = Writer::begin(&path, &manifest(name), Begin::Resume).unwrap();
        (0..200).for_each(|i| writer.put(record(i)).unwrap());
        writer.finish().unwrap();
    }
    let (first, second) = (manifest("first").digest(), manifest("second").digest());
    let cells = |store: &Store| store.query("SELECT DISTINCT campaign FROM coverage").unwrap().rows.len();
    let known = Store::open(&path).unwrap().known().unwrap();
    let writer = Writer::begin(&path, &manifest("first"), Begin::Anew).unwrap();
    let there = record(5).run;
    let other = RunRow { events: there.events + 1, failed: false, ..there };
    writer.put(Record::from(other.clone())).unwrap();
    writer.finish().unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.lot(first, 0, 0).unwrap(), [other]);
    assert_eq!((store.failures(first).unwrap(), cells(&store)), (vec![], 1));
    assert_eq!(store.lot(second, 0, 0).unwrap().len(), 64);
    assert!(!known.is_empty() && !store.failures(second).unwrap().is_empty());
    assert_eq!(store.known().unwrap(), known);
}

/// The failure of one run, with so many faults and this case.
fn failing(faults: u32, case: &str) -> FailureRow {
    FailureRow { faults, case: case.to_owned(), ..failure(record(0).run.at) }
}

/// A store of one run, of which these were handed over one after the other.
fn kept(scratch: &Scratch, failures: impl IntoIterator<Item = FailureRow>) -> Store {
    let path = scratch.path("a.store");
    let writer = Writer::begin(&path, &manifest("first"), Begin::Resume).unwrap();
    writer.put(record(0)).unwrap();
    failures.into_iter().for_each(|failure| writer.put_failure(failure).unwrap());
    writer.finish().unwrap();
    Store::open(&path).unwrap()
}

#[test]
fn of_two_cases_the_smaller_is_kept_and_known() {
    let scratch = Scratch::new("smaller");
    let tried = [(3, "three faults"), (1, ""), (1, "one"), (1, ""), (2, "two")];
    let store = kept(&scratch, tried.map(|(faults, case)| failing(faults, case)));
    assert_eq!(store.failures(manifest("first").digest()).unwrap(), [failing(1, "one")]);
    assert_eq!(store.known().unwrap()[0].case, "one");
}

/// A shrunk case tells its story, so its text may well be longer than that of the run that it was shrunk from.
#[test]
fn of_two_cases_that_hold_as_much_the_shrunk_one_is_kept_and_known() {
    let scratch = Scratch::new("shrunk");
    let shrunk = "/* A story. */ Case(\n    anomaly: (check: Convergence),\n    scenario: (),\n)";
    let store = kept(&scratch, ["Case(\n    scenario: (),\n)", shrunk, "Case()"].map(|case| failing(1, case)));
    assert_eq!(store.failures(manifest("first").digest()).unwrap()[0].case, shrunk);
    assert_eq!(store.known().unwrap()[0].case, shrunk);
    assert_eq!(store.query("SELECT case_text FROM causes").unwrap().rows, [[Value::Text(shrunk.to_owned())]]);
}

#[test]
fn a_known_failure_is_marked_fixed_and_fails_again() {
    let scratch = Scratch::new("known");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let mark = |status, version: &str| {
        let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
        let at = record(0).run.at;
        writer.put(record(0)).unwrap();
        writer.put_failure(failure(at)).unwrap();
        writer.finish().unwrap();
        let known = Store::open(&path).unwrap().known().unwrap().remove(0);
        let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
        let (version, case) = (version.to_owned(), String::new());
        writer.put_known(KnownRow { status, version, case, ..known }).unwrap();
        writer.finish().unwrap();
        let known = Store::open(&path).unwrap().known().unwrap().remove(0);
        assert_eq!(known.case, failure(at).case, "a case is never lost");
        (known.status, known.version)
    };
    assert_eq!(mark(Status::Fixed, "0.2.0"), (Status::Fixed, "0.2.0".to_owned()));
    assert_eq!(mark(Status::Failing, "0.10.0"), (Status::Failing, "0.10.0".to_owned()));
}

#[test]
fn coverage_is_counted_by_lot() {
    let scratch = Scratch::new("coverage");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    let at = |lot, place| Place { subject: 1, lot, place };
    for at in [at(4, 9), at(2, 3), at(4, 2), at(4, 2)] {
        writer.put(Record { cells: cells(at), ..Record::from(run(at)) }).unwrap();
    }
    writer.finish().unwrap();
    let asked = "SELECT subject_number, first_lot, first_place, lots FROM coverage";
    assert_eq!(Store::open(&path).unwrap().query(asked).unwrap().rows, [[1, 2, 3, 2].map(Value::Integer)]);
}

#[test]
fn a_summary_counts_verdicts_and_causes() {
    let scratch = Scratch::new("summary");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    for i in 0..1_000 {
        writer.put(Record { elapsed: Some(Duration::from_millis(2)), ..record(i) }).unwrap();
    }
    writer.finish().unwrap();
    let store = Store::open(&path).unwrap();
    let summary = store.summary(manifest.digest()).unwrap();
    let records: Vec<Record> = (0..1_000).map(record).collect();
    for (number, tally) in (0..).zip(&summary.subjects) {
        let own: Vec<_> = records.iter().filter(|record| record.run.at.subject == number).collect();
        let count = |what: &dyn Fn(&RunRow) -> bool| own.iter().filter(|record| what(&record.run)).count() as u64;
        assert_eq!((tally.runs, tally.failed), (count(&|_| true), count(&|run| run.failed)));
        assert_eq!(tally.events, own.iter().map(|record| record.run.events).sum::<u64>());
        assert_eq!((tally.timed, tally.wall), (tally.runs, Duration::from_millis(2 * tally.runs)));
        for (position, check) in tally.checks.iter().enumerate() {
            let marked = |mark: Mark| count(&|run| run.verdicts.chars().nth(position) == Some(mark.letter()));
            assert_eq!(Mark::ALL.map(|mark| check.count(mark)), Mark::ALL.map(marked), "{}", check.name);
            assert_eq!(check.holds(), marked(Mark::Kept) + marked(Mark::Lucky));
        }
    }
    let sizes: Vec<_> = summary.causes.iter().map(|cause| (cause.faults, cause.operations, cause.case.len())).collect();
    assert!(sizes.is_sorted() && sizes.len() > 1, "smallest first: {sizes:?}");
    let failing: u64 = summary.causes.iter().map(|cause| cause.runs).sum();
    assert_eq!(failing, records.iter().map(|record| record.failures.len() as u64).sum::<u64>());
    for cause in &summary.causes {
        assert_eq!(cause.seed, run(cause.at).seed, "also seeds that are negative to SQLite");
        assert_eq!(cause.of, summary.subjects[cause.subject as usize].runs);
    }
    for view in ["causes", "verdicts", "coverage", "speed", "every_run"] {
        let answer = store.query(&format!("SELECT * FROM {view}")).unwrap();
        assert!(!answer.rows.is_empty(), "{view}");
    }
    assert_eq!(store.query("SELECT runs_per_second FROM speed").unwrap().rows, vec![vec![Value::Real(500.0)]; 2]);
}

/// Seeds around the largest number that SQLite has, and how a question writes each.
const SEEDS: [(u64, &str); 4] = [
    (13, "13"),
    ((1 << 63) - 1, "9223372036854775807"),
    (1 << 63, "'9223372036854775808'"),
    (u64::MAX, "'18446744073709551615'"),
];

#[test]
fn a_seed_is_asked_for_as_a_number_where_it_is_one_to_sqlite() {
    let scratch = Scratch::new("seeds");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    for (place, (seed, _)) in (0..).zip(SEEDS) {
        let at = Place { subject: 0, lot: 0, place };
        let failures = vec![FailureRow { kind: seed.to_string(), ..failure(at) }];
        writer.put(Record { failures, ..Record::from(RunRow { seed, ..run(at) }) }).unwrap();
    }
    writer.finish().unwrap();
    let store = Store::open(&path).unwrap();
    for (place, (_, asked)) in (0..).zip(SEEDS) {
        for view in ["every_run", "causes"] {
            let answer = store.query(&format!("SELECT place FROM {view} WHERE seed = {asked}")).unwrap();
            assert_eq!(answer.rows, [[Value::Integer(place)]], "{view}, {asked}");
        }
    }
    let seeds = |store: &Store| {
        let causes = store.summary(manifest.digest()).unwrap().causes;
        causes.iter().all(|cause| cause.kind == cause.seed.to_string()) && causes.len() == SEEDS.len()
    };
    assert!(seeds(&store));

    // A store keeps its views, and in those of before every seed is a text.
    let connection = Connection::open(&path).unwrap();
    let view = "SELECT sql FROM sqlite_schema WHERE name = 'causes'";
    let view: String = connection.query_row(view, [], |row| row.get(0)).unwrap();
    let before = view.replace("iif(run.seed < 0, printf('%llu', run.seed), run.seed)", "printf('%llu', run.seed)");
    assert_ne!(before, view);
    connection.execute_batch(&format!("DROP VIEW causes; {before}")).unwrap();
    assert!(seeds(&Store::open(&path).unwrap()));
}

#[test]
fn a_cause_is_told_by_a_case_that_is_written_down() {
    let scratch = Scratch::new("told");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    for (place, faults, text) in [(0, 1, ""), (1, 3, "three faults"), (2, 2, "two faults")] {
        let at = Place { subject: 0, lot: 0, place };
        let kind = "apart".to_owned();
        let failures = vec![FailureRow { kind, faults, case: text.to_owned(), ..failure(at) }];
        writer.put(Record { failures, ..Record::from(run(at)) }).unwrap();
    }
    writer.finish().unwrap();
    let store = Store::open(&path).unwrap();
    let causes = store.summary(manifest.digest()).unwrap().causes;
    assert_eq!(causes.iter().map(|it| (it.runs, it.case.as_str())).collect::<Vec<_>>(), [(3, "two faults")]);
    assert_eq!(store.known().unwrap().len(), 2, "what cannot be run again is not known");
    assert_eq!(store.cases().unwrap(), ["three faults", "two faults"]);
}

#[test]
fn letters_stand_for_marks() {
    for mark in Mark::ALL {
        assert_eq!(Mark::from_letter(mark.letter()), Some(mark));
    }
    assert_eq!(Mark::from_letter('!'), None);
}

#[test]
fn what_has_not_run_is_counted_as_nothing() {
    let scratch = Scratch::new("nothing");
    let manifest = manifest("first");
    let store = sample::create(&scratch.path("a.store"), &manifest).unwrap();
    let summary = store.summary(manifest.digest()).unwrap();
    let names: Vec<_> = summary.subjects[0].checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["NoLostWrites", "ReadYourWrites", "Convergence"]);
    assert_eq!((summary.subjects.len(), summary.subjects[1].runs, summary.causes.len()), (2, 0, 0));
    assert!(matches!(store.summary(sample::digest(9)), Err(StoreError::NoCampaign { .. })));
    assert!(matches!(store.lot(manifest.digest(), 2, 0), Err(StoreError::NoSubject { subject: 2 })));
}

#[test]
fn the_bound_is_the_rule_of_three() {
    assert_eq!(rate_bound(0), None);
    assert!((rate_bound(1).unwrap() - 0.95).abs() < 1e-12);
    let bound = rate_bound(1_000_000).unwrap();
    assert!((bound * 1e6 - 2.995_728).abs() < 1e-5, "{bound}");
}

#[test]
fn a_question_only_reads() {
    let scratch = Scratch::new("question");
    let path = scratch.path("a.store");
    let store = sample::create(&path, &manifest("first")).unwrap();
    let answer = store.query("SELECT version, 1.5, NULL, x'c0de' FROM campaign").unwrap();
    assert_eq!(answer.columns, ["version", "1.5", "NULL", "x'c0de'"]);
    let version = Value::Text("0.1.0".to_owned());
    assert_eq!(answer.rows, [[version, Value::Real(1.5), Value::Null, Value::Blob(vec![0xc0, 0xde])]]);
    let copy = scratch.path("copy");
    let vacuum = format!("VACUUM INTO '{}'", copy.display());
    let attach = format!("ATTACH '{}' AS other", copy.display());
    for sql in ["DELETE FROM run", "DROP TABLE run", "SELEC 1", "", "SELECT 1; SELECT 2", &vacuum, &attach] {
        assert!(matches!(store.query(sql), Err(StoreError::Query { .. })), "{sql}");
    }
    assert!(!copy.exists());
}

/// Whoever changes the schema is reminded to give it a number of its own, unless [`SCHEMA_VERSION`] says it needs none.
#[test]
fn a_schema_has_one_number() {
    let digest = replisim_kernel::Digest::of(&include_str!("../schema.sql"));
    assert_eq!((SCHEMA_VERSION, digest.to_string().as_str()), (4, "ece4539e93c1de2bd88f7a177956f7bd"));
}

/// SQLite's integers end at 292 years in nanoseconds, and a [`Span`](replisim_kernel::Span) at 584.
#[test]
fn simulated_time_has_no_end() {
    let scratch = Scratch::new("centuries");
    let (path, manifest) = (scratch.path("a.store"), manifest("first"));
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    let simulated = replisim_kernel::Span::nanos(i64::MAX as u64);
    for place in 0..3 {
        writer.put(Record::from(RunRow { simulated, ..run(Place { subject: 0, lot: 0, place }) })).unwrap();
    }
    writer.finish().unwrap();
    let summary = Store::open(&path).unwrap().summary(manifest.digest()).unwrap();
    assert_eq!(summary.subjects[0].simulated, 3 * Duration::from_nanos(i64::MAX as u64));
}

#[test]
fn a_question_to_a_damaged_store_is_not_to_blame() {
    let scratch = Scratch::new("blame");
    let path = scratch.path("a.store");
    keep(&path, 300);
    let store = Store::open(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let refused = store.query("SELECT count(*) FROM run WHERE events > 0").unwrap_err();
    assert_eq!(refused.code(), "C004", "{refused}");
}

#[test]
fn a_manifest_that_was_changed_is_found_out() {
    let scratch = Scratch::new("changed");
    let path = scratch.path("a.store");
    sample::create(&path, &manifest("first")).unwrap();
    let change = "UPDATE subject SET scenario = 'Scenario()' WHERE number = 0";
    Connection::open(&path).unwrap().execute_batch(change).unwrap();
    assert!(matches!(Store::open(&path).unwrap().campaigns(), Err(StoreError::Damaged { .. })));
}
