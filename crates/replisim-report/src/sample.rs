//! A small run made by hand, for the tests: a profile is saved, and the reload reads from a follower that lags.

use replisim_history::measure::Unit;
use replisim_history::{
    Check, Contents, Datum, Final, Finding, Firing, History, Install, Key, Lineage, Made, Milestone, NodeId, NodeInfo,
    Op, Operation, Outcome, PlannedFault, Position, Promise, Reason, Run, Seen, SessionId, SessionInfo, Settling,
    Trace, TraceLine, Value, Verdict, Witness, WitnessLine,
};
use replisim_kernel::{Digest, SimTime, Span, Tape};

use crate::{JudgedFinding, MeasuredBound, RunReport};

const US: &str = "us-east";
const APP: u16 = 3;
const APP_EU: u16 = 4;

/// The run: `p` leads, `s1` and `s2` follow, and sessions live at two application servers.
pub(crate) fn run() -> Run {
    Run {
        coverage: Vec::new(),
        seed: 7,
        fingerprint: Digest(0x8c1e_52d0_0000_0000_0000_0000_0000_0042),
        events: 412_118,
        simulated: Span::millis(10_014),
        nodes: [("p", US), ("s1", US), ("s2", US), ("app", US), ("app-eu", "eu-west")].map(node).to_vec(),
        sessions: [APP, APP, APP, APP, APP, APP_EU].map(|app| SessionInfo { server: NodeId(app), group: 0 }).to_vec(),
        faults: vec![
            PlannedFault {
                text: "the link between p and s2 slows by 300 ms".to_owned(),
                fired: vec![firing(2_000, 4_000)],
            },
            PlannedFault { text: "p | s1 flaps".to_owned(), fired: vec![firing(5_000, 5_100), firing(5_200, 5_300)] },
            PlannedFault { text: "crash of the leader".to_owned(), fired: vec![] },
        ],
        milestones: vec![
            milestone(0, Some(0), "leads, timeline 1"),
            milestone(2_310, Some(2), "is 300 ms behind node0"),
            milestone(5_105, Some(1), "reconnects to node0"),
            milestone(5_305, Some(1), "reconnects to node0"),
        ],
        history: history(),
        never_begun: tape([]),
        lags: vec![Tape::new(), lags([900, 1_100, 3_800]), lags([1_100, 304_000, 311_000]), Tape::new()],
        settling: Settling { healed: millis(10_000), converged_after: Some(Span::millis(14)) },
        trace: Some(Trace {
            lines: vec![
                trace_line(12_000, 41, 38, "p → s1", "Wal 0/2040..0/20c8 of node0"),
                trace_line(13_204, 42, 0, "c4", "write k17 = 4.12 … ok (1.9 ms)"),
            ],
        }),
    }
}

/// What was found in `run`: a violation that was expected, one that breaks a promise, one that holds, one unknown.
pub(crate) fn findings() -> Vec<JudgedFinding> {
    let lags = || Promise::NotPromised("a follower may be behind, and any follower may be read".to_owned());
    let judged = |finding, promise, expected_to_hold, as_expected| JudgedFinding {
        finding,
        promise,
        expected_to_hold,
        as_expected,
    };
    vec![
        judged(
            finding(Check::NoLostWrites, Verdict::Holds, 0, 2_004, "acknowledged writes"),
            Promise::Promised,
            None,
            true,
        ),
        judged(finding(Check::ReadYourWrites, stale_read(), 37, 18_031, "reads"), lags(), Some(false), true),
        judged(
            finding(Check::MonotonicReads, Verdict::Unknown(replisim_history::Limit::NothingToCheck), 0, 0, "reads"),
            lags(),
            Some(true),
            false,
        ),
        judged(finding(Check::Convergence, Verdict::Holds, 0, 3, "replicas"), Promise::Promised, Some(true), true),
    ]
}

/// Two measures of the scenario's own, one within its bounds.
pub(crate) fn bounds() -> Vec<MeasuredBound> {
    vec![
        MeasuredBound {
            name: "stale reads".to_owned(),
            value: Some(0.002_052),
            unit: Unit::Share,
            at_least: Some(0.001),
            at_most: Some(0.005),
            ok: true,
        },
        MeasuredBound {
            name: "median commit".to_owned(),
            value: Some(1_402.5),
            unit: Unit::Milliseconds,
            at_least: None,
            at_most: Some(2.0),
            ok: false,
        },
    ]
}

/// All that is told of a run.
pub(crate) fn report(run: &Run) -> RunReport<'_> {
    RunReport {
        title: "stale read after write".to_owned(),
        file: "scenarios/leader_follower/stale_read_after_write.ron".to_owned(),
        about: "A user saves a profile and reloads;\n  the read goes to a follower that has not caught up.",
        system: "PostgreSQL, FIRST 1 (s1, s2)".to_owned(),
        run,
        findings: findings(),
        bounds: bounds(),
        elapsed: Some(0.0612),
        replay: "replisim run scenarios/leader_follower/stale_read_after_write.ron --seed 7".to_owned(),
        cure: Some("replisim run scenarios/leader_follower/read_your_writes_by_token.ron --seed 7".to_owned()),
        anomaly: None,
    }
}

fn history() -> History {
    let key = Key(17);
    let [old, new] = [Value::written(SessionId(2), 3), Value::written(SessionId(4), 12)];
    let [write_old, write_new] = [old, new].map(|value| Op::Write { key, value });
    let [saw_old, saw_new] = [old, new].map(|value| Seen::Datum(Datum::Register(value)));
    let (read, nothing) = (Op::Read { key }, Seen::Nothing);
    let ok = Outcome::Ok;
    let operations = [
        operation((2, 3), write_old, (1_500_000, 1_420), ok, nothing.clone(), (APP, 0)),
        operation((4, 12), write_new, (2_009_100, 1_900), ok, nothing.clone(), (APP, 0)),
        operation((4, 13), read.clone(), (2_012_700, 300), ok, saw_old, (APP, 2)),
        operation((1, 9), read.clone(), (5_000_000, 200), Outcome::Fail(Reason::Refused), nothing, (APP, 1)),
        operation((5, 0), read, (6_000_000, 82_140), ok, saw_new, (APP_EU, 0)),
    ];
    let install = |micros, value, index| Install {
        at: SimTime::ZERO + Span::micros(micros),
        node: NodeId(0),
        key,
        made: Made::Value(value),
        position: Position::new(1, index),
    };
    History {
        operations: tape(operations),
        installs: tape([install(1_500_500, old, 2_003), install(2_009_900, new, 2_004)]),
        beginnings: tape([]),
        discards: tape([]),
        finals: vec![holds(0, true, key, new), holds(2, false, key, new)],
        down: Vec::new(),
        panic: None,
        broken_off: None,
        unsettled: false,
    }
}

fn holds(node: u16, leads: bool, key: Key, value: Value) -> Final {
    let last = Position::new(1, 2_004);
    let (mut contents, mut lineage) = (Contents::new(), Lineage::new());
    contents.install(key, Datum::Register(value), last);
    lineage.extend(0, last);
    Final { node: NodeId(node), at: SimTime::ZERO + Span::secs(10), leads, contents, lineage: Some(lineage) }
}

/// An operation of `(session, ordinal)`, sent at and answered after so many microseconds, from an application server to a
/// replica.
fn operation(
    (session, ordinal): (u32, u32),
    op: Op,
    (sent, took): (u64, u64),
    outcome: Outcome,
    seen: Seen,
    (origin, node): (u16, u16),
) -> Operation {
    let sent = SimTime::ZERO + Span::micros(sent);
    Operation {
        session: SessionId(session),
        ordinal,
        op,
        intended: sent,
        invoked: sent,
        completed: sent + Span::micros(took),
        outcome,
        seen,
        position: Position::ZERO,
        origin: NodeId(origin),
        node: NodeId(node),
    }
}

fn stale_read() -> Verdict {
    let line = |what: &str, millis_at, remark: &str| WitnessLine {
        who: "c4".to_owned(),
        what: what.to_owned(),
        at: millis(millis_at),
        remark: remark.to_owned(),
    };
    Verdict::Violated(Witness {
        kind: "older than own write".to_owned(),
        lines: vec![
            line("wrote k17 = 4.12", 2_011, "acknowledged by node0"),
            line("read k17 = 2.3", 2_013, "from node2, which was 301 ms behind"),
        ],
        operations: vec![1, 2],
    })
}

fn finding(check: Check, verdict: Verdict, broken: u64, of: u64, unit: &str) -> Finding {
    Finding { check, verdict, broken, of, unit: unit.to_owned() }
}

fn node((name, region): (&str, &str)) -> NodeInfo {
    NodeInfo {
        name: name.to_owned(),
        host: name.to_owned(),
        zone: "a".to_owned(),
        region: region.to_owned(),
        replica: !name.starts_with("app"),
    }
}

fn milestone(at: u64, node: Option<u16>, text: &str) -> Milestone {
    Milestone { at: millis(at), node: node.map(NodeId), text: text.to_owned() }
}

fn trace_line(micros: u64, id: u64, cause: u64, subject: &str, text: &str) -> TraceLine {
    let at = SimTime::ZERO + Span::micros(micros);
    TraceLine { at, id, cause, subject: subject.to_owned(), text: text.to_owned() }
}

fn lags(micros: [u64; 3]) -> Tape<Span> {
    tape(micros.map(Span::micros))
}

fn tape<T: Clone>(entries: impl IntoIterator<Item = T>) -> Tape<T> {
    let mut tape = Tape::new();
    for entry in entries {
        tape.push(entry);
    }
    tape
}

fn millis(n: u64) -> SimTime {
    SimTime::ZERO + Span::millis(n)
}

fn firing(from: u64, until: u64) -> Firing {
    Firing { from: millis(from), until: millis(until), struck: Vec::new() }
}
