//! A case: a scenario with the seed and the fingerprint of one run of it, in one file that replays anywhere.

use std::path::Path;

use replisim_history::Run;
use replisim_kernel::{Digest, Span};
use ron::value::RawValue;
use serde::Deserialize;

use crate::VERSION;
use crate::scenario::{Code, Diagnostic, Report, Source};

/// A run to be repeated.
#[derive(Clone, Debug)]
pub struct Case {
    /// The version of replisim that wrote it.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// Where the run was stopped, if it did not go to its end.
    pub until: Option<Span>,
    /// The fingerprint that the run must have.
    pub fingerprint: Digest,
    /// The scenario, edits included.
    pub source: Source,
}

/// A case as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Case")]
struct Written {
    version: String,
    seed: u64,
    #[serde(default)]
    until: Option<Span>,
    fingerprint: Digest,
    scenario: Box<RawValue>,
}

impl Case {
    /// The case of a run of a scenario.
    pub fn of(source: &Source, until: Option<Span>, run: &Run) -> Self {
        let (seed, fingerprint) = (run.seed, run.fingerprint);
        Case { version: VERSION.to_owned(), seed, until, fingerprint, source: source.clone() }
    }

    /// Reads a case from a file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a case.
    pub fn read(path: &Path) -> Result<Case, Report> {
        let source = Source::read(path)?;
        let written: Written = match ron::from_str(&source.text) {
            Ok(written) => written,
            Err(error) => return Err(Report::of(source.clone(), refusal(&source, &error))),
        };
        let Written { version, seed, until, fingerprint, scenario } = written;
        let source = Source::new(source.name.clone(), scenario.trim().get_ron());
        Ok(Case { version, seed, until, fingerprint, source })
    }

    /// The case as a file holds it.
    pub fn text(&self) -> String {
        let until = self.until.map(|until| format!("    until: Some(\"{until}\"),\n")).unwrap_or_default();
        format!(
            "// A case of {}. Run it again with `replisim replay` and this file.\nCase(\n    version: \"{}\",\n    seed: {},\n{until}    \
             fingerprint: \"{}\",\n    scenario: {},\n)\n",
            self.source.name,
            self.version,
            self.seed,
            self.fingerprint,
            value_of(&self.source.text),
        )
    }
}

/// A scenario's text without what stands before and after its value.
fn value_of(text: &str) -> String {
    RawValue::from_ron(text).map_or_else(|_| text.to_owned(), |value| value.trim().get_ron().to_owned())
}

fn refusal(source: &Source, error: &ron::error::SpannedError) -> Diagnostic {
    let offset = |line: usize, column: usize| {
        let before: usize = source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        (before + column.saturating_sub(1)).min(source.text.len())
    };
    let at = offset(error.span.start.line, error.span.start.col);
    Diagnostic::new(Code::Syntax, format!("this is not a case: {}", error.code))
        .at(at..at)
        .help("a case has a version, a seed, a fingerprint and a scenario; `replisim run --case FILE` writes one")
}
