//! Reading a store.

use std::path::{Path, PathBuf};

use replisim_kernel::Digest;
use rusqlite::Connection;

use super::{Coverage, FailureRow, KnownRow, Manifest, RunRow, StoreError};

/// A store, open for reading. Another process may write to it meanwhile. It can be sent to a thread but not shared:
/// each thread opens its own.
pub struct Store {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
}

impl Store {
    /// Opens a store that is there.
    ///
    /// # Errors
    /// If it is missing, is no store, or was written by a later version.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        unimplemented!("{path:?}")
    }

    /// Opens a store, which is made if it is not there, and adds a campaign, unless it is there.
    ///
    /// # Errors
    /// As [`Store::open`], or if it cannot be written.
    pub fn create(path: &Path, manifest: &Manifest) -> Result<Store, StoreError> {
        unimplemented!("{path:?} {manifest:?}")
    }

    /// The campaigns, in the order of their digests.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn campaigns(&self) -> Result<Vec<Manifest>, StoreError> {
        unimplemented!()
    }

    /// The runs of a lot that are there, in the order of their places. A store that was killed while it wrote holds any
    /// subset of them.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the campaign.
    pub fn lot(&self, campaign: Digest, subject: u32, lot: u32) -> Result<Vec<RunRow>, StoreError> {
        unimplemented!("{campaign} {subject} {lot}")
    }

    /// The failures of a campaign, in the order of their places and checks.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the campaign.
    pub fn failures(&self, campaign: Digest) -> Result<Vec<FailureRow>, StoreError> {
        unimplemented!("{campaign}")
    }

    /// The coverage cells of a subject, in the order of their bytes.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the campaign.
    pub fn coverage(&self, campaign: Digest, subject: u32) -> Result<Vec<Coverage>, StoreError> {
        unimplemented!("{campaign} {subject}")
    }

    /// Every failure that was ever seen, in the order of subject, seed, plan, check and kind, whatever its campaign.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn known(&self) -> Result<Vec<KnownRow>, StoreError> {
        unimplemented!()
    }

    /// The digest of everything that a merged store would hold: the same for the same results, however they got here.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn digest(&self) -> Result<Digest, StoreError> {
        unimplemented!()
    }
}
