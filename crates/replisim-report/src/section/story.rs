//! What happened: the faults and milestones of a run, in order of time.

use std::collections::BTreeMap;

use replisim_history::{NodeId, PlannedFault, Run};
use replisim_kernel::SimTime;

use crate::number::{self, Clock};
use crate::table::{Align, Cell, Table};
use crate::{Names, Style};

/// One thing to tell, however often it happened.
struct Event {
    who: String,
    text: String,
    /// Each time it began and ended, in order; not empty.
    times: Vec<(SimTime, SimTime)>,
}

/// What happened in `run`, in at most `limit` lines by `clock`. What came again and again is told once, with how often; what
/// does not fit is left out of the middle and counted, for a story is understood from its beginning and its end.
pub fn story(run: &Run, limit: usize, clock: Clock) -> String {
    let events = events(run);
    let mut table = Table::new(&[Align::Right, Align::Left, Align::Left]);
    let (head, tail) = ends(events.len(), limit);
    for event in &events[..head] {
        table.row(event.cells(clock));
    }
    if head < tail {
        table.row(["…".into(), "".into(), format!("{} more", number::count((tail - head) as u64)).into()]);
    }
    for event in &events[tail..] {
        table.row(event.cells(clock));
    }
    table.print(2, Style::Plain)
}

/// Every instant that the story of `run` shows if it is told in at most `limit` lines.
pub(super) fn instants(run: &Run, limit: usize) -> Vec<SimTime> {
    let events = events(run);
    let (head, tail) = ends(events.len(), limit);
    let shown = events[..head].iter().chain(&events[tail..]);
    shown.flat_map(|event| [event.begin(), event.end()]).filter(|at| at.is_reached()).collect()
}

/// Up to where the beginning is told, and from where the end: all, or two thirds and one third of the lines, less the
/// one that counts what is left out.
fn ends(events: usize, limit: usize) -> (usize, usize) {
    match limit.max(1) {
        limit if events <= limit => (events, events),
        limit => (limit - 1 - limit / 3, events - limit / 3),
    }
}

/// Everything worth telling, in order of its beginning. What never happened comes last.
fn events(run: &Run) -> Vec<Event> {
    let names = Names::of(run);
    let faults = run.faults.iter().flat_map(|fault| Event::of_fault(fault, &names));
    let mut events: Vec<Event> = faults.chain(milestones(run).into_iter().flat_map(Event::apart_if_rare)).collect();
    // A fault comes before what it causes in the same instant.
    events.sort_by_key(|event| (event.begin(), event.who != FAULT));
    events
}

/// The milestones, those that say the same of the same node together.
fn milestones(run: &Run) -> Vec<Event> {
    let names = Names::of(run);
    let mut times: BTreeMap<(String, String), Vec<(SimTime, SimTime)>> = BTreeMap::new();
    for milestone in &run.milestones {
        let who = milestone.node.map(|node| names.node(node)).unwrap_or_default();
        times.entry((who, names.in_text(&milestone.text))).or_default().push((milestone.at, milestone.at));
    }
    times.into_iter().map(|((who, text), times)| Event { who, text, times }).collect()
}

/// A fault's text with the names of whom it turned out to mean: `kill random 1 (s2)`.
fn told(fault: &PlannedFault, struck: &[NodeId], names: &Names) -> String {
    if struck.is_empty() {
        return fault.text.clone();
    }
    let struck: Vec<String> = struck.iter().map(|node| names.node(*node)).collect();
    format!("{} ({})", fault.text, struck.join(", "))
}

/// Who a fault befalls stands in its text.
const FAULT: &str = "fault";

/// How often something may happen and still be told each time.
const RARE_MAX: usize = 2;

impl Event {
    /// A fault, once for each set of nodes that it struck.
    fn of_fault(fault: &PlannedFault, names: &Names) -> Vec<Self> {
        let mut times: BTreeMap<&[NodeId], Vec<(SimTime, SimTime)>> = BTreeMap::new();
        for firing in &fault.fired {
            times.entry(&firing.struck).or_default().push((firing.from, firing.until));
        }
        if times.is_empty() {
            times.insert(&[], vec![(SimTime::NEVER, SimTime::NEVER)]);
        }
        let event =
            |(struck, times): (&[NodeId], _)| Event { who: FAULT.to_owned(), text: told(fault, struck, names), times };
        times.into_iter().map(event).collect()
    }

    /// Each time for itself, unless they are many.
    fn apart_if_rare(self) -> Vec<Event> {
        if self.times.len() > RARE_MAX {
            return vec![self];
        }
        let Event { who, text, times } = self;
        times.into_iter().map(|time| Event { who: who.clone(), text: text.clone(), times: vec![time] }).collect()
    }

    fn begin(&self) -> SimTime {
        self.times[0].0
    }

    fn end(&self) -> SimTime {
        self.times[self.times.len() - 1].1
    }

    fn cells(&self, clock: Clock) -> [Cell; 3] {
        [clock.show(self.begin()).into(), self.who.as_str().into(), (self.text.clone() + &self.extent(clock)).into()]
    }

    /// How long it went on and how often it came again.
    fn extent(&self, clock: Clock) -> String {
        let (last_begin, last_end) = self.times[self.times.len() - 1];
        let often = match self.times.len() {
            1 => String::new(),
            times => format!(", {} times", number::count(times as u64)),
        };
        // What has begun and has no end was in force when the run was broken off.
        if last_end > last_begin && last_end.is_reached() {
            format!("{often}, until {}", clock.show(last_end))
        } else if last_end == last_begin && self.times.len() > 1 {
            format!("{often}, last at {}", clock.show(last_end))
        } else {
            often
        }
    }
}

#[cfg(test)]
mod tests {
    use replisim_history::{Milestone, NodeId};
    use replisim_kernel::Span;

    use super::*;
    use crate::sample;

    fn story(run: &Run, limit: usize) -> String {
        super::story(run, limit, Clock::telling_apart(instants(run, limit)))
    }

    #[test]
    fn a_long_story_is_cut_in_the_middle() {
        insta::assert_snapshot!(story(&sample::run(), 5), @r"
        0.000 s  p      leads, timeline 1
        2.000 s  fault  the link between p and s2 slows by 300 ms, until 4.000 s
        2.310 s  s2     is 300 ms behind p
              …         3 more
          never  fault  crash of the leader
        ");
    }

    #[test]
    fn what_was_in_force_when_the_run_was_broken_off_has_no_end() {
        let mut run = sample::run();
        let flaps = run.faults.iter_mut().find(|fault| fault.text.contains("flaps")).expect("one comes again");
        flaps.fired.last_mut().expect("it did").until = SimTime::NEVER;
        let told = story(&run, 100);
        assert!(told.contains("p | s1 flaps, 2 times\n"), "{told}");
    }

    #[test]
    fn every_length_fits_its_limit() {
        for limit in 1..=7 {
            assert!(story(&sample::run(), limit).lines().count() <= limit, "{limit}");
        }
        assert_eq!(story(&sample::run(), 7), story(&sample::run(), 100));
    }

    #[test]
    fn what_comes_again_and_again_is_told_once() {
        let at = |n| SimTime::ZERO + Span::millis(n);
        let stall = |n| Milestone { at: at(n), node: Some(NodeId(0)), text: "waits for node1".to_owned() };
        let run = Run { faults: vec![], milestones: (1..=40).map(stall).collect(), ..sample::run() };
        assert_eq!(story(&run, 12), "  0.001 s  p  waits for s1, 40 times, last at 0.040 s\n");
    }
}
