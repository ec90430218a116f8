//! A protocol whose own assertion fails after a rare order of events: found, shrunk, kept and replayed like any other
//! mistake, and nothing waits for a run that does not come back.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process;

use replisim::history::Sequel;
use replisim::lab::fuzz::{NoLedger, Orders, Subject, Tally, run_campaign, survey};
use replisim::lab::scenario::Source;
use replisim::lab::shrink::{Limits, Shrinker};
use replisim::lab::{Case, JudgedRun};
use replisim::prelude::*;

/// Numbers what it is asked for, and tells the others. It does so before its disk has the number, so that a host which is
/// lost in between gives the same number twice.
#[derive(Clone, Debug)]
struct Counter {
    replicas: u16,
    /// The number that each replica gives next, as far as this one knows.
    next: BTreeMap<NodeId, u64>,
}

/// Somebody has given this number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Given(u64);

impl Process for Counter {
    type Config = u16;
    type Message = Given;
    type Timer = ();
    type Record = Given;

    fn boot(cx: &mut Cx<'_, Self>, replicas: &u16) -> Self {
        assert!(*replicas < 5, "{replicas} replicas are too many");
        let given = cx.journal().iter_from(0).map(|(_, Given(number))| number + 1).max();
        Counter { replicas: *replicas, next: given.map(|next| (cx.me(), next)).into_iter().collect() }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        match input {
            Input::Request(request) => {
                let number = self.next.get(&cx.me()).copied().unwrap_or_default();
                self.next.insert(cx.me(), number + 1);
                cx.append(Given(number));
                cx.sync();
                let me = cx.me();
                (0..self.replicas).map(NodeId).filter(|to| *to != me).for_each(|to| cx.send(to, Given(number)));
                cx.reply(request.id, Reply::fail(Reason::NotServing));
            }
            Input::Message { from, message: Given(number) } => {
                let next = self.next.entry(from).or_default();
                assert!(number >= *next, "{from} gives number {number} again");
                *next = number + 1;
            }
            _ => {}
        }
    }

    fn view(&self) -> View {
        View { role: Role::Replica, epoch: 0, received: Position::ZERO, applied: Position::ZERO, serving: true }
    }
}

impl Payload for Given {}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given {}", self.0)
    }
}

impl Protocol for Counter {
    const NAME: &'static str = "Counter";
    const ABOUT: &'static str = "gives no number twice, or so it believes";
    type Settings = ();

    fn assemble((): &(), topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let config = topology.hosts.len() as u16;
        let member = |(host, name): (usize, String)| Member { name, host, starts: true, replica: true, config };
        Ok(topology.hosts.iter().map(|host| host.name.clone()).enumerate().map(member).collect())
    }

    fn supports((): &(), _: OpKind) -> bool {
        true
    }

    fn promises((): &(), circumstances: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        assert_ne!(circumstances.topology.hosts.len(), 4, "nobody knows what four replicas promise");
        BTreeMap::new()
    }

    fn summary((): &()) -> String {
        String::new()
    }
}

const SCENARIO: &str = r#"Scenario(
    cluster: (size: 3, links: (between_zones: "1ms"), disk: (sync: "3ms")),
    protocol: Counter(),
    clients: [(sessions: 3, arrive: Every("100ms"))],
    swarm: (families: [Kill, HostLoss, Pause]),
    run: "5s",
    settle: "1s",
    checks: [],
)"#;

fn catalog() -> Catalog {
    Catalog::new().with::<Counter>()
}

fn subject<'c>(text: &str, catalog: &'c Catalog) -> Subject<'c> {
    let subject = Subject::prepare(&Source::new("counter.ron", text), catalog);
    subject.unwrap_or_else(|report| panic!("{}", report.render(false)))
}

fn fuzz(subject: &Subject<'_>, runs: u64, jobs: usize) -> Tally {
    let orders = Orders { jobs: NonZero::new(jobs).expect("a worker"), ..Orders::of(runs) };
    let go_on = &mut |_: &[Tally]| ControlFlow::Continue(());
    run_campaign(std::slice::from_ref(subject), &orders, &mut NoLedger, go_on).remove(0)
}

fn kinds(tally: &Tally) -> Vec<(Check, &str)> {
    tally.causes.keys().map(|cause| (cause.check, cause.kind.as_str())).collect()
}

const AGAIN: (Check, &str) = (Check::NoPanic, "node# gives number # again (in panics.rs)");

#[test]
fn a_failed_assertion_is_found_shrunk_and_replayed() {
    let catalog = catalog();
    let subject = subject(SCENARIO, &catalog);
    let tally = fuzz(&subject, 2_000, 4);
    assert_eq!(kinds(&tally), [AGAIN]);
    let (cause, found) = tally.causes.first_key_value().expect("a cause");
    assert!((1..tally.runs / 10).contains(&found.runs), "{} of {} runs", found.runs, tally.runs);

    let experiment = found.smallest.experiment();
    let shrinker = Shrinker::new(&experiment, found.smallest.plan.seed).check(Some(cause.check));
    let shrunk = shrinker.limits(Limits { runs: 2_000, ..Limits::default() }).shrink().expect("it panics again");
    assert!(shrunk.after.faults <= 2 && shrunk.after.operations <= 6, "{}", shrunk.case.story);
    assert!(shrunk.case.story.starts_with("A panic ends the run: "), "{}", shrunk.case.story);

    let case = Case::parse(&Source::new("case.ron", shrunk.case.text())).expect("what was written reads back");
    let replayed = || {
        let experiment = Experiment::prepare(&case.source, &catalog).expect("it can be run");
        case.run(&experiment, false)
    };
    let (one, other): (JudgedRun, JudgedRun) = (replayed(), replayed());
    assert_eq!((one.run.fingerprint, other.run.fingerprint), (case.fingerprint, case.fingerprint));
    let panic = one.run.history.panic.expect("it panics again");
    assert_eq!(Some(&panic), other.run.history.panic.as_ref());
    assert!(panic.place.starts_with("crates/example-abd/tests/panics.rs:"), "{}", panic.place);
    assert_eq!(case.anomaly.expect("it is a case of one").became(&one.findings), Sequel::StillThere);
}

#[test]
fn a_campaign_is_the_same_with_any_number_of_workers_and_ends_if_every_run_panics() {
    let catalog = catalog();
    let crowded = subject(&SCENARIO.replace("size: 3", "size: 5"), &catalog);
    let told = |jobs: usize| {
        let tallies = [fuzz(&crowded, 300, jobs)];
        assert_eq!(
            (tallies[0].failing, kinds(&tallies[0])),
            (300, vec![(Check::NoPanic, "# replicas are too many (in panics.rs)")])
        );
        survey(std::slice::from_ref(&crowded), &tallies, 1)
    };
    let survey = told(4);
    assert_eq!(survey, told(1));
    assert_eq!(survey.subjects[0].divergences, []);
    assert!(!survey.is_fine());
}

#[test]
fn a_panic_outside_of_a_run_ends_the_campaign_and_is_handed_on() {
    let catalog = catalog();
    let four = SCENARIO.replace("Pause])", "Pause], knobs: { \"cluster.size\": [\"3\", \"4\"] })");
    let subject = subject(&four, &catalog);
    let panic = catch_unwind(AssertUnwindSafe(|| fuzz(&subject, 300, 4))).expect_err("some run has four replicas");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("nobody knows what four replicas promise"), "{text}");
}

#[test]
fn a_trial_names_the_panic_and_its_smallest_case() {
    let file: PathBuf = env::temp_dir().join(format!("counter_{}.ron", process::id()));
    let certain = SCENARIO.replace(
        "swarm: (families: [Kill, HostLoss, Pause])",
        "faults: [During(\"1s\", \"2s\", LoseHost(host: \"n1\", unsynced: Lost))]",
    );
    fs::write(&file, certain.replace("3ms", "200ms")).expect("a file can be written");
    let catalog = catalog();
    let trial = Trial::of(&file.display().to_string(), &catalog).seeds(0..8);
    let panic = catch_unwind(AssertUnwindSafe(|| trial.hold())).expect_err("some seed panics");
    fs::remove_file(&file).expect("it was just written");
    let text = panic.downcast_ref::<String>().expect("a text");
    for told in [
        "(NoPanic: promise broken)",
        "A panic ends the run: node# gives number # again (in panics.rs).",
        "replisim replay ",
    ] {
        assert!(text.contains(told), "{told} is missing in\n{text}");
    }
    let (_, case) = text.rsplit_once("replisim replay ").expect("the command that replays it");
    fs::remove_file(case.trim()).expect("the case was written");
}
