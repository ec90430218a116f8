//! What a campaign exits with, what it says of failures that are known, and what an interrupt leaves.

use replisim::lab::store::{Begin, KnownRow, Status, Store, Writer, digest_of};
use serde_json::{Value, json};

use super::{CLEAN, FAILING, Finished, Folder, interrupted, runs, under_way};

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let folder = super::folder("codes");
    folder.write("broken.ron", "Scenario(cluster: (size: 0))");
    folder.write("text.db", "not a store, and longer than the header of one ".repeat(20));
    for (code, arguments) in [
        (0, &["clean.ron", "--runs", "50"][..]),
        (0, &["clean.ron", "--for", "50ms", "--no-store"]),
        (0, &["clean.ron", "--for", "0.001m", "--no-store"]),
        (0, &["clean.ron", "--for", "1h", "--runs", "50", "--no-store"]),
        (1, &["failing.ron", "--runs", "200"]),
        (1, &["failing.ron", "--fail-fast", "--no-store"]),
        (2, &[]),
        (2, &["clean.ron", "--runs", "many"]),
        (2, &["clean.ron", "--for", "60"]),
        (2, &["clean.ron", "--no-store", "--resume"]),
        (3, &["clean.ron", "--set", "run=1m"]),
        (2, &["shard", "plan.ron", "--shard", "8/7", "-o", "part.db"]),
        (3, &["broken.ron"]),
        (3, &["clean.ron", "--store", "text.db"]),
        (3, &["shard", "clean.ron", "--shard", "1/7", "-o", "part.db"]),
        (3, &["shard", "missing.ron", "--shard", "1/7", "-o", "part.db"]),
        (3, &["merge", "missing.db", "-o", "all.db"]),
        (4, &["nothing_of_that_name"]),
        (2, &["plan", "clean.ron", "-o", "plan.ron"]),
        (2, &["plan", "clean.ron", "-o", "plan.ron", "--runs", "0"]),
        (2, &["clean.ron", "--runs", "0"]),
        (2, &["clean.ron", "--jobs", "1025"]),
        (2, &["shard", "plan.ron", "--shard", "1/7", "-o", "part.db", "--jobs", "1025"]),
    ] {
        let fuzz = folder.program(&[&["fuzz"], arguments].concat());
        assert_eq!(fuzz.code, code, "{arguments:?}: {fuzz:?}");
        assert_eq!(fuzz.errors.is_empty(), code < 2, "{arguments:?}: {fuzz:?}");
    }
    let refused = folder.program(&["fuzz", "clean.ron", "--store", "text.db"]);
    assert!(refused.errors.starts_with("error[C002]: text.db is not a store"), "{refused:?}");
}

#[test]
fn all_that_cannot_be_run_is_told_and_a_file_named_twice_is_one() {
    let folder = super::folder("refused");
    folder.write("bad/one.ron", "Scenario(cluster: (size: 0))");
    folder.write("bad/two.ron", "Scenario(run: \"no time\")");
    let refused = folder.program(&["fuzz", "clean.ron", "bad", "--runs", "10", "--no-store"]);
    assert!(
        refused.code == 3 && refused.errors.contains("one.ron:") && refused.errors.contains("two.ron:"),
        "{refused:?}"
    );
    let twice =
        folder.program(&["fuzz", "clean.ron", "./clean.ron", "--runs", "10", "--no-store", "--format", "ndjson"]);
    assert_eq!((twice.code, twice.output.lines().count()), (0, 1), "{twice:?}");
}

#[test]
fn what_replisim_writes_into_a_folder_is_no_scenario_of_it() {
    let folder = super::folder("own");
    assert_eq!(folder.program(&["fuzz", "failing.ron", "--runs", "100", "--store", "camp.db"]).code, 1);
    assert_eq!(folder.program(&["fuzz", "plan", "clean.ron", "--runs", "100", "-o", "plan.ron"]).code, 0);
    assert_eq!(folder.program(&["run", "clean.ron", "--case", "case.ron"]).code, 0);
    let fuzz = folder.program(&["fuzz", ".", "--runs", "10", "--no-store", "--format", "ndjson"]);
    assert_eq!((fuzz.code < 2, fuzz.output.lines().count()), (true, 2), "{fuzz:?}");
    let run = folder.program(&["run", "."]);
    assert_eq!((run.code < 2, run.output.lines().count()), (true, 3), "{run:?}");
    for own in ["plan.ron", "case.ron"] {
        let named = [folder.program(&["fuzz", own, "--runs", "10"]), folder.program(&["run", own])];
        assert_eq!(named.each_ref().map(|it| it.code), [3, 3], "{named:?}");
    }
}

#[test]
fn the_help_says_how_long_an_hour_is_written() {
    let help = super::folder("help").program(&["fuzz", "--help"]);
    assert!(help.output.contains("as in 90s, 60m or 1h"), "{help:?}");
}

#[test]
fn a_campaign_of_nothing_is_refused_in_words() {
    let folder = super::folder("nothing");
    for (option, value, told) in [
        ("--for", "0s", "in no time nothing can be run"),
        ("--for", "-5s", "`-5s` is not a length of time"),
        ("--runs", "0", "a campaign has at least one run"),
    ] {
        let refused = folder.program(&["fuzz", "clean.ron", option, value]);
        assert!(refused.code == 2 && refused.errors.contains(told), "{refused:?}");
    }
}

/// A campaign of a minute.
const A_MINUTE: [&str; 8] = ["fuzz", "clean.ron", "--for", "60s", "--jobs", "2", "--store", "a.db"];

#[test]
fn an_interrupted_campaign_is_saved() {
    let folder = super::folder("interrupt");
    let (child, committed) = under_way(&folder, &A_MINUTE, "a.db");
    let told = interrupted(child, "kill -INT $0");
    assert!(told.contains(", broken off"), "{told}");
    assert!(runs(&folder, "a.db") >= committed);
    let resumed = folder.program(&["fuzz", "clean.ron", "--for", "1ms", "--jobs", "2", "--store", "a.db", "--resume"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(runs(&folder, "a.db") >= committed, "what was done stays");
}

#[test]
fn what_an_interrupted_campaign_found_can_be_replayed_at_once() {
    let folder = super::folder("interrupted_failing");
    let fuzz = ["fuzz", "failing.ron", "--for", "60s", "--jobs", "2", "--store", "a b.db"];
    let (child, _) = under_way(&folder, &fuzz, "a b.db");
    // Among so many runs some fail.
    while runs(&folder, "a b.db") < 500 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let told = interrupted(child, "kill -INT $0");
    let later =
        "\n      not shrunk yet: --resume does that; `replisim campaign show 'a b.db'` has a case to replay now\n";
    assert!(told.contains(later), "{told}");
    let shown = folder.program(&["campaign", "show", "a b.db"]);
    let replays = shown.output.lines().filter(|line| line.trim().starts_with("replisim replay ")).count();
    assert!(replays > 0, "{shown:?}");
}

/// As `timeout` does, which tells the program and then the group that it is in.
#[test]
fn two_signals_at_once_are_one() {
    let folder = super::folder("twice");
    let (child, committed) = under_way(&folder, &A_MINUTE, "a.db");
    let told = interrupted(child, "kill $0; kill $0");
    assert!(told.contains(", broken off") && runs(&folder, "a.db") >= committed, "{told}");
}

#[test]
fn what_cannot_be_kept_is_told_all_the_same() {
    let folder = super::folder("unkept");
    for cases in ["cases", ".replisim/cases"] {
        folder.write(cases, "this should be a folder");
    }
    let fuzz = |options: &[&str]| {
        let fuzz = folder.program(&[&["fuzz", "failing.ron", "--runs", "200", "--set", "run=320ms"], options].concat());
        assert!(fuzz.code == 3 && fuzz.errors.contains("cannot make "), "{fuzz:?}");
        fuzz
    };
    let stored = fuzz(&["--store", "a.db"]);
    assert!(stored.output.contains(" in 200 runs"), "{stored:?}");
    assert_eq!(runs(&folder, "a.db"), 200, "the store is finished");
    let replays = stored.commands("replay");
    assert!(!replays.is_empty(), "{stored:?}");
    for replay in replays {
        assert_eq!(folder.program(&replay).code, 1, "the store has the case: {replay:?}");
    }

    let unstored = fuzz(&["--no-store", "--blind"]);
    assert!(unstored.commands("replay").is_empty(), "there is no case: {unstored:?}");
    let seeds = unstored.commands("run");
    assert!(!seeds.is_empty(), "{unstored:?}");
    for seed in seeds {
        assert_eq!((seed.contains(&"run=320ms".to_owned()), folder.program(&seed).code), (true, 1), "{seed:?}");
    }
    let searched = fuzz(&["--no-store", "--swarm", "--format", "json"]).json();
    let failures = searched["subjects"][0]["failures"].as_array().expect("a list");
    assert!(!failures.is_empty(), "{searched}");
    for failure in failures {
        let (replay, no_replay, seed) = (&failure["replay"], &failure["no_replay"], &failure["seed"]);
        assert_eq!((failure["id"].as_str(), failure["case"].is_null()), (Some(""), true), "{failure}");
        match failure["fresh"].as_bool() {
            Some(true) => {
                let again = format!("replisim fuzz failing.ron --seed-start {seed} --runs 1 --no-store --swarm");
                assert_eq!((replay, no_replay), (&json!(format!("{again} --set run=320ms")), &Value::Null));
            }
            _ => assert!(replay.is_null() && text(no_replay).starts_with("no seed stands for it"), "{failure}"),
        }
    }
}

#[test]
fn a_run_of_which_there_is_no_case_is_not_called_a_stranger() {
    let folder = super::folder("caseless");
    assert_eq!(folder.program(&["fuzz", "clean.ron", "--runs", "10"]).code, 0);
    let runs = folder.program(&["campaign", "export", "--format", "ndjson"]);
    let run: Value = serde_json::from_str(runs.output.lines().nth(2).expect("a line")).expect("JSON");
    let refused = folder.program(&["replay", text(&run["fingerprint"])]);
    let told = format!("is a run of clean.ron in .replisim/campaign.db, with the seed {}, and no case: ", run["seed"]);
    assert!(refused.code == 4 && refused.errors.contains(&told), "{refused:?}");
}

#[test]
fn a_campaign_that_begins_anew_says_what_the_store_held() {
    let folder = super::folder("anew");
    let fuzz = |options: &[&str]| folder.program(&[&["fuzz", "clean.ron", "--runs", "70"], options].concat()).errors;
    assert!(fuzz(&["--resume"]).contains("holds no run of this campaign: it begins"));
    assert!(fuzz(&[]).contains("held 70 runs of this campaign, which begins anew"));
    assert_eq!(fuzz(&["--resume"]), "");
    let resumed = folder.program(&["fuzz", "clean.ron", "--runs", "70", "--resume"]);
    assert!(
        resumed.output.starts_with("no promise was broken in 70 runs, 70 of them kept from before\n"),
        "{resumed:?}"
    );
    assert!(!resumed.output.contains("a second by all workers"), "none was done: {resumed:?}");
    assert!(resumed.output.contains("\n1 run done twice and compared\n"), "{resumed:?}");
}

/// Only a check that holds shows that a failure is fixed: not another anomaly, nor a case that nobody can run.
#[test]
fn what_is_violated_otherwise_or_cannot_be_run_is_not_fixed() {
    let folder = super::folder("otherwise");
    let path = folder.path("a.db");
    assert_eq!(folder.program(&["fuzz", "failing.ron", "--runs", "100", "--store", "a.db"]).code, 1);
    let store = Store::open(&path).expect("it is there");
    let (manifest, known) = (store.campaigns().expect("they are read").remove(0), store.known().expect("so are these"));
    drop(store);
    assert_eq!(folder.program(&["campaign", "forget", "--all", "--store", "a.db"]).code, 0);
    let writer = Writer::begin(&path, &manifest, Begin::Anew).expect("it can be written");
    let lost = known.into_iter().find(|row| row.check == "NoLostWrites").expect("a lost write");
    let unreadable = lost.case.replace("Scenario(", "Scenery(");
    writer.put_known(KnownRow { kind: "otherwise".to_owned(), ..lost.clone() }).expect("it goes on");
    writer.put_known(KnownRow { kind: "unreadable".to_owned(), case: unreadable, ..lost }).expect("it goes on");
    writer.finish().expect("all is written");
    let again = ["fuzz", "clean.ron", "failing.ron", "--runs", "1", "--store", "a.db"];
    let document = folder.program(&[&again[..], &["--format", "json"]].concat()).json();
    let known = document["known"].as_array().expect("a list").iter();
    let became: Vec<_> =
        known.clone().map(|it| (text(&it["kind"]), text(&it["became"]), it["replay"].is_null())).collect();
    assert_eq!(became, [("otherwise", "another", false), ("unreadable", "cannot be run", true)]);
    let rid = "; `replisim campaign forget failing.ron --store a.db` drops all that is known of it";
    let without: Vec<_> = known.filter_map(|it| it["no_replay"].as_str()).collect();
    assert!(matches!(without.as_slice(), [why] if why.ends_with(rid)), "{document}");
    let screen = folder.program(&again);
    assert_eq!((told(&screen, "still failing"), told(&screen, "not known to be fixed")), (1, 1), "{screen:?}");
}

#[test]
fn a_campaign_goes_on_with_more_runs() {
    let folder = super::folder("more");
    let fuzz = |runs: &str, store: &str, options: &[&str]| {
        let all = [&["fuzz", "failing.ron", "--format", "json", "--runs", runs, "--store", store], options].concat();
        folder.program(&all)
    };
    let undisturbed = fuzz("300", "whole/it.db", &[]);
    assert_eq!(fuzz("200", "a/it.db", &[]).code, 1);
    let more = fuzz("300", "a/it.db", &["--resume"]);
    assert_eq!(more.errors, "a/it.db holds 200 runs of this campaign with another --runs: it goes on with them\n");
    let of_its_store = undisturbed.output.replace("whole/", "a/");
    assert_eq!((more.code, more.output), (1, of_its_store), "as if it had been so many from the start");
    let store = folder.path("a/it.db");
    let campaigns = || Store::open(&store).and_then(|store| store.campaigns()).expect("they are read").len();
    assert_eq!(campaigns(), 1, "it has become the larger one");

    // One that holds more than that is left as it is.
    let fewer = fuzz("100", "a/it.db", &["--resume"]);
    assert_eq!(fewer.errors, "a/it.db holds no run of this campaign: it begins\n");
    assert_eq!(campaigns(), 2);
}

#[test]
fn fail_fast_looks_for_what_is_not_remembered() {
    let folder = super::folder("fast");
    let fuzz = ["fuzz", "failing.ron", "--runs", "300", "--fail-fast", "--jobs", "1", "--resume", "--format", "json"];
    let runs = || folder.program(&fuzz).json()["subjects"][0]["runs"].as_u64().expect("a number");
    let (first, second) = (runs(), runs());
    assert!(first < second && second < 300, "{first}, then {second}");
}

#[test]
fn a_swarm_takes_what_is_expected_and_says_so() {
    let folder = super::folder("unexpected");
    let swarmless = FAILING.lines().filter(|line| !line.contains("swarm:")).collect::<Vec<_>>();
    folder.write("swarmless.ron", swarmless.join("\n"));
    let fuzz = folder.program(&["fuzz", "swarmless.ron", "--runs", "10", "--no-store", "--swarm"]);
    assert!(fuzz.errors.contains("swarmless.ron says what it expects of its own faults"), "{fuzz:?}");
}

#[test]
fn other_seeds_are_not_called_a_search() {
    let folder = super::folder("seeds");
    let swarmless = CLEAN.lines().filter(|line| !line.contains("swarm:")).collect::<Vec<_>>();
    folder.write("swarmless.ron", swarmless.join("\n"));
    let fuzz = |what: &[&str]| folder.program(&[&["fuzz", "--runs", "10", "--no-store"], what].concat());
    let says = |what: &[&str]| fuzz(what).output.contains("runs differ by seed alone: --swarm draws faults, too\n");
    let told = [&["swarmless.ron"][..], &["swarmless.ron", "clean.ron"], &["clean.ron"], &["swarmless.ron", "--swarm"]];
    assert_eq!(told.map(says), [true, true, false, false]);
    let subjects = fuzz(&["swarmless.ron", "clean.ron", "--format", "json"]).json()["subjects"].clone();
    assert_eq!([&subjects[0]["swarm"], &subjects[1]["swarm"]], [&json!(false), &json!(true)]);
}

#[test]
fn a_campaign_says_how_its_scenarios_were_changed() {
    let folder = super::folder("changed");
    let fuzz = ["fuzz", "clean.ron", "--runs", "10", "--swarm", "--set", "run=300ms"];
    assert_eq!(folder.program(&fuzz).code, 0);
    let shown = folder.program(&["campaign", "show", "--format", "json"]).json();
    let settings = text(&shown["campaigns"][0]["settings"]);
    assert!(settings.ends_with(", search: guided, --swarm, --set run=300ms"), "{settings}");
    let planned = folder.program(&[&["fuzz", "plan"], &fuzz[1..], &["-o", "plan.ron"]].concat());
    assert_eq!(planned.code, 0, "{planned:?}");
    assert_eq!(folder.program(&["fuzz", "shard", "plan.ron", "--shard", "1/1", "-o", "shard.db"]).code, 0);
    let campaign = folder.program(&["campaign", "show", "shard.db", "--format", "json"]).json();
    let digest = |shown: &Value| shown["campaigns"][0]["digest"].clone();
    assert_eq!(digest(&campaign), digest(&shown), "a plan of the same is the same campaign");
}

#[test]
fn a_scenario_without_a_run_is_not_fine() {
    let folder = super::folder("unrun");
    folder.write("other.ron", CLEAN);
    let arguments = ["fuzz", "clean.ron", "other.ron", "--runs", "1", "--no-store"];
    let fuzz = folder.program(&arguments);
    assert!(fuzz.code == 1 && fuzz.output.contains("over before its turn: other.ron"), "{fuzz:?}");
    let junit = folder.program(&[&arguments[..], &["--format", "junit"]].concat());
    assert!(junit.output.contains("<error message=\"never run\""), "{junit:?}");
}

#[test]
fn what_is_known_is_run_first_and_told() {
    let folder = super::folder("known");
    let fuzz = |runs: &str| folder.program(&["fuzz", "failing.ron", "--runs", runs]);
    let first = fuzz("300");
    assert!(first.code == 1 && !first.output.contains("still failing"), "{first:?}");
    let second = fuzz("300");
    assert!(second.output.starts_with("still failing  failing.ron: no acknowledged write lost: "), "{second:?}");

    // A scenario that was changed is another one, of which nothing is known.
    folder.write("failing.ron", CLEAN);
    let third = fuzz("50");
    assert!(third.code == 0 && told(&third, "still failing") + told(&third, "fixed") == 0, "{third:?}");
    assert!(third.errors.contains("of failing.ron as it was before"), "{third:?}");

    mend(&folder, CLEAN);
    let fourth = fuzz("50");
    assert_eq!(told(&fourth, "still failing"), 0, "{fourth:?}");
    assert!(fourth.code == 0 && told(&fourth, "fixed  failing.ron: ") > 0, "{fourth:?}");
    assert_eq!(told(&fuzz("50"), "fixed"), 0, "what is fixed is told once");
}

/// An old case may hold although the plan that it was shrunk from fails, as after a change of the code.
#[test]
fn what_is_found_anew_is_not_fixed() {
    let folder = super::folder("found_anew");
    let fuzz = || folder.program(&["fuzz", "failing.ron", "--runs", "100"]);
    assert_eq!(fuzz().code, 1);
    mend(&folder, FAILING);
    let again = fuzz();
    assert!(told(&again, "fixed  failing.ron: ") > 0 && again.output.contains("distinct failure"), "{again:?}");
    let known = Store::open(&folder.path(".replisim/campaign.db")).and_then(|store| store.known()).expect("it is read");
    assert!(known.iter().any(|known| known.status == Status::Failing), "{known:?}");
    let third = fuzz();
    assert!(told(&third, "still failing  failing.ron: ") > 0, "its new case shows it: {third:?}");
}

#[test]
fn a_file_is_one_subject_however_it_is_spelled() {
    let folder = super::folder("spelled");
    folder.write("scenarios/lost.ron", FAILING);
    let fuzz = |word: &str| folder.program(&["fuzz", word, "--runs", "100"]);
    assert_eq!(fuzz("scenarios/lost.ron").code, 1);
    let whole = folder.path("scenarios/lost.ron").display().to_string();
    let forget = |word: &str| folder.program(&["campaign", "forget", word]);
    for word in ["./scenarios/lost.ron", "scenarios/../scenarios/lost.ron", &whole, "lost", "scenarios"] {
        let again = fuzz(word);
        assert!(
            again.output.starts_with("still failing  scenarios/lost.ron: no acknowledged write lost: "),
            "{word}: {again:?}"
        );
        let forgotten = forget(word);
        assert!(forgotten.code == 0 && forgotten.output.starts_with("forgot "), "{word}: {forgotten:?}");
        let unknown = forget(word);
        assert!(unknown.code == 4 && unknown.errors.contains("the store knows of none"), "{word}: {unknown:?}");
        assert_eq!(fuzz(word).code, 1);
    }
}

#[test]
fn a_comment_makes_no_other_scenario_and_what_was_mended_in_it_can_be_forgotten() {
    let folder = super::folder("forget");
    let fuzz = || folder.program(&["fuzz", "failing.ron", "--runs", "100"]);
    assert_eq!(fuzz().code, 1);
    let text = std::fs::read_to_string(folder.path("failing.ron")).expect("it is there");
    folder.write("failing.ron", format!("// Why it fails.\n{}", text.replace('(', "(  // here\n")));
    let commented = fuzz();
    assert!(commented.output.starts_with("still failing  failing.ron: "), "{commented:?}");

    folder.write("failing.ron", CLEAN);
    assert_eq!(fuzz().code, 0);
    let show = || folder.program(&["campaign", "show"]);
    assert_eq!(show().code, 1, "it is known, and nobody can say that it is fixed");
    let stranger = folder.program(&["campaign", "forget", "failing.rno"]);
    assert!(stranger.code == 4 && stranger.errors.contains("there are some of `failing.ron`"), "{stranger:?}");
    let forgotten = folder.program(&["campaign", "forget", "failing.ron"]);
    assert!(forgotten.code == 0 && forgotten.output.starts_with("forgot "), "{forgotten:?}");
    assert_eq!(show().code, 0);
    assert_eq!(fuzz().errors.matches("not run again").count(), 0);
}

/// How many lines begin like this.
fn told(fuzz: &Finished, beginning: &str) -> usize {
    fuzz.output.lines().filter(|line| line.starts_with(beginning)).count()
}

/// Puts what a mended protocol would do in the place of what is known, as if of the scenario as it is now: every case
/// without the faults that made it fail.
fn mend(folder: &Folder, scenario: &str) {
    let path = folder.path(".replisim/campaign.db");
    let store = Store::open(&path).expect("it is there");
    let (manifest, known) = (store.campaigns().expect("it can be read").remove(0), store.known().expect("so can this"));
    drop(store);
    let writer = Writer::begin(&path, &manifest, Begin::Resume).expect("it can be written");
    for known in known.into_iter().filter(|known| known.status == Status::Failing) {
        let (head, tail) = known.case.split_once("faults: [").expect("there are faults");
        let (_, tail) = tail.split_once("],\n").expect("they end");
        let case = format!("{head}{tail}");
        let scenario = digest_of(scenario);
        writer.put_known(KnownRow { case, scenario, version: "0.0.0".to_owned(), ..known }).expect("it goes on");
    }
    writer.finish().expect("all is written");
}
