//! A protocol that panics wherever it is told to, and what becomes of its runs.

use std::collections::BTreeMap;
use std::fmt;

use replisim_history::{Check, Contents, Limit, Lineage, NodeId, OpKind, Panic, Position, Promise, Run, Verdict};
use replisim_kernel::{SimTime, Span};
use replisim_world::Simulation;
use replisim_world::process::{Cx, Input, Payload, Process, Reply, Role, View};
use replisim_world::protocol::{Circumstances, Member, Problem, Protocol};
use replisim_world::spec::Topology;
use serde::Deserialize;

use crate::scenario::Source;
use crate::{Catalog, Experiment};

/// Answers everything, until it panics.
#[derive(Clone, Debug)]
struct Touchy {
    at: Where,
    requests: u32,
}

/// Where it panics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
enum Where {
    #[default]
    Nowhere,
    Boot,
    Reboot,
    Request,
    View,
    Contents,
    Printing,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "Touchy")]
struct Settings {
    at: Where,
}

#[derive(Clone, Hash, Debug)]
struct Word(bool);

impl Process for Touchy {
    type Config = Where;
    type Message = Word;
    type Timer = ();
    type Record = Word;

    fn boot(cx: &mut Cx<'_, Self>, at: &Where) -> Self {
        let again = cx.journal().end() > 0;
        assert!(*at != Where::Boot, "cannot start");
        assert!(!(*at == Where::Reboot && again), "cannot start again");
        cx.append(Word(true));
        cx.sync();
        Touchy { at: *at, requests: 0 }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        let Input::Request(request) = input else { return };
        self.requests += 1;
        assert!(self.at != Where::Request || self.requests < 3, "{} requests\nare too many", self.requests);
        cx.send(cx.me(), Word(self.at == Where::Printing));
        cx.reply(request.id, Reply::ok(Default::default(), Position::ZERO, Position::ZERO));
    }

    fn view(&self) -> View {
        assert!(self.at != Where::View || self.requests < 3, "nobody may look");
        View::of(Role::Replica, 0, Position::ZERO, true)
    }

    fn contents(&self) -> Option<(&Contents, &Lineage)> {
        assert!(self.at != Where::Contents, "nobody may read");
        None
    }
}

impl Payload for Word {}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(!self.0, "cannot be printed");
        f.write_str("Word")
    }
}

impl Protocol for Touchy {
    const NAME: &'static str = "Touchy";
    const ABOUT: &'static str = "panics";
    type Settings = Settings;

    fn assemble(settings: &Settings, topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let config = settings.at;
        let member = |(host, name): (usize, String)| Member { name, host, starts: true, replica: true, config };
        Ok(topology.hosts.iter().map(|host| host.name.clone()).enumerate().map(member).collect())
    }

    fn supports(_: &Settings, _: OpKind) -> bool {
        true
    }

    /// Nothing, and not even that it does not panic.
    fn promises(_: &Settings, _: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        Check::ALL.into_iter().map(|check| (check, Promise::NotPromised("it is touchy".to_owned()))).collect()
    }

    fn summary(_: &Settings) -> String {
        String::new()
    }
}

/// A second of two replicas, one of which is killed and starts again.
fn experiment(at: &str, more: &str) -> Experiment {
    let text = format!(
        "Scenario(
            cluster: (size: 2),
            protocol: Touchy(at: {at}),
            clients: [(sessions: 2, arrive: Every(\"100ms\"))],
            faults: [During(\"300ms\", \"500ms\", Kill(\"n2\"))],
            run: \"1s\",
            {more}
        )"
    );
    let prepared = Experiment::prepare(&Source::new("touchy.ron", text), &Catalog::new().with::<Touchy>());
    prepared.unwrap_or_else(|report| panic!("{}", report.render(false)))
}

/// Who panicked in a run, and the first line of what was said.
fn panic_of(run: &Run) -> Option<(Option<u16>, &str)> {
    let panic: &Panic = run.history.panic.as_ref()?;
    assert!(panic.place.contains("src/guard/tests.rs:"), "{}", panic.place);
    Some((panic.node.map(|node| node.0), panic.message.lines().next().unwrap_or_default()))
}

#[test]
fn wherever_something_panics_the_run_ends_there_and_says_who() {
    for (at, who) in [
        ("Nowhere", None),
        ("Boot", Some((Some(0), "cannot start"))),
        ("Reboot", Some((Some(1), "cannot start again"))),
        ("Request", Some((Some(1), "3 requests"))),
        ("View", Some((None, "nobody may look"))),
        ("Contents", Some((None, "nobody may read"))),
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
fn a_run_that_is_stopped_may_panic_as_it_tells_what_it_holds() {
    let run = experiment("Contents", "").run(7, Some(SimTime::ZERO + Span::millis(250)), false).run;
    assert_eq!(panic_of(&run), Some((None, "nobody may read")));
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
        driven(|it| while it.step() {}).stop(),
        driven(|it| assert!(!it.advance(u64::MAX))).finish(),
        driven(|it| assert!(!it.run_until(SimTime::ZERO + Span::secs(1)))).stop(),
        driven(|it| assert!(it.advance(10))).fork().finish(),
        driven(|it| assert!(!it.advance(u64::MAX))).fork().stop(),
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
