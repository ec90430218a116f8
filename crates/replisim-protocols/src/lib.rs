//! The replication protocols, each a family of systems that share one idea, written to be read.
//!
//! | family | idea | protocols |
//! |---|---|---|
//! | [`leader_follower`] | one server orders all writes, the others follow its log | [`PostgreSql`], [`MySql`], [`LeaderFollower`] |
//!
//! Start with a family's own page: it tells the problem, the idea, what is promised and what is not, and in which order
//! to read its modules. A family is one engine; a system is a *profile* of it, which translates the system's own
//! settings into the engine's rules.
//!
//! **Invariant**: a protocol is a state machine. It does no I/O, knows no wall clock but its host's, and draws chance
//! from its own stream alone.

pub mod leader_follower;

pub use leader_follower::{LeaderFollower, MySql, PostgreSql};
