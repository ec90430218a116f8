use replisim_kernel::{Digest, Tape};

use super::*;
use crate::{Final, History, Key, NodeId, NodeInfo, Op, Position, Seen, SessionId, Settling, Value};

fn at(millis: u64) -> SimTime {
    SimTime::ZERO + Span::millis(millis)
}

/// An operation of session 1, sent from node `origin`, from `from` to `to` milliseconds.
fn operation(ordinal: u32, write: bool, from: u64, to: u64, outcome: Outcome, origin: u16) -> Operation {
    let (key, session) = (Key(1), SessionId(1));
    let op = if write { Op::Write { key, value: Value::written(session, ordinal) } } else { Op::Read { key } };
    Operation {
        session,
        ordinal,
        op,
        intended: at(from),
        invoked: at(from),
        completed: if outcome == Outcome::Open { SimTime::NEVER } else { at(to) },
        outcome,
        seen: Seen::Nothing,
        position: Position::ZERO,
        origin: NodeId(origin),
        node: NodeId(0),
    }
}

fn run(operations: Vec<Operation>) -> Run {
    let node = |name: &str, region: &str| NodeInfo {
        name: name.into(),
        host: name.into(),
        zone: "z".into(),
        region: region.into(),
        replica: true,
    };
    Run {
        coverage: Vec::new(),
        seed: 1,
        fingerprint: Digest(0),
        events: 0,
        simulated: Span::secs(1),
        nodes: vec![node("p", "east"), node("s1", "west")],
        sessions: Vec::new(),
        faults: Vec::new(),
        milestones: Vec::new(),
        history: History { operations: operations.into_iter().collect(), ..History::default() },
        never_begun: Tape::new(),
        lags: vec![Tape::new(), [5, 1, 3].map(Span::millis).into_iter().collect()],
        settling: Settling { healed: at(900), converged_after: Some(Span::millis(40)) },
        trace: None,
    }
}

const OK: Outcome = Outcome::Ok;
const REFUSED: Outcome = Outcome::Fail(Reason::Refused);
const TIMEOUT: Outcome = Outcome::Info(Reason::Timeout);

/// Three writes acknowledged in time, then refusals and a timeout from 200 ms to 500 ms, then one more; two reads.
fn failover() -> Run {
    run(vec![
        operation(0, true, 0, 10, OK, 0),
        operation(1, true, 100, 120, OK, 1),
        operation(2, false, 130, 131, OK, 0),
        operation(3, true, 150, 180, OK, 0),
        operation(4, true, 200, 201, REFUSED, 0),
        operation(5, true, 250, 350, TIMEOUT, 0),
        operation(6, true, 400, 500, OK, 0),
        operation(7, false, 600, 605, OK, 1),
    ])
}

fn of(measure: Measure, window: Option<(u64, u64)>) -> Option<f64> {
    measure.evaluate(&Examined::of(&failover()), window.map(|(from, to)| Window::new(at(from), at(to))))
}

#[test]
fn counts_what_was_answered_in_a_window() {
    assert_eq!(of(Measure::Acknowledged, None), Some(4.0));
    assert_eq!(of(Measure::Acknowledged, Some((200, 500))), Some(0.0), "the end does not belong to the window");
    assert_eq!(of(Measure::Acknowledged, Some((180, 501))), Some(2.0), "the beginning does");
    assert_eq!(of(Measure::AcknowledgedReads, None), Some(2.0));
    assert_eq!(of(Measure::Failed, None), Some(1.0));
    assert_eq!(of(Measure::Indeterminate, Some((240, 260))), Some(1.0));
    assert_eq!(of(Measure::Availability, Some((200, 300))), Some(0.0));
    assert_eq!(of(Measure::Availability, Some((700, 800))), None);
    let overdue = Run { never_begun: [at(750)].into_iter().collect(), ..failover() };
    let between = Window::new(at(700), at(800));
    assert_eq!(Measure::Availability.evaluate(&Examined::of(&overdue), Some(between)), Some(0.0), "one was due");
    assert_eq!(of(Measure::Throughput, Some((0, 200))), Some(20.0));
}

#[test]
fn what_begins_late_counts_where_it_was_due() {
    let late = run(vec![Operation { intended: at(200), ..operation(0, true, 400, 500, OK, 0) }]);
    let examined = Examined::of(&late);
    let within = |measure: &Measure, from, to| measure.evaluate(&examined, Some(Window::new(at(from), at(to))));
    for (measure, figure) in [(Measure::WriteLatency(Quantile::MEDIAN), 300.0), (Measure::Availability, 1.0)] {
        assert_eq!((within(&measure, 150, 300), within(&measure, 300, 600)), (Some(figure), None), "{measure:?}");
    }
}

#[test]
fn what_is_not_known_is_no_figure() {
    let of_session = |session, it| Operation { session: SessionId(session), ..it };
    let seen = |value| Seen::Datum(crate::Datum::Register(value));
    let concurrent = run(vec![
        operation(0, true, 0, 100, OK, 0),
        of_session(2, operation(7, true, 0, 100, OK, 0)),
        Operation { seen: seen(Value::written(SessionId(1), 7)), ..operation(1, false, 50, 60, OK, 0) },
        Operation { seen: seen(Value::written(SessionId(1), 7)), ..operation(2, false, 150, 160, OK, 0) },
    ]);
    let examined = Examined::of(&concurrent);
    let stale = |window| Measure::StaleReads.evaluate(&examined, window);
    assert_eq!(stale(None), None, "which of the two writes is newer, nobody knows");
    assert_eq!(stale(Some(Window::new(at(40), at(70)))), Some(0.0));
    assert_eq!(Measure::StaleShare.evaluate(&examined, None), Some(0.0), "of the one of which it is known");
    assert_eq!(Measure::Lost.evaluate(&examined, None), None, "nobody led at the end");
}

#[test]
fn what_was_not_swapped_was_not_written() {
    let (key, value) = (Key(1), Value::written(SessionId(1), 0));
    let swap = |seen| Operation {
        op: Op::CompareAndSet { key, expect: None, value },
        seen: Seen::Swapped(seen),
        ..operation(0, true, 0, 10, OK, 0)
    };
    let acknowledged = |seen| Measure::Acknowledged.evaluate(&Examined::of(&run(vec![swap(seen)])), None);
    assert_eq!([true, false].map(acknowledged), [Some(1.0), Some(0.0)]);
}

#[test]
fn takes_quantiles_by_nearest_rank() {
    let quantile = |share| Quantile::new(share).expect("a share");
    assert_eq!(of(Measure::WriteLatency(quantile(0.5)), None), Some(20.0));
    assert_eq!(of(Measure::WriteLatency(quantile(0.51)), None), Some(30.0));
    assert_eq!(of(Measure::WriteLatency(quantile(1.0)), None), Some(100.0));
    assert_eq!(of(Measure::ReadLatency(quantile(0.0)), None), Some(1.0));
    assert_eq!(of(Measure::ReadLatency(quantile(0.5)), Some((700, 800))), None);
    assert_eq!(of(Measure::Lag("s1".into(), quantile(0.5)), None), Some(3.0));
    assert_eq!(of(Measure::Lag("s9".into(), quantile(0.5)), None), None);
    let hundred: Latencies = (1..=100).map(Span::millis).collect();
    for percent in 1..=100 {
        let place = quantile(f64::from(percent) / 100.0);
        assert_eq!(hundred.quantile(place), Some(Span::millis(percent as u64)), "exact in spite of binary fractions");
    }
}

#[test]
fn tells_latencies_by_region() {
    let run = failover();
    let by_region = latencies_by_region(&run, Window::whole(&run), Class::Writes);
    let counts: Vec<_> = by_region.iter().map(|(region, latencies)| (&**region, latencies.count())).collect();
    assert_eq!(counts, [("east", 3), ("west", 1)]);
}

#[test]
fn downtime_counts_from_the_first_write_that_was_wanted() {
    assert_eq!(of(Measure::Downtime, None), Some(0.3), "from the refusal at 200 ms to the answer at 500 ms");
    assert_eq!(of(Measure::Downtime, Some((300, 450))), Some(0.15), "as far as it lies in the window");
    assert_eq!(of(Measure::Downtime, Some((600, 900))), Some(0.0), "nobody wanted to write");
    let never_answered = run(vec![operation(0, true, 100, 0, Outcome::Open, 0)]);
    assert_eq!(downtime(&never_answered, Window::new(at(0), at(400))), Span::millis(300));
}

#[test]
fn clients_count_until_they_stop() {
    let answered = of(Measure::Throughput, Some((0, 900)));
    assert!(answered.is_some_and(|rate| rate > 0.0));
    assert_eq!(of(Measure::Throughput, None), answered, "the quiet phase is no time of theirs");
    let waits = Run { simulated: Span::secs(100), ..run(vec![operation(0, true, 100, u64::MAX, Outcome::Open, 0)]) };
    let downtime = Measure::Downtime.evaluate(&Examined::of(&waits), None);
    assert_eq!(downtime, Some(0.8), "from 100 ms to the heal at 900 ms");
}

#[test]
fn finds_losses_and_staleness_through_the_checkers() {
    let mut run = failover();
    assert_eq!(Measure::Lost.evaluate(&Examined::of(&run), None), None, "no replica was up at the end");
    let (contents, lineage) = Default::default();
    run.history.finals.push(Final { node: NodeId(0), at: at(1_000), leads: true, contents, lineage });
    assert_eq!(Measure::Lost.evaluate(&Examined::of(&run), None), Some(1.0), "the last of the acknowledged ones");
    assert_eq!(Measure::LostShare.evaluate(&Examined::of(&run), None), Some(0.25));
    assert_eq!(Measure::Lost.evaluate(&Examined::of(&run), Some(Window::new(at(0), at(200)))), Some(0.0));
    assert_eq!(
        Measure::StaleShare.evaluate(&Examined::of(&run), None),
        None,
        "these reads saw nothing that could be placed"
    );
    assert_eq!(Measure::ConvergedAfter.evaluate(&Examined::of(&run), None), Some(40.0));
    assert_eq!(
        Measure::Rows.evaluate(&Examined::of(&run), None),
        Some(0.0),
        "the one that leads at the end holds nothing"
    );
    run.history.broken_off = Some(at(1_000));
    for measure in [Measure::Lost, Measure::LostShare, Measure::DiscardedIsLost, Measure::Rows] {
        assert_eq!(measure.evaluate(&Examined::of(&run), None), None, "what was held then is no end: {measure:?}");
    }
}

#[test]
fn tells_whether_a_rewind_discards_what_was_lost() {
    let mut run = run(vec![operation(0, true, 0, 10, OK, 0), operation(1, true, 20, 30, OK, 0)]);
    let (contents, lineage) = Default::default();
    run.history.finals.push(Final { node: NodeId(0), at: at(1_000), leads: true, contents, lineage });
    let place = |ordinal: u64| Position::new(1, 100 + ordinal);
    let placed = run.history.operations.iter().map(|it| Operation { position: place(it.ordinal.into()), ..it.clone() });
    run.history.operations = placed.collect();
    assert_eq!(Measure::Lost.evaluate(&Examined::of(&run), None), Some(1.0), "the first was overwritten by the second");
    let share = |discarded: &[u64]| {
        let mut run = run.clone();
        let discard = |ordinal: &u64| crate::Discard { at: at(40), node: NodeId(1), position: place(*ordinal) };
        run.history.discards = discarded.iter().map(discard).collect();
        Measure::DiscardedIsLost.evaluate(&Examined::of(&run), None)
    };
    assert_eq!(share(&[]), Some(0.0), "one was lost, and nothing discarded");
    assert_eq!(share(&[1, 7]), Some(1.0), "a record that nobody was told of does not count");
    assert_eq!(share(&[0, 1]), Some(0.5), "one more was discarded than was lost");
}

#[test]
fn reads_and_prints_as_a_scenario_writes_it() {
    for text in ["Acknowledged", "WriteLatency(0.99)", "Lag(\"s1\",0.5)"] {
        let measure: Measure = ron::from_str(text).expect("a measure");
        assert_eq!(ron::to_string(&measure).expect("a text"), text);
    }
    assert!(ron::from_str::<Measure>("ReadLatency(99)").is_err());
}
