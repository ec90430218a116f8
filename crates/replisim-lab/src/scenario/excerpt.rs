//! Reads typed values from a scenario's text, and keeps track of where in the text the reader is.

use std::ops::Range;

use ron::Options;
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

use super::explain::{Bounds, Explainer, Instead};
use super::outline::Outline;
use super::source::offset_of;
use super::{Diagnostic, LineColumn, Source};

/// A part of a scenario's text that holds one value.
#[derive(Clone, Debug)]
pub struct Excerpt<'s> {
    source: &'s Source,
    outline: &'s Outline<'s>,
    /// The path of the value, empty for the scenario itself.
    path: &'s str,
    /// Where it stands.
    range: Range<usize>,
}

/// The most that a whole number can be, by how wide its type is.
const MOSTS: [i128; 8] = [
    u64::MAX as i128,
    i64::MAX as i128,
    u32::MAX as i128,
    i32::MAX as i128,
    u16::MAX as i128,
    i16::MAX as i128,
    u8::MAX as i128,
    i8::MAX as i128,
];

/// The error of the reader, and where in the value and in the text it arose.
struct ReadError {
    error: ron::Error,
    path: String,
    cursor: Range<usize>,
}

impl<'s> Excerpt<'s> {
    /// The whole text.
    pub(crate) fn whole(source: &'s Source, outline: &'s Outline<'s>) -> Self {
        Excerpt { source, outline, path: "", range: 0..source.text.len() }
    }

    /// What a protocol is given: the brackets behind its name.
    pub(crate) fn settings(source: &'s Source, outline: &'s Outline<'s>) -> Self {
        let protocol = outline.find("protocol");
        let range =
            protocol.map_or(0..0, |node| node.name.as_ref().map_or(node.span.start, |name| name.end)..node.span.end);
        Excerpt { source, outline, path: "protocol", range }
    }

    /// A field of a scenario that stands in a text of its own.
    pub(crate) fn field(source: &'s Source, outline: &'s Outline<'s>, path: &'s str) -> Self {
        Excerpt { source, outline, path, range: 0..source.text.len() }
    }

    /// The same without the name that it begins with: what a protocol is given, where this is a protocol.
    pub(crate) fn behind_name(mut self) -> Self {
        let text = &self.source.text[self.range.clone()];
        self.range.start += text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        self
    }

    /// Reads the value.
    ///
    /// # Errors
    /// The first thing about the text that the type cannot take, with its place.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Diagnostic> {
        let text = &self.source.text[self.range.clone()];
        // A protocol without brackets has all its defaults.
        let text = if text.trim().is_empty() && !self.path.is_empty() { "()" } else { text };
        read_ron(text).map_err(|failure| {
            let path = failure.path.clone();
            let instead =
                |place: Range<usize>, other: &str| self.with::<T>(place, other)?.err().map(|failure| failure.error);
            self.explain(failure, &|number| self.bounds::<T>(&path, number), &instead)
        })
    }

    /// What the reader makes of it with something else at a place.
    fn with<T: DeserializeOwned>(&self, place: Range<usize>, other: &str) -> Option<Result<T, ReadError>> {
        let before = self.source.text.get(self.range.start..place.start)?;
        let after = self.source.text.get(place.end..self.range.end)?;
        Some(read_ron(&format!("{before}{other}{after}")))
    }

    /// The least and the most that a whole number can be where one stands that cannot be read. No error tells; so others are
    /// read in its place.
    fn bounds<T: DeserializeOwned>(&self, path: &str, number: Range<usize>) -> Option<(i128, i128)> {
        let fits = |other: &i128| {
            let read = self.with::<T>(number.clone(), &other.to_string());
            read.is_some_and(|read| read.err().is_none_or(|failure| failure.path != path))
        };
        let most = MOSTS.into_iter().find(fits)?;
        let least = [-1 - most, 0, 1].into_iter().find(fits)?;
        Some((least, most))
    }

    fn explain(&self, failure: ReadError, bounds: Bounds<'_>, instead: Instead<'_>) -> Diagnostic {
        let cursor = self.range.start + failure.cursor.start..self.range.start + failure.cursor.end;
        let path = match failure.path.as_str() {
            "." => self.path.to_owned(),
            below if self.path.is_empty() => below.to_owned(),
            below => format!("{}.{below}", self.path),
        };
        Explainer { outline: self.outline, path: &path, cursor, bounds, instead }.explain(failure.error)
    }
}

/// What a type's fields are called, if it refuses others. No type tells; so one that none has is read.
pub(crate) fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    match read_ron::<T>("(_: 0)").map_err(|failure| failure.error) {
        Err(ron::Error::NoSuchStructField { expected, .. }) => expected,
        Ok(_) | Err(_) => &[],
    }
}

fn read_ron<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    let options = Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    let spanned = |path: String, error: ron::de::SpannedError| {
        let at =
            |position: ron::de::Position| offset_of(text, LineColumn { line: position.line, column: position.col });
        ReadError { error: error.code, path, cursor: at(error.span.start)..at(error.span.end) }
    };
    let mut reader =
        ron::Deserializer::from_str_with_options(text, &options).map_err(|error| spanned(".".to_owned(), error))?;
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        spanned(path, reader.span_error(error.into_inner()))
    })?;
    reader.end().map_err(|error| spanned(".".to_owned(), reader.span_error(error)))?;
    Ok(value)
}
