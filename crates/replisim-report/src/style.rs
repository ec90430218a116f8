//! The one accent of a screen.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style as Ansi};

/// How text may look where it is printed. There is a single accent, and it marks what is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Style {
    /// Characters only: for files, pipes, and whoever asked for no colours.
    #[default]
    Plain,
    /// With colour: for a terminal.
    Colour,
}

impl Style {
    /// `text` as something broken.
    pub fn broken(self, text: &str) -> Cow<'_, str> {
        const ACCENT: Ansi = AnsiColor::Red.on_default();
        match self {
            Style::Plain => Cow::Borrowed(text),
            Style::Colour => Cow::Owned(format!("{ACCENT}{text}{ACCENT:#}")),
        }
    }
}
