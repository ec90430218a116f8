//! A scenario's text and the file it came from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Code, Diagnostic, Report};

/// The largest scenario that is read, in bytes. The longest useful one is a hundred times smaller.
pub const SOURCE_BYTES_MAX: u64 = 1 << 20;

/// A text with the name that mistakes in it are reported under.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// The file as the user named it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// A place in a text as people and editors count: lines and columns from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LineColumn {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Source {
    /// A text that is already at hand.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is larger than [`SOURCE_BYTES_MAX`] (which is found out before it is read), or is not
    /// UTF-8.
    pub fn read(path: &Path) -> Result<Source, Report> {
        Source::read_within(path, SOURCE_BYTES_MAX)
    }

    /// Reads a file of at most so many bytes.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_within(path: &Path, bytes_max: u64) -> Result<Source, Report> {
        let name = path.display().to_string();
        let bytes = read_bounded(path, bytes_max).map_err(|mistake| Report::of(Source::new(&name, ""), mistake))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text))),
            Err(error) => Err(not_text(name, error)),
        }
    }

    /// Where the byte at `offset` stands.
    pub fn place(&self, offset: usize) -> LineColumn {
        let before = &self.text[..floor_boundary(&self.text, offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        LineColumn { line: 1 + before.matches('\n').count(), column: 1 + before[line_start..].chars().count() }
    }
}

/// The offset of a place in `text`; its end if the text has no such place.
pub(crate) fn offset_of(text: &str, place: LineColumn) -> usize {
    let line_start = match place.line {
        0 | 1 => 0,
        line => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(newline, _)| newline + 1),
    };
    let rest = &text[line_start..];
    line_start + rest.char_indices().nth(place.column.saturating_sub(1)).map_or(rest.len(), |(offset, _)| offset)
}

/// The nearest boundary between characters at or before `offset`.
pub(crate) fn floor_boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// What the system hands to a program under a name of its own: `/dev/stdin`, or the `/dev/fd/63` of a shell's `<(…)`.
const HANDED: &str = "/dev";

fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Diagnostic> {
    let there = path.metadata().map_err(unreadable)?;
    if !there.is_file() && !there.is_dir() && !path.starts_with(HANDED) {
        // Whoever opens a pipe waits until somebody writes into it.
        return Err(Diagnostic::new(Code::Unreadable, "this is a pipe or a device, not a file"));
    }
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    // A pipe or device tells no length beforehand, so the limit holds while reading, too.
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max { Err(too_large(bytes_max)) } else { Ok(bytes) }
}

fn unreadable(error: io::Error) -> Diagnostic {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "you may not read this file".to_owned(),
        io::ErrorKind::IsADirectory => "this is a folder, not a file".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::new(Code::Unreadable, why).help("`replisim list` names the scenarios there are")
}

fn too_large(bytes_max: u64) -> Diagnostic {
    Diagnostic::new(Code::TooLarge, format!("the file is larger than {} kB", bytes_max >> 10))
        .help("a scenario is a page of text; is this one?")
}

fn not_text(name: String, error: std::string::FromUtf8Error) -> Report {
    let at = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let mistake = Diagnostic::new(Code::NotText, format!("byte {at} of the file is not UTF-8"))
        .at(at..at + char::REPLACEMENT_CHARACTER.len_utf8())
        .label("from here on")
        .help("save the file as UTF-8 text");
    Report::of(Source::new(name, text), mistake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_offsets_count_bytes() {
        let source = Source::new("", "ä:\n  ö = 1\n");
        let equals = source.text.find('=').unwrap();
        let place = source.place(equals);
        assert_eq!(place, LineColumn { line: 2, column: 5 });
        assert_eq!(offset_of(&source.text, place), equals);
        assert_eq!(offset_of(&source.text, LineColumn { line: 9, column: 9 }), source.text.len());
        assert_eq!(source.place(1), LineColumn { line: 1, column: 1 });
    }
}
