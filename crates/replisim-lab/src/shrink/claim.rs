//! What stays as it is where nothing but the scenario's word says that a check holds.
//!
//! A protocol that promises is asked of every smaller scenario whether it still does. A scenario cannot be asked. Its author
//! wrote `expect: { ReadYourWrites: Holds }` of these settings, of clients that read there and wait so long, of a promotion
//! that comes a second after the last slow packet. With any of this changed the check may be violated for another reason,
//! and nobody has said that it is not. So whatever is written stays, and so does the time of it. What chance has put beside
//! it may go, and be certain where it was not:
//!
//! | of | stays | may change |
//! |---|---|---|
//! | the protocol | every setting | |
//! | the cluster | hosts, clocks, links, disks | a constant that might have been drawn in place of a delay; no loss |
//! | faults | those that are written down | those that a swarm drew may go, but not move |
//! | clients | where they read, how often they try, how long they wait, how much they write | fewer sessions |
//! | operations | those that are left, and when | the others go |
//! | the run | while anything lasts that is written down | what comes after |

use replisim_kernel::Probability;
use replisim_world::spec::{ClientGroup, Cluster, Fault};

use super::script::lines;
use super::time::fault_until;
use super::{cluster, round};
use crate::{Experiment, Scenario};

/// A scenario that says that a check holds.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Claim {
    claimed: Scenario,
    /// What its swarm drew.
    drawn: Vec<Fault>,
}

impl Claim {
    /// What an experiment says of its run under `seed`. The last `spelled_out` of the faults that it writes down were drawn.
    pub fn of(experiment: &Experiment, seed: u64, spelled_out: usize) -> Self {
        let mut claimed = experiment.scenario.clone();
        claimed.clients.iter_mut().for_each(|group| group.script.clear());
        claimed.faults.truncate(claimed.faults.len().saturating_sub(spelled_out));
        let drawn = experiment.plan(seed).faults.split_off(claimed.faults.len());
        Claim { claimed, drawn }
    }

    /// Whether it is said of a smaller scenario, too.
    pub fn covers(&self, smaller: &Scenario) -> bool {
        let behaves = |group: &ClientGroup| self.claimed.clients.iter().any(|claimed| behave_alike(group, claimed));
        smaller.protocol == self.claimed.protocol
            && is_certain_case(&smaller.cluster, &self.claimed.cluster)
            && self.covers_faults(smaller)
            && smaller.clients.iter().all(behaves)
    }

    fn covers_faults(&self, smaller: &Scenario) -> bool {
        if smaller.swarm.is_some() {
            return smaller.swarm == self.claimed.swarm && smaller.faults == self.claimed.faults;
        }
        let Some((written, left)) = smaller.faults.split_at_checked(self.claimed.faults.len()) else { return false };
        // A run that ends earlier ends what is in force.
        let mut drawn = self.drawn.iter().filter_map(|fault| fault_until(fault, smaller.run));
        written == self.claimed.faults && left.iter().all(|fault| drawn.any(|other| other == *fault))
    }
}

/// Whether a scenario has no operation that `whole` does not have at the same time, unless it is the first to spell them
/// out.
pub(super) fn only_leaves_out(whole: &Scenario, smaller: &Scenario) -> bool {
    let spelled_out = |it: &Scenario| it.clients.iter().filter(|group| !group.script.is_empty()).count();
    let mut before = lines(whole).into_iter().map(|line| line.op);
    spelled_out(smaller) > spelled_out(whole) || lines(smaller).iter().all(|line| before.any(|other| other == line.op))
}

/// Whether a group does what another one does, be it fewer sessions for a shorter time. What is spelled out need not say any
/// more how it was drawn.
fn behave_alike(group: &ClientGroup, said: &ClientGroup) -> bool {
    let ClientGroup { sessions, until, arrive, mix, keys, transaction_size, from, .. } = said.clone();
    let alike = ClientGroup { sessions, until, script: Vec::new(), ..group.clone() };
    let alike = match group.script.is_empty() {
        true => alike,
        false => ClientGroup { arrive, mix, keys, transaction_size, from, ..alike },
    };
    alike == *said
}

/// Whether a cluster is another one in which less is left to luck.
fn is_certain_case(cluster: &Cluster, said: &Cluster) -> bool {
    let (mut cluster, mut said) = (cluster.clone(), said.clone());
    for (delay, drawn) in cluster::delays(&mut cluster).into_iter().zip(cluster::delays(&mut said)) {
        if round::constants(drawn).contains(delay) {
            *delay = drawn.clone();
        }
    }
    // What gets lost, doubled or overtaken is drawn, and chance may spare everything.
    let (links, drawn) = (&mut cluster.links, &said.links);
    for (chance, drawn) in [(&mut links.loss, drawn.loss), (&mut links.duplicate, drawn.duplicate)] {
        *chance = if *chance == Probability::NEVER { drawn } else { *chance };
    }
    if links.reorder == Probability::NEVER {
        (links.reorder, links.reorder_by) = (drawn.reorder, drawn.reorder_by);
    }
    links.burst = links.burst.or(drawn.burst);
    cluster == said
}
