//! A campaign is the same however it is shared out: among workers, or among machines.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::{Folder, interrupted, merged, mixed, runs, under_way};

/// How many runs the campaign has, over two subjects: in a release build three lots or more.
const RUNS: &str = if cfg!(debug_assertions) { "1000" } else { "10000" };

/// A folder with a plan.
fn planned(name: &str) -> Folder {
    let folder = super::folder(name);
    let plan = folder.program(&["fuzz", "plan", "clean.ron", "failing.ron", "--runs", RUNS, "-o", "plan.ron"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.output.contains(" lots over 2 subjects"), "{plan:?}");
    folder
}

fn shard(folder: &Folder, part: &str, jobs: &str, output: &str) -> String {
    let shard = folder.program(&["fuzz", "shard", "plan.ron", "--shard", part, "--jobs", jobs, "-o", output]);
    assert_eq!((shard.code, shard.errors.as_str()), (0, ""));
    shard.output
}

#[test]
fn a_plan_is_written_again_but_not_over_another() {
    let folder = planned("plans");
    let plan = folder.read("plan.ron");
    let write = |runs| folder.program(&["fuzz", "plan", "clean.ron", "failing.ron", "--runs", runs, "-o", "plan.ron"]);
    assert_eq!(write(RUNS).code, 0);
    let refused = write("70");
    assert!(refused.code == 3 && refused.errors.contains("plan.ron is another campaign's plan"), "{refused:?}");
    assert_eq!(folder.read("plan.ron"), plan);
}

#[test]
fn the_number_of_workers_shows_nowhere() {
    let folder = super::folder("jobs");
    for jobs in ["1", "4"] {
        let store = format!("{jobs}.db");
        let arguments = ["fuzz", "failing.ron", "clean.ron", "--runs", RUNS, "--jobs", jobs, "--store", &store];
        assert_eq!(folder.program(&arguments).code, 1);
    }
    assert!(merged(&folder, &["1.db"], "1.merged") == merged(&folder, &["4.db"], "4.merged"));
}

#[test]
fn however_a_campaign_is_shared_out_it_is_the_same() {
    let folder = planned("shares");
    shard(&folder, "1/1", "1", "alone.db");
    shard(&folder, "1/1", "4", "together.db");
    let whole = merged(&folder, &["alone.db"], "alone.merged");
    assert!(merged(&folder, &["together.db"], "together.merged") == whole);

    let mut parts = Vec::new();
    for part in [1, 2, 3, 4, 5, 6, 7, 2, 5] {
        let store = format!("{}-{part}.db", parts.len());
        shard(&folder, &format!("{part}/7"), if part % 2 == 0 { "1" } else { "4" }, &store);
        parts.push(store);
    }
    for round in 0..3 {
        parts.sort_by_key(|part| mixed(round << 8 | u64::from(part.as_bytes()[0])));
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        assert!(merged(&folder, &parts, &format!("{round}.merged")) == whole, "{parts:?}");
    }
}

#[test]
fn what_is_merged_is_not_fine_while_a_shard_is_missing() {
    let folder = super::folder("gate");
    let plan = folder.program(&["fuzz", "plan", "clean.ron", "--runs", "4097", "-o", "plan.ron"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    shard(&folder, "2/2", "1", "2.db");
    assert_eq!(folder.program(&["fuzz", "merge", "2.db", "-o", "all.db"]).code, 0);
    let shown = folder.program(&["campaign", "show", "all.db"]);
    assert_eq!((shown.code, shown.output.contains("\n4,096 of 4,097 runs are missing\n")), (1, true), "{shown:?}");
    let whole = ["fuzz", "clean.ron", "--runs", "10", "--store", "whole.db"];
    assert_eq!((folder.program(&whole).code, folder.program(&["campaign", "show", "whole.db"]).code), (0, 0));
}

#[test]
fn a_shard_that_is_there_is_not_run_again() {
    let folder = planned("again");
    assert!(shard(&folder, "2/7", "4", "part.db").contains(" runs, "));
    let before = std::fs::read(folder.path("part.db")).expect("it was written");
    assert!(shard(&folder, "2/7", "4", "part.db").starts_with("already whole: "));
    assert!(std::fs::read(folder.path("part.db")).expect("it is there") == before);
}

#[test]
fn what_is_there_is_no_shard_unless_it_holds_the_runs_of_this_one() {
    let folder = super::folder("taken");
    for (plan, runs) in [("plan.ron", "9000"), ("other.ron", "20")] {
        assert_eq!(folder.program(&["fuzz", "plan", "clean.ron", "--runs", runs, "-o", plan]).code, 0);
    }
    folder.write("text.db", "not a store, and longer than the header of one ".repeat(20));
    let run = |plan: &str, part: &str, output: &str| {
        let shard = folder.program(&["fuzz", "shard", plan, "--shard", part, "-o", output]);
        (shard.code, shard.output, shard.errors.lines().next().unwrap_or_default().to_owned())
    };
    assert_eq!(run("other.ron", "1/1", "small.db"), (0, "20 runs, 0 failing: small.db\n".to_owned(), String::new()));
    let (code, told, _) = run("other.ron", "1/1", "small.db");
    assert_eq!((code, told.as_str()), (0, "already whole: 20 runs, 0 failing: small.db\n"));
    let taken = |path: &str| (3, String::new(), format!("error[C009]: {path} is there already"));
    assert_eq!(run("plan.ron", "1/3", "small.db"), taken("small.db"), "of another plan");
    let nothing = "nothing to do, for the plan has no more than 1 lot: none.db\n".to_owned();
    assert_eq!(run("other.ron", "7/99", "none.db"), (0, nothing, String::new()));
    assert_eq!(run("other.ron", "1/1", "none.db"), taken("none.db"), "another part of this one");
    for (plan, part) in [("other.ron", "1/1"), ("plan.ron", "1/3")] {
        let half = folder.program(&["fuzz", "shard", plan, "--shard", part, "-o", "half.db"]);
        assert_eq!(half.code, 0, "{half:?}");
        std::fs::rename(folder.path("half.db"), folder.path("half.db.part")).expect("it can be renamed");
        assert_eq!(run("plan.ron", "2/3", "half.db"), taken("half.db.part"), "of another plan or part, half done");
        std::fs::remove_file(folder.path("half.db.part")).expect("it can be removed");
    }
    let foreign = "error[C002]: text.db is not a store of campaigns".to_owned();
    assert_eq!(run("other.ron", "1/1", "text.db"), (3, String::new(), foreign));
}

#[test]
fn a_plan_that_is_none_is_told_where_it_stands() {
    let folder = planned("no_plan");
    let plan = String::from_utf8(folder.read("plan.ron")).expect("a plan is text");
    for (from, to, told) in [
        ("guided: true", "guided: maybe", ["this is not a plan: Expected boolean", "plan.ron:6:12"]),
        (
            "seed_start: 1",
            "seed_start: 1, sown: 1",
            ["this is not a plan: Unexpected field named `sown`", "plan.ron:5:20"],
        ),
        (
            &format!("runs: {RUNS}"),
            "runs: 0",
            ["a plan has a subject and from 1 to 17592186040320 runs", "plan.ron:1:1"],
        ),
    ] {
        folder.write("plan.ron", plan.replace(from, to));
        let refused = folder.program(&["fuzz", "shard", "plan.ron", "--shard", "1/1", "-o", "it.db"]);
        assert!(refused.code == 3 && told.iter().all(|told| refused.errors.contains(told)), "{}", refused.errors);
    }
    let many = folder.program(&["fuzz", "plan", "clean.ron", "--runs", "17592186040321", "-o", "many.ron"]);
    assert!(many.code == 2 && many.errors.contains("at most 17,592,186,040,320 runs"), "{many:?}");
}

#[test]
fn an_interrupted_shard_says_how_far_it_is() {
    let folder = super::folder("interrupted_shard");
    assert_eq!(folder.program(&["fuzz", "plan", "clean.ron", "--runs", "100000000", "-o", "plan.ron"]).code, 0);
    let arguments = ["fuzz", "shard", "plan.ron", "--shard", "1/1", "--jobs", "2", "-o", "part.db"];
    let (child, _) = under_way(&folder, &arguments, "part.db.part");
    let told = interrupted(child, "kill -INT $0");
    assert!(told.ends_with(" of 100,000,000 runs are done; the same command does the others\n"), "{told}");
    assert!(folder.path("part.db.part").exists() && !folder.path("part.db").exists());
}

#[test]
fn a_shard_takes_its_place_beside_no_log_of_another() {
    let folder = planned("logs");
    let logs = ["part.db-wal", "part.db-journal"];
    logs.iter().for_each(|log| folder.write(log, "of a store that is gone"));
    shard(&folder, "2/7", "4", "part.db");
    assert!(logs.iter().all(|log| !folder.path(log).exists()));
    shard(&folder, "2/7", "4", "other.db");
    assert!(merged(&folder, &["part.db"], "part.merged") == merged(&folder, &["other.db"], "other.merged"));
}

#[test]
fn a_killed_shard_is_completed_by_running_it_again() {
    let folder = planned("killed");
    let arguments = ["fuzz", "shard", "plan.ron", "--shard", "1/1", "--jobs", "2", "-o", "killed.db"];
    let mut amid = false;
    for life in [50, 100, 150, 200, 300, 450] {
        let mut child = folder.command(&arguments).stdout(Stdio::null()).spawn().expect("the program can be run");
        thread::sleep(Duration::from_millis(life));
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");
        amid |= folder.path("killed.db.part").exists() && runs(&folder, "killed.db.part") > 0;
    }
    assert!(amid, "it was killed while some runs were done, and others not");
    shard(&folder, "1/1", "2", "killed.db");
    shard(&folder, "1/1", "2", "whole.db");
    assert!(merged(&folder, &["killed.db"], "killed.merged") == merged(&folder, &["whole.db"], "whole.merged"));
    assert!(!folder.path("killed.db.part").exists(), "nothing half done is left");
}
