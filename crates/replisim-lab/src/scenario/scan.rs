//! Reads the skeleton of a RON text: which value begins and ends where. It judges nothing and survives everything.
//!
//! The grammar is that of the `ron` crate: comments, raw strings, identifiers, `Name(…)`, `(…)`, `[…]`, `{…}`. What it
//! does not understand ends the scan; what was read until then stays.

use super::outline::{Field, Node, Outline, Shape};

/// How deep values may be nested: as deep as the `ron` crate reads.
const DEPTH_MAX: usize = 128;

/// Reads the skeleton of `text`.
pub(super) fn scan(text: &str) -> Outline<'_> {
    let mut scanner = Scanner { text, at: 0, depth: 0, broken: None, unclosed: None };
    scanner.skip_attributes();
    let root = scanner.value();
    scanner.skip_blank();
    if scanner.at < text.len() {
        scanner.give_up();
    }
    Outline { text, root, broken: scanner.broken, unclosed: scanner.unclosed }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    broken: Option<usize>,
    unclosed: Option<usize>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    fn eat_while(&mut self, wanted: impl Fn(char) -> bool) {
        self.at += self.rest().find(|c| !wanted(c)).unwrap_or(self.rest().len());
    }

    /// Steps behind the next `end`; to the end of the text, and gives up, if there is none.
    fn eat_through(&mut self, end: &str) {
        match self.rest().find(end) {
            Some(found) => self.at += found + end.len(),
            None => {
                self.at = self.text.len();
                self.give_up();
            }
        }
    }

    fn give_up(&mut self) {
        self.broken.get_or_insert(self.at);
    }

    /// Where the text ended within it, notes where something began: the innermost such thing is the first to be noted.
    fn note_unclosed(&mut self, start: usize) {
        if self.broken == Some(self.text.len()) {
            self.unclosed.get_or_insert(start);
        }
    }

    /// Steps over white space and comments.
    fn skip_blank(&mut self) {
        loop {
            self.eat_while(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.eat_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.skip_block_comment();
            } else {
                return;
            }
        }
    }

    /// Steps over a block comment; these nest.
    fn skip_block_comment(&mut self) {
        let (start, mut open) = (self.at, 0);
        loop {
            if self.eat("/*") {
                open += 1;
            } else if self.eat("*/") {
                open -= 1;
                if open == 0 {
                    return;
                }
            } else if let Some(other) = self.peek() {
                self.at += other.len_utf8();
            } else {
                self.give_up();
                return self.note_unclosed(start);
            }
        }
    }

    /// Steps over `#![enable(…)]` lines at the beginning.
    fn skip_attributes(&mut self) {
        self.skip_blank();
        while self.rest().starts_with("#!") {
            self.eat_through("]");
            self.skip_blank();
        }
    }

    fn value(&mut self) -> Option<Node> {
        self.skip_blank();
        if self.depth == DEPTH_MAX {
            self.give_up();
        }
        let first = self.peek().filter(|_| self.broken.is_none());
        self.depth += 1;
        let node = match first {
            Some('(' | '[' | '{') => Some(self.nested(self.at, None)),
            Some('"' | '\'') => Some(self.quoted()),
            Some(_) if self.is_prefixed_quote() => Some(self.quoted()),
            Some(c) if is_word(c) => Some(self.word()),
            _ => None,
        };
        self.depth -= 1;
        if node.is_none() {
            self.give_up();
        }
        node
    }

    /// A number, a bare name, or a name with something in brackets behind it.
    fn word(&mut self) -> Node {
        let start = self.at;
        self.name();
        let end = self.at;
        self.skip_blank();
        if self.peek() == Some('(') && !self.text[start..end].starts_with(|c: char| c.is_ascii_digit()) {
            return self.nested(start, Some(start..end));
        }
        self.at = end;
        Node { span: start..end, name: Some(start..end), shape: Shape::Scalar }
    }

    /// Steps over a word, raw (`r#word`) or plain.
    fn name(&mut self) {
        self.eat("r#");
        self.eat_while(is_word);
    }

    fn is_prefixed_quote(&self) -> bool {
        let hashes = self.rest().trim_start_matches(['b', 'r']);
        let prefix = self.rest().len() - hashes.len();
        let quote = hashes.trim_start_matches('#');
        (1..=2).contains(&prefix)
            && (quote.starts_with('"') || (quote.len() == hashes.len() && quote.starts_with('\'')))
    }

    /// A string, byte string, character or byte, raw or not.
    fn quoted(&mut self) -> Node {
        let start = self.at;
        self.eat_while(|c| c == 'b' || c == 'r');
        let raw = self.text[start..self.at].contains('r');
        let hashes_start = self.at;
        self.eat_while(|c| c == '#');
        let hashes = self.at - hashes_start;
        let quote = if self.eat("'") { '\'' } else { '"' };
        if raw {
            self.eat("\"");
            self.eat_through(&format!("\"{}", "#".repeat(hashes)));
        } else {
            self.eat(&quote.to_string());
            self.eat_escaped_through(quote);
        }
        self.note_unclosed(start);
        Node { span: start..self.at, name: None, shape: Shape::Text }
    }

    fn eat_escaped_through(&mut self, quote: char) {
        // A single quote may itself be quoted without a backslash: '''.
        if quote == '\'' && self.rest().starts_with("''") {
            self.at += 1;
        }
        let mut escaped = false;
        for (offset, c) in self.text[self.at..].char_indices() {
            if c == quote && !escaped {
                self.at += offset + c.len_utf8();
                return;
            }
            escaped = c == '\\' && !escaped;
        }
        self.at = self.text.len();
        self.give_up();
    }

    /// What stands in brackets, from the bracket on. `start` is where the value began, with its name.
    fn nested(&mut self, start: usize, name: Option<std::ops::Range<usize>>) -> Node {
        let open = self.peek().unwrap_or('(');
        let close = match open {
            '(' => ")",
            '[' => "]",
            _ => "}",
        };
        let bracket = self.at;
        self.at += 1;
        let (mut elements, mut fields) = (Vec::new(), Vec::new());
        loop {
            self.skip_blank();
            if self.broken.is_some() || self.eat(close) {
                break;
            }
            if open == '{' || (open == '(' && self.at_field()) {
                fields.extend(self.field());
            } else {
                elements.extend(self.value());
            }
            self.skip_blank();
            if !self.eat(",") && !self.rest().starts_with(close) {
                self.give_up();
            }
        }
        self.note_unclosed(bracket);
        let shape = match open {
            '{' => Shape::Map(fields),
            '[' => Shape::List(elements),
            _ if fields.is_empty() => Shape::Tuple(elements),
            _ => Shape::Struct(fields),
        };
        Node { span: start..self.at, name, shape }
    }

    /// Whether a name and a colon come next.
    fn at_field(&mut self) -> bool {
        let start = self.at;
        self.name();
        let named = self.at > start;
        self.skip_blank();
        let colon = self.rest().starts_with(':');
        self.at = start;
        named && colon
    }

    fn field(&mut self) -> Option<Field> {
        let key = self.value()?.span;
        self.skip_blank();
        if !self.eat(":") {
            self.give_up();
        }
        let value = self.value().unwrap_or(Node { span: self.at..self.at, name: None, shape: Shape::Scalar });
        Some(Field { key, value })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '+' | '-' | '.')
}
