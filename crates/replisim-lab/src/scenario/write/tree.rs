//! A value as RON has it, before it is a text: names, words, fields and elements.

use std::ops::Range;

use serde::Serialize;

use super::plant::Planter;
use crate::scenario::Outline;
use crate::scenario::outline::{Node, Shape};

/// One value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Tree {
    /// A number, a bare name, a text in its quotes.
    Word(String),
    /// `Name(a: 1)`; the name is empty for what has none. Only a nameless one may lack fields.
    Struct(String, Vec<(String, Tree)>),
    /// `Name(a, b)`.
    Tuple(String, Vec<Tree>),
    /// `[a, b]`.
    List(Vec<Tree>),
    /// `{a: 1}`.
    Map(Vec<(Tree, Tree)>),
}

impl Tree {
    /// The tree of a value.
    ///
    /// # Panics
    /// If the value cannot be written as RON. All that a scenario is made of can.
    pub fn of(value: &impl Serialize) -> Tree {
        value.serialize(Planter).expect("a scenario's values can be written")
    }

    /// The tree of a text that is RON; of any other, the text as it is.
    pub fn parse(text: &str) -> Tree {
        let outline = Outline::of(text);
        match &outline.root {
            Some(root) if outline.broken.is_none() => Tree::of_node(&outline, root),
            _ => Tree::Word(text.trim().to_owned()),
        }
    }

    /// A text in quotes.
    pub fn text(text: &str) -> Tree {
        Tree::Word(ron::to_string(text).unwrap_or_default())
    }

    fn of_node(outline: &Outline<'_>, node: &Node) -> Tree {
        let name = node.name.as_ref().map_or("", |name| outline.text(name)).to_owned();
        let all = |nodes: &[Node]| nodes.iter().map(|node| Tree::of_node(outline, node)).collect();
        match &node.shape {
            Shape::Scalar | Shape::Text => Tree::Word(outline.text(&node.span).to_owned()),
            Shape::Tuple(nodes) => Tree::Tuple(name, all(nodes)),
            Shape::List(nodes) => Tree::List(all(nodes)),
            Shape::Struct(fields) => {
                let field = |key: &Range<usize>| outline.text(key).to_owned();
                let fields = fields.iter().map(|it| (field(&it.key), Tree::of_node(outline, &it.value)));
                Tree::Struct(name, fields.collect())
            }
            Shape::Map(fields) => {
                let key = |key: &Range<usize>| Tree::Word(outline.text(key).to_owned());
                Tree::Map(fields.iter().map(|it| (key(&it.key), Tree::of_node(outline, &it.value))).collect())
            }
        }
    }

    /// The same value under another name.
    pub fn called(self, name: &str) -> Tree {
        match self {
            Tree::Struct(_, fields) => Tree::Struct(name.to_owned(), fields),
            other => other,
        }
    }

    /// The value of a field.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Tree> {
        let Tree::Struct(_, fields) = self else { return None };
        fields.iter_mut().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The elements of a list or tuple, the values of a map.
    pub fn elements_mut(&mut self) -> Vec<&mut Tree> {
        match self {
            Tree::Tuple(_, elements) | Tree::List(elements) => elements.iter_mut().collect(),
            Tree::Map(entries) => entries.iter_mut().map(|(_, value)| value).collect(),
            Tree::Word(_) | Tree::Struct(..) => Vec::new(),
        }
    }

    /// Takes out every field that `defaults` gives the same value; of fields that are nameless structures on both sides,
    /// what they have in common.
    pub fn leave_out(&mut self, defaults: &Tree) {
        self.leave_out_below(defaults, &[]);
    }

    /// The same, but for fields that must stay, as they are.
    pub fn leave_out_below(&mut self, defaults: &Tree, keep: &[&str]) {
        let (Tree::Struct(name, fields), Tree::Struct(_, defaults)) = (self, defaults) else { return };
        if !name.is_empty() {
            return;
        }
        let default_of = |name: &str| defaults.iter().find(|(field, _)| field == name).map(|(_, value)| value);
        fields.retain(|(field, value)| keep.contains(&field.as_str()) || default_of(field) != Some(value));
        for (field, value) in fields.iter_mut().filter(|(field, _)| !keep.contains(&field.as_str())) {
            if let Some(default) = default_of(field) {
                value.leave_out(default);
            }
        }
    }

    /// Takes out every field that stands in `defaults` with its word, whatever the structure's name.
    pub fn leave_out_words(&mut self, defaults: &[(&str, &str)]) {
        let Tree::Struct(_, fields) = self else { return };
        fields.retain(|(field, value)| {
            let flat = value.flat();
            !defaults.iter().any(|(name, default)| field == name && flat == *default)
        });
    }

    /// Takes a word out of every list, and out of every map whatever stands under it or has it as its value. Says
    /// whether it was anywhere.
    pub fn forget(&mut self, word: &Tree) -> bool {
        let count = |tree: &Tree| tree.parts().len();
        let before = count(self);
        match self {
            Tree::List(elements) => elements.retain(|element| element != word),
            Tree::Map(entries) => entries.retain(|(key, value)| key != word && value != word),
            Tree::Word(_) | Tree::Struct(..) | Tree::Tuple(..) => {}
        }
        let found = count(self) < before;
        let below: Vec<&mut Tree> = match self {
            Tree::Struct(_, fields) => fields.iter_mut().map(|(_, value)| value).collect(),
            _ => self.elements_mut(),
        };
        below.into_iter().fold(found, |found, tree| tree.forget(word) || found)
    }

    /// The same with another name in every text that is a name, or a list of names; keys are names, too. Says whether there
    /// was any.
    pub fn renamed(self, other: &dyn Fn(&str) -> Option<String>) -> (Tree, bool) {
        let mut found = false;
        let mut renamed = |tree: Tree| {
            let (tree, here) = tree.renamed(other);
            found |= here;
            tree
        };
        let tree = match self {
            Tree::Word(word) => return renamed_word(word, other),
            Tree::Struct(name, fields) => {
                Tree::Struct(name, fields.into_iter().map(|(field, value)| (field, renamed(value))).collect())
            }
            Tree::Tuple(name, elements) => Tree::Tuple(name, elements.into_iter().map(renamed).collect()),
            Tree::List(elements) => Tree::List(elements.into_iter().map(renamed).collect()),
            Tree::Map(entries) => {
                Tree::Map(entries.into_iter().map(|(key, value)| (renamed(key), renamed(value))).collect())
            }
        };
        (tree, found)
    }

    /// What stands before the opening bracket; all of it, where there is none.
    pub fn head(&self) -> &str {
        match self {
            Tree::Word(text) => text,
            Tree::Struct(name, _) | Tree::Tuple(name, _) => name,
            Tree::List(_) | Tree::Map(_) => "",
        }
    }

    /// The brackets around its parts.
    pub fn brackets(&self) -> (&'static str, &'static str) {
        match self {
            Tree::Word(_) => ("", ""),
            Tree::Struct(..) | Tree::Tuple(..) => ("(", ")"),
            Tree::List(_) => ("[", "]"),
            Tree::Map(_) => ("{", "}"),
        }
    }

    /// What it consists of, each part with what stands before it.
    pub fn parts(&self) -> Vec<(String, &Tree)> {
        match self {
            Tree::Word(_) => Vec::new(),
            Tree::Struct(_, fields) => fields.iter().map(|(name, value)| (format!("{name}: "), value)).collect(),
            Tree::Tuple(_, elements) | Tree::List(elements) => {
                elements.iter().map(|element| (String::new(), element)).collect()
            }
            Tree::Map(entries) => entries.iter().map(|(key, value)| (format!("{}: ", key.flat()), value)).collect(),
        }
    }
}

/// A word with other names in it, if it is a text that has any: alone, in a list, or within brackets as in `ANY 1 (s1, s2)`.
fn renamed_word(word: String, other: &dyn Fn(&str) -> Option<String>) -> (Tree, bool) {
    let Some(text) = word.starts_with('"').then(|| ron::from_str::<String>(&word).ok()).flatten() else {
        return (Tree::Word(word), false);
    };
    let is_of_a_name = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let (mut renamed, mut found, mut rest) = (String::new(), false, text.as_str());
    while !rest.is_empty() {
        let (name, behind) = rest.split_at(rest.find(|c| !is_of_a_name(c)).unwrap_or(rest.len()));
        let another = other(name);
        found |= another.is_some();
        renamed += another.as_deref().unwrap_or(name);
        let (between, next) = behind.split_at(behind.find(is_of_a_name).unwrap_or(behind.len()));
        renamed += between;
        rest = next;
    }
    if found { (Tree::text(&renamed), true) } else { (Tree::Word(word), false) }
}
