//! A run with what the checkers found in it and what to think of that.

use replisim_history::{Finding, Run};
use replisim_kernel::SimTime;

use crate::{Experiment, Judgement};

/// What an experiment came to under one seed.
#[derive(Clone, Debug)]
pub struct JudgedRun {
    /// What happened.
    pub run: Run,
    /// What each of the scenario's checks found.
    pub findings: Vec<Finding>,
    /// How that compares with what was expected and promised.
    pub judgement: Judgement,
}

impl Experiment {
    /// Runs to the end, or until an instant, and judges what came of it. A trace is kept if `trace`.
    pub fn run(&self, seed: u64, until: Option<SimTime>, trace: bool) -> JudgedRun {
        let mut simulation = self.begin(seed, trace);
        let run = match until {
            None => simulation.finish(),
            Some(until) => {
                simulation.run_until(until);
                simulation.break_off()
            }
        };
        let findings = self.examine(&run);
        let judgement = self.judge(&run, &findings);
        JudgedRun { run, findings, judgement }
    }
}
