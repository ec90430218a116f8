//! What a protocol tells the catalog: its name, its settings, who runs where, and what it promises.

use std::collections::BTreeMap;

use replisim_history::{Check, NodeId, OpKind, Promise};
use replisim_kernel::Span;
use serde::de::DeserializeOwned;

use crate::process::Process;
use crate::spec::{ClientGroup, FaultFamily, Topology};

/// A protocol that scenarios can name. Registering one gives it every command: run, replay, fuzz, shrink, report.
pub trait Protocol: Process {
    /// The name in a scenario's `protocol:` field.
    const NAME: &'static str;
    /// One sentence for `replisim list`.
    const ABOUT: &'static str;
    /// What a scenario says of it, in the system's own words and with its own defaults.
    type Settings: DeserializeOwned + Clone + Send + Sync + 'static;
    /// Mistakes that can be switched on by the setting `flaw`, to see whether they are found.
    const FLAWS: &'static [FlawInfo] = &[];

    /// A scenario, as text, that leaves to a swarm whatever can be left to one: what is fuzzed when only the protocol is
    /// named.
    fn swarm() -> String {
        format!("Scenario(cluster: (size: 3), protocol: {}(), swarm: ())", Self::NAME)
    }

    /// The processes of a cluster: which run on which host, each with its configuration. All mistakes in the settings
    /// are returned at once.
    fn assemble(settings: &Self::Settings, topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>>;

    /// Changes one setting of a running process, as [`Command::Configure`](crate::process::Command::Configure) asks it to.
    /// It is tried out before a run begins, so that no such order is one that nobody would obey. By default there is
    /// none.
    ///
    /// # Errors
    /// Why there is no such setting, or it cannot be this value.
    fn set(_settings: &mut Self::Settings, _name: &str, _value: &str) -> Result<(), String> {
        Err("the protocol has no setting that can be changed while it runs".to_owned())
    }

    /// The operations it understands.
    fn supports(settings: &Self::Settings, kind: OpKind) -> bool;

    /// What it promises in these circumstances, for every check. [`Check::ALWAYS`] goes without saying.
    fn promises(settings: &Self::Settings, circumstances: &Circumstances<'_>) -> BTreeMap<Check, Promise>;

    /// The settings in a few words, for a report's title: `FIRST 1 (s1, s2), synchronous_commit on`.
    fn summary(settings: &Self::Settings) -> String;
}

/// A mistake that implementers have made, or are warned of: off unless a scenario says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlawInfo {
    /// What the setting `flaw` calls it.
    pub name: &'static str,
    /// What is done wrong, in a sentence.
    pub about: &'static str,
    /// Who made it, or warns of it.
    pub source: &'static str,
    /// A scenario's text in which everything holds without it, and something breaks with it under some seeds.
    pub stage: &'static str,
    /// The file of that text, from the root of the repository that it is in.
    pub stage_file: &'static str,
}

/// One process of a cluster.
#[derive(Clone, Debug)]
pub struct Member<P: Process> {
    /// Its name. A cluster's only process on a host usually has the host's.
    pub name: String,
    /// The host it runs on, as an index into [`Topology::hosts`].
    pub host: usize,
    /// Whether it starts with the cluster, or waits until something starts it.
    pub starts: bool,
    /// Whether it holds data and must converge.
    pub replica: bool,
    /// What it is told whenever it starts.
    pub config: P::Config,
}

/// What a promise depends on beside the settings: what goes wrong, for how long, who asks and how, and who stands where.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The families of the faults that are written down or may be drawn.
    pub faults: &'a [FaultFamily],
    /// Whether an operator changes a setting, replaces a server's data or promotes one by hand in between: orders that are
    /// carried out to the letter, whatever that loses. [`Action::reconfigures`](crate::spec::Action::reconfigures) tells.
    pub reconfigured: bool,
    /// Whether an operator takes a server out of replication, or points it at another one.
    /// [`Action::detaches`](crate::spec::Action::detaches) tells.
    pub detached: bool,
    /// How long the run lasts at most, the quiet time after the heal included.
    pub lasts: Span,
    /// By how much a wall clock is wrong at most, ahead or behind: by the cluster's own settings and by the faults that are
    /// written down or may be drawn, all at once.
    pub clock_error: Span,
    /// Everybody who asks for something.
    pub clients: &'a [ClientGroup],
    /// Every machine.
    pub topology: &'a Topology,
}

/// A mistake in a scenario that its syntax does not show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where, as a path below the settings: `synchronous_standby_names`, `members[2].priority`.
    pub path: String,
    /// The part of the text at fault, if it is only a part: the unknown name within a longer string.
    pub within: Option<String>,
    /// What is wrong, in lower case: ``unknown host `s3` ``.
    pub message: String,
    /// What is accepted: `hosts are p, s1, s2`.
    pub accepted: Option<String>,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// Addresses are given in the order of members: the first member is node 0.
impl<P: Process> Member<P> {
    /// The address of the `index`-th member.
    pub fn address(index: usize) -> NodeId {
        NodeId(index as u16)
    }
}

impl Circumstances<'_> {
    /// Whether there may be a fault of any of these families.
    pub fn may_have(&self, families: &[FaultFamily]) -> bool {
        families.iter().any(|family| self.faults.contains(family))
    }
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { path: path.into(), within: None, message: message.into(), accepted: None, suggestion: None }
    }
}
