//! Disks: what a process has stored, and how long it takes to make it last.

mod device;
mod journal;

pub(crate) use device::{DISK, Device, SyncFate};
pub use journal::Journal;
