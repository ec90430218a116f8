//! What a campaign runs: a scenario whose knobs are turned anew for each seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use replisim_history::{Check, Promise};
use replisim_world::spec::Swarm;

use crate::scenario::{Code, Diagnostic, Edit, Expected, Report, Source};
use crate::{Catalog, Experiment};

/// How often knobs are turned again that do not fit together, before all are left as they were.
const TURNS_MAX: u64 = 16;

/// How many seeds in a row have the knobs in the same positions: to prepare a scenario costs more than to run it.
const SEEDS_A_TURN: u64 = 32;

/// How many positions of the knobs are kept prepared at once: a campaign over many knobs sees new ones all the time.
const TURNED_MAX: usize = 1_024;

/// A scenario under a campaign. With its knobs turned it is another experiment each time; those
/// of late are kept prepared.
pub struct Subject<'c> {
    base: Arc<Variant>,
    /// Whether a swarm was added to a scenario that has none: what the scenario expects does not hold for that.
    stirred: bool,
    catalog: &'c Catalog,
    turned: Mutex<BTreeMap<Vec<u8>, Option<Arc<Variant>>>>,
}

/// A scenario with its knobs in some position.
pub struct Variant {
    /// Ready to run.
    pub experiment: Experiment,
    /// For each of the scenario's checks, what is demanded of it.
    pub demands: Vec<Demand>,
}

/// What is demanded of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// It holds: the protocol promises it, or the scenario expects it.
    Holds,
    /// Nothing: nobody promised it, or the scenario expects it violated.
    Nothing,
}

impl Variant {
    fn of(experiment: Experiment, stirred: bool) -> Self {
        let promises = experiment.promises();
        let demand = |check: &Check| {
            let expected = experiment.scenario.expect.get(check).filter(|_| !stirred);
            let promised = matches!(promises.get(check), Some(Promise::Promised));
            match expected {
                Some(Expected::Holds) => Demand::Holds,
                Some(Expected::Violated) => Demand::Nothing,
                None if promised => Demand::Holds,
                None => Demand::Nothing,
            }
        };
        let demands = experiment.scenario.checks.iter().map(demand).collect();
        Variant { experiment, demands }
    }
}

impl<'c> Subject<'c> {
    /// The subject that a scenario is. A scenario without a swarm is given `swarm`, if there is one.
    ///
    /// # Errors
    /// If the scenario cannot be run, or one of its knobs cannot be turned.
    pub fn prepare(source: &Source, swarm: bool, catalog: &'c Catalog) -> Result<Self, Report> {
        let mut experiment = Experiment::prepare(source, catalog)?;
        let stirred = swarm && experiment.scenario.swarm.is_none();
        if stirred {
            let edit = Edit { path: "swarm".to_owned(), value: "()".to_owned() };
            experiment = Experiment::prepare(&Experiment::edit(source, &[edit], catalog)?, catalog)?;
        }
        Subject::of(experiment, stirred, catalog)
    }

    fn of(experiment: Experiment, stirred: bool, catalog: &'c Catalog) -> Result<Self, Report> {
        let base = Arc::new(Variant::of(experiment, stirred));
        let subject = Subject { base, stirred, catalog, turned: Mutex::default() };
        subject.try_knobs()?;
        Ok(subject)
    }

    /// The subject that was [`Subject::prepare`]d before, from its text.
    ///
    /// # Errors
    /// If the scenario cannot be run, or one of its knobs cannot be turned.
    pub fn again(source: &Source, stirred: bool, catalog: &'c Catalog) -> Result<Self, Report> {
        Subject::of(Experiment::prepare(source, catalog)?, stirred, catalog)
    }

    /// Whether a swarm was added to a scenario that has none.
    pub fn is_stirred(&self) -> bool {
        self.stirred
    }

    /// The experiment with every knob where the scenario has it.
    pub fn base(&self) -> &Experiment {
        &self.base.experiment
    }

    /// What it is called in reports: the scenario's file, or the protocol's name.
    pub fn name(&self) -> &str {
        &self.base().source.name
    }

    /// What may be drawn.
    pub fn swarm(&self) -> Option<&Swarm> {
        self.base().scenario.swarm.as_ref()
    }

    /// Which value each knob has under `seed`; empty if there are no knobs, or if none of their positions fit together.
    pub fn turn(&self, seed: u64) -> Vec<u8> {
        let Some(swarm) = self.swarm().filter(|swarm| !swarm.knobs.is_empty()) else { return Vec::new() };
        let fits = |choices: &Vec<u8>| self.turned(choices).is_some();
        (0..TURNS_MAX).map(|attempt| swarm.turn(seed / SEEDS_A_TURN, attempt)).find(fits).unwrap_or_default()
    }

    /// The scenario with the knobs at these positions; as it is, for none.
    ///
    /// # Panics
    /// If these positions do not fit together: they come from [`Subject::turn`].
    pub fn variant(&self, choices: &[u8]) -> Arc<Variant> {
        self.turned(choices).expect("only knobs that fit together are turned")
    }

    /// The edits that put the knobs at these positions.
    pub fn edits(&self, choices: &[u8]) -> Vec<Edit> {
        let knobs = self.swarm().into_iter().flat_map(|swarm| &swarm.knobs);
        let edit = |((path, values), choice): ((&String, &Vec<String>), &u8)| {
            values.get(usize::from(*choice)).map(|value| Edit { path: path.clone(), value: value.clone() })
        };
        knobs.zip(choices).filter_map(edit).collect()
    }

    fn turned(&self, choices: &[u8]) -> Option<Arc<Variant>> {
        if choices.is_empty() {
            return Some(self.base.clone());
        }
        if let Some(known) = self.lock().get(choices) {
            return known.clone();
        }
        // The lock is not held meanwhile: other workers prepare theirs.
        let made = self.make(&self.edits(choices)).ok();
        let made = made.map(|experiment| Arc::new(Variant::of(experiment, self.stirred)));
        let mut turned = self.lock();
        if turned.len() >= TURNED_MAX {
            turned.clear();
        }
        turned.insert(choices.to_vec(), made.clone());
        made
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Option<Arc<Variant>>>> {
        self.turned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, edits: &[Edit]) -> Result<Experiment, Report> {
        Experiment::prepare(&Experiment::edit(&self.base().source, edits, self.catalog)?, self.catalog)
    }

    /// Turns each knob to each of its positions once, the others left alone.
    fn try_knobs(&self) -> Result<(), Report> {
        for (path, values) in self.swarm().into_iter().flat_map(|swarm| &swarm.knobs) {
            for value in values {
                let edit = Edit { path: path.clone(), value: value.clone() };
                self.make(&[edit]).map_err(|report| self.refuse(path, value, &report))?;
            }
            if values.is_empty() {
                return Err(self.report(format!("the knob `{path}` has no values")));
            }
        }
        Ok(())
    }

    fn refuse(&self, path: &str, value: &str, why: &Report) -> Report {
        let why = why.diagnostics.first().map_or_else(String::new, |first| format!(": {}", first.message));
        self.report(format!("the knob `{path}` cannot be turned to `{value}`{why}"))
    }

    fn report(&self, message: String) -> Report {
        let at = self.base().source.text.find("knobs").unwrap_or(0);
        let mistake = Diagnostic::new(Code::Knob, message).at(at..at + 5);
        Report::of(self.base().source.clone(), mistake)
    }
}

/// The experiment that `seed` stands for, where a scenario's swarm turns knobs: its text with the drawn values in it.
///
/// # Errors
/// If a knob cannot be turned.
pub fn settle(experiment: Experiment, seed: u64, catalog: &Catalog) -> Result<Experiment, Report> {
    if experiment.scenario.swarm.as_ref().is_none_or(|swarm| swarm.knobs.is_empty()) {
        return Ok(experiment);
    }
    let subject = Subject::of(experiment, false, catalog)?;
    let edits = subject.edits(&subject.turn(seed));
    subject.make(&edits)
}
