//! What a panic says and where it comes from is told to the program's panic hook alone. Ours listens on behalf of runs, and
//! leaves every other panic to the hook that was there before.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use replisim_history::words::printable;

/// What is known of a panic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaughtPanic {
    /// What it said, in characters that every report can hold.
    pub message: String,
    /// Where in the code: `src/log.rs:41`; empty if nobody was told.
    pub place: String,
}

thread_local! {
    /// Whether this thread drives a run: then its panics are the run's.
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    /// The panic that was heard last.
    static HEARD: RefCell<Option<CaughtPanic>> = const { RefCell::new(None) };
    /// How the program had come to it.
    static BACKTRACE: RefCell<Option<Backtrace>> = const { RefCell::new(None) };
}

static INSTALLED: Once = Once::new();

/// Does something that may panic; if it does, returns what was heard of that, and nothing is printed.
///
/// Whatever is borrowed for it must not be relied on after a panic: it was left in the middle of something.
pub fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T, CaughtPanic> {
    INSTALLED.call_once(install);
    HEARD.take();
    let before = LISTENING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    LISTENING.set(before);
    // Nothing was heard if somebody has put another hook in the place of ours.
    result.map_err(|payload| {
        HEARD.take().unwrap_or_else(|| CaughtPanic { message: said(&*payload), place: String::new() })
    })
}

/// The backtrace of the last panic in a run on this thread, if the environment asks for one (`RUST_BACKTRACE=1`). It is
/// told once.
pub fn backtrace() -> Option<String> {
    BACKTRACE.take().map(|backtrace| backtrace.to_string())
}

fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !LISTENING.get() {
            return before(info);
        }
        let first = HEARD.replace(Some(CaughtPanic { message: said(info.payload()), place: place(info) })).is_none();
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            BACKTRACE.set(Some(backtrace));
        }
        if !first {
            // While the first unwinds, a second one ends the program: let it be heard.
            before(info);
        }
    }));
}

/// What a panic says: a text, unless somebody panicked with a value of their own.
fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    printable(text.unwrap_or("no message"))
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map(|at| format!("{}:{}", shortened(at.file()), at.line())).unwrap_or_default()
}

/// A file as the compiler names it, without what is different on another machine. What belongs to the project that is
/// built has a path within it; all else begins at the root of somebody's disk, and keeps its crate and what is below.
fn shortened(file: &str) -> String {
    let parts: Vec<&str> = file.split(['/', '\\']).collect();
    if !parts[0].is_empty() && !parts[0].ends_with(':') {
        return parts.join("/");
    }
    let source = parts.iter().rposition(|part| ["src", "tests", "examples", "benches"].contains(part));
    let kept = source.map_or(parts.len() - 1, |source| source.saturating_sub(1).max(1));
    parts[kept..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_without_the_machine_it_is_on() {
        for (file, told) in [
            ("crates/mine/src/log.rs", "crates/mine/src/log.rs"),
            ("crates\\mine\\src\\log.rs", "crates/mine/src/log.rs"),
            ("src/log.rs", "src/log.rs"),
            ("/home/somebody/src/mine/src/raft/log.rs", "mine/src/raft/log.rs"),
            ("/rustc/59807616e/library/core/src/option.rs", "core/src/option.rs"),
            ("C:\\Users\\somebody\\mine\\src\\log.rs", "mine/src/log.rs"),
            ("/home/somebody/made/log.rs", "log.rs"),
            ("/src/log.rs", "src/log.rs"),
        ] {
            assert_eq!(shortened(file), told);
        }
    }

    #[test]
    fn what_was_said_is_heard_with_its_place_and_once() {
        let heard = catch_panic(|| panic!("{} of {}", 1, 2)).expect_err("it panics");
        assert_eq!(heard.message, "1 of 2");
        assert!(heard.place.contains("src/guard/hook.rs:"), "{}", heard.place);
        assert_eq!(catch_panic(|| panic::panic_any(7_u8)).expect_err("it panics").message, "no message");
        assert_eq!(catch_panic(|| 7), Ok(7));
    }

    #[test]
    fn what_is_heard_can_be_printed_anywhere() {
        let heard = catch_panic(|| panic!("\u{1b}[31mé “red”\0\u{85}\u{ffff}\r\n\tnext")).expect_err("it panics");
        assert_eq!(heard.message, "\\u{1b}[31mé “red”\\u{0}\\u{85}\\u{ffff}\\r\n\tnext");
    }

    #[test]
    fn what_code_catches_itself_is_no_panic_of_the_run() {
        let caught = || panic::catch_unwind(|| panic!("caught")).is_err();
        assert_eq!(catch_panic(caught), Ok(true));
        assert_eq!(
            catch_panic(|| panic!("another")).map_err(|heard| heard.message),
            Err::<(), _>("another".to_owned())
        );
    }
}
