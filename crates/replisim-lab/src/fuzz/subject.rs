//! What a campaign runs: a scenario whose knobs are turned anew for each seed.

use std::sync::Arc;

use replisim_history::Check;
use replisim_world::spec::Swarm;

use super::knobs::Knobs;
use crate::scenario::{Edit, Expected, Report, Source};
use crate::{Catalog, Experiment, Scenario};

/// How often knobs are turned again that do not fit together, before all are left as they were.
const TURNS_MAX: u64 = 16;

/// A scenario under a campaign. With its knobs turned it is another experiment each time.
pub struct Subject<'c> {
    base: Arc<Variant>,
    knobs: Knobs,
    catalog: &'c Catalog,
}

/// A scenario with its knobs in some position.
pub struct Variant {
    /// Ready to run.
    pub experiment: Experiment,
    /// For each check that is made, what is demanded of it.
    pub demands: Vec<Demand>,
}

/// What is demanded of a check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Demand {
    /// It holds: the protocol promises it, or the scenario expects it.
    Holds,
    /// Nothing: nobody promised it, or the scenario expects it violated.
    Nothing,
}

impl Variant {
    fn of(experiment: Experiment) -> Self {
        let demand = |check: Check| match experiment.scenario.expect.get(&check) {
            Some(Expected::Holds) => Demand::Holds,
            Some(Expected::Violated) => Demand::Nothing,
            None if experiment.promises_that(check) => Demand::Holds,
            None => Demand::Nothing,
        };
        let demands = experiment.scenario.checks_made().into_iter().map(demand).collect();
        Variant { experiment, demands }
    }

    /// Whether anything is demanded, so that a run of it can fail; but for [`Check::ALWAYS`], which always are.
    pub fn can_fail(&self) -> bool {
        let checks = self.experiment.scenario.checks_made();
        let demanded = |(check, demand): (&Check, &Demand)| !Check::ALWAYS.contains(check) && *demand == Demand::Holds;
        checks.iter().zip(&self.demands).any(demanded)
    }
}

impl<'c> Subject<'c> {
    /// The subject that a scenario is.
    ///
    /// # Errors
    /// If the scenario cannot be run, or one of its knobs cannot be turned.
    pub fn prepare(source: &Source, catalog: &'c Catalog) -> Result<Self, Report> {
        Subject::of(Experiment::prepare(source, catalog)?, catalog)
    }

    fn of(experiment: Experiment, catalog: &'c Catalog) -> Result<Self, Report> {
        let knobs = Knobs::of(&experiment, catalog)?;
        Ok(Subject { base: Arc::new(Variant::of(experiment)), knobs, catalog })
    }

    /// A scenario's text with a swarm, if it has none; what it expects was not said of that, and goes.
    ///
    /// # Errors
    /// If that cannot be written into it.
    pub fn with_swarm(source: &Source, catalog: &Catalog) -> Result<Source, Report> {
        match Scenario::parse(source) {
            Ok(Scenario { swarm: None, expect, .. }) => {
                let swarm = [Edit::new("swarm", "()")].into_iter();
                let edits: Vec<Edit> = swarm.chain((!expect.is_empty()).then(|| Edit::new("expect", "{}"))).collect();
                Experiment::edit(source, &edits, catalog)
            }
            // What cannot be read is told by whoever prepares it.
            Ok(_) | Err(_) => Ok(source.clone()),
        }
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

    /// Which value each knob has under `seed`, and the scenario with the knobs there. There are no values, and the scenario
    /// is as it is, if it has no knobs, or if none of their positions fit together.
    pub fn turned(&self, seed: u64) -> (Vec<u8>, Arc<Variant>) {
        let swarm = self.swarm().filter(|swarm| !swarm.knobs.is_empty());
        let choices = swarm.into_iter().flat_map(|swarm| (0..TURNS_MAX).map(move |attempt| swarm.turn(seed, attempt)));
        let turned = |choices: Vec<u8>| self.variant(&choices).map(|variant| (choices, variant));
        choices.filter_map(turned).next().unwrap_or_else(|| (Vec::new(), self.base.clone()))
    }

    /// The scenario with its knobs at these positions; `None` if they do not fit together.
    pub fn variant(&self, choices: &[u8]) -> Option<Arc<Variant>> {
        let experiment = self.knobs.turn(self.base(), choices, self.catalog)?;
        Some(Arc::new(Variant::of(experiment)))
    }

    /// The edits that put the knobs at these positions.
    pub fn edits(&self, choices: &[u8]) -> Vec<Edit> {
        let knobs = self.swarm().into_iter().flat_map(|swarm| &swarm.knobs);
        let edit = |((path, values), choice): ((&String, &Vec<String>), &u8)| {
            values.get(usize::from(*choice)).map(|value| Edit::new(path, value))
        };
        knobs.zip(choices).filter_map(edit).collect()
    }
}

/// The experiment that `seed` stands for, where a scenario's swarm turns knobs: its text with the drawn values in it.
///
/// # Errors
/// If a knob cannot be turned.
pub fn turned(experiment: Experiment, seed: u64, catalog: &Catalog) -> Result<Experiment, Report> {
    if experiment.scenario.swarm.as_ref().is_none_or(|swarm| swarm.knobs.is_empty()) {
        return Ok(experiment);
    }
    let subject = Subject::of(experiment, catalog)?;
    let (_, variant) = subject.turned(seed);
    Experiment::prepare(&variant.experiment.source, catalog)
}
