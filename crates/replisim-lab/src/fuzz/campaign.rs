//! A campaign: subjects, how many runs, and the workers that do them.
//!
//! One thread decides and learns, in order; workers spell out what it decided on, and run it. Nothing that a worker does
//! depends on when it does it, so the number of workers shows in how long a campaign takes and nowhere else.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use replisim_history::Cell;

use super::attempt::{Attempt, Idea, Tried};
use super::lot::{LOT, Lot};
use super::subject::Subject;
use super::tally::Tally;
use super::twice::{Divergence, compare};
pub use crate::store::Place;

/// One run in so many is done twice.
const TWICE: u32 = 64;

/// How many attempts are handed to each worker ahead of time.
const AHEAD: usize = 4;

/// What a campaign is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Orders {
    /// How many runs, over all subjects; as many as there is time for, if not given.
    pub runs: Option<u64>,
    /// The first seed of each subject.
    pub seed_start: u64,
    /// Whether most runs are made up by the search.
    pub guided: bool,
    /// How many workers.
    pub jobs: usize,
    /// Which part of it.
    pub share: Share,
}

impl Orders {
    /// The lots of the share that are of the subject with this number, among so many: the first subjects have the runs that
    /// are left over.
    pub(super) fn lots_of(&self, subject: u32, subjects: usize) -> Lots {
        let (number, count) = (u64::from(subject), subjects as u64);
        let runs = self.runs.map_or(u64::MAX, |runs| runs / count + u64::from(number < runs % count));
        Lots { next: self.share.first_lot(subject), step: self.share.of, runs }
    }
}

/// Lots of a subject: the number of each, and how many runs it has.
pub(super) struct Lots {
    next: u64,
    step: u32,
    /// How many runs the subject has, over all its lots.
    runs: u64,
}

impl Iterator for Lots {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let number = u32::try_from(self.next).ok()?;
        let left = self.runs.checked_sub(self.next * u64::from(LOT)).filter(|left| *left > 0)?;
        self.next += u64::from(self.step);
        Some((number, left.min(u64::from(LOT)) as u32))
    }

    /// Not by going through them: there may be billions.
    fn count(self) -> usize {
        let end = self.runs.div_ceil(u64::from(LOT)).min(1 << u32::BITS);
        end.saturating_sub(self.next).div_ceil(u64::from(self.step)) as usize
    }
}

/// A part of a campaign: of each subject every `of`-th lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Which part, from 0.
    pub shard: u32,
    /// How many parts there are.
    pub of: u32,
}

impl Share {
    /// All of it.
    pub const ALL: Share = Share { shard: 0, of: 1 };

    /// The first lot of a subject that belongs to it. Subjects take turns in who has their first lot, so that many small
    /// ones are spread as well as a few large ones.
    const fn first_lot(self, subject: u32) -> u64 {
        let (shard, of, subject) = (self.shard as u64, self.of as u64, subject as u64);
        (shard + of - subject % of) % of
    }
}

/// Says how much time has passed on the wall since some moment, which is always the same one. Whoever runs a campaign hands
/// it in, for nothing below looks at a clock by itself. Nothing that is decided depends on what it says.
pub type Clock = fn() -> Duration;

/// Remembers what a campaign has done.
pub trait Ledger {
    /// What came of this place, if it has been done before. Its cells need only be those that were new.
    fn recall(&mut self, place: Place) -> Option<Tried>;

    /// Takes note of a run. `new` are the cells that [`Lot::learn`] found new; `elapsed` is how long the run
    /// took by [`Ledger::clock`], if there is one and the run was done now.
    fn record(&mut self, place: Place, attempt: &Attempt, tried: &Tried, new: &[Cell], elapsed: Option<Duration>);

    /// By what runs are timed, if their times are to be kept.
    fn clock(&self) -> Option<Clock> {
        None
    }

    /// Whether it can take note of nothing more, so that there is no use in going on.
    fn is_broken(&self) -> bool {
        false
    }
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug)]
pub struct Forgetful;

impl Ledger for Forgetful {
    fn recall(&mut self, _: Place) -> Option<Tried> {
        None
    }

    fn record(&mut self, _: Place, _: &Attempt, _: &Tried, _: &[Cell], _: Option<Duration>) {}
}

/// What a worker is to do.
struct Task {
    place: Place,
    idea: Idea,
    /// What came of it, where that is known from before.
    known: Option<Tried>,
}

/// A run: what was tried, what came of it, and how long that took, where somebody wants to know.
struct Ran {
    attempt: Arc<Attempt>,
    tried: Tried,
    /// Whether that was known before.
    recalled: bool,
    elapsed: Option<Duration>,
}

/// What a worker has done.
struct Done {
    place: Place,
    ran: Ran,
    twice: bool,
    divergence: Option<Divergence>,
}

/// Runs a campaign until it is over, or until `watch`, which is asked after every run, breaks it off. Returns a tally for
/// each subject.
///
/// # Panics
/// If something panics outside of a run, such as a protocol that is asked for its processes, or if the system gives no
/// thread.
pub fn campaign(
    subjects: &[Subject<'_>],
    orders: &Orders,
    ledger: &mut dyn Ledger,
    watch: &mut dyn FnMut(&[Tally]) -> ControlFlow<()>,
) -> Vec<Tally> {
    let (tasks, todo) = unbounded::<Task>();
    let (report, done) = unbounded::<thread::Result<Done>>();
    thread::scope(|scope| {
        for worker in 0..orders.jobs.max(1) {
            let (todo, report, clock) = (todo.clone(), report.clone(), ledger.clock());
            let work = move || work(subjects, clock, &todo, &report);
            // Where the system gives no more threads, those that there are do all.
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                assert!(worker > 0, "the system gives no thread");
                break;
            }
        }
        drop((todo, report));
        let mut chief = Chief::new(subjects, orders, ledger, watch, tasks);
        chief.conduct(&done);
        chief.tallies
    })
}

fn work(subjects: &[Subject<'_>], clock: Option<Clock>, todo: &Receiver<Task>, report: &Sender<thread::Result<Done>>) {
    for Task { place, idea, known } in todo {
        let began = clock.map(|now| now());
        let elapsed = || Some(clock?().saturating_sub(began?));
        let task = || run(place, idea.spell_out(&subjects[place.subject as usize]), known, elapsed);
        // A panic outside of a run is nobody's finding. It must be told all the same: a result that never comes would be
        // waited for.
        if report.send(catch_unwind(AssertUnwindSafe(task))).is_err() {
            return;
        }
    }
}

/// Runs an attempt, unless it is known what comes of it. What `elapsed` says once it is over is its time: that it may be
/// done twice does not count.
fn run(place: Place, attempt: Attempt, known: Option<Tried>, elapsed: impl Fn() -> Option<Duration>) -> Done {
    let attempt = Arc::new(attempt);
    let (tried, recalled, elapsed) = match known {
        Some(tried) => (tried, true, None),
        None => (attempt.run(), false, elapsed()),
    };
    let twice = is_done_twice(place);
    let again = twice.then(|| attempt.run()).filter(|again| again.fingerprint != tried.fingerprint);
    let at_end = |again| Divergence::at_end(&attempt, &tried, &again, recalled);
    let divergence = again.map(|again| compare(&attempt).unwrap_or_else(|| at_end(again)));
    Done { place, ran: Ran { attempt, tried, recalled, elapsed }, twice, divergence }
}

/// Each time it is another place of as many, so that it is not always a fresh attempt, or never one. Short campaigns do
/// nothing twice.
const fn is_done_twice(place: Place) -> bool {
    place.place % TWICE == (place.place / TWICE + TWICE / 4) % TWICE
}

/// Is asked after every run whether to go on.
type Watch<'l> = &'l mut dyn FnMut(&[Tally]) -> ControlFlow<()>;

/// Decides what is done next and learns from what was done.
struct Chief<'s, 'c, 'l> {
    courses: Vec<Course<'s, 'c>>,
    tallies: Vec<Tally>,
    orders: &'l Orders,
    ledger: &'l mut dyn Ledger,
    watch: Watch<'l>,
    tasks: Sender<Task>,
    /// Which subject is next to have an attempt handed out: when time is up, all have had as many.
    turn: usize,
    under_way: usize,
    stopping: bool,
}

/// A subject under way.
struct Course<'s, 'c> {
    subject: &'s Subject<'c>,
    number: u32,
    lot: Option<Lot<'s, 'c>>,
    /// Those that are yet to come.
    lots: Lots,
    /// Results that came before it was their turn.
    early: BTreeMap<u32, Ran>,
}

impl<'s, 'c, 'l> Chief<'s, 'c, 'l> {
    fn new(
        subjects: &'s [Subject<'c>],
        orders: &'l Orders,
        ledger: &'l mut dyn Ledger,
        watch: Watch<'l>,
        tasks: Sender<Task>,
    ) -> Self {
        let course = |(number, subject): (u32, &'s Subject<'c>)| Course {
            subject,
            number,
            lot: None,
            lots: orders.lots_of(number, subjects.len()),
            early: BTreeMap::new(),
        };
        let courses = (0..).zip(subjects).map(course).collect();
        let tallies = subjects.iter().map(|subject| Tally::new(subject.base().scenario.checks_made().len())).collect();
        Chief { courses, tallies, orders, ledger, watch, tasks, turn: 0, under_way: 0, stopping: false }
    }

    fn conduct(&mut self, done: &Receiver<thread::Result<Done>>) {
        loop {
            self.hand_out();
            if self.under_way == 0 {
                return;
            }
            let Ok(done) = done.recv() else { return };
            let Done { place, ran, twice, divergence } = done.unwrap_or_else(|panic| resume_unwind(panic));
            self.under_way -= 1;
            let index = place.subject as usize;
            self.tallies[index].twice += u64::from(twice);
            if let Some(divergence) = divergence {
                self.tallies[index].differ(place, divergence);
            }
            self.courses[index].early.insert(place.place, ran);
            self.learn(index);
        }
    }

    /// Hands attempts out, one of each subject in turn, until the workers have enough.
    fn hand_out(&mut self) {
        let enough = self.orders.jobs.max(1) * AHEAD;
        let mut idle = 0;
        while !self.stopping && self.under_way < enough && idle < self.courses.len() {
            let index = self.turn;
            self.turn = (index + 1) % self.courses.len();
            match self.courses[index].take(self.orders) {
                None => idle += 1,
                Some((place, idea)) => {
                    idle = 0;
                    self.under_way += 1;
                    let known = self.ledger.recall(place);
                    let task = Task { place, idea, known };
                    // Workers live as long as the channel does.
                    self.tasks.send(task).expect("workers wait for tasks until the campaign is over");
                }
            }
        }
    }

    /// Learns what is in, in order. Once the campaign is to stop, what is still under way is left: how much that is
    /// depends on the number of workers.
    fn learn(&mut self, index: usize) {
        while !self.stopping
            && let Some((place, ran, new)) = self.courses[index].learn()
        {
            let Ran { attempt, tried, recalled, elapsed } = ran;
            if recalled {
                self.tallies[index].recall(&tried);
            }
            self.tallies[index].add(place, &attempt, &tried, &new);
            self.ledger.record(place, &attempt, &tried, &new, elapsed);
            self.stopping |= (self.watch)(&self.tallies).is_break() || self.ledger.is_broken();
        }
    }
}

impl Course<'_, '_> {
    /// What is to be tried next, and at which place.
    fn take(&mut self, orders: &Orders) -> Option<(Place, Idea)> {
        if self.lot.as_ref().is_none_or(Lot::is_over) {
            self.open_lot(orders)?;
        }
        let lot = self.lot.as_mut()?;
        let (place, idea) = lot.take()?;
        Some((Place { subject: self.number, lot: lot.number, place }, idea))
    }

    fn open_lot(&mut self, orders: &Orders) -> Option<()> {
        let (number, runs) = self.lots.next()?;
        self.lot = Some(Lot::new(self.subject, number, orders.seed_start, runs, orders.guided));
        Some(())
    }

    /// Learns the next result, if it is in.
    fn learn(&mut self) -> Option<(Place, Ran, Vec<Cell>)> {
        let lot = self.lot.as_mut()?;
        let place = lot.place();
        let ran = self.early.remove(&place)?;
        let new = lot.learn(&ran.attempt, &ran.tried);
        Some((Place { subject: self.number, lot: lot.number, place }, ran, new))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn attempts_of_every_origin_are_done_twice() {
        let places = (0..LOT).map(|place| Place { subject: 0, lot: 0, place });
        let twice: Vec<u32> = places.filter(|place| is_done_twice(*place)).map(|place| place.place).collect();
        assert_eq!(twice.len(), (LOT / TWICE) as usize);
        assert_eq!(twice.iter().map(|place| place % 4).collect::<BTreeSet<_>>().len(), 4);
    }

    fn whole(runs: u64) -> Orders {
        Orders { runs: Some(runs), seed_start: 1, guided: true, jobs: 1, share: Share::ALL }
    }

    #[test]
    fn every_lot_belongs_to_one_share_however_many_there_are() {
        let lots = |shard, of, runs| {
            let orders = Orders { share: Share { shard, of }, ..whole(runs) };
            (0..2).flat_map(move |subject| orders.lots_of(subject, 2).map(move |(lot, runs)| (subject, lot, runs)))
        };
        let runs = 9 * u64::from(LOT) + 1;
        let mut shared: Vec<_> = (0..3).flat_map(|shard| lots(shard, 3, runs)).collect();
        shared.sort_unstable();
        assert_eq!(shared, lots(0, 1, runs).collect::<Vec<_>>());
        assert_eq!(shared.iter().map(|(_, _, runs)| u64::from(*runs)).sum::<u64>(), runs);
        assert!((0..3).all(|shard| {
            let orders = Orders { share: Share { shard, of: 3 }, ..whole(runs) };
            orders.lots_of(1, 2).count() == orders.lots_of(1, 2).fold(0, |count, _| count + 1)
        }));
        // The last lot that has a number.
        assert_eq!(lots(u32::MAX - 1, u32::MAX, u64::MAX).next(), Some((0, u32::MAX - 1, LOT)));
    }
}
