//! What becomes of runs in which something panics.

use replisim_history::{Check, Limit, NodeId, Panic, Promise, Run, Verdict};
use replisim_kernel::{SimTime, Span};
use replisim_world::Simulation;

use crate::touchy::experiment;

/// Who panicked in a run, and the first line of what was said.
fn panic_of(run: &Run) -> Option<(Option<u16>, &str)> {
    let panic: &Panic = run.history.panic.as_ref()?;
    assert!(panic.place.contains("src/touchy.rs:"), "{}", panic.place);
    Some((panic.node.map(|node| node.0), panic.message.lines().next().unwrap_or_default()))
}

#[test]
fn wherever_something_panics_the_run_ends_there_and_says_who() {
    for (at, who) in [
        ("Nowhere", None),
        ("Boot", Some((Some(0), "cannot start"))),
        ("Reboot", Some((Some(1), "cannot start again"))),
        ("Request", Some((Some(1), "3 requests"))),
        ("View", Some((Some(0), "nobody may look"))),
        ("Contents", Some((Some(0), "nobody may read"))),
    ] {
        let run = experiment(at, "").run(7, None, false).run;
        assert_eq!(panic_of(&run), who, "{at}");
        assert_eq!(run.history.finals.is_empty(), who.is_some(), "{at}");
    }
}

#[test]
fn only_a_trace_prints_messages() {
    let experiment = experiment("Printing", "");
    assert_eq!(panic_of(&experiment.run(7, None, false).run), None);
    assert_eq!(panic_of(&experiment.run(7, None, true).run), Some((None, "cannot be printed")));
}

#[test]
fn a_run_in_which_time_stands_still_ends_there_and_says_who_keeps_it() {
    let begin = || experiment("Standstill", "").begin(7, false);
    let whole = begin().finish();
    let panic = whole.history.panic.as_ref().expect("it is ended");
    assert_eq!(panic.node, None);
    let said: Vec<&str> = panic.message.lines().collect();
    let still = "time stands still: more than 4194304 events in a row are at one instant";
    assert_eq!(said, [still, "the next is n2's timer ()"]);
    let mut until = begin();
    assert!(!until.run_until(SimTime::ZERO + Span::secs(1)));
    assert_eq!(until.break_off().fingerprint, whole.fingerprint, "however it is driven");
}

#[test]
fn a_run_that_is_stopped_may_panic_as_it_tells_what_it_holds() {
    let run = experiment("Contents", "").run(7, Some(SimTime::ZERO + Span::millis(250)), false).run;
    assert_eq!(panic_of(&run), Some((Some(0), "nobody may read")));
    assert_eq!(run.history.panic.map(|panic| panic.at), Some(SimTime::ZERO + run.simulated));
}

#[test]
fn a_look_from_outside_that_panics_sees_nothing() {
    let mut simulation = experiment("View", "").begin(7, false);
    assert!(simulation.view(NodeId(1)).is_some());
    simulation.run_until(SimTime::ZERO + Span::millis(250));
    assert!(simulation.view(NodeId(1)).is_none());
}

#[test]
fn it_is_the_same_run_however_it_is_driven() {
    let experiment = experiment("Request", "");
    let begin = || experiment.begin(7, true);
    let driven = |drive: fn(&mut dyn Simulation)| {
        let mut simulation = begin();
        drive(&mut *simulation);
        simulation
    };
    let whole = begin().finish();
    let lines = &whole.trace.as_ref().expect("it was asked for").lines;
    assert!(lines.last().expect("a line").text.contains("✗ panics: 3 requests are too many"), "{lines:?}");
    let others = [
        driven(|it| while it.step() {}).break_off(),
        driven(|it| assert!(!it.advance(u64::MAX))).finish(),
        driven(|it| assert!(!it.run_until(SimTime::ZERO + Span::secs(1)))).break_off(),
        driven(|it| assert!(it.advance(10))).fork().finish(),
        driven(|it| assert!(!it.advance(u64::MAX))).fork().break_off(),
    ];
    for other in others {
        assert_eq!((other.fingerprint, other.events), (whole.fingerprint, whole.events));
        assert_eq!((&other.history.panic, other.trace), (&whole.history.panic, whole.trace.clone()));
    }
}

#[test]
fn it_is_checked_and_promised_whatever_is_said_of_it() {
    for (checks, expect, fine) in [
        ("[]", "{}", false),
        ("[NoPanic]", "{}", false),
        ("[]", "{ NoPanic: Holds }", false),
        ("[]", "{ NoPanic: Violated }", true),
        ("[NoPanic, MonotonicReads]", "{ NoPanic: Violated }", false),
    ] {
        let experiment = experiment("Request", &format!("checks: {checks}, expect: {expect}"));
        assert_eq!(experiment.promises()[&Check::NoPanic], Promise::Promised);
        let outcome = experiment.run(7, None, false);
        assert_eq!(outcome.judgement.is_fine(), fine, "{checks} {expect}");
        let verdict = |check| outcome.findings.iter().find(|it| it.check == check).map(|it| &it.verdict);
        assert!(
            matches!(verdict(Check::NoPanic), Some(Verdict::Violated(witness)) if witness.kind.contains("# requests"))
        );
        assert!(matches!(verdict(Check::MonotonicReads), None | Some(Verdict::Unknown(Limit::Panicked))));
    }
    assert!(
        !experiment("Nowhere", "checks: [], expect: { NoPanic: Violated }").run(7, None, false).judgement.is_fine()
    );
    assert!(experiment("Nowhere", "checks: []").run(7, None, false).judgement.is_fine());
}
