//! Writing a store.

use std::path::Path;

use super::{FailureRow, KnownRow, Manifest, Record, StoreError};

/// The one that writes to a store: a thread that owns the connection, and a bounded channel to it. Many threads may
/// feed one writer.
pub struct Writer {}

/// The writer has stopped, and takes nothing more; [`Writer::finish`] says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the store's writer has stopped")]
pub struct Stopped;

impl Writer {
    /// Opens a store for writing, as [`super::Store::create`] does, and starts the thread.
    ///
    /// # Errors
    /// As [`super::Store::create`].
    pub fn begin(path: &Path, manifest: &Manifest) -> Result<Writer, StoreError> {
        unimplemented!("{path:?} {manifest:?}")
    }

    /// Hands over a run, with all that belongs to it. Waits while the channel is full.
    ///
    /// # Errors
    /// If the writer has stopped.
    pub fn put(&self, record: Record) -> Result<(), Stopped> {
        unimplemented!("{record:?}")
    }

    /// Hands over a failure of a run that was handed over before: a smaller case of it, for instance.
    ///
    /// # Errors
    /// If the writer has stopped.
    pub fn put_failure(&self, failure: FailureRow) -> Result<(), Stopped> {
        unimplemented!("{failure:?}")
    }

    /// Says what became of a known failure.
    ///
    /// # Errors
    /// If the writer has stopped.
    pub fn put_known(&self, known: KnownRow) -> Result<(), Stopped> {
        unimplemented!("{known:?}")
    }

    /// How many of the runs handed over are committed. What is counted here survives the end of the process, however
    /// sudden.
    pub fn committed(&self) -> u64 {
        unimplemented!()
    }

    /// Commits what was handed over, ends the thread and returns how many runs were committed.
    ///
    /// # Errors
    /// What stopped the writer: a result that differs from the one that is there, or a store that cannot be written.
    pub fn finish(self) -> Result<u64, StoreError> {
        unimplemented!()
    }
}
