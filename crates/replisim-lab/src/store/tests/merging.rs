//! Merging: the same bytes whatever the number, the order and the repetition of the parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::sample::{digest, manifest, mixed, record, run};
use crate::scratch::Scratch;
use crate::store::{Begin, KnownRow, Manifest, Place, Placing, Record, Status, Store, StoreError, Writer, merge};

const RUNS: u64 = 1_500;

fn write(path: &Path, manifest: &Manifest, records: impl IntoIterator<Item = Record>) {
    let writer = Writer::begin(path, manifest, Begin::Resume).unwrap();
    records.into_iter().for_each(|record| writer.put(record).unwrap());
    writer.finish().unwrap();
}

/// The sample campaign cut into parts by chance, every run in one of them or in two, each part timed otherwise.
fn parts(scratch: &Scratch, round: u64, count: u64) -> Vec<PathBuf> {
    let part = |number: u64| {
        let path = scratch.path(&format!("{round}-{number}.store"));
        let holds = |i: &u64| {
            let word = mixed(round << 32 | i);
            word % count == number || (word >> 32).is_multiple_of(5) && (word >> 40) % count == number
        };
        let timed = |i| Record { elapsed: Some(Duration::from_nanos(number + i)), ..record(i) };
        write(&path, &manifest("first"), (0..RUNS).rev().filter(holds).map(timed));
        path
    };
    (0..count).map(part).collect()
}

#[test]
fn parts_make_the_same_bytes_in_any_order_and_however_often() {
    let scratch = Scratch::new("parts");
    let whole = scratch.path("whole.store");
    write(&whole, &manifest("first"), (0..RUNS).map(record));
    let expected = Store::open(&whole).unwrap().digest().unwrap();
    let alone = scratch.path("alone.merged");
    assert_eq!(merge(&[whole], &alone).unwrap(), expected);
    let bytes = fs::read(&alone).unwrap();

    for (round, count) in [(1, 1), (2, 2), (3, 5), (4, 9)] {
        let mut parts = parts(&scratch, round, count);
        parts.extend([parts[0].clone(), parts[parts.len() / 2].clone()]);
        parts.sort_by_key(|path| mixed(round ^ path.to_string_lossy().bytes().map(u64::from).sum::<u64>()));
        let merged = scratch.path(&format!("{round}.merged"));
        assert_eq!(merge(&parts, &merged).unwrap(), expected, "{count} parts");
        assert!(fs::read(&merged).unwrap() == bytes, "{count} parts make other bytes");
        assert!(Store::open(&merged).unwrap().query("SELECT * FROM run_time").unwrap().rows.is_empty());
        let again = scratch.path(&format!("{round}.again"));
        assert_eq!(merge(&[merged.clone(), parts[0].clone(), merged], &again).unwrap(), expected);
        assert!(fs::read(&again).unwrap() == bytes, "a merged store merges to itself");
    }
}

#[test]
fn campaigns_keep_apart() {
    let scratch = Scratch::new("apart");
    let (one, two, both) = (scratch.path("one"), scratch.path("two"), scratch.path("both"));
    write(&one, &manifest("first"), (0..100).map(record));
    write(&two, &manifest("second"), (50..200).map(record));
    write(&both, &manifest("second"), (50..200).map(record));
    write(&both, &manifest("first"), (0..100).map(record));
    let expected = Store::open(&both).unwrap().digest().unwrap();
    assert_eq!(merge(&[one.clone(), two.clone()], &scratch.path("a")).unwrap(), expected);
    assert_eq!(merge(&[two, one], &scratch.path("b")).unwrap(), expected);
    assert!(fs::read(scratch.path("a")).unwrap() == fs::read(scratch.path("b")).unwrap());
    let merged = Store::open(&scratch.path("a")).unwrap();
    assert_eq!(merged.campaigns().unwrap().len(), 2);
    let first = manifest("first").digest();
    assert_eq!(merged.lot(first, 0, 0).unwrap().len(), 64);
    assert_eq!(merged.lot(manifest("second").digest(), 0, 0).unwrap().len(), 14);
}

#[test]
fn a_store_is_merged_as_it_is_at_one_moment() {
    let scratch = Scratch::new("moment");
    let path = scratch.path("a.store");
    write(&path, &manifest("first"), (0..2_000).map(record));
    let writer = Writer::begin(&path, &manifest("first"), Begin::Resume).unwrap();
    let merged = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let rest = (2_000..).take_while(|_| !merged.load(Ordering::Relaxed));
            rest.for_each(|i| writer.put(record(i)).unwrap());
        });
        let merges: Vec<_> =
            (0..3).map(|round| merge(std::slice::from_ref(&path), &scratch.path(&round.to_string()))).collect();
        merged.store(true, Ordering::Relaxed);
        for (round, merged) in merges.into_iter().enumerate() {
            // What was put first is there, up to some record, and nothing of what was put after it.
            let merged = (Store::open(&scratch.path(&round.to_string())).unwrap(), merged.unwrap());
            let summary = merged.0.summary(manifest("first").digest()).unwrap();
            let runs: u64 = summary.subjects.iter().map(|subject| subject.runs).sum();
            let alone = scratch.path(&format!("{round} alone"));
            write(&alone, &manifest("first"), (0..runs).map(record));
            assert!(runs >= 2_000 && Store::open(&alone).unwrap().digest().unwrap() == merged.1, "{runs} runs");
        }
    });
    writer.finish().unwrap();
}

#[test]
fn two_results_for_one_place_name_both() {
    let scratch = Scratch::new("differ");
    let (one, two) = (scratch.path("one"), scratch.path("two"));
    write(&one, &manifest("first"), (0..100).map(record));
    let mut other = record(70);
    other.run.fingerprint = digest(0);
    write(&two, &manifest("first"), [other]);
    let output = scratch.path("merged");
    let error = merge(&[one.clone(), two.clone()], &output).unwrap_err();
    let StoreError::Conflict(conflict) = &error else { panic!("{error}") };
    assert_eq!((&conflict.first.by, &conflict.second.by), (&one.display().to_string(), &two.display().to_string()));
    assert_eq!((conflict.at, conflict.differ.as_slice()), (record(70).run.at, ["fingerprint"].as_slice()));
    let told = error.to_string();
    assert!(told.starts_with("two results for lot 0, place 6 of scenarios/failover/split_brain.ron:\n"), "{told}");
    let left: Vec<_> = fs::read_dir(scratch.folder()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(left.len() == 2, "nothing half done is left: {left:?}");
}

#[test]
fn what_is_known_survives_in_its_latest_state() {
    let scratch = Scratch::new("latest");
    let known = |status, version: &str| KnownRow {
        subject: "mine.ron".to_owned(),
        scenario: digest(7),
        seed: u64::MAX,
        plan: digest(3),
        check: "Convergence".to_owned(),
        kind: "apart".to_owned(),
        status,
        version: version.to_owned(),
        case: "Case()".to_owned(),
    };
    let rows = [known(Status::Failing, "0.2.0"), known(Status::Fixed, "0.10.0"), known(Status::Failing, "0.9.0")];
    let paths: Vec<PathBuf> = (0..3).map(|number| scratch.path(&number.to_string())).collect();
    for (path, row) in paths.iter().zip(&rows) {
        let writer = Writer::begin(path, &manifest("first"), Begin::Resume).unwrap();
        writer.put_known(row.clone()).unwrap();
        writer.finish().unwrap();
    }
    merge(&paths, &scratch.path("merged")).unwrap();
    assert_eq!(Store::open(&scratch.path("merged")).unwrap().known().unwrap(), [rows[1].clone()]);
}

#[test]
fn an_output_that_is_there_is_not_touched() {
    let scratch = Scratch::new("there");
    let (one, output) = (scratch.path("one"), scratch.path("output"));
    let at = Place { subject: 0, lot: 0, place: 0 };
    write(&one, &manifest("first"), [Record::from(run(at))]);
    fs::write(&output, "mine").unwrap();
    assert!(matches!(merge(&[one], &output), Err(StoreError::Exists { .. })));
    assert_eq!(fs::read(&output).unwrap(), b"mine");
    assert!(matches!(merge(&[scratch.path("no")], &scratch.path("new")), Err(StoreError::Missing { .. })));
    let left: Vec<_> = fs::read_dir(scratch.folder()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(left.len() == 2, "nothing half done is left: {left:?}");
}

#[test]
fn a_shard_that_is_half_done_beside_the_output_is_not_touched() {
    let scratch = Scratch::new("half");
    let (one, output) = (scratch.path("one"), scratch.path("output"));
    write(&one, &manifest("first"), (0..100).map(record));
    let placing = Placing::begin(&output).unwrap();
    let half = placing.part().to_owned();
    drop(placing);
    write(&half, &manifest("second"), (0..10).map(record));
    let before = fs::read(&half).unwrap();
    merge(&[one], &output).unwrap();
    assert!(fs::read(&half).unwrap() == before);
    assert_eq!(fs::read_dir(scratch.folder()).unwrap().count(), 3);
}
