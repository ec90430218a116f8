//! A scenario with its protocol found, its settings read and its processes placed: ready to run under any seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use replisim_history::check::check_all;
use replisim_history::{Check, Finding, Promise, Run};
use replisim_kernel::Span;
use replisim_world::Simulation;
use replisim_world::protocol::{Circumstances, Problem};
use replisim_world::spec::{Action, Fault, FaultFamily, Topology};

use crate::catalog::{Assembled, Catalog, Configured, Plan};
use crate::judge::Judgement;
use crate::scenario::{Code, Diagnostic, Edit, Excerpt, Known, Mistakes, Outline, Report, Scenario, Source, validate};
use crate::scenario::{listed, nearest};

/// Something that can be run.
pub struct Experiment {
    /// The text it was read from, edits included.
    pub source: Source,
    /// What is run and what is expected of it.
    pub scenario: Scenario,
    /// Who stands where.
    pub topology: Topology,
    configured: Arc<dyn Configured>,
    assembled: Box<dyn Assembled>,
    promises: OnceLock<BTreeMap<Check, Promise>>,
}

impl Experiment {
    /// Reads a scenario, finds its protocol, and checks that everything fits together.
    ///
    /// # Errors
    /// If the text is not a scenario, the first reason; if it is one that cannot be run, every reason.
    pub fn prepare(source: &Source, catalog: &Catalog) -> Result<Experiment, Report> {
        let outline = Outline::of(&source.text);
        let scenario = Scenario::outlined(source, &outline).map_err(|mistake| Report::of(source.clone(), mistake))?;
        let mut draft = Draft::new(&outline, &scenario);
        let configured = draft.configure(source, &scenario, catalog);
        let topology = draft.resolve(&scenario);
        draft.finish(source, scenario, configured.map(Arc::from), topology)
    }

    /// The same protocol under another scenario, which may have other hosts and other settings.
    ///
    /// # Errors
    /// Every reason why it cannot be run, shown in the text that the scenario is written as.
    ///
    /// # Panics
    /// If the scenario names another protocol.
    pub fn vary(&self, scenario: Scenario) -> Result<Experiment, Report> {
        let text = scenario.text();
        self.vary_as(scenario, text)
    }

    /// The same, of a scenario whose text is known.
    pub(crate) fn vary_as(&self, scenario: Scenario, text: String) -> Result<Experiment, Report> {
        assert_eq!(scenario.protocol.name(), self.scenario.protocol.name(), "another protocol is another experiment");
        let source = Source::new(&self.source.name, text);
        let outline = Outline::of(&source.text);
        let mut draft = Draft::new(&outline, &scenario);
        let configured = match scenario.protocol == self.scenario.protocol {
            true => Some(self.configured.clone()),
            false => {
                let configured = self.configured.reconfigure(&Excerpt::settings(&source, &outline));
                configured.map_err(|mistake| draft.mistakes.add(mistake)).ok().map(Arc::from)
            }
        };
        let topology = draft.resolve(&scenario);
        draft.finish(&source, scenario, configured, topology)
    }

    /// The experiment of a scenario that has been read from this source; `None` if it cannot be run. It costs a fraction of
    /// [`Experiment::prepare`], which also says why.
    pub(crate) fn of_read(&self, scenario: Scenario, source: Source, catalog: &Catalog) -> Option<Experiment> {
        // Mistakes would be shown in it.
        let outline = Outline::of("");
        let configured = match scenario.protocol == self.scenario.protocol {
            true => self.configured.clone(),
            false => {
                let text = Source::new(&source.name, scenario.protocol.as_str());
                let entry = catalog.get(scenario.protocol.name())?;
                entry.configure(&Excerpt::field(&text, &outline, "protocol").behind_name()).ok()?.into()
            }
        };
        let topology = Topology::resolve(&scenario.cluster).ok()?;
        let draft = Draft::new(&outline, &scenario);
        draft.finish(&source, scenario, Some(configured), Some(topology)).ok()
    }

    /// A scenario's text after some edits, as [`Edit::apply`] makes them.
    ///
    /// # Errors
    /// The first edit that cannot be made.
    pub fn edit(source: &Source, edits: &[Edit], catalog: &Catalog) -> Result<Source, Report> {
        edits.iter().try_fold(source.clone(), |source, edit| edit.apply(&source, |edited| reads(edited, catalog)))
    }

    /// A scenario's text as `--set` makes it: after some edits, and without the knobs that would turn what these set.
    ///
    /// # Errors
    /// The first edit that cannot be made.
    pub fn set(source: &Source, edits: &[Edit], catalog: &Catalog) -> Result<Source, Report> {
        Ok(Edit::fix(edits, Experiment::edit(source, edits, catalog)?))
    }

    /// The run that `seed` stands for, at its beginning. With `trace`, every event will be written down.
    pub fn begin(&self, seed: u64, trace: bool) -> Box<dyn Simulation> {
        self.enact(self.plan(seed), trace)
    }

    /// The run of a plan, at its beginning. With `trace`, every event will be written down.
    pub fn enact(&self, plan: Plan, trace: bool) -> Box<dyn Simulation> {
        self.assembled.begin(&self.scenario, &self.topology, plan, trace)
    }

    /// What `seed` stands for: the faults that the scenario writes down, then those that its swarm draws.
    pub fn plan(&self, seed: u64) -> Plan {
        Plan { seed, faults: self.scenario.plan(seed, &self.topology) }
    }

    /// The names of the states that the protocol's processes tell apart.
    pub fn states(&self) -> &'static [&'static str] {
        self.configured.states()
    }

    /// Makes the scenario's checks on a run, in the order of [`Scenario::checks_made`].
    pub fn examine(&self, run: &Run) -> Vec<Finding> {
        check_all(&run.history, &self.scenario.checks_made())
    }

    /// Judges a run by what was found in it.
    pub fn judge(&self, run: &Run, findings: &[Finding]) -> Judgement {
        Judgement::of(&self.scenario, self.promises(), findings, run)
    }

    /// The protocol, with its settings in a few words if it has any: `PostgreSQL, ANY 1 (n2, n3), synchronous_commit on`.
    pub fn system(&self) -> String {
        let (name, settings) = (self.scenario.protocol.name(), self.configured.summary());
        if settings.is_empty() { name.to_owned() } else { format!("{name}, {settings}") }
    }

    /// What the protocol promises in the scenario's circumstances, asked once. Not to panic is among it, whatever it says
    /// itself.
    pub fn promises(&self) -> &BTreeMap<Check, Promise> {
        self.promises.get_or_init(|| self.ask_for_promises())
    }

    /// Whether the protocol promises that a check holds.
    pub fn promises_that(&self, check: Check) -> bool {
        self.promises().get(&check) == Some(&Promise::Promised)
    }

    fn ask_for_promises(&self) -> BTreeMap<Check, Promise> {
        let lasts = self.scenario.run + self.scenario.settle;
        let mut promises = self.configured.promises(&Circumstances {
            faults: &self.families(),
            reconfigured: self.scenario.faults.iter().map(Fault::action).any(Action::reconfigures),
            detached: self.scenario.faults.iter().map(Fault::action).any(Action::detaches),
            lasts,
            clock_error: self.clock_error(lasts),
            clients: &self.scenario.clients,
            topology: &self.topology,
        });
        promises.extend(Check::ALWAYS.map(|check| (check, Promise::Promised)));
        promises
    }

    /// The families of the faults that the scenario writes down or lets a swarm draw, each once.
    pub fn families(&self) -> Vec<FaultFamily> {
        let written = self.scenario.faults.iter().map(Fault::action).filter_map(Action::family);
        let drawn = self.scenario.swarm.iter().flat_map(|swarm| swarm.families.iter().copied());
        written.chain(drawn).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// By how much a wall clock is wrong at most in a run that lasts so long.
    fn clock_error(&self, lasts: Span) -> Span {
        let Scenario { cluster, faults, swarm, .. } = &self.scenario;
        let from_the_start = cluster.clocks.values().map(|clock| clock.error(lasts)).max().unwrap_or(Span::ZERO);
        let written: Span = faults.iter().map(|fault| fault.clock_error(lasts)).sum();
        let drawn: Span = swarm.iter().map(|swarm| swarm.clock_error(lasts)).sum();
        from_the_start + written + drawn
    }
}

/// Whether a text reads as a scenario with readable settings, be they sensible or not.
fn reads(source: &Source, catalog: &Catalog) -> bool {
    let outline = Outline::of(&source.text);
    let Ok(scenario) = Scenario::outlined(source, &outline) else { return false };
    let entry = catalog.get(scenario.protocol.name());
    entry.is_none_or(|entry| entry.configure(&Excerpt::settings(source, &outline)).is_ok())
}

/// An experiment in the making. Each stage goes as far as it can, so that all mistakes come to light.
struct Draft<'o> {
    outline: &'o Outline<'o>,
    known: Known,
    mistakes: Mistakes<'o>,
}

impl<'o> Draft<'o> {
    fn new(outline: &'o Outline<'o>, scenario: &Scenario) -> Self {
        Draft { outline, known: Known::of(scenario), mistakes: Mistakes::new(outline) }
    }

    /// The experiment, if everything fits together.
    fn finish(
        mut self,
        source: &Source,
        scenario: Scenario,
        configured: Option<Arc<dyn Configured>>,
        topology: Option<Topology>,
    ) -> Result<Experiment, Report> {
        let assembled = self.assemble(configured.as_deref(), topology.as_ref());
        let standing = topology.as_ref().filter(|_| assembled.is_some());
        validate(&scenario, &self.known, configured.as_deref(), standing, &mut self.mistakes);
        match (configured, topology, assembled) {
            (Some(configured), Some(topology), Some(assembled)) if self.mistakes.is_empty() => {
                let promises = OnceLock::new();
                Ok(Experiment { source: source.clone(), scenario, topology, configured, assembled, promises })
            }
            _ => Err(Report::new(source.clone(), self.mistakes.into_found())),
        }
    }

    fn configure(&mut self, source: &Source, scenario: &Scenario, catalog: &Catalog) -> Option<Box<dyn Configured>> {
        let Some(entry) = catalog.get(scenario.protocol.name()) else {
            self.unknown_protocol(scenario.protocol.name(), catalog);
            return None;
        };
        let configured = entry.configure(&Excerpt::settings(source, self.outline));
        configured.map_err(|mistake| self.mistakes.add(mistake)).ok()
    }

    fn unknown_protocol(&mut self, name: &str, catalog: &Catalog) {
        let names = catalog.names();
        let node = self.outline.find("protocol");
        let mark = node.map(|node| node.name.clone().unwrap_or_else(|| self.outline.first_char(&node.span)));
        let mistake = Diagnostic::new(Code::UnknownProtocol, format!("unknown protocol `{name}`"))
            .at(mark.unwrap_or(0..0))
            .label(format!("protocols are {}", listed(&names)))
            .did_you_mean(nearest(name, names));
        self.mistakes.add(mistake);
    }

    fn resolve(&mut self, scenario: &Scenario) -> Option<Topology> {
        let problems = match Topology::resolve(&scenario.cluster) {
            Ok(topology) => return Some(topology),
            Err(problems) => problems,
        };
        for problem in problems {
            self.mistakes.problem("", Code::ImpossibleCluster, problem, &self.known);
        }
        None
    }

    fn assemble(
        &mut self,
        configured: Option<&dyn Configured>,
        topology: Option<&Topology>,
    ) -> Option<Box<dyn Assembled>> {
        match configured?.assemble(topology?) {
            Ok(assembled) => {
                self.known.processes = assembled.processes().into_iter().map(str::to_owned).collect();
                Some(assembled)
            }
            Err(mut problems) => {
                if problems.is_empty() {
                    problems.push(Problem::new("", "the protocol refuses its settings and does not say why"));
                }
                for problem in problems {
                    self.mistakes.problem("protocol", Code::RefusedSettings, problem, &self.known);
                }
                None
            }
        }
    }
}
