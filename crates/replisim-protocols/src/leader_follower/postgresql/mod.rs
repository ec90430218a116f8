//! PostgreSQL's streaming replication, in its own settings.
//!
//! The log is physical: bytes that changed in pages. Its places are *LSNs*, byte positions that go on for ever, and its
//! epochs are *timelines*, of which a promotion begins a new one at the LSN where it happens. A standby is a byte-for-byte
//! copy: it either has a prefix of its upstream's log, or it does not fit.
//!
//! # A commit
//!
//! ```text
//!   client      primary                            standby
//!     │ COMMIT    │                                   │
//!     │ ────────▶ │ write, flush                      │
//!     │           │ ── walsender ──────────────────▶  │ write, flush, replay: visible here
//!     │           │ ◀──────── write, flush, apply ──  │
//!     │           │ visible here                      │
//!     │ ◀──────── │                                   │
//! ```
//!
//! The walsender sends what is flushed on the primary and nothing earlier. The standby replays what is flushed there, at
//! once, whether or not the primary has told anybody: **a standby can show a row before the primary does**. What the
//! client waits for is [`SynchronousCommit`]; whom it waits for is `synchronous_standby_names`. There is no timeout: with
//! too few synchronous standbys connected, commits wait for ever.
//!
//! With `on` or `remote_apply` an acknowledged write survives anything that leaves the primary's disk whole. A promotion is
//! safe by promise only where a commit waits for every standby: that `FIRST 1 (s1, s2)` was acknowledged says nothing of s2.
//!
//! A commit keeps the level that it was made at. A reload that lowers `synchronous_commit` releases nobody who waits; one
//! that empties `synchronous_standby_names` releases all (`SyncRepUpdateSyncStandbysDefined`). Here whoever waits over a
//! change of the level is visible to others from then on, which it is not in PostgreSQL: readers are shown the log without
//! gaps.
//!
//! A commit that waits is already in the log. If the primary crashes, it is visible after the restart although nobody was
//! told; the client cannot know.
//!
//! # Who counts as synchronous
//!
//! `FIRST k` means the k first listed of those that are connected and streaming. When one of them disconnects, the next
//! listed takes its place at once, but those who wait are released only at that standby's next reply. A standby whose
//! host dies is not seen to disconnect: its walsender ends `wal_sender_timeout` after the last reply.
//!
//! # When a standby replies
//!
//! Its walreceiver replies as soon as something is written or flushed, and at least every `wal_receiver_status_interval`.
//! Zero turns off both, not only the second. What is left are the replies that other parts of the server force: the
//! startup process does when it has replayed all there is and is about to wait, and after each commit that asked for
//! `remote_apply`; the primary does by a keepalive, at half of `wal_sender_timeout`; a silent primary does, at half of
//! `wal_receiver_timeout`. So **with zero, a commit at `on` or `remote_write` waits until the standby's replay has run
//! dry**, behind a busy replay or a `recovery_min_apply_delay`: longer than at `remote_apply`, which waits for its own turn
//! alone.
//!
//! # Coming back
//!
//! A standby asks for the log from the beginning of the segment (`wal_segment_size`) that its last record is in, and
//! counts as streaming while it reads again what it has. Log is kept back to the last checkpoint, plus `wal_keep_size`,
//! plus what slots hold. Whoever needs more hears that the "requested WAL segment has already been removed" and must be
//! seeded from a base backup.
//!
//! **`pg_basebackup` sends nothing before a checkpoint that begins after it was called**, and that takes its time: a page
//! every 100 ms, up to nine tenths of `checkpoint_timeout`, unless it is told `--checkpoint=fast`. If another checkpoint is
//! under way, it waits for that one first. Meanwhile it says nothing, and has been taken for stuck. A backup of a standby
//! fails when that is promoted.
//!
//! After a failover the former primary usually has log beyond the point where the new timeline forked off, and does not
//! fit any more. `pg_rewind` discards exactly that, given `wal_log_hints` and log back to the fork. It judges the new
//! primary by its last checkpoint: before the first one after the promotion it says that no rewind is required, and does
//! nothing.
//!
//! # What is left out
//!
//! Replies that nobody would notice: to a write where no commit waits for one, and when replay has run dry while replies
//! are not turned off.
//!
//! Logical replication, `archive_command` and restoring from it, hot standby conflicts, full-page images, row locks, and
//! the time that crash recovery takes.
//!
//! # Known anomalies
//!
//! Scenarios under `scenarios/postgresql/`: `process_killed_promoted_at_once`, `process_killed_promoted_a_second_later`,
//! `host_lost_with_its_packets` and `host_lost_packets_arrive` (the same failover after four ways to die),
//! `silent_synchronous_standby` (a follower's host dies, and commits wait until the timeout notices),
//! `unacknowledged_commit_appears` (a commit that nobody was told of is there after the crash), `commit_off_forgets` (a
//! killed process loses what it had acknowledged from memory), `commit_waits_for_replay` (without status reports, a commit
//! on the standby's disk is acknowledged once replay has run dry) and `rewound_too_early` (a rewind too soon after a
//! promotion does nothing).
//!
//! # Sources
//!
//! PostgreSQL 15 documentation: ch. 20, Write Ahead Log and Replication, for the settings; ch. 27, Log-Shipping Standby
//! Servers, in particular Synchronous Replication; ch. 30, Asynchronous Commit; `pg_rewind`. For who is released when:
//! `src/backend/replication/syncrep.c`; for when a commit is shown: `src/backend/access/transam/xact.c`. For when a standby
//! replies: `XLogWalRcvSendReply` in `src/backend/replication/walreceiver.c`, `WaitForWALToBecomeAvailable` in
//! `src/backend/access/transam/xlogrecovery.c`, and `xact_redo_commit` in `xact.c`. For what a base backup waits for:
//! `do_pg_backup_start` in `src/backend/access/transam/xlog.c`, and `RequestCheckpoint` and `CheckpointWriteDelay` in
//! `src/backend/postmaster/checkpointer.c`; `pg_basebackup`.

mod settings;
mod standby_names;

use replisim_history::{NodeId, OpKind};
use replisim_kernel::Span;
use replisim_world::protocol::{FlawInfo, Problem};

pub use settings::{Megabytes, MegabytesOrNoLimit, Settings, SynchronousCommit};
pub use standby_names::StandbyNames;

use super::ack::{Acknowledge, Quorum};
use super::flaw::Flaw;
use super::message::Refusal;
use super::profile::{Profile, Servers, Tree, intervals};
use super::rules::*;

/// PostgreSQL's streaming replication.
#[derive(Clone, Debug)]
pub enum Streaming {}

impl Profile for Streaming {
    const NAME: &'static str = "PostgreSql";
    const ABOUT: &'static str =
        "PostgreSQL streaming replication: physical log, synchronous standbys without a timeout";
    type Settings = Settings;
    const SWARM: &'static str = include_str!("swarm.ron");
    const FLAWS: &'static [FlawInfo] = &[Flaw::AcknowledgeBeforeSync.info()];

    fn tree(settings: &Settings, servers: &Servers) -> Result<Tree, Vec<Problem>> {
        let tree = Tree::new(
            servers,
            ("primary", &settings.primary),
            ("primary_conninfo", &settings.primary_conninfo),
            ("joining", &settings.joining),
        );
        Tree::unless(tree, problems(settings, servers))
    }

    fn rules(settings: &Settings, servers: &Servers, me: NodeId) -> Rules {
        let level = settings.synchronous_commit;
        let name = servers.name(me);
        Rules {
            acknowledge: acknowledge(settings, servers, me),
            progress: progress(level),
            unanswered: Unanswered::Block,
            // On a reload a walsender only finds out its priority. Waiters are released when a standby replies, or by the
            // checkpointer if the list is empty (`syncrep.c`, `SyncRepUpdateSyncStandbysDefined`).
            recount: Recount::AtReport,
            flush: flush(settings),
            show: Show::AfterAcknowledgement,
            ship: Extent::Flushed,
            relay: Relay::Received,
            format: Format::Physical,
            numbering: Numbering::Bytes,
            resume: Resume::SegmentStart,
            retention: retention(settings),
            slot: settings.primary_slot_name.contains_key(name),
            checkpoint_interval: settings.checkpoint_timeout,
            before_copy: BeforeCopy::Checkpoint(settings.pg_basebackup_checkpoint),
            liveness: Liveness {
                sender_timeout: or_never(settings.wal_sender_timeout),
                receiver_timeout: or_never(settings.wal_receiver_timeout),
                status_interval: or_never(settings.wal_receiver_status_interval),
                retry_interval: settings.wal_retrieve_retry_interval,
                retry_at_once: false,
                persistence: Persistence::Unlimited,
                probing: Probing::Questions,
            },
            reporting: reporting(settings),
            replay: Replay {
                from: Extent::Flushed,
                delay: settings.recovery_min_apply_delay.get(name).copied().unwrap_or(Span::ZERO),
                cost: settings.replay_time,
                workers: 1,
            },
            rewind: rewind(settings),
            connections_max: settings.max_connections,
            data_bytes: settings.database_size.0,
            flaw: settings.flaw,
        }
    }

    fn set(settings: &mut Settings, name: &str, value: &str) -> Result<(), String> {
        settings.set(name, value)
    }

    /// A table of rows with a register, a counter, a set, a list or a text: all that SQL can do.
    fn supports(_: &Settings, _: OpKind) -> bool {
        true
    }

    fn summary(settings: &Settings) -> String {
        let names = settings.synchronous_standby_names.trim();
        let names = if names.is_empty() { "asynchronous" } else { names };
        format!("{names}, synchronous_commit {}", settings.synchronous_commit.word())
    }

    fn flaw(settings: &Settings) -> Option<Flaw> {
        settings.flaw
    }

    fn complaint(refusal: Refusal) -> &'static str {
        match refusal {
            Refusal::Removed => "requested WAL segment has already been removed",
            Refusal::Diverged => "requested timeline forked off before the current recovery point",
            Refusal::Damaged => "could not read WAL at the requested position",
            Refusal::NoData => "the database system is starting up",
        }
    }
}

/// What in the settings cannot be: names that no host bears, and intervals that would never be over.
fn problems(settings: &Settings, servers: &Servers) -> Vec<Problem> {
    let mut problems = intervals([
        ("checkpoint_timeout", settings.checkpoint_timeout),
        ("wal_writer_delay", settings.wal_writer_delay),
        ("wal_retrieve_retry_interval", settings.wal_retrieve_retry_interval),
    ]);
    let off_or_long = [
        ("wal_sender_timeout", settings.wal_sender_timeout),
        ("wal_receiver_timeout", settings.wal_receiver_timeout),
        ("wal_receiver_status_interval", settings.wal_receiver_status_interval),
    ];
    problems.extend(intervals(off_or_long.into_iter().filter(|(_, interval)| !interval.is_zero())));
    problems.extend(servers.strangers("primary_slot_name", settings.primary_slot_name.keys()));
    problems.extend(servers.strangers("recovery_min_apply_delay", settings.recovery_min_apply_delay.keys()));
    const STANDBYS: &str = "synchronous_standby_names";
    match StandbyNames::parse(&settings.synchronous_standby_names) {
        Err(message) => problems.push(Problem::new(STANDBYS, message)),
        Ok(None) => {}
        Ok(Some(standbys)) => {
            let names = standbys.names.iter().filter(|name| *name != "*");
            problems.extend(names.filter_map(|name| servers.expect(name, STANDBYS).err()));
        }
    }
    problems
}

/// Whom `me`, as primary, waits for. A commit keeps the level that it was made at, so whoever waits is released by nothing
/// but standbys, or by the absence of names.
fn acknowledge(settings: &Settings, servers: &Servers, me: NodeId) -> Acknowledge {
    match StandbyNames::parse(&settings.synchronous_standby_names) {
        Ok(Some(standbys)) => Acknowledge::Quorum(quorum(&standbys, servers, me)),
        _ => Acknowledge::Asynchronous,
    }
}

/// The named servers without `me`, each once; `*` stands for all the others.
fn quorum(standbys: &StandbyNames, servers: &Servers, me: NodeId) -> Quorum {
    let mut members: Vec<NodeId> = Vec::new();
    for name in &standbys.names {
        let named: Vec<NodeId> = match name.as_str() {
            "*" => servers.others(me).collect(),
            name => servers.find(name).into_iter().filter(|server| *server != me).collect(),
        };
        for server in named {
            if !members.contains(&server) {
                members.push(server);
            }
        }
    }
    Quorum { choice: standbys.choice, count: standbys.count, members }
}

fn progress(level: SynchronousCommit) -> Option<Progress> {
    match level {
        SynchronousCommit::Off | SynchronousCommit::Local => None,
        SynchronousCommit::RemoteWrite => Some(Progress::Written),
        SynchronousCommit::On => Some(Progress::Flushed),
        SynchronousCommit::RemoteApply => Some(Progress::Applied),
    }
}

fn flush(settings: &Settings) -> Flush {
    match settings.synchronous_commit {
        SynchronousCommit::Off => Flush::Buffered { delay: settings.wal_writer_delay, page_bytes: PAGE_BYTES },
        SynchronousCommit::Local
        | SynchronousCommit::RemoteWrite
        | SynchronousCommit::On
        | SynchronousCommit::RemoteApply => Flush::BeforeAnswer,
    }
}

fn retention(settings: &Settings) -> Retention {
    Retention::Size {
        keep: settings.wal_keep_size.0,
        segment: settings.wal_segment_size.0,
        slot_max: settings.max_slot_wal_keep_size.0,
        // A checkpoint is to be done before `max_wal_size` is reached, so it begins at about half of it.
        checkpoint_every: settings.max_wal_size.0 / 2,
    }
}

/// Without an interval, `XLogWalRcvSendReply` does nothing unless it is forced to.
fn reporting(settings: &Settings) -> Reporting {
    match settings.wal_receiver_status_interval.is_zero() {
        true => Reporting::WhenIdle,
        false => Reporting::AtSync,
    }
}

fn rewind(settings: &Settings) -> Rewind {
    match settings.wal_log_hints {
        true => Rewind::ByCheckpoint,
        false => Rewind::Refused("neither wal_log_hints nor data checksums are on"),
    }
}

/// Zero turns a timeout off.
fn or_never(span: Span) -> Span {
    if span.is_zero() { Span::FOREVER } else { span }
}

/// A page of the log (`XLOG_BLCKSZ`).
const PAGE_BYTES: u64 = 8192;
