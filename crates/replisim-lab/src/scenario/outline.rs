//! Where each value of a RON text stands, so that a mistake found long after reading still points into the file.
//!
//! The values that a scenario deserialises into carry no positions. An [`Outline`] is read from the same text beside
//! them, and finds the bytes of a value by its path:
//!
//! | path | is |
//! |---|---|
//! | `cluster.hosts.s1` | a field, and the value of a map's key |
//! | `clients[0].sessions` | an element of a list |
//! | `faults[2].During[2].Cut.between[0]` | an element of a tuple, within the payload of an enum's variant |
//! | `faults[2].Cut.between[0]` | the same: a variant may be named without the place it stands in |

use std::ops::Range;

use super::scan::scan;

/// The skeleton of a text, as far as it is RON.
#[derive(Clone, Debug)]
pub(crate) struct Outline<'t> {
    pub(super) text: &'t str,
    pub(super) root: Option<Node>,
    /// Where the text stops to be RON, if it does.
    pub(super) broken: Option<usize>,
    /// Where the innermost bracket, quote or comment begins within which the text ends, if it ends so.
    pub(super) unclosed: Option<usize>,
}

/// One value.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// All of it, from its name to its closing bracket.
    pub span: Range<usize>,
    /// The name before the bracket, or the bare word that it is.
    pub name: Option<Range<usize>>,
    /// What it is made of.
    pub shape: Shape,
}

/// What a value is made of.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A number or a bare name.
    Scalar,
    /// A text or a character in quotes.
    Text,
    /// `(a, b)` or `Name(a, b)`.
    Tuple(Vec<Node>),
    /// `[a, b]`.
    List(Vec<Node>),
    /// `(a: 1)` or `Name(a: 1)`.
    Struct(Vec<Field>),
    /// `{a: 1}`.
    Map(Vec<Field>),
}

/// A name or key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The name or key, quotes included.
    pub key: Range<usize>,
    /// What it is given.
    pub value: Node,
}

/// How far a path leads.
#[derive(Clone, Debug)]
pub(crate) struct Found<'o, 'p> {
    /// The last value on the path that exists.
    pub node: &'o Node,
    /// The key it is given under.
    pub key: Option<&'o Range<usize>>,
    /// What is left of the path; empty if the value itself was found.
    pub rest: &'p str,
}

impl<'t> Outline<'t> {
    /// The outline of a text. Text that is not RON has one too: up to where it goes wrong.
    pub fn of(text: &'t str) -> Self {
        scan(text)
    }

    /// The name of the whole value: `Scenario`.
    pub fn name(&self) -> Option<&'t str> {
        self.root.as_ref().and_then(|root| self.name_of(root))
    }

    /// Where the name of the whole value stands; the beginning of the text where it has none.
    pub fn mark_name(&self) -> Range<usize> {
        self.root.as_ref().and_then(|root| root.name.clone()).unwrap_or(0..0)
    }

    /// The fields of the whole value.
    pub fn fields(&self) -> &[Field] {
        self.root.as_ref().map_or(&[], Node::fields)
    }

    /// The value at `path`, or the last one on the way to it.
    pub fn follow<'p>(&self, path: &'p str) -> Option<Found<'_, 'p>> {
        let mut found = Found { node: self.root.as_ref()?, key: None, rest: path };
        while let Some(next) = self.step(&found) {
            found = next;
        }
        Some(found)
    }

    /// The value at `path`, if there is one.
    pub fn find(&self, path: &str) -> Option<&Node> {
        self.follow(path).filter(|found| found.rest.is_empty()).map(|found| found.node)
    }

    /// What a mistake at `path` is best marked by: the value if it stands on one line, else its key, its name or its
    /// opening bracket; the nearest value around it where it does not exist.
    pub fn mark(&self, path: &str) -> Range<usize> {
        let Some(found) = self.follow(path) else { return 0..0 };
        let value = &found.node.span;
        if found.rest.is_empty() && !self.text[value.clone()].contains('\n') {
            return value.clone();
        }
        found.key.or(found.node.name.as_ref()).cloned().unwrap_or_else(|| self.first_char(value))
    }

    /// What the text says, without comments and the white space between words: all of it, as far as it is RON.
    pub fn bare(&self) -> String {
        let mut bare = String::new();
        if let Some(root) = &self.root {
            self.push_bare(root, &mut bare);
        }
        bare.push_str(self.broken.map_or("", |broken| &self.text[broken..]));
        bare
    }

    fn push_bare(&self, node: &Node, bare: &mut String) {
        let (open, close) = match &node.shape {
            Shape::Scalar | Shape::Text => return bare.push_str(&self.text[node.span.clone()]),
            Shape::Tuple(_) | Shape::Struct(_) => ('(', ')'),
            Shape::List(_) => ('[', ']'),
            Shape::Map(_) => ('{', '}'),
        };
        bare.push_str(self.name_of(node).unwrap_or_default());
        bare.push(open);
        for (place, child) in node.children().enumerate() {
            if let Some(field) = node.fields().get(place) {
                bare.push_str(&self.text[field.key.clone()]);
                bare.push(':');
            }
            self.push_bare(child, bare);
            bare.push(',');
        }
        bare.push(close);
    }

    /// The first character of a span; nothing if the text ends there.
    pub fn first_char(&self, span: &Range<usize>) -> Range<usize> {
        let length = self.text[span.start..].chars().next().map_or(0, char::len_utf8);
        span.start..span.start + length
    }

    /// The key that the value at `path` is given under.
    pub fn mark_key(&self, path: &str) -> Range<usize> {
        let key = self.follow(path).filter(|found| found.rest.is_empty()).and_then(|found| found.key.cloned());
        key.unwrap_or_else(|| self.mark(path))
    }

    /// The part `within` of the value at `path`; all of it if the part does not occur. Whole words are preferred, so
    /// that `s1` is not found in `s10`.
    pub fn mark_within(&self, path: &str, within: &str) -> Range<usize> {
        let whole = self.mark(path);
        let Some(node) = self.find(path).filter(|_| !within.is_empty()) else { return whole };
        let text = &self.text[node.span.clone()];
        let occurrences = || text.match_indices(within).map(|(at, _)| at);
        match occurrences().find(|at| stands_alone(text, *at, within.len())).or_else(|| occurrences().next()) {
            Some(at) => node.span.start + at..node.span.start + at + within.len(),
            None => whole,
        }
    }

    /// A key without its quotes, and without what makes it a raw one.
    pub fn key_text(&self, key: &Range<usize>) -> &'t str {
        let text = &self.text[key.clone()];
        let raw = text.strip_prefix('r').filter(|raw| raw.starts_with(['#', '"']));
        raw.map_or(text, |raw| raw.trim_matches('#')).trim_matches('"')
    }

    /// The text of a span.
    pub fn text(&self, span: &Range<usize>) -> &'t str {
        &self.text[span.clone()]
    }

    /// The fields of every value, the outermost first.
    pub fn all_fields(&self) -> impl Iterator<Item = &[Field]> {
        let mut pending: Vec<&Node> = self.root.iter().collect();
        std::iter::from_fn(move || {
            let node = pending.pop()?;
            pending.extend(node.children().rev());
            Some(node.fields())
        })
    }

    /// One step down the path; `None` at its end, or where it leads nowhere.
    fn step<'o, 'p>(&'o self, from: &Found<'o, 'p>) -> Option<Found<'o, 'p>> {
        let path = from.rest.strip_prefix('.').unwrap_or(from.rest);
        let node = from.node;
        if self.name_of(node) == Some("Some") && node.only_element().is_some() {
            return Some(Found { node: node.only_element()?, ..from.clone() });
        }
        if path.is_empty() {
            return (path != from.rest).then(|| Found { rest: path, ..from.clone() });
        }
        self.step_to_element(node, path)
            .or_else(|| self.step_to_field(node, path))
            .or_else(|| self.step_into_name(from, path))
            .or_else(|| self.step_to_variant(node, path))
    }

    fn step_to_element<'o, 'p>(&'o self, node: &'o Node, path: &'p str) -> Option<Found<'o, 'p>> {
        let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
        let index: usize = index.parse().ok()?;
        let element = match &node.shape {
            Shape::Tuple(elements) | Shape::List(elements) => elements.get(index)?,
            // The payload of a variant that holds one value is that value.
            Shape::Scalar | Shape::Text | Shape::Struct(_) | Shape::Map(_) => Some(node).filter(|_| index == 0)?,
        };
        Some(Found { node: element, key: None, rest })
    }

    /// To the field of the longest name that the path begins with: keys of maps may contain dots.
    fn step_to_field<'o, 'p>(&'o self, node: &'o Node, path: &'p str) -> Option<Found<'o, 'p>> {
        let (Shape::Struct(fields) | Shape::Map(fields)) = &node.shape else { return None };
        let leads = fields.iter().filter_map(|field| Some((field, step_off(path, self.key_text(&field.key))?)));
        let (field, rest) = leads.min_by_key(|(_, rest)| rest.len())?;
        Some(Found { node: &field.value, key: Some(&field.key), rest })
    }

    /// From the name of a variant to what it holds.
    fn step_into_name<'o, 'p>(&'o self, from: &Found<'o, 'p>, path: &'p str) -> Option<Found<'o, 'p>> {
        let rest = step_off(path, self.name_of(from.node)?)?;
        match from.node.only_element() {
            Some(element) if !rest.starts_with('[') => Some(Found { node: element, key: None, rest }),
            _ => Some(Found { rest, ..from.clone() }),
        }
    }

    /// To the one element of a tuple that has the name the path begins with.
    fn step_to_variant<'o, 'p>(&'o self, node: &'o Node, path: &'p str) -> Option<Found<'o, 'p>> {
        let Shape::Tuple(elements) = &node.shape else { return None };
        let named = |node: &&Node| self.name_of(node).is_some_and(|name| step_off(path, name).is_some());
        let node = elements.iter().find(named)?;
        Some(Found { node, key: None, rest: path })
    }

    fn name_of(&self, node: &Node) -> Option<&'t str> {
        node.name.as_ref().map(|name| self.key_text(name))
    }
}

impl Node {
    /// The values directly in it.
    pub fn children(&self) -> Box<dyn DoubleEndedIterator<Item = &Node> + '_> {
        match &self.shape {
            Shape::Scalar | Shape::Text => Box::new(std::iter::empty()),
            Shape::Tuple(elements) | Shape::List(elements) => Box::new(elements.iter()),
            Shape::Struct(fields) | Shape::Map(fields) => Box::new(fields.iter().map(|field| &field.value)),
        }
    }

    /// Its fields, or its keys.
    pub fn fields(&self) -> &[Field] {
        match &self.shape {
            Shape::Struct(fields) | Shape::Map(fields) => fields,
            Shape::Scalar | Shape::Text | Shape::Tuple(_) | Shape::List(_) => &[],
        }
    }

    /// Every name, field and key in it, in the order of the text.
    pub fn names(&self) -> Vec<&Range<usize>> {
        let mut names: Vec<&Range<usize>> =
            self.name.iter().chain(self.fields().iter().map(|field| &field.key)).collect();
        names.extend(self.children().flat_map(Node::names));
        names.sort_by_key(|name| name.start);
        names
    }

    fn only_element(&self) -> Option<&Node> {
        match &self.shape {
            Shape::Tuple(elements) if elements.len() == 1 => elements.first(),
            _ => None,
        }
    }
}

/// What is left of a path behind the step `name`, if it begins with that.
fn step_off<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    path.strip_prefix(name).filter(|rest| !name.is_empty() && (rest.is_empty() || rest.starts_with(['.', '['])))
}

/// Whether no letter or digit touches the `length` bytes at `at`.
fn stands_alone(text: &str, at: usize, length: usize) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !text[..at].ends_with(joins) && !text[at + length..].starts_with(joins)
}
