//! The faults: whether they can happen when they should, to whom they should.

use replisim_kernel::Span;
use replisim_world::protocol::Problem;
use replisim_world::spec::{Action, Fault, Target, Topology, Trigger};

use super::cluster::check_drift;
use super::{Code, Diagnostic, Known, Mistakes, Scenario, nearest};
use crate::catalog::Configured;
use crate::targets::targets;

/// The parts that somebody plays at a moment, which are targets beside the names.
const ROLES: [&str; 9] =
    ["leader", "followers", "minority", "majority", "random 2", "replicas", "clients", "most advanced", "most behind"];

/// A protocol, and the cluster that it runs on.
type Running<'p> = (&'p dyn Configured, &'p Topology);

/// What is impossible about the faults.
pub(super) fn validate(scenario: &Scenario, known: &Known, running: Option<Running<'_>>, mistakes: &mut Mistakes<'_>) {
    for (index, fault) in scenario.faults.iter().enumerate() {
        let checker = Checker { known, running, run: scenario.run, mistakes };
        checker.check(&format!("faults[{index}]"), fault);
    }
    if let Some(swarm) = &scenario.swarm {
        mistakes.time("swarm.longest", "the longest fault of a swarm", swarm.longest);
        mistakes.repeated("swarm.families", "family", &swarm.families);
    }
}

struct Checker<'k, 'm, 'o> {
    known: &'k Known,
    running: Option<Running<'k>>,
    run: Span,
    mistakes: &'m mut Mistakes<'o>,
}

impl Checker<'_, '_, '_> {
    /// Checks the fault at `path`. The parts of a fault are numbered as they are written.
    fn check(mut self, path: &str, fault: &Fault) {
        let part = |index: usize| format!("{path}[{index}]");
        match fault {
            Fault::At(at, action) => {
                self.begins_within_run(&part(0), *at);
                self.check_action(&part(1), action);
            }
            Fault::During(from, to, action) => {
                self.begins_within_run(&part(0), *from);
                self.ends_after(&part(1), *from, *to);
                self.check_action(&part(2), action);
            }
            Fault::Every(period, length, action) => {
                self.mistakes.time(&part(0), "the period of a fault", *period);
                self.begins_within_run(&part(0), *period);
                self.pauses_between(&part(1), *period, *length);
                self.check_action(&part(2), action);
            }
            Fault::When(trigger, action) => {
                self.check_trigger(&part(0), trigger);
                self.check_action(&part(1), action);
            }
            Fault::WhenFor(trigger, length, action) => {
                self.check_trigger(&part(0), trigger);
                self.mistakes.time(&part(1), "the length of a fault", *length);
                self.check_action(&part(2), action);
            }
        }
    }

    fn begins_within_run(&mut self, path: &str, at: Span) {
        self.mistakes.at_if(at >= self.run && !self.run.is_zero(), path, || {
            Diagnostic::new(Code::ImpossibleMoment, format!("a fault at {at} never happens"))
                .label(format!("the run ends at {}", self.run))
        });
    }

    fn ends_after(&mut self, path: &str, from: Span, to: Span) {
        self.mistakes.at_if(to <= from, path, || {
            Diagnostic::new(Code::ImpossibleMoment, "a fault ends before it begins")
                .label(format!("it begins at {from}"))
        });
    }

    fn pauses_between(&mut self, path: &str, period: Span, length: Span) {
        self.mistakes.at_if(length >= period && !period.is_zero(), path, || {
            Diagnostic::new(Code::ImpossibleMoment, "a recurring fault never ends")
                .label(format!("it begins again each {period}"))
        });
    }

    fn check_trigger(&mut self, path: &str, trigger: &Trigger) {
        match trigger {
            Trigger::LeaderElected(count) => self.not_the_zeroth(path, u64::from(*count)),
            Trigger::Commits(count) | Trigger::Acknowledged(count) => self.not_the_zeroth(path, *count),
            Trigger::Lag { of, over: _ } => self.check_target(&format!("{path}.of"), of),
        }
    }

    fn not_the_zeroth(&mut self, path: &str, count: u64) {
        self.mistakes.at_if(count == 0, path, || {
            Diagnostic::new(Code::ImpossibleMoment, "a fault that waits for the zeroth time").label("counted from 1")
        });
    }

    fn check_action(&mut self, path: &str, action: &Action) {
        for (part, target) in targets(action) {
            self.check_target(&format!("{path}{part}"), target);
        }
        self.has_two_ends(path, action);
        let mut time = |part, what, time| self.mistakes.time(&format!("{path}.{part}"), what, time);
        match action {
            Action::Reordering { by, .. } => time("by", "the time that datagrams are held back", *by),
            Action::Flapping { down, up, .. } => {
                time("down", "the time that a link is down", *down);
                time("up", "the time that a link is up", *up);
            }
            Action::Swizzle { step } => time("step", "the time between two nodes", *step),
            Action::Strobe { every, .. } => time("every", "the time between two jumps", *every),
            Action::SlowCpu { factor, .. } => {
                self.mistakes.count(&format!("{path}.factor"), "the factor", u64::from(*factor), 1..=1_000_000);
            }
            Action::Drift { ppm, .. } => check_drift(&format!("{path}.ppm"), *ppm, self.mistakes),
            Action::Configure { setting, value, .. } => self.check_setting(path, setting, value),
            _ => {}
        }
    }

    /// What is between two nodes, or has one turn to another, does nothing where both are the same one.
    fn has_two_ends(&mut self, path: &str, action: &Action) {
        if let [(_, one), (part, other)] = targets(action)[..] {
            self.mistakes.at_if(one == other && self.is_one_node(one), &format!("{path}{part}"), || {
                Diagnostic::new(Code::Contradiction, format!("a fault between `{one}` and itself"))
                    .label("must be another one")
            });
        }
    }

    /// Whether whatever a target means is a single node.
    fn is_one_node(&self, target: &Target) -> bool {
        match target {
            Target::Named(name) => !self.known.zones.contains(name) && !self.known.regions.contains(name),
            Target::Leader | Target::MostAdvanced | Target::MostBehind => true,
            Target::Several(_)
            | Target::Followers
            | Target::Minority
            | Target::Majority
            | Target::Random(_)
            | Target::Replicas
            | Target::Clients => false,
        }
    }

    /// A setting that an operator changes must be one that the protocol obeys, and lead to none that it would have refused
    /// at the start.
    fn check_setting(&mut self, path: &str, setting: &str, value: &str) {
        let Some((protocol, topology)) = self.running else { return };
        let refused = |problems: Vec<Problem>| problems.into_iter().next().map(|problem| problem.message);
        let changed = protocol.set(setting, value).map(|changed| changed.assemble(topology).err().and_then(refused));
        let Some(why) = changed.unwrap_or_else(Some) else { return };
        let settings = protocol.settings();
        if settings.contains(&setting) {
            let message = format!("`{setting}` cannot be set to `{value}`");
            self.mistakes.at(&format!("{path}.value"), Diagnostic::new(Code::RefusedSettings, message).label(why));
        } else {
            let mistake = Diagnostic::new(Code::RefusedSettings, format!("`{setting}` cannot be set")).label(why);
            let meant = nearest(setting, settings.iter().copied());
            self.mistakes.at(&format!("{path}.setting"), mistake.did_you_mean(meant));
        }
    }

    fn check_target(&mut self, path: &str, target: &Target) {
        match target {
            Target::Named(name) => self.check_name(path, name),
            Target::Several(targets) => targets.iter().for_each(|target| self.check_target(path, target)),
            Target::Random(count) => {
                let most = self.known.hosts.len().max(1) as u64;
                self.mistakes.count(path, "the number of random replicas", u64::from(*count), 1..=most);
            }
            Target::Leader
            | Target::Followers
            | Target::Minority
            | Target::Majority
            | Target::Replicas
            | Target::Clients
            | Target::MostAdvanced
            | Target::MostBehind => {}
        }
    }

    fn check_name(&mut self, path: &str, name: &str) {
        if !self.known.is_target(name) && !self.mistakes.are_enough() {
            let accepted: Vec<&str> = self.known.targets().chain(ROLES).collect();
            self.mistakes.unknown(Code::UnknownTarget, path, "target", name, &accepted);
        }
    }
}
