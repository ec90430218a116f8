//! Spoilt scenarios: whatever the text, there is an answer, and it points into the text.

use proptest::prelude::*;

use super::super::outline::{Field, Node, Outline, Shape};
use super::{MISTAKES, RIGHT, mistakes};
use crate::TEMPLATE;
use crate::scenario::{Edit, SOURCE_BYTES_MAX, Source};

/// One way to spoil a text. Places are given as shares of its length.
#[derive(Clone, Debug)]
enum Mutation {
    Flip { at: f64, byte: u8 },
    Cut { from: f64, length: usize },
    End { at: f64 },
    Insert { at: f64, token: &'static str },
    Swap { one: f64, other: f64 },
    Double { from: f64, length: usize },
}

const TOKENS: [&str; 22] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "'",
    "//",
    "/*",
    "*/",
    "r#\"",
    "\\",
    "-1",
    "1e999",
    "Some(",
    "\u{0}",
    "ß",
    "#![enable(unwrap_newtypes)]",
    "0x",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = || 0.0..1.0;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip { at, byte }),
        (place(), 1..40usize).prop_map(|(from, length)| Mutation::Cut { from, length }),
        place().prop_map(|at| Mutation::End { at }),
        (place(), prop::sample::select(&TOKENS[..])).prop_map(|(at, token)| Mutation::Insert { at, token }),
        (place(), place()).prop_map(|(one, other)| Mutation::Swap { one, other }),
        (place(), 1..200usize).prop_map(|(from, length)| Mutation::Double { from, length }),
    ]
}

impl Mutation {
    fn spoil(&self, text: &mut Vec<u8>) {
        let length = text.len();
        let place = |share: f64| (share * length as f64) as usize;
        if length == 0 {
            return;
        }
        match *self {
            Mutation::Flip { at, byte } => text[place(at)] = byte,
            Mutation::Cut { from, length: cut } => drop(text.drain(place(from)..(place(from) + cut).min(length))),
            Mutation::End { at } => text.truncate(place(at)),
            Mutation::Insert { at, token } => drop(text.splice(place(at)..place(at), token.bytes())),
            Mutation::Swap { one, other } => swap_words(text, place(one), place(other)),
            Mutation::Double { from, length: doubled } => {
                let part = text[place(from)..(place(from) + doubled).min(length)].to_vec();
                text.splice(place(from)..place(from), part);
            }
        }
    }
}

/// Puts the word at each place where the other was.
fn swap_words(text: &mut Vec<u8>, one: usize, other: usize) {
    let (early, late) = (word(text, one.min(other)), word(text, one.max(other)));
    if early.end <= late.start {
        let (first, second) = (text[early.clone()].to_vec(), text[late.clone()].to_vec());
        text.splice(late, first);
        text.splice(early, second);
    }
}

fn word(text: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_end = |byte: &u8| !byte.is_ascii_alphanumeric();
    let start = text[..at].iter().rposition(is_end).map_or(0, |end| end + 1);
    let end = text[at..].iter().position(is_end).map_or(text.len(), |end| at + end);
    start..end
}

/// Asserts that a text is either right or wrong somewhere, and that its report can be shown.
fn answers(text: &str) -> Result<(), TestCaseError> {
    let Some(report) = mistakes("spoilt.ron", text) else { return Ok(()) };
    prop_assert!(!report.diagnostics.is_empty());
    for diagnostic in &report.diagnostics {
        let place = report.place(diagnostic);
        prop_assert!(place.line >= 1 && place.line <= 1 + text.matches('\n').count(), "{diagnostic:?}");
        let span = diagnostic.span.as_ref().expect("a mistake in a text has a place");
        prop_assert!(span.start <= span.end && span.end <= text.len(), "{diagnostic:?}");
    }
    prop_assert!(report.to_string().contains("spoilt.ron"));
    Ok(())
}

fn base() -> impl Strategy<Value = &'static str> {
    let cases = MISTAKES.split("## ").skip(1).map(|case| case.split_once('\n').unwrap().1);
    prop::sample::select(cases.chain([RIGHT, RIGHT, RIGHT, RIGHT, TEMPLATE]).collect::<Vec<_>>())
}

/// The path of every value of a text, with the value.
fn paths<'n>(outline: &Outline<'_>, path: &str, node: &'n Node) -> Vec<(String, &'n Node)> {
    let within: Vec<(String, &Node)> = match &node.shape {
        Shape::Scalar | Shape::Text => Vec::new(),
        Shape::Tuple(elements) | Shape::List(elements) => {
            elements.iter().enumerate().map(|(index, element)| (format!("{path}[{index}]"), element)).collect()
        }
        Shape::Struct(fields) | Shape::Map(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            let of = |field: &Field| format!("{path}{dot}{}", outline.key_text(&field.key));
            fields.iter().map(|field| (of(field), &field.value)).collect()
        }
    };
    within.iter().flat_map(|(path, node)| [vec![(path.clone(), *node)], paths(outline, path, node)].concat()).collect()
}

/// A text and a path: of one of its values, of what is behind one, or any at all.
fn place() -> impl Strategy<Value = (&'static str, String)> {
    let word = "[a-zA-Z.\\[\\]0-9]{1,30}";
    (base(), any::<prop::sample::Index>(), word, 0..4).prop_map(|(base, nth, word, kind)| {
        let outline = Outline::of(base);
        let paths = outline.root.iter().flat_map(|root| paths(&outline, "", root)).collect::<Vec<_>>();
        match (kind, paths.is_empty()) {
            (0, _) | (_, true) => (base, word),
            (1, _) => (base, format!("{}.{word}", nth.get(&paths).0)),
            _ => (base, nth.get(&paths).0.clone()),
        }
    })
}

#[test]
fn the_path_of_every_value_leads_to_it() {
    for text in [RIGHT, TEMPLATE] {
        let outline = Outline::of(text);
        let paths = paths(&outline, "", outline.root.as_ref().expect("a value"));
        assert!(paths.len() > 30, "{}", paths.len());
        for (path, node) in paths {
            assert_eq!(outline.find(&path).map(|found| &found.span), Some(&node.span), "{path}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_spoilt_scenario_is_answered(base in base(), mutations in prop::collection::vec(mutation(), 1..6)) {
        let mut bytes = base.as_bytes().to_vec();
        mutations.iter().for_each(|mutation| mutation.spoil(&mut bytes));
        answers(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn any_text_is_answered(text in "\\PC*") {
        answers(&text)?;
    }

    #[test]
    fn brackets_and_quotes_are_answered(tokens in prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..60)) {
        answers(&tokens.concat())?;
    }

    #[test]
    fn any_edit_is_answered((base, path) in place(), value in "\\PC{0,20}") {
        let edit = Edit { path, value };
        if let Err(report) = edit.apply(&Source::new("spoilt.ron", base), |edited| edited.text.len() > 10) {
            prop_assert!(!report.to_string().is_empty());
        }
    }

    #[test]
    fn any_path_leads_somewhere_or_nowhere((base, path) in prop_oneof![place(), (base(), "\\PC{0,30}")]) {
        let outline = Outline::of(base);
        let mark = outline.mark(&path);
        prop_assert!(mark.end <= base.len() && base.is_char_boundary(mark.start) && base.is_char_boundary(mark.end));
    }
}

/// Texts as long as are read at all, each after a pattern that something could be slow at.
#[test]
fn the_longest_texts_are_answered() {
    for (start, part, end) in [
        ("(cluster: (size: 3), protocol: Toy, faults: [", "At(\"1s\", Kill(\"n9\")),", "])"),
        ("(protocol: Toy, cluster: (hosts: {", "\"p\": \"eu\",", "}))"),
        ("(protocol: Toy, cluster: (size: 3, links: (between: [", "(\"n4\", \"n5\", ()),", "])))"),
        ("(cluster: (size: 3), protocol: Toy, about: ", "(", ""),
        ("(cluster: (size: 3), protocol: Toy, about: ", "/*", ""),
        ("(cluster: (size: 3), protocol: ", "r", ""),
    ] {
        let count = (SOURCE_BYTES_MAX as usize - start.len() - end.len()) / part.len();
        let text = format!("{start}{}{end}", part.repeat(count));
        answers(&text).unwrap();
    }
}
