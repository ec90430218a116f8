//! The campaign store.

mod error;
mod merge;
mod read;
mod row;
mod write;

pub use error::{Claim, Conflict, StoreError};
pub use merge::merge;
pub use read::Store;
pub use row::{
    CellRow, Coverage, FailureRow, KnownRow, Manifest, Mark, Origin, Place, Record, RunRow, Status, Subject,
};
pub use write::{Stopped, Writer};

/// The version of the schema that this program reads and writes.
pub const SCHEMA_VERSION: i64 = 1;
