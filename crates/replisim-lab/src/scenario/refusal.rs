//! What is said of a file that is not what it was to be.

use ron::error::SpannedError;

use super::outline::Outline;
use super::source::offset_of;
use super::{Code, Diagnostic, LineColumn, Source};

/// What to say of a text that was to be what is `wanted`, and that the reader refuses.
pub(crate) fn refusal(source: &Source, error: &SpannedError, wanted: &str, advice: &str) -> Diagnostic {
    let start = error.span.start;
    let at = offset_of(&source.text, LineColumn { line: start.line, column: start.col });
    if let Some(other) = other_file(Outline::of(&source.text).name(), wanted, &source.name) {
        return other.at(at..at);
    }
    let why = match &error.code {
        ron::Error::MissingStructField { field, .. } => format!("it has no `{field}`"),
        other => other.to_string(),
    };
    Diagnostic::new(Code::Syntax, format!("this is not a {wanted}: {why}")).at(at..at).help(advice)
}

/// What to say of a file that is named `file` and was to hold what is `wanted`, where what it begins with is the name of
/// something else that this program reads.
pub(super) fn other_file(name: Option<&str>, wanted: &str, file: &str) -> Option<Diagnostic> {
    let (what, command, options) = match name? {
        "Scenario" => ("scenario", "run", ""),
        "Case" => ("case", "replay", ""),
        "CampaignPlan" => ("plan", "fuzz shard", " --shard 1/1 -o STORE"),
        _ => return None,
    };
    let mistake = Diagnostic::new(Code::UnknownName, format!("this is a {what}, and not a {wanted}"));
    (what != wanted).then(|| mistake.help(format!("`replisim {command} {file}{options}` runs it")))
}
