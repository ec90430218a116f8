//! One campaign at a time writes to a store. Two that did would drop each other's runs when they begin anew, and wait for
//! each other at every batch.
//!
//! Any number of processes may read meanwhile, so the file itself cannot be what is locked: SQLite has its own locks
//! there. A file beside it is, and the system lets go of that however its holder ends. What is left of it after a sudden
//! end does no harm.
//!
//! Who ends takes the file away, and somebody may have opened it just before, to lock it just after:
//!
//! ```text
//!   first    locked ───────────── takes the name away ── lets go
//!   second              opens it ────────────────────────────── locks what has no name any more
//!   third                                                    opens and locks a new one: both write
//! ```
//!
//! So whoever has locked a file looks again whether it is still the one of that name, and begins anew if it is not.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use same_file::Handle;

use super::StoreError;
use super::file::beside;

/// How often the file may be taken away between its opening and its locking. Each time a whole campaign has ended there.
const TRIES_MAX: u32 = 64;

/// The right to write to a store, until it is dropped.
pub(super) struct Lock {
    path: PathBuf,
    /// Locked for as long as it is open; `None` on file systems that know of no locks.
    file: Option<Handle>,
}

/// What came of trying to lock a file.
enum TryLock {
    /// It is locked, and it is the one of its name.
    Locked(Lock),
    /// It has lost its name meanwhile.
    Gone,
    /// Somebody else has locked it.
    Taken,
}

impl Lock {
    /// Takes the right to write to the store at `store`, if nobody has it. A link to a store stands for it.
    pub(super) fn take(store: &Path) -> Result<Lock, StoreError> {
        let path = beside(&store.canonicalize().unwrap_or_else(|_| store.to_owned()), ".lock");
        let refuse = |error| StoreError::File { path: path.clone(), error };
        for _ in 0..TRIES_MAX {
            match open(&path).and_then(|file| Lock::hold(file, &path)).map_err(refuse)? {
                TryLock::Locked(lock) => return Ok(lock),
                TryLock::Gone => {}
                TryLock::Taken => break,
            }
        }
        Err(StoreError::Busy { path: store.to_owned() })
    }

    /// Locks a file that was opened at `path`.
    fn hold(file: Handle, path: &Path) -> std::io::Result<TryLock> {
        let path = path.to_owned();
        match file.as_file().try_lock() {
            Ok(()) if is_at(&file, &path)? => Ok(TryLock::Locked(Lock { path, file: Some(file) })),
            Ok(()) => Ok(TryLock::Gone),
            Err(TryLockError::WouldBlock) => Ok(TryLock::Taken),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                Ok(TryLock::Locked(Lock { path, file: None }))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // First the name, then the lock: who opens the file from now on makes a new one, and who had opened it before
        // finds that it has lost its name. If the name stays, it does no harm.
        let _ = std::fs::remove_file(&self.path);
        self.file = None;
    }
}

fn open(path: &Path) -> std::io::Result<Handle> {
    Handle::from_file(File::options().create(true).truncate(false).write(true).open(path)?)
}

/// Whether this file is the one that stands at `path` now.
fn is_at(file: &Handle, path: &Path) -> std::io::Result<bool> {
    match Handle::from_path(path) {
        Ok(there) => Ok(there == *file),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_file_that_has_lost_its_name_is_locked_by_nobody() {
        let scratch = Scratch::new("lock-gone");
        let path = scratch.path("a.store.lock");
        let early = open(&path).unwrap();
        let first = Lock::take(&scratch.path("a.store")).unwrap();
        assert!(matches!(Lock::hold(open(&path).unwrap(), &path), Ok(TryLock::Taken)));
        drop(first);
        assert!(!path.exists());
        assert!(matches!(Lock::hold(early, &path), Ok(TryLock::Gone)), "there is no such file any more");

        let early = open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let third = Lock::take(&scratch.path("a.store")).unwrap();
        assert!(matches!(Lock::hold(early, &path), Ok(TryLock::Gone)), "there is another file of that name");
        assert!(path.exists(), "who has not locked it does not take it away");
        drop(third);
    }

    #[test]
    fn of_many_that_come_and_go_one_at_a_time_has_the_lock() {
        let scratch = Scratch::new("lock-many");
        let store = scratch.path("a.store");
        let held = AtomicBool::new(false);
        let come_and_go = || {
            let mut times = 0;
            while times < 500 {
                let Ok(lock) = Lock::take(&store) else { continue };
                assert!(!held.swap(true, Ordering::SeqCst), "two have the lock");
                // Long enough for another to come in, if the lock lets it.
                thread::yield_now();
                held.store(false, Ordering::SeqCst);
                drop(lock);
                times += 1;
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(come_and_go);
            }
        });
    }
}
