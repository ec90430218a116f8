//! A case: a scenario with the seed and the fingerprint of one run of it, in one file that replays anywhere.
//!
//! ```ron
//! // An acknowledged write is lost: write vanished.
//! //   …
//! Case(
//!     version: "0.1.0",
//!     seed: 7,
//!     fingerprint: "8c1e…",
//!     anomaly: (check: NoLostWrites, kind: "write vanished", lines: ["…"]),
//!     scenario: Scenario(…),
//!     marks: (every: 12, digests: ["8c1e52d0 …"]),
//! )
//! ```
//!
//! As long as the code is the same, so is the fingerprint. When the code has changed, the fingerprint alone would only
//! say so. The anomaly says what matters then, which is whether the same thing still goes wrong; and the marks tell where
//! the two runs part.

mod indent;
mod marks;
mod room;

use std::path::Path;

use replisim_history::{Check, Finding, Names, Run, Sequel, Witness};
use replisim_kernel::{Digest, NoDigest, SimTime, Span};
use ron::Options;
use ron::extensions::Extensions;
use ron::value::RawValue;
use serde::{Deserialize, Serialize};

use crate::scenario::{Code, Diagnostic, Outline, Report, Source, refusal};
use crate::{Experiment, VERSION};
use indent::{before_moved_out, moved_in, moved_out};
pub use marks::{Marks, Parting};

/// A run to be repeated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// What there is to say of it, in lines: the comment above the case. What to do with a case stands below it in the text.
    pub story: String,
    /// The version of replisim that wrote it.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// Where the run was stopped, if it did not go to its end.
    pub until: Option<Span>,
    /// The fingerprint that the run must have.
    pub fingerprint: Digest,
    /// What goes wrong in it, if that is why it was kept.
    pub anomaly: Option<Anomaly>,
    /// The scenario, edits included.
    pub source: Source,
    /// Its fingerprints on the way.
    pub marks: Option<Marks>,
}

/// What must go wrong again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// The check that is violated.
    pub check: Check,
    /// The witness's kind: `write vanished`.
    pub kind: String,
    /// The witness as it was told. Only `check` and `kind` must come again.
    #[serde(default)]
    pub lines: Vec<String>,
}

/// The largest case that is read, in bytes.
const BYTES_MAX: u64 = 1 << 26;

/// A case as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Case")]
struct CaseFile {
    version: String,
    seed: u64,
    #[serde(default)]
    until: Option<Span>,
    fingerprint: String,
    #[serde(default)]
    anomaly: Option<Anomaly>,
    scenario: Box<RawValue>,
    #[serde(default)]
    marks: Option<marks::MarksFile>,
}

/// How many digits of its fingerprint a case goes by.
const ID: usize = 8;

/// What stands below the story of a case in its file.
const AGAIN: &str = "Run it again with the command `replay`.";

impl Case {
    /// Where cases come from, for whoever has a text that is none.
    pub const ADVICE: &str =
        "a case has a version, a seed, a fingerprint and a scenario; `replisim run --case FILE` writes one";

    /// The case of a run of an experiment. The run is repeated for its marks.
    pub fn of(experiment: &Experiment, until: Option<Span>, run: &Run) -> Self {
        let Source { name, text } = &experiment.source;
        let mut scenario = value_of(text);
        if scenario.starts_with("#!") {
            // What a text enables, it enables for itself. Within a case the scenario is written without.
            scenario = value_of(&experiment.scenario.text());
        }
        Case {
            story: format!("A case of {name}."),
            version: VERSION.to_owned(),
            seed: run.seed,
            until,
            fingerprint: run.fingerprint,
            anomaly: None,
            source: Source::new(name, scenario),
            marks: Some(Marks::along(experiment.begin(run.seed, false), run.events)),
        }
    }

    /// Whether the text of a case is that of one that was shrunk, and so says what it shows. Only what is needed is in it then.
    pub fn is_shrunk(text: &str) -> bool {
        text.contains("\n    anomaly: ")
    }

    /// How much of a scenario there is in the text of a case, `about` and all.
    pub fn weight(text: &str) -> usize {
        let from = text.find("\n    scenario: ").unwrap_or(0);
        let to = text.rfind("\n    marks: ").filter(|to| *to > from);
        to.unwrap_or(text.len()) - from
    }

    /// Whether a text is one of a case, whatever may be wrong with it, and not of a scenario.
    pub fn is_one(source: &Source) -> bool {
        Outline::of(&source.text).name() == Some("Case")
    }

    /// Reads the text of a file that may be a case. One that is not small yet spells out every operation.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn source(path: &Path) -> Result<Source, Report> {
        Source::read_within(path, BYTES_MAX).map_err(|report| report.advising(Case::ADVICE))
    }

    /// Reads a case from a file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a case.
    pub fn read(path: &Path) -> Result<Case, Report> {
        Case::parse(&Case::source(path)?)
    }

    /// Reads a case from a text.
    ///
    /// # Errors
    /// If it is not a case.
    pub fn parse(source: &Source) -> Result<Case, Report> {
        let options = Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
        let written: CaseFile = match options.from_str(&source.text) {
            Ok(written) => written,
            Err(error) => return Err(Report::of(source.clone(), refusal(source, &error, "case", Case::ADVICE))),
        };
        let CaseFile { version, seed, until, fingerprint, anomaly, scenario, marks } = written;
        let refuse = |field: &str, code, why: String| {
            let at = Outline::of(&source.text).mark(field);
            Report::of(source.clone(), Diagnostic::new(code, format!("this is not a case: {why}")).at(at))
        };
        let marks = marks.map(|marks| marks.read()).transpose().map_err(|why| refuse("marks", Code::Syntax, why))?;
        let no_digest = |why: NoDigest| refuse("fingerprint", Code::WrongType, why.to_string());
        let fingerprint = fingerprint.parse().map_err(no_digest)?;
        let scenario = Source::new(source.name.clone(), moved_out(scenario.trim().get_ron()));
        let story = story_of(&source.text);
        Ok(Case { story, version, seed, until, fingerprint, anomaly, source: scenario, marks })
    }

    /// The case that a text is, as far as this version can read it: of a store, which may be older or newer.
    pub fn of_text(text: &str) -> Option<Case> {
        Case::parse(&Source::new("a case of a store", text)).ok()
    }

    /// A report on the scenario of a case that was read from `file`, as one on that file: with the mistakes where they stand
    /// there.
    pub fn in_file(file: &Source, mut report: Report) -> Report {
        let Some(written) = Outline::of(&file.text).find("scenario").map(|scenario| scenario.span.clone()) else {
            return report;
        };
        let text = &file.text[written.clone()];
        if moved_out(text) != report.source.text {
            return report;
        }
        for span in report.diagnostics.iter_mut().filter_map(|mistake| mistake.span.as_mut()) {
            let place = |offset| written.start + before_moved_out(text, offset);
            *span = place(span.start)..place(span.end);
        }
        Report::new(file.clone(), report.diagnostics)
    }

    /// What it goes by: the first digits of its fingerprint.
    pub fn id(&self) -> String {
        self.fingerprint.to_string()[..ID].to_owned()
    }

    /// The name of a file beside which nothing else is called so: the scenario's, and what the case goes by.
    pub fn file_name(&self, scenario: &Path) -> String {
        let stem = scenario.file_stem().unwrap_or_default().to_string_lossy();
        // What is a case already may have been as small as it can be.
        if stem == self.id() { format!("{stem}-shrunk.ron") } else { format!("{stem}-{}.ron", self.id()) }
    }

    /// The case as a file holds it.
    pub fn text(&self) -> String {
        let comments = self.story.lines().chain((!self.story.is_empty()).then_some(AGAIN));
        let mut text: String = comments.map(|line| format!("// {line}").trim_end().to_owned() + "\n").collect();
        text += &format!("Case(\n    version: \"{}\",\n    seed: {},\n", self.version, self.seed);
        if let Some(until) = self.until {
            text += &format!("    until: \"{until}\",\n");
        }
        text += &format!("    fingerprint: \"{}\",\n", self.fingerprint);
        if let Some(anomaly) = &self.anomaly {
            text += &format!("    anomaly: {},\n", anomaly.text());
        }
        text += &format!("    scenario: {},\n", moved_in(&self.source.text));
        if let Some(marks) = &self.marks {
            text += &format!("    marks: {},\n", marks.text());
        }
        text + ")\n"
    }

    /// Runs it again, to its end or as far as it says. A trace is kept if `trace`.
    pub fn run(&self, experiment: &Experiment, trace: bool) -> crate::JudgedRun {
        experiment.run(self.seed, self.until.map(|until| SimTime::ZERO + until), trace)
    }

    /// Where `run`, which has another fingerprint, left the path of the case; `None` if the case has no marks.
    pub fn parting(&self, experiment: &Experiment, run: &Run) -> Option<Parting> {
        let marks = self.marks.as_ref()?;
        Some(marks.parting(run.events, |trace| experiment.begin(self.seed, trace)))
    }
}

impl Anomaly {
    /// What a witness of `run` shows, with the scenario's names.
    pub fn of(check: Check, witness: &Witness, run: &Run) -> Anomaly {
        let names = Names::of(run);
        let line = |line: &replisim_history::WitnessLine| {
            let (who, what, remark) =
                (names.in_text(&line.who), names.in_text(&line.what), names.in_text(&line.remark));
            let comma = if remark.is_empty() { "" } else { ", " };
            format!("{:>13}  {who} {what}{comma}{remark}", line.at)
        };
        let lines: Vec<String> = witness.lines.iter().map(line).collect();
        let indent = lines.iter().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
        let lines = lines.iter().map(|line| line[indent..].to_owned()).collect();
        Anomaly { check, kind: witness.kind.clone(), lines }
    }

    /// What has become of it in a run of which this was found.
    pub fn became(&self, findings: &[Finding]) -> Sequel {
        Sequel::of(self.check.name(), &self.kind, findings)
    }

    fn text(&self) -> String {
        let quoted = |text: &str| ron::to_string(text).unwrap_or_default();
        let lines: String = self.lines.iter().map(|line| format!("        {},\n", quoted(line))).collect();
        format!("(check: {}, kind: {}, lines: [\n{lines}    ])", self.check, quoted(&self.kind))
    }
}

/// A scenario's text without what stands before and after its value.
fn value_of(text: &str) -> String {
    RawValue::from_ron(text).map_or_else(|_| text.to_owned(), |value| value.trim().get_ron().to_owned())
}

/// The comment that a text begins with, without what stands below every story.
fn story_of(text: &str) -> String {
    let comments = text.lines().map_while(|line| line.strip_prefix("//"));
    let mut lines: Vec<&str> = comments.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.pop_if(|last| *last == AGAIN);
    lines.join("\n")
}

#[cfg(test)]
mod tests;
