//! Ctrl-C, or a request to terminate: once, what was found so far is saved and told; twice, everything stops where it is.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Ending;

/// Whether somebody has asked to stop. From the first call on, an interrupt does no more than that; a second one ends the
/// process.
pub fn interrupted() -> bool {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // Without a handler an interrupt ends the process at once, which costs no more than the summary.
        let _ = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(Ending::Interrupted.code().into());
            }
        });
    });
    INTERRUPTED.load(Ordering::Relaxed)
}
