//! Taking one fault out of a plan leaves the rest of the run as it was, as far as causality allows.
//!
//! That is what makes shrinking a plan honest. Each fault is taken out in turn, and this is compared:
//!
//! - **Every packet of every link**, over a protocol that answers to nothing ([`beacon`]). A packet may meet another
//!   fate only if it was sent on a link that the fault touches, while the fault was in force; before, after and
//!   elsewhere it arrives at the same nanosecond as before, doubled or lost as before. All other faults strike the
//!   same nodes at the same times, also those that choose at random.
//! - **Every scenario of the repository with several faults.** Up to the moment at which the fault struck, the traces
//!   are the same. Over the whole run, every operation that both runs reach asks for the same thing (the same session's
//!   n-th), and every other fault that has a set time strikes at it.

mod beacon;
#[path = "../library/mod.rs"]
mod library;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use beacon::Beacon;
use replisim::history::{NodeId, Op, PlannedFault, Run, SessionId, TraceLine};
use replisim::kernel::SimTime;
use replisim::lab::scenario::Source;
use replisim::lab::{Catalog, Experiment};
use replisim::world::spec::Fault;

const SEED: u64 = 7;

/// Five beacons, lossy links, and faults of which each may touch what stands beside it in [`REACHES`].
const BEACONS: &str = r#"Scenario(
    cluster: (size: 5, links: (between_zones: LogNormal(median: "2ms", p99: "9ms"), loss: "10%", duplicate: "5%")),
    protocol: Beacon(),
    clients: [(sessions: 1)],
    faults: [
        During("200ms", "500ms", Slow(link: ("n1", "n2"), by: "40ms")),
        During("300ms", "800ms", Lossy(link: ("n3", "n4"), loss: "60%")),
        Every("250ms", "90ms", Isolate("random 1")),
        During("400ms", "700ms", OneWay(from: "n5", to: "n2")),
        At("600ms", Kill("n4")),
        During("100ms", "180ms", Throttled(link: ("n1", "n5"), to: "50kbit/s")),
        During("100ms", "180ms", Duplicating(link: ("n2", "n3"), chance: "50%")),
        During("820ms", "890ms", Reordering(link: ("n1", "n2"), chance: "50%", by: "30ms")),
        During("820ms", "890ms", Hold(link: ("n3", "n5"))),
        During("700ms", "760ms", Flapping(between: ("n1", "n3"), down: "20ms", up: "10ms")),
        During("760ms", "800ms", Swizzle(step: "5ms")),
        During("800ms", "810ms", Bridge("n2")),
        During("810ms", "820ms", MajorityRing),
        At("900ms", Halves),
    ],
    run: "1s",
    settle: "100ms",
)"#;

/// What each fault of [`BEACONS`] may touch.
const REACHES: [Reach; 14] = [
    Reach { links: |from, to| is_between(from, to, 0, 1), beats: 20..=50 },
    Reach { links: |from, to| is_between(from, to, 2, 3), beats: 30..=80 },
    Reach { links: |_, _| true, beats: 25..=100 },
    Reach { links: |from, to| (from, to) == (4, 1), beats: 40..=70 },
    Reach { links: |from, to| from == 3 || to == 3, beats: 1..=u32::MAX },
    Reach { links: |from, to| is_between(from, to, 0, 4), beats: 10..=18 },
    Reach { links: |from, to| is_between(from, to, 1, 2), beats: 10..=18 },
    Reach { links: |from, to| is_between(from, to, 0, 1), beats: 82..=89 },
    Reach { links: |from, to| is_between(from, to, 2, 4), beats: 82..=89 },
    Reach { links: |from, to| is_between(from, to, 0, 2), beats: 70..=76 },
    Reach { links: |_, _| true, beats: 76..=80 },
    Reach { links: |_, _| true, beats: 80..=81 },
    Reach { links: |_, _| true, beats: 81..=82 },
    Reach { links: |_, _| true, beats: 90..=100 },
];

/// The links that a fault may touch, and the packets on them, by their numbers.
struct Reach {
    links: fn(u16, u16) -> bool,
    beats: RangeInclusive<u32>,
}

/// A packet: its sender, its receiver, and its number.
type Packet = (u16, u16, u32);

#[test]
fn links_that_a_fault_does_not_touch_draw_as_before() {
    let whole = arrivals(&run_without(None));
    for (removed, reach) in REACHES.iter().enumerate() {
        let less = arrivals(&run_without(Some(removed)));
        let packets = whole.keys().chain(less.keys());
        let changed: Vec<&Packet> = packets.filter(|packet| whole.get(packet) != less.get(packet)).collect();
        assert!(!changed.is_empty(), "fault {removed} did nothing, so this shows nothing");
        let beyond: Vec<_> = changed.into_iter().filter(|packet| !reach.covers(packet)).collect();
        assert!(beyond.is_empty(), "without fault {removed}, the fate of other packets changed: {beyond:?}");
    }
}

#[test]
fn other_faults_strike_the_same_nodes_at_the_same_times() {
    let whole = run_without(None).faults;
    for removed in 0..REACHES.len() {
        let mut others = whole.clone();
        others.remove(removed);
        assert_eq!(run_without(Some(removed)).faults, others, "without fault {removed}");
    }
}

#[test]
fn operations_and_other_faults_stay_as_they_were() {
    let several = library::each(|scenario| {
        let experiment = library::prepare(scenario)?;
        let faults = &experiment.scenario.faults;
        if faults.len() < 2 {
            return Ok(false);
        }
        let whole = experiment.begin(SEED, true).finish();
        for removed in 0..faults.len() {
            compare(faults, removed, &whole, &without(scenario, removed)?)
                .map_err(|difference| format!("without `{}`, {difference}", faults[removed]))?;
        }
        Ok(true)
    });
    let compared = several.into_iter().filter(|several| *several).count();
    assert!(compared >= 2, "{compared} scenarios have several faults; that shows too little");
}

// ── packets ──

/// The run of the beacons, but for one fault.
fn run_without(removed: Option<usize>) -> Run {
    let catalog = Catalog::new().with::<Beacon>();
    let prepared = Experiment::prepare(&Source::new("beacons", BEACONS), &catalog);
    let mut experiment = prepared.unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(experiment.scenario.faults.len(), REACHES.len(), "each fault has its reach");
    removed.map(|index| experiment.scenario.faults.remove(index));
    experiment.begin(SEED, false).finish()
}

/// When each packet arrived; twice if it was doubled.
fn arrivals(run: &Run) -> BTreeMap<Packet, Vec<SimTime>> {
    let mut arrivals = BTreeMap::<Packet, Vec<SimTime>>::new();
    for milestone in &run.milestones {
        let Some(NodeId(to)) = milestone.node else { continue };
        let Some((from, beat)) = milestone.text.strip_prefix("beat ").and_then(|text| text.split_once(' ')) else {
            continue;
        };
        let number = |text: &str| text.parse::<u32>().expect("a beacon notes numbers");
        arrivals.entry((number(from) as u16, to, number(beat))).or_default().push(milestone.at);
    }
    arrivals
}

impl Reach {
    fn covers(&self, &(from, to, beat): &Packet) -> bool {
        (self.links)(from, to) && self.beats.contains(&beat)
    }
}

const fn is_between(from: u16, to: u16, one: u16, other: u16) -> bool {
    (from == one && to == other) || (from == other && to == one)
}

// ── scenarios ──

/// The run of a scenario without one of its faults.
fn without(scenario: &Source, removed: usize) -> Result<Run, String> {
    let mut experiment = library::prepare(scenario)?;
    experiment.scenario.faults.remove(removed);
    Ok(experiment.begin(SEED, true).finish())
}

/// Compares a run with the one of the same plan without one fault.
fn compare(faults: &[Fault], removed: usize, whole: &Run, less: &Run) -> Result<(), String> {
    let struck = whole.faults[removed].fired.first().map_or(SimTime::NEVER, |firing| firing.from);
    let before = |run| lines_before(run, struck).map(ToString::to_string).collect::<Vec<_>>();
    same("the trace before it struck", &before(whole), &before(less))?;
    let (mut planned, mut left) = (faults.to_vec(), whole.faults.clone());
    planned.remove(removed);
    left.remove(removed);
    same("a fault with a set time", &timed(&planned, &left), &timed(&planned, &less.faults))?;
    let (asked, now_asked) = (operations(whole), operations(less));
    let both = |one: &BTreeMap<_, Op>, other: &BTreeMap<_, Op>| {
        let reached = one.iter().filter(|(which, _)| other.contains_key(*which));
        reached.map(|((session, ordinal), op)| format!("{session}.{ordinal} {op}")).collect::<Vec<_>>()
    };
    same("an operation", &both(&asked, &now_asked), &both(&now_asked, &asked))
}

/// # Errors
/// The first of `expected` that `actual` has otherwise.
fn same(what: &str, expected: &[String], actual: &[String]) -> Result<(), String> {
    let length = expected.len().max(actual.len());
    let differing = (0..length).map(|index| (expected.get(index), actual.get(index))).find(|(one, other)| one != other);
    match differing {
        None => Ok(()),
        Some((one, other)) => Err(format!("{what} differs:\n  with     {one:?}\n  without  {other:?}")),
    }
}

fn lines_before(run: &Run, instant: SimTime) -> impl Iterator<Item = &TraceLine> {
    let lines = run.trace.iter().flat_map(|trace| &trace.lines);
    lines.take_while(move |line| line.at < instant)
}

/// When the faults with a set time struck. The others wait for what the run itself does.
fn timed(planned: &[Fault], faults: &[PlannedFault]) -> Vec<String> {
    let waits = |fault: &Fault| matches!(fault, Fault::When(..) | Fault::WhenFor(..));
    let set = planned.iter().zip(faults).filter(|(plan, _)| !waits(plan));
    set.map(|(plan, fault)| {
        let struck: Vec<_> = fault.fired.iter().map(|firing| firing.from.to_string()).collect();
        format!("{plan}: {}", struck.join(", "))
    })
    .collect()
}

/// What each session asked for, in its n-th operation.
fn operations(run: &Run) -> BTreeMap<(SessionId, u32), Op> {
    run.history.operations.iter().map(|it| ((it.session, it.ordinal), it.op.clone())).collect()
}
