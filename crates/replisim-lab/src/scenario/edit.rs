//! `--set path=value`: changes one value of a scenario's text before it is read.
//!
//! Edits are made in the text, not in the values read from it, so that whatever the command line says is read by the
//! same types and refused by the same diagnostics as what the file says.

use std::ops::Range;
use std::str::FromStr;

use super::outline::{Field, Found, Node, Outline, Shape};
use super::{Code, Diagnostic, Report, Source};

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// Which value: `clients[0].sessions`.
    pub path: String,
    /// What it becomes, in RON; texts need no quotes.
    pub value: String,
}

/// A text that is not an edit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not an edit: a path and a value, as in `run=30s` or `clients[0].sessions=50`")]
pub struct ParseEditError(String);

impl FromStr for Edit {
    type Err = ParseEditError;

    fn from_str(text: &str) -> Result<Self, ParseEditError> {
        let parts = text.split_once('=').map(|(path, value)| (path.trim(), value.trim()));
        let (path, value) =
            parts.filter(|(path, _)| !path.is_empty()).ok_or_else(|| ParseEditError(text.to_owned()))?;
        Ok(Edit::new(path, value))
    }
}

impl Edit {
    /// The edit that puts `value` where `path` leads to.
    pub(crate) fn new(path: &str, value: &str) -> Edit {
        Edit { path: path.to_owned(), value: value.to_owned() }
    }

    /// The text with this change made. The value is put in as it is, or in quotes, and what leads to it and is not there
    /// yet as structs or as maps: in the first form whose result `accepts`, or the likeliest if it accepts none.
    ///
    /// # Errors
    /// If the path leads nowhere, and nothing can be put in where it ends.
    pub fn apply(&self, source: &Source, accepts: impl Fn(&Source) -> bool) -> Result<Source, Report> {
        let forms = self.forms().into_iter().map(|value| self.put(source, &value));
        let forms = forms.collect::<Result<Vec<Vec<Source>>, Diagnostic>>();
        let mut forms = forms.map_err(|mistake| Report::of(source.clone(), mistake))?.concat();
        let accepted = forms.iter().position(accepts).unwrap_or(0);
        Ok(forms.swap_remove(accepted))
    }

    /// The text without the knobs that would turn what these edits have set.
    pub fn fix(edits: &[Edit], mut source: Source) -> Source {
        let outline = Outline::of(&source.text);
        let Some(Node { shape: Shape::Map(knobs), span, .. }) = outline.find(KNOBS) else { return source };
        // Who sets the knobs themselves means them.
        let set: Vec<&Edit> = edits.iter().filter(|edit| !overlap(&edit.path, KNOBS)).collect();
        let path = |knob: &Field| outline.key_text(&knob.key);
        // There may be more than one way to a value, so it is the places they lead to that count.
        let meet = |one: &str, other: &str| match (outline.find(one), outline.find(other)) {
            (Some(one), Some(other)) => one.span.start < other.span.end && other.span.start < one.span.end,
            (None, _) | (_, None) => overlap(one, other),
        };
        let (fixed, left): (Vec<_>, Vec<_>) =
            knobs.iter().partition(|knob| set.iter().any(|edit| meet(&edit.path, path(knob))));
        if !fixed.is_empty() {
            let left: Vec<&str> =
                left.iter().map(|knob| outline.text(&(knob.key.start..knob.value.span.end))).collect();
            let (span, left) = (span.clone(), format!("{{{}}}", left.join(", ")));
            source.text.replace_range(span, &left);
        }
        source
    }

    /// The forms in which the value may be put in, the more likely first.
    fn forms(&self) -> Vec<String> {
        let quoted = format!("\"{}\"", self.value.replace('\\', "\\\\").replace('"', "\\\""));
        let outline = Outline::of(&self.value);
        if outline.root.is_none() || outline.broken.is_some() {
            return vec![quoted];
        }
        let numeric = self.value.parse::<f64>().is_ok();
        let named = self.value.starts_with(|c: char| c.is_uppercase() || "([{\"".contains(c));
        if numeric || named { vec![self.value.clone(), quoted] } else { vec![quoted, self.value.clone()] }
    }

    fn put(&self, source: &Source, value: &str) -> Result<Vec<Source>, Diagnostic> {
        let outline = Outline::of(&source.text);
        let found = outline.follow(&self.path).ok_or_else(|| {
            Diagnostic::new(Code::ImpossibleEdit, format!("nothing to put `{}` into", self.path)).at(0..0)
        })?;
        let changes = match found.rest {
            "" => vec![(found.node.span.clone(), value.to_owned())],
            rest => {
                let inserted = insertions(&outline, found.node, rest, value);
                inserted.map_err(|why| self.refuse(&outline, &found, why))?
            }
        };
        let edited = |(range, text): (Range<usize>, String)| {
            let mut edited = source.clone();
            edited.text.replace_range(range, &text);
            edited
        };
        Ok(changes.into_iter().map(edited).collect())
    }

    fn refuse(&self, outline: &Outline<'_>, found: &Found<'_, '_>, why: String) -> Diagnostic {
        let led = &self.path[..self.path.len() - found.rest.len()];
        Diagnostic::new(Code::ImpossibleEdit, format!("`--set {}={}` leads nowhere", self.path, self.value))
            .at(outline.mark(led))
            .label(why)
    }
}

/// What may be put where, so that the value at `path` below `node`, which does not exist yet, becomes `value`.
fn insertions(
    outline: &Outline<'_>,
    node: &Node,
    path: &str,
    value: &str,
) -> Result<Vec<(Range<usize>, String)>, String> {
    let (step, rest) = split_step(path);
    let insertion = |value: String| {
        let (at, text) = match step {
            Step::Index(index) => new_element(node, index, &value)?,
            Step::Name(name) => new_field(outline, node, name, &value)?,
        };
        Ok((at..at, text))
    };
    if steps(rest).nth(MISSING_STEPS_MAX).is_some() {
        return Err(format!("no value lies more than {MISSING_STEPS_MAX} steps below this"));
    }
    wrapped(rest, value)?.into_iter().map(insertion).collect()
}

/// The steps of a path.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        let (step, behind) = (!rest.is_empty()).then(|| split_step(rest))?;
        rest = behind;
        Some(step)
    })
}

/// A list grows by one element at its end.
fn new_element(node: &Node, index: usize, value: &str) -> Result<(usize, String), String> {
    let (Shape::List(elements) | Shape::Tuple(elements)) = &node.shape else {
        return Err("this is not a list".to_owned());
    };
    let grows = matches!(node.shape, Shape::List(_)) && index == elements.len();
    match elements.len() {
        _ if grows => Ok(behind(elements.last(), node, value)),
        0 => Err("this is empty".to_owned()),
        1 => Err("its only element is [0]".to_owned()),
        count => Err(format!("its elements are [0] to [{}]", count - 1)),
    }
}

/// A struct or a map takes one more field or key; a bare name gets brackets for it.
fn new_field(outline: &Outline<'_>, node: &Node, name: &str, value: &str) -> Result<(usize, String), String> {
    let field = format!("{name}: {value}");
    match &node.shape {
        Shape::Struct(fields) => Ok(behind(fields.last().map(|last| &last.value), node, &field)),
        Shape::Tuple(elements) if elements.is_empty() => Ok(behind(None, node, &field)),
        Shape::Scalar if is_name(outline.text(&node.span)) => Ok((node.span.end, format!("({field})"))),
        Shape::Map(fields) => {
            let quoted = match fields.first() {
                Some(first) => outline.text(&first.key).starts_with('"'),
                // Checks and operations are keys by their names, in upper case; names of the scenario's own are texts.
                None => !name.starts_with(char::is_uppercase),
            };
            let field = if quoted { format!("\"{name}\": {value}") } else { field };
            Ok(behind(fields.last().map(|last| &last.value), node, &field))
        }
        Shape::Scalar | Shape::Text | Shape::Tuple(_) | Shape::List(_) => Err("this has no fields".to_owned()),
    }
}

/// Behind the last of several values, with a comma; or alone before the closing bracket of `node`.
fn behind(last: Option<&Node>, node: &Node, text: &str) -> (usize, String) {
    match last {
        Some(last) => (last.span.end, format!(", {text}")),
        None => (node.span.end.saturating_sub(1), text.to_owned()),
    }
}

/// How many steps may lead on from what is there to what an edit puts in. Each has three forms.
const MISSING_STEPS_MAX: usize = 5;

/// Where a scenario has its knobs.
pub(crate) const KNOBS: &str = "swarm.knobs";

/// Whether two paths lead to the same value, or one to a part of what the other leads to.
fn overlap(one: &str, other: &str) -> bool {
    steps(one).zip(steps(other)).all(|(one, other)| one == other)
}

/// A step of a path.
#[derive(PartialEq, Eq)]
enum Step<'p> {
    Name(&'p str),
    Index(usize),
}

/// The first step of a path and what is left of it.
fn split_step(path: &str) -> (Step<'_>, &str) {
    let path = path.strip_prefix('.').unwrap_or(path);
    let indexed = path.strip_prefix('[').and_then(|inner| inner.split_once(']'));
    if let Some((Ok(index), rest)) = indexed.map(|(index, rest)| (index.parse(), rest)) {
        return (Step::Index(index), rest);
    }
    let end = path.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '[')).map_or(path.len(), |(end, _)| end);
    (Step::Name(&path[..end]), &path[end..])
}

/// A value within the fields and lists that lead to it. The text does not tell a field of a struct from a key of a map, be
/// it a name or a text: so there is a form for each, the likelier first.
fn wrapped(path: &str, value: &str) -> Result<Vec<String>, String> {
    if path.is_empty() {
        return Ok(vec![value.to_owned()]);
    }
    let (step, rest) = split_step(path);
    let inner = wrapped(rest, value)?.into_iter();
    match step {
        Step::Index(0) => Ok(inner.map(|inner| format!("[{inner}]")).collect()),
        Step::Index(index) => Err(format!("there is no element {index} of a list that is not there")),
        Step::Name(name) => Ok(inner
            .flat_map(|inner| {
                [format!("({name}: {inner})"), format!("{{{name}: {inner}}}"), format!("{{\"{name}\": {inner}}}")]
            })
            .collect()),
    }
}

/// Whether a bare word is a name, which may have fields, and not a number.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic()) && !matches!(word, "true" | "false" | "inf" | "NaN" | "None")
}
