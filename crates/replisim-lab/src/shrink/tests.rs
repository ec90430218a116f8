//! Failing runs of some hundred operations and some dozen faults, shrunk.

use std::num::NonZero;

use replisim_history::{Check, Finding, OpKind, Promise, Sequel};
use replisim_kernel::{SimTime, Span};
use replisim_world::spec::{Action, Fault, Routing, ScriptedOp, Target};

use super::operations::{one_of, plainer_kinds};
use super::script::lines;
use super::{EndedBy, Limits, Need, NothingToShrink, Piece, Shrinker, Shrunk, Without};
use crate::scenario::Source;
use crate::touchy;
use crate::{Case, Catalog, Experiment, Scenario};

/// An asynchronous primary, four sessions, 200 operations, up to 20 faults of every kind, promotions among them.
const LOST: &str = r#"Scenario(
    cluster: (regions: { "eu": ["a", "b", "c"] }, hosts: { "p": "eu/a", "s1": "eu/b", "s2": "eu/c" }),
    protocol: PostgreSql(primary: "p", primary_slot_name: { "s1": "one", "s2": "two" }),
    clients: [(sessions: 4, at: "eu", arrive: Every("100ms"), keys: Uniform(count: 20), reads: AnyFollower, timeout: "1s")],
    swarm: (families: [Delay, Partition, Kill, HostLoss, Pause, DiskSlow, Clock, Failover], faults: 20),
    run: "5s",
    checks: [NoLostWrites, ReadYourWrites, MonotonicReads, Convergence],
)"#;

/// A session reads with a token of its writes alone, and in between from a follower that is paused now and then.
const BACK: &str = r#"Scenario(
    cluster: (size: 3),
    protocol: LeaderFollower(leader: "n1"),
    clients: [(sessions: 3, arrive: Poisson("60ms"), mix: { Read: 3, Write: 1 }, keys: Zipf(count: 10, exponent: 0.9),
               reads: Token(remembers: Writes, wait: "1s", fallback: true))],
    faults: [
        Every("700ms", "400ms", Slow(link: ("n1", "followers"), by: Exponential(mean: "150ms"))),
        During("1s", "3s", Slow(link: ("n1", "n3"), by: LogNormal(median: "100ms", p99: "1s"))),
        WhenFor(Acknowledged(20), "500ms", Pause("random 1")),
    ],
    run: "4s",
    checks: [MonotonicReads, ReadYourWrites],
)"#;

/// A follower is away while a thousand records are written, which are all that is kept, and then some.
const OUTGROWN: &str = r#"Scenario(
    cluster: (size: 3),
    protocol: LeaderFollower(leader: "n1", retain: Records(1000), checkpoint_interval: "100ms", slots: false),
    clients: [(sessions: 5, arrive: Every("5ms"), mix: { Write: 1 }, keys: Fresh)],
    faults: [During("1s", "3s", Kill("n3"))],
    run: "4s",
    settle: "2s",
    checks: [Convergence],
)"#;

/// A leader that waits for all counts one of them twice: a write is lost with a promotion, and it promises otherwise.
const MISCOUNTED: &str = r#"Scenario(
    cluster: (size: 3),
    protocol: LeaderFollower(acknowledge: All, retry_interval: "100ms", silence_max: "300ms", flaw: CountTwice),
    clients: [(sessions: 3, arrive: Every("20ms"), mix: { Write: 1 }, keys: Uniform(count: 8), timeout: "300ms")],
    swarm: (families: [Partition, Delay, DiskSlow, Failover], faults: 4, longest: "400ms"),
    run: "1s",
    checks: [NoLostWrites],
)"#;

/// A promotion comes a second after the last write, and everything has arrived by then, unless a link is cut.
const LATE: &str = r#"Scenario(
    cluster: (size: 2),
    protocol: LeaderFollower(leader: "n1"),
    clients: [(sessions: 3, arrive: Every("50ms"), mix: { Write: 1 }, keys: Uniform(count: 8), until: "1s")],
    faults: [At("2s", Failover(to: "n2"))],
    swarm: (families: [Delay, Partition], faults: 6),
    run: "4s",
    checks: [NoLostWrites],
    expect: { NoLostWrites: Holds },
)"#;

/// A session reads from another follower than before. Whoever writes later sees to it that the replicas come to rest:
/// without that write, a follower asks for what the leader has forgotten until the run's patience ends.
const FORGOTTEN: &str = r#"Scenario(
    cluster: (size: 3, links: (same_zone: "100us", between_zones: "500us"), disk: (sync: "300us")),
    protocol: LeaderFollower(flaw: ForgetRetention, retain: Records(1), checkpoint_interval: "20ms"),
    clients: [
        (sessions: 1, reads: Token(remembers: WritesAndReads, wait: "50ms", fallback: false), script: [[
            (op: Txn, parts: [(Read, 1), (Write, 0)]), (op: Write, key: 1), (op: Read), (op: Write, key: 1), (op: Read),
            (op: Read), (op: Txn, parts: [(Read, 0), (Read, 0)]),
        ]]),
        (sessions: 1, script: [[(at: "200ms", op: Write)]]),
    ],
    faults: [During("0s", "40ms", Kill("n2"))],
    run: "300ms",
    seed: 9381,
    checks: [MonotonicReads],
)"#;

/// What is written is acknowledged, and a promotion asks for what was applied. Without the last kill a write is lost all the
/// same, only not with what came in its place.
const KEPT_BACK: &str = r#"Scenario(
    cluster: (size: 3, links: (same_zone: "400us", between_zones: "10ms"), disk: (sync: "50ms")),
    protocol: LeaderFollower(acknowledge: All, progress: Written, retry_interval: "100ms", flaw: PromoteBeforeReplay,
                             checkpoint_interval: "20ms"),
    clients: [(sessions: 1, script: [[(op: Write), (op: Txn, parts: [(Write, 0), (Write, 0)])]])],
    faults: [
        At("500ms", Kill("n3")),
        At("350ms", Failover(to: "n3", old: Reseeded)),
        During("60ms", "90ms", Kill("n1")),
    ],
    run: "600ms",
    settle: "65s",
    seed: 6642,
    checks: [NoLostWrites, Convergence],
)"#;

/// What is acknowledged before it is synced is lost with the host, if that is soon enough, or the disk slow enough.
const TOO_LATE: &str = r#"Scenario(
    cluster: (size: 1, links: (same_zone: "100us"), disk: (sync: "300us")),
    protocol: PostgreSql(flaw: AcknowledgeBeforeSync),
    clients: [(sessions: 1, script: [[(op: Write)]])],
    faults: [At("0s", SlowDisk(host: "n1", by: "10ms")), During("1ms", "1.1ms", LoseHost(host: "n1"))],
    run: "10ms",
    seed: 3893,
    checks: [NoLostWrites],
)"#;

fn experiment(text: &str) -> Experiment {
    let source = Source::new("fixture.ron", text);
    Experiment::prepare(&source, &Catalog::standard()).unwrap_or_else(|report| panic!("{}", report.render(false)))
}

fn shrink(experiment: &Experiment, seed: u64, check: Check) -> Shrunk {
    Shrinker::new(experiment, seed).check(Some(check)).shrink().expect("the check is violated")
}

/// The first of a thousand seeds under which a check is violated by a run of at least so many faults.
fn failing(experiment: &Experiment, check: Check, faults: usize) -> u64 {
    let fails = |seed: &u64| {
        let outcome = experiment.run(*seed, None, false);
        let violated = outcome.findings.iter().any(|it| it.check == check && it.verdict.word() == "violated");
        violated && outcome.run.faults.len() >= faults
    };
    (0..1_000).find(fails).expect("one of a thousand seeds fails")
}

/// What every shrunk run must satisfy.
fn demand(shrunk: &Shrunk, check: Check) {
    assert_eq!(shrunk.ended_by, None);
    assert!(!shrunk.needed.is_empty() && shrunk.needed.iter().all(|need| need.without != Without::Same), "{shrunk:?}");
    let case = &shrunk.case;
    let read = Case::parse(&Source::new(&case.source.name, case.text())).expect("a shrunk case reads");
    assert_eq!(read, *case);
    let experiment = Experiment::prepare(&read.source, &Catalog::standard()).expect("a shrunk case can be run");
    let outcome = read.run(&experiment, false);
    assert_eq!(outcome.run.fingerprint, case.fingerprint);
    let anomaly = case.anomaly.as_ref().expect("a shrunk case has an anomaly");
    assert_eq!(anomaly.check, check);
    assert_eq!(anomaly.became(&outcome.findings), Sequel::StillThere);
}

#[test]
fn a_lost_write_among_two_hundred_operations_and_twenty_faults() {
    let experiment = experiment(LOST);
    let seed = failing(&experiment, Check::NoLostWrites, 15);
    let shrunk = shrink(&experiment, seed, Check::NoLostWrites);
    demand(&shrunk, Check::NoLostWrites);
    assert!(shrunk.before.operations >= 150, "{:?}", shrunk.before);
    assert!(shrunk.after.operations <= 3 && shrunk.after.faults <= 3 && shrunk.after.hosts == 2, "{:?}", shrunk.after);
    insta::assert_snapshot!(shrunk.case.text());
}

#[test]
fn a_stale_read_of_one_s_own_write() {
    let experiment = experiment(LOST);
    let seed = failing(&experiment, Check::ReadYourWrites, 12);
    let shrunk = shrink(&experiment, seed, Check::ReadYourWrites);
    demand(&shrunk, Check::ReadYourWrites);
    assert!(shrunk.after.operations == 2 && shrunk.after.faults <= 1, "{:?}", shrunk.after);
    insta::assert_snapshot!(shrunk.case.text());
}

#[test]
fn a_read_that_goes_back_despite_a_token() {
    let experiment = experiment(BACK);
    let seed = failing(&experiment, Check::MonotonicReads, 3);
    let shrunk = shrink(&experiment, seed, Check::MonotonicReads);
    demand(&shrunk, Check::MonotonicReads);
    assert!(shrunk.after.operations <= 10 && shrunk.after.faults <= 2, "{:?}", shrunk.after);
}

#[test]
fn a_log_that_is_outgrown_is_made_small_before_the_operations_that_outgrow_it() {
    let shrunk = shrink(&experiment(OUTGROWN), 1, Check::Convergence);
    demand(&shrunk, Check::Convergence);
    assert!(shrunk.before.operations > 3_000 && shrunk.after.operations <= 3, "{:?}", shrunk.after);
    assert!(shrunk.runs < 1_000, "{}", shrunk.runs);
}

#[test]
fn what_a_run_needs_only_to_come_to_rest_is_left_out() {
    let shrunk = shrink(&experiment(FORGOTTEN), 9381, Check::MonotonicReads);
    demand(&shrunk, Check::MonotonicReads);
    assert_eq!(shrunk.before.sessions, 2);
    assert_eq!(shrunk.after.sessions, 1, "{}", shrunk.case.text());
}

#[test]
fn nothing_is_said_to_break_only_where_nothing_does() {
    let experiment = experiment(KEPT_BACK);
    let shrunk = shrink(&experiment, 6642, Check::NoLostWrites);
    demand(&shrunk, Check::NoLostWrites);
    let text = shrunk.case.text();
    let otherwise = shrunk.needed.iter().find(|need| need.otherwise.is_some()).expect("a write is lost in another way");
    let of = |without: &Without| matches!(without, Without::Others(checks) if checks.contains(&Check::NoLostWrites));
    assert!(of(&otherwise.without), "{text}");
    assert!(text.contains("the same check breaks in another way: "), "{text}");
}

#[test]
fn a_promise_that_is_broken_stays_one_in_the_case() {
    let experiment = experiment(MISCOUNTED);
    let seed = failing(&experiment, Check::NoLostWrites, 1);
    assert_eq!(experiment.promises()[&Check::NoLostWrites], Promise::Promised);
    let shrunk = shrink(&experiment, seed, Check::NoLostWrites);
    demand(&shrunk, Check::NoLostWrites);
    let run = |text: &str| {
        let experiment = self::experiment(text);
        let outcome = experiment.run(shrunk.case.seed, None, false);
        (experiment.promises()[&Check::NoLostWrites].clone(), outcome.findings[0].verdict.word())
    };
    let text = &shrunk.case.source.text;
    assert_eq!(run(text), (Promise::Promised, "violated"), "{text}");
    let sound = text.replace(", flaw: CountTwice", "");
    assert_eq!(run(&sound), (Promise::Promised, "holds"), "{sound}");
}

#[test]
fn where_a_promise_is_broken_somebody_still_sees_to_the_old_leader() {
    let experiment = experiment(MISCOUNTED);
    let seed = failing(&experiment, Check::NoLostWrites, 1);
    let shrunk = shrink(&experiment, seed, Check::NoLostWrites);
    let text = &shrunk.case.source.text;
    assert!(text.contains("Failover(") && text.contains("old: "), "{text}");
}

#[test]
fn operations_are_merged_only_if_one_of_them_goes() {
    let with = |script: &str| {
        let clients = format!("clients: [(sessions: 2, script: [{script}])], run: \"1s\"");
        let text = format!("Scenario(cluster: (size: 1), protocol: LeaderFollower(), {clients})");
        Scenario::parse(&Source::new("fixture.ron", text)).expect("a scenario")
    };
    let one = r#"[(at: "1ms", op: Write)]"#;
    assert_eq!(one_of(&with(&format!("{one}, {one}")), 2), None);
    let two = r#"[(at: "1ms", op: Write), (at: "2ms", op: Write)]"#;
    let merged = one_of(&with(&format!("{one}, {two}")), 2).expect("one goes");
    assert_eq!((lines(&merged).len(), merged.clients[0].value_bytes), (2, 200));
}

#[test]
fn what_is_more_than_a_write_or_a_read_is_made_one_of_them_where_that_does() {
    let ops = |text: &str| -> Vec<ScriptedOp> {
        let scenario = Scenario::parse(&Source::new("fixture.ron", text)).expect("a scenario");
        lines(&scenario).into_iter().map(|line| line.op).collect()
    };
    let plain = |line: &ScriptedOp| matches!(line.op, OpKind::Read | OpKind::Write);
    assert!(!ops(FORGOTTEN).iter().all(plain));
    let shrunk = shrink(&experiment(FORGOTTEN), 9381, Check::MonotonicReads);
    demand(&shrunk, Check::MonotonicReads);
    assert!(ops(&shrunk.case.source.text).iter().all(plain), "{}", shrunk.case.text());
}

#[test]
fn a_transaction_is_less_as_one_of_its_parts_or_without_one() {
    let line =
        |op, key, parts: &[(OpKind, u64)]| ScriptedOp { at: Span::ZERO, op, key, parts: parts.to_vec(), reads: None };
    let parts = [(OpKind::Read, 3), (OpKind::Write, 5)];
    let less = plainer_kinds(&line(OpKind::Txn, 0, &parts));
    let plain = [line(OpKind::Write, 5, &[]), line(OpKind::Read, 3, &[]), line(OpKind::Read, 5, &[])];
    assert_eq!(less[..3], plain);
    assert_eq!(less[3..], [line(OpKind::Txn, 0, &parts[1..]), line(OpKind::Txn, 0, &parts[..1])]);
    assert_eq!(plainer_kinds(&line(OpKind::Txn, 0, &parts[..1])), [line(OpKind::Read, 3, &[])]);
    assert_eq!(plainer_kinds(&line(OpKind::Delete, 7, &[])), [line(OpKind::Write, 7, &[]), line(OpKind::Read, 7, &[])]);
    assert_eq!(plainer_kinds(&line(OpKind::Write, 7, &[])), []);
}

#[test]
fn a_story_is_told_in_the_order_of_time_and_names_what_is_written() {
    let experiment = experiment(KEPT_BACK);
    let shrunk = Shrinker::new(&experiment, 6642).limits(Limits { runs: 0, ..Limits::default() }).shrink();
    let needed = shrunk.expect("a write is lost").needed;
    let told = |need: &Need| match &need.piece {
        Piece::Fault(words) | Piece::Operation(words) => Some(words.clone()),
        Piece::Session(_) | Piece::Host(_) => None,
    };
    let told: Vec<String> = needed.iter().filter_map(told).collect();
    let begins = [
        "c0 writes k0 = 0.0 at 0s",
        "kill n1 from 60ms to 90ms",
        "c0 then at once writes k0 = 0.1, writes k0 = 0.1.1",
        "fail over to n3",
        "kill n3 at 500ms",
    ];
    assert!(
        told.len() == begins.len() && told.iter().zip(begins).all(|(it, begin)| it.starts_with(begin)),
        "{told:#?}"
    );
}

#[test]
fn a_fault_that_only_makes_time_for_another_is_left_out_and_the_other_moved() {
    let shrunk = shrink(&experiment(TOO_LATE), 3893, Check::NoLostWrites);
    demand(&shrunk, Check::NoLostWrites);
    assert_eq!((shrunk.before.faults, shrunk.after.faults), (2, 1), "{}", shrunk.case.text());
}

#[test]
fn settings_stay_where_nothing_but_the_scenario_says_that_the_check_holds() {
    let text = LOST.replace("    checks: [", "    expect: { NoLostWrites: Holds },\n    checks: [");
    let experiment = experiment(&text);
    let seed = failing(&experiment, Check::NoLostWrites, 15);
    let shrunk = shrink(&experiment, seed, Check::NoLostWrites);
    let left = Scenario::parse(&shrunk.case.source).expect("a shrunk case reads");
    assert_eq!(left.protocol, experiment.scenario.protocol);
    assert!(shrunk.after.operations <= 3 && shrunk.after.faults <= 3, "{:?}", shrunk.after);
}

#[test]
fn clients_read_where_they_did_where_nothing_but_the_scenario_says_that_the_check_holds() {
    let text = LOST
        .replace("AnyFollower", "Leader")
        .replace("    checks: [", "    expect: { ReadYourWrites: Holds },\n    checks: [");
    let experiment = experiment(&text);
    let seed = failing(&experiment, Check::ReadYourWrites, 6);
    assert_ne!(experiment.promises()[&Check::ReadYourWrites], Promise::Promised);
    let shrunk = shrink(&experiment, seed, Check::ReadYourWrites);
    demand(&shrunk, Check::ReadYourWrites);
    let left = Scenario::parse(&shrunk.case.source).expect("a shrunk case reads");
    let group = &left.clients[0];
    let lines = group.script.iter().flatten();
    assert!(group.reads == Routing::Leader && lines.clone().all(|line| line.reads.is_none()), "{}", shrunk.case.text());
    assert_eq!(group.timeout, Span::secs(1));
    assert!(!left.faults.is_empty(), "who reads from the leader sees its writes unless it changes");
    assert!(shrunk.after.operations < shrunk.before.operations / 10, "{:?}", shrunk.after);
}

#[test]
fn a_fault_strikes_when_it_did_where_nothing_but_the_scenario_says_that_the_check_holds() {
    let experiment = experiment(LATE);
    let seed = failing(&experiment, Check::NoLostWrites, 3);
    assert_ne!(experiment.promises()[&Check::NoLostWrites], Promise::Promised);
    let shrunk = shrink(&experiment, seed, Check::NoLostWrites);
    demand(&shrunk, Check::NoLostWrites);
    let left = Scenario::parse(&shrunk.case.source).expect("a shrunk case reads");
    assert_eq!((&left.faults[..1], left.faults.len()), (&experiment.scenario.faults[..], 2), "{}", shrunk.case.text());
    let drawn = experiment.plan(seed).faults;
    let from = |fault: &Fault| match fault {
        Fault::During(from, _, action) => Some((*from, action.clone())),
        Fault::At(..) | Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => None,
    };
    assert!(drawn.iter().any(|fault| from(fault).is_some() && from(fault) == from(&left.faults[1])), "{drawn:?}");
    assert_eq!(left.cluster.size, experiment.scenario.cluster.size);

    // In a campaign what was drawn is spelled out before.
    let spelled_out = Scenario { faults: drawn.clone(), swarm: None, seed, ..experiment.scenario.clone() };
    let spelled_out = experiment.vary(spelled_out).expect("it can be run");
    let shrinker = Shrinker::new(&spelled_out, seed).check(Some(Check::NoLostWrites)).drawn(drawn.len() - 1);
    let as_well = Scenario::parse(&shrinker.shrink().expect("it fails").case.source).expect("a shrunk case reads");
    assert_eq!(as_well.faults, left.faults);
}

#[test]
fn a_panic_is_not_shrunk_to_one_that_says_the_same_elsewhere() {
    let experiment = touchy::experiment("Twice", "");
    // Twenty requests have come long before the other one starts again, unless the run is cut short.
    let kill = Fault::During(Span::millis(100), Span::secs(4), Action::Kill(Target::Named("n2".to_owned())));
    let scenario = Scenario { faults: vec![kill], run: Span::secs(5), ..experiment.scenario.clone() };
    let experiment = experiment.vary(scenario).expect("it can be run");
    let place = |experiment: &Experiment, seed| {
        let panic = experiment.run(seed, None, false).run.history.panic;
        panic.expect("it panics").place
    };
    let shrunk = Shrinker::new(&experiment, 7).shrink().expect("it panics");
    let read =
        experiment.vary(Scenario::parse(&shrunk.case.source).expect("a shrunk case reads")).expect("it can be run");
    assert_eq!(place(&read, shrunk.case.seed), place(&experiment, 7), "{}", shrunk.case.text());
}

#[test]
fn where_a_run_was_broken_off_nothing_is_shrunk_that_looks_at_its_end() {
    let experiment = experiment(LOST);
    let until = Some(Span::secs(2));
    let kinds = |seed, until: Option<Span>| {
        let outcome = experiment.run(seed, until.map(|until| SimTime::ZERO + until), false);
        let kind = |finding: Finding| Some((finding.check, finding.verdict.witness()?.kind.clone()));
        outcome.findings.into_iter().filter_map(kind).collect::<Vec<_>>()
    };
    for seed in 0..100 {
        let whole = kinds(seed, None);
        let early = kinds(seed, until);
        assert!(early.iter().all(|found| !found.0.asks_for_the_end() && whole.contains(found)), "{seed}: {early:?}");
    }
    let seed = failing(&experiment, Check::NoLostWrites, 15);
    let check = Check::NoLostWrites;
    let refused = Shrinker::new(&experiment, seed).until(until).check(Some(check)).shrink().expect_err("it is unknown");
    assert_eq!(refused, NothingToShrink::NotViolated { check, seed });
}

#[test]
fn a_fault_that_may_as_well_strike_at_once_does() {
    let text = BACK.replace("faults: [", "faults: [At(\"2s\", Cut(between: (\"n1\", \"n2\"))), ");
    let experiment = experiment(&text);
    let seed = failing(&experiment, Check::MonotonicReads, 3);
    let shrunk = shrink(&experiment, seed, Check::MonotonicReads);
    assert!(shrunk.after.run < Span::secs(1), "{}", shrunk.case.text());
}

#[test]
fn any_number_of_threads_gives_the_same_case() {
    let experiment = experiment(LOST);
    let seed = failing(&experiment, Check::NoLostWrites, 15);
    let with = |jobs, runs| {
        let limits = Limits { runs, jobs: NonZero::new(jobs).expect("a thread") };
        let shrunk = Shrinker::new(&experiment, seed).limits(limits).shrink().expect("the check is violated");
        (shrunk.case.text(), shrunk.runs, shrunk.ended_by)
    };
    assert_eq!(with(1, 20_000), with(7, 20_000));
    let (text, _, bound) = with(3, 40);
    assert_eq!((text.clone(), bound), (with(1, 40).0, Some(EndedBy::Runs)));
    assert!(text.contains("there may be a smaller case"), "{text}");
}

#[test]
fn a_watch_that_says_stop_is_obeyed_and_a_run_that_holds_is_refused() {
    let experiment = experiment(LOST);
    let seed = failing(&experiment, Check::NoLostWrites, 15);
    let shrinker = Shrinker::new(&experiment, seed).check(Some(Check::NoLostWrites));
    let shrunk = shrinker.watch(&|progress| progress.runs < 10).shrink().expect("it fails");
    assert_eq!(shrunk.ended_by, Some(EndedBy::Stopped));
    let tried = |need: &&Need| !matches!(need.without, Without::NotTried | Without::Impossible);
    assert_eq!(shrunk.needed.iter().find(tried), None, "nothing is run any more");
    let holds = Scenario { swarm: None, ..experiment.scenario.clone() };
    let holds = experiment.vary(holds).expect("a scenario without faults");
    let refused = Shrinker::new(&holds, 1).check(Some(Check::NoLostWrites)).shrink().expect_err("nothing is lost");
    assert_eq!(refused, NothingToShrink::NotViolated { check: Check::NoLostWrites, seed: 1 });
}
