//! `replisim campaign` as a person or a script meets it.

use std::fs;
use std::path::Path;

use replisim::kernel::{Digest, Span};
use replisim::lab::store::{
    Begin, DivergenceRow, FailureRow, KnownRow, Manifest, Origin, Place, Record, RunRow, Status, Store, Subject, Writer,
};
use serde_json::Value;

use super::Folder;

const NAME: &str = "scenarios/failover/lost_write.ron";

#[test]
fn show_tells_failures_by_cause_and_what_is_clean() {
    let folder = Folder::new("campaign/show");
    keep(&folder, "a.store", 0..200);
    let shown = folder.program(&["campaign", "show", "a.store"]);
    assert_eq!((shown.code, shown.errors.as_str()), (1, ""), "an unfixed failure is told by the exit code");
    let digest = Store::open(&folder.path("a.store")).unwrap().digest().unwrap();
    insta::assert_snapshot!(shown.output.replace(&digest.to_string(), "DIGEST"), @r"
    campaign 895018e109e1c700c47a4e38a4f40915 · replisim 0.1.0 · 200 runs in lots of 50
    2 subjects, 200 runs, 200,000 events, 2,000 s simulated

    2 distinct failures in 200 runs, smallest first

      convergence: apart for good, after “quiet”
          scenarios/failover/lost_write.ron: 1 of 200 runs; 4 operations and 2 faults
          replisim replay 00000064 --store a.store
      convergence: apart, after “quiet”
          scenarios/failover/lost_write.ron: 1 of 200 runs; 4 operations and 3 faults
          replisim replay 00000000 --store a.store

      scenarios/failover/lost_write.ron  200 runs  0 cells
          2 of 200 runs failed
      mine.ron                             0 runs  0 cells

      scenarios/failover/lost_write.ron  holds  broken  allowed  undecided
        no acknowledged write lost           2       0      198          0
        convergence                        198       2        0          0

    mine.ron has not run

    cases     replisim campaign export a.store --cases cases

    2 cases of failures kept, to be run first next time: 2 not fixed
    digest    DIGEST
    ");

    fix(&folder.path("a.store"));
    let shown = folder.program(&["campaign", "show", "a.store"]);
    assert_eq!(shown.code, 1, "nothing is known of mine.ron: {}", shown.output);
    assert!(shown.output.contains("next time: 0 not fixed\n"), "{}", shown.output);
}

#[test]
fn what_was_forgotten_is_told_and_not_counted() {
    let folder = Folder::new("campaign/forgotten");
    keep(&folder, "a.store", 0..200);
    let statuses = || {
        let stored = folder.program(&["campaign", "show", "a.store", "--format", "json"]).json();
        let failures = stored["campaigns"][0]["failures"].as_array().expect("a list").iter();
        (failures.map(|failure| failure["status"].clone()).collect::<Vec<_>>(), stored["forgotten"].clone())
    };
    assert_eq!(statuses(), (vec!["failing".into(); 2], 0.into()));
    fix(&folder.path("a.store"));
    assert_eq!(statuses(), (vec!["fixed".into(); 2], 0.into()));
    let forgot = folder.program(&["campaign", "forget", "--all", "--store", "a.store"]);
    assert_eq!((forgot.code, forgot.output.as_str()), (0, "forgot 2 cases of failures\n"));
    assert_eq!(statuses(), (vec!["forgotten".into(); 2], 2.into()));
    let shown = folder.program(&["campaign", "show", "a.store"]);
    assert!(shown.output.contains("\nno failure that counts in 200 runs, 2 forgotten, smallest first\n"), "{shown:?}");
    assert_eq!(shown.output.matches("\n      forgotten: not counted\n").count(), 2, "{shown:?}");
}

#[test]
fn an_edited_case_is_kept_when_it_is_exported_again() {
    let folder = Folder::new("campaign/exported");
    keep(&folder, "a.store", 0..200);
    let export = || folder.program(&["campaign", "export", "a.store", "--cases", "cases"]);
    assert_eq!((export().code, export().errors.as_str()), (0, ""), "nothing was edited");
    let edited = case(0).replace("100ms", "200ms");
    folder.write("cases/00000000.ron", &edited);
    let again = export();
    assert!(again.errors.contains("was edited: that is cases/00000000.ron.before-1 now"), "{again:?}");
    assert_eq!(folder.read("cases/00000000.ron.before-1"), edited.as_bytes());
    assert_eq!(folder.read("cases/00000000.ron"), case(0).as_bytes());
}

#[test]
fn the_commands_that_show_prints_lead_to_the_cases() {
    let folder = Folder::new("campaign/cases");
    keep(&folder, "a.store", 0..200);
    let shown = folder.program(&["campaign", "show", "a.store"]).output;
    let replays: Vec<Vec<&str>> = shown
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix("replisim ")?.split(' ').collect()))
        .filter(|words: &Vec<&str>| words[0] == "replay")
        .collect();
    assert_eq!(replays.len(), 2);
    let replayed = |words: &Vec<&str>| {
        let replay = folder.program(words);
        assert_eq!(replay.code, 5, "the cases are made up: {replay:?}");
        replay.output
    };
    let from_store: Vec<String> = replays.iter().map(replayed).collect();
    let export =
        shown.lines().find_map(|line| line.strip_prefix("cases     replisim ")).expect("how to write the cases");
    let exported = folder.program(&export.split(' ').collect::<Vec<_>>());
    assert_eq!((exported.code, exported.output.as_str()), (0, "wrote 2 cases to cases\n"));
    let cases = replays.iter().map(|words| fs::read_to_string(folder.path(&format!("cases/{}.ron", words[1]))));
    assert_eq!(cases.map(|case| case.expect("it is there")).collect::<Vec<_>>(), [case(100), case(0)]);
    assert_eq!(replays.iter().map(replayed).collect::<Vec<_>>(), from_store);
}

#[test]
fn runs_that_differed_are_told_counted_and_can_be_replayed() {
    let folder = Folder::new("campaign/differing");
    keep_differing(&folder, "a.store");
    let shown = folder.program(&["campaign", "show", "a.store"]);
    assert_eq!(shown.code, 5, "{shown:?}");
    let told = shown.output.split_once("simulated\n\n").expect("a heading").1;
    assert!(
        told.starts_with("scenarios/failover/lost_write.ron\n  two runs of one plan differ, first at event 12\n"),
        "{told}"
    );
    assert!(told.contains("\n      replisim replay 00000001 --store a.store\n"), "{told}");
    assert!(
        told.contains("\n  and 2 more\n") && told.contains("\ncases     replisim campaign export a.store"),
        "{told}"
    );
    assert_eq!(folder.program(&["replay", "00000006", "--store", "a.store"]).code, 5, "the cases are made up");
    let listed = folder.program(&["campaign", "list", "a.store"]).output;
    assert!(listed.contains("99 runs, 0 failed, 6 differed"), "{listed}");

    let json: Value =
        serde_json::from_str(&folder.program(&["campaign", "show", "a.store", "--format", "json"]).output).unwrap();
    let subject = &json["campaigns"][0]["subjects"][0];
    assert_eq!((&json["fine"], &subject["differing"]), (&Value::from(false), &Value::from(6)));
    assert_eq!(subject["divergences"].as_array().map(Vec::len), Some(4));
    let lines = folder.program(&["campaign", "export", "a.store", "--format", "ndjson"]).output;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["type"] == "divergence").count(), 6);

    let merged = folder.program(&["fuzz", "merge", "a.store", "a.store", "-o", "b.store"]);
    assert_eq!(merged.code, 0, "{merged:?}");
    let last = |text: &str| text.lines().last().map(str::to_owned);
    let again = folder.program(&["campaign", "show", "b.store"]);
    assert_eq!((again.code, last(&again.output)), (5, last(&shown.output)), "one digest");
}

#[test]
fn a_case_is_found_by_the_beginning_of_its_fingerprint() {
    let folder = Folder::new("campaign/ids");
    keep(&folder, "a.store", 0..200);
    let replay = |id: &str, store: &str| {
        let replay = folder.program(&["replay", id, "--store", store]);
        (replay.code, replay.errors.lines().next().unwrap_or_default().to_owned())
    };
    let whole = format!("{:032x}", 100_u128 << 96);
    for id in [whole.as_str(), "00000064", "0000006"] {
        assert_eq!(replay(id, "a.store").0, 5, "{id}");
    }
    assert_eq!(replay("0000", "a.store"), (4, "error: `0000` could be any of 00000000, 00000064".to_owned()));
    assert_eq!(replay("ffff", "a.store").0, 4);
    let (code, told) = replay("000", "a.store");
    assert!(code == 4 && told.contains("4 digits or more"), "{told}");
    assert_eq!(replay("00000064", "no.store"), (3, "error[C001]: there is no store at no.store".to_owned()));
    fs::create_dir(folder.path(".replisim")).unwrap();
    fs::rename(folder.path("a.store"), folder.path(".replisim/campaign.db")).unwrap();
    assert_eq!(folder.program(&["replay", "00000064"]).code, 5, "the usual store need not be named");
}

#[test]
fn the_usual_store_need_not_be_named() {
    let folder = Folder::new("campaign/usual");
    for verb in ["list", "show"] {
        let missing = folder.program(&["campaign", verb]);
        assert!(missing.code == 3 && missing.errors.contains("no store at .replisim/campaign.db"), "{missing:?}");
    }
    folder.write(".replisim/notes.txt", "");
    keep(&folder, ".replisim/campaign.db", 0..200);
    for arguments in [&["list"][..], &["show"], &["sql", "SELECT * FROM causes"], &["export", "--format", "ndjson"]] {
        let usual = folder.program(&[&["campaign"], arguments].concat());
        let named = [&["campaign", arguments[0], ".replisim/campaign.db"], &arguments[1..]].concat();
        assert_eq!(usual.output, folder.program(&named).output, "{arguments:?}");
        assert!(!usual.output.is_empty() && usual.errors.is_empty(), "{usual:?}");
    }
    let shown = folder.program(&["campaign", "show"]);
    assert!(shown.output.contains("\ncases     replisim campaign export --cases cases\n"), "{}", shown.output);
    let replays = shown.commands("replay");
    assert_eq!(replays, [["replay", "00000064"], ["replay", "00000000"]]);
}

#[test]
fn questions_are_answered_in_a_table_or_in_json() {
    let folder = Folder::new("campaign/sql");
    keep(&folder, "a.store", 0..200);
    let question = "SELECT subject, kind, runs, faults FROM causes";
    let asked = folder.program(&["campaign", "sql", "a.store", question]);
    assert_eq!(asked.code, 0, "{asked:?}");
    insta::assert_snapshot!(asked.output, @r"
    subject                            kind            runs  faults
    scenarios/failover/lost_write.ron  apart for good     1       2
    scenarios/failover/lost_write.ron  apart              1       3
    ");
    let seeds = |view: &str| {
        let question = format!("SELECT lot, place, seed FROM {view} WHERE seed = 100");
        folder.program(&["campaign", "sql", "a.store", &question, "--format", "ndjson"]).output
    };
    assert_eq!(["every_run", "causes"].map(seeds), ["[2,0,100]\n"; 2], "a seed is a number");
    let json = folder.program(&["campaign", "sql", "a.store", question, "--format", "json"]).json();
    assert_eq!(
        (&json["schema_version"], &json["columns"][1], &json["rows"][0][2]),
        (&3.into(), &"kind".into(), &1.into())
    );
    let asked = |format| folder.program(&["campaign", "sql", "a.store", question, "--format", format]).output;
    assert_eq!(asked("csv").lines().nth(1), Some("scenarios/failover/lost_write.ron,apart for good,1,2"));
    let nothing = folder.program(&["campaign", "sql", "a.store", "SELECT NULL AS it", "--format", "csv"]);
    assert_eq!(nothing.output, "it\r\n\"\"\r\n", "an empty line would be no row");
    assert_eq!(asked("ndjson").lines().next(), Some(r#"["scenarios/failover/lost_write.ron","apart for good",1,2]"#));
    let refused = folder.program(&["campaign", "sql", "a.store", "DELETE FROM run"]);
    assert_eq!((refused.code, refused.output.as_str()), (3, ""));
    assert!(refused.errors.starts_with("error[C012]: "), "{}", refused.errors);
}

#[test]
fn words_in_another_order_than_a_store_and_a_question_are_told_in_the_right_one() {
    let folder = Folder::new("campaign/order");
    keep(&folder, "a b.store", 0..20);
    for (words, code, command) in [
        (&["SELECT 1 AS one", "a b.store"][..], "C001", "'a b.store' 'SELECT 1 AS one'"),
        (&["SELECT 1 AS one", "missing.store"], "C001", "missing.store 'SELECT 1 AS one'"),
        (&["a b.store"], "C012", "'a b.store' \"SELECT * FROM causes\""),
    ] {
        let refused = folder.program(&[&["campaign", "sql"], words].concat());
        assert_eq!((refused.code, refused.output.as_str()), (3, ""), "{refused:?}");
        assert!(refused.errors.starts_with(&format!("error[{code}]: ")), "{refused:?}");
        assert!(refused.errors.ends_with(&format!("\n  ask `replisim campaign sql {command}`\n")), "{refused:?}");
    }
    let missing = folder.program(&["campaign", "sql", "missing.store", "SELECT 1 AS one"]);
    assert!(missing.errors.starts_with("error[C001]: there is no store at missing.store\n"), "{missing:?}");
    assert_eq!(folder.program(&["campaign", "sql", "a b.store", "SELECT 1 AS one"]).output, "one\n  1\n");
}

#[test]
fn a_store_is_exported_line_by_line() {
    let folder = Folder::new("campaign/ndjson");
    keep(&folder, "a.store", 0..200);
    let exported = folder.program(&["campaign", "export", "a.store", "--format", "ndjson"]);
    assert_eq!(exported.code, 0, "{exported:?}");
    let lines: Vec<Value> = exported.output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!((of("run"), of("failure"), lines.len()), (200, 2, 202));
    assert_eq!((&lines[0]["seed"], &lines[0]["verdicts"]["Convergence"]), (&0.into(), &"x".into()));
    let unasked = folder.program(&["campaign", "export", "a.store"]);
    assert_eq!(unasked.code, 2, "something must be wanted");
    assert!(unasked.errors.contains("<--format <FORMAT>|--cases <FOLDER>>"), "{unasked:?}");
}

#[test]
fn merging_prints_the_digest_that_show_prints() {
    let folder = Folder::new("campaign/merge");
    keep(&folder, "whole.store", 0..200);
    keep(&folder, "left.store", 0..120);
    keep(&folder, "right.store", 80..200);
    let merge = |output: &str, parts: &[&str]| {
        let merged = folder.program(&[&["campaign", "merge", "-o", output], parts].concat());
        assert_eq!(merged.code, 0, "{merged:?}");
        (merged.output.lines().last().map(str::to_owned), fs::read(folder.path(output)).expect("it was written"))
    };
    let one = merge("one.store", &["left.store", "right.store", "left.store"]);
    let two = merge("two.store", &["right.store", "whole.store"]);
    assert!(one == two, "the same digest and the same bytes");
    for store in ["one.store", "whole.store"] {
        let shown = folder.program(&["campaign", "show", store]).output;
        assert_eq!(shown.lines().last().map(str::to_owned), one.0);
    }
    let again = folder.program(&["campaign", "merge", "-o", "one.store", "left.store"]);
    assert_eq!(again.code, 3);
    assert!(again.errors.contains("one.store is there already\n"), "{}", again.errors);
}

#[test]
fn stores_are_listed_by_file_or_by_folder() {
    let folder = Folder::new("campaign/list");
    assert_eq!(folder.program(&["campaign", "list", "."]).code, 4, "there is none yet");
    keep(&folder, "a.store", 0..200);
    fs::write(folder.path("notes.txt"), "not a store").unwrap();
    // What a merge leaves that is killed: the beginning of a store.
    folder.write(".b.store.4711.0.part", &folder.read("a.store")[..4096]);
    // What a shard leaves: a store.
    folder.write("b.store.part", folder.read("a.store"));
    let [all, one] = [&["campaign", "list", "."], &["campaign", "list", "a.store"]].map(|it| folder.program(it));
    assert_eq!((all.code, one.code), (0, 0));
    assert_eq!(all.output.replace("./", ""), one.output);
    assert!(one.output.ends_with(&format!("200 runs, 2 failed  {NAME}, mine.ron\n")), "{}", one.output);
    let missing = folder.program(&["campaign", "list", "b.store"]);
    assert_eq!(missing.code, 3);
    assert!(missing.errors.starts_with("error[C001]: there is no store at b.store\n"), "{}", missing.errors);
    let explained = folder.program(&["explain", "c001"]);
    assert!(explained.output.starts_with("C001: there is no such store\n"), "{}", explained.output);
}

#[test]
fn a_store_that_cannot_be_read_keeps_the_others_in_the_list() {
    let folder = Folder::new("campaign/damaged");
    keep(&folder, "a.store", 0..200);
    keep(&folder, "b.store", 0..200);
    keep(&folder, "c.store", 0..200);
    // The number of the schema is the user's version in the head of the file, and pages of a table come after it.
    let mut bytes = folder.read("a.store");
    bytes[63] += 1;
    folder.write("a.store", &bytes);
    let mut bytes = folder.read("b.store");
    bytes[4096..].fill(0xff);
    folder.write("b.store", &bytes);
    folder.write("empty", "");
    let listed = folder.program(&["campaign", "list", "."]);
    assert_eq!((listed.code, listed.errors.as_str()), (3, "error: 2 stores cannot be read\n"));
    let lines: Vec<_> = listed.output.lines().collect();
    assert_eq!([lines[0], lines[2], lines[4]], ["./a.store", "./b.store", "./c.store"], "{listed:?}");
    assert!(lines[1].starts_with("  error[C003]: ") && lines[3].starts_with("  error[C004]: "), "{listed:?}");
    assert!(lines[5].ends_with(&format!("200 runs, 2 failed  {NAME}, mine.ron")), "{listed:?}");
}

#[test]
fn of_many_subjects_the_first_are_named() {
    let folder = Folder::new("campaign/many");
    let subject = |number: u32| Subject { name: format!("{number}.ron"), scenario: String::new(), checks: Vec::new() };
    let many = Manifest { subjects: (0..25).map(subject).collect(), ..manifest() };
    Writer::begin(&folder.path("a.store"), &many, Begin::Resume).unwrap().finish().unwrap();
    let listed = folder.program(&["campaign", "list", "a.store"]);
    assert!(listed.output.ends_with("  0 runs, 0 failed  0.ron, 1.ron and 23 more\n"), "{listed:?}");
}

#[test]
fn campaigns_are_shown_as_they_were_begun_and_how_far_they_are() {
    let folder = Folder::new("campaign/begun");
    let mut begun = Vec::new();
    for runs in [300, 9_000, 100, 4_000] {
        let manifest = Manifest { settings: format!("runs: {runs}, lot: 4096"), ..manifest() };
        let writer = Writer::begin(&folder.path("a.store"), &manifest, Begin::Resume).unwrap();
        (0..100).for_each(|i| writer.put(record(i)).unwrap());
        writer.finish().unwrap();
        begun.push(format!("campaign {} ", manifest.digest()));
    }
    let shown = folder.program(&["campaign", "show", "a.store"]).output;
    let places: Vec<_> = begun.iter().map(|campaign| shown.find(campaign)).collect();
    assert!(places[0].is_some() && places.is_sorted(), "{shown}");
    let counted = |runs: &str| shown.contains(&format!("2 subjects, {runs}, 100,000 events"));
    assert!(counted("100 of 300 runs") && counted("100 of 9,000 runs") && counted("100 runs"), "{shown}");
    assert!(shown.contains("\n8,900 of 9,000 runs are missing\n"), "{shown}");
}

#[test]
fn an_empty_file_is_a_store_without_a_campaign() {
    let folder = Folder::new("campaign/empty");
    folder.write("e.db", "");
    let shown = folder.program(&["campaign", "show", "e.db"]);
    assert_eq!(shown.code, 3, "{shown:?}");
    assert!(shown.errors.starts_with("error[C016]: there is no campaign in e.db: it is empty\n"), "{shown:?}");
    keep(&folder, "e.db", 0..20);
    assert_eq!(folder.program(&["campaign", "show", "e.db"]).code, 1);
}

// ── a campaign made up ──

fn manifest() -> Manifest {
    let subject = |name: &str| Subject {
        name: name.to_owned(),
        scenario: String::new(),
        checks: ["NoLostWrites", "Convergence"].map(str::to_owned).to_vec(),
    };
    let subjects = vec![subject(NAME), subject("mine.ron")];
    Manifest { version: "0.1.0".to_owned(), settings: "200 runs in lots of 50".to_owned(), subjects }
}

/// The run number `i`; every hundredth fails, the later one with the smaller case.
fn record(i: u32) -> Record {
    let at = Place { subject: 0, lot: i / 50, place: i % 50 };
    let failed = i.is_multiple_of(100);
    let run = RunRow {
        at,
        origin: Origin::Fresh,
        seed: i.into(),
        plan: Digest(i.into()),
        fingerprint: Digest(u128::from(i) << 96),
        events: 1_000,
        simulated: Span::secs(10),
        verdicts: if failed { ".x" } else { "a." }.to_owned(),
        failed,
        cells: Vec::new(),
    };
    let failure = FailureRow {
        at,
        check: "Convergence".to_owned(),
        kind: ["apart", "apart for good"][i as usize / 100 % 2].to_owned(),
        phase: "quiet".to_owned(),
        faults: 3 - i / 100,
        operations: 4,
        case: case(i),
    };
    Record { failures: if failed { vec![failure] } else { Vec::new() }, ..Record::from(run) }
}

/// The case of the run number `i`, which no protocol would make such a run of.
fn case(i: u32) -> String {
    let scenario = r#"Scenario(cluster: (size: 3), protocol: LeaderFollower(), run: "100ms")"#;
    let fingerprint = Digest(u128::from(i) << 96);
    format!("Case(version: \"0.1.0\", seed: {i}, fingerprint: \"{fingerprint}\", scenario: {scenario})")
}

fn fix(path: &Path) {
    let known = Store::open(path).unwrap().known().unwrap();
    let writer = Writer::begin(path, &manifest(), Begin::Resume).unwrap();
    known.into_iter().for_each(|known| writer.put_known(KnownRow { status: Status::Fixed, ..known }).unwrap());
    writer.finish().unwrap();
}

/// A store with some of the made-up campaign's runs.
fn keep(folder: &Folder, file: &str, runs: std::ops::Range<u32>) {
    let writer = Writer::begin(&folder.path(file), &manifest(), Begin::Resume).unwrap();
    runs.for_each(|i| writer.put(record(i)).unwrap());
    writer.finish().unwrap();
}

/// A store of which six runs came out otherwise when they were done again.
pub(super) fn keep_differing(folder: &Folder, file: &str) {
    let differing = |i: u32| {
        let at = record(i).run.at;
        let (one, other) = (format!("1 ms  n1 → n2  {i}"), String::new());
        let divergence = DivergenceRow { at, event: 12, one, other, remembered: false, case: case(i) };
        Record { divergence: Some(divergence), ..record(i) }
    };
    let writer = Writer::begin(&folder.path(file), &manifest(), Begin::Resume).unwrap();
    (1..100).map(|i| if i < 7 { differing(i) } else { record(i) }).for_each(|record| writer.put(record).unwrap());
    writer.finish().unwrap();
}
