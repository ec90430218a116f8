//! A campaign: subjects, how many runs, and the workers that do them.
//!
//! One thread decides and learns, in order; workers spell out what it decided on, and run it. Nothing that a worker does
//! depends on when it does it, so the number of workers shows in how long a campaign takes and nowhere else.
//!
//! Tasks and results travel in packs: a run may be over in less time than it takes to wake the thread that waits for it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use replisim_history::Cell;

use super::attempt::{Attempt, Idea, Tried};
use super::lot::{LOT, Lot, WINDOW};
use super::subject::Subject;
use super::tally::Tally;
use super::twice::{Divergence, compare};
pub use crate::store::Place;

/// One run in so many is done twice.
const TWICE: u32 = 64;

/// How many packs are handed to each worker ahead of time.
const AHEAD: usize = 3;

/// How many attempts a pack has at most.
const PACK_MAX: usize = 4;

/// A pack has no more attempts once as many events are to be expected of it: a few milliseconds of work.
const PACK_EVENTS: u64 = 10_000;

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
    twice: bool,
    divergence: Option<Divergence>,
}

/// What a worker has done.
struct Done {
    place: Place,
    ran: Ran,
}

/// What came of a pack; of each attempt, what panicked if something did outside of its run.
type Report = Vec<thread::Result<Done>>;

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
    let (tasks, todo) = unbounded::<Vec<Task>>();
    let (reports, done) = unbounded::<Report>();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..orders.jobs.max(1) {
            let worker = Worker { subjects, clock: ledger.clock(), over: &over };
            let (todo, reports) = (todo.clone(), reports.clone());
            // Where the system gives no more threads, those that there are do all.
            if thread::Builder::new().spawn_scoped(scope, move || worker.work(&todo, &reports)).is_err() {
                assert!(number > 0, "the system gives no thread");
                break;
            }
        }
        drop((todo, reports));
        let mut chief = Chief::new(subjects, orders, ledger, watch, tasks);
        chief.conduct(&done);
        over.store(true, Ordering::Relaxed);
        chief.tallies
    })
}

/// One of those that do what is decided on.
struct Worker<'c, 's> {
    subjects: &'s [Subject<'c>],
    clock: Option<Clock>,
    /// Set once nobody waits for results any more.
    over: &'s AtomicBool,
}

impl Worker<'_, '_> {
    fn work(&self, todo: &Receiver<Vec<Task>>, reports: &Sender<Report>) {
        for tasks in todo {
            // A panic outside of a run is nobody's finding. It must be told all the same: a result that never comes would
            // be waited for.
            let run = |task| catch_unwind(AssertUnwindSafe(|| self.run(task)));
            let report = tasks.into_iter().take_while(|_| !self.over.load(Ordering::Relaxed)).map(run).collect();
            if reports.send(report).is_err() {
                return;
            }
        }
    }

    /// Runs an attempt, unless it is known what comes of it. That it may be done twice does not count for its time.
    fn run(&self, task: Task) -> Done {
        let Task { place, idea, known } = task;
        let began = self.clock.map(|now| now());
        let attempt = Arc::new(idea.spell_out(&self.subjects[place.subject as usize]));
        let (tried, recalled, elapsed) = match known {
            Some(tried) => (tried, true, None),
            None => (attempt.run(), false, self.clock.zip(began).map(|(now, began)| now().saturating_sub(began))),
        };
        let twice = is_done_twice(place);
        let again = twice.then(|| attempt.run()).filter(|again| again.fingerprint != tried.fingerprint);
        let at_end = |again| Divergence::at_end(&attempt, &tried, &again, recalled);
        let divergence = again.map(|again| compare(&attempt).unwrap_or_else(|| at_end(again)));
        Done { place, ran: Ran { attempt, tried, recalled, elapsed, twice, divergence } }
    }
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
    tasks: Sender<Vec<Task>>,
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
    /// How many events the latest run had that was learnt from: about as many, the next will have.
    events: u64,
}

impl<'s, 'c, 'l> Chief<'s, 'c, 'l> {
    fn new(
        subjects: &'s [Subject<'c>],
        orders: &'l Orders,
        ledger: &'l mut dyn Ledger,
        watch: Watch<'l>,
        tasks: Sender<Vec<Task>>,
    ) -> Self {
        let course = |(number, subject): (u32, &'s Subject<'c>)| Course {
            subject,
            number,
            lot: None,
            lots: orders.lots_of(number, subjects.len()),
            early: BTreeMap::new(),
            events: PACK_EVENTS,
        };
        let courses = (0..).zip(subjects).map(course).collect();
        let tallies = subjects.iter().map(|subject| Tally::new(subject.base().scenario.checks_made().len())).collect();
        Chief { courses, tallies, orders, ledger, watch, tasks, turn: 0, under_way: 0, stopping: false }
    }

    /// Goes on until all is done, or it is to stop. What is still under way is left then: how much that is depends on the
    /// number of workers.
    fn conduct(&mut self, done: &Receiver<Report>) {
        while !self.stopping {
            self.hand_out();
            if self.under_way == 0 {
                return;
            }
            let Ok(report) = done.recv() else { return };
            for done in report {
                let Done { place, ran } = done.unwrap_or_else(|panic| resume_unwind(panic));
                self.under_way -= 1;
                let index = place.subject as usize;
                self.courses[index].early.insert(place.place, ran);
                self.learn(index);
            }
        }
    }

    /// Hands packs out until the workers have enough.
    fn hand_out(&mut self) {
        let jobs = self.orders.jobs.max(1);
        // Small packs where there are many workers: a lot has no more than its window to share out among them.
        let pack_max = (WINDOW as usize / (AHEAD * jobs)).clamp(1, PACK_MAX);
        while self.under_way < AHEAD * jobs * pack_max {
            let pack = self.pack(pack_max);
            if pack.is_empty() {
                return;
            }
            self.under_way += pack.len();
            // Workers live as long as the channel does.
            self.tasks.send(pack).expect("workers wait for tasks until the campaign is over");
        }
    }

    /// The next attempts, one of each subject in turn; none, if all wait for results, or are over.
    fn pack(&mut self, most: usize) -> Vec<Task> {
        let mut pack = Vec::new();
        let (mut events, mut idle, subjects) = (0, 0, self.courses.len());
        while pack.len() < most && events < PACK_EVENTS && idle < subjects {
            let course = &mut self.courses[self.turn];
            self.turn = (self.turn + 1) % subjects;
            match course.take(self.orders) {
                None => idle += 1,
                Some((place, idea)) => {
                    idle = 0;
                    events += course.events;
                    pack.push(Task { place, idea, known: self.ledger.recall(place) });
                }
            }
        }
        pack
    }

    /// Learns what is in, in order.
    fn learn(&mut self, index: usize) {
        while !self.stopping
            && let Some((place, ran, new)) = self.courses[index].learn()
        {
            let Ran { attempt, tried, recalled, elapsed, twice, divergence } = ran;
            let tally = &mut self.tallies[index];
            if recalled {
                tally.recall(&tried);
            }
            if twice {
                tally.compare(place, divergence);
            }
            tally.add(place, &attempt, &tried, &new);
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
        self.events = ran.tried.events;
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
