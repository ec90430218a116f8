//! The one accent of a screen, and how wide it is.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style as Ansi};

use crate::prose::{reflowed, wrapped};
use crate::section::WIDTH;

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

/// What a screen is laid out for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// How its text may look.
    pub style: Style,
    /// How many columns prose has. Tables and commands stand as they are.
    pub width: usize,
}

impl Page {
    /// How many columns prose has where nobody says otherwise.
    pub const WIDTH: usize = WIDTH;

    pub(crate) fn broken(self, text: &str) -> Cow<'_, str> {
        self.style.broken(text)
    }

    /// `text` in lines that fit, each after `indent`.
    pub fn wrapped(self, text: &str, indent: &str) -> String {
        wrapped(text, indent, self.width)
    }

    /// A text of prose and of lines that begin with a space, such as rows and commands, which stand as they are: in lines
    /// that fit, each after `indent`.
    pub fn reflowed(self, text: &str, indent: &str) -> String {
        reflowed(text, indent, self.width)
    }

    /// A line after `indent`: as it is if it fits, else wrapped.
    pub fn line(self, text: &str, indent: &str) -> String {
        match indent.len() + text.chars().count() <= self.width {
            true => format!("{indent}{text}\n"),
            false => self.wrapped(text, indent),
        }
    }

    /// The lines of a text as something broken, but for what they are indented by.
    pub(crate) fn all_broken(self, text: &str) -> String {
        let line = |line: &str| {
            let (indent, words) = line.split_at(line.len() - line.trim_start().len());
            format!("{indent}{}\n", self.broken(words))
        };
        text.lines().map(line).collect()
    }
}

impl From<Style> for Page {
    /// The page of whatever is no narrow terminal.
    fn from(style: Style) -> Self {
        Page { style, width: Page::WIDTH }
    }
}
