//! The contract between a protocol and the world: a process is a value that answers inputs with effects.
//!
//! ```text
//!            Input                         Effect
//!   world ──────────▶ Process::on(cx, …) ──────────▶ world
//!            message, timer, request,      send, set timer, append,
//!            stream opened or closed,      sync, reply, note
//!            synced, operator's command
//! ```
//!
//! A process does no I/O, reads no wall clock and keeps no shared state. It learns the time from its own (skewed)
//! clock, chance from its own stream, and the past from its own journal; all three come in through [`Cx`]. It acts by
//! pushing effects, which the world settles in order once the handler has returned. Because a process is `Clone`, a
//! whole run can be forked, rewound and shrunk.

use std::fmt;
use std::hash::Hash;

use replisim_history::{Cell, Contents, Key, Lineage, Made, NodeId, Op, Outcome, Position, Reason, Seen, SessionId};
use replisim_kernel::{SimTime, Span, Stream};
use serde::{Deserialize, Serialize};

use crate::clock::{Clocks, Monotonic, WallTime};
use crate::disk::Journal;

/// Something that runs on a host and lives on the network: a replica, a failover manager, a proxy, a lock service.
pub trait Process: Clone + fmt::Debug + Send + Sync + 'static {
    /// What it is told when it first starts, and again whenever it restarts.
    type Config: Clone + fmt::Debug + Send + Sync + 'static;
    /// What it sends to others. `Display` is the trace notation; `Hash` is what the fingerprint folds in.
    type Message: Payload + fmt::Display;
    /// The names of its timers. Setting a timer again replaces it.
    type Timer: Copy + Ord + Hash + fmt::Debug + Send + Sync + 'static;
    /// What it writes to its journal.
    type Record: Payload;
    /// The names of the states that [`Process::state`] tells apart, at most [`STATES_MAX`]: what a search for failures
    /// takes for a new place. A protocol that names none is told apart by its roles.
    const STATES: &'static [&'static str] = &Role::NAMES;

    /// The first start *and* every restart: whatever survived is in `cx.journal()`.
    fn boot(cx: &mut Cx<'_, Self>, config: &Self::Config) -> Self;

    /// Answers one input. A panic ends the run and is found like any other failure: assert what must be true.
    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>);

    /// What an observer may know of it: for traces, triggers, fault targets and invariants.
    fn view(&self) -> View;

    /// Which of [`Process::STATES`] it is in.
    fn state(&self) -> u8 {
        self.view().role as u8
    }

    /// Its data and the records it is made of, for a process that holds data.
    fn contents(&self) -> Option<(&Contents, &Lineage)> {
        None
    }
}

/// What travels or is stored: countable in bytes.
pub trait Payload: Clone + Hash + fmt::Debug + Send + Sync + 'static {
    /// Its size on the wire or on disk, headers included; 128 unless it says otherwise, of the order of a small record.
    fn bytes(&self) -> u32 {
        128
    }
}

/// Everything that can happen to a process.
#[derive(Clone, Debug)]
pub enum Input<P: Process> {
    /// A datagram arrived.
    Message {
        /// Its sender.
        from: NodeId,
        /// What it says.
        message: P::Message,
    },
    /// A stream is up: one this process asked for, or (`incoming`) one a peer asked for.
    Opened {
        /// The stream.
        stream: StreamId,
        /// The process at the other end.
        peer: NodeId,
        /// Whether the peer asked for it.
        incoming: bool,
    },
    /// A message arrived on a stream, in the order it was sent.
    Segment {
        /// The stream.
        stream: StreamId,
        /// The process at the other end.
        peer: NodeId,
        /// What it says.
        message: P::Message,
    },
    /// A stream is gone, or could not be opened. Nothing more comes from it.
    Closed {
        /// The stream.
        stream: StreamId,
        /// The process at the other end.
        peer: NodeId,
        /// What became known of the reason.
        why: Closing,
    },
    /// A timer went off.
    Timer(P::Timer),
    /// A client asks for something; answer with [`Cx::reply`], now or later.
    Request(Box<Request>),
    /// A sync is done: every record before journal position `upto` that was there when it began is now durable, as far as
    /// the disk says. [`Journal::control_is_synced`] tells whether the control record is.
    Synced {
        /// The first position not covered.
        upto: u64,
    },
    /// A write or sync failed for good. Most systems give up here.
    DiskFailed(DiskError),
    /// Somebody with access to the machine asks for something.
    Operator(Command),
}

/// How a stream ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Closing {
    /// The peer closed it in good order, or its process ended and its kernel did so.
    Finished,
    /// The peer's host knows of no such connection: it broke while data was under way.
    Reset,
    /// Nothing listens at the peer's host.
    Refused,
    /// No answer to the attempt to connect, or to data sent, for as long as the kernel tries.
    TimedOut,
}

/// What is wrong with the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DiskError {
    /// No space left.
    Full,
}

/// A stream between two processes, unique in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub(crate) u32);

impl StreamId {
    /// Its place among all streams of the run.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A request, unique in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub(crate) u64);

/// What a client asks of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Request {
    /// To answer to.
    pub id: RequestId,
    /// Who asks.
    pub session: SessionId,
    /// For what.
    pub op: Op,
    /// How many bytes each value has that it writes, as the workload declares.
    pub value_bytes: u32,
    /// What the session has seen: answer a read from a state that includes this, or say that it cannot be done.
    pub token: Option<Position>,
    /// How long the node may let a read wait for the token.
    pub patience: Span,
    /// Whether only whoever leads may answer, as `target_session_attrs=primary` demands of PostgreSQL: a client that has
    /// lost its leader tries the others in turn, and must not take a follower for it.
    pub leader_only: bool,
}

/// What a node answers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reply {
    /// How it ended. [`Outcome::Open`] is not an answer.
    pub outcome: Outcome,
    /// What the client sees.
    pub seen: Seen,
    /// Where a write was committed; zero for reads and for protocols that do not tell.
    pub position: Position,
    /// What a session that saw this answer has seen.
    pub token: Position,
    /// Who might serve it instead.
    pub redirect: Option<NodeId>,
}

/// What an operator, or an operator's script, does on a node. Processes ignore what does not concern them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// Become the leader, now, whatever that loses.
    Promote,
    /// Follow this node from now on.
    Follow(NodeId),
    /// Throw away what this node does not share with that one, then follow it (as `pg_rewind` does).
    Rewind(NodeId),
    /// Throw away all data and copy this node's.
    Reseed(NodeId),
    /// Stop serving writes.
    Demote,
    /// Drop the table: an ordinary, replicated statement that deletes all data.
    DropTable,
    /// Take a base backup of this node's data.
    TakeBackup,
    /// Restore the last base backup and replay the archived log up to the moment this long ago, then serve.
    RestoreTo {
        /// How long ago, on the operator's clock.
        ago: Span,
    },
    /// Change a setting without a restart, in the system's own words.
    Configure {
        /// The setting.
        setting: String,
        /// Its new value.
        value: String,
    },
}

/// What an observer may know of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// Its part in the protocol.
    pub role: Role,
    /// The epoch it believes in.
    pub epoch: u32,
    /// The last position that its log has.
    pub received: Position,
    /// The last position it has applied.
    pub applied: Position,
    /// Whether it takes part as a full member and would serve its role's requests now.
    pub serving: bool,
}

/// How many states a protocol may tell apart: the number after the last stands for a server that is down.
pub const STATES_MAX: usize = Cell::DOWN as usize;

/// A part in a protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Role {
    /// Accepts writes and orders them.
    Leader,
    /// Follows a leader.
    Follower,
    /// Wants to lead.
    Candidate,
    /// Receives data but does not count yet: it is being seeded, or has not caught up since.
    Learner,
    /// All replicas are alike.
    Replica,
    /// Holds no data: a manager, proxy or witness.
    Agent,
}

impl Role {
    /// Every role's name, in order.
    pub const NAMES: [&'static str; 6] = ["leader", "follower", "candidate", "learner", "replica", "agent"];
}

/// All that a handler can see and do.
pub struct Cx<'a, P: Process> {
    pub(crate) me: NodeId,
    pub(crate) now: SimTime,
    pub(crate) clocks: &'a Clocks,
    pub(crate) chance: &'a mut Stream,
    pub(crate) journal: &'a mut Journal<P::Record>,
    pub(crate) effects: &'a mut Vec<Effect<P>>,
    /// The number of the next stream that is asked for.
    pub(crate) next_stream: u32,
}

/// What a handler asks the world for. Settled in order once the handler has returned.
#[derive(Clone, Debug)]
pub(crate) enum Effect<P: Process> {
    Send { to: NodeId, message: P::Message },
    Connect { stream: StreamId, to: NodeId },
    Transmit { stream: StreamId, message: P::Message },
    Close { stream: StreamId },
    SetTimer { timer: P::Timer, after: Span },
    CancelTimer { timer: P::Timer },
    Appended { position: u64 },
    Sync,
    Reply { id: RequestId, reply: Box<Reply> },
    Note(Note),
    Exit { why: String },
}

impl<P: Process> Effect<P> {
    /// Whom it reaches, as a number that nobody else has.
    #[inline]
    pub(crate) fn whom(&self) -> Option<u64> {
        match self {
            Effect::Send { to, .. } => Some(u64::from(to.0)),
            Effect::Transmit { stream, .. } | Effect::Close { stream } => Some(1 << 32 | u64::from(stream.0)),
            Effect::Reply { id, .. } => Some(1 << 63 | id.0),
            // The world numbers what is connected in the order in which it is asked for. The rest concerns the node itself.
            Effect::Connect { .. }
            | Effect::SetTimer { .. }
            | Effect::CancelTimer { .. }
            | Effect::Appended { .. }
            | Effect::Sync
            | Effect::Note(_)
            | Effect::Exit { .. } => None,
        }
    }
}

/// What a process tells an observer. Notes change nothing in the simulation.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Note {
    Installed { key: Key, made: Made, position: Position },
    Committed { position: Position },
    Applied { position: Position },
    Began { epoch: u32, built_on: Box<Lineage> },
    Discarded { position: Position },
    Role { role: Role, epoch: u32 },
    Promoted,
    Milestone(String),
}

impl<P: Process> Cx<'_, P> {
    /// This process's own address.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// What this host's wall clock shows. It may be wrong, jump, or stand still.
    pub fn wall(&self) -> WallTime {
        self.clocks.wall(self.now)
    }

    /// This host's monotonic clock: never goes back, but may run fast or slow.
    pub fn monotonic(&self) -> Monotonic {
        self.clocks.monotonic(self.now)
    }

    /// This process's own stream of chance.
    pub fn chance(&mut self) -> &mut Stream {
        self.chance
    }

    /// What is on this process's disk.
    pub fn journal(&self) -> &Journal<P::Record> {
        self.journal
    }

    /// Appends to the journal's page cache and returns the record's position. Survives the process at once, and the
    /// host only when a later [`Cx::sync`] has completed.
    pub fn append(&mut self, record: P::Record) -> u64 {
        let position = self.journal.append(record);
        self.ask(|| Effect::Appended { position });
        position
    }

    /// Asks the disk to make everything appended so far durable; [`Input::Synced`] says when. Calls made while the
    /// disk is busy are served together by the next sync.
    pub fn sync(&mut self) {
        self.ask(|| Effect::Sync);
    }

    /// Drops the records before `position`: a checkpoint or log retention.
    pub fn cut_front(&mut self, position: u64) {
        self.journal.cut_front(position);
    }

    /// Drops the records from `position` on: a rewind, or a torn tail.
    pub fn cut_back(&mut self, position: u64) {
        self.journal.cut_back(position);
    }

    /// Replaces the control record, the one small file that is written as a whole. Durable with the next sync that begins.
    pub fn write_control(&mut self, record: P::Record) {
        self.journal.write_control(record);
    }

    /// Sends a datagram: it may be lost, doubled, or overtaken.
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.ask(|| Effect::Send { to, message });
    }

    /// Asks for a stream to `to`. [`Input::Opened`] or [`Input::Closed`] tells how it went; what is transmitted
    /// before that waits for it.
    pub fn connect(&mut self, to: NodeId) -> StreamId {
        let stream = StreamId(self.next_stream);
        self.next_stream += 1;
        self.ask(|| Effect::Connect { stream, to });
        stream
    }

    /// Sends on a stream: in order, again and again if need be, until it arrives or the stream closes.
    pub fn transmit(&mut self, stream: StreamId, message: P::Message) {
        self.ask(|| Effect::Transmit { stream, message });
    }

    /// Closes a stream once what was sent on it has gone out. This side hears nothing more of it.
    pub fn close(&mut self, stream: StreamId) {
        self.ask(|| Effect::Close { stream });
    }

    /// Sets `timer` to go off `after` this long by the monotonic clock, in place of any earlier setting.
    pub fn set_timer(&mut self, timer: P::Timer, after: Span) {
        self.ask(|| Effect::SetTimer { timer, after });
    }

    /// Unsets `timer`.
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        self.ask(|| Effect::CancelTimer { timer });
    }

    /// Answers a request. A second answer to the same request is ignored.
    pub fn reply(&mut self, id: RequestId, reply: Reply) {
        self.ask(|| Effect::Reply { id, reply: Box::new(reply) });
    }

    /// Ends this process with an error; it stays down until something restarts it. What it asks the world for after this
    /// is left undone; what it does to its journal is done.
    pub fn exit(&mut self, why: impl Into<String>) {
        self.ask(|| Effect::Exit { why: why.into() });
    }

    /// Tells an observer that this node, in charge of the order, put a version into its log. Call it once for each
    /// version, when it is appended. A key of which an acknowledged write is left out is taken to have no log.
    pub fn installed(&mut self, key: Key, made: Made, position: Position) {
        self.ask(|| Effect::Note(Note::Installed { key, made, position }));
    }

    /// Tells an observer that everything up to `position` is committed by the protocol's own rule.
    pub fn committed(&mut self, position: Position) {
        self.ask(|| Effect::Note(Note::Committed { position }));
    }

    /// Tells an observer that this replica now shows everything up to `position`.
    pub fn applied(&mut self, position: Position) {
        self.ask(|| Effect::Note(Note::Applied { position }));
    }

    /// Tells an observer that this node is in charge of the order from here on, in a new epoch that goes on from the records
    /// of `built_on`. Where epochs can fork and nobody tells, they are taken to follow one another by their numbers.
    pub fn began(&mut self, epoch: u32, built_on: Lineage) {
        self.ask(|| Effect::Note(Note::Began { epoch, built_on: Box::new(built_on) }));
    }

    /// Tells an observer that this node gives up a record of its log, to fit another's history again.
    pub fn discarded(&mut self, position: Position) {
        self.ask(|| Effect::Note(Note::Discarded { position }));
    }

    /// Tells an observer of a change of role.
    pub fn role(&mut self, role: Role, epoch: u32) {
        self.ask(|| Effect::Note(Note::Role { role, epoch }));
    }

    /// Tells an observer that this node leads, or is about to, by an operator's order: of several that lead, whoever got the
    /// last such order is in charge.
    pub fn promoted(&mut self) {
        self.ask(|| Effect::Note(Note::Promoted));
    }

    /// Tells an observer something that a person would want to know of this run. Keep these rare.
    pub fn milestone(&mut self, text: impl Into<String>) {
        self.ask(|| Effect::Note(Note::Milestone(text.into())));
    }

    /// Asks the world for something. The effect is made where it is kept, once there is room for it: most are small, and
    /// a small one made elsewhere would be moved as if it were large.
    #[inline]
    fn ask(&mut self, effect: impl FnOnce() -> Effect<P>) {
        self.effects.extend(std::iter::once_with(effect));
    }
}

impl Reply {
    /// Done; the client sees `seen`. `position` is where a write was committed, `token` what the client has now seen.
    pub fn ok(seen: Seen, position: Position, token: Position) -> Self {
        Reply { outcome: Outcome::Ok, seen, position, token, redirect: None }
    }

    /// It certainly did not happen.
    pub fn fail(reason: Reason) -> Self {
        Reply::ending(Outcome::Fail(reason))
    }

    /// It may or may not have happened.
    pub fn unknown(reason: Reason) -> Self {
        Reply::ending(Outcome::Info(reason))
    }

    /// Not here: ask `redirect`, if it is known.
    pub fn not_serving(redirect: Option<NodeId>) -> Self {
        Reply { redirect, ..Reply::fail(Reason::NotServing) }
    }

    fn ending(outcome: Outcome) -> Self {
        Reply { outcome, seen: Seen::Nothing, position: Position::ZERO, token: Position::ZERO, redirect: None }
    }
}
