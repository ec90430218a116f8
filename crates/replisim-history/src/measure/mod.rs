//! Figures of a run: how much was acknowledged, lost or stale, how fast, and for how long nothing was.
//!
//! Every figure is a pure function of a [`Run`] and, where it makes sense, of a [`Window`] of time, so that a scenario can
//! bound it: *between 2 s and 8 s no write was acknowledged*. An operation belongs to the window in which it was invoked,
//! except where a figure is about acknowledgements: those belong to the window in which they came.
//!
//! **Quantiles** are exact, by nearest rank: the q-quantile of n sorted figures is the one at place ⌈q·n⌉ (the first for
//! q = 0). It is always a figure that occurred, never one interpolated.

mod examined;

use std::collections::BTreeMap;
use std::fmt;

use replisim_kernel::{SimTime, Span};
use serde::{Deserialize, Serialize};

pub use examined::Examined;

use crate::{Operation, Outcome, Reason, Run};

/// A figure that a scenario can ask for and bound.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Measure {
    /// How many writes were acknowledged.
    Acknowledged,
    /// How many reads were answered.
    AcknowledgedReads,
    /// How many of the writes acknowledged in the window were lost.
    Lost,
    /// The share of them that was lost, between 0 and 1.
    LostShare,
    /// Of the acknowledged writes that were lost or that a rewind discarded, the share that was both, over the whole run: 1
    /// if what a rewind discards is exactly what was lost.
    DiscardedIsLost,
    /// How many reads were stale.
    StaleReads,
    /// The share of reads that was stale, between 0 and 1, among those of which it is known.
    StaleShare,
    /// A quantile of the latency of acknowledged writes, from the moment they were meant to begin.
    WriteLatency(Quantile),
    /// A quantile of the latency of answered reads, from the moment they were meant to begin.
    ReadLatency(Quantile),
    /// A quantile of how late the named node applied each record, over the whole run.
    Lag(String, Quantile),
    /// The longest stretch without an acknowledged write from when some client wanted one, whether or not it had given up
    /// meanwhile; if nothing else is said, of the time in which clients act.
    Downtime,
    /// How many operations certainly did not happen.
    Failed,
    /// How many operations ended without anyone knowing whether they happened.
    Indeterminate,
    /// The share of operations that ended well, between 0 and 1, of all that were due.
    Availability,
    /// Operations that ended well, per second; if nothing else is said, of the time in which clients act.
    Throughput,
    /// How long it took from the end of all faults until every replica held the same, over the whole run.
    ConvergedAfter,
    /// How many keys hold something at the end, on whoever leads then: what a dropped table leaves.
    Rows,
}

/// In what a figure is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Writes, reads, operations.
    Count,
    /// A part of a whole, between 0 and 1.
    Share,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Operations per second.
    PerSecond,
}

/// A number between 0 and 1.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Quantile(f64);

/// A stretch of time: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Its beginning.
    pub from: SimTime,
    /// Its end.
    pub to: SimTime,
}

/// Latencies in ascending order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Latencies(Vec<Span>);

/// How many operations ended in which way.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Outcomes {
    /// Well.
    pub ok: u64,
    /// They certainly did not happen, by reason.
    pub failed: BTreeMap<Reason, u64>,
    /// Nobody knows, by reason.
    pub indeterminate: BTreeMap<Reason, u64>,
    /// The run was over first.
    pub open: u64,
    /// They were due and never began, for their session was busy until the clients stopped.
    pub never_begun: u64,
}

/// Operations that only read, or the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// They only read.
    Reads,
    /// They change something, or mean to.
    Writes,
}

impl Measure {
    /// The figure over `window`, or over all of the run that it is of; `None` where there is nothing to measure: a quantile
    /// of no latencies, a share of no operations, the lag of a node that is not there.
    pub fn evaluate(&self, examined: &Examined<'_>, window: Option<Window>) -> Option<f64> {
        let run = examined.run();
        let within = window.unwrap_or_else(|| match self {
            // In the quiet phase nobody asks, so nothing is answered.
            Measure::Downtime | Measure::Throughput => Window::of_clients(run),
            _ => Window::whole(run),
        });
        match self {
            Measure::Acknowledged => Some(acknowledged(run, within) as f64),
            Measure::AcknowledgedReads => Some(answers(run, within, Class::Reads).count() as f64),
            Measure::Lost => examined.lost(within).map(|(lost, _)| lost as f64),
            Measure::LostShare => examined.lost(within).and_then(|(lost, of)| share(lost, of)),
            Measure::DiscardedIsLost => examined.discarded_is_lost(),
            Measure::StaleReads => examined.stale(within).map(|stale| stale as f64),
            Measure::StaleShare => examined.stale_share(within),
            Measure::WriteLatency(q) => millis(latencies(run, within, Class::Writes).quantile(*q)),
            Measure::ReadLatency(q) => millis(latencies(run, within, Class::Reads).quantile(*q)),
            Measure::Lag(node, q) => millis(lag(run, node)?.quantile(*q)),
            Measure::Downtime => Some(downtime(run, within).as_secs_f64()),
            Measure::Failed => Some(outcomes(run, within).failed_in_all() as f64),
            Measure::Indeterminate => Some(outcomes(run, within).unknown_in_all() as f64),
            Measure::Availability => availability(run, within),
            Measure::Throughput => throughput(run, within),
            Measure::ConvergedAfter => millis(run.settling.converged_after),
            Measure::Rows => rows(run).map(|rows| rows as f64),
        }
    }

    /// Whether it is a figure of the whole run, of which no part has one.
    pub const fn is_of_whole_run(&self) -> bool {
        match self {
            Measure::Lag(..) | Measure::ConvergedAfter | Measure::Rows | Measure::DiscardedIsLost => true,
            Measure::Acknowledged
            | Measure::AcknowledgedReads
            | Measure::Lost
            | Measure::LostShare
            | Measure::StaleReads
            | Measure::StaleShare
            | Measure::WriteLatency(_)
            | Measure::ReadLatency(_)
            | Measure::Downtime
            | Measure::Failed
            | Measure::Indeterminate
            | Measure::Availability
            | Measure::Throughput => false,
        }
    }

    /// In what it is counted.
    pub const fn unit(&self) -> Unit {
        match self {
            Measure::Acknowledged
            | Measure::AcknowledgedReads
            | Measure::Lost
            | Measure::StaleReads
            | Measure::Failed
            | Measure::Indeterminate
            | Measure::Rows => Unit::Count,
            Measure::LostShare | Measure::DiscardedIsLost | Measure::StaleShare | Measure::Availability => Unit::Share,
            Measure::WriteLatency(_) | Measure::ReadLatency(_) | Measure::Lag(..) | Measure::ConvergedAfter => {
                Unit::Milliseconds
            }
            Measure::Downtime => Unit::Seconds,
            Measure::Throughput => Unit::PerSecond,
        }
    }
}

/// How operations of a class that were due in the window and ended well were delayed.
pub fn latencies(run: &Run, window: Window, class: Class) -> Latencies {
    due(run, window).filter(|it| it.outcome.is_ok() && Class::of(it) == class).filter_map(Operation::latency).collect()
}

/// The same for each region that operations were sent from.
pub fn latencies_by_region(run: &Run, window: Window, class: Class) -> BTreeMap<String, Latencies> {
    let mut spans = BTreeMap::<&str, Vec<Span>>::new();
    for it in due(run, window).filter(|it| it.outcome.is_ok() && Class::of(it) == class) {
        let Some(origin) = run.nodes.get(it.origin.index()) else { continue };
        spans.entry(&origin.region).or_default().extend(it.latency());
    }
    spans.into_iter().map(|(region, spans)| (region.to_owned(), spans.into_iter().collect())).collect()
}

/// How late the node of this name applied each record; `None` if there is no such node.
pub fn lag(run: &Run, node: &str) -> Option<Latencies> {
    let index = run.nodes.iter().position(|info| info.name == node)?;
    Some(run.lags.get(index)?.iter().copied().collect())
}

/// How the operations that were due in the window ended, and how many of them never began.
pub fn outcomes(run: &Run, window: Window) -> Outcomes {
    let never_begun = run.never_begun.iter().filter(|due| window.contains(**due)).count() as u64;
    let mut outcomes = Outcomes { never_begun, ..Outcomes::default() };
    for it in due(run, window) {
        match it.outcome {
            Outcome::Ok => outcomes.ok += 1,
            Outcome::Fail(reason) => *outcomes.failed.entry(reason).or_default() += 1,
            Outcome::Info(reason) => *outcomes.indeterminate.entry(reason).or_default() += 1,
            Outcome::Open => outcomes.open += 1,
        }
    }
    outcomes
}

/// The share of operations that ended well, of all that were due in the window; `None` if there were none.
pub fn availability(run: &Run, window: Window) -> Option<f64> {
    let outcomes = outcomes(run, window);
    share(outcomes.ok, outcomes.in_all())
}

/// Answers per second of the window, of reads and writes; `None` for a window without length.
pub fn throughput(run: &Run, window: Window) -> Option<f64> {
    let answered = [Class::Reads, Class::Writes].map(|class| answers(run, window, class).count()).iter().sum::<usize>();
    let length = window.length();
    (!length.is_zero()).then(|| answered as f64 / length.as_secs_f64())
}

/// The longest stretch of the window without an acknowledged write, counted from when a write was wanted. Who gave up is
/// taken to want it still: usually somebody tries again.
///
/// A stretch begins with the first write that was meant to begin after an acknowledgement, and ends with the next
/// acknowledgement, or with the last moment at which a write was still waiting for its answer.
///
/// ```text
/// ack            wanted                          ack
///  │· · · · · · · ·├───────── downtime ───────────┤
/// ```
pub fn downtime(run: &Run, window: Window) -> Span {
    let mut changes: Vec<(SimTime, Wanting)> = Vec::new();
    for it in run.history.operations.iter().filter(|it| Class::of(it) == Class::Writes) {
        let end = if it.outcome.is_ok() { Wanting::Acknowledged } else { Wanting::GivenUp };
        changes.push((it.intended, Wanting::Begins));
        changes.push((it.completed, end));
    }
    changes.sort_unstable();
    longest_wait(&changes, window)
}

/// What happens to the wish to write. Of what happens in one instant an acknowledgement comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanting {
    Acknowledged,
    Begins,
    GivenUp,
}

fn longest_wait(changes: &[(SimTime, Wanting)], window: Window) -> Span {
    let (mut longest, mut wanted, mut since) = (Span::ZERO, 0u64, None::<SimTime>);
    let mut end = |since: &mut Option<SimTime>, at: SimTime| {
        if let Some(begun) = since.take() {
            longest = longest.max(at.min(window.to).since(begun.max(window.from)));
        }
    };
    for &(at, wanting) in changes {
        match wanting {
            Wanting::Begins => {
                wanted += 1;
                since.get_or_insert(at);
            }
            Wanting::Acknowledged => {
                wanted = wanted.saturating_sub(1);
                end(&mut since, at);
                since = (wanted > 0).then_some(at);
            }
            // Who gave up usually tries again, so that the stretch goes on; it ends here only if nobody does.
            Wanting::GivenUp => wanted = wanted.saturating_sub(1),
        }
    }
    let last_given_up = changes.iter().rev().find(|(at, wanting)| *wanting == Wanting::GivenUp && at.is_reached());
    let waits_on = changes.last().is_some_and(|(at, _)| !at.is_reached());
    let last = if waits_on { window.to } else { last_given_up.map_or(window.from, |(at, _)| *at) };
    end(&mut since, last);
    longest
}

impl Window {
    /// From `from` up to but not including `to`.
    pub const fn new(from: SimTime, to: SimTime) -> Self {
        Window { from, to }
    }

    /// From the beginning of a run to its end, the very last instant included.
    pub fn whole(run: &Run) -> Self {
        Window { from: SimTime::ZERO, to: SimTime::ZERO + run.simulated + Span::nanos(1) }
    }

    /// From the beginning of a run until its clients stop, or all of a run that never came so far.
    pub fn of_clients(run: &Run) -> Self {
        match run.settling.healed {
            SimTime::ZERO | SimTime::NEVER => Window::whole(run),
            healed => Window::new(SimTime::ZERO, healed),
        }
    }

    /// Whether an instant belongs to it.
    pub fn contains(self, at: SimTime) -> bool {
        self.from <= at && at < self.to
    }

    /// Its length.
    pub fn length(self) -> Span {
        self.to.since(self.from)
    }
}

impl Class {
    /// The class of an operation.
    pub fn of(operation: &Operation) -> Self {
        if operation.op.is_read() { Class::Reads } else { Class::Writes }
    }
}

impl Quantile {
    /// The middle.
    pub const MEDIAN: Quantile = Quantile(0.5);
    /// One in a hundred is larger.
    pub const P99: Quantile = Quantile(0.99);
    /// One in a thousand is larger.
    pub const P999: Quantile = Quantile(0.999);

    /// A quantile; `None` outside of 0 to 1.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Quantile(share))
    }

    /// As a number between 0 and 1.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Which of `count` sorted figures it is, from 0; `None` of no figures.
    pub fn place(self, count: usize) -> Option<usize> {
        // In billionths, so that the product is exact: 0.07 · 100 is more than 7 in binary fractions.
        let billionths = (self.0 * 1e9 + 0.5) as u128;
        let place = (billionths * count as u128).div_ceil(1_000_000_000) as usize;
        (count > 0).then(|| place.saturating_sub(1))
    }
}

impl TryFrom<f64> for Quantile {
    type Error = String;
    fn try_from(share: f64) -> Result<Self, String> {
        Quantile::new(share).ok_or_else(|| format!("{share} is not a quantile: a number from 0 to 1, as in 0.99"))
    }
}

impl From<Quantile> for f64 {
    fn from(quantile: Quantile) -> f64 {
        quantile.0
    }
}

impl Latencies {
    /// The figure at a quantile; `None` if there are none.
    pub fn quantile(&self, quantile: Quantile) -> Option<Span> {
        quantile.place(self.0.len()).map(|place| self.0[place])
    }

    /// The largest.
    pub fn max(&self) -> Option<Span> {
        self.0.last().copied()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them, ascending.
    pub fn sorted(&self) -> &[Span] {
        &self.0
    }
}

impl FromIterator<Span> for Latencies {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut spans: Vec<Span> = spans.into_iter().collect();
        spans.sort_unstable();
        Latencies(spans)
    }
}

impl Outcomes {
    /// How many certainly did not happen, for whatever reason.
    pub fn failed_in_all(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Of how many nobody knows whether they happened, open ones included.
    pub fn unknown_in_all(&self) -> u64 {
        self.indeterminate.values().sum::<u64>() + self.open
    }

    /// How many were due, whatever became of them.
    pub fn in_all(&self) -> u64 {
        self.ok + self.failed_in_all() + self.unknown_in_all() + self.never_begun
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::Count | Unit::Share => "",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::PerSecond => "/s",
        })
    }
}

/// The operations that were meant to begin in the window, and began, if only later.
fn due(run: &Run, window: Window) -> impl Iterator<Item = &Operation> {
    run.history.operations.iter().filter(move |it| window.contains(it.intended))
}

/// How many writes were acknowledged in the window.
fn acknowledged(run: &Run, window: Window) -> u64 {
    answers(run, window, Class::Writes).filter(|it| it.is_acknowledged_write()).count() as u64
}

/// The operations of a class whose good answer came in the window.
fn answers(run: &Run, window: Window, class: Class) -> impl Iterator<Item = &Operation> {
    let good = run.history.operations.iter().filter(|it| it.outcome.is_ok());
    good.filter(move |it| window.contains(it.completed) && Class::of(it) == class)
}

/// How many keys hold something on whoever leads at the end; the most of several leaders, `None` if nobody leads or the
/// run did not come to its end.
fn rows(run: &Run) -> Option<usize> {
    let leading = run.history.end().ok()?.iter().filter(|replica| replica.leads);
    leading.map(|replica| replica.contents.present().count()).max()
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn millis(span: Option<Span>) -> Option<f64> {
    span.map(Span::as_millis_f64)
}

#[cfg(test)]
mod tests;
