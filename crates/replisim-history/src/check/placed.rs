//! A history with every write and every sighting put in its place in the order of versions, session by session.
//!
//! The checkers share it: it is built once and answers the one question that they all ask, whether what a read saw
//! reflects a given version.
//!
//! A read is always given the most favourable reading. Who found nothing may have met the latest deletion that had been
//! made by then. A set, a list or a text reflects an element if it holds it, or if the element may have been removed. A
//! counter's sum names no version: such reads are left out, unless there are no others.

use std::cmp::Ordering;
use std::ops::Range;

use super::deed::{Deed, datum_seen, deeds};
use super::order::{KeyOrder, Order, Rank, Slot};
use super::past::Breach;
use super::tally::Tally;
use crate::{Datum, History, Operation, SessionId, Value};

/// One write or sighting of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// The operation it was part of, as its position in the history.
    pub operation: u32,
    /// The key.
    pub slot: Slot,
    /// What happened to it.
    pub what: What,
    /// Where the version that was seen comes from, unless it is the initial one or the operation's own.
    pub author: Option<Author>,
    /// Whether it saw what its own transaction wrote.
    pub own: bool,
}

/// Who wrote a version that was seen: a session, and which of its events are those of the operation that did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Author {
    /// The session, as an index into [`Placed::sessions`].
    pub session: u32,
    /// The first event of the operation.
    pub begin: u32,
    /// The first event after it.
    pub end: u32,
}

/// Whether a key was written or seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A version was made, or may have been.
    Wrote { rank: Rank, acknowledged: bool },
    /// A version was seen: at least `least`, and at most what `most` says.
    Saw { least: Rank, most: Most },
}

/// The latest version that a sighting may have been of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Most {
    /// This one.
    Rank(Rank),
    /// The elements tell: those that this part of the operation saw.
    Elements { part: u32 },
    /// A sum, which names no version.
    Counter,
    /// A value that was not installed in a key that a log orders.
    Unplaced,
}

/// Whether a sighting reflects a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reflects {
    /// It does, or the history holds nothing against it.
    Yes,
    /// It is certainly of an older version.
    No,
    /// The history does not tell.
    Unknown,
}

/// A history with everything in its place.
pub(super) struct Placed<'a> {
    /// The history.
    pub history: &'a History,
    /// The order of its versions.
    pub order: Order,
    /// What happened, grouped by session, in the order of each.
    pub events: Vec<Event>,
    /// Which of the events are each session's.
    pub sessions: Vec<Range<u32>>,
    /// What was found of causal order, if that was looked at first: other checks may rest on it.
    pub causal: Option<(Tally, Option<Breach>)>,
    /// Where each operation's events begin, and in which session they are.
    begins: Vec<(u32, u32)>,
}

impl<'a> Placed<'a> {
    /// Puts everything in `history` in its place, in O(n log n).
    pub(super) fn new(history: &'a History) -> Self {
        let order = Order::of(history);
        let (events, first) = place_all(history, &order);
        let mut placed = Placed { history, order, events, sessions: Vec::new(), causal: None, begins: Vec::new() };
        placed.group_by_session(&first);
        placed.name_authors();
        placed
    }

    /// The operation at a position of the history.
    pub(super) fn operation(&self, position: u32) -> &'a Operation {
        let position = self.history.operations.start() + u64::from(position);
        &self.history.operations[position]
    }

    /// The operation that an event was part of.
    pub(super) fn operation_of(&self, event: &Event) -> &'a Operation {
        self.operation(event.operation)
    }

    /// The versions of the key that an event is about.
    pub(super) fn key_of(&self, event: &Event) -> &KeyOrder {
        self.order.key(event.slot)
    }

    /// The session of an operation, as an index into [`Placed::sessions`], and its events.
    pub(super) fn events_of(&self, operation: u32) -> (usize, Range<u32>) {
        let (begin, session) = self.begins[operation as usize];
        let until = self.sessions[session as usize].end;
        let mine = self.events[begin as usize..until as usize].iter().take_while(|event| event.operation == operation);
        (session as usize, begin..begin + mine.count() as u32)
    }

    /// The operation that wrote the version of `rank`, if the history tells.
    pub(super) fn writer(&self, slot: Slot, rank: Rank) -> Option<u32> {
        if rank == Rank::INITIAL { None } else { self.order.key(slot).version(rank).writer }
    }

    /// The operations that wrote what `operation` saw.
    pub(super) fn writers_of(&self, operation: u32) -> impl Iterator<Item = u32> {
        let (_, events) = self.events_of(operation);
        self.events[events.start as usize..events.end as usize].iter().filter_map(move |event| match event.what {
            What::Saw { least, .. } => self.writer(event.slot, least).filter(|writer| *writer != operation),
            What::Wrote { .. } => None,
        })
    }

    /// Whether what the sighting `saw` saw reflects the version of rank `demand`. A write reflects everything.
    pub(super) fn reflects(&self, saw: &Event, demand: Rank) -> Reflects {
        let What::Saw { most, .. } = saw.what else { return Reflects::Yes };
        if demand == Rank::INITIAL {
            return Reflects::Yes;
        }
        match most {
            Most::Rank(most) => match self.key_of(saw).compare(most, demand) {
                Some(Ordering::Less) => Reflects::No,
                Some(Ordering::Equal | Ordering::Greater) => Reflects::Yes,
                None => Reflects::Unknown,
            },
            Most::Elements { part } => self.elements_reflect(saw, part, demand),
            Most::Counter | Most::Unplaced => Reflects::Unknown,
        }
    }

    /// Whether a sighting that reflects the newest of some versions reflects all of them. Not so of elements, each of
    /// which must be there, nor where it is not known which of two versions is newer.
    pub(super) fn newest_stands_for_all(&self) -> bool {
        let of_elements = |event: &Event| matches!(event.what, What::Saw { most: Most::Elements { .. }, .. });
        self.order.is_total() && !self.events.iter().any(of_elements)
    }

    fn elements_reflect(&self, saw: &Event, part: u32, demand: Rank) -> Reflects {
        let key = self.key_of(saw);
        let Some(element) = key.version(demand).value else { return Reflects::Yes };
        let there = datum_seen(self.operation_of(saw), part).is_some_and(|datum| holds(datum, element, demand));
        if there || key.may_lack(element) { Reflects::Yes } else { Reflects::No }
    }

    fn group_by_session(&mut self, first: &[u32]) {
        let sessions = self.history.operations.iter().map(|it| it.session.index() + 1).max().unwrap_or(0);
        let mut ends = vec![0u32; sessions + 1];
        for event in &self.events {
            ends[self.operation_of(event).session.index() + 1] += 1;
        }
        for session in 0..sessions {
            ends[session + 1] += ends[session];
        }
        self.sessions = ends.windows(2).map(|pair| pair[0]..pair[1]).collect();
        let mut grouped = self.events.clone();
        let mut next: Vec<u32> = ends;
        self.begins.reserve_exact(self.history.operations.len());
        for (operation, it) in self.history.operations.iter().enumerate() {
            let SessionId(session) = it.session;
            let place = &mut next[it.session.index()];
            self.begins.push((*place, session));
            for event in &self.events[first[operation] as usize..first[operation + 1] as usize] {
                grouped[*place as usize] = *event;
                *place += 1;
            }
        }
        self.events = grouped;
    }

    fn name_authors(&mut self) {
        for index in 0..self.events.len() {
            let Event { operation, slot, what, .. } = self.events[index];
            let What::Saw { least, .. } = what else { continue };
            let Some(writer) = self.writer(slot, least) else { continue };
            self.events[index].own = writer == operation;
            if writer != operation {
                let (session, Range { start: begin, end }) = self.events_of(writer);
                self.events[index].author = Some(Author { session: session as u32, begin, end });
            }
        }
    }
}

impl Event {
    /// The version that was written, or the earliest that can have been seen.
    pub(super) fn rank(&self) -> Rank {
        match self.what {
            What::Wrote { rank, .. } | What::Saw { least: rank, .. } => rank,
        }
    }
}

impl Event {
    /// Whether it is a sighting, and not one of what its own transaction wrote.
    pub(super) fn sees_others(&self) -> bool {
        matches!(self.what, What::Saw { .. }) && !self.own
    }

    /// Whether it made a version and its client was told so.
    pub(super) fn is_acknowledged_write(&self) -> bool {
        matches!(self.what, What::Wrote { acknowledged: true, .. })
    }
}

impl KeyOrder {
    /// Whether a set, list or text that was given `element` may have lost it by the rules.
    pub(super) fn may_lack(&self, element: Value) -> bool {
        self.erased || self.removed.binary_search(&element).is_ok()
    }
}

/// Every event in the order of operations, and where each operation's events begin.
fn place_all(history: &History, order: &Order) -> (Vec<Event>, Vec<u32>) {
    let mut events = Vec::with_capacity(history.operations.len());
    let mut first = Vec::with_capacity(history.operations.len() + 1);
    let mut writes = 0;
    for (operation, it) in (0..).zip(history.operations.iter()) {
        first.push(events.len() as u32);
        for (part, key, deed) in deeds(it) {
            let slot = order.slot(key);
            let what = match deed {
                Deed::Saw(datum) => Some(place(order.key(slot), it, part, datum)),
                Deed::Wrote(_) => {
                    writes += 1;
                    order.made(writes - 1).map(|rank| What::Wrote { rank, acknowledged: it.outcome.is_ok() })
                }
            };
            events.extend(what.map(|what| Event { operation, slot, what, author: None, own: false }));
        }
    }
    first.push(events.len() as u32);
    (events, first)
}

/// Which versions a sighting of `datum` may have been of.
fn place(key: &KeyOrder, it: &Operation, part: u32, datum: &Datum) -> What {
    let nowhere = |most| What::Saw { least: Rank::INITIAL, most };
    match datum {
        Datum::Absent => nowhere(Most::Rank(key.absence(it.completed))),
        Datum::Register(value) => match key.place(*value) {
            Some((least, most)) => What::Saw { least, most: Most::Rank(most) },
            None => nowhere(Most::Unplaced),
        },
        Datum::Counter(_) => nowhere(Most::Counter),
        Datum::Set(elements) => What::Saw { least: newest(key, elements), most: Most::Elements { part } },
        Datum::List(elements) => What::Saw { least: newest_of_list(key, elements), most: Most::Elements { part } },
    }
}

/// The newest version among `elements`, each of which is its own.
fn newest(key: &KeyOrder, elements: &[Value]) -> Rank {
    let ranks = elements.iter().filter_map(|element| key.place(*element));
    ranks.map(|(first, _)| first).max().unwrap_or(Rank::INITIAL)
}

/// The newest version among the elements of a list is its last element, unless it is a text, which grows anywhere.
fn newest_of_list(key: &KeyOrder, elements: &[Value]) -> Rank {
    let last = elements.len().saturating_sub(1);
    if key.grows_anywhere { newest(key, elements) } else { newest(key, &elements[last..]) }
}

/// Whether a set or a list holds `element`. In a list that lost nothing the element of rank `r` stands at `r - 1`.
fn holds(datum: &Datum, element: Value, rank: Rank) -> bool {
    match datum {
        Datum::Set(elements) => elements.binary_search(&element).is_ok(),
        Datum::List(elements) => elements.get(rank.0 as usize - 1) == Some(&element) || elements.contains(&element),
        Datum::Absent | Datum::Register(_) | Datum::Counter(_) => false,
    }
}
