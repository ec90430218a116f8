//! A campaign that is killed at any moment goes on as if it had not been.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use replisim::lab::store::{Place, RunRow, Store, StoreError, Value};

use super::{merged, mixed};

/// How many runs the campaign has.
const RUNS: usize = if cfg!(debug_assertions) { 1_000 } else { 8_000 };

#[test]
fn a_killed_campaign_goes_on_as_if_it_had_not_been() {
    kill("kill", 8);
}

#[test]
#[ignore = "takes a minute"]
fn a_campaign_that_is_killed_a_hundred_times_goes_on_as_if_it_had_not_been() {
    kill("kill_often", 100);
}

/// Kills a campaign again and again, and then lets it come to its end. A process lives as long as the whole takes, at most:
/// half of that from when one had done all its runs, as the machine may be less busy by now, and twice from when one had
/// done none.
#[expect(clippy::disallowed_types, reason = "how long a process lives is drawn from the clock; no run depends on it")]
fn kill(name: &str, kills: u64) {
    let folder = super::folder(name);
    let runs = RUNS.to_string();
    let fuzz = ["fuzz", "failing.ron", "--runs", &runs, "--jobs", "2", "--format", "ndjson", "--store"];
    let began = std::time::Instant::now();
    assert_eq!(folder.program(&[&fuzz[..], &["whole.db"]].concat()).code, 1, "there are failures to find");
    let mut life_max = began.elapsed();

    let resume = [&fuzz[..], &["killed.db", "--resume"]].concat();
    let store = folder.path("killed.db");
    let (mut held, mut amid) = (BTreeMap::new(), 0);
    for round in 0..kills {
        let mut child = folder.command(&resume).stdout(Stdio::null()).spawn().expect("the program can be run");
        thread::sleep(life_max.mul_f64((mixed(round) % 1_000) as f64 / 1_000.0));
        held.extend(runs_of(&store));
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");
        let left = whole(&store);
        assert!(held.iter().all(|(place, run)| left.get(place) == Some(run)), "what was committed is there");
        match left.len() {
            0 => life_max *= 2,
            RUNS => life_max /= 2,
            _ => amid += 1,
        }
        held = left;
        // A campaign that is complete cannot be killed amid its runs any more. The last one stays, to be compared.
        if held.len() == RUNS && round + 1 < kills {
            remove(&store);
            held.clear();
        }
    }
    assert!(amid > 0, "none of {kills} kills came amid the runs");
    let resumed = folder.program(&resume);
    assert_eq!((resumed.code, resumed.output.contains("\"known\":[]")), (1, true), "none but its own: {resumed:?}");
    assert!(merged(&folder, &["killed.db"], "killed.merged") == merged(&folder, &["whole.db"], "whole.merged"));
}

/// Removes a store, with what SQLite has left beside it.
fn remove(store: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let file = format!("{}{suffix}", store.display());
        assert!(fs::remove_file(&file).is_ok() || !Path::new(&file).exists(), "{file} can be removed");
    }
}

/// The runs of a store that must be whole, or not have been begun.
fn whole(path: &Path) -> BTreeMap<Place, RunRow> {
    if let Some(store) = begun(path) {
        let answer = store.query("PRAGMA integrity_check").expect("it can be asked");
        assert_eq!(answer.rows, [[Value::Text("ok".to_owned())]]);
    }
    runs_of(path)
}

/// A store that can be read however suddenly its writer ended, unless it has not been begun.
fn begun(path: &Path) -> Option<Store> {
    match Store::open(path) {
        Err(StoreError::Missing { .. } | StoreError::Empty { .. }) => None,
        store => Some(store.unwrap_or_else(|error| panic!("{error}"))),
    }
}

/// The runs of a store; none if there is no store yet.
fn runs_of(path: &Path) -> BTreeMap<Place, RunRow> {
    let mut runs = BTreeMap::new();
    let Some(store) = begun(path) else { return runs };
    let mut note = |run: RunRow| {
        runs.insert(run.at, run);
        Ok::<(), Infallible>(())
    };
    for manifest in store.campaigns().expect("it can be read") {
        let Ok(()) = store.each_run(manifest.digest(), &mut note).expect("so can its runs");
    }
    runs
}
