//! A writer that is killed at any moment leaves a whole store, in which is every run that it reported as committed.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::sample::{LOT, manifest, mixed, record};
use crate::scratch::Scratch;
use crate::store::{Begin, Store, StoreError, Value, Writer};

const RUNS: u64 = 60_000;
const KILLS: u64 = 25;

/// Where the process that will be killed finds its store.
const PATH: &str = "REPLISIM_STORE_TO_BE_KILLED";

#[test]
fn a_sudden_end_loses_nothing_that_was_reported() {
    let scratch = Scratch::new("kill");
    let path = scratch.path("a.store");
    let mut reported_max = 0;
    for round in 0..KILLS {
        let patience = Duration::from_micros(mixed(round) % 700_000);
        let reported = reported_until_killed(&path, patience);
        if path.exists() {
            check(&path, reported);
        }
        reported_max = reported.max(reported_max);
    }
    assert!(reported_max > 0, "some process lived long enough to commit anything");

    complete(&path);
    complete(&scratch.path("undisturbed.store"));
    let digest = |path: &Path| Store::open(path).unwrap().digest().unwrap();
    assert_eq!(digest(&path), digest(&scratch.path("undisturbed.store")));
}

/// Starts a process that writes, kills it after a while, and returns how many runs it had reported as committed.
fn reported_until_killed(path: &Path, patience: Duration) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "store::tests::kill::the_process_that_is_killed", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(patience);
    child.kill().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let reported = lines.filter_map(|line| line.strip_prefix("committed ")?.strip_suffix(" runs")?.parse().ok()).last();
    child.wait().unwrap();
    reported.unwrap_or(0)
}

/// Runs are written in order, so the first `reported` of them must be there, each with all that belongs to it.
fn check(path: &Path, reported: u64) {
    let store = match Store::open(path) {
        // It had not begun.
        Err(StoreError::Empty { .. }) => {
            assert_eq!(reported, 0, "what was reported can be read");
            Writer::begin(path, &manifest("first"), Begin::Resume).unwrap().finish().unwrap();
            Store::open(path)
        }
        opened => opened,
    };
    let store = store.unwrap_or_else(|error| panic!("{error}, and {reported} runs were reported"));
    let answer = store.query("PRAGMA integrity_check").unwrap();
    assert_eq!(answer.rows, [[Value::Text("ok".to_owned())]]);
    let campaign = manifest("first").digest();
    let Ok(failures) = store.failures(campaign) else {
        assert_eq!(reported, 0, "the campaign is there before its runs");
        return;
    };
    let lots = (0..reported).step_by(LOT as usize).map(|i| record(i).run.at);
    let runs: Vec<_> = lots.flat_map(|at| store.lot(campaign, at.subject, at.lot).unwrap()).collect();
    assert!(runs.len() as u64 >= reported, "{} of {reported} reported runs are there", runs.len());
    let expected: Vec<_> = (0..reported).map(record).collect();
    assert!(expected.iter().zip(&runs).all(|(record, run)| record.run == *run));
    let missing = expected.iter().flat_map(|record| &record.failures).find(|it| failures.binary_search(it).is_err());
    assert_eq!(missing, None, "a run's failures are committed with it");
}

/// Writes what is missing, and what is there once more.
fn complete(path: &Path) {
    let writer = Writer::begin(path, &manifest("first"), Begin::Resume).unwrap();
    (0..RUNS).for_each(|i| writer.put(record(i)).unwrap());
    assert_eq!(writer.finish().unwrap(), RUNS);
}

#[test]
#[ignore = "a process of another test, which kills it"]
fn the_process_that_is_killed() {
    let path = env::var_os(PATH).expect("the other test says where");
    let writer = Writer::begin(path.as_ref(), &manifest("first"), Begin::Resume).unwrap();
    let mut reported = 0;
    for i in (0..RUNS).cycle() {
        writer.put(record(i)).unwrap();
        let committed = writer.committed().min(RUNS);
        if committed > reported {
            reported = committed;
            let mut out = std::io::stdout().lock();
            writeln!(out, "\ncommitted {reported} runs").and_then(|()| out.flush()).unwrap();
        }
    }
}
