//! The clients: sessions on application servers, what they ask for, how often, of whom, and how long they wait.

use indexmap::IndexMap;
use replisim_history::OpKind;
use replisim_kernel::{Distribution, Span};
use serde::{Deserialize, Serialize};

/// A group of sessions that behave alike.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientGroup {
    /// How many sessions.
    pub sessions: u32,
    /// Where their application servers stand: a region, a zone, or a host of the cluster. Empty for the first zone.
    pub at: String,
    /// How many application servers serve the group.
    pub servers: u16,
    /// Whether a session stays with its server.
    pub hop: Hop,
    /// When operations begin.
    pub arrive: Arrival,
    /// The share of each kind of operation, as weights.
    pub mix: IndexMap<OpKind, u32>,
    /// Which keys they touch.
    pub keys: Keys,
    /// How many operations a transaction has.
    pub transaction_size: u32,
    /// Declared size of a written value in bytes.
    pub value_bytes: u32,
    /// Where reads go.
    pub reads: Routing,
    /// How long a session waits for an answer.
    pub timeout: Span,
    /// How often an operation that certainly did not happen is tried again, elsewhere if need be.
    pub retries: u32,
    /// How long it waits before it tries again.
    pub backoff: Span,
    /// When the first operation may begin.
    pub from: Span,
    /// When the last operation may begin; the end of the run if not given.
    pub until: Option<Span>,
    /// Operations spelled out, in place of `arrive`, `mix` and `keys`: one list for each session in turn.
    pub script: Vec<Vec<ScriptedOp>>,
}

/// Which application server a session's next operation goes through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Hop {
    /// Always the same.
    #[default]
    Never,
    /// The next one for each operation, as behind a load balancer without affinity, or a user with two devices.
    EveryOperation,
}

/// When operations begin.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Arrival {
    /// Open loop: each session begins one at this interval, whether or not the last has ended; late ones queue up.
    Every(Span),
    /// Open loop: each session begins them at random with this mean interval (a Poisson process).
    Poisson(Span),
    /// Closed loop: each session thinks this long after an answer.
    Think(Distribution),
}

/// Which keys are touched.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Keys {
    /// Each of `count` keys as likely as any other.
    Uniform {
        /// How many keys.
        count: u64,
    },
    /// The i-th of `count` keys with a chance in proportion to 1 / i^`exponent`.
    Zipf {
        /// How many keys.
        count: u64,
        /// How skewed: 0 is uniform, 0.99 is the usual web workload.
        exponent: f64,
    },
    /// Every write makes a new key (an insert); reads pick a key this session inserted before.
    Fresh,
    /// Every session has `count` keys that no other session writes; reads pick among the session's own.
    PerSession {
        /// How many keys a session has.
        count: u64,
    },
}

/// Where reads go. Writes always go to the leader, or to any replica where there is none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Routing {
    /// To the leader.
    Leader,
    /// To any replica, leader included, at random for each read.
    Any,
    /// To any follower, at random for each read.
    AnyFollower,
    /// To the replica with the shortest way from the application server.
    Nearest,
    /// To this host's replica.
    Host(String),
    /// To one follower, the same as long as it answers.
    Sticky,
    /// To the leader for a while after the session's own write, by the application server's wall clock; else to any
    /// follower.
    Pin {
        /// For how long.
        window: Span,
        /// Where the time of the last write is remembered.
        memory: PinMemory,
    },
    /// To any follower, with a position that it must have reached: the follower waits until it has.
    Token {
        /// What the position stands for.
        remembers: Remembers,
        /// How long the follower may wait.
        wait: Span,
        /// Whether a read that cannot be served in time goes to the leader; else it fails. It is never stale.
        fallback: bool,
    },
}

/// What a session's token stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Remembers {
    /// The session's last write: enough to read one's own writes.
    Writes,
    /// The session's last write or read, whichever is later: enough for monotonic and causally consistent reads.
    WritesAndReads,
}

/// Where a pin is remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PinMemory {
    /// In the application server's process: another server knows nothing of it, and a restart forgets it.
    Process,
    /// In a store that all application servers share.
    Shared,
}

/// One operation of a script: `(at: "1s", op: Write, key: 1)`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedOp {
    /// Not before this time of the run, and not before the session's last operation has ended.
    #[serde(default)]
    pub at: Span,
    /// What to do. Values are the session's own, as everywhere.
    pub op: OpKind,
    /// To which key.
    #[serde(default)]
    pub key: u64,
    /// What a transaction does, each with its key: `[(Read, 3), (Write, 5)]`. Without it, one write to `key`.
    #[serde(default)]
    pub parts: Vec<(OpKind, u64)>,
    /// Where to read, in place of the group's routing.
    #[serde(default)]
    pub reads: Option<Routing>,
}

impl Default for ClientGroup {
    fn default() -> Self {
        ClientGroup {
            sessions: 5,
            at: String::new(),
            servers: 1,
            hop: Hop::Never,
            arrive: Arrival::Every(Span::millis(10)),
            mix: IndexMap::from([(OpKind::Read, 1), (OpKind::Write, 1)]),
            keys: Keys::Uniform { count: 100 },
            transaction_size: 2,
            value_bytes: 100,
            reads: Routing::Leader,
            timeout: Span::secs(5),
            retries: 0,
            backoff: Span::millis(100),
            from: Span::ZERO,
            until: None,
            script: Vec::new(),
        }
    }
}
