//! Fewer and plainer faults.
//!
//! A fault becomes plainer in three ways: it strikes at a time and no longer waits for something; it strikes whom it
//! struck by name; it is another fault that hurts less. None of these ways leads back, so that they come to an end.

use std::collections::BTreeSet;

use replisim_history::Run;
use replisim_kernel::{Distribution, Probability, SimTime, Span};
use replisim_world::spec::{Action, Fault, OldLeader, Target, Unsynced, Wire};

use super::FEW;
use super::ddmin::ddmin;
use super::round::{constants, earlier, rounder, shorter};
use super::search::Search;
use crate::Scenario;
use crate::targets::{targets, targets_mut};

/// The shortest fault that is tried.
const LENGTH_MIN: Span = Span::millis(1);

/// How many times of a recurring fault are tried on their own.
const FIRINGS_MAX: usize = 16;

/// With at most so many faults, one is left out while another one is moved.
const TOGETHER_MAX: usize = 3;

/// How exactly a moment is met at which something was answered.
const MOMENT: Span = Span::micros(100);

/// Shares that are easy to understand, the plainest first.
const SHARES: [f64; 5] = [1.0, 0.5, 0.2, 0.1, 0.01];

/// Leaves out every fault that is not needed.
pub(super) fn fewer(search: &mut Search<'_>) {
    let whole = search.scenario().clone();
    ddmin(whole.faults.clone(), usize::MAX, |parts| {
        search.first(parts.map(|faults| Scenario { faults, ..whole.clone() }))
    });
}

/// Makes each fault as plain as it can be.
pub(super) fn plainer(search: &mut Search<'_>) {
    for index in 0..search.scenario().faults.len() {
        while try_all(search, index, action_forms) {}
        while try_all(search, index, time_forms) {}
    }
}

/// Leaves out a fault, and lets another strike just after something was answered: one may be there for nothing but to make
/// time for the other.
pub(super) fn fewer_with_other_times(search: &mut Search<'_>) {
    let whole = search.scenario().clone();
    let operations = &search.best.run.history.operations;
    if !(2..=TOGETHER_MAX).contains(&whole.faults.len()) || operations.len() > FEW {
        return;
    }
    let answered = operations.iter().map(|it| it.completed).filter(|at| *at < SimTime::NEVER);
    let moments: BTreeSet<Span> = answered.map(|at| just_after(at.since(SimTime::ZERO))).collect();
    let mut proposed = Vec::new();
    for left_out in 0..whole.faults.len() {
        let mut fewer = whole.clone();
        fewer.faults.remove(left_out);
        for moved in 0..fewer.faults.len() {
            for moment in &moments {
                proposed.extend(moved_to(&fewer.faults[moved], *moment).map(|fault| {
                    let mut proposed = fewer.clone();
                    proposed.faults[moved] = fault;
                    proposed
                }));
            }
        }
    }
    search.first(proposed);
}

/// A round time that is later, but not by much.
fn just_after(moment: Span) -> Span {
    Span::nanos((moment.as_nanos() / MOMENT.as_nanos() + 1) * MOMENT.as_nanos())
}

/// The same fault at another time, for as long; `None` if it names no time.
fn moved_to(fault: &Fault, at: Span) -> Option<Fault> {
    match fault {
        Fault::At(_, action) => Some(Fault::At(at, action.clone())),
        Fault::During(from, until, action) => Some(Fault::During(at, at + (*until - *from), action.clone())),
        Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => None,
    }
}

/// Tries every form of a fault, and says whether one of them failed.
fn try_all(search: &mut Search<'_>, index: usize, forms: fn(&Search<'_>, usize) -> Vec<Fault>) -> bool {
    let forms = forms(search, index);
    search.first_form(forms, |scenario, fault| scenario.faults[index] = fault).is_some()
}

/// The same fault at plainer times, the plainest first.
fn time_forms(search: &Search<'_>, index: usize) -> Vec<Fault> {
    let scenario = search.scenario();
    let firings = search.best.run.faults.get(index).map_or(&[][..], |planned| &planned.fired);
    let began = firings.iter().take(FIRINGS_MAX).map(|firing| Span::nanos(firing.from.as_nanos()));
    match scenario.faults[index].clone() {
        Fault::At(at, action) => {
            rounder(at).into_iter().chain(earlier(at)).map(|at| Fault::At(at, action.clone())).collect()
        }
        Fault::When(_, action) => began.map(|at| Fault::At(at, action.clone())).collect(),
        Fault::Every(_, length, action) | Fault::WhenFor(_, length, action) => {
            began.map(|from| Fault::During(from, from + length, action.clone())).collect()
        }
        Fault::During(from, until, action) => {
            let length = until - from;
            let lasting = (until >= scenario.run).then_some(Fault::At(from, action.clone()));
            let moved = rounder(from).into_iter().chain(earlier(from)).map(|from| (from, from + length));
            let ended = rounder(until).into_iter().filter(|end| from < *end && *end < until).map(|end| (from, end));
            let shortened =
                shorter(length, (length / 1_000).max(LENGTH_MIN)).into_iter().map(|length| (from, from + length));
            let times = shortened.chain(moved).chain(ended);
            lasting.into_iter().chain(times.map(|(from, until)| Fault::During(from, until, action.clone()))).collect()
        }
    }
}

/// Plainer faults at the same time.
fn action_forms(search: &Search<'_>, index: usize) -> Vec<Fault> {
    let fault = &search.scenario().faults[index];
    let names = names(&search.best.run, index);
    let with = |action| match fault.clone() {
        Fault::At(at, _) => Fault::At(at, action),
        Fault::During(from, until, _) => Fault::During(from, until, action),
        Fault::Every(period, length, _) => Fault::Every(period, length, action),
        Fault::When(trigger, _) => Fault::When(trigger, action),
        Fault::WhenFor(trigger, length, _) => Fault::WhenFor(trigger, length, action),
    };
    let action = fault.action();
    let neglected = if search.is_allowed() { neglected(action) } else { None };
    let plainer = plainer_actions(action, &names).into_iter().chain(neglected);
    plainer.chain(named(action, &names)).map(with).collect()
}

/// The nodes that a fault struck, where that was left to the run, then every other.
fn names(run: &Run, index: usize) -> Vec<String> {
    let struck = run.faults.get(index).into_iter().flat_map(|it| &it.fired).flat_map(|firing| &firing.struck);
    let mut names: Vec<String> = struck.map(|node| run.nodes[node.index()].name.clone()).collect();
    names.extend(run.nodes.iter().filter(|node| node.replica).map(|node| node.name.clone()));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The action with a name, or a part, in place of one target that is not a name.
fn named(action: &Action, names: &[String]) -> Vec<Action> {
    let mut forms = Vec::new();
    for (nth, (_, target)) in targets(action).into_iter().enumerate() {
        let plainer = match target {
            Target::Named(_) => continue,
            Target::Several(parts) => parts.clone(),
            Target::Leader
            | Target::Followers
            | Target::Minority
            | Target::Majority
            | Target::Random(_)
            | Target::Replicas
            | Target::Clients
            | Target::MostAdvanced
            | Target::MostBehind => names.iter().cloned().map(Target::Named).collect(),
        };
        for target in plainer {
            let mut form = action.clone();
            *targets_mut(&mut form)[nth].1 = target;
            forms.push(form);
        }
    }
    forms
}

/// A failover after which nobody sees to the old leader: it says less, but hurts more. Two leaders are the operator's
/// mistake, so that what they break is no broken promise.
fn neglected(action: &Action) -> Option<Action> {
    let Action::Failover { to, old } = action else { return None };
    (*old != OldLeader::Ignored).then(|| Action::Failover { to: to.clone(), old: OldLeader::Ignored })
}

/// What hurts less, or is easier to understand, than an action; the plainest first.
fn plainer_actions(action: &Action, names: &[String]) -> Vec<Action> {
    match action.clone() {
        Action::Halves | Action::MajorityRing | Action::Bridge(_) | Action::Swizzle { .. } => {
            names.iter().map(|name| Action::Isolate(Target::Named(name.clone()))).collect()
        }
        Action::Flapping { between, .. } | Action::Hold { link: between } => vec![Action::Cut { between }],
        Action::LoseHost { host, unsynced, wire } => {
            let plainest = (Unsynced::default(), Wire::default());
            let is_plain = (unsynced, wire) == plainest;
            let (unsynced, wire) = plainest;
            let lost = (!is_plain).then(|| Action::LoseHost { host: host.clone(), unsynced, wire });
            [Action::Kill(host)].into_iter().chain(lost).collect()
        }
        Action::Strobe { host, by, .. } => vec![Action::Jump { host, by }],
        Action::Rot { host, records } if records > 1 => vec![Action::Rot { host, records: 1 }],
        Action::Slow { link, by } => {
            delays(&by).into_iter().map(|by| Action::Slow { link: link.clone(), by }).collect()
        }
        Action::SlowDisk { host, by } => {
            delays(&by).into_iter().map(|by| Action::SlowDisk { host: host.clone(), by }).collect()
        }
        Action::Reordering { link, chance, by } => {
            let certain =
                shares(chance).into_iter().map(|chance| Action::Reordering { link: link.clone(), chance, by });
            let rounder = rounder(by).into_iter().map(|by| Action::Reordering { link: link.clone(), chance, by });
            certain.chain(rounder).collect()
        }
        Action::Duplicating { link, chance } => {
            shares(chance).into_iter().map(|chance| Action::Duplicating { link: link.clone(), chance }).collect()
        }
        Action::Failover { .. }
        | Action::Rot { .. }
        | Action::Lossy { .. }
        | Action::Throttled { .. }
        | Action::Cut { .. }
        | Action::OneWay { .. }
        | Action::Isolate(_)
        | Action::Kill(_)
        | Action::Restart(_)
        | Action::Start(_)
        | Action::Pause(_)
        | Action::SlowCpu { .. }
        | Action::Wipe(_)
        | Action::StallDisk(_)
        | Action::LyingSync(_)
        | Action::FullDisk(_)
        | Action::Snapshot(_)
        | Action::RestoreSnapshot(_)
        | Action::Jump { .. }
        | Action::Drift { .. }
        | Action::Freeze(_)
        | Action::Promote(_)
        | Action::Follow { .. }
        | Action::Rewind { .. }
        | Action::Reseed { .. }
        | Action::Demote(_)
        | Action::DropTable(_)
        | Action::TakeBackup(_)
        | Action::RestoreTo { .. }
        | Action::Configure { .. } => Vec::new(),
    }
}

/// Plainer delays: constants, and rounder ones.
fn delays(delay: &Distribution) -> Vec<Distribution> {
    match delay {
        Distribution::Constant(span) => rounder(*span).into_iter().map(Distribution::Constant).collect(),
        drawn => constants(drawn),
    }
}

/// Plainer shares of what is held back or doubled: everything, which leaves nothing to luck, or a round one. None is
/// proposed for a plainer one.
fn shares(share: Probability) -> Vec<Probability> {
    let plain = SHARES.into_iter().filter_map(Probability::new);
    plain.take_while(|plainer| *plainer != share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_becomes_a_plainer_one_and_never_leads_back() {
        let text = |share: &str| {
            let share = share.parse().expect("a share");
            shares(share).iter().map(Probability::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text("21.239025%"), "100% 50% 20% 10% 1%");
        assert_eq!(text("20%"), "100% 50%");
        assert_eq!(text("100%"), "");
    }

    #[test]
    fn what_is_held_back_is_made_certain() {
        let link = || (Target::Leader, Target::Followers);
        let chance = "21.239025%".parse().expect("a share");
        let action = Action::Reordering { link: link(), chance, by: Span::millis(1) };
        let plainest = Action::Reordering { link: link(), chance: Probability::ALWAYS, by: Span::millis(1) };
        assert_eq!(plainer_actions(&action, &[]).first(), Some(&plainest));
    }
}
