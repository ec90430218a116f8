//! What the engine lets a profile decide: every choice on which real systems differ, as closed enums.
//!
//! A profile reads settings in its system's own words and translates them into [`Rules`]. The engine knows nothing but
//! these; it never asks which system it is.

use replisim_kernel::Span;
use serde::Deserialize;

use super::ack::{Acknowledge, Quorum};
use super::flaw::Flaw;
use super::message::Refusal;

/// How one server behaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Whose acknowledgement commits need.
    pub acknowledge: Acknowledge,
    /// What a follower must have done with a commit's record before that is acknowledged; `None` if commits made now do not
    /// wait, though earlier ones may.
    pub progress: Option<Progress>,
    /// What happens when acknowledgements do not come.
    pub unanswered: Unanswered,
    /// When commits that wait are judged by changed settings.
    pub recount: Recount,
    /// When a commit's record reaches the leader's own disk.
    pub flush: Flush,
    /// When a commit becomes visible to others on the leader.
    pub show: Show,
    /// Which records a sender may ship.
    pub ship: Extent,
    /// Which of them a follower that others follow may ship on.
    pub relay: Relay,
    /// What the log says of a change.
    pub format: Format,
    /// How positions in the log are numbered.
    pub numbering: Numbering,
    /// Where a follower that connects begins to read.
    pub resume: Resume,
    /// How much of the log is kept for followers that are away.
    pub retention: Retention,
    /// Whether this server, as a follower, has its upstream keep a slot: log that it lacks is then not dropped.
    pub slot: bool,
    /// How often the data is written out, so that the log before it is no longer needed for recovery.
    pub checkpoint_interval: Span,
    /// What comes before a copy of all data.
    pub before_copy: BeforeCopy,
    /// When a connection is given up, and tried again.
    pub liveness: Liveness,
    /// When this server, as a follower, tells its upstream unasked how far it has come.
    pub reporting: Reporting,
    /// How a follower applies what it has received.
    pub replay: Replay,
    /// How a server that has diverged can be brought back without copying everything.
    pub rewind: Rewind,
    /// How many sessions may wait at once; further requests are refused.
    pub connections_max: u32,
    /// How much data there is beside what clients write: what a copy takes time for.
    pub data_bytes: u64,
    /// What it does wrong on purpose.
    pub flaw: Option<Flaw>,
}

/// How far a follower has come with a record. Each level includes those before it. [`super::plain`] has a setting of this
/// type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
pub enum Progress {
    /// Handed to the operating system: survives the follower's process.
    Written,
    /// Synced: survives the follower's host.
    Flushed,
    /// Applied: visible to the follower's readers.
    Applied,
}

/// What happens when acknowledgements do not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unanswered {
    /// Commits wait for as long as it takes.
    Block,
    /// After this long the leader goes on without, releases everybody who waits, and waits again once a follower has
    /// caught up.
    FallBack {
        /// How long one commit waits.
        after: Span,
        /// Whether it waits at all while too few followers are connected.
        wait_alone: bool,
    },
    /// After this long the slow follower goes to the end of the list, and the next one must acknowledge in its place.
    Replace {
        /// How long one commit waits.
        after: Span,
    },
}

/// When commits that wait are judged by changed settings. If these say to wait for nobody, that is at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recount {
    /// At once: what followers have reported so far counts.
    AtOnce,
    /// When a follower whose word counts reports next.
    AtReport,
}

/// When a commit's record reaches the leader's own disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// Before the commit is acknowledged. Commits that arrive during one sync share the next.
    BeforeAnswer,
    /// It is handed to the operating system at once, and synced when so many commits have gathered: a loss of the host
    /// loses what was not.
    EveryNth(u32),
    /// It stays in the process's memory until a page is full or a moment has passed: a loss of the process loses it.
    Buffered {
        /// How long at most.
        delay: Span,
        /// The size of a page in bytes.
        page_bytes: u64,
    },
}

/// When a commit becomes visible to others on the leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    /// Once it is acknowledged by the followers it waits for.
    AfterAcknowledgement,
    /// As soon as the leader itself has it; only the author waits for the followers.
    BeforeAcknowledgement,
}

/// How much of its log a server uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All that is written.
    Written,
    /// What is synced.
    Flushed,
}

/// Which records a follower ships on to those that follow it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relay {
    /// What it has received, applied or not: it passes on the log itself.
    Received,
    /// What it has applied: it writes a log of its own as it applies, and its lag is handed down with it.
    Applied,
}

/// What the log says of a change. [`super::plain`] has a setting of this type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Format {
    /// The bytes that changed in the data files.
    Physical,
    /// The rows that changed.
    Row,
    /// The statement. Each replica executes it, and makes up its own random numbers.
    Statement,
    /// The statement, unless it is not deterministic; then the rows.
    Mixed,
}

/// How positions in the log are numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbering {
    /// By bytes since the beginning, on through every epoch: PostgreSQL's LSN.
    Bytes,
    /// By records since the beginning, on through every epoch.
    Records,
    /// By transactions of one source, each source on its own: MySQL's GTID. A replica's history is a set, and may have
    /// members that its source lacks.
    PerEpoch,
}

/// Where a follower that connects begins to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resume {
    /// After the last record it has.
    LastRecord,
    /// At the beginning of the log segment that its last record is in: it reads again what it already has.
    SegmentStart,
}

/// How much of the log is kept for followers that are away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retention {
    /// Everything.
    Forever,
    /// What is younger than this, by the time stamps in the log.
    Age(Span),
    /// What recovery needs, and this much before it, in whole segments. All four count as the log's numbering does: in
    /// bytes, or in records.
    Size {
        /// How much.
        keep: u64,
        /// The size of a segment.
        segment: u64,
        /// How much a slot may hold back before it is given up; no limit if not given.
        slot_max: Option<u64>,
        /// Checkpoint early once this much has been written since the last one.
        checkpoint_every: u64,
    },
}

/// What comes before a copy of all data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BeforeCopy {
    /// Nothing: it is of the data as they are shown when somebody asks for it.
    Nothing,
    /// A checkpoint that begins after somebody has asked: the copy is of the data as they were then. It comes to nothing if
    /// its source is promoted meanwhile.
    Checkpoint(Pace),
}

/// How fast a checkpoint is that somebody waits for. [`super::postgresql`] has a setting of this type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Pace {
    /// Spread over as much time as any other, so as not to disturb.
    #[default]
    Spread,
    /// As fast as it can be.
    Fast,
}

/// When a connection is given up, and tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Liveness {
    /// A sender ends the connection when its follower has been silent for so long; at half of it, it asks.
    pub sender_timeout: Span,
    /// A receiver ends the connection when its upstream has been silent for so long.
    pub receiver_timeout: Span,
    /// How an upstream that has nothing to send shows a receiver that it is there.
    pub probing: Probing,
    /// A receiver reports at least this often.
    pub status_interval: Span,
    /// How long after one attempt to connect the next one follows.
    pub retry_interval: Span,
    /// Whether the first attempt after a connection broke is made at once, however recent the last one was.
    pub retry_at_once: bool,
    /// For how long a follower goes on trying.
    pub persistence: Persistence,
}

/// How an upstream that has nothing to send shows a receiver that it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probing {
    /// The receiver asks at half of its timeout, as that is at the time.
    Questions,
    /// The receiver asks nothing. When it connects it has the upstream say something at every half of its timeout at the
    /// latest, and goes by that timeout for as long as the connection lasts.
    Heartbeats,
}

/// For how long a follower that is not served goes on trying. One that has given up follows nobody until an operator has it
/// follow somebody, or it starts again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Persistence {
    /// Always: whatever it is told, an operator may mend that.
    Unlimited,
    /// Until so many attempts in a row have come to nothing, or its upstream has said that what it asks for cannot be had.
    Attempts(u32),
    /// Until its upstream has said that what it asks for cannot be had.
    UntilRefused,
}

/// When a follower tells its upstream how far it has come, beside when a connection begins, at every status interval, and
/// when it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reporting {
    /// As soon as a record has reached the progress that commits wait for; not at all if none does.
    AtProgress,
    /// The same, and whenever it has synced something, whether or not anybody waits for that.
    AtSync,
    /// Once it has applied all that it may, and goes idle. Until then it says nothing of what is written or synced: commits
    /// wait for its replay to run dry though they asked for less. Those that ask to be applied it tells of as they are.
    WhenIdle,
}

/// How a follower applies what it has received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replay {
    /// Which records it may apply.
    pub from: Extent,
    /// How long it holds back each record, counted from when its upstream committed it. A relay that passes on the log it
    /// has received does not commit again: then the leader's own time stamp counts.
    pub delay: Span,
    /// How long it takes to apply one transaction.
    pub cost: Span,
    /// How many transactions it can apply at the same time.
    pub workers: u16,
}

/// How a server that has diverged can be brought back without copying everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rewind {
    /// It cannot: everything is copied.
    Unsupported,
    /// Always, as far as its log goes back to the fork.
    Supported,
    /// As `pg_rewind` does: the source is judged by its last checkpoint.
    ByCheckpoint,
    /// It could, but its settings are not made for it: for this reason, in the system's words.
    Refused(&'static str),
}

impl Progress {
    /// Every level, the least first.
    pub const ALL: [Progress; 3] = [Progress::Written, Progress::Flushed, Progress::Applied];
}

impl Rules {
    /// Whose acknowledgement a commit made now needs, and of what; `None` if nobody's.
    pub fn awaited(&self) -> Option<(&Quorum, Progress)> {
        match &self.acknowledge {
            Acknowledge::Asynchronous => None,
            Acknowledge::Quorum(quorum) => Some((quorum, self.progress?)),
        }
    }

    /// Whether this is what the server does wrong.
    pub fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

impl Numbering {
    /// The index of the record that follows index `last` in the same epoch and is `bytes` long.
    pub fn after(self, last: u64, bytes: u32) -> u64 {
        match self {
            Numbering::Bytes => last + u64::from(bytes),
            Numbering::Records | Numbering::PerEpoch => last + 1,
        }
    }

    /// The index at which a new epoch begins, on a log whose last index is `tip`.
    pub fn epoch_begins(self, tip: u64) -> u64 {
        match self {
            Numbering::Bytes | Numbering::Records => tip,
            Numbering::PerEpoch => 0,
        }
    }

    /// Whether a replica's history is always one unbroken prefix of its upstream's, so that indexes alone tell where
    /// to go on.
    pub fn is_one_log(self) -> bool {
        match self {
            Numbering::Bytes | Numbering::Records => true,
            Numbering::PerEpoch => false,
        }
    }
}

impl Format {
    /// Whether the log carries the statement itself when `deterministic` says whether it gives the same everywhere.
    pub fn logs_statement(self, deterministic: bool) -> bool {
        match self {
            Format::Physical | Format::Row => false,
            Format::Statement => true,
            Format::Mixed => deterministic,
        }
    }
}

impl Liveness {
    /// After a silence of `silent` so far: how long until it means something under `timeout`, first at half of it and
    /// then at the end.
    pub fn next_look(timeout: Span, silent: Span) -> Span {
        let next = if silent < timeout / 2 { timeout / 2 } else { timeout };
        next - silent
    }
}

impl Persistence {
    /// Whether so many attempts in a row that came to nothing are enough.
    pub fn ends_after(self, failed: u32) -> bool {
        match self {
            Persistence::Attempts(most) => failed >= most,
            Persistence::Unlimited | Persistence::UntilRefused => false,
        }
    }

    /// Whether an upstream that refuses for this reason is not asked again. One that has no data itself may get some.
    pub fn ends_at(self, refusal: Refusal) -> bool {
        match self {
            Persistence::Unlimited => false,
            Persistence::Attempts(_) | Persistence::UntilRefused => refusal != Refusal::NoData,
        }
    }
}

impl Flush {
    /// How long at most a record stays unsynced.
    pub fn delay(self) -> Span {
        match self {
            Flush::BeforeAnswer => Span::ZERO,
            Flush::EveryNth(_) => WRITEBACK_DELAY,
            Flush::Buffered { delay, .. } => delay,
        }
    }
}

/// How long the operating system lets written pages be before it syncs them by itself: Linux's
/// `vm.dirty_expire_centisecs`.
const WRITEBACK_DELAY: Span = Span::secs(30);
