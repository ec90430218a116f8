//! Sets and lists once more from the definitions, as `brute` has registers: every element by itself.
//!
//! What a session must see again the checkers may judge too mildly, for the newest element that was read stands for all.
//! Which reads are stale, and what was lost, they find exactly.

use proptest::prelude::*;
use replisim_kernel::{SimTime, Span};

use super::brute::witnesses_stand;
use super::random::{Draft, draft, schedule};
use crate::check::{check, losses, recheck, staleness};
use crate::{
    Check, Contents, Datum, Final, History, Install, Key, Lineage, Made, NodeId, Op, Operation, Outcome, Position,
    Reason, Seen, SessionId, Value, Verdict,
};

/// What the keys of a history are written as.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kinds {
    Sets,
    Lists,
    /// Each key as both.
    Mixed,
}

/// One change of a key.
struct Change {
    at: SimTime,
    /// The operation that made it, unless an operator did.
    by: Option<u64>,
    op: Op,
}

/// A history over sets, over lists, or over both, of single operations; with a log, or without.
fn random_history(drafts: &[Draft], kinds: Kinds, logged: bool) -> History {
    let mut history = History::default();
    let mut changes: Vec<Change> = Vec::new();
    let scheduled = schedule(drafts);
    let picks: Vec<u64> = scheduled.iter().map(|(draft, ..)| draft.pick).collect();
    for (number, (draft, ordinal, invoked, completed)) in (0..).zip(scheduled) {
        let session = SessionId(draft.session);
        let outcome = match draft.ends {
            0 => Outcome::Fail(Reason::Refused),
            1 => Outcome::Info(Reason::Timeout),
            _ => Outcome::Ok,
        };
        let op = op_of(&draft, Value::written(session, ordinal), kinds);
        if outcome.may_have_happened() && !op.is_read() {
            let at = invoked + Span::micros(draft.pick % 1000 * draft.lasts);
            changes.push(Change { at, by: Some(number), op: op.clone() });
            if let (true, Some(key), 0) = (logged, op.key(), draft.pick >> 24 & 7) {
                changes.push(Change { at, by: None, op: Op::Delete { key } });
            }
        }
        history.operations.push(Operation {
            session,
            ordinal,
            op,
            intended: invoked,
            invoked,
            completed,
            outcome,
            seen: Seen::Nothing,
            position: Position::ZERO,
            origin: NodeId(9),
            node: NodeId(0),
        });
    }
    changes.sort_by_key(|change| change.at);
    let lineage = logged.then(|| install_all(&mut history, &changes));
    answer_reads(&mut history, &picks, &changes);
    let contents = applied(&changes, SimTime::NEVER, picks.into_iter().fold(0, u64::wrapping_add));
    history.finals.push(Final { node: NodeId(2), at: SimTime::ZERO, leads: true, contents, lineage });
    history
}

/// Puts all changes into the log of one leader. Nobody is told where in it an unanswered one stands.
fn install_all(history: &mut History, changes: &[Change]) -> Lineage {
    let mut lineage = Lineage::new();
    for (index, Change { at, by, op }) in (1..).zip(changes) {
        let position = Position::new(1, index);
        lineage.extend(0, position);
        if let Some(it) = by.and_then(|by| history.operations.get_mut(by)).filter(|it| it.outcome.is_ok()) {
            it.position = position;
        }
        let key = op.key().expect("a single operation");
        let made = Made::by(op, &Seen::Nothing).expect("it changes the key");
        history.installs.push(Install { at: *at, node: NodeId(0), key, made, position });
    }
    lineage
}

/// Adds and removes elements, deletes, and reads. What is removed may never have been added.
fn op_of(draft: &Draft, value: Value, kinds: Kinds) -> Op {
    let (kind, key) = draft.parts[0];
    let key = Key(key);
    let other = Value::written(SessionId(draft.pick as u32 % 4), (draft.pick >> 8) as u32 % 3);
    let appends = match kinds {
        Kinds::Sets => false,
        Kinds::Lists => true,
        Kinds::Mixed => kind < 4 && draft.pick & 0x10000 == 0,
    };
    match kind {
        0..=3 if appends => Op::Append { key, element: value },
        0..=3 => Op::SetAdd { key, element: value },
        4 if draft.pick & 0x300000 == 0 => Op::Delete { key },
        4 if kinds == Kinds::Lists => Op::Append { key, element: value },
        4 => Op::SetRemove { key, element: other },
        _ => Op::Read { key },
    }
}

/// What a replica holds after the changes until `at`, most of the time all of them: `picks` says which it forgot.
fn applied(changes: &[Change], at: SimTime, picks: u64) -> Contents {
    let mut contents = Contents::new();
    for (turn, Change { op, .. }) in (0..).zip(changes).filter(|(_, change)| change.at <= at) {
        if picks >> (turn % 32) & 0x10001 != 0x10001 {
            contents.apply(op, Position::ZERO, &mut || unreachable!("nothing is made up"));
        }
    }
    contents
}

fn answer_reads(history: &mut History, picks: &[u64], changes: &[Change]) {
    for (at, pick) in (0..).zip(picks) {
        let it = history.operations.get_mut(at).expect("it was scheduled");
        if let Op::Read { key } = it.op
            && it.outcome.is_ok()
        {
            // Now and then the answer knows of what nobody has asked for.
            let foreseen = if pick & 0x70000 == 0 { Span::millis(3) } else { Span::ZERO };
            it.seen = Seen::Datum(applied(changes, it.completed + foreseen, *pick).read(key));
        }
    }
}

/// A history, all of its operations on elements, looked at without any index.
struct Brute<'a> {
    ops: Vec<&'a Operation>,
    installs: Vec<&'a Install>,
    held: &'a Contents,
}

impl<'a> Brute<'a> {
    fn new(history: &'a History) -> Self {
        let (ops, installs) = (history.operations.iter().collect(), history.installs.iter().collect());
        Brute { ops, installs, held: &history.finals[0].contents }
    }

    fn added(&self, op: usize) -> Option<(Key, Value)> {
        match self.ops[op].op {
            Op::SetAdd { key, element } | Op::Append { key, element } if self.ops[op].outcome.is_ok() => {
                Some((key, element))
            }
            _ => None,
        }
    }

    /// What an acknowledged change is of. Who reads what was removed has not seen it, unless the whole key is missing.
    fn changed(&self, op: usize) -> Option<(Key, Value)> {
        self.added(op).or_else(|| self.removed(op).filter(|_| self.ops[op].outcome.is_ok()))
    }

    fn removed(&self, op: usize) -> Option<(Key, Value)> {
        match self.ops[op].op {
            Op::SetRemove { key, element } if self.ops[op].outcome.may_have_happened() => Some((key, element)),
            _ => None,
        }
    }

    fn seen(&self, op: usize) -> Option<(Key, &Datum)> {
        match (&self.ops[op].op, &self.ops[op].seen) {
            (Op::Read { key }, Seen::Datum(datum)) => Some((*key, datum)),
            _ => None,
        }
    }

    /// Whether nobody had asked for an element to be removed by then.
    fn is_never_removed(&self, element: (Key, Value), by: SimTime) -> bool {
        (0..self.ops.len()).all(|op| self.removed(op) != Some(element) || self.ops[op].invoked > by)
    }

    /// Whether what may have happened put lists into a key, or sets: two kinds that replace each other.
    fn puts(&self, op: usize, key: Key) -> Option<Kinds> {
        match &self.ops[op].op {
            it if it.key() != Some(key) || !self.ops[op].outcome.may_have_happened() => None,
            Op::Append { .. } => Some(Kinds::Lists),
            Op::SetAdd { .. } | Op::SetRemove { .. } => Some(Kinds::Sets),
            _ => None,
        }
    }

    fn deletes(&self, op: usize, key: Key) -> bool {
        self.ops[op].op == Op::Delete { key } && self.ops[op].outcome.may_have_happened()
    }

    fn adder(&self, (key, element): (Key, Value)) -> Option<usize> {
        let adds = |it: &&Operation| it.op == Op::SetAdd { key, element } || it.op == Op::Append { key, element };
        self.ops.iter().position(|it| adds(it) && it.outcome.may_have_happened())
    }

    /// Where the log has what `op` did.
    fn position(&self, op: usize) -> Option<Position> {
        let is_it = |install: &&&Install| match self.ops[op].op {
            Op::SetAdd { key, element } | Op::Append { key, element } => {
                install.key == key && install.made == Made::Value(element)
            }
            _ => install.position == self.ops[op].position,
        };
        self.installs.iter().find(is_it).map(|install| install.position)
    }

    /// When the log has the key deleted after what `op` did, by a client or by nobody who is known.
    fn deletions_after(&self, op: usize, key: Key) -> impl Iterator<Item = SimTime> {
        let deletes = move |install: &&&Install| install.key == key && install.made == Made::Nothing;
        let after = self.installs.iter().filter(move |install| Some(install.position) > self.position(op));
        after.filter(deletes).map(|install| install.at)
    }

    fn is_certainly_older(&self, it: usize, op: usize) -> bool {
        self.ops[it].outcome.is_ok() && self.ops[it].completed < self.ops[op].invoked
    }

    /// Whether something that is not certainly older may have deleted by then what `op` put into a key, or put another kind
    /// of datum in its place.
    fn may_be_swept(&self, op: usize, key: Key, by: SimTime) -> bool {
        if !self.installs.is_empty() {
            return self.deletions_after(op, key).any(|deleted| deleted <= by);
        }
        let other = |it: usize| self.puts(it, key).is_some_and(|kind| Some(kind) != self.puts(op, key));
        let begun = |it: &usize| self.ops[*it].invoked <= by;
        let mut sweepers = (0..self.ops.len()).filter(begun).filter(|it| other(*it) || self.deletes(*it, key));
        sweepers.any(|it| !self.is_certainly_older(it, op))
    }

    /// Whether who found nothing at `at` may have met a deletion that is not certainly older than what `op` did.
    fn may_be_absent(&self, op: usize, key: Key, at: SimTime) -> bool {
        if !self.installs.is_empty() {
            return self.deletions_after(op, key).any(|deleted| deleted <= at);
        }
        let mut deleters = (0..self.ops.len()).filter(|it| self.deletes(*it, key) && self.ops[*it].invoked <= at);
        deleters.any(|it| !self.is_certainly_older(it, op))
    }

    /// The changes that `read` lacks, of those that are `demanded`, each an operation and the element that it is about.
    fn lacks(&self, read: usize, demanded: impl Iterator<Item = (usize, (Key, Value))>) -> Vec<usize> {
        let Some((key, datum)) = self.seen(read) else { return Vec::new() };
        let by = self.ops[read].completed;
        let lacks = |(op, (of, element)): &(usize, (Key, Value))| match datum {
            _ if *of != key => false,
            Datum::Absent => !self.may_be_absent(*op, key, by),
            _ if datum.elements().contains(element) || !self.is_never_removed((key, *element), by) => false,
            _ => !self.may_be_swept(*op, key, by),
        };
        demanded.filter(lacks).map(|(op, _)| op).collect()
    }

    /// The deletions among these operations before which the log has something that `read` holds.
    fn undoes(&self, read: usize, demanded: impl Iterator<Item = usize>) -> Vec<usize> {
        let Some((key, datum)) = self.seen(read).filter(|_| !self.installs.is_empty()) else { return Vec::new() };
        let adders = || datum.elements().iter().filter_map(|element| self.adder((key, *element)));
        let acknowledged = demanded.filter(|op| self.deletes(*op, key) && self.ops[*op].outcome.is_ok());
        acknowledged.filter(|op| adders().any(|adder| self.position(adder) < self.position(*op))).collect()
    }

    /// How many reads lack what the session had added, or seen, before, or undo what it had deleted.
    fn broken(&self, check: Check) -> u64 {
        let reads = (0..self.ops.len()).filter(|read| {
            let before = || (0..*read).filter(|op| self.ops[*op].session == self.ops[*read].session);
            if check == Check::ReadYourWrites {
                let changed = before().filter_map(|op| Some((op, self.changed(op)?)));
                return !self.lacks(*read, changed).is_empty() || !self.undoes(*read, before()).is_empty();
            }
            let seen = before().filter_map(|op| self.seen(op));
            let elements = seen.flat_map(|(key, datum)| datum.elements().iter().map(move |element| (key, *element)));
            !self.lacks(*read, elements.filter_map(|element| Some((self.adder(element)?, element)))).is_empty()
        });
        reads.count() as u64
    }

    /// How many reads saw what nobody had asked to write when they were over.
    fn foreseeing(&self) -> u64 {
        let asked = |op: usize, added: (Key, Value), by: SimTime| match self.ops[op].op {
            Op::SetAdd { key, element } | Op::Append { key, element } => {
                (key, element) == added && self.ops[op].outcome.may_have_happened() && self.ops[op].invoked <= by
            }
            _ => false,
        };
        let foresees = |read: &usize| {
            let Some((key, datum)) = self.seen(*read) else { return false };
            let unasked =
                |element: &Value| !(0..self.ops.len()).any(|op| asked(op, (key, *element), self.ops[*read].completed));
            datum.elements().iter().any(unasked)
        };
        (0..self.ops.len()).filter(foresees).count() as u64
    }

    /// For each stale read its number, and how many versions and for how long it was behind.
    fn stale(&self) -> Vec<(u64, u64, Span)> {
        let behind = |read: usize| {
            let asked = self.ops[read].invoked;
            let known = || (0..self.ops.len()).filter(|op| self.ops[*op].completed < asked);
            let mut missed = self.lacks(read, known().filter_map(|op| Some((op, self.changed(op)?))));
            missed.extend(self.undoes(read, known()));
            let since = missed.iter().map(|op| self.ops[*op].completed).min()?;
            Some((read as u64, missed.len() as u64, asked.since(since)))
        };
        (0..self.ops.len()).filter_map(behind).collect()
    }

    /// The acknowledged additions that are gone, and removals of what had been acknowledged that were undone.
    fn lost(&self) -> Vec<u64> {
        let holds = |(key, element): (Key, Value)| self.held.read(key).elements().contains(&element);
        let lost = |op: &usize| {
            let kept = |it: (Key, Value)| {
                self.is_never_removed(it, SimTime::NEVER) && !self.may_be_swept(*op, it.0, SimTime::NEVER)
            };
            let gone = self.added(*op).is_some_and(|it| !holds(it) && kept(it));
            let certain = |it| {
                let adders = (0..self.ops.len()).filter(|adder| self.added(*adder) == Some(it));
                adders.map(|adder| self.ops[adder].completed).any(|at| at < self.ops[*op].invoked)
            };
            let removed = self.removed(*op).and_then(|_| self.changed(*op));
            let back = match self.ops[*op].op {
                Op::Delete { key } if self.ops[*op].outcome.is_ok() => {
                    self.held.read(key).elements().iter().any(|element| certain((key, *element)))
                }
                _ => false,
            };
            gone || back || removed.is_some_and(|it| holds(it) && certain(it))
        };
        (0..self.ops.len()).filter(lost).map(|op| op as u64).collect()
    }
}

/// A history over one counter, of which its replica forgot some additions; the `least` of them is the smallest.
fn random_counter(drafts: &[Draft], least: i64, recorded: bool) -> History {
    let (mut history, mut held) = (History::default(), 0);
    let mut lineage = recorded.then(Lineage::new);
    for (index, (draft, ordinal, invoked, completed)) in (1..).zip(schedule(drafts)) {
        let position = lineage.as_mut().map_or(Position::ZERO, |lineage| {
            lineage.extend(0, Position::new(1, index));
            lineage.last()
        });
        let outcome = if draft.ends < 3 { Outcome::Info(Reason::Timeout) } else { Outcome::Ok };
        let amount = least + (draft.pick % 10) as i64;
        held += if draft.pick & 0x700 == 0 || draft.ends == 0 { 0 } else { amount };
        history.operations.push(Operation {
            session: SessionId(draft.session),
            ordinal,
            op: Op::Add { key: Key(1), amount },
            intended: invoked,
            invoked,
            completed,
            outcome,
            seen: Seen::Nothing,
            position,
            origin: NodeId(9),
            node: NodeId(0),
        });
    }
    let mut contents = Contents::new();
    contents.install(Key(1), Datum::Counter(held), Position::ZERO);
    history.finals.push(Final { node: NodeId(2), at: SimTime::ZERO, leads: true, contents, lineage });
    history
}

fn amount(it: &Operation) -> i64 {
    match it.op {
        Op::Add { amount, .. } => amount,
        _ => unreachable!("a counter is added to"),
    }
}

fn holds(history: &History, sum: i64) -> bool {
    history.finals[0].contents.read(Key(1)) == Datum::Counter(sum)
}

/// Whether the sum that is held is that of some additions, where all acknowledged ones are among them, or some are not.
fn adds_up(history: &History, without_loss: bool) -> bool {
    (0..1u32 << history.operations.len()).any(|choice| {
        let additions = || (0..).zip(history.operations.iter()).map(|(bit, it)| (it, choice >> bit & 1 == 1));
        let is_without_loss = additions().all(|(it, chosen)| chosen || !it.outcome.is_ok());
        let sum = additions().filter(|(_, chosen)| *chosen).map(|(it, _)| amount(it)).sum();
        is_without_loss == without_loss && holds(history, sum)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_elements_the_checkers_find_what_the_definitions_say(
        drafts in prop::collection::vec(draft(), 1..16),
        kinds in prop::sample::select(vec![Kinds::Sets, Kinds::Lists, Kinds::Mixed]),
        logged in any::<bool>(),
    ) {
        let history = random_history(&drafts, kinds, logged && kinds != Kinds::Mixed);
        let brute = Brute::new(&history);
        for what in [Check::ReadYourWrites, Check::MonotonicReads] {
            let (found, broken) = (check(what, &history).broken, brute.broken(what));
            prop_assert!(found <= broken, "{what}: {found} of {broken}, a false alarm in {history:#?}");
        }
        let report = staleness(&history);
        let figures = report.stale.iter().map(|it| (it.operation, it.behind.versions_behind, it.behind.time_behind));
        prop_assert_eq!(figures.collect::<Vec<_>>(), brute.stale(), "{:#?}", history);
        prop_assert_eq!(losses(&history).map(|losses| losses.lost), Ok(brute.lost()), "{:#?}", history);
        prop_assert_eq!(check(Check::NoThinAirReads, &history).broken, brute.foreseeing(), "{:#?}", history);
        witnesses_stand(&history)?;
    }

    #[test]
    fn a_sum_that_does_not_add_up_is_a_loss(
        drafts in prop::collection::vec(draft(), 1..12),
        least in prop::sample::select(vec![0, -5]),
        recorded in any::<bool>(),
    ) {
        let history = random_counter(&drafts, least, recorded);
        let finding = check(Check::NoLostWrites, &history);
        let is_loss = finding.verdict.witness().is_some();
        let acknowledged = history.operations.iter().any(|it| it.outcome.is_ok());
        prop_assert_eq!(is_loss, acknowledged && !adds_up(&history, true), "{:#?}\n{:#?}", finding, history);
        let additions = || history.operations.iter();
        let nothing_is_missing = holds(&history, additions().filter(|it| it.outcome.is_ok()).map(amount).sum());
        if additions().any(|it| amount(it) < 0) && acknowledged && !is_loss && !nothing_is_missing {
            let is_certain = finding.verdict == Verdict::Holds;
            prop_assert_eq!(is_certain, !adds_up(&history, false), "{:#?}\n{:#?}", finding, history);
        }
        if let Verdict::Violated(witness) = finding.verdict {
            prop_assert!(recheck(Check::NoLostWrites, &history, &witness), "{witness:#?}\n{history:#?}");
        }
    }
}
