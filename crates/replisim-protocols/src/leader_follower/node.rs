//! The replica itself: what it is made of, how it starts, and which part of it answers which input.
//!
//! Every server runs the same [`Replica`], whatever its part. Its state falls into what it knows of its log, the data it
//! shows, and three trades that it may ply at once: leading (commits under way), sending (one shipper for each follower)
//! and following (one upstream). A relay sends and follows; a leader leads and sends. Each trade is a module that adds
//! its own methods to the replica; this one only dispatches.

use std::sync::Arc;

use replisim_history::{Contents, Lineage, NodeId, Position};
use replisim_kernel::Span;
use replisim_world::clock::Monotonic;
use replisim_world::process::{Closing, Cx, Input, Process, Reply, Request, Role, StreamId, View};

use super::commit::Commits;
use super::follow::Upstream;
use super::log::{Log, Places};
use super::message::Message;
pub use super::profile::{Config, Profile, Servers};
use super::reads::WaitingReads;
use super::record::{Backup, Checkpoint, Control, Entry, Image, Part, Record, Slot};
use super::replay::Replaying;
use super::retention::Checkpointing;
use super::rules::Rules;
use super::seed::Courier;
use super::ship::Shipper;

/// A database server that leads or follows.
#[derive(Clone, Debug)]
pub struct Replica<F: Profile> {
    pub(super) me: NodeId,
    pub(super) servers: Servers,
    first_leader: NodeId,
    pub(super) settings: Arc<F::Settings>,
    /// Settings changed without a restart.
    pub(super) changed: Vec<(String, String)>,
    pub(super) rules: Rules,

    /// What it is in the cluster.
    pub(super) part: Part,
    /// The epoch it leads, or the last one it has heard of.
    pub(super) epoch: u32,
    /// Who leads, as far as it knows.
    pub(super) leader: Option<NodeId>,
    /// Whether it is to lead as soon as it has applied all it has received.
    pub(super) promoting: bool,

    /// Its log, beside the journal itself.
    pub(super) log: Log,
    /// Whether the log writer's alarm is set.
    pub(super) log_writer_called: bool,
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

    /// From where it would recover.
    pub(super) checkpoint: Checkpoint,
    pub(super) checkpointing: Checkpointing,
    pub(super) backup: Option<Backup>,
}

/// The alarms of a replica.
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
}

impl<F: Profile> Process for Replica<F> {
    type Config = Config<F>;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;

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
            Input::Closed { stream, why, .. } => self.on_closed(cx, stream, why),
            Input::Synced { upto } => self.on_synced(cx, upto),
            Input::Timer(timer) => self.on_timer(cx, timer),
            Input::Operator(command) => self.on_command(cx, command),
            Input::DiskFailed(error) => cx.exit(format!("could not write to the log: {error:?}")),
            Input::Message { .. } => unreachable!("servers speak on streams alone"),
        }
    }

    fn view(&self) -> View {
        View { role: self.role(), epoch: self.epoch, applied: self.shown.position(), serving: self.part.serves() }
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
            promoting: false,
            log: Log::default(),
            log_writer_called: false,
            shown: Image::default(),
            reads: WaitingReads::default(),
            commits: Commits::default(),
            shippers: Vec::new(),
            couriers: Vec::new(),
            slots: Vec::new(),
            upstream: Upstream::default(),
            replaying: Replaying::default(),
            checkpoint: Checkpoint::default(),
            checkpointing: Checkpointing::default(),
            backup: None,
        }
    }

    /// The cluster begins, and this server is one of its first: all are equally empty.
    fn be_born(&mut self, cx: &mut Cx<'_, Self>, upstream: Option<NodeId>) {
        self.part = upstream.map_or(Part::Leads, Part::Follows);
        self.leader = Some(self.first_leader);
        self.save(cx);
    }

    /// The disk is empty although the cluster is not new: a server that joins, or one whose disk was wiped. A follower
    /// copies its upstream's data first. A leader has nobody to copy from, and waits for an operator.
    fn arrive(&mut self, cx: &mut Cx<'_, Self>, upstream: Option<NodeId>) {
        match upstream {
            Some(upstream) => self.part = Part::Copies(upstream),
            None => cx.milestone("the data directory is empty: not serving until it is given data"),
        }
        self.save(cx);
    }

    /// Starts again from what is on disk: the data of the last checkpoint, and every readable entry since. That makes
    /// transactions visible that were never acknowledged, if their records had been written.
    fn recover(&mut self, cx: &mut Cx<'_, Self>, control: Control) {
        for (setting, value) in &control.changed {
            F::set(Arc::make_mut(&mut self.settings), setting, value)
                .expect("only a setting that was accepted is saved");
        }
        self.rules = F::rules(&self.settings, &self.servers, self.me);
        self.part = control.part;
        self.epoch = control.epoch;
        self.slots = control.slots;
        self.backup = control.backup;
        self.changed = control.changed;
        self.checkpoint = control.checkpoint;
        self.cut_unreadable(cx);
        // A crash in the middle of a copy can leave the old control record with the log already gone.
        self.checkpoint.redo = self.checkpoint.redo.min(cx.journal().end());
        let redo = self.checkpoint.redo;
        let image = self.checkpoint.image.clone();
        self.recover_log(cx, &image.lineage, control.base);
        self.epoch = self.epoch.max(self.log.tip.epoch);
        self.shown = image;
        self.replay_own_log(cx, redo);
        if self.part == Part::Leads {
            self.lead_again(cx);
        }
    }

    /// Leads after a restart, in a new epoch. What the process or the host took with it may have had places after the end
    /// of the log that is left, and been acknowledged: new records must not have the same. Real systems give these places
    /// out again, and nobody can tell the two apart; here that would deceive the checks.
    fn lead_again(&mut self, cx: &mut Cx<'_, Self>) {
        self.epoch = self.next_epoch();
        self.save(cx);
        self.lead();
        self.begin_epoch(cx);
    }

    /// Finds out what the log consists of. What a killed process had written but not synced is there, and synced now.
    fn recover_log(&mut self, cx: &mut Cx<'_, Self>, before: &Lineage, base: Position) {
        let since = cx.journal().iter_from(self.checkpoint.redo);
        let since: Vec<(u64, Entry)> =
            since.filter_map(|(offset, record)| Some((offset, record.entry()?.clone()))).collect();
        self.log = Log::recovered(before.clone(), base, cx.journal().durable(), &since);
        cx.sync();
    }

    /// Recovery ends where the log cannot be read: what comes after a torn or rotten record is as if never written.
    fn cut_unreadable(&mut self, cx: &mut Cx<'_, Self>) {
        let redo = self.checkpoint.redo;
        let end = cx.journal().iter_from(redo).last().map_or(redo, |(offset, _)| offset + 1);
        let lost = cx.journal().end().saturating_sub(end);
        if lost > 0 {
            cx.milestone(format!("recovery ends at an unreadable record: {lost} records dropped"));
            cx.cut_back(end);
        }
    }

    /// Goes about its part.
    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.role(self.role(), self.epoch);
        cx.set_timer(Timer::Checkpoint, self.rules.checkpoint_interval);
        match self.part {
            Part::Leads => self.leader = Some(self.me),
            Part::Follows(_) | Part::Copies(_) | Part::Rewinds(_) => self.connect(cx),
            Part::Stands | Part::Bare => {}
        }
    }

    /// Takes up leadership of what it shows.
    pub(super) fn lead(&mut self) {
        self.leader = Some(self.me);
        self.commits = Commits::after(self.shown.contents.clone());
    }

    /// Writes the control record, durable with the sync asked for here.
    pub(super) fn save(&mut self, cx: &mut Cx<'_, Self>) {
        let control = Control {
            part: self.part,
            epoch: self.epoch,
            base: self.log.base,
            checkpoint: self.checkpoint.clone(),
            slots: self.slots.clone(),
            backup: self.backup.clone(),
            changed: self.changed.clone(),
        };
        cx.write_control(Record::Control(control.into()));
        cx.sync();
    }

    fn on_request(&mut self, cx: &mut Cx<'_, Self>, request: Request) {
        if self.part.serves() && request.op.is_read() {
            self.on_read(cx, request);
        } else if self.part == Part::Leads {
            self.on_write(cx, request);
        } else {
            cx.reply(request.id, Reply::not_serving(self.leader));
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, peer: NodeId, message: Message) {
        match message {
            Message::Start { last, history, slot } => self.on_start(cx, (stream, peer), last, &history, slot),
            Message::Report(report) => self.on_report(cx, stream, report),
            Message::Fetch { bytes } => self.on_fetch(cx, stream, peer, bytes),
            Message::More => self.on_more(cx, stream),
            Message::Inquire => self.on_inquire(cx, stream),
            _ if !self.upstream.is(stream) => {} // from an upstream that this follower has left
            Message::Accept { leader } => self.on_accept(cx, leader),
            Message::Refuse(refusal) => self.on_refuse(cx, refusal),
            Message::Entries { tell, entries } => self.on_entries(cx, tell, entries),
            Message::Keepalive { answer, leader } => self.on_keepalive(cx, answer, leader),
            Message::Chunk { .. } => self.on_chunk(cx),
            Message::Copied(image) => self.on_copied(cx, &image),
            Message::History { history, checkpointed } => self.on_history(cx, &history, checkpointed),
        }
    }

    fn on_closed(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, _why: Closing) {
        if self.upstream.is(stream) {
            self.on_upstream_lost(cx);
        } else {
            self.on_follower_lost(cx, stream);
        }
    }

    /// Everything written before `upto` is durable: it may be shipped, applied, reported and acknowledged.
    fn on_synced(&mut self, cx: &mut Cx<'_, Self>, upto: u64) {
        self.on_flushed(cx, upto);
        self.ship(cx);
        match self.part {
            Part::Leads => self.settle(cx),
            Part::Follows(_) => self.on_received_flushed(cx),
            Part::Copies(_) | Part::Rewinds(_) | Part::Stands | Part::Bare => {}
        }
        self.advance_checkpoint(cx);
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match timer {
            Timer::LogWriter => {
                self.log_writer_called = false;
                self.on_log_writer(cx);
            }
            Timer::Checkpoint => self.on_checkpoint_timer(cx),
            Timer::Unanswered => self.on_unanswered(cx),
            Timer::Sender(follower) => self.on_sender_timer(cx, follower),
            Timer::Receiver => self.on_receiver_timer(cx),
            Timer::Status => self.on_status_timer(cx),
            Timer::Retry => self.connect(cx),
            Timer::Apply => self.on_applied(cx),
            Timer::Reads => self.on_reads_timer(cx),
        }
    }

    /// Applies the log from `offset` on, but for what a delayed follower holds back.
    fn replay_own_log(&mut self, cx: &mut Cx<'_, Self>, offset: u64) {
        let held = match self.part {
            Part::Follows(_) => self.rules.replay.delay,
            Part::Leads | Part::Copies(_) | Part::Rewinds(_) | Part::Stands | Part::Bare => Span::ZERO,
        };
        let now = cx.wall();
        let due = |entry: &&Entry| now.since(entry.stamp) >= held;
        let (me, numbering) = (self.me, self.rules.numbering);
        self.replaying.next = offset;
        for entry in (offset..cx.journal().end()).map_while(|at| cx.journal().entry(at)).take_while(due) {
            self.shown.apply(entry, me, numbering);
            self.replaying.next += 1;
        }
    }

    /// Whether this server is the one that led `epoch`.
    pub(super) fn has_led(&self, epoch: u32) -> bool {
        match epoch {
            0 => false,
            FIRST_EPOCH => self.me == self.first_leader,
            _ => (epoch - FIRST_EPOCH) % u32::from(self.servers.count()) == u32::from(self.me.0),
        }
    }

    /// What an observer calls its part.
    pub(super) fn role(&self) -> Role {
        match self.part {
            Part::Leads => Role::Leader,
            Part::Follows(_) | Part::Stands => Role::Follower,
            Part::Copies(_) | Part::Rewinds(_) | Part::Bare => Role::Learner,
        }
    }

    /// The name of a server, for what a person reads.
    pub(super) fn name(&self, server: NodeId) -> &str {
        self.servers.name(server)
    }
}

/// The epoch into which a cluster is born.
const FIRST_EPOCH: u32 = 1;
