//! The replica itself: what it is made of, how it starts, and which part of it answers which input.
//!
//! Every server runs the same [`Replica`], whatever its part. Its state falls into what it knows of its log, the data it
//! shows, and three roles that it may play at once: leading (commits under way), sending (one shipper for each follower)
//! and following (one upstream). A relay sends and follows; a leader leads and sends. Each role is a module that adds
//! its own methods to the replica; this one only dispatches.

use std::sync::Arc;

use replisim_history::{Contents, Lineage, NodeId};
use replisim_world::clock::Monotonic;
use replisim_world::process::{Cx, Input, Process, Reply, Request, Role, StreamId, View};

use super::commit::Commits;
use super::follow::Upstream;
use super::learner::Learning;
use super::log::Log;
use super::message::Message;
use super::profile::{Config, Profile, Servers};
use super::reads::WaitingReads;
use super::record::{Backup, Checkpoint, Image, Part, Record, Slot};
use super::recover::FIRST_EPOCH;
use super::replay::Replaying;
use super::retention::Checkpointing;
use super::rules::Rules;
use super::seed::Courier;
use super::ship::Shipper;
use super::state::State;

/// A database server that leads or follows.
#[derive(Clone, Debug)]
pub struct Replica<F: Profile> {
    pub(super) me: NodeId,
    pub(super) servers: Servers,
    pub(super) first_leader: NodeId,
    pub(super) settings: Arc<F::Settings>,
    /// Settings changed without a restart.
    pub(super) changed: Vec<(String, String)>,
    pub(super) rules: Rules,

    /// What it is in the cluster.
    pub(super) part: Part,
    /// The epoch it leads or begins, or the last one it has heard of.
    pub(super) epoch: u32,
    /// Who leads, as far as it knows.
    pub(super) leader: Option<NodeId>,
    /// Whether it gives up its data, or has others in their place: once its disk knows that, the log goes.
    pub(super) discarding: bool,
    /// Whether it is to lead as soon as it has applied all it has received.
    pub(super) promoting: bool,

    /// Its log, beside the journal itself.
    pub(super) log: Log,
    /// Whether the log writer's timer is set.
    pub(super) log_writer_set: bool,
    /// The data that its readers see.
    pub(super) shown: Image,
    /// Readers who wait for more.
    pub(super) reads: WaitingReads,

    /// As leader: commits under way.
    pub(super) commits: Commits,
    /// As sender: one for each follower that is connected, and one for each that copies the data.
    pub(super) shippers: Vec<Shipper>,
    pub(super) couriers: Vec<Courier>,
    pub(super) slots: Vec<Slot>,
    /// As follower: the connection to the upstream, and the application of what comes from it.
    pub(super) upstream: Upstream,
    pub(super) replaying: Replaying,
    /// Since its data were copied, until it has caught up.
    pub(super) learning: Option<Learning>,

    /// From where it would recover.
    pub(super) checkpoint: Checkpoint,
    pub(super) checkpointing: Checkpointing,
    pub(super) backup: Option<Backup>,
}

/// The timers of a replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timer {
    /// What is buffered is to be written, what is written to be synced.
    LogWriter,
    /// A checkpoint is due, or done.
    Checkpoint,
    /// Commits may have waited too long for their followers.
    Unanswered,
    /// A follower may have been silent for too long.
    Sender(NodeId),
    /// The upstream may have been silent for too long.
    Receiver,
    /// The upstream is to hear how far this follower is.
    Status,
    /// It is time to connect to the upstream again.
    Retry,
    /// A batch of transactions has been applied, or the next one may be.
    Apply,
    /// A reader's patience may be at its end.
    Reads,
    /// A follower may have heard nothing for as long as it wants to.
    Heartbeat(NodeId),
}

impl<F: Profile> Process for Replica<F> {
    type Config = Config<F>;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    const STATES: &'static [&'static str] = &State::NAMES;

    fn boot(cx: &mut Cx<'_, Self>, config: &Config<F>) -> Self {
        let mut replica = Replica::new(cx, config);
        match cx.journal().control().and_then(Record::control).cloned() {
            None if cx.monotonic() == Monotonic(0) => replica.be_born(cx, config.upstream),
            None => replica.arrive(cx, config.upstream),
            Some(control) => replica.recover(cx, control),
        }
        replica.start(cx);
        replica
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        match input {
            Input::Request(request) => self.on_request(cx, request),
            Input::Segment { stream, peer, message } => self.on_message(cx, stream, peer, message),
            Input::Opened { stream, incoming: false, .. } => self.on_connected(cx, stream),
            Input::Opened { incoming: true, .. } => {}
            Input::Closed { stream, .. } => self.on_closed(cx, stream),
            Input::Synced { upto } => self.on_synced(cx, upto),
            Input::Timer(timer) => self.on_timer(cx, timer),
            Input::Operator(command) => self.on_command(cx, command),
            Input::DiskFailed(error) => cx.exit(format!("could not write to the log: {error:?}")),
            Input::Message { .. } => unreachable!("servers speak on streams alone"),
        }
    }

    fn view(&self) -> View {
        let (role, received, applied) = (self.role(), self.log.tip, self.shown.position());
        View { role, epoch: self.epoch, received, applied, serving: self.is_open() }
    }

    fn state(&self) -> u8 {
        self.current_state() as u8
    }

    fn contents(&self) -> Option<(&Contents, &Lineage)> {
        Some((&self.shown.contents, &self.shown.lineage))
    }
}

impl<F: Profile> Replica<F> {
    /// A replica that knows its settings and nothing else.
    fn new(cx: &Cx<'_, Self>, config: &Config<F>) -> Self {
        let (me, settings) = (cx.me(), config.settings.clone());
        Replica {
            me,
            rules: F::rules(&settings, &config.servers, me),
            servers: config.servers.clone(),
            first_leader: config.first_leader,
            settings,
            changed: Vec::new(),
            part: Part::Bare,
            epoch: FIRST_EPOCH,
            leader: None,
            discarding: false,
            promoting: false,
            log: Log::default(),
            log_writer_set: false,
            shown: Image::default(),
            reads: WaitingReads::default(),
            commits: Commits::default(),
            shippers: Vec::new(),
            couriers: Vec::new(),
            slots: Vec::new(),
            upstream: Upstream::default(),
            replaying: Replaying::default(),
            learning: None,
            checkpoint: Checkpoint::default(),
            checkpointing: Checkpointing::default(),
            backup: None,
        }
    }

    /// Goes about its part.
    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.role(self.role(), self.epoch);
        cx.set_timer(Timer::Checkpoint, self.rules.checkpoint_interval);
        match self.part {
            Part::Leads => self.leader = Some(self.me),
            Part::Follows(_) | Part::Copies(_) | Part::Rewinds(_) => self.connect(cx),
            Part::Begins { .. } | Part::Restores | Part::Stands | Part::Bare => {}
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_, Self>, request: Box<Request>) {
        let leads = self.part == Part::Leads;
        if request.op.is_read() && self.is_open() && (leads || !request.leader_only) {
            self.on_read(cx, request);
        } else if leads {
            self.on_write(cx, &request);
        } else {
            cx.reply(request.id, Reply::not_serving(self.leader));
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, peer: NodeId, message: Message) {
        match message {
            Message::Start { last, history, slot } => self.on_start(cx, (stream, peer), last, &history, slot),
            Message::Report(report) => self.on_report(cx, stream, &report),
            Message::Room { received } => self.on_room(cx, stream, received),
            Message::Heartbeat { every } => self.on_heartbeat_wanted(cx, stream, every),
            Message::Fetch { bytes } => self.on_fetch(cx, stream, peer, bytes),
            Message::More => self.on_more(cx, stream),
            Message::Inquire => self.on_inquire(cx, stream),
            _ if !self.upstream.is(stream) => {} // from an upstream that this follower has left
            Message::Accept { leader } => self.on_accept(cx, leader),
            Message::Refuse(refusal) => self.on_refuse(cx, refusal),
            Message::Entries { report_at, entries } => self.on_entries(cx, report_at, entries),
            Message::Keepalive { reply_requested, leader } => self.on_keepalive(cx, reply_requested, leader),
            Message::Chunk { .. } => self.on_chunk(cx),
            Message::Copied(image) => self.on_copied(cx, &image),
            Message::History { history, checkpointed, learner } => self.on_history(cx, &history, checkpointed, learner),
        }
    }

    fn on_closed(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId) {
        if self.upstream.is(stream) {
            self.on_upstream_lost(cx);
        } else {
            self.on_follower_lost(cx, stream);
        }
    }

    /// Everything written before `upto` is durable: it may be shipped, applied, reported and acknowledged.
    fn on_synced(&mut self, cx: &mut Cx<'_, Self>, upto: u64) {
        if self.discarding {
            if !cx.journal().control_is_synced() {
                return; // this sync began before, and its log is no longer this server's
            }
            self.discard(cx);
        }
        self.on_flushed(cx, upto);
        self.ship(cx);
        match self.part {
            Part::Leads => self.settle(cx),
            Part::Begins { promoted } if cx.journal().control_is_synced() => self.lead(cx, promoted),
            Part::Follows(_) => self.on_received_flushed(cx),
            Part::Stands => self.replay(cx),
            Part::Begins { .. } | Part::Copies(_) | Part::Rewinds(_) | Part::Restores | Part::Bare => {}
        }
        self.advance_checkpoint(cx);
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match timer {
            Timer::LogWriter => self.on_log_writer(cx),
            Timer::Checkpoint => self.on_checkpoint_timer(cx),
            Timer::Unanswered => self.on_unanswered(cx),
            Timer::Sender(follower) => self.on_sender_timer(cx, follower),
            Timer::Receiver => self.on_receiver_timer(cx),
            Timer::Status => self.on_status_timer(cx),
            Timer::Retry => self.connect(cx),
            Timer::Apply => self.on_applied(cx),
            Timer::Reads => self.on_reads_timer(cx),
            Timer::Heartbeat(follower) => self.on_heartbeat_timer(cx, follower),
        }
    }

    /// Whether it answers readers. A learner does not, for its data are as old as the beginning of the copy.
    fn is_open(&self) -> bool {
        self.part.serves() && self.learning.is_none()
    }

    /// What an observer calls its part.
    pub(super) fn role(&self) -> Role {
        match self.part {
            Part::Leads => Role::Leader,
            Part::Begins { .. } => Role::Candidate,
            _ if self.learning.is_some() => Role::Learner,
            Part::Follows(_) | Part::Stands => Role::Follower,
            Part::Copies(_) | Part::Rewinds(_) | Part::Restores | Part::Bare => Role::Learner,
        }
    }

    /// The name of a server, for what a person reads.
    pub(super) fn name(&self, server: NodeId) -> &str {
        self.servers.name(server)
    }
}
