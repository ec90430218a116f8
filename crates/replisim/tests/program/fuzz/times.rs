//! How long runs took is kept where a campaign was run, shown to whoever asks, and no part of what it came to.

use serde_json::{Value, json};

use super::{Folder, folder, merged};

/// What a store answers, row by row.
fn asked(folder: &Folder, store: &str, question: &str) -> Vec<Vec<Value>> {
    let answer = folder.program(&["campaign", "sql", store, question, "--format", "ndjson"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    answer.output.lines().map(|line| serde_json::from_str(line).expect("a row is a list")).collect()
}

fn fuzz(folder: &Folder, store: &str, options: &[&str]) {
    let fuzz = ["fuzz", "clean.ron", "failing.ron", "--runs", "400", "--store", store];
    assert_eq!(folder.program(&[&fuzz[..], options].concat()).code, 1, "there are failures to find");
}

#[test]
fn a_campaign_says_how_fast_it_was() {
    let folder = folder("speed");
    fuzz(&folder, "a.db", &[]);
    let speed = "SELECT subject, runs, timed_runs, wall_s > 0, runs_per_second > 1, events_per_second > 1 FROM speed";
    let told = asked(&folder, "a.db", speed);
    assert_eq!(Value::from(told), json!([["clean.ron", 200, 200, 1, 1, 1], ["failing.ron", 200, 200, 1, 1, 1]]));
    let shown = folder.program(&["campaign", "show", "a.db"]).output;
    for subject in ["clean.ron", "failing.ron"] {
        let line =
            shown.lines().find(|line| line.trim_start().starts_with(&format!("{subject} "))).expect("it was run");
        assert!(line.contains(" 200 runs ") && line.contains("/s a worker "), "{line}");
    }
}

#[test]
fn what_was_done_before_keeps_its_time() {
    let folder = folder("times");
    let times = |store: &str| asked(&folder, store, "SELECT * FROM run_time ORDER BY subject, lot, place");
    fuzz(&folder, "a.db", &[]);
    let first = times("a.db");
    assert_eq!(first.len(), 400);
    fuzz(&folder, "a.db", &["--resume"]);
    assert_eq!(times("a.db"), first, "nothing was run again");
    fuzz(&folder, "a.db", &[]);
    let again = times("a.db");
    assert_eq!(again.len(), 400, "a run has one time");
    assert_ne!(again, first);
}

#[test]
fn times_are_no_part_of_what_a_campaign_came_to() {
    let folder = folder("timeless");
    fuzz(&folder, "a.db", &[]);
    let shown = folder.program(&["campaign", "show", "a.db"]).output;
    let (digest, _) = merged(&folder, &["a.db"], "merged.db");
    assert!(shown.ends_with(&format!("digest    {digest}\n")), "{shown}");

    let plan = folder.program(&["fuzz", "plan", "failing.ron", "--runs", "200", "-o", "plan.ron"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let shard = folder.program(&["fuzz", "shard", "plan.ron", "--shard", "1/1", "-o", "shard.db"]);
    assert_eq!(shard.code, 0, "{shard:?}");
    for store in ["merged.db", "shard.db"] {
        let counts = asked(&folder, store, "SELECT (SELECT count(*) > 0 FROM run), (SELECT count(*) FROM run_time)");
        assert_eq!(counts, [[1, 0]], "{store}");
    }
}
