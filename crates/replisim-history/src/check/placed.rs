//! A history with every write and every sighting put in its place in the order of versions, session by session.
//!
//! The checkers share it: it is built once and answers the one question that they all ask, whether what a read saw
//! reflects a given version.
//!
//! A read is always given the most favourable reading. Who found nothing may have met the latest deletion that had been
//! made by then. A set, a list or a text reflects an element if it holds it, or if the element may have been removed by then,
//! or swept away with all others; it reflects the deletion of the key if it holds nothing that a log has before that. A
//! counter's sum names no version: such reads are left out, unless there are no others.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::Range;

use super::access::{Access, Part, datum_seen, take_apart};
use super::keys::{Groups, Keys, Slot};
use super::order::{Basis, KeyOrder, Order, Rank};
use super::past::{Breaches, PastSteps};
use crate::{Datum, History, Operation, Value};

/// One write or sighting of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// The operation it was part of, as its position in the history.
    pub operation: u32,
    /// The key.
    pub slot: Slot,
    /// The version that was written, or the earliest that can have been seen.
    pub rank: Rank,
    /// What happened to it.
    pub what: What,
    /// The operation that wrote the version that was seen, unless it is the initial one or the operation's own.
    pub writer: Option<u32>,
    /// On what ground the key's versions are ordered.
    pub basis: Basis,
}

/// Whose an operation is: a session, and which of its events are those of the operation.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Author {
    /// The session, as an index into [`Placed::sessions`].
    pub session: u32,
    /// The first event of the operation.
    pub begin: u32,
    /// The first event after it.
    pub end: u32,
}

/// Whether a key was written or seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// A version was made, and its client was told so.
    Wrote,
    /// A version may have been made.
    MayHaveWritten,
    /// A version was seen, at most this one.
    Saw(Most),
    /// A version was seen that the same transaction had made.
    SawOwn,
}

/// The latest version that a sighting may have been of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// The history taken apart.
    pub parts: Vec<Part<'a>>,
    /// The order of its versions.
    pub order: Order,
    /// What happened, grouped by session, in the order of each.
    pub events: Vec<Event>,
    /// Which of the events are each session's.
    pub sessions: Vec<Range<u32>>,
    /// Whether a sighting that reflects the newest of some versions reflects all of them. Not so of elements, each of
    /// which must be there, nor where it is not known which of two versions is newer.
    pub newest_stands_for_all: bool,
    /// What was found of causal order, if that was looked at first: other checks may rest on it.
    pub causal: Option<Breaches>,
    /// What the events bring to those who come to have them in their past, from the first check that asks.
    pub past_steps: OnceCell<PastSteps>,
    /// For each operation its session and which of its events are its own.
    authors: Vec<Author>,
}

impl<'a> Placed<'a> {
    /// Puts everything in `history` in its place, in O(n log n).
    pub(super) fn new(history: &'a History) -> Self {
        let mut keys = Keys::new();
        let parts = take_apart(history, &mut keys);
        let order = Order::of(history, &parts, keys);
        let mut placed = Placed {
            history,
            events: Vec::with_capacity(parts.len()),
            sessions: Vec::new(),
            newest_stands_for_all: order.is_total(),
            causal: None,
            past_steps: OnceCell::new(),
            authors: vec![Author::default(); history.operations.len()],
            order,
            parts,
        };
        placed.place_all();
        placed
    }

    /// The operation at a position of the history.
    pub(super) fn operation(&self, position: u32) -> &'a Operation {
        &self.history.operations[u64::from(position)]
    }

    /// The operation that an event was part of.
    pub(super) fn operation_of(&self, event: &Event) -> &'a Operation {
        self.operation(event.operation)
    }

    /// The versions of the key that an event is about.
    pub(super) fn key_of(&self, event: &Event) -> &KeyOrder {
        self.order.key(event.slot)
    }

    /// The session of an operation and its events.
    pub(super) fn author(&self, operation: u32) -> Author {
        self.authors[operation as usize]
    }

    /// The events of an operation.
    pub(super) fn events_of(&self, operation: u32) -> &[Event] {
        let Author { begin, end, .. } = self.author(operation);
        &self.events[begin as usize..end as usize]
    }

    /// The operations that wrote what `operation` saw.
    pub(super) fn writers_of(&self, operation: u32) -> impl Iterator<Item = u32> {
        self.events_of(operation).iter().filter_map(|event| event.writer)
    }

    /// Whether what the sighting `saw` saw reflects the version of rank `demand`. A write reflects everything.
    pub(super) fn reflects(&self, saw: &Event, demand: Rank) -> Reflects {
        let What::Saw(most) = saw.what else { return Reflects::Yes };
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

    fn elements_reflect(&self, saw: &Event, part: u32, demand: Rank) -> Reflects {
        let key = self.key_of(saw);
        let Some(datum) = datum_seen(self.operation_of(saw), part) else { return Reflects::Yes };
        let misses = match key.version(demand).element() {
            Some(element) => {
                let completed = self.operation_of(saw).completed;
                !holds(datum, element, demand) && key.may_be_gone_from(demand) > completed
            }
            None => key.clears(demand) && key.oldest(datum.elements()).is_some_and(|oldest| oldest < demand),
        };
        if misses { Reflects::No } else { Reflects::Yes }
    }

    /// Every event, session by session.
    fn place_all(&mut self) {
        let session_of = self.parts.iter().map(|part| part.of.session.index());
        let sessions = session_of.clone().max().map_or(0, |last| last + 1);
        let by_session = Groups::of(sessions, session_of.map(Some));
        for session in 0..sessions {
            let begin = self.events.len() as u32;
            for &part in by_session.group(session) {
                self.place(part as usize, session as u32);
            }
            self.sessions.push(begin..self.events.len() as u32);
        }
    }

    fn place(&mut self, number: usize, session: u32) {
        let Part { of, operation, part, slot, access } = self.parts[number];
        let key = self.order.key(slot);
        let (rank, what, writer) = match access {
            Access::Saw(datum) => {
                let (least, most) = versions_seen(key, of, part, datum);
                self.newest_stands_for_all &= !matches!(most, Most::Elements { .. });
                match key.writer(least) {
                    Some(writer) if writer == operation => (least, What::SawOwn, None),
                    writer => (least, What::Saw(most), writer),
                }
            }
            Access::Wrote(_) => {
                let Some(rank) = self.order.made()[number] else { return };
                (rank, if of.outcome.is_ok() { What::Wrote } else { What::MayHaveWritten }, None)
            }
        };
        let event = self.events.len() as u32;
        self.events.push(Event { operation, slot, rank, what, writer, basis: key.basis });
        let mine = &mut self.authors[operation as usize];
        let begin = if mine.end == 0 { event } else { mine.begin };
        *mine = Author { session, begin, end: event + 1 };
    }
}

impl Event {
    /// Whether it is a sighting, and not one of what its own transaction wrote.
    pub(super) fn sees_others(&self) -> bool {
        matches!(self.what, What::Saw(_))
    }

    /// The version that was written, or the newest that can have been seen. Of elements the newest one tells it.
    pub(super) fn newest(&self) -> Rank {
        match self.what {
            What::Saw(Most::Rank(most)) => most,
            What::Saw(Most::Elements { .. } | Most::Counter | Most::Unplaced) => self.rank,
            What::Wrote | What::MayHaveWritten | What::SawOwn => self.rank,
        }
    }
}

/// The earliest and the latest version that a sighting of `datum` may have been of.
fn versions_seen(key: &KeyOrder, it: &Operation, part: u32, datum: &Datum) -> (Rank, Most) {
    match datum {
        Datum::Absent => (Rank::INITIAL, Most::Rank(key.absence(it.completed))),
        Datum::Register(value) => match key.place(*value) {
            Some((least, most)) => (least, Most::Rank(most)),
            None => (Rank::INITIAL, Most::Unplaced),
        },
        Datum::Counter(_) => (Rank::INITIAL, Most::Counter),
        Datum::Set(elements) => (newest(key, elements), Most::Elements { part }),
        Datum::List(elements) => (newest_of_list(key, elements), Most::Elements { part }),
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
