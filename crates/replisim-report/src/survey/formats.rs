//! A campaign for programs: JSON, JUnit, and GitHub's annotations.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use replisim_history::{CheckTally, Diverged, FailureGroup, Survey, Surveyed};
use serde::Serialize;

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
}

/// The survey as one JSON document. The same campaign gives the same bytes: nothing here is taken from the wall clock.
pub fn json(survey: &Survey) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let document = Document { schema_version: SCHEMA_VERSION, version, fine: survey.is_fine(), survey };
    serde_json::to_string_pretty(&document).expect("plain data is JSON") + "\n"
}

/// One line of JSON for each subject.
pub fn ndjson(survey: &Survey) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let line = |subject| {
        let line = Line { schema_version: SCHEMA_VERSION, version, fine: Surveyed::is_fine(subject), subject };
        serde_json::to_string(&line).expect("plain data is JSON") + "\n"
    };
    survey.subjects.iter().map(line).collect()
}

/// A JUnit report: a suite for each subject, in it a case for each check. A check that was broken fails with its distinct
/// failures; one that was never decided, and runs that diverged, are errors.
pub fn junit(survey: &Survey) -> String {
    let mut report = Report::new("replisim fuzz");
    for subject in &survey.subjects {
        let mut suite = TestSuite::new(subject.name.clone());
        suite.add_test_cases(subject.checks.iter().map(|tally| check_case(subject, tally)));
        suite.add_test_case(twice_case(subject));
        report.add_test_suite(suite);
    }
    report.to_string().expect("a report of plain text is XML") + "\n"
}

fn check_case(subject: &Surveyed, tally: &CheckTally) -> TestCase {
    let failures: Vec<&FailureGroup> = subject.failures.iter().filter(|it| it.check == tally.check).collect();
    let status = if !failures.is_empty() {
        let told = failures.iter().map(|failure| failure_text(failure, subject.runs)).collect::<String>();
        non_success(NonSuccessKind::Failure, &format!("broken in {} of {} runs", tally.broken, subject.runs), &told)
    } else if tally.decided() == 0 && subject.runs > 0 {
        non_success(NonSuccessKind::Error, "never decided", "nothing is known of this check")
    } else {
        TestCaseStatus::success()
    };
    TestCase::new(tally.check.name(), status)
}

fn twice_case(subject: &Surveyed) -> TestCase {
    let status = match subject.divergences.first() {
        None => TestCaseStatus::success(),
        Some(first) => non_success(NonSuccessKind::Error, DIFFER, &divergence_text(first)),
    };
    TestCase::new("the same run twice", status)
}

/// What is wrong where a run done twice is not the same run. No seed is named: the search may have made the plan up.
const DIFFER: &str = "two runs of one plan differ";

fn divergence_text(divergence: &Diverged) -> String {
    let Diverged { event, one, other, replay, .. } = divergence;
    format!("event {event}\n{one}\n{other}\n{replay}\n")
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

/// GitHub's workflow commands: one error for each distinct failure and each divergence, at the scenario's file.
pub fn github(survey: &Survey) -> String {
    let mut text = String::new();
    for subject in &survey.subjects {
        for failure in &subject.failures {
            let title = format!("{}: {}", failure.check.in_words(), failure.kind);
            text += &annotation(&subject.name, &title, &failure_text(failure, subject.runs));
        }
        for divergence in &subject.divergences {
            text += &annotation(&subject.name, DIFFER, &divergence_text(divergence));
        }
        for check in subject.never_decided() {
            text += &annotation(&subject.name, &format!("{} was never decided", check.in_words()), "");
        }
    }
    let (runs, failures) = (survey.runs(), survey.failures());
    text + &format!("::notice title=replisim fuzz::{runs} runs, {failures} distinct failures\n")
}

fn annotation(file: &str, title: &str, message: &str) -> String {
    format!("::error file={},title={}::{}\n", property(file), property(title), data(message))
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
    fn what_nobody_decided_is_an_error() {
        let mut survey = sample::clean();
        let check = &mut survey.subjects[0].checks[0];
        (check.kept, check.undecided) = (0, 10_000);
        assert!(junit(&survey).contains("never decided"));
        assert!(github(&survey).contains("::error file=scenarios/one.ron,title=no acknowledged write lost was never"));
    }
}
