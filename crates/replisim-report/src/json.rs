//! A run as data: what [`crate::human`] says, for a program to read.
//!
//! One object a run. Its fields keep their names, types and meaning within a [`SCHEMA_VERSION`]; new ones may
//! be added at any time, so a reader skips what it does not know. A field without a value is `null`, never absent.
//!
//! ```json
//! {
//!   "schema_version": 3, "version": "0.1.0",
//!   "scenario": "scenarios/…/stale_read.ron", "title": "stale read", "about": "…", "system": "PostgreSQL, …",
//!   "seed": 7, "fingerprint": "8c1e…", "events": 412118, "simulated_ns": 10014000000, "as_expected": true,
//!   "verdicts": [{
//!     "check": "ReadYourWrites", "verdict": "violated", "promised": false, "not_promised_because": "…",
//!     "expected": "violated", "as_expected": true, "broken": 37, "of": 18031, "unit": "reads",
//!     "witness": { "kind": "…", "lines": [{ "who": "c4", "what": "…", "at_ns": 1, "remark": "…" }], "operations": [0] },
//!     "limit": null
//!   }],
//!   "measures": { … }, "bounds": [ … ], "milestones": [ … ], "faults": [ … ],
//!   "settling": { "healed_ns": 10000000000, "converged_after_ns": 14000000 },
//!   "replay": "replisim run …", "cure": null, "anomaly": null
//! }
//! ```
//!
//! Times are whole nanoseconds of simulated time, so they are exact and the same on every platform. The same run gives
//! the same bytes: nothing here is taken from the wall clock.

use replisim_history::measure::Unit;
use replisim_history::{Firing, Milestone, PlannedFault, Promise, Settling, Verdict, Witness};
use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::{JudgedFinding, MeasuredBound, Names, RunReport};

/// The version of every document that is printed for programs; `docs/json.md` lists them.
pub const SCHEMA_VERSION: u32 = 3;

/// One run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Document {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of replisim that made it. Only the same version promises the same fingerprint.
    pub version: String,
    /// The scenario's file.
    pub scenario: String,
    /// The scenario's name in words.
    pub title: String,
    /// What the scenario is about.
    pub about: String,
    /// The system under test, with the settings that matter.
    pub system: String,
    /// The seed of the run.
    pub seed: u64,
    /// The run's fingerprint, 32 hexadecimal digits.
    pub fingerprint: String,
    /// How many events were handled.
    pub events: u64,
    /// How much time passed in the simulation, quiet phase included.
    pub simulated_ns: u64,
    /// Whether every verdict is as expected and every bound is kept.
    pub as_expected: bool,
    /// The verdict of each check.
    pub verdicts: Vec<JudgedCheck>,
    /// Latencies, lag and availability.
    pub measures: Figures,
    /// The scenario's own measures.
    pub bounds: Vec<Bound>,
    /// What a person would tell of the run, in order of time.
    pub milestones: Vec<Moment>,
    /// The faults that were planned, in the plan's order.
    pub faults: Vec<Fault>,
    /// How the run came to rest.
    pub settling: Rest,
    /// The command that runs it again.
    pub replay: String,
    /// The command that runs the sibling scenario in which the anomaly is cured.
    pub cure: Option<String>,
    /// The command that runs the sibling scenario whose anomaly is cured in this one.
    pub anomaly: Option<String>,
}

/// The verdict of one check.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JudgedCheck {
    /// The check's name in a scenario: `ReadYourWrites`.
    pub check: String,
    /// The result.
    pub verdict: Word,
    /// Whether the system promises that it holds, for this configuration and these faults.
    pub promised: bool,
    /// Why it does not, if it does not.
    pub not_promised_because: Option<String>,
    /// What the scenario expects: `holds` or `violated`, if it says.
    pub expected: Option<Word>,
    /// Whether the verdict is the expected one; where nothing is said, a broken promise and `unknown` are not.
    pub as_expected: bool,
    /// How many of the things looked at break it.
    pub broken: u64,
    /// How many were looked at.
    pub of: u64,
    /// What they are, in the plural.
    pub unit: String,
    /// The evidence, if it is violated.
    pub witness: Option<Evidence>,
    /// Why there is no verdict, if it is unknown.
    pub limit: Option<String>,
}

/// A verdict in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Nothing breaks it.
    Holds,
    /// Something does; there is a witness.
    Violated,
    /// It could not be decided; there is a limit.
    Unknown,
}

/// Evidence against a check, with the scenario's names in its texts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The shape of the anomaly in a few words.
    pub kind: String,
    /// The story, in order of time.
    pub lines: Vec<EvidenceLine>,
    /// The operations it rests on, as positions in the history, from 0.
    pub operations: Vec<u64>,
}

/// One line of the evidence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EvidenceLine {
    /// Who: a session or a node.
    pub who: String,
    /// Did or saw what.
    pub what: String,
    /// When.
    pub at_ns: u64,
    /// What to make of it.
    pub remark: String,
}

/// A measure of the scenario's own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bound {
    /// What is measured.
    pub name: String,
    /// The figure, to six places, if the run gives one.
    pub value: Option<f64>,
    /// Its unit: `count`, `share` (between 0 and 1), `ms`, `s` or `per second`.
    pub unit: String,
    /// The least it may be.
    pub at_least: Option<f64>,
    /// The most it may be.
    pub at_most: Option<f64>,
    /// Whether it keeps its bounds.
    pub ok: bool,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at_ns: u64,
    /// At which node, if at a single one.
    pub node: Option<String>,
    /// What, in a few words.
    pub text: String,
}

/// A planned fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// In the scenario's words.
    pub text: String,
    /// Each time it was in force. Empty if it never was.
    pub fired: Vec<Stretch>,
}

/// A stretch of time in which a fault was in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stretch {
    /// Its beginning.
    pub from_ns: u64,
    /// Its end; the same as its beginning for what happens at once, and nothing if the run was broken off before.
    pub until_ns: Option<u64>,
    /// Whom it struck, where its text leaves that to chance or to the state of the run.
    pub struck: Vec<String>,
}

/// How a run came to rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rest {
    /// When all faults had ended and the clients stopped, or where the run was broken off before.
    pub healed_ns: u64,
    /// How long it took from there until the last replica came to hold what all hold at the end, if they do.
    pub converged_after_ns: Option<u64>,
}

/// The document as indented text, to its last line break.
pub fn text(report: &RunReport) -> String {
    serde_json::to_string_pretty(&document(report)).expect("plain data has a JSON form") + "\n"
}

/// The document.
pub fn document(report: &RunReport) -> Document {
    let run = report.run;
    let names = Names::of(run);
    Document {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: report.file.clone(),
        title: report.title.clone(),
        about: report.about.split_whitespace().collect::<Vec<_>>().join(" "),
        system: report.system.clone(),
        seed: run.seed,
        fingerprint: run.fingerprint.to_string(),
        events: run.events,
        simulated_ns: run.simulated.as_nanos(),
        as_expected: report.as_expected(),
        verdicts: report.findings.iter().map(|judged| JudgedCheck::new(judged, &names)).collect(),
        measures: Figures::of(run),
        bounds: report.bounds.iter().map(Bound::new).collect(),
        milestones: run.milestones.iter().map(|milestone| Moment::new(milestone, &names)).collect(),
        faults: run.faults.iter().map(|fault| Fault::new(fault, &names)).collect(),
        settling: Rest::new(run.settling),
        replay: report.replay.clone(),
        cure: report.cure.clone(),
        anomaly: report.anomaly.clone(),
    }
}

impl JudgedCheck {
    fn new(judged: &JudgedFinding, names: &Names) -> Self {
        let finding = &judged.finding;
        let (verdict, witness, limit) = match &finding.verdict {
            Verdict::Holds => (Word::Holds, None, None),
            Verdict::Violated(witness) => (Word::Violated, Some(Evidence::new(witness, names)), None),
            Verdict::Unknown(limit) => (Word::Unknown, None, Some(limit.to_string())),
        };
        let not_promised_because = match &judged.promise {
            Promise::Promised => None,
            Promise::NotPromised(reason) => Some(reason.clone()),
        };
        JudgedCheck {
            check: finding.check.name().to_owned(),
            verdict,
            promised: judged.is_promised(),
            not_promised_because,
            expected: judged.expected_to_hold.map(|holds| if holds { Word::Holds } else { Word::Violated }),
            as_expected: judged.as_expected,
            broken: finding.broken,
            of: finding.of,
            unit: finding.unit.clone(),
            witness,
            limit,
        }
    }
}

impl Evidence {
    fn new(witness: &Witness, names: &Names) -> Self {
        let lines = witness.lines.iter().map(|line| EvidenceLine {
            who: names.in_text(&line.who),
            what: names.in_text(&line.what),
            at_ns: line.at.as_nanos(),
            remark: names.in_text(&line.remark),
        });
        Evidence { kind: names.in_text(&witness.kind), lines: lines.collect(), operations: witness.operations.clone() }
    }
}

impl Bound {
    fn new(bound: &MeasuredBound) -> Self {
        let unit = match bound.unit {
            Unit::Count => "count",
            Unit::Share => "share",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::PerSecond => "per second",
        };
        Bound {
            name: bound.name.clone(),
            value: bound.value.map(|value| (value * 1e6).round() / 1e6),
            unit: unit.to_owned(),
            at_least: bound.at_least,
            at_most: bound.at_most,
            ok: bound.ok,
        }
    }
}

impl Moment {
    fn new(milestone: &Milestone, names: &Names) -> Self {
        Moment {
            at_ns: milestone.at.as_nanos(),
            node: milestone.node.map(|node| names.node(node)),
            text: names.in_text(&milestone.text),
        }
    }
}

impl Fault {
    fn new(fault: &PlannedFault, names: &Names) -> Self {
        let stretch = |firing: &Firing| Stretch {
            from_ns: firing.from.as_nanos(),
            until_ns: firing.until.is_reached().then(|| firing.until.as_nanos()),
            struck: firing.struck.iter().map(|node| names.node(*node)).collect(),
        };
        Fault { text: fault.text.clone(), fired: fault.fired.iter().map(stretch).collect() }
    }
}

impl Rest {
    fn new(settling: Settling) -> Self {
        Rest {
            healed_ns: settling.healed.as_nanos(),
            converged_after_ns: settling.converged_after.map(|span| span.as_nanos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_document_reads_back() {
        let run = sample::run();
        let report = sample::report(&run);
        assert_eq!(serde_json::from_str::<Document>(&text(&report)).unwrap(), document(&report));
    }

    #[test]
    fn a_document_is_laid_out_as_promised() {
        let run = sample::run();
        insta::assert_snapshot!(text(&sample::report(&run)));
    }
}
