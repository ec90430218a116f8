//! Causal order: nobody sees a reply before the message it answers, however long the chain of replies.
//!
//! One operation causally precedes another if the same session made it earlier, or if the other read what it wrote, or
//! by a chain of such steps (Lamport 1978; Ahamad et al., *Causal Memory*, 1995). A read of a key must not return a
//! version older than any that was acknowledged or seen in its causal past:
//!
//! ```text
//! c1  w(x)1 ── w(y)2
//! c2            r(y)2 ── w(z)3
//! c3                      r(z)3 ── r(x)0      two hops away: no session guarantee is broken, causal order is
//! ```
//!
//! Since the order of versions is given, this is causal *convergence* in that order (CCv in Bouajjani et al., POPL
//! 2017): sessions may not differ in the order in which they see the versions of a key. It implies all four session
//! guarantees. A transaction enters the past as a whole, so who sees one of its writes sees all of them.
//!
//! The past is gathered by [`super::past`], which bounds the cost: O(s · n) for s sessions and n events, whatever the
//! length of the chains.

use std::collections::{BTreeMap, VecDeque};

use super::past::{Authors, Breach, Breaches, Rule, look};
use super::placed::{Author, Placed};
use super::session::tell_too_old;
use super::witness::Story;
use crate::{Check, Finding};

const EVERYTHING: Rule = Rule { own_writes: true, own_reads: true, authors: Authors::Everything };

/// A read reflects everything in its causal past.
pub(super) fn causal_order(placed: &Placed) -> Finding {
    let Breaches { tally, first, .. } = placed.causal.clone().unwrap_or_else(|| look_at(placed));
    let witness = first.map(|breach| tell(placed, breach).called("reply before message"));
    tally.conclude(Check::CausalOrder, "reads", witness)
}

/// Looks at every read: what was found, and the first that misses something of its causal past.
pub(super) fn look_at(placed: &Placed) -> Breaches {
    look(placed, EVERYTHING)
}

/// The shortest chain of messages that leads from the demanded version to the read that is older.
fn tell<'a>(placed: &'a Placed, breach: Breach) -> Story<'a> {
    let mut story = Story::new(placed.history);
    tell_too_old(placed, breach, &mut story);
    let demand = breach.demand(placed).operation;
    for operation in chain(placed, breach.read(placed).operation, demand) {
        story.tell_end(operation);
    }
    story.tell_end(demand);
    story
}

/// The operations at both ends of each message on the way back from `read` to `cause`, with the fewest messages.
///
/// A search over operations in which a step back within a session costs nothing and a step from a read to the writer
/// of what it saw costs one. A cause that is the read itself is found by going round.
fn chain(placed: &Placed, read: u32, cause: u32) -> Vec<u32> {
    let mut reached = BTreeMap::new();
    let mut pending = VecDeque::new();
    step_back(placed, read, &mut pending);
    while let Some(step) = pending.pop_front() {
        if reached.contains_key(&step.to) {
            continue;
        }
        reached.insert(step.to, step);
        if step.to == cause {
            break;
        }
        step_back(placed, step.to, &mut pending);
    }
    ends_of_messages(&reached, read, cause)
}

/// A step back from one operation to one that causally precedes it.
#[derive(Clone, Copy)]
struct Step {
    from: u32,
    to: u32,
    by_message: bool,
}

fn step_back(placed: &Placed, from: u32, pending: &mut VecDeque<Step>) {
    if let Some(to) = before_in_session(placed, from) {
        pending.push_front(Step { from, to, by_message: false });
    }
    pending.extend(placed.writers_of(from).map(|to| Step { from, to, by_message: true }));
}

fn ends_of_messages(reached: &BTreeMap<u32, Step>, read: u32, cause: u32) -> Vec<u32> {
    let mut ends = Vec::new();
    let mut at = cause;
    // No step is there if the read itself, in a transaction, made the demand.
    while let Some(step) = reached.get(&at) {
        if step.by_message {
            ends.extend([step.to, step.from]);
        }
        at = step.from;
        if at == read {
            break;
        }
    }
    ends
}

fn before_in_session(placed: &Placed, operation: u32) -> Option<u32> {
    let Author { session, begin, .. } = placed.author(operation);
    let first = placed.sessions[session as usize].start;
    (begin > first).then(|| placed.events[begin as usize - 1].operation)
}
