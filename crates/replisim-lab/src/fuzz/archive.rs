//! A campaign's memory in a store: what was done is not done again, and what fails is kept with a case.

use std::collections::BTreeMap;
use std::path::Path;

use replisim_history::{Cell, Check};
use replisim_kernel::Digest;

use super::attempt::{Attempt, AttemptResult};
use super::cause::Cause;
use super::cell;
use super::encounters::Encounters;
use super::ledger::{CampaignRun, Clock, Ledger};
use super::lot::LOT_RUNS;
use super::orders::Orders;
use super::subject::Subject;
use super::twice::Divergence;
use crate::VERSION;
use crate::shrink::Shrunk;
use crate::store::{
    self, Begin, CellRow, DivergenceRow, FailureRow, KnownRow, Manifest, Mark, Origin, Place, Record, RunRow, Store,
    StoreError, Subject as Stored, Writer,
};

/// A ledger that is a store.
pub struct Archive<'s, 'c> {
    subjects: &'s [Subject<'c>],
    campaign: Digest,
    /// What is looked up; nothing is, unless the campaign is resumed.
    past: Option<Past>,
    writer: Writer,
    clock: Option<Clock>,
    /// The smallest failing run so far of each cause in a subject's latest lot: how many faults and operations it has.
    smallest: BTreeMap<(u32, Cause), (u32, u32)>,
    /// Whether the writer has stopped; it says why when it is finished.
    stopped: bool,
}

/// What was done before.
struct Past {
    store: Store,
    campaign: Digest,
    failures: BTreeMap<Place, Vec<Cause>>,
    /// The lots that were looked up: each subject's latest, by places.
    lots: BTreeMap<u32, (u32, BTreeMap<u32, RunRow>)>,
}

/// What a campaign's runs follow from.
pub fn manifest(subjects: &[Subject<'_>], orders: &Orders) -> Manifest {
    let Orders { runs, seed_start, guided, changes, jobs: _, share: _ } = orders;
    let runs = runs.map_or_else(|| "unlimited".to_owned(), |runs| runs.to_string());
    let search = if *guided { "guided" } else { "blind" };
    let changes: String = changes.iter().map(|change| format!(", {change}")).collect();
    let stored = |subject: &Subject<'_>| Stored {
        name: subject.name().to_owned(),
        scenario: subject.base().source.text.clone(),
        checks: subject.base().scenario.checks_made().iter().map(ToString::to_string).collect(),
    };
    Manifest {
        version: VERSION.to_owned(),
        settings: format!("{RUNS}{runs}, lot: {LOT_RUNS}, seed_start: {seed_start}, search: {search}{changes}"),
        subjects: subjects.iter().map(stored).collect(),
    }
}

/// What the settings of a campaign begin with.
const RUNS: &str = "runs: ";

/// How many runs a campaign is to have, as its [`manifest`] says. One that is bounded by time alone has no number there.
pub fn runs_ordered(manifest: &Manifest) -> Option<u64> {
    manifest.settings.strip_prefix(RUNS)?.split(',').next()?.parse().ok()
}

/// The campaign of a store that this one goes on with although it is another one: it differs in nothing but how many runs it
/// is to have, all that it holds has a place in this one, and of several such it holds most. What is run at a place does not
/// depend on how many places follow. `None` where the store holds this one itself.
///
/// # Errors
/// If the store cannot be read.
pub fn campaign_to_grow(store: &Store, manifest: &Manifest, orders: &Orders) -> Result<Option<Digest>, StoreError> {
    let but_runs = |manifest: &Manifest| {
        let (_, others) = manifest.settings.split_once(',').unwrap_or_default();
        Manifest { settings: others.to_owned(), ..manifest.clone() }
    };
    let mut kindred = store.campaigns()?;
    kindred.retain(|other| but_runs(other) == but_runs(manifest));
    let mut most = None;
    for campaign in kindred.iter().map(Manifest::digest) {
        let ends = store.ends(campaign)?;
        let is_part = ends.iter().all(|end| orders.has(*end, manifest.subjects.len()));
        match ends.iter().map(|end| u64::from(end.place) + 1).sum::<u64>() {
            _ if campaign == manifest.digest() => return Ok(None),
            runs if is_part => most = most.max(Some((runs, campaign))),
            _ => {}
        }
    }
    Ok(most.map(|(_, campaign)| campaign))
}

/// Lets the campaign that this one goes on with become this one, if the store holds one.
fn grow(path: &Path, manifest: &Manifest, orders: &Orders) -> Result<(), StoreError> {
    // Whoever writes to it says what is wrong with it.
    let Ok(store) = Store::open(path) else { return Ok(()) };
    let smaller = campaign_to_grow(&store, manifest, orders)?;
    drop(store);
    smaller.map_or(Ok(()), |smaller| store::rekey(path, smaller, manifest))
}

impl<'s, 'c> Archive<'s, 'c> {
    /// The archive of a campaign at `path`, which is made if it is not there. What is there of a campaign that is resumed is
    /// not done again, also where it was to have another number of runs: see [`campaign_to_grow`].
    ///
    /// # Errors
    /// If the store cannot be opened or written, or is none.
    pub fn open(path: &Path, subjects: &'s [Subject<'c>], orders: &Orders, begin: Begin) -> Result<Self, StoreError> {
        let manifest = manifest(subjects, orders);
        let campaign = manifest.digest();
        if begin == Begin::Resume {
            grow(path, &manifest, orders)?;
        }
        let writer = Writer::begin(path, &manifest, begin)?;
        let past = match begin {
            Begin::Anew => None,
            Begin::Resume => Some(Past::open(path, campaign, subjects)?),
        };
        Ok(Archive { subjects, campaign, past, writer, clock: None, smallest: BTreeMap::new(), stopped: false })
    }

    /// The same, with how long each run takes by `clock`. A store that is to be merged has no use for that: times are not
    /// part of what it comes to.
    #[must_use]
    pub fn timed(self, clock: Clock) -> Self {
        Archive { clock: Some(clock), ..self }
    }

    /// The campaign's digest: what its store knows it by.
    pub fn campaign(&self) -> Digest {
        self.campaign
    }

    /// The campaign, if it is resumed.
    pub fn resumed(&self) -> Option<Digest> {
        self.past.as_ref().map(|past| past.campaign)
    }

    /// Puts the case that a failure was shrunk to in the place of the one that it was found with.
    pub fn keep(&mut self, place: Place, cause: &Cause, shrunk: &Shrunk) {
        let (faults, operations) = (shrunk.after.faults as u32, shrunk.after.operations as u32);
        let row = failure_row(place, cause, faults, operations, shrunk.case.text());
        self.stopped |= self.writer.put_failure(row).is_err();
    }

    /// Takes note of what became of a failure of an earlier campaign.
    pub fn keep_known(&mut self, known: KnownRow) {
        self.stopped |= self.writer.put_known(known).is_err();
    }

    /// Commits everything.
    ///
    /// # Errors
    /// What stopped the writing: a result that differs from the one that is there, or a file that cannot be written.
    pub fn finish(self) -> Result<(), StoreError> {
        self.writer.finish().map(drop)
    }

    /// The rows of a run's failures. The smallest of its lot so far comes with a case.
    fn failures(&mut self, place: Place, attempt: &Attempt, result: &AttemptResult) -> Vec<FailureRow> {
        if place.place == 0 {
            self.smallest.retain(|(subject, _), _| *subject != place.subject);
        }
        let size = (attempt.plan.faults.len() as u32, result.operations);
        let mut case = None;
        let mut row = |cause: &Cause| {
            let smallest = self.smallest.entry((place.subject, cause.clone()));
            let smallest = smallest.or_insert((u32::MAX, u32::MAX));
            let is_smaller = size < *smallest;
            *smallest = size.min(*smallest);
            let text =
                if is_smaller { case.get_or_insert_with(|| attempt.case().text()).clone() } else { String::new() };
            failure_row(place, cause, size.0, size.1, text)
        };
        result.failures.iter().map(&mut row).collect()
    }
}

impl Ledger for Archive<'_, '_> {
    fn recall(&mut self, place: Place) -> Option<AttemptResult> {
        self.past.as_mut()?.recall(place)
    }

    fn clock(&self) -> Option<Clock> {
        self.clock
    }

    fn record(&mut self, place: Place, run: &CampaignRun, new: &[Cell]) {
        if self.stopped {
            return;
        }
        let CampaignRun { attempt, result, elapsed, divergence, .. } = run;
        let states = self.subjects[place.subject as usize].base().states();
        let row = |cell: &Cell| CellRow { at: place, cell: cell::bytes(cell), words: cell::words(cell, states) };
        let record = Record {
            run: run_row(place, attempt, result, new),
            failures: self.failures(place, attempt, result),
            cells: new.iter().map(row).collect(),
            divergence: divergence.as_ref().map(|divergence| divergence_row(place, divergence)),
            elapsed: *elapsed,
        };
        self.stopped |= self.writer.put(record).is_err();
    }

    fn is_broken(&self) -> bool {
        self.stopped
    }
}

impl Past {
    fn open(path: &Path, campaign: Digest, subjects: &[Subject<'_>]) -> Result<Self, StoreError> {
        let store = Store::open(path)?;
        let mut failures: BTreeMap<Place, Vec<Cause>> = BTreeMap::new();
        for row in store.failures(campaign)? {
            let subject = subjects.get(row.at.subject as usize);
            let checks = subject.map_or(Vec::new(), |subject| subject.base().scenario.checks_made());
            if let Some(check) = checks.into_iter().find(|check| check.name() == row.check) {
                failures.entry(row.at).or_default().push(Cause { check, kind: row.kind, phase: row.phase });
            }
        }
        Ok(Past { store, campaign, failures, lots: BTreeMap::new() })
    }

    fn recall(&mut self, place: Place) -> Option<AttemptResult> {
        if self.lots.get(&place.subject).is_none_or(|(lot, _)| *lot != place.lot) {
            let lot = self.lot(place);
            self.lots.insert(place.subject, (place.lot, lot));
        }
        let (_, runs) = self.lots.get(&place.subject)?;
        let failures = self.failures.get(&place).map_or(&[][..], Vec::as_slice);
        result_of(runs.get(&place.place)?, failures)
    }

    /// The lot of a place. One that cannot be read is done again, which is what a store is for.
    fn lot(&self, at: Place) -> BTreeMap<u32, RunRow> {
        let rows = self.store.lot(self.campaign, at.subject, at.lot).unwrap_or_default();
        rows.into_iter().map(|run| (run.at.place, run)).collect()
    }
}

fn failure_row(at: Place, cause: &Cause, faults: u32, operations: u32, case: String) -> FailureRow {
    let (kind, phase) = (cause.kind.clone(), cause.phase.clone());
    FailureRow { at, check: Check::name(cause.check).to_owned(), kind, phase, faults, operations, case }
}

fn divergence_row(at: Place, divergence: &Divergence) -> DivergenceRow {
    let Divergence { attempt: _, event, one, other, remembered } = divergence;
    let (one, other, case) = (one.clone(), other.clone(), divergence.case().text());
    DivergenceRow { at, event: *event, one, other, remembered: *remembered, case }
}

fn run_row(at: Place, attempt: &Attempt, result: &AttemptResult, new: &[Cell]) -> RunRow {
    let encounters =
        Encounters { struck: result.struck, idle: result.idle, operations: result.operations, cells: new.to_vec() };
    RunRow {
        at,
        origin: if attempt.fresh { Origin::Fresh } else { Origin::Mutant },
        seed: attempt.plan.seed,
        plan: attempt.digest(),
        fingerprint: result.fingerprint,
        events: result.events,
        simulated: result.simulated,
        verdicts: result.marks.iter().map(|mark| mark.letter()).collect(),
        failed: result.failed(),
        cells: encounters.bytes(),
    }
}

/// The result that a row tells of; `None` if it is not one that this version wrote.
fn result_of(row: &RunRow, failures: &[Cause]) -> Option<AttemptResult> {
    let Encounters { struck, idle, operations, cells } = Encounters::read(&row.cells)?;
    Some(AttemptResult {
        fingerprint: row.fingerprint,
        events: row.events,
        simulated: row.simulated,
        operations,
        marks: row.verdicts.chars().map(Mark::from_letter).collect::<Option<Vec<Mark>>>()?,
        failures: failures.to_vec(),
        cells,
        struck,
        idle,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_how_many_runs_were_ordered() {
        let orders = Orders { seed_start: 3, ..Orders::of(70_000) };
        assert_eq!(runs_ordered(&manifest(&[], &orders)), Some(70_000));
        assert_eq!(runs_ordered(&manifest(&[], &Orders { runs: None, ..orders })), None);
    }
}
