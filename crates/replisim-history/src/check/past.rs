//! The part of the causal past that a read must reflect, gathered session by session.
//!
//! All session guarantees and causal order have one shape: *a read of a key must not return a version older than one
//! that the rule counts among the reader's past*. They differ in what they count, which is what a [`Rule`] says. See
//! [`super::session`] and [`super::causal`] for the rules.
//!
//! The past of a session only grows, and of every other session it holds a beginning: who has seen a session's fifth
//! write has its first four in the past too. So the past is one number a session (how far it reaches) and one version
//! a key (the newest it holds), and when a read extends it, only the events in between are looked at. Nothing is
//! stored per operation, and no vectors are merged.
//!
//! Cost: with s sessions and n events each reader takes each event once at most: O(s · n) time in the worst case, and
//! O(n) memory. Rules that look at the reader's own events only take O(n).

use std::ops::Range;

use super::keys::Slot;
use super::order::{Basis, Interval, Moment, Rank};
use super::placed::{Author, Event, Most, Placed, Reflects, What};
use super::tally::Tally;

/// What a session's past consists of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// The reader's own acknowledged writes.
    pub own_writes: bool,
    /// The versions that the reader saw.
    pub own_reads: bool,
    /// What the author of a version that was seen had done before.
    pub authors: Authors,
}

/// What counts of the past of those whose versions a reader saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Authors {
    /// Nothing.
    Nothing,
    /// The acknowledged writes that they made before, in operations of their own.
    Writes,
    /// The versions that they had seen before, or in the same transaction.
    Reads,
    /// Everything that they had done and seen, and so had those whose versions they saw, and so on.
    Everything,
}

/// A read that is older than what its past demands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Breach {
    /// The event that saw too old a version.
    pub read: u32,
    /// The event that made or saw the version it should have reflected.
    pub demand: u32,
}

/// What came of a look at reads under a rule.
#[derive(Clone, Default)]
pub(super) struct Breaches {
    /// How many there are, and how many break it.
    pub tally: Tally,
    /// The first in time that breaks it.
    pub first: Option<Breach>,
    /// Where those that break it are: of each session that has any, the events up to the last.
    broken_within: Vec<Range<u32>>,
}

/// Looks at every read under `rule`.
pub(super) fn look(placed: &Placed, rule: Rule) -> Breaches {
    look_within(placed, rule, &placed.sessions)
}

/// Looks under `rule` where a rule that counts everything was looked at before. What reflects the newest version of its
/// whole past reflects every part of the past, so only those reads that broke the other rule can break this one.
pub(super) fn look_again(placed: &Placed, rule: Rule, before: &Breaches) -> Breaches {
    if !placed.newest_stands_for_all || before.tally.unknown > 0 {
        return look(placed, rule);
    }
    let again = look_within(placed, rule, &before.broken_within);
    let tally = Tally { broken: again.tally.broken, unknown: again.tally.unknown, ..before.tally };
    Breaches { tally, ..again }
}

/// Looks at the reads in beginnings of sessions.
fn look_within(placed: &Placed, rule: Rule, beginnings: &[Range<u32>]) -> Breaches {
    if beginnings.is_empty() {
        return Breaches::default();
    }
    let mut past = Past::new(placed, rule);
    for session in beginnings {
        past.follow(session.clone());
    }
    past.breaches
}

/// The past of one session, growing as the session goes on.
struct Past<'a> {
    placed: &'a Placed<'a>,
    rule: Rule,
    past_steps: &'a PastSteps,
    /// For each key that a log orders, the newest version in the past.
    newest: Vec<Ranked>,
    /// For each other key, what the past demands.
    demands: Vec<Demand>,
    /// For each session, the end of the beginning of its events that is in the past.
    reach: Vec<u32>,
    /// Sessions that the past has yet to be extended in, and how far.
    pending: Vec<(u32, u32)>,
    /// The end of the last operation of the session that breaks the rule.
    broken_until: u32,
    breaches: Breaches,
}

/// What the events of a history bring to those who come to have them in their past. It is the same under every rule.
pub(super) struct PastSteps {
    /// By event. Readers pass over these again and again, so they are smaller than the events.
    steps: Vec<Step>,
    /// When the version that each event is about took its place; empty if logs order all versions.
    intervals: Vec<Interval>,
}

/// What one event brings: a version, and those that its author follows.
#[derive(Clone, Copy)]
struct Step {
    version: Ranked,
    slot: Slot,
    /// The session that comes along, and how far. If there is none, the one past the last, which is always reached.
    session: u32,
    reach: u32,
    origin: Origin,
    /// Whether no log orders the key, so that ranks do not tell which version is newer.
    loose: bool,
}

/// How the author of an event came to know the version that it brings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Written,
    Seen,
    /// It is not known to have been acknowledged, or another event of the same operation brings it.
    Nothing,
}

/// A version of a key, as its rank and the event that made or saw it, in one word. Of a key that a log orders, the larger is
/// the newer; of any other, intervals decide what is newer ([`Demand::take`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked(u64);

/// The version in the past that was begun last, of a key that no one log orders: what is older than any version of the past
/// is older than this one.
#[derive(Clone, Copy)]
struct Demand {
    rank: Rank,
    event: u32,
    interval: Interval,
    /// When the last of the other versions ends that the past holds.
    rivals_until: Option<Moment>,
}

impl<'a> Past<'a> {
    fn new(placed: &'a Placed<'a>, rule: Rule) -> Self {
        let keys = placed.order.keys().len();
        let past_steps = placed.past_steps.get_or_init(|| PastSteps::by_events_of(placed));
        Past {
            placed,
            rule,
            newest: vec![Ranked::NOTHING; keys],
            demands: vec![Demand::NONE; keys],
            past_steps,
            reach: reach_of_nothing(placed).collect(),
            pending: Vec::new(),
            broken_until: 0,
            breaches: Breaches::default(),
        }
    }

    /// Follows one session from its beginning, operation by operation.
    fn follow(&mut self, session: Range<u32>) {
        self.broken_until = session.start;
        let mut begin = session.start;
        let events = &self.placed.events[session.start as usize..session.end as usize];
        for operation in events.chunk_by(|a, b| a.operation == b.operation) {
            let numbered = || (begin..).zip(operation);
            // The parts of an operation see one instant, so each must reflect the past that the others bring.
            numbered().filter(|(_, event)| event.sees_others()).for_each(|(at, event)| self.observe(at, event));
            numbered().filter(|(_, event)| event.sees_others()).for_each(|(at, event)| self.judge(at, event));
            if self.rule.own_writes {
                let wrote = numbered().filter(|(_, event)| event.what == What::Wrote);
                wrote.for_each(|(at, event)| self.demand(at, event));
            }
            begin += operation.len() as u32;
        }
        if self.broken_until > session.start {
            self.breaches.broken_within.push(session.start..self.broken_until);
        }
        self.forget(events);
    }

    /// Forgets the past of the session that had these events.
    fn forget(&mut self, events: &[Event]) {
        if self.rule.authors == Authors::Nothing {
            // Its own events are all of its past.
            for slot in events.iter().map(|event| event.slot.index()) {
                (self.newest[slot], self.demands[slot]) = (Ranked::NOTHING, Demand::NONE);
            }
            return;
        }
        self.newest.fill(Ranked::NOTHING);
        self.demands.fill(Demand::NONE);
        self.reach.clear();
        self.reach.extend(reach_of_nothing(self.placed));
    }

    /// Takes into the past what the sighting `at` brings.
    fn observe(&mut self, at: u32, event: &Event) {
        if self.rule.own_reads {
            self.demand(at, event);
        }
        if self.rule.authors == Authors::Nothing {
            return;
        }
        let Some(writer) = event.writer else { return };
        let author = self.placed.author(writer);
        self.extend(author.session, author.reach(self.rule.authors));
        while let Some((session, reach)) = self.pending.pop() {
            self.extend(session, reach);
        }
    }

    /// Makes the past reach to `end` in `session`, and takes what the events on the way bring.
    fn extend(&mut self, session: u32, end: u32) {
        let begin = self.reach[session as usize];
        if begin >= end {
            return;
        }
        self.reach[session as usize] = end;
        let PastSteps { steps, intervals } = self.past_steps;
        let (authors, reached, newest) = (self.rule.authors, &self.reach[..], &mut self.newest[..]);
        for step in &steps[begin as usize..end as usize] {
            if authors == Authors::Everything {
                if reached[step.session as usize] < step.reach {
                    self.pending.push((step.session, step.reach));
                }
            } else if !authors.count(step.origin) {
                continue;
            }
            if step.loose {
                self.demands[step.slot.index()].take(step.version, intervals);
            } else {
                let newest = &mut newest[step.slot.index()];
                *newest = step.version.max(*newest);
            }
        }
    }

    /// Takes the version that an event wrote or saw.
    fn demand(&mut self, at: u32, event: &Event) {
        let version = Ranked::of(event.rank, at);
        match event.basis {
            Basis::Log => {
                let newest = &mut self.newest[event.slot.index()];
                *newest = version.max(*newest);
            }
            Basis::RealTime => self.demands[event.slot.index()].take(version, &self.past_steps.intervals),
        }
    }

    /// Counts the sighting `at` and says whether it reflects the past.
    fn judge(&mut self, at: u32, event: &Event) {
        if event.what == What::Saw(Most::Counter) {
            self.breaches.tally.unjudged += 1;
            return;
        }
        self.breaches.tally.of += 1;
        let (demand, rank) = self.demand_on(event);
        match self.placed.reflects(event, rank) {
            Reflects::No => self.blame(Breach { read: at, demand }),
            Reflects::Yes if !self.is_rivalled(event) => {}
            Reflects::Yes | Reflects::Unknown => self.breaches.tally.unknown += 1,
        }
    }

    /// The event that demands the most of a sighting, and the rank that it demands.
    fn demand_on(&self, event: &Event) -> (u32, Rank) {
        match event.basis {
            Basis::Log => {
                let newest = self.newest[event.slot.index()];
                (newest.event(), newest.rank())
            }
            Basis::RealTime => {
                let demand = self.demands[event.slot.index()];
                (demand.event, demand.rank)
            }
        }
    }

    /// Whether the past holds a version that is certainly older neither than the one that demands the most of a sighting
    /// nor than the one that was seen.
    fn is_rivalled(&self, event: &Event) -> bool {
        event.basis == Basis::RealTime
            && self.demands[event.slot.index()].is_rivalled(self.placed.key_of(event).interval(event.newest()))
    }

    fn blame(&mut self, breach: Breach) {
        self.breaches.tally.broken += 1;
        self.broken_until = self.placed.author(breach.read(self.placed).operation).end;
        let completed = |breach: Breach| self.placed.operation_of(breach.read(self.placed)).completed;
        if self.breaches.first.is_none_or(|first| completed(breach) < completed(first)) {
            self.breaches.first = Some(breach);
        }
    }
}

impl PastSteps {
    fn by_events_of(placed: &Placed) -> Self {
        let nobody = placed.sessions.len() as u32;
        let step = |(at, event): (u32, &Event)| {
            let author = event.writer.map(|writer| placed.author(writer));
            let origin = match event.what {
                What::Wrote => Origin::Written,
                What::Saw(_) => Origin::Seen,
                What::MayHaveWritten | What::SawOwn => Origin::Nothing,
            };
            Step {
                version: if origin == Origin::Nothing { Ranked::NOTHING } else { Ranked::of(event.rank, at) },
                slot: event.slot,
                session: author.map_or(nobody, |author| author.session),
                reach: author.map_or(0, |author| author.end),
                origin,
                loose: origin != Origin::Nothing && event.basis == Basis::RealTime,
            }
        };
        PastSteps { steps: (0..).zip(&placed.events).map(step).collect(), intervals: intervals(placed) }
    }
}

/// How far a past that holds nothing reaches in each session, and past the last one, where it is always reached.
fn reach_of_nothing(placed: &Placed) -> impl Iterator<Item = u32> {
    placed.sessions.iter().map(|session| session.start).chain([u32::MAX])
}

/// For each event, when the version took its place that it wrote or saw.
fn intervals(placed: &Placed) -> Vec<Interval> {
    if placed.order.keys().iter().all(|key| key.basis == Basis::Log || key.versions.is_empty()) {
        return Vec::new();
    }
    let interval = |event: &Event| match event.basis {
        Basis::Log => Interval::OF_NOTHING,
        Basis::RealTime => placed.key_of(event).interval(event.rank),
    };
    placed.events.iter().map(interval).collect()
}

impl Ranked {
    const NOTHING: Ranked = Ranked(0);

    fn of(rank: Rank, event: u32) -> Self {
        Ranked(u64::from(rank.0) << 32 | u64::from(event))
    }

    fn rank(self) -> Rank {
        Rank((self.0 >> 32) as u32)
    }

    fn event(self) -> u32 {
        self.0 as u32
    }
}

impl Demand {
    const NONE: Demand = Demand { rank: Rank::INITIAL, event: 0, interval: Interval::OF_NOTHING, rivals_until: None };

    /// Takes a version: in place of the present one if it was begun later, beside it if not.
    fn take(&mut self, version: Ranked, intervals: &[Interval]) {
        let (rank, event) = (version.rank(), version.event());
        if rank == self.rank || rank == Rank::INITIAL {
            return;
        }
        let taken = Demand { rank, event, interval: intervals[event as usize], ..*self };
        let is_later = self.rank == Rank::INITIAL || self.interval.begins < taken.interval.begins;
        let rival = if is_later { std::mem::replace(self, taken) } else { taken };
        if rival.rank != Rank::INITIAL {
            self.rivals_until = self.rivals_until.max(Some(rival.interval.ends));
        }
    }

    /// Whether some other version is not certainly older, neither than this one nor than the one that was `seen`.
    fn is_rivalled(&self, seen: Interval) -> bool {
        self.rivals_until.is_some_and(|until| until >= self.interval.begins.max(seen.begins))
    }
}

impl Authors {
    /// Whether a version in an author's past counts.
    fn count(self, origin: Origin) -> bool {
        match origin {
            Origin::Written => matches!(self, Authors::Writes | Authors::Everything),
            Origin::Seen => matches!(self, Authors::Reads | Authors::Everything),
            Origin::Nothing => false,
        }
    }
}

impl Author {
    /// How far the past reaches in the author's session once a version of its operation was seen.
    fn reach(&self, authors: Authors) -> u32 {
        match authors {
            Authors::Nothing => 0,
            Authors::Writes => self.begin,
            Authors::Reads | Authors::Everything => self.end,
        }
    }
}

impl Breach {
    /// The event that saw too old a version.
    pub(super) fn read<'a>(&self, placed: &'a Placed) -> &'a Event {
        &placed.events[self.read as usize]
    }

    /// The event that made or saw the version it should have reflected.
    pub(super) fn demand<'a>(&self, placed: &'a Placed) -> &'a Event {
        &placed.events[self.demand as usize]
    }

    /// The reader's own first event that brought the demand into its past, under a rule on what authors did.
    pub(super) fn via<'a>(&self, placed: &'a Placed, authors: Authors) -> Option<&'a Event> {
        let reader = placed.author(self.read(placed).operation);
        let Author { session, .. } = placed.author(self.demand(placed).operation);
        let begin = placed.sessions[reader.session as usize].start;
        let before = &placed.events[begin as usize..reader.end as usize];
        before.iter().find(|event| {
            let reaches = |author: Author| author.session == session && author.reach(authors) > self.demand;
            event.writer.is_some_and(|writer| reaches(placed.author(writer)))
        })
    }
}
