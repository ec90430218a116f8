//! MySQL's replication from a source to replicas, asynchronous and semi-synchronous, in its own settings.
//!
//! The log is logical: the *binary log* holds transactions, as the rows they changed or as the statements they were. A
//! transaction is named by a *GTID*: its first source and a number of that source's own. A server's history is a set of
//! these, and a replica gets from its source whatever its set lacks. So a replica may well have transactions that its
//! source lacks, and nobody stops it: they are *errant*, and the two have diverged in silence.
//!
//! # A commit, semi-synchronous
//!
//! ```text
//!             source                                                replica
//!   prepare ──▶ binary log, sync ──▶ dump thread ─────────────────▶ relay log ──▶ applied by its own threads, later
//!                    │       ◀────────────────── received ───────────── ╯
//!                    ▼
//!   AFTER_SYNC       waits here      engine commit: visible, answered
//!   AFTER_COMMIT     engine commit: visible      waits here      answered
//! ```
//!
//! A replica acknowledges when the transaction is in its relay log, neither synced nor applied. When none has done so for
//! `rpl_semi_sync_source_timeout`, the source *goes on alone*: it releases all sessions that wait, and commits
//! asynchronously until a replica has caught up with everything. The guarantee is gone without a word to any client.
//!
//! The source's own disk keeps what it acknowledged, if `sync_binlog` is 1; and a replica's what it shows, for its applier
//! commits as any session does. A promotion is safe by promise only where every replica must acknowledge, the timeout is
//! longer than the run, and no host is lost: replicas acknowledge what is not on their disks, one of several is enough, and
//! after the timeout none.
//!
//! Under `AFTER_COMMIT` others can read what its author has not been told yet, and what a failover then takes away. Under
//! `AFTER_SYNC` nobody can; but the source that restarts has the transaction all the same, and shows it.
//!
//! # Silence
//!
//! A replica sends nothing but acknowledgements. The source sends a heartbeat on a connection that has been idle for half
//! of `replica_net_timeout` (`SOURCE_HEARTBEAT_PERIOD`), and a replica that hears nothing for all of it connects again. It
//! tries at once, then every `source_connect_retry` seconds, `source_retry_count` times in all; then it stops, as it does at
//! error 1236, until an operator starts it again.
//!
//! # Statements
//!
//! Under `STATEMENT` each replica executes what the source executed. `UUID()` or `SYSDATE()` then gives every server its
//! own value. `ROW` ships the value, `MIXED` does so where a statement is not safe.
//!
//! # What is left out
//!
//! Replication by file and position, filters, multiple sources, group replication, read-write replicas (every replica is
//! `super_read_only`), storage engines' own logs, and the files in which the binary log is purged. A replica has one log
//! here, relay log and binary log in one, and syncs it whenever something was received: its relay log survives more than
//! MySQL's does.
//!
//! # Known anomalies
//!
//! Scenarios under `scenarios/mysql/`: `semi_sync_falls_back_then_loses` (after its timeout the source acknowledges alone,
//! then dies), `phantom_before_acknowledgement` (a reader sees a commit that a failover then takes back),
//! `errant_transactions` (a former source comes back with transactions that nobody else has) and `statement_divergence`
//! (each replica makes up its own value).
//!
//! # Sources
//!
//! MySQL 8.4 Reference Manual, ch. 19: Replication with Global Transaction Identifiers, Replication and Binary Logging
//! Options and Variables, Replication Formats, Semisynchronous Replication, Delayed Replication; ch. 15, CHANGE REPLICATION
//! SOURCE TO, for heartbeats and for how often a replica tries.
//!
//! In one thing the manual is not followed to the letter. It has a replica acknowledge what is "flushed to disk"; but the
//! replica's plugin (`plugin/semisync/semisync_replica_plugin.cc`) does not look at whether the event was synced, and by
//! default the relay log is synced every 10,000 events (`sync_relay_log`).

mod settings;

use replisim_history::words::things;
use replisim_history::{NodeId, OpKind};
use replisim_kernel::Span;
use replisim_world::protocol::{FlawInfo, Problem};

pub use settings::{BinlogFormat, GtidMode, Settings, WaitPoint};

use super::ack::{Acknowledge, Choice, Quorum};
use super::flaw::Flaw;
use super::message::Refusal;
use super::profile::{Profile, Servers, Tree};
use super::rules::*;

/// MySQL's replication by binary log.
#[derive(Clone, Debug)]
pub enum BinaryLog {}

impl Profile for BinaryLog {
    const NAME: &'static str = "MySql";
    const ABOUT: &'static str = "MySQL source and replicas: binary log, GTIDs, asynchronous or semi-synchronous";
    type Settings = Settings;
    const SWARM: &'static str = include_str!("swarm.ron");
    const FLAWS: &'static [FlawInfo] =
        &[Flaw::ResumeFromSent.info(), Flaw::CompareIndexAlone.info(), Flaw::CountOldEpoch.info()];

    fn tree(settings: &Settings, servers: &Servers) -> Result<Tree, Vec<Problem>> {
        let tree = Tree::new(
            servers,
            ("source", &settings.source),
            ("source_host", &settings.source_host),
            ("joining", &settings.joining),
        );
        let mut others = servers.strangers("source_delay", settings.source_delay.keys());
        if settings.rpl_semi_sync_source_wait_for_replica_count == 0 {
            others.push(Problem::new("rpl_semi_sync_source_wait_for_replica_count", settings::WAITS_FOR_NONE));
        }
        if settings.replica_net_timeout == 0 {
            others.push(Problem::new("replica_net_timeout", settings::NO_PATIENCE));
        }
        if settings.innodb_flush_log_at_trx_commit != 1 {
            others.push(Problem::new("innodb_flush_log_at_trx_commit", settings::INNODB_NOT_SYNCED));
        }
        Tree::unless(tree, others)
    }

    fn rules(settings: &Settings, servers: &Servers, me: NodeId) -> Rules {
        let delay = settings.source_delay.get(servers.name(me)).copied().unwrap_or(0);
        let durable = settings.sync_binlog == 1;
        Rules {
            acknowledge: acknowledge(settings, servers, me),
            progress: Some(Progress::Written),
            unanswered: Unanswered::FallBack {
                after: Span::millis(settings.rpl_semi_sync_source_timeout),
                wait_alone: settings.rpl_semi_sync_source_wait_no_replica,
            },
            // `setWaitSlaveCount` looks through the replies that it has.
            recount: Recount::AtOnce,
            flush: if durable { Flush::BeforeAnswer } else { Flush::EveryNth(settings.sync_binlog) },
            show: match settings.rpl_semi_sync_source_wait_point {
                WaitPoint::AfterSync => Show::AfterAcknowledgement,
                WaitPoint::AfterCommit => Show::BeforeAcknowledgement,
            },
            // The dump threads are told of a transaction after it is synced only if every single one is.
            ship: if durable { Extent::Flushed } else { Extent::Written },
            // `log_replica_updates`: what a replica ships is its own binary log, not its relay log.
            relay: Relay::Applied,
            format: match settings.binlog_format {
                BinlogFormat::Row => Format::Row,
                BinlogFormat::Statement => Format::Statement,
                BinlogFormat::Mixed => Format::Mixed,
            },
            numbering: Numbering::PerEpoch,
            resume: Resume::LastRecord,
            retention: retention(settings),
            slot: false,
            checkpoint_interval: CHECKPOINT_INTERVAL,
            before_copy: BeforeCopy::Nothing,
            liveness: Liveness {
                // A dump thread never tires of a silent replica; only its kernel does.
                sender_timeout: Span::FOREVER,
                receiver_timeout: Span::secs(settings.replica_net_timeout),
                status_interval: Span::FOREVER,
                retry_interval: Span::secs(settings.source_connect_retry),
                retry_at_once: true,
                persistence: persistence(settings),
                probing: Probing::Heartbeats,
            },
            reporting: Reporting::AtProgress,
            replay: Replay {
                // The applier's own commit is synced before others see it; here that is the relay log's sync.
                from: if durable { Extent::Flushed } else { Extent::Written },
                delay: Span::secs(delay),
                cost: settings.apply_time,
                workers: settings.replica_parallel_workers,
            },
            rewind: Rewind::Unsupported,
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
        let format = settings.binlog_format.word();
        if !settings.rpl_semi_sync_source_enabled {
            return format!("asynchronous, binlog_format {format}");
        }
        let point = settings.rpl_semi_sync_source_wait_point.word();
        let replicas = things(settings.rpl_semi_sync_source_wait_for_replica_count.into(), "replica");
        let timeout = settings.rpl_semi_sync_source_timeout;
        format!("semi-synchronous {point}, {replicas}, timeout {timeout} ms, binlog_format {format}")
    }

    fn flaw(settings: &Settings) -> Option<Flaw> {
        settings.flaw
    }

    fn complaint(refusal: Refusal) -> &'static str {
        match refusal {
            Refusal::Removed => "error 1236: the source has purged required binary logs",
            Refusal::Diverged => "error 1236: the replica has more GTIDs than the source has",
            Refusal::Damaged => "error 1236: binary log truncated or corrupt on the source",
            Refusal::NoData => "error 2003: can't connect to the source",
        }
    }
}

/// Whom `me`, as source, waits for: any replica will do.
fn acknowledge(settings: &Settings, servers: &Servers, me: NodeId) -> Acknowledge {
    if !settings.rpl_semi_sync_source_enabled {
        return Acknowledge::Asynchronous;
    }
    let count = settings.rpl_semi_sync_source_wait_for_replica_count;
    Acknowledge::Quorum(Quorum { choice: Choice::Any, count, members: servers.others(me).collect() })
}

/// Error 1236 ends the receiver thread. Zero takes the limit off attempts that come to nothing.
fn persistence(settings: &Settings) -> Persistence {
    match settings.source_retry_count {
        0 => Persistence::UntilRefused,
        count => Persistence::Attempts(count),
    }
}

/// Zero turns the automatic purging off.
fn retention(settings: &Settings) -> Retention {
    match settings.binlog_expire_logs_seconds {
        0 => Retention::Forever,
        seconds => Retention::Age(Span::secs(seconds)),
    }
}

/// How often InnoDB's data are taken to be written out, and the binary log looked over for what has expired. Chosen: MySQL
/// writes them out all the time, and purges when a file of the binary log is full. How much a recovery replays hangs on it,
/// and how long after it has expired log is still there.
const CHECKPOINT_INTERVAL: Span = Span::secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_innodb_loses_by_itself_is_not_simulated_and_therefore_refused() {
        let problems = |innodb_flush_log_at_trx_commit| {
            let settings = Settings { innodb_flush_log_at_trx_commit, ..Settings::default() };
            let tree = BinaryLog::tree(&settings, &Servers::new(["source".to_owned()]));
            tree.err().unwrap_or_default().len()
        };
        assert_eq!([0, 1, 2, 9].map(problems), [1, 0, 1, 1]);
    }

    #[test]
    fn the_summary_counts_the_replicas_that_a_commit_waits_for() {
        let summary = |count| {
            BinaryLog::summary(&Settings {
                rpl_semi_sync_source_enabled: true,
                rpl_semi_sync_source_wait_for_replica_count: count,
                ..Settings::default()
            })
        };
        assert_eq!(summary(1), "semi-synchronous AFTER_SYNC, 1 replica, timeout 10000 ms, binlog_format ROW");
        assert_eq!(summary(2), "semi-synchronous AFTER_SYNC, 2 replicas, timeout 10000 ms, binlog_format ROW");
    }
}
