//! Leader–follower replication in the family's own words, of no system in particular: for the textbook's scenarios.
//!
//! ```ron
//! protocol: LeaderFollower(
//!     leader: "a",
//!     acknowledge: First(1, ["b", "c"]),
//!     progress: Flushed,
//!     log: Row,
//! )
//! ```
//!
//! The log is numbered by records, on through every epoch. `SemiSynchronous` is the arrangement of Kleppmann's *Designing
//! Data-Intensive Applications* (ch. 5): one follower is synchronous, and if it becomes slow or unavailable another
//! one is made synchronous in its place. MySQL's feature of that name does something else, and has its own profile.

use std::collections::BTreeMap;

use replisim_history::{NodeId, OpKind};
use replisim_kernel::Span;
use replisim_world::protocol::{FlawInfo, Problem};
use replisim_world::spec::ByteSize;
use serde::Deserialize;

use super::ack::{Acknowledge, Choice, Quorum};
use super::flaw::{self, Flaw};
use super::message::Refusal;
use super::profile::{Profile, Servers, Tree, intervals};
use super::rules::*;

/// Leader–follower replication in the family's own words.
#[derive(Clone, Debug)]
pub enum Plain {}

/// What can be set.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The host that leads at first; the first one, if empty.
    pub leader: String,
    /// For each follower that does not follow the leader: the follower that it follows.
    pub relays: BTreeMap<String, String>,
    /// Followers that are not there from the beginning. Started later, each copies its upstream's data first.
    pub joining: Vec<String>,
    /// Whose acknowledgement a commit needs.
    pub acknowledge: Wait,
    /// What a follower must have done before it acknowledges.
    pub progress: Progress,
    /// Whether others see a commit before the followers have acknowledged it.
    pub show_early: bool,
    /// What the log says of a change.
    pub log: Format,
    /// How much of the log is kept.
    pub retain: Retain,
    /// Whether log that a follower lacks is kept however long that takes.
    pub slots: bool,
    /// How often the data are written out, so that log can be dropped.
    pub checkpoint_interval: Span,
    /// Either side gives up a connection on which nothing came for so long.
    pub silence_max: Span,
    /// How long a follower waits between attempts to connect.
    pub retry_interval: Span,
    /// For how long a follower holds back what it received.
    pub delay: BTreeMap<String, Span>,
    /// How long a follower takes to apply one transaction.
    pub apply_time: Span,
    /// How many transactions it applies at the same time.
    pub apply_workers: u16,
    /// How many sessions may wait at once.
    pub connections_max: u32,
    /// How much data there is before the run begins.
    pub data_size: ByteSize,
    /// A mistake to make.
    pub flaw: Option<Flaw>,
}

/// Whose acknowledgement a commit needs.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub enum Wait {
    /// Nobody's.
    #[default]
    Asynchronous,
    /// Every follower's.
    All,
    /// One follower's; if it does not come within this time, another follower's in its place.
    SemiSynchronous(Span),
    /// Any so many followers'.
    Any(u16),
    /// Of so many of these, those listed first as far as they are connected.
    First(u16, Vec<String>),
}

/// How much of the log is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Retain {
    /// All of it.
    #[default]
    Everything,
    /// So many records before the last checkpoint.
    Records(u64),
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            leader: String::new(),
            relays: BTreeMap::new(),
            joining: Vec::new(),
            acknowledge: Wait::Asynchronous,
            progress: Progress::Flushed,
            show_early: false,
            log: Format::Row,
            retain: Retain::Everything,
            slots: false,
            checkpoint_interval: Span::secs(300),
            silence_max: Span::secs(10),
            retry_interval: Span::secs(1),
            delay: BTreeMap::new(),
            apply_time: Span::ZERO,
            apply_workers: 1,
            connections_max: 10_000,
            data_size: ByteSize(0),
            flaw: None,
        }
    }
}

impl Profile for Plain {
    const NAME: &'static str = "LeaderFollower";
    const ABOUT: &'static str = "leader and followers in general: any acknowledgement rule, log format and topology";
    type Settings = Settings;
    const SWARM: &'static str = include_str!("swarm.ron");
    const FLAWS: &'static [FlawInfo] = flaw::PLAIN;

    fn tree(settings: &Settings, servers: &Servers) -> Result<Tree, Vec<Problem>> {
        let tree = Tree::new(
            servers,
            ("leader", &settings.leader),
            ("relays", &settings.relays),
            ("joining", &settings.joining),
        );
        let mut others = servers.strangers("delay", settings.delay.keys());
        others.extend(intervals([
            ("checkpoint_interval", settings.checkpoint_interval),
            ("silence_max", settings.silence_max),
            ("retry_interval", settings.retry_interval),
        ]));
        if let Wait::SemiSynchronous(after) = settings.acknowledge {
            others.extend(intervals([("acknowledge", after)]));
        }
        if let Wait::First(_, names) = &settings.acknowledge {
            others.extend(names.iter().filter_map(|name| servers.expect(name, "acknowledge").err()));
        }
        if let Wait::Any(0) | Wait::First(0, _) = settings.acknowledge {
            others.push(Problem::new("acknowledge", "a commit waits for at least 1 follower, or is asynchronous"));
        }
        Tree::unless(tree, others)
    }

    fn rules(settings: &Settings, servers: &Servers, me: NodeId) -> Rules {
        let delay = settings.delay.get(servers.name(me)).copied().unwrap_or(Span::ZERO);
        Rules {
            acknowledge: acknowledge(settings, servers, me),
            progress: Some(settings.progress),
            unanswered: match settings.acknowledge {
                Wait::SemiSynchronous(after) => Unanswered::Replace { after },
                Wait::Asynchronous | Wait::All | Wait::Any(_) | Wait::First(..) => Unanswered::Block,
            },
            recount: Recount::AtOnce,
            flush: Flush::BeforeAnswer,
            show: if settings.show_early { Show::BeforeAcknowledgement } else { Show::AfterAcknowledgement },
            ship: Extent::Flushed,
            relay: Relay::Received,
            format: settings.log,
            numbering: Numbering::Records,
            resume: Resume::LastRecord,
            retention: match settings.retain {
                Retain::Everything => Retention::Forever,
                Retain::Records(keep) => {
                    Retention::Size { keep, segment: 1, slot_max: None, checkpoint_every: u64::MAX }
                }
            },
            slot: settings.slots,
            checkpoint_interval: settings.checkpoint_interval,
            before_copy: BeforeCopy::Nothing,
            liveness: Liveness {
                sender_timeout: settings.silence_max,
                receiver_timeout: settings.silence_max,
                status_interval: settings.silence_max / 6,
                retry_interval: settings.retry_interval,
                retry_at_once: false,
                persistence: Persistence::Unlimited,
                probing: Probing::Questions,
            },
            reporting: Reporting::AtProgress,
            replay: Replay { from: Extent::Flushed, delay, cost: settings.apply_time, workers: settings.apply_workers },
            rewind: Rewind::Supported,
            connections_max: settings.connections_max,
            data_bytes: settings.data_size.0,
            flaw: settings.flaw,
        }
    }

    fn set(settings: &mut Settings, name: &str, value: &str) -> Result<(), String> {
        match (name, value) {
            ("acknowledge", "Asynchronous") => settings.acknowledge = Wait::Asynchronous,
            ("acknowledge", "All") => settings.acknowledge = Wait::All,
            ("progress", "Written") => settings.progress = Progress::Written,
            ("progress", "Flushed") => settings.progress = Progress::Flushed,
            ("progress", "Applied") => settings.progress = Progress::Applied,
            _ => return Err("only `acknowledge` to Asynchronous or All and `progress` can be changed".to_owned()),
        }
        Ok(())
    }

    fn supports(_: &Settings, _: OpKind) -> bool {
        true
    }

    fn summary(settings: &Settings) -> String {
        let log = format!("{:?}", settings.log).to_ascii_lowercase();
        let wait = match &settings.acknowledge {
            Wait::Asynchronous => "asynchronous".to_owned(),
            Wait::All => "all followers acknowledge".to_owned(),
            Wait::SemiSynchronous(after) => format!("one follower acknowledges, replaced after {after}"),
            Wait::Any(count) => format!("any {count} acknowledge"),
            Wait::First(count, names) => format!("the first {count} of {} acknowledge", names.join(", ")),
        };
        format!("{wait}, {log} log")
    }

    fn flaw(settings: &Settings) -> Option<Flaw> {
        settings.flaw
    }

    fn complaint(refusal: Refusal) -> &'static str {
        match refusal {
            Refusal::Removed => "the log that it lacks has been dropped: it must be seeded anew",
            Refusal::Diverged => {
                "it has records that are not part of the history here: it must be rewound or seeded anew"
            }
            Refusal::Damaged => "a record that it lacks cannot be read",
            Refusal::NoData => "no data here",
        }
    }
}

/// Whom `me`, as leader, waits for.
fn acknowledge(settings: &Settings, servers: &Servers, me: NodeId) -> Acknowledge {
    let direct: Vec<NodeId> =
        servers.others(me).filter(|other| !settings.relays.contains_key(servers.name(*other))).collect();
    let (choice, count, members) = match &settings.acknowledge {
        Wait::Asynchronous => return Acknowledge::Asynchronous,
        Wait::All => (Choice::Any, direct.len() as u16, direct),
        Wait::SemiSynchronous(_) => (Choice::First, 1, direct),
        Wait::Any(count) => (Choice::Any, *count, direct),
        Wait::First(count, names) => {
            let listed = names.iter().filter_map(|name| servers.find(name)).filter(|server| *server != me).collect();
            (Choice::First, *count, listed)
        }
    };
    Acknowledge::Quorum(Quorum { choice, count, members })
}
