//! One server orders all writes; the others follow its log.
//!
//! # The problem
//!
//! Copies of data on several machines survive the loss of one, and serve readers nearby. But somebody must decide in
//! which order two writes happened, or the copies drift apart. The oldest answer is still the commonest: make one replica
//! the *leader*. All writes go to it; it puts them into a log, in the order in which they count; and every *follower*
//! receives that log and applies it, record by record. Readers may ask anybody.
//!
//! # The idea
//!
//! ```text
//!   client            leader                     follower
//!     │  write x        │                           │
//!     │ ──────────────▶ │ log x, sync               │
//!     │                 │ ── x ───────────────────▶ │ log x, sync
//!     │                 │ ◀──────────── have it ─── │ apply x: readers see it
//!     │ ◀──────── ok ── │                           │
//! ```
//!
//! Everything that goes well or wrong with this is a matter of *when* the leader says ok, and of *what happens then* if a
//! part of the picture is missing:
//!
//! | the leader says ok | a leader that dies loses | a follower that is away costs |
//! |---|---|---|
//! | at once (asynchronous) | what had not arrived where the next leader is | nothing |
//! | when one of several has it | nothing, if that one is promoted | nothing, while another takes its place |
//! | when a certain number has it | nothing, if one of them is promoted | nothing, while enough are left |
//! | when all have it | nothing | all writes, until it is back |
//! | when one has it, or after a while (MySQL's semi-synchronous) | nothing, until it has waited in vain once | a pause |
//!
//! "Has it" is itself a matter of degree: in the follower's memory, on its disk, or shown to its readers
//! ([`rules::Progress`]).
//!
//! # Epochs, and why an index is not enough
//!
//! Promotion begins a new *epoch* (PostgreSQL: timeline; MySQL: the source's own numbers) at the place where the promoted
//! follower's log ended. If it lacked a tail, the former leader has records that are no part of history any more:
//!
//! ```text
//!   former leader   ── 480@1 ── 490@1 ── 502@1            acknowledged or not, these two are lost
//!   promoted        ── 480@1 ┐
//!                            └─ 495@2 ── 510@2 ── …       epoch 2 begins after 480
//! ```
//!
//! The log has long passed index 502, yet 502@1 is not in it. So every comparison here goes by
//! [`replisim_history::Lineage`], which knows where each epoch began and ended: whether a follower fits its upstream,
//! whether a reader's token is covered, whether an acknowledgement counts.
//!
//! # What is promised
//!
//! - Every replica applies the records of one log in its order: each shows a prefix of the leader's history.
//! - A write that was acknowledged under a rule is where that rule says, until a disk is destroyed.
//! - A read with a token is answered from a state that includes the token, or not at all.
//! - A follower goes on from its own place after any crash, cut or restart, without gaps and without repetition.
//!
//! # What is not
//!
//! - That a promoted follower has what was acknowledged: an operator may promote the wrong one, and under an asynchronous
//!   rule every one is wrong. Nobody is fenced: a former leader that comes back believes that it still leads.
//! - That a read from a follower is fresh, or no older than the last one. That is up to how reads are routed.
//! - That two servers which have diverged find together again. They notice, at best; an operator must rewind or reseed.
//! - Automatic failover. Here an operator promotes; managers that do it by themselves are processes of their own.
//!
//! # Reading order
//!
//! | module | what it tells |
//! |---|---|
//! | [`rules`] | every choice on which systems differ |
//! | [`message`] | what servers say to each other, and when |
//! | [`record`] | what they write to disk |
//! | [`ack`] | arithmetic: how far commits are acknowledged |
//! | `node`, `recover` | the replica: its state, its dispatch, its start |
//! | `begin` | from an order to lead, or a restart, to the first record of a new epoch |
//! | `execute`, `commit` | a write on the leader, from the request to the answer |
//! | `silence` | what becomes of it when followers do not answer |
//! | `log`, `ship` | from the leader's log to the follower's stream |
//! | `follow`, `replay` | from the stream to the follower's log, and from there to its readers |
//! | `reads` | reads, with or without a token |
//! | `retention`, `seed` | how long log is kept, and what becomes of who needs more |
//! | `learner` | from a copy of the data to a full member |
//! | `operator` | what operators order: promotion, demotion, seeding, backups, settings |
//! | `rewind` | a former leader gives up what nobody else has |
//! | `state` | the states that a search for failures tells apart |
//! | [`flaw`] | mistakes that others have made, to be made here on purpose |
//! | `profile`, `promise` | how a system's own words become rules, what those promise, and to whom |
//! | [`postgresql`], [`mysql`], [`plain`] | the three profiles |
//!
//! # Known anomalies
//!
//! Each is a scenario under `scenarios/`, here in `leader_follower/` where no other folder is named; most have a cure
//! beside them.
//!
//! | scenario | what goes wrong | cure |
//! |---|---|---|
//! | `stale_read_after_write` | a session reads its own write from a follower that has not applied it | `read_your_writes_by_token` |
//! | `sessions/time_travelling_reads` | two reads go to two followers, and the second is older | `token_reads_never_go_back` |
//! | `sessions/reply_before_its_message` | somebody reads an answer before the question it answers | `reply_after_its_message` |
//! | `lost_write_on_promotion` | an asynchronous leader dies with what had not been shipped | `write_survives_promotion` |
//! | `wrong_follower_promoted` | one follower has everything, and another one is promoted | `right_follower_promoted` |
//! | `promoted_before_caught_up` | a server is promoted that was just copied, and lacks what it once acknowledged | `learner_left_alone` |
//! | `two_leaders` | a former leader is not stopped, and goes on acknowledging | `old_leader_fenced` |
//! | `stalled_by_synchronous_follower` | the only synchronous follower is gone, and commits wait for ever | `any_synchronous_follower`, `synchronous_follower_replaced` |
//! | `relay_lag` | delays add up along a chain of relays | `followers_without_relays` |
//! | `new_follower_under_load` | a copy takes so long that the log must be kept for it | |
//! | `reseed_after_retention` | a follower is away for longer than log is kept | `log_kept_by_slot` |
//! | `dropped_table` | a mistake replicates in milliseconds; a delayed follower or a backup is the way back | `delayed_follower` |
//! | `postgresql/gitlab_2017` | log runs out, the reseed goes wrong, the backup is six hours old | `gitlab_2017_with_slot` |
//!
//! What only one system does is told by its profile, with scenarios under `scenarios/postgresql/` and `scenarios/mysql/`.
//!
//! # References
//!
//! - Kleppmann, *Designing Data-Intensive Applications* (2017), ch. 5: Leaders and Followers, Problems with Replication Lag.
//! - Terry et al., *Session Guarantees for Weakly Consistent Replicated Data*, PDIS 1994.
//! - PostgreSQL 15 documentation, ch. 20, 26, 27 and 30; MySQL 8.4 Reference Manual, ch. 19.
//! - Kingsbury, *Jepsen: Postgres* (2013): the acknowledgement that is lost on its way.
//! - GitLab, *Postmortem of database outage of January 31* (2017).

pub mod ack;
mod begin;
mod commit;
mod execute;
pub mod flaw;
mod follow;
mod learner;
mod log;
pub mod message;
pub mod mysql;
mod node;
mod operator;
pub mod plain;
pub mod postgresql;
mod profile;
mod promise;
mod reads;
pub mod record;
mod recover;
mod replay;
mod retention;
mod rewind;
pub mod rules;
mod seed;
mod ship;
mod silence;
mod state;
#[cfg(test)]
mod tests;

pub use node::{Replica, Timer};
pub use profile::{Config, Profile, Servers, Tree};

/// PostgreSQL's streaming replication: see [`postgresql`].
pub type PostgreSql = Replica<postgresql::Streaming>;

/// MySQL's asynchronous and semi-synchronous replication: see [`mysql`].
pub type MySql = Replica<mysql::BinaryLog>;

/// Leader–follower replication in the family's own words: see [`plain`].
pub type LeaderFollower = Replica<plain::Plain>;
