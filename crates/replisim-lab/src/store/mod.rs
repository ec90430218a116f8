//! A campaign of runs is kept in a file that people can ask questions of, mail, interrupt and put together.
//!
//! A campaign over a scenario, its *subject*, is cut into numbered *lots* of a fixed number of runs; a run's [`Place`] is
//! its position in a lot. What is run there follows from the campaign's [`Manifest`] and from the results of the earlier
//! places of the same lot, never from timing, from the number of workers, or from other lots. **So a store is a cache of
//! results**: asked for a place it either has the row, or the run is done again and comes out the same. Everything else
//! follows from that:
//!
//! ```text
//!   workers ──▶ Writer ──▶ one SQLite file ◀── Store     lots to resume, known failures, summaries, SQL
//!      put()    batches         │
//!                               └──▶ merge ──▶ one file, the same bytes whatever it was merged from
//! ```
//!
//! - **It may be killed at any moment.** A run is there whole or not at all ([`Record`]). What [`Writer::committed`]
//!   counts survives; what it does not is done again.
//! - **It may be read meanwhile**, by any number of processes: the writer uses a write-ahead log. Only one at a time
//!   may write.
//! - **A run that is there already must be the same.** If it is not, that is a failure of determinism, and the error
//!   ([`Conflict`]) names both results. So every campaign that is resumed or merged tests determinism, too. One that
//!   [begins anew](Begin::Anew) drops its earlier runs first, for the code under test may have changed since.
//! - **Merging is a union.** Its laws (`union.rs`) are commutative, associative and idempotent, so shards may overlap,
//!   repeat and come in any order.
//!
//! A file may hold several campaigns, each under the digest of its manifest: another version of replisim, another
//! scenario, other settings are another campaign. What outlives them all is what is *known* ([`KnownRow`]): a failure, by
//! the subject's name, its seed and plan, the check and the shape of the anomaly. The next campaign runs those first and
//! says which are fixed.
//!
//! | file | what it says |
//! |---|---|
//! | `row` | what stands in the tables, as plain data |
//! | `write`, `insert`, `lock` | the one thread that writes |
//! | `read`, `query`, `summary` | whoever reads: lots to resume, any SQL, figures for a screen |
//! | `union`, `merge`, `digest` | what becomes of two rows for one key, many files made one, and the digest of what is in them |
//! | `file`, `placing`, `error` | how a file is opened and made, how it appears only when it is whole, and what can go wrong |
//!
//! The tables, and views that answer the usual questions, are told in `schema.sql`, which is written to be read.
//!
//! **Invariants**: no time on the wall is part of a digest or of a merged store, and a shard's store has none. Nothing else
//! that a store holds depends on the order in which results came in. No file makes the reader panic.
//!
//! *Missing on purpose*: migrations. A store is a cache; what a later schema wants can be run again.

mod digest;
mod error;
mod file;
mod insert;
mod lock;
mod merge;
mod placing;
mod query;
mod read;
mod row;
mod summary;
mod union;
mod write;

#[cfg(test)]
mod tests;

pub use error::{CODES, Conflict, ConflictSide, Explained, StoreError};
pub use merge::merge;
pub use placing::Placing;
pub use query::{Answer, Value};
pub use read::Store;
pub use row::{
    CellRow, DivergenceRow, FailureRow, KnownRow, Manifest, Mark, Origin, Place, Record, RunRow, Status, Subject,
    digest_of,
};
pub use summary::{CauseCount, CheckCount, Differing, SubjectCount, Summary, rate_bound};
pub use write::{Begin, Stopped, Writer, forget, rekey};

/// The number of the schema that this program reads and writes: of `schema.sql`, and of what its texts and blobs mean.
/// Whoever changes a table or what stands in one counts on, and a store of another number is refused. A view may change
/// without that, as long as whatever reads it here also understands it as it was: a store keeps the views it was made with.
pub const SCHEMA_VERSION: i64 = 4;
