//! Says in plain words why a text is not what a type wants. The reader's own words assume that one knows how it works.

use std::ops::Range;

use super::diagnostic::{listed, nearest};
use super::outline::{Found, Outline, Shape};
use super::source::floor_boundary;
use super::{Code, Diagnostic};

/// What to do where a quantity stands without quotes.
const UNITS: &str = "quantities are texts with a unit: \"150ms\", \"3%\", \"16MB\", \"1Gbit/s\"";

/// Between what a whole number at a place has to be.
pub(super) type Bounds<'b> = &'b dyn Fn(Range<usize>) -> Option<(i128, i128)>;

/// What the reader complains of if something else stands at a place.
pub(super) type Instead<'b> = &'b dyn Fn(Range<usize>, &str) -> Option<ron::Error>;

/// Turns the reader's errors into ours.
pub(super) struct Explainer<'o> {
    /// Of the whole text.
    pub outline: &'o Outline<'o>,
    /// The path of the value at fault, from the scenario on.
    pub path: &'o str,
    /// Where the reader stood.
    pub cursor: Range<usize>,
    /// What a number there may be.
    pub bounds: Bounds<'o>,
    /// What would be wrong with something else.
    pub instead: Instead<'o>,
}

impl Explainer<'_> {
    /// The mistake that an error tells of.
    pub fn explain(&self, error: ron::Error) -> Diagnostic {
        use ron::Error::*;
        match error {
            NoSuchStructField { expected, found, .. } => self.unknown(Code::UnknownField, "field", &found, expected),
            NoSuchEnumVariant { expected, found, .. } => self.unknown(Code::UnknownName, "name", &found, expected),
            ExpectedDifferentStructName { expected, found } => {
                self.unknown(Code::UnknownName, "name", &found, &[expected])
            }
            MissingStructField { field, .. } => self.missing(field),
            DuplicateStructField { field, .. } => self.repeated(field),
            ExceededRecursionLimit => Diagnostic::new(Code::TooDeep, "brackets are nested too deep").at(self.here()),
            Message(message) => self.refused(&message),
            InvalidValueForType { expected, .. } | ExpectedDifferentLength { expected, .. } => {
                self.wrong_type(&expected)
            }
            ExpectedArrayEnd | ExpectedMapEnd | ExpectedStructLikeEnd | ExpectedOptionEnd if !self.is_syntax() => {
                self.too_many()
            }
            IntegerOutOfBounds if !self.is_syntax() => match (self.bounds)(self.mark()) {
                Some((least, most)) => self.wrong_type(&format!("a whole number from {least} to {most}")),
                None => self.wrong_type("a smaller number"),
            },
            // The reader has taken the beginning of a number for all of it.
            ExpectedComma if !self.is_syntax() && self.is_numeral() => self.no_number(),
            ExpectedIdentifier | InvalidIdentifier(_) | SuggestRawIdentifier(_) if !self.is_syntax() => self.no_name(),
            Eof | ExpectedStringEnd | UnclosedBlockComment => self.unfinished(),
            other if self.is_syntax() => self.syntax(&other),
            other => self.wrong_type(&wanted_by(&other)),
        }
    }

    /// Whether the text stops to be RON before or where the reader stopped.
    fn is_syntax(&self) -> bool {
        self.outline.broken.is_some_and(|broken| broken <= self.cursor.end) || self.outline.root.is_none()
    }

    fn unknown(&self, code: Code, kind: &str, found: &str, accepted: &[&str]) -> Diagnostic {
        let accepted_ones = match accepted {
            [only] => format!("the only {kind} here is {only}"),
            _ => format!("{kind}s are {}", listed(accepted)),
        };
        let mistake = Diagnostic::new(code, format!("unknown {kind} `{found}`{}", self.within(found)))
            .at(self.mention(found))
            .label(accepted_ones)
            .did_you_mean(nearest(found, accepted.iter().copied()));
        // What stands behind a bracket left open seems to belong where it does not.
        let unclosed = self.outline.broken == Some(self.outline.text.len());
        if unclosed { mistake.help("a bracket or quote before this is never closed") } else { mistake }
    }

    fn missing(&self, field: &str) -> Diagnostic {
        Diagnostic::new(Code::MissingField, format!("missing field `{field}`{}", self.within(field)))
            .at(self.opening())
            .label(format!("`{field}` has no default"))
    }

    fn repeated(&self, field: &str) -> Diagnostic {
        Diagnostic::new(Code::Repeated, format!("`{field}` is given twice"))
            .at(self.mention(field))
            .label("only one of them could be meant")
    }

    /// A value that was read and then refused by its own type, which had only words to say so.
    fn refused(&self, message: &str) -> Diagnostic {
        let mut quoted = message.split('`').skip(1).step_by(2);
        let found = quoted.next().unwrap_or_default();
        let accepted: Vec<&str> = quoted.skip(usize::from(message.contains("` in "))).collect();
        match message {
            _ if message.starts_with("Unexpected missing field named") => self.missing(found),
            _ if message.starts_with("Unexpected field named") => {
                self.unknown(Code::UnknownField, "field", found, &accepted)
            }
            _ if message.starts_with("Unexpected variant named") => {
                self.unknown(Code::UnknownName, "name", found, &accepted)
            }
            _ if message.contains("invalid std identifier") => self.no_name(),
            _ => self.refused_otherwise(message),
        }
    }

    fn refused_otherwise(&self, message: &str) -> Diagnostic {
        let named = self.found().is_some_and(|found| !matches!(found.node.shape, Shape::Text | Shape::Scalar));
        let code = if named { Code::Contradiction } else { Code::WrongType };
        Diagnostic::new(code, uncapitalised(message)).at(self.mark()).label(self.given())
    }

    /// The word or number around the place where the reader stood, or the text in quotes that begins there.
    fn token(&self) -> Range<usize> {
        let text = self.outline.text;
        let here = self.here().start;
        if let Some(quoted) = text[here..].strip_prefix('"') {
            return here..quoted.find('"').map_or(text.len(), |end| here + end + 2);
        }
        let is_part = |c: char| c.is_alphanumeric() || "._+-%µ".contains(c);
        let from =
            text[..here].rfind(|c| !is_part(c)).map_or(0, |before| self.outline.first_char(&(before..before)).end);
        from..text[here..].find(|c| !is_part(c)).map_or(text.len(), |end| here + end)
    }

    /// Whether what stands there begins as a number does.
    fn is_numeral(&self) -> bool {
        self.outline.text(&self.token()).starts_with(|c: char| c.is_ascii_digit())
    }

    /// A number stands there that is none of those that are wanted, or a quantity without quotes.
    fn no_number(&self) -> Diagnostic {
        let token = self.token();
        let text = self.outline.text(&token);
        if text.parse::<f64>().is_err() {
            return self.unquoted();
        }
        Diagnostic::new(Code::WrongType, format!("`{text}` should be a whole number")).at(token).label("a part of one")
    }

    fn unquoted(&self) -> Diagnostic {
        let token = self.token();
        let text = self.outline.text(&token);
        Diagnostic::new(Code::WrongType, format!("`{text}` should stand in double quotes"))
            .at(token)
            .label("a quantity is a text")
            .help(UNITS)
    }

    /// Something else stands where one of several names should, or where a field should have its name.
    fn no_name(&self) -> Diagnostic {
        let token = self.token();
        let text = self.outline.text(&token);
        if self.is_numeral() && text.parse::<f64>().is_err() {
            return self.unquoted();
        }
        match (self.instead)(token.clone(), "_") {
            Some(ron::Error::NoSuchEnumVariant { expected, .. }) => {
                let found = text.trim_matches('"');
                Diagnostic::new(Code::UnknownName, format!("unknown name `{found}`{}", self.within(found)))
                    .at(token)
                    .label(format!("names are {}, without quotes", listed(expected)))
                    .did_you_mean(nearest(found, expected.iter().copied()))
            }
            Some(ron::Error::NoSuchStructField { expected, outer, .. }) => {
                let of = outer.map_or_else(String::new, |outer| format!(" of `{outer}`"));
                Diagnostic::new(Code::WrongType, format!("a field{of} is given without its name"))
                    .at(token)
                    .label(format!("written `name: value`; names are {}", listed(expected)))
            }
            _ => self.wrong_type("a name"),
        }
    }

    fn too_many(&self) -> Diagnostic {
        Diagnostic::new(Code::WrongType, format!("too many elements in {}", self.given()))
            .at(self.mark())
            .label("a bracket should close earlier")
    }

    fn unfinished(&self) -> Diagnostic {
        unclosed(self.outline).unwrap_or_else(|| {
            Diagnostic::new(Code::Syntax, "the text ends in the middle of something")
                .at(self.here())
                .label("reading stopped here")
        })
    }

    fn wrong_type(&self, wanted: &str) -> Diagnostic {
        // The reader's path ends in `?` where not even a field's name could be read.
        let message = match self.path.ends_with('?') {
            true => format!("{wanted} should stand here"),
            false => format!("{} should be {wanted}", self.given()),
        };
        let mistake = Diagnostic::new(Code::WrongType, message).at(self.mark()).label(format!("not {wanted}"));
        let number = self.outline.text(&self.mark()).starts_with(|c: char| c.is_ascii_digit());
        if number && wanted.contains("quotes") { mistake.help(UNITS) } else { mistake }
    }

    fn syntax(&self, error: &ron::Error) -> Diagnostic {
        let message = match error {
            ron::Error::ExpectedComma => "a comma is missing".to_owned(),
            ron::Error::TrailingCharacters => "something follows the end of the scenario".to_owned(),
            other => uncapitalised(&other.to_string()),
        };
        Diagnostic::new(Code::Syntax, message)
            .at(self.here())
            .label("reading stopped here")
            .help("the mistake is here or just before: a comma, a bracket or a quote")
    }

    fn found(&self) -> Option<Found<'_, '_>> {
        self.outline.follow(self.path)
    }

    /// The value the path leads to, if it leads anywhere; else where the reader stood.
    fn mark(&self) -> Range<usize> {
        let exists = self.found().is_some_and(|found| found.rest.is_empty() && !self.path.is_empty());
        if exists { self.outline.mark(self.path) } else { self.here() }
    }

    /// The key, name or bracket with which the value at the path begins.
    fn opening(&self) -> Range<usize> {
        let Some(found) = self.found() else { return self.here() };
        found.node.name.as_ref().or(found.key).cloned().unwrap_or_else(|| self.outline.first_char(&found.node.span))
    }

    /// The place in the value at the path where `name` stands as a field's, key's or value's name: the last of those
    /// directly in it, else the first of those deeper inside.
    fn mention(&self, name: &str) -> Range<usize> {
        let Some(found) = self.found() else { return self.here() };
        let names = |span: &&Range<usize>| self.outline.key_text(span) == name;
        let own = found.key.into_iter().chain(&found.node.name);
        let direct = own.chain(found.node.fields().iter().map(|field| &field.key)).rfind(names);
        let deeper = || found.node.names().into_iter().find(names);
        direct.or_else(deeper).cloned().unwrap_or_else(|| self.here())
    }

    /// The character where the reader stood.
    fn here(&self) -> Range<usize> {
        let from = floor_boundary(self.outline.text, self.cursor.start);
        let rest = &self.outline.text[from..];
        let from = from + (rest.len() - rest.trim_start().len());
        self.outline.first_char(&(from..from))
    }

    /// ` in clients[0]`, unless the scenario itself is meant. The path may or may not end in the `name` at fault.
    fn within(&self, name: &str) -> String {
        let around = self.path.strip_suffix(name).filter(|around| around.is_empty() || around.ends_with('.'));
        let around = around.unwrap_or(self.path).trim_end_matches(['?', '.']);
        if around.is_empty() { String::new() } else { format!(" in {around}") }
    }

    /// The field at fault by name, for a message.
    fn given(&self) -> String {
        if self.path.is_empty() { "the scenario".to_owned() } else { format!("`{}`", self.path) }
    }
}

/// The bracket, quote or comment within which a text ends, if it does.
pub(super) fn unclosed(outline: &Outline<'_>) -> Option<Diagnostic> {
    let start = outline.unclosed?;
    let (what, length) = match &outline.text[start..] {
        comment if comment.starts_with("/*") => ("comment", 2),
        bracket if bracket.starts_with(['(', '[', '{']) => ("bracket", 1),
        _ => ("quote", 1),
    };
    let mistake = Diagnostic::new(Code::Syntax, format!("a {what} is never closed"));
    Some(mistake.at(start..start + length).label("what begins here goes on to the end of the text"))
}

/// What the reader wanted, in words that fit behind "should be".
fn wanted_by(error: &ron::Error) -> String {
    use ron::Error::*;
    match error {
        ExpectedString | ExpectedStringEnd | ExpectedChar => "a text in double quotes",
        ExpectedInteger | ExpectedByteLiteral => "a whole number",
        ExpectedFloat => "a number",
        ExpectedBoolean => "true or false",
        ExpectedArray => "a list in square brackets",
        ExpectedMap => "a map in braces",
        ExpectedStructLike | ExpectedNamedStructLike(_) | ExpectedMapColon => "fields in parentheses",
        ExpectedIdentifier => "a name",
        ExpectedUnit => "nothing but a name",
        other => return format!("another kind of value ({})", uncapitalised(&other.to_string())),
    }
    .to_owned()
}

/// A sentence as the middle of one.
fn uncapitalised(sentence: &str) -> String {
    let mut rest = sentence.chars();
    match rest.next() {
        Some(first) if rest.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => sentence.to_owned(),
    }
}
