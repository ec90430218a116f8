//! Ctrl-C, or a request to terminate: once, what was found so far is saved and told; once more, everything stops where it
//! is.

use std::sync::{Once, OnceLock};
use std::time::Duration;

use super::Ending;

/// Signals that come this soon after the first are the same request: `timeout`, for one, sends it to the program and then to
/// the group that it is in.
const SAME: Duration = Duration::from_secs(1);

/// Whether somebody has asked to stop. From the first call on, an interrupt does no more than that; a later one ends the
/// process.
#[expect(clippy::disallowed_types, reason = "the command line may look at the wall clock; nothing below it does")]
pub fn interrupted() -> bool {
    static FIRST: OnceLock<std::time::Instant> = OnceLock::new();
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // Without a handler an interrupt ends the process at once, which costs no more than the summary.
        let _ = ctrlc::set_handler(|| {
            if FIRST.get_or_init(std::time::Instant::now).elapsed() > SAME {
                std::process::exit(Ending::Interrupted.code().into());
            }
        });
    });
    FIRST.get().is_some()
}
