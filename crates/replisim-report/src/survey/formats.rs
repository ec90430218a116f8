//! A campaign for programs: JSON, JUnit, and GitHub's annotations.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use replisim_history::{CheckTally, Diverged, FailureGroup, KnownFailure, Survey, Surveyed};
use serde::Serialize;

use super::known::{self, KnownKind};
use crate::number;

/// The version of the schema that [`json`] and [`ndjson`] write.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    version: &'a str,
    fine: bool,
    #[serde(flatten)]
    survey: &'a Survey,
}

#[derive(Serialize)]
struct Line<'a> {
    schema_version: u32,
    version: &'a str,
    fine: bool,
    #[serde(flatten)]
    subject: &'a Surveyed,
    known: Vec<&'a KnownFailure>,
}

/// The survey as one JSON document. The same campaign gives the same bytes: nothing here is taken from the wall clock.
pub fn json(survey: &Survey) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let document = Document { schema_version: SCHEMA_VERSION, version, fine: survey.is_fine(), survey };
    serde_json::to_string_pretty(&document).expect("plain data is JSON") + "\n"
}

/// One line of JSON for each subject, with the failures that were known of it.
pub fn ndjson(survey: &Survey) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let line = |subject: &Surveyed| {
        let known: Vec<_> = survey.known.iter().filter(|failure| failure.subject == subject.name).collect();
        let fine = subject.is_fine() && known.iter().all(|failure| failure.fixed);
        let line = Line { schema_version: SCHEMA_VERSION, version, fine, subject, known };
        serde_json::to_string(&line).expect("plain data is JSON") + "\n"
    };
    survey.subjects.iter().map(line).collect()
}

/// A JUnit report: a suite for each subject, in it a case for each check, and one for each kind of failure that was known of
/// it. A check that was broken fails with its distinct failures; one that was never decided, and runs that diverged, are
/// errors. What was known fails as long as it is not fixed. The checks of a scenario without a run are skipped.
pub fn junit(survey: &Survey) -> String {
    let mut report = Report::new("replisim fuzz");
    let known = known::kinds(&survey.known);
    for subject in &survey.subjects {
        let mut suite = TestSuite::new(subject.name.clone());
        suite.add_test_cases(subject.checks.iter().map(|tally| check_case(subject, tally)));
        suite.add_test_case(twice_case(subject));
        suite.add_test_cases(known.iter().filter(|kind| kind.subject == subject.name).map(known_case));
        report.add_test_suite(suite);
    }
    report.to_string().expect("a report of plain text is XML") + "\n"
}

fn check_case(subject: &Surveyed, tally: &CheckTally) -> TestCase {
    let failures: Vec<&FailureGroup> = subject.failures.iter().filter(|it| it.check == tally.check).collect();
    let status = if !failures.is_empty() {
        let told = failures.iter().map(|failure| failure_text(failure, subject.runs)).collect::<String>();
        non_success(NonSuccessKind::Failure, &format!("broken in {} of {} runs", tally.broken, subject.runs), &told)
    } else if subject.runs == 0 {
        TestCaseStatus::skipped()
    } else if tally.decided() == 0 {
        non_success(NonSuccessKind::Error, "never decided", "nothing is known of this check")
    } else {
        TestCaseStatus::success()
    };
    TestCase::new(tally.check.name(), status)
}

fn twice_case(subject: &Surveyed) -> TestCase {
    let status = if subject.differing == 0 {
        TestCaseStatus::success()
    } else {
        let told = subject.divergences.iter().map(divergence_text).collect::<String>();
        non_success(NonSuccessKind::Error, DIFFER, &(told + &untold(subject).unwrap_or_default()))
    };
    TestCase::new("the same run twice", status)
}

/// What is wrong where a run done twice is not the same run. No seed is named: the search may have made the plan up.
const DIFFER: &str = "two runs of one plan differ";

fn divergence_text(divergence: &Diverged) -> String {
    let Diverged { event, one, other, replay, .. } = divergence;
    format!("event {event}\n{one}\n{other}\n{replay}\n")
}

/// How many divergences are not told one by one.
fn untold(subject: &Surveyed) -> Option<String> {
    (subject.untold() > 0).then(|| format!("and {} more\n", number::count(subject.untold())))
}

fn known_case(kind: &KnownKind<'_>) -> TestCase {
    let status = match kind.failing.as_slice() {
        [] => TestCaseStatus::success(),
        failing => {
            let cases = kind.cases(failing.len() + kind.fixed.len());
            let message = format!("still failing, {} of {cases}", failing.len());
            non_success(NonSuccessKind::Failure, &message, &known_text(kind))
        }
    };
    TestCase::new(format!("known: {}", kind.what()), status)
}

fn known_text(kind: &KnownKind<'_>) -> String {
    kind.replays().map(|command| format!("{command}\n")).collect()
}

fn non_success(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_description(description);
    status
}

fn failure_text(failure: &FailureGroup, runs: u64) -> String {
    let story: String = failure.story.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "{}: {} of {runs} runs, first after {}\n{story}  {}\n",
        failure.kind,
        failure.runs,
        failure.first + 1,
        failure.replay
    )
}

/// GitHub's workflow commands: one error for each distinct failure, each divergence and each kind of known failure that
/// still fails, at the scenario's file; a notice for each kind that is fixed, and one for the whole.
pub fn github(survey: &Survey) -> String {
    let mut text = String::new();
    for kind in known::kinds(&survey.known) {
        text += &known_annotations(&kind);
    }
    for subject in &survey.subjects {
        for failure in &subject.failures {
            let title = format!("{}: {}", failure.check.in_words(), failure.kind);
            text += &annotation("error", &subject.name, &title, &failure_text(failure, subject.runs));
        }
        for divergence in &subject.divergences {
            text += &annotation("error", &subject.name, DIFFER, &divergence_text(divergence));
        }
        text += &untold(subject).map(|more| annotation("error", &subject.name, DIFFER, &more)).unwrap_or_default();
        if subject.runs == 0 {
            text += &annotation("error", &subject.name, "never run", "");
        }
        for check in subject.never_decided() {
            text += &annotation("error", &subject.name, &format!("{} was never decided", check.in_words()), "");
        }
    }
    text + &format!("::notice title=replisim fuzz::{}\n", data(&summary(survey)))
}

fn known_annotations(kind: &KnownKind<'_>) -> String {
    let told = |level, word, cases: String, replays: &str| {
        let message = format!("of earlier campaigns: {cases}\n{replays}");
        annotation(level, kind.subject, &format!("{word}: {}", kind.what()), &message)
    };
    let fixed = if kind.fixed.is_empty() {
        String::new()
    } else {
        told("notice", "fixed", number::things(kind.fixed.len() as u64, "case"), "")
    };
    if kind.failing.is_empty() {
        return fixed;
    }
    fixed + &told("error", "still failing", kind.cases(kind.failing.len()), &known_text(kind))
}

fn summary(survey: &Survey) -> String {
    let failures = number::things(survey.failures() as u64, "distinct failure");
    let text = format!("{}, {failures}", number::things(survey.runs(), "run"));
    if survey.known.is_empty() {
        return text;
    }
    let failing = survey.known.iter().filter(|failure| !failure.fixed).count();
    format!("{text}, {}, {failing} not fixed", number::things(survey.known.len() as u64, "known failure"))
}

/// An annotation at a scenario's file; of a protocol, which has none, the title names it.
fn annotation(level: &str, subject: &str, title: &str, message: &str) -> String {
    let at = match subject.ends_with(".ron") {
        true => format!("file={},title={}", property(subject), property(title)),
        false => format!("title={}", property(&format!("{subject}: {title}"))),
    };
    format!("::{level} {at}::{}\n", data(message))
}

/// Text as GitHub wants it after the two colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as GitHub wants it in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::sample;

    #[test]
    fn a_campaign_in_every_format() {
        let survey = sample::survey();
        insta::assert_snapshot!("junit", junit(&survey));
        insta::assert_snapshot!("github", github(&survey));
        insta::assert_snapshot!("ndjson", ndjson(&survey));
        let value: serde_json::Value = serde_json::from_str(&json(&survey)).unwrap();
        assert_eq!((value["schema_version"].as_u64(), value["fine"].as_bool()), (Some(1), Some(false)));
    }

    #[test]
    fn a_failure_that_was_known_is_what_fails_as_long_as_it_is_not_fixed() {
        let [fixed, failing] = [0, 1].map(|place| {
            let known = vec![sample::survey().known.swap_remove(place)];
            Survey { known, ..sample::clean() }
        });
        let lines = |survey: &Survey| ndjson(survey).lines().map(|it| it.contains("\"fine\":true")).collect::<Vec<_>>();
        assert_eq!((lines(&fixed), lines(&failing)), (vec![true, true], vec![false, true]), "of one subject alone");
        let failures = |survey: &Survey| junit(survey).matches("<failure ").count();
        assert_eq!((failures(&fixed), failures(&failing)), (0, 1));
        assert!(junit(&fixed).contains("known: NoLostWrites, write vanished"), "what is fixed is a case that passes");
        let errors = |survey: &Survey| github(survey).matches("::error ").count();
        assert_eq!((errors(&fixed), errors(&failing)), (0, 1));
    }

    #[test]
    fn what_nobody_decided_is_an_error() {
        let mut survey = sample::clean();
        let check = &mut survey.subjects[0].checks[0];
        (check.kept, check.undecided) = (0, 10_000);
        assert!(junit(&survey).contains("never decided"));
        assert!(github(&survey).contains("::error file=scenarios/one.ron,title=no acknowledged write lost was never"));
    }
}
