//! Mistakes in a scenario, shown as a compiler shows them: what is wrong, where, what is accepted, what to do.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::source::floor_boundary;
use super::{Code, Edit, LineColumn, Source};

/// The most mistakes that one report tells of.
pub(crate) const MISTAKES_MAX: usize = 100;

/// The longest label that stands beside what it is about, in characters.
const LABEL_CHARS_MAX: usize = 60;

/// The longest line that is shown. Nobody writes longer ones, and programs do not look.
const LINE_BYTES_MAX: usize = 10_000;

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// What is wrong, in lower case.
    pub message: String,
    /// The bytes of the source at fault; `None` where the source could not be read at all.
    pub span: Option<Range<usize>>,
    /// What is said beside these bytes: usually what is accepted there.
    pub label: String,
    /// What to do about it.
    pub help: Option<Help>,
}

/// What to do about a mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Help {
    /// Write this instead: it was probably meant.
    DidYouMean(String),
    /// Do as these words say.
    Advice(String),
}

/// Everything that is wrong with a scenario: at least one mistake, and at most a hundred.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The text, as far as it could be read.
    pub source: Source,
    /// The mistakes, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Diagnostic {
    /// A mistake, as yet without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic { code, message: message.into(), span: None, label: String::new(), help: None }
    }

    /// Marks these bytes of the source.
    pub fn at(self, span: Range<usize>) -> Self {
        Diagnostic { span: Some(span), ..self }
    }

    /// Says this beside the marked bytes.
    pub fn label(self, label: impl Into<String>) -> Self {
        Diagnostic { label: label.into(), ..self }
    }

    /// Says what to do, unless it is known what was meant.
    pub fn help(self, advice: impl Into<String>) -> Self {
        Diagnostic { help: self.help.or_else(|| Some(Help::Advice(advice.into()))), ..self }
    }

    /// Says what was probably meant, if that is known.
    pub fn did_you_mean(self, meant: Option<String>) -> Self {
        Diagnostic { help: meant.map(Help::DidYouMean).or(self.help), ..self }
    }
}

impl Report {
    /// A report of one mistake.
    pub fn of(source: Source, mistake: Diagnostic) -> Self {
        Report::new(source, vec![mistake])
    }

    /// A report of several mistakes, put in the order of the text.
    ///
    /// # Panics
    /// If there are none: a report without a mistake is a bug of whoever made it.
    pub fn new(source: Source, mut diagnostics: Vec<Diagnostic>) -> Self {
        assert!(!diagnostics.is_empty(), "a report tells of at least one mistake");
        diagnostics.sort_by_key(|it| (it.span.as_ref().map(|span| span.start), it.code));
        diagnostics.dedup();
        Report { source, diagnostics }
    }

    /// The same mistakes, with other words on what to do about them.
    pub fn advising(mut self, advice: &str) -> Self {
        self.diagnostics.iter_mut().for_each(|it| it.help = Some(Help::Advice(advice.to_owned())));
        self
    }

    /// The same mistakes, in a text that is no longer that of the file if there were edits.
    pub fn as_changed_by(mut self, edits: &[Edit]) -> Self {
        if !edits.is_empty() {
            self.source.name += " (as changed by --set)";
        }
        self
    }

    /// The line and column of a mistake; the first of the text where it has no place of its own.
    pub fn place(&self, diagnostic: &Diagnostic) -> LineColumn {
        self.source.place(diagnostic.span.as_ref().map_or(0, |span| span.start))
    }

    /// The mistakes in rustc's manner, with terminal colours if asked for.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Unicode);
        let mut shown: Vec<String> = self.diagnostics.iter().map(|it| renderer.render(&[self.group(it)])).collect();
        if self.diagnostics.len() >= MISTAKES_MAX {
            shown.push(format!("these are the first {MISTAKES_MAX} mistakes; there may be more"));
        }
        shown.join("\n\n")
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let title = Level::ERROR.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
        // A short label stands beside what it is about; a long one, such as a list of names, below.
        let (beside, below) = match diagnostic.label.as_str() {
            "" => (None, None),
            short if short.chars().count() <= LABEL_CHARS_MAX => (Some(short), None),
            long => (None, Some(Level::NOTE.message(long))),
        };
        let group = match &diagnostic.span {
            Some(span) => title.element(self.snippet(span, beside)),
            None => title.element(Origin::path(self.source.name.as_str())),
        };
        let help = diagnostic.help.as_ref().map(|help| Level::HELP.message(help.to_string()));
        let explain = Level::NOTE.message(format!("replisim explain {}", diagnostic.code));
        group.elements(below).elements(help).element(explain)
    }

    /// The marked lines. The renderer looks at all it is given, so it is given no others.
    fn snippet<'a>(&'a self, span: &Range<usize>, label: Option<&'a str>) -> Element<'a> {
        let text = &self.source.text;
        let start = floor_boundary(text, span.start);
        let end = floor_boundary(text, span.end).max(start);
        let lines_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let lines_end = text[end..].find('\n').map_or(text.len(), |newline| end + newline);
        let place = self.source.place(start);
        if lines_end - lines_start > LINE_BYTES_MAX {
            return Origin::path(self.source.name.as_str()).line(place.line).char_column(place.column).into();
        }
        let mark = AnnotationKind::Primary.span(start - lines_start..end - lines_start).label(label);
        let lines = Snippet::source(&text[lines_start..lines_end]).line_start(place.line);
        lines.path(self.source.name.as_str()).annotation(mark).into()
    }
}

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Help::DidYouMean(meant) => write!(f, "did you mean `{meant}`?"),
            Help::Advice(advice) => f.write_str(advice),
        }
    }
}

impl fmt::Display for Report {
    /// The mistakes without colours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}

/// `a, b, c`: names as a sentence lists them. Long lists end in how many more there are.
pub(crate) fn listed<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    const SHOWN_MAX: usize = 50;
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    let shown = names[..names.len().min(SHOWN_MAX)].join(", ");
    match names.len() {
        0 => "none".to_owned(),
        count if count > SHOWN_MAX => format!("{shown} and {} more", count - SHOWN_MAX),
        _ => shown,
    }
}

/// The candidate that `word` was probably meant to be: near in spelling, case and separators aside.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = plain(word);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &plain(candidate));
    let near = candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min_by_key(|(far, _)| *far)?;
    (near.0 <= 1 + wanted.chars().count() / 4 && near.0 < wanted.chars().count()).then(|| near.1.to_owned())
}
