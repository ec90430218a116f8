//! Changes an attempt a little: what reached somewhere new may reach further.
//!
//! A knob is turned to another of its values; a fault is added, dropped, moved, stretched, aimed at another host, or taken
//! over from another plan; or the plan stays, and the seed changes. In another position of the knobs other hosts may be
//! there and other faults may strike, so the faults are made to fit, as `frame.rs` says: never is a system held to what it
//! did not promise.

use std::sync::Arc;

use replisim_kernel::{Concern, Span, Stream};
use replisim_world::spec::{Action, Fault, Swarm, Target};

use super::attempt::Attempt;
use super::frame::Frame;
use super::subject::{Subject, Variant};
use crate::Plan;
use crate::targets::targets_mut;

/// The stream of chance that a search draws from.
pub(super) const SEARCH: Concern = Concern::new("search");

/// One changed attempt in so many has a knob turned.
const TURN_ONE_IN: u64 = 4;

/// How often another knob is tried where one cannot be turned.
const TURNS_MAX: u32 = 4;

/// Changes attempts.
pub(super) struct Mutator<'s, 'c> {
    pub subject: &'s Subject<'c>,
    pub chance: Stream,
}

impl Mutator<'_, '_> {
    /// An attempt that differs from `parent` in one to three ways; `other` is one more to take faults from, and `seed`
    /// one that no attempt has had.
    pub fn change(&mut self, parent: &Attempt, other: &Attempt, seed: u64) -> Attempt {
        let turned = if self.chance.below(TURN_ONE_IN) == 0 { self.turn(parent) } else { None };
        let more = self.chance.below(3) + u64::from(turned.is_none());
        let (knobs, variant) = turned.unwrap_or_else(|| (parent.knobs.clone(), parent.variant.clone()));
        let frame = Frame::of(&variant);
        let mut drawn: Vec<Fault> =
            parent.drawn().iter().filter_map(|fault| frame.fit(fault, &mut self.chance)).collect();
        let mut luck = parent.plan.seed;
        for _ in 0..more {
            match self.chance.below(8) {
                0 => drawn.extend(frame.another(&mut self.chance)),
                1 => self.drop(&mut drawn),
                2 | 3 => self.shift(&mut drawn, &frame),
                4 => self.stretch(&mut drawn, &frame),
                5 => self.retarget(&mut drawn, &frame),
                6 => self.splice(&mut drawn, other.drawn(), &frame),
                _ => luck = seed,
            }
        }
        while drawn.len() > frame.most() {
            self.drop(&mut drawn);
        }
        let faults = variant.experiment.scenario.faults.iter().cloned().chain(drawn).collect();
        Attempt { knobs, variant, plan: Plan { seed: luck, faults }, fresh: false }
    }

    /// The scenario with one knob elsewhere; `None` if there is none, or if no position was found that fits. What can fail
    /// is not turned to where it cannot.
    fn turn(&mut self, parent: &Attempt) -> Option<(Vec<u8>, Arc<Variant>)> {
        let swarm = self.subject.swarm()?;
        // Knobs that were left as they were stand nowhere.
        if parent.knobs.is_empty() {
            return None;
        }
        (0..TURNS_MAX).find_map(|_| {
            let knob = self.chance.below(parent.knobs.len() as u64) as usize;
            let (_, values) = swarm.knobs.get_index(knob)?;
            let mut knobs = parent.knobs.clone();
            knobs[knob] = Swarm::any_position(values, &mut self.chance);
            if knobs == parent.knobs {
                return None;
            }
            let variant = self.subject.variant(&knobs)?;
            (variant.can_fail() || !parent.variant.can_fail()).then_some((knobs, variant))
        })
    }

    fn drop(&mut self, faults: &mut Vec<Fault>) {
        if let Some(index) = self.pick(faults) {
            faults.remove(index);
        }
    }

    /// Moves a fault in time, rather a little than a lot, or to where another one is.
    fn shift(&mut self, faults: &mut [Fault], frame: &Frame<'_>) {
        let Some(index) = self.pick(faults) else { return };
        let beside = self.pick(faults).and_then(|other| begin(&faults[other]));
        let far = frame.run / (1 << self.chance.below(12));
        let by = Span::nanos(self.chance.below(far.as_nanos() + 1));
        let later = self.chance.below(2) == 0;
        // Faults that matter together mostly meet in time, which two draws over a whole run seldom do.
        let joins = self.chance.below(2) == 0;
        let Some(from) = begin(&faults[index]) else { return };
        let from = if joins { beside.unwrap_or(from) } else { from };
        let to = if later { from + by } else { from.saturating_sub(by) };
        move_to(&mut faults[index], to, frame);
    }

    fn stretch(&mut self, faults: &mut [Fault], frame: &Frame<'_>) {
        let Some(index) = self.pick(faults) else { return };
        let times = [1, 2, 3, 5, 8, 12][self.chance.below(6) as usize];
        if let Fault::During(from, until, _) = &mut faults[index] {
            *until = frame.end(*from, (*until - *from) * times / 4);
        }
    }

    fn retarget(&mut self, faults: &mut [Fault], frame: &Frame<'_>) {
        let Some(index) = self.pick(faults) else { return };
        let host = frame.host(&mut self.chance);
        if let Some(target) = target(&mut faults[index]) {
            *target = host;
        }
    }

    /// Takes a fault over from another plan, if its like is drawn here.
    fn splice(&mut self, faults: &mut Vec<Fault>, other: &[Fault], frame: &Frame<'_>) {
        if let Some(index) = self.pick(other) {
            faults.extend(frame.fit(&other[index], &mut self.chance));
        }
    }

    fn pick(&mut self, faults: &[Fault]) -> Option<usize> {
        (!faults.is_empty()).then(|| self.chance.below(faults.len() as u64) as usize)
    }
}

fn begin(fault: &Fault) -> Option<Span> {
    match fault {
        Fault::At(at, _) | Fault::During(at, _, _) => Some(*at),
        Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => None,
    }
}

/// Moves a fault to begin at `to`, or as near as it may, as long as it was.
fn move_to(fault: &mut Fault, to: Span, frame: &Frame<'_>) {
    let to = frame.begin(to);
    match fault {
        Fault::At(at, _) => *at = to,
        Fault::During(from, until, _) => {
            let length = *until - *from;
            (*from, *until) = (to, frame.end(to, length));
        }
        Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => {}
    }
}

/// The one host that a fault strikes, where it strikes one and that may be any.
fn target(fault: &mut Fault) -> Option<&mut Target> {
    let (Fault::At(_, action) | Fault::During(_, _, action)) = fault else { return None };
    // No swarm has a table dropped anywhere but where it is led.
    if let Action::DropTable(_) = action {
        return None;
    }
    let [(_, target)] = <[_; 1]>::try_from(targets_mut(action)).ok()?;
    Some(target)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Catalog;
    use crate::scenario::Source;
    use crate::targets::targets;

    /// Nearly everything that changed faults depend on is a knob, and some positions do not fit together: of two servers
    /// none is called n4.
    const ALL_TURNS: &str = r##"Scenario(
        cluster: (size: 4),
        protocol: LeaderFollower(acknowledge: All),
        clients: [(sessions: 2, arrive: Every("20ms"))],
        faults: [At("100ms", Kill("n2"))],
        run: "1s",
        swarm: (
            families: [Delay, Partition],
            knobs: {
                "cluster.size": ["2", "4", "6"],
                "faults": [
                    "[]",
                    r#"[At("100ms", Kill("n2"))]"#,
                    r#"[During("100ms", "200ms", Pause("n4")), At("300ms", Kill("n1"))]"#,
                ],
                "run": [r#""1s""#, r#""400ms""#],
                "swarm.families": [
                    "[Delay, Partition, Clock]",
                    "[Kill, HostLoss, Pause, DiskSlow, Failover, DiskLoss, Destruction]",
                    "[]",
                ],
                "swarm.faults": ["1", "8"],
                "swarm.longest": [r#""30ms""#, r#""500ms""#],
            },
        ),
    )"##;

    /// Changes attempts of a subject over and over, and asks for each whether it is as it should be.
    fn wander(source: &Source, steps: u64) {
        let catalog = Catalog::standard();
        let subject = Subject::prepare(source, &catalog);
        let subject = subject.unwrap_or_else(|report| panic!("{}", report.render(false)));
        let mut among: Vec<Attempt> = (0..8).map(|seed| Attempt::fresh(&subject, seed)).collect();
        let mut positions = BTreeSet::new();
        for step in 0..steps {
            let mut chance = Stream::derive(step, SEARCH, 0, 0);
            let [one, other] = [(); 2].map(|()| chance.below(among.len() as u64) as usize);
            let changed = Mutator { subject: &subject, chance }.change(&among[one], &among[other], step);
            fits(&subject, &changed);
            assert!(changed.variant.can_fail() || !among[one].variant.can_fail(), "it loses what could fail");
            assert_eq!(changed.experiment().scenario.faults, changed.plan.faults);
            positions.insert(changed.knobs.clone());
            among[other] = changed;
        }
        assert!(positions.len() > 60, "knobs are turned: {} positions", positions.len());
    }

    /// Whether the attempt is one that its own variant's swarm could have drawn.
    fn fits(subject: &Subject<'_>, attempt: &Attempt) {
        let scenario = &attempt.variant.experiment.scenario;
        let alone = subject.variant(&attempt.knobs).expect("its knobs fit together");
        assert_eq!(alone.experiment.scenario, *scenario);
        assert_eq!(alone.demands, attempt.variant.demands);
        assert!(attempt.plan.faults.starts_with(&scenario.faults), "what is written is there");
        let swarm = scenario.swarm.as_ref().expect("it has a swarm");
        assert!(attempt.drawn().len() <= usize::from(swarm.faults));
        for fault in attempt.drawn() {
            let family = fault.action().family().expect("it does harm");
            assert!(swarm.families.contains(&family), "{fault}");
            let (from, until) = match fault {
                Fault::At(at, _) => (*at, *at),
                Fault::During(from, until, _) => (*from, *until),
                Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => panic!("none draws {fault}"),
            };
            let (first, last) = Swarm::window(scenario.run);
            assert!(first <= from && from <= last, "{fault}");
            assert!(until <= scenario.run && until - from <= swarm.longest, "{fault}");
            strikes_who_is_there(attempt, fault);
        }
    }

    fn strikes_who_is_there(attempt: &Attempt, fault: &Fault) {
        let hosts = &attempt.variant.experiment.topology.hosts;
        let struck = targets(fault.action());
        for (_, target) in &struck {
            match target {
                Target::Named(name) => assert!(hosts.iter().any(|host| host.name == *name), "{fault}"),
                other => assert!(
                    [Target::Clients, Target::Leader, Target::MostAdvanced].contains(other),
                    "{fault} is not spelled out"
                ),
            }
        }
        assert!(struck.windows(2).all(|ends| ends[0].1 != ends[1].1), "{fault} has one end");
    }

    #[test]
    fn whatever_is_changed_could_have_been_drawn() {
        for protocol in Catalog::standard().entries() {
            wander(&protocol.swarm(), 400);
        }
        wander(&Source::new("all_turns.ron", ALL_TURNS), 2_000);
    }
}
