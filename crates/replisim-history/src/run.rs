//! A finished run: the narrow waist between what simulates and what reads.

use replisim_kernel::{Digest, SimTime, Span, Tape};
use serde::{Deserialize, Serialize};

use crate::{Cell, History, NodeId, Trace};

/// Everything a run leaves behind.
#[derive(Clone, Debug)]
pub struct Run {
    /// The seed it was drawn from.
    pub seed: u64,
    /// A hash of everything that happened. The same scenario, seed and version give the same one everywhere.
    pub fingerprint: Digest,
    /// How many events were handled.
    pub events: u64,
    /// How much time passed in the simulation, quiet phase included.
    pub simulated: Span,
    /// Everything with an address, by [`NodeId`].
    pub nodes: Vec<NodeInfo>,
    /// Every session, by [`crate::SessionId`].
    pub sessions: Vec<SessionInfo>,
    /// The faults that were planned, in order, with when each began and ended.
    pub faults: Vec<PlannedFault>,
    /// What a person would tell of the run: promotions, stalls, fall-backs, refusals.
    pub milestones: Vec<Milestone>,
    /// What clients saw and replicas held.
    pub history: History,
    /// When operations were due that never began, for their session was busy until the clients stopped; in no order.
    pub never_begun: Tape<SimTime>,
    /// For each node, how far behind the node in charge each record was applied, in order of application.
    pub lags: Vec<Tape<Span>>,
    /// How the run came to rest.
    pub settling: Settling,
    /// Where it has been, in ascending order; empty unless it was watched.
    pub coverage: Vec<Cell>,
    /// Every event, if it was asked for.
    pub trace: Option<Trace>,
}

/// Something with an address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Its name in the scenario.
    pub name: String,
    /// The host it lives on.
    pub host: String,
    /// The host's zone.
    pub zone: String,
    /// The zone's region.
    pub region: String,
    /// Whether it holds data. Application servers and agents do not.
    pub replica: bool,
}

/// Where a session lives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The application server that its first operation is sent from.
    pub server: NodeId,
    /// The group of sessions it belongs to, as numbered in the scenario.
    pub group: u32,
}

/// A fault of the plan and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedFault {
    /// In the scenario's words.
    pub text: String,
    /// Each time it was in force.
    pub fired: Vec<Firing>,
}

/// One time that a fault was in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Firing {
    /// Since when.
    pub from: SimTime,
    /// Until when; [`SimTime::NEVER`] if nothing ended it.
    pub until: SimTime,
    /// Whom it struck, where its words leave that to chance or to the state of the run: `leader`, `random 1`.
    pub struck: Vec<NodeId>,
}

/// Something a person would tell of the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Milestone {
    /// When, in true time.
    pub at: SimTime,
    /// Where; `None` for what befalls no single node.
    pub node: Option<NodeId>,
    /// What, in a few words.
    pub text: String,
}

/// How a run came to rest after its faults ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settling {
    /// When all faults ended and the clients stopped.
    pub healed: SimTime,
    /// How long it took from there until the last replica came to hold what all hold at the end; `None` if they do not all
    /// hold the same, or the run did not come to its end.
    pub converged_after: Option<Span>,
}
