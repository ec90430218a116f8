//! Commands as they are printed: by the name that the program goes by, and so that whoever copies one into a shell runs what
//! is meant.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;

pub(crate) use replisim_lab::shell::quoted;

/// What the program is called where nobody has called it.
const REPLISIM: &str = "replisim";

/// What stands before a command in our own texts: a quote, the margin of a list, and what announces it.
const LEADS: [&str; 3] = ["`", "\n  ", ": "];

/// What the program is called.
static NAME: OnceLock<String> = OnceLock::new();

/// From here on the program goes by the name of the file that was called: a program with protocols of its own is not
/// replisim, which does not know them.
pub(crate) fn go_by(called: Option<&OsStr>) {
    if let Some(name) = called.and_then(name_of) {
        NAME.get_or_init(|| name);
    }
}

/// What the program is called, as a shell takes it.
pub(crate) fn program() -> &'static str {
    NAME.get().map_or(REPLISIM, String::as_str)
}

/// A command of the program with what it is to work on.
pub(crate) fn command(verb: &str, operand: &str) -> String {
    format!("{} {verb} {}", program(), quoted(operand))
}

/// A text of ours, with the commands in it by the name that the program goes by.
pub(crate) fn in_its_name(text: &str) -> String {
    named(text, program())
}

fn name_of(called: &OsStr) -> Option<String> {
    let file = Path::new(called).file_name()?.to_string_lossy();
    Some(quoted(file.strip_suffix(EXE_SUFFIX).unwrap_or(&file)))
}

fn named(text: &str, name: &str) -> String {
    let rename = |text: String, lead: &str| text.replace(&format!("{lead}{REPLISIM} "), &format!("{lead}{name} "));
    LEADS.into_iter().fold(text.to_owned(), rename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_goes_by_the_name_of_its_file() {
        let of = |called: &str| name_of(OsStr::new(called));
        assert_eq!(of(&format!("/usr/bin/replisim{EXE_SUFFIX}")).as_deref(), Some("replisim"));
        assert_eq!(of("target/my program").as_deref(), Some("'my program'"));
        assert_eq!(of(""), None);
    }

    #[test]
    fn commands_are_named_anew_and_nothing_else_is() {
        let text = "Examples:\n  replisim run it\n`replisim list` is of replisim 0.1\n note: replisim explain S012";
        let told = "Examples:\n  mine run it\n`mine list` is of replisim 0.1\n note: mine explain S012";
        assert_eq!(named(text, "mine"), told);
        assert_eq!(named("note\u{1b}[0m: replisim explain S001", "mine"), "note\u{1b}[0m: mine explain S001");
    }
}
