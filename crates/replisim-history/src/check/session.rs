//! The four session guarantees of Terry et al. (*Session Guarantees for Weakly Consistent Replicated Data*, 1994).
//!
//! Each forbids one shape, here with `w(x)` a write of key x, `r(x)` a read, and one line a session:
//!
//! ```text
//! read your writes       c1  w(x)1 ── r(x)0                      older than what it wrote itself
//! monotonic reads        c1  r(x)1 ── r(x)0                      older than what it saw before
//! monotonic writes       c1  w(x)1 ── w(y)2
//!                        c2            r(y)2 ── r(x)0            c1's second write without its first
//! writes follow reads    c1  r(x)1 ── w(y)2
//!                        c2            r(y)2 ── r(x)0            c1's write without what c1 had seen
//! ```
//!
//! In Terry's words the *write set* of the server that answers must contain the writes in question. A write of another
//! key is contained if the order of versions says that what was read is not older, so an overwritten version needs not
//! be visible. The last two guarantees bind one hop: what authors learned from others is [`super::causal`]'s business.
//!
//! A transaction's reads see one instant: each must reflect what the others bring with them.

use super::order::Basis;
use super::past::{Authors, Breach, Breaches, Rule, look, look_again};
use super::placed::Placed;
use super::witness::{Story, name, rest_on_order};
use crate::{Check, Finding};

const NOTHING: Rule = Rule { own_writes: false, own_reads: false, authors: Authors::Nothing };

/// A session's read reflects the session's own earlier acknowledged writes.
pub(super) fn read_your_writes(placed: &Placed) -> Finding {
    let rule = Rule { own_writes: true, ..NOTHING };
    find(Check::ReadYourWrites, placed, rule, "older than own write")
}

/// A session's reads of a key never go back to an older version.
pub(super) fn monotonic_reads(placed: &Placed) -> Finding {
    let rule = Rule { own_reads: true, ..NOTHING };
    find(Check::MonotonicReads, placed, rule, "read went back")
}

/// Who has seen a session's write sees the acknowledged writes that the session made before it.
pub(super) fn monotonic_writes(placed: &Placed) -> Finding {
    let rule = Rule { authors: Authors::Writes, ..NOTHING };
    find(Check::MonotonicWrites, placed, rule, "later write without earlier")
}

/// Who has seen a session's write sees what the session had read before it.
pub(super) fn writes_follow_reads(placed: &Placed) -> Finding {
    let rule = Rule { authors: Authors::Reads, ..NOTHING };
    find(Check::WritesFollowReads, placed, rule, "write without what it follows")
}

fn find(check: Check, placed: &Placed, rule: Rule, kind: &str) -> Finding {
    let Breaches { tally, first, .. } = match &placed.causal {
        Some(causal) => look_again(placed, rule, causal),
        None => look(placed, rule),
    };
    let witness = first.map(|breach| tell(placed, breach, rule.authors).called(kind));
    tally.conclude(check, "reads", witness)
}

/// The demanded version's operation, the author's later write and the read that saw it if another session made the
/// demand, and the read that is too old.
fn tell<'a>(placed: &'a Placed, breach: Breach, authors: Authors) -> Story<'a> {
    let mut story = Story::new(placed.history);
    tell_too_old(placed, breach, &mut story);
    let demand = breach.demand(placed);
    story.tell_end(demand.operation);
    if let Some(seen) = breach.via(placed, authors) {
        placed.key_of(seen).writer(seen.rank).into_iter().for_each(|writer| story.tell_end(writer));
        story.tell(seen.operation, format!("answered by {}", placed.operation_of(seen).node));
    }
    story
}

/// The read itself and what it should have reflected. Where only real time orders the versions, the writes of both are
/// part of the evidence.
pub(super) fn tell_too_old(placed: &Placed, breach: Breach, story: &mut Story) {
    let read = breach.read(placed);
    if placed.key_of(read).basis == Basis::RealTime {
        for event in [read, breach.demand(placed)] {
            placed.key_of(event).writer(event.rank).into_iter().for_each(|writer| story.tell_end(writer));
        }
    }
    rest_on_order(placed, read, breach.demand(placed).rank, story);
    let wanted = name(placed, read.slot, breach.demand(placed).rank);
    story.tell(read.operation, format!("{} answered without {wanted}", placed.operation_of(read).node));
}
