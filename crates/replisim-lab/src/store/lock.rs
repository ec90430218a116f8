//! One campaign at a time writes to a store. Two that did would drop each other's runs when they begin anew, and wait for
//! each other at every batch.
//!
//! Any number of processes may read meanwhile, so the file itself cannot be what is locked: SQLite has its own locks
//! there. A file beside it is, and the system lets go of that however its holder ends. What is left of it after a sudden
//! end does no harm.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::StoreError;

/// The right to write to a store, until it is dropped.
pub(super) struct Lock {
    path: PathBuf,
    /// Locked for as long as it is open; `None` on file systems that know of no locks.
    file: Option<File>,
}

impl Lock {
    /// Takes the right to write to the store at `store`, if nobody has it.
    pub(super) fn take(store: &Path) -> Result<Lock, StoreError> {
        let mut name = store.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let refuse = |error| StoreError::File { path: path.clone(), error };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(refuse)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { path, file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: store.to_owned() }),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(Lock { path, file: None }),
            Err(TryLockError::Error(error)) => Err(refuse(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // First the name, then the lock: who opens the file from now on makes a new one. If the name stays, it does no
        // harm.
        let _ = std::fs::remove_file(&self.path);
        self.file = None;
    }
}
