//! Campaigns to print in tests.

use replisim_history::{
    Broken, Check, CheckTally, DivergenceInfo, FailureGroup, KnownFailure, Replay, Sequel, SubjectSurvey, Survey,
};

fn subject(name: &str) -> SubjectSurvey {
    let tally = |check, kept, anomalies| CheckTally {
        check,
        kept,
        lucky: 0,
        anomalies,
        broken: 0,
        undecided: 2,
        fresh_decided: 5_000,
        fresh_violated: anomalies / 4,
    };
    SubjectSurvey {
        name: name.to_owned(),
        system: "PostgreSql, FIRST 1 (s1, s2)".to_owned(),
        swarm: true,
        runs: 10_000,
        fresh: 5_000,
        failing: 0,
        events: 20_000_000,
        seed_start: 1,
        checks: vec![tally(Check::NoLostWrites, 9_998, 0), tally(Check::MonotonicReads, 0, 9_998)],
        failures: Vec::new(),
        at_most: Some(0.000_599),
        cells: 412,
        never_reached: vec!["rewinding".to_owned()],
        never_struck: vec!["FullDisk".to_owned()],
        never_violated: vec![Check::Convergence],
        twice: 156,
        differing: 0,
        divergences: Vec::new(),
    }
}

/// Two subjects, nothing broken.
pub fn clean() -> Survey {
    Survey {
        subjects: vec![subject("scenarios/one.ron"), subject("scenarios/two.ron")],
        known: Vec::new(),
        interrupted: false,
    }
}

/// One subject, with a failure and a divergence.
pub fn survey() -> Survey {
    let failure = FailureGroup {
        check: Check::NoLostWrites,
        kind: "write vanished".to_owned(),
        phase: "promoted".to_owned(),
        also: vec![Broken { check: Check::ReadYourWrites, kind: "older than own write".to_owned(), runs: 7 }],
        runs: 41,
        first: 18,
        seed: 90_210,
        fresh: false,
        plan: "5b0e".to_owned(),
        knobs: vec!["cluster.size=3".to_owned(), "protocol.slots=false".to_owned()],
        knobs_left: Some(vec!["cluster.size=3".to_owned()]),
        faults: vec!["failover to s1 at 1.2s".to_owned()],
        struck: vec!["Failover".to_owned()],
        operations: Some(1),
        id: "a1f3".to_owned(),
        case: Some(".replisim/cases/a1f3.ron".to_owned()),
        story: vec!["  c2  wrote k3 = 2.4   1.1 s  acknowledged by p".to_owned()],
        replay: Replay::Command("replisim replay a1f3".to_owned()),
    };
    let divergence = DivergenceInfo {
        seed: 7,
        fresh: true,
        plan: "90c7".to_owned(),
        id: "77d0".to_owned(),
        case: Some(".replisim/cases/77d0.ron".to_owned()),
        replay: Replay::Command("replisim replay 77d0".to_owned()),
        event: 1_204,
        one: "n1 → n2 a".to_owned(),
        other: "n1 → n3 a".to_owned(),
        remembered: false,
    };
    let mut subject = SubjectSurvey {
        failing: 41,
        failures: vec![failure],
        at_most: None,
        differing: 94,
        divergences: vec![divergence],
        ..subject("scenarios/one.ron")
    };
    let lost = &mut subject.checks[0];
    (lost.kept, lost.broken) = (lost.kept - 41, 41);
    let known = |fixed: bool| KnownFailure {
        subject: "scenarios/one.ron".to_owned(),
        check: "NoLostWrites".to_owned(),
        kind: "write vanished".to_owned(),
        seed: 12,
        plan: "13a2".to_owned(),
        id: "e5c4".to_owned(),
        case: (!fixed).then(|| ".replisim/cases/e5c4.ron".to_owned()),
        replay: if fixed { Replay::Untold } else { Replay::Command("replisim replay e5c4".to_owned()) },
        became: Some(if fixed { Sequel::Gone } else { Sequel::StillThere }),
        untried: if fixed { 0 } else { 19 },
    };
    Survey { subjects: vec![subject], known: vec![known(true), known(false)], interrupted: true }
}
