//! Mistakes, to be made on purpose.
//!
//! # Why a simulator carries mistakes
//!
//! A search that finds nothing has two explanations: there is nothing to find, or it does not look. Nobody can tell them
//! apart from the outside. So the engine can be made wrong, one mistake at a time, and the same search is asked to find
//! what is now certainly there. A check that no mistake ever breaks is not worth its time; a mistake that no check
//! notices is a hole in the checks, or no mistake.
//!
//! None of them is contrived. Each was made in a system that people used, or is warned of in a paper or a manual by
//! somebody who knew why. And each is small: one condition too few, at the very place where the right thing is done.
//!
//! ```text
//!   if self.has_diverged(last) && !self.rules.has(Flaw::KeepDivergentTail) {
//!                                 ╰─ read the chapter without this, and it is correct ─╯
//! ```
//!
//! # Stages
//!
//! A mistake shows only where something depends on it. Acknowledging before the sync does no harm while the power stays
//! on; keeping a divergent tail takes a promotion, and then another one. So each comes with a *stage*: a small cluster,
//! a few sessions, and a swarm of the kinds of faults that matter. Without the flaw everything holds on it, under every
//! seed; with it something breaks, under some. How many seeds that takes is the measure of a search.
//!
//! Some mistakes have two guards. A sender that forgets what it has dropped is noticed by a follower that looks at
//! `previous`, so [`Flaw::ForgetRetention`] blinds both. And where positions are not compared across epochs at all,
//! counting those of an old one changes nothing: [`Flaw::CountOldEpoch`] shows only where each epoch counts from one.

use replisim_world::protocol::FlawInfo;
use serde::Deserialize;

/// Lists the flaws: each with what is done wrong, who tells of it, and the stage on which it shows.
macro_rules! flaws {
    ($($(#[doc = $about:literal])+ $name:ident, $source:literal, $stage:literal;)+) => {
        /// A mistake to make.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
        pub enum Flaw {
            $($(#[doc = $about])+ $name,)+
        }

        impl Flaw {
            /// Every flaw.
            pub const ALL: &[Flaw] = &[$(Flaw::$name),+];

            /// What the catalog knows of it.
            pub const fn info(self) -> FlawInfo {
                match self {
                    $(Flaw::$name => FlawInfo {
                        name: stringify!($name),
                        about: concat!($($about),+).trim_ascii(),
                        source: $source,
                        stage: include_str!(concat!("stages/", $stage, ".ron")),
                        stage_file: concat!(
                            "crates/replisim-protocols/src/leader_follower/stages/", $stage, ".ron"
                        ),
                    },)+
                }
            }
        }
    };
}

flaws! {
    /// The leader answers before its own disk has the record.
    AcknowledgeBeforeSync,
        "Kingsbury, Jepsen: Elasticsearch 1.5.0 (2015); its reference, index.gateway.local.sync: the transaction log is \
         synced every five seconds, whatever was acknowledged",
        "acknowledge_before_sync";

    /// A follower reports as synced what it has only written.
    ReportBeforeSync,
        "Alagappan et al., Correlated Crash Vulnerabilities, OSDI 2016: what survives a crash of all replicas hinges on \
         what each had put on its own disk",
        "report_before_sync";

    /// A sender goes on from where it stopped sending, not from where the follower stopped having.
    ResumeFromSent,
        "MySQL 8.4 Reference Manual, ch. 19, Handling an Unexpected Halt of a Replica: without sync_relay_log = 1 the \
         recorded position may be ahead of the relay log that survived",
        "resume_from_sent";

    /// A follower that was away for longer than log is kept goes on from the oldest record that is left.
    ForgetRetention,
        "Apache Kafka documentation, auto.offset.reset: set to earliest, a reader whose offset is gone goes on from the \
         earliest one there is, and what was between them is skipped",
        "forget_retention";

    /// Workers that apply several transactions at once finish them in another order.
    ApplyOutOfOrder,
        "MySQL 8.4 Reference Manual, ch. 19, Replication and Transaction Inconsistencies: without \
         replica_preserve_commit_order a later transaction may be applied before an earlier one",
        "apply_out_of_order";

    /// A reader's token is compared by its index, without its epoch.
    CompareIndexAlone,
        "Apache Kafka, KIP-320 (2018): an offset alone does not tell that the log below it was truncated and \
         written anew",
        "compare_index_alone";

    /// An acknowledgement that is repeated counts as two.
    CountTwice,
        "PostgreSQL 15 documentation, ch. 20, synchronous_standby_names: nothing sees to it that standbys' names are \
         unique",
        "count_twice";

    /// Acknowledgements of an old epoch's records count for the new epoch's.
    CountOldEpoch,
        "Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm, USENIX ATC 2014, 5.4.2: only \
         records of the leader's current term are committed by counting replicas",
        "count_old_epoch";

    /// A follower with records that its new leader never had is taken on without discarding them.
    KeepDivergentTail,
        "Apache Kafka, KIP-101 (2016): followers that truncate by offset and not by leader epoch keep records that \
         their leader lacks",
        "keep_divergent_tail";

    /// A follower is promoted before it has applied what it received, and forgets that.
    PromoteBeforeReplay,
        "Orchestrator documentation, DelayMasterPromotionIfSQLThreadNotUpToDate: a promoted replica may have relay \
         logs that it has not executed",
        "promote_before_replay";

    /// Log is dropped before the checkpoint that makes it needless is on disk.
    DropBeforeCheckpoint,
        "PostgreSQL 15, src/backend/access/transam/xlog.c, CreateCheckPoint: old segments are removed only after the \
         control file was updated, and synced",
        "drop_before_checkpoint";

    /// A copy of the data misses what was written while it was made, and claims to have it.
    SeedFromMovingData,
        "PostgreSQL 15 documentation, ch. 26, Making a Base Backup Using the Low Level API: backup_label is vital to a \
         base backup; restored without it, the server warns, the cluster is corrupt",
        "seed_from_moving_data";

    /// A leader that steps down tells its clients that what they wait for is done.
    SucceedWhenDemoted,
        "PostgreSQL 15, src/backend/replication/syncrep.c: a wait for standbys that is cancelled ends in success, \
         with a warning that few clients read",
        "succeed_when_demoted";
}

/// The flaws whose stage is the family's own profile.
pub(super) const PLAIN: &[FlawInfo] = &[
    Flaw::ReportBeforeSync.info(),
    Flaw::ForgetRetention.info(),
    Flaw::ApplyOutOfOrder.info(),
    Flaw::CountTwice.info(),
    Flaw::KeepDivergentTail.info(),
    Flaw::PromoteBeforeReplay.info(),
    Flaw::DropBeforeCheckpoint.info(),
    Flaw::SeedFromMovingData.info(),
    Flaw::SucceedWhenDemoted.info(),
];
