//! A campaign under way: who decides what is tried, and the workers that do it.
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

use crossbeam_channel::{Receiver, Sender, unbounded};
use replisim_history::Cell;

use super::attempt::{AttemptResult, Idea};
use super::ledger::{CampaignRun, Clock, Ledger};
use super::lot::{Lot, WINDOW};
use super::orders::{Lots, Orders};
use super::subject::Subject;
use super::tally::Tally;
use super::twice::{Divergence, compare};
use crate::store::Place;

/// One run in so many is done twice.
const TWICE_ONE_IN: u32 = 64;

/// How many packs are handed to each worker ahead of time.
const AHEAD: usize = 3;

/// How many attempts a pack has at most.
const PACK_MAX: usize = 4;

/// A pack has no more attempts once as many events are to be expected of it: a few milliseconds of work.
const PACK_EVENTS: u64 = 10_000;

/// What a worker is to do.
struct Task {
    place: Place,
    idea: Idea,
    /// What came of it, where that is known from before.
    known: Option<AttemptResult>,
}

/// What came of a pack; of each attempt, what panicked if something did outside of its run.
type Results = Vec<thread::Result<(Place, CampaignRun)>>;

/// Runs a campaign until it is over, or until `watch`, which is asked after every run, breaks it off. Returns a tally for
/// each subject.
///
/// # Panics
/// If something panics outside of a run, such as a protocol that is asked for its processes, or if the system gives no
/// thread.
pub fn run_campaign(
    subjects: &[Subject<'_>],
    orders: &Orders,
    ledger: &mut dyn Ledger,
    watch: &mut dyn FnMut(&[Tally]) -> ControlFlow<()>,
) -> Vec<Tally> {
    let (tasks, todo) = unbounded::<Vec<Task>>();
    let (reports, done) = unbounded::<Results>();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..orders.jobs.get() {
            let worker = Worker { subjects, clock: ledger.clock(), over: &over };
            let (todo, reports) = (todo.clone(), reports.clone());
            // Where the system gives no more threads, those that there are do all.
            if thread::Builder::new().spawn_scoped(scope, move || worker.work(&todo, &reports)).is_err() {
                assert!(number > 0, "the system gives no thread");
                break;
            }
        }
        drop((todo, reports));
        let mut coordinator = Coordinator::new(subjects, orders, ledger, watch, tasks);
        coordinator.coordinate(&done);
        over.store(true, Ordering::Relaxed);
        coordinator.tallies
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
    fn work(&self, todo: &Receiver<Vec<Task>>, reports: &Sender<Results>) {
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
    fn run(&self, task: Task) -> (Place, CampaignRun) {
        let Task { place, idea, known } = task;
        let began = self.clock.map(|now| now());
        let attempt = Arc::new(idea.spell_out(&self.subjects[place.subject as usize]));
        let (result, recalled, elapsed) = match known {
            Some(result) => (result, true, None),
            None => (attempt.run(), false, self.clock.zip(began).map(|(now, began)| now().saturating_sub(began))),
        };
        let twice = is_done_twice(place);
        let again = twice.then(|| attempt.run()).filter(|again| again.fingerprint != result.fingerprint);
        let at_end = |again| Divergence::at_end(&attempt, &result, &again, recalled);
        let divergence = again.map(|again| compare(&attempt).unwrap_or_else(|| at_end(again)));
        (place, CampaignRun { attempt, result, recalled, elapsed, twice, divergence })
    }
}

/// Whether the run at a place is done twice: one of each [`TWICE_ONE_IN`] places, at another offset each time, so that fresh
/// and changed attempts take turns. The first is place 16: short campaigns do nothing twice.
const fn is_done_twice(place: Place) -> bool {
    place.place % TWICE_ONE_IN == (place.place / TWICE_ONE_IN + TWICE_ONE_IN / 4) % TWICE_ONE_IN
}

/// Is asked after every run whether to go on.
type Watch<'l> = &'l mut dyn FnMut(&[Tally]) -> ControlFlow<()>;

/// Decides what is done next and learns from what was done.
struct Coordinator<'s, 'c, 'l> {
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
    early: BTreeMap<u32, CampaignRun>,
    /// How many events the latest run had that was learnt from: about as many, the next will have.
    events: u64,
}

impl<'s, 'c, 'l> Coordinator<'s, 'c, 'l> {
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
        Coordinator { courses, tallies, orders, ledger, watch, tasks, turn: 0, under_way: 0, stopping: false }
    }

    /// Goes on until all is done, or it is to stop. What is still under way is left then: how much that is depends on the
    /// number of workers.
    fn coordinate(&mut self, done: &Receiver<Results>) {
        while !self.stopping {
            self.hand_out();
            if self.under_way == 0 {
                return;
            }
            let Ok(report) = done.recv() else { return };
            for result in report {
                let (place, run) = result.unwrap_or_else(|panic| resume_unwind(panic));
                self.under_way -= 1;
                let index = place.subject as usize;
                self.courses[index].early.insert(place.place, run);
                self.learn(index);
            }
        }
    }

    /// Hands packs out until the workers have enough.
    fn hand_out(&mut self) {
        let jobs = self.orders.jobs.get();
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
            && let Some((place, run, new)) = self.courses[index].learn()
        {
            self.ledger.record(place, &run, &new);
            self.tallies[index].add(place, run, &new);
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
    fn learn(&mut self) -> Option<(Place, CampaignRun, Vec<Cell>)> {
        let lot = self.lot.as_mut()?;
        let place = lot.place();
        let run = self.early.remove(&place)?;
        let new = lot.learn(&run.attempt, &run.result);
        self.events = run.result.events;
        Some((Place { subject: self.number, lot: lot.number, place }, run, new))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fuzz::lot::LOT_RUNS;

    #[test]
    fn attempts_of_every_origin_are_done_twice() {
        let places = (0..LOT_RUNS).map(|place| Place { subject: 0, lot: 0, place });
        let twice: Vec<u32> = places.filter(|place| is_done_twice(*place)).map(|place| place.place).collect();
        assert_eq!(twice.len(), (LOT_RUNS / TWICE_ONE_IN) as usize);
        assert_eq!(twice.iter().map(|place| place % 4).collect::<BTreeSet<_>>().len(), 4);
    }
}
