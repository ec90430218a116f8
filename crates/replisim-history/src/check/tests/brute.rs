//! The guarantees once more, straight from their definitions and as slowly as they are stated, held against the
//! checkers on thousands of random small histories.
//!
//! Nothing here is shared with the checkers: versions are found by scanning, the causal past is a closure of a matrix,
//! and every read is compared with every operation.

use proptest::prelude::*;
use replisim_kernel::{SimTime, Span};

use super::random::{draft, fork, random_history};
use crate::check::{StaleRead, check, check_all, losses, recheck, staleness};
use crate::{
    Beginning, Check, Datum, Finding, History, Install, Key, Limit, Made, Op, Operation, Position, Seen, Value, Verdict,
};

/// A register's version as a reader or a writer knows it.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Version {
    Initial,
    Of(Value),
    /// The deletion by the operation of this number.
    Deletion(usize),
}

impl Version {
    fn is_nameless(self) -> bool {
        matches!(self, Version::Deletion(_))
    }
}

/// Whether `it` read `value` under `key`.
fn shows(it: &Operation, key: Key, value: Value) -> bool {
    let seen = match &it.seen {
        Seen::Many(seen) => seen.to_vec(),
        single => vec![single.clone()],
    };
    let mut parts = it.op.parts().iter().zip(seen);
    parts.any(|(part, seen)| *part == Op::Read { key } && seen == Seen::Datum(Datum::Register(value)))
}

/// A history, all of its operations on registers, looked at without any index.
struct Brute<'a> {
    ops: Vec<&'a Operation>,
    history: &'a History,
}

impl<'a> Brute<'a> {
    fn new(history: &'a History) -> Self {
        Brute { ops: history.operations.iter().collect(), history }
    }

    /// Whether positions order the key: it was installed, and they contradict nothing that clients know.
    fn logged(&self, key: Key) -> bool {
        let mut installed = self.versions(key).filter(|(_, version)| self.install(key, *version).is_some());
        installed.next().is_some() && self.strays(key).is_empty()
    }

    /// Every version of a key, and who wrote it.
    fn versions(&self, key: Key) -> impl Iterator<Item = (usize, Version)> {
        let written = (0..self.ops.len()).flat_map(|op| self.writes(op).into_iter().map(move |wrote| (op, wrote)));
        written.filter(move |(_, (of, _))| *of == key).map(|(op, (_, version))| (op, version))
    }

    /// The versions of a key that no position places. Some have none; others are lost and have a higher position than one
    /// that is not and that their epoch does not go on from, or began after one of a higher position was acknowledged, or
    /// were placed by the same epoch after such a one. Either counts once a client knows of one.
    fn strays(&self, key: Key) -> Vec<(usize, Version)> {
        let position = |version| self.install(key, version).map(|install| install.position);
        let known = |(op, version): &(usize, Version)| {
            let seen = |value| self.ops.iter().any(|it| it.outcome.is_ok() && shows(it, key, value));
            self.ops[*op].outcome.is_ok()
                || matches!(*version, Version::Of(value) if seen(value))
                || version.is_nameless()
        };
        let counted = |strays: Vec<(usize, Version)>| if strays.iter().any(known) { strays } else { Vec::new() };
        let is_beside = |(_, version): &(usize, Version)| {
            let apart =
                |at| self.versions(key).filter_map(|(_, other)| position(other)).any(|it| self.is_beside(at, it));
            position(*version).is_some_and(apart)
        };
        let beside = counted(self.versions(key).filter(is_beside).collect());
        let contradicts = |(lower, version): &(usize, Version)| {
            let overtaken = |(higher, other): (usize, Version)| {
                let (ended, began) = (self.acknowledged(higher), self.ops[*lower].invoked);
                let goes_on = ended == began && higher < *lower && self.in_session(higher, *lower);
                let counts = !beside.contains(&(higher, other));
                counts && position(*version) < position(other) && (ended < began || goes_on)
            };
            let placed = position(*version).is_some() && !beside.contains(&(*lower, *version));
            placed && self.versions(key).any(overtaken)
        };
        let contradicting = counted(self.versions(key).filter(contradicts).collect());
        let follows = |it: &(usize, Version)| {
            let after = |from: Position, at: Position| from.epoch == at.epoch && from <= at;
            let mut from = contradicting.iter().filter_map(|(_, stray)| position(*stray));
            beside.contains(it) || position(it.1).is_none_or(|at| from.any(|from| after(from, at)))
        };
        self.versions(key).filter(follows).collect()
    }

    /// Whether what is at `above` is lost, what is at `below` is not, and the epoch of the former does not go on from it.
    fn is_beside(&self, above: Position, below: Position) -> bool {
        let survives = |at| self.history.finals.iter().any(|it| it.lineage.as_ref().is_some_and(|it| it.contains(at)));
        let apart = |it: &Beginning| it.epoch == above.epoch && !it.built_on.contains(below);
        let is_higher = below.epoch < above.epoch;
        is_higher && survives(below) && !survives(above) && self.history.beginnings.iter().any(apart)
    }

    /// From when until when a version can have taken its place, given the strays of its key. What a log places began no
    /// earlier than all before it, and ended no later than all after it.
    fn span(&self, key: Key, version: Version, strays: &[(usize, Version)]) -> Option<(SimTime, SimTime)> {
        let writer = self.writer(key, version)?;
        if strays.contains(&(writer, version)) {
            return Some((self.ops[writer].invoked, self.acknowledged(writer)));
        }
        let position = |version| self.install(key, version).map(|install| install.position);
        let in_log = || self.versions(key).filter(|it| !strays.contains(it));
        let before = in_log().filter(|(_, other)| position(*other) <= position(version));
        let after = in_log().filter(|(_, other)| position(*other) >= position(version));
        Some((before.map(|(op, _)| self.ops[op].invoked).max()?, after.map(|(op, _)| self.acknowledged(op)).min()?))
    }

    /// What the acknowledged or unanswered operation `op` wrote.
    fn writes(&self, op: usize) -> Vec<(Key, Version)> {
        if !self.ops[op].outcome.may_have_happened() {
            return Vec::new();
        }
        let parts = self.ops[op].op.parts().iter();
        parts
            .filter_map(|part| match *part {
                Op::Write { key, value } => Some((key, Version::Of(value))),
                Op::Delete { key } => Some((key, Version::Deletion(op))),
                _ => None,
            })
            .collect()
    }

    fn acknowledged_writes(&self, op: usize) -> Vec<(Key, Version)> {
        if self.ops[op].outcome.is_ok() { self.writes(op) } else { Vec::new() }
    }

    /// What `op` saw of others: the earliest and the latest version that it can have been.
    fn reads(&self, op: usize) -> Vec<(Key, Version, Version)> {
        if !self.ops[op].outcome.is_ok() {
            return Vec::new();
        }
        let seen = match &self.ops[op].seen {
            Seen::Many(seen) => seen.to_vec(),
            single => vec![single.clone()],
        };
        let parts = self.ops[op].op.parts().iter().zip(seen);
        parts
            .filter_map(|(part, seen)| match (part, seen) {
                (Op::Read { key }, Seen::Datum(Datum::Register(value))) => {
                    let own = self.writes(op).contains(&(*key, Version::Of(value)));
                    (!own).then_some((*key, Version::Of(value), Version::Of(value)))
                }
                (Op::Read { key }, Seen::Datum(Datum::Absent)) => {
                    Some((*key, Version::Initial, self.absence(*key, op)))
                }
                _ => None,
            })
            .collect()
    }

    /// The latest deletion that the reader `op` may have met.
    fn absence(&self, key: Key, op: usize) -> Version {
        let mut latest = Version::Initial;
        for deleter in 0..self.ops.len() {
            let deletion = (key, Version::Deletion(deleter));
            if self.writes(deleter).contains(&deletion)
                && self.visible(deleter, deletion) <= self.ops[op].completed
                && self.later_absence(key, latest, deletion.1)
            {
                latest = deletion.1;
            }
        }
        latest
    }

    fn later_absence(&self, key: Key, now: Version, other: Version) -> bool {
        match (now, other) {
            _ if self.logged(key) => self.older(key, now, other),
            (Version::Deletion(_), Version::Deletion(_)) => self.newer(key, other) <= self.newer(key, now),
            _ => true,
        }
    }

    /// How many versions are certainly newer.
    fn newer(&self, key: Key, version: Version) -> usize {
        self.versions(key).filter(|(_, other)| self.older(key, version, *other)).count()
    }

    fn acknowledged(&self, op: usize) -> SimTime {
        if self.ops[op].outcome.is_ok() { self.ops[op].completed } else { SimTime::NEVER }
    }

    fn visible(&self, op: usize, (key, version): (Key, Version)) -> SimTime {
        match self.install(key, version) {
            Some(install) => install.at,
            None if self.logged(key) => SimTime::NEVER,
            None => self.ops[op].invoked,
        }
    }

    fn install(&self, key: Key, version: Version) -> Option<&Install> {
        self.history.installs.iter().find(|install| {
            install.key == key
                && match version {
                    Version::Initial => false,
                    Version::Of(value) => install.made == Made::Value(value),
                    Version::Deletion(op) => install.made == Made::Nothing && install.position == self.ops[op].position,
                }
        })
    }

    fn writer(&self, key: Key, version: Version) -> Option<usize> {
        (0..self.ops.len()).find(|op| self.writes(*op).contains(&(key, version)))
    }

    /// Whether `a` is certainly older than `b`.
    fn older(&self, key: Key, a: Version, b: Version) -> bool {
        if a == b || b == Version::Initial {
            return false;
        }
        if a == Version::Initial {
            return true;
        }
        if self.logged(key) {
            let position = |version| self.install(key, version).map(|install| install.position);
            return matches!((position(a), position(b)), (Some(a), Some(b)) if a < b);
        }
        let strays = self.strays(key);
        let (Some((_, ends)), Some((begins, _))) = (self.span(key, a, &strays), self.span(key, b, &strays)) else {
            return false;
        };
        let in_turn = || {
            let position = |version| self.install(key, version).map(|install| install.position);
            let is_stray = |version| strays.iter().any(|(_, stray)| *stray == version);
            let between = |at: SimTime| begins <= at && at <= ends;
            let meanwhile =
                |(op, _): &(usize, Version)| between(self.ops[*op].invoked) || between(self.acknowledged(*op));
            !is_stray(a) && !is_stray(b) && position(a) < position(b) && !strays.iter().any(meanwhile)
        };
        ends < begins || in_turn()
    }

    /// Whether `cause` is at or before `op` in the same session.
    fn in_session(&self, cause: usize, op: usize) -> bool {
        cause <= op && self.ops[cause].session == self.ops[op].session
    }

    /// Every key and version that `op` must reflect under `check`.
    fn demands(&self, check: Check, op: usize, closure: &[Vec<bool>]) -> Vec<(Key, Version)> {
        let all = 0..self.ops.len();
        let reads = |from: usize| self.reads(from).into_iter().map(|(key, least, _)| (key, least)).collect::<Vec<_>>();
        let own = all.clone().filter(|cause| self.in_session(*cause, op));
        match check {
            Check::ReadYourWrites => {
                own.filter(|cause| *cause < op).flat_map(|cause| self.acknowledged_writes(cause)).collect()
            }
            Check::MonotonicReads => own.flat_map(reads).collect(),
            Check::MonotonicWrites => {
                let seen = own.flat_map(|read| self.sources(read));
                let before = |seen: usize| (0..seen).filter(move |cause| self.in_session(*cause, seen));
                seen.flat_map(before).flat_map(|cause| self.acknowledged_writes(cause)).collect()
            }
            Check::WritesFollowReads => {
                let seen = own.flat_map(|read| self.sources(read));
                let upto = |seen: usize| (0..=seen).filter(move |cause| self.in_session(*cause, seen));
                seen.flat_map(upto).flat_map(reads).collect()
            }
            Check::CausalOrder => {
                let past = all.filter(|cause| closure[*cause][op]);
                let writes = past.clone().flat_map(|cause| self.acknowledged_writes(cause));
                writes.chain(past.flat_map(reads)).chain(reads(op)).collect()
            }
            Check::NoLostWrites | Check::FreshReads | Check::Convergence | Check::NoThinAirReads | Check::NoPanic => {
                unreachable!("no session guarantee")
            }
        }
    }

    /// The operations that wrote what `op` saw.
    fn sources(&self, op: usize) -> Vec<usize> {
        self.reads(op).into_iter().filter_map(|(key, least, _)| self.writer(key, least)).collect()
    }

    /// Which operation causally precedes which: the transitive closure of session order and reading from.
    fn closure(&self) -> Vec<Vec<bool>> {
        let all = 0..self.ops.len();
        let direct =
            |cause: usize, op: usize| (cause < op && self.in_session(cause, op)) || self.sources(op).contains(&cause);
        let mut closure: Vec<Vec<bool>> = all.clone().map(|a| all.clone().map(|b| direct(a, b)).collect()).collect();
        for via in all.clone() {
            for a in all.clone() {
                for b in all.clone() {
                    closure[a][b] |= closure[a][via] && closure[via][b];
                }
            }
        }
        closure
    }

    /// How many reads are older than something they must reflect.
    fn broken(&self, check: Check) -> u64 {
        let closure = self.closure();
        let mut broken = 0;
        for op in 0..self.ops.len() {
            let demands = self.demands(check, op, &closure);
            let too_old = |key, most| demands.iter().any(|(of, demand)| *of == key && self.older(key, most, *demand));
            broken += self.reads(op).iter().filter(|(key, _, most)| too_old(*key, *most)).count() as u64;
        }
        broken
    }

    /// For each stale read: its number, how many versions and for how long it was behind.
    fn stale(&self) -> Vec<(u64, u64, Span)> {
        let mut stale = Vec::new();
        for op in 0..self.ops.len() {
            for (key, _, most) in self.reads(op) {
                let missed: Vec<SimTime> = (0..self.ops.len())
                    .flat_map(|writer| self.acknowledged_writes(writer).into_iter().map(move |wrote| (writer, wrote)))
                    .filter(|(_, (of, version))| *of == key && self.older(key, most, *version))
                    .map(|(writer, _)| self.ops[writer].completed)
                    .filter(|at| *at < self.ops[op].invoked)
                    .collect();
                if let Some(first) = missed.iter().min() {
                    stale.push((op as u64, missed.len() as u64, self.ops[op].invoked.since(*first)));
                }
            }
        }
        stale.sort_unstable();
        stale
    }

    /// The acknowledged writes that the leading replica lost.
    fn lost(&self) -> Vec<u64> {
        let authority = self.history.finals.iter().find(|replica| replica.leads).expect("one leads");
        let kept = |key, version| {
            self.install(key, version).is_none_or(|install| {
                authority.lineage.as_ref().is_some_and(|lineage| lineage.contains(install.position))
            })
        };
        let lost = |op: usize, (key, version): (Key, Version)| {
            let held = match authority.contents.read(key) {
                Datum::Register(value) => Version::Of(value),
                _ => self.last_deletion(key),
            };
            let newer_kept = (0..self.ops.len()).any(|other| {
                let newer = |(of, it): &(Key, Version)| *of == key && self.older(key, version, *it) && kept(key, *it);
                other != op && self.acknowledged_writes(other).iter().any(newer)
            });
            !kept(key, version) || (self.older(key, held, version) && !newer_kept)
        };
        let all = 0..self.ops.len();
        let lost = all.filter(|op| self.acknowledged_writes(*op).into_iter().any(|write| lost(*op, write)));
        lost.map(|op| op as u64).collect()
    }

    /// Whether nothing was ever written under `key`.
    fn is_unwritten(&self, key: Key) -> bool {
        (0..self.ops.len()).all(|op| self.writes(op).iter().all(|(of, _)| *of != key))
    }

    fn last_deletion(&self, key: Key) -> Version {
        let mut last = Version::Initial;
        for op in 0..self.ops.len() {
            let deletion = Version::Deletion(op);
            if self.writes(op).contains(&(key, deletion)) && self.later_absence(key, last, deletion) {
                last = deletion;
            }
        }
        last
    }
}

const SESSION_CHECKS: [Check; 5] = [
    Check::ReadYourWrites,
    Check::MonotonicReads,
    Check::MonotonicWrites,
    Check::WritesFollowReads,
    Check::CausalOrder,
];

/// What the checker says, in the form of [`Brute::stale`].
fn stale_of(history: &History) -> Vec<(u64, u64, Span)> {
    let report = staleness(history);
    let figures = |it: &StaleRead| (it.operation, it.behind.versions_behind, it.behind.time_behind);
    let mut stale: Vec<_> = report.stale.iter().map(figures).collect();
    stale.sort_unstable();
    stale
}

/// Every violation's witness is a violation by itself.
pub(super) fn witnesses_stand(history: &History) -> Result<(), TestCaseError> {
    for what in Check::ALL {
        if let Verdict::Violated(witness) = check(what, history).verdict {
            prop_assert!(recheck(what, history, &witness), "{what}: {witness:#?}\n{history:#?}");
        }
    }
    Ok(())
}

/// What the checks find does not depend on which others are made beside them.
fn together_as_alone(history: &History) -> Result<(), TestCaseError> {
    let alone: Vec<Finding> = Check::ALL.iter().map(|what| check(*what, history)).collect();
    prop_assert_eq!(check_all(history, &Check::ALL), alone, "{:#?}", history);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn with_a_log_the_checkers_find_exactly_what_the_definitions_say(
        drafts in prop::collection::vec(draft(), 1..14),
        fork in fork(),
    ) {
        let history = random_history(&drafts, true, fork);
        let brute = Brute::new(&history);
        // Nothing but a former leader that leads beside the next one makes positions say too little.
        let decided = (1..4).map(Key).all(|key| brute.logged(key) || brute.is_unwritten(key));
        prop_assert!(decided || fork.is_some_and(|fork| fork.is_split()), "{history:#?}");
        for what in SESSION_CHECKS {
            let (found, broken) = (check(what, &history), brute.broken(what));
            let undecided = matches!(found.verdict, Verdict::Unknown(Limit::UnknownOrder { .. }));
            prop_assert!(!(undecided && decided), "{what} over {history:#?}");
            prop_assert_eq!(found.broken, broken, "{} over {:#?}", what, history);
        }
        prop_assert_eq!(stale_of(&history), brute.stale(), "{:#?}", history);
        prop_assert_eq!(losses(&history).map(|losses| losses.lost), Ok(brute.lost()), "{:#?}", history);
        witnesses_stand(&history)?;
        together_as_alone(&history)?;
    }

    #[test]
    fn without_a_log_they_find_what_real_time_proves(drafts in prop::collection::vec(draft(), 1..14)) {
        let history = random_history(&drafts, false, None);
        let brute = Brute::new(&history);
        for what in SESSION_CHECKS {
            let (found, broken) = (check(what, &history), brute.broken(what));
            prop_assert_eq!(found.broken, broken, "{} over {:#?}", what, history);
        }
        prop_assert_eq!(stale_of(&history), brute.stale(), "{:#?}", history);
        witnesses_stand(&history)?;
        together_as_alone(&history)?;
    }

    #[test]
    fn causal_order_implies_the_session_guarantees(
        drafts in prop::collection::vec(draft(), 1..14),
        logged in any::<bool>(),
    ) {
        let history = random_history(&drafts, logged, None);
        let causal = check(Check::CausalOrder, &history);
        for what in &SESSION_CHECKS[..4] {
            let found = check(*what, &history);
            prop_assert!(found.broken <= causal.broken || !logged, "{what} over {history:#?}");
            prop_assert!(causal.verdict != Verdict::Holds || found.broken == 0, "{what} over {history:#?}");
        }
    }
}
