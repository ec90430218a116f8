//! A campaign for programs: JSON, JUnit, and GitHub's annotations.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use replisim_history::{Broken, CheckTally, DivergenceInfo, FailureGroup, KnownFailure, SubjectSurvey, Survey};
use serde::Serialize;

use super::human::{self, DIFFER, WHY_NEVER_RUN, why};
use super::known::{self, KnownKind};
use crate::json::SCHEMA_VERSION;
use crate::number;

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
    interrupted: bool,
    #[serde(flatten)]
    subject: &'a SubjectSurvey,
    known: Vec<&'a KnownFailure>,
}

/// The survey as one JSON document. The same campaign gives the same bytes: nothing here is taken from the wall clock.
pub fn json(survey: &Survey) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let document = Document { schema_version: SCHEMA_VERSION, version, fine: survey.is_fine(), survey };
    serde_json::to_string_pretty(&document).expect("plain data is JSON") + "\n"
}

/// One line of JSON for each subject, with the failures that were known of it. Where the campaign was broken off, none is
/// fine.
pub fn ndjson(survey: &Survey) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let line = |subject: &SubjectSurvey| {
        let known: Vec<_> = survey.known.iter().filter(|failure| failure.subject == subject.name).collect();
        let interrupted = survey.interrupted;
        let fine = subject.is_fine() && known.iter().all(|failure| failure.is_fixed()) && !interrupted;
        let line = Line { schema_version: SCHEMA_VERSION, version, fine, interrupted, subject, known };
        serde_json::to_string(&line).expect("plain data is JSON") + "\n"
    };
    survey.subjects.iter().map(line).collect()
}

/// A JUnit report: a suite for each subject, in it a case for each check, and one for each kind of failure that was known of
/// it. A check that was broken fails with its distinct failures; one that was never decided, and runs that diverged, are
/// errors. What was known fails as long as it is not fixed. The checks of a scenario without a run are skipped; that it was
/// never run is an error, and so is that the campaign was broken off.
pub fn junit(survey: &Survey) -> String {
    let mut report = Report::new("replisim fuzz");
    let known = known::kinds(&survey.known);
    for subject in &survey.subjects {
        let mut suite = TestSuite::new(subject.name.clone());
        suite.add_test_case(run_case(subject, survey.interrupted));
        suite.add_test_cases(subject.checks.iter().map(|tally| check_case(subject, tally)));
        suite.add_test_case(twice_case(subject));
        suite.add_test_cases(known.iter().filter(|kind| kind.subject == subject.name).map(known_case));
        for case in &mut suite.test_cases {
            // Readers of JUnit's XML want a class and a number of seconds; which check took how long nobody knows.
            case.set_classname(&*subject.name).set_time(Duration::ZERO);
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().expect("a report of plain text is XML") + "\n";
    // The writer leaves these two in, which XML 1.0 (2.2, Characters) forbids.
    text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

/// Whether a subject had the runs that were asked for.
fn run_case(subject: &SubjectSurvey, interrupted: bool) -> TestCase {
    let status = match (subject.runs, interrupted) {
        (0, false) => non_success(NonSuccessKind::Error, NEVER_RUN, WHY_NEVER_RUN),
        (_, true) => non_success(NonSuccessKind::Error, BROKEN_OFF, &format!("after {}", runs(subject))),
        (_, false) => TestCaseStatus::success(),
    };
    TestCase::new("all runs", status)
}

fn runs(subject: &SubjectSurvey) -> String {
    number::things(subject.runs, "run")
}

const NEVER_RUN: &str = "never run";
const BROKEN_OFF: &str = "the campaign was broken off";
const NEVER_DECIDED: &str = "nothing is known of this check: it could not be decided in any run";

fn check_case(subject: &SubjectSurvey, tally: &CheckTally) -> TestCase {
    let failures: Vec<&FailureGroup> = subject.failures.iter().filter(|it| it.breaks(tally.check)).collect();
    let status = if !failures.is_empty() {
        let told = failures.iter().map(|failure| failure_text(failure, subject.runs)).collect::<String>();
        non_success(
            NonSuccessKind::Failure,
            &format!("broken in {}", number::tally(tally.broken, subject.runs, "runs")),
            &told,
        )
    } else if subject.runs == 0 {
        TestCaseStatus::skipped()
    } else if tally.decided() == 0 {
        non_success(NonSuccessKind::Error, "never decided", NEVER_DECIDED)
    } else {
        TestCaseStatus::success()
    };
    TestCase::new(tally.check.name(), status)
}

fn twice_case(subject: &SubjectSurvey) -> TestCase {
    let status = if subject.twice == 0 {
        TestCaseStatus::skipped()
    } else if subject.differing == 0 {
        TestCaseStatus::success()
    } else {
        let told = subject.divergences.iter().map(divergence_text).collect::<String>();
        non_success(NonSuccessKind::Error, DIFFER, &(told + &untold(subject).unwrap_or_default()))
    };
    TestCase::new("the same run twice", status)
}

fn divergence_text(divergence: &DivergenceInfo) -> String {
    let DivergenceInfo { event, one, other, replay, .. } = divergence;
    format!("event {event}\n{one}\n{other}\n{}\n{}", why(divergence), human::replay(replay, ""))
}

/// How many divergences are not told one by one.
fn untold(subject: &SubjectSurvey) -> Option<String> {
    (subject.untold() > 0).then(|| format!("and {} more\n", number::count(subject.untold())))
}

fn known_case(kind: &KnownKind<'_>) -> TestCase {
    let status = match kind.failing.as_slice() {
        [] => TestCaseStatus::success(),
        failing => {
            let cases = kind.cases(failing.len() + kind.fixed.len());
            let message = format!("{}, {} of {cases}", kind.word(), failing.len());
            non_success(NonSuccessKind::Failure, &message, &known_text(kind))
        }
    };
    TestCase::new(format!("known: {}", kind.what()), status)
}

fn known_text(kind: &KnownKind<'_>) -> String {
    kind.replays().map(|replay| human::replay(replay, "")).collect()
}

fn non_success(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let ty = match kind {
        NonSuccessKind::Failure => "broken promise",
        NonSuccessKind::Error => "no verdict",
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_type(ty).set_description(description);
    status
}

fn failure_text(failure: &FailureGroup, runs: u64) -> String {
    let also = |it: &Broken| format!("  {}\n", human::also(it.check.in_words(), &it.kind, it.runs, runs));
    let also: String = failure.also.iter().map(also).collect();
    let story: String = failure.story.iter().map(|line| format!("  {line}\n")).collect();
    format!("{}: {}\n{also}{story}{}", failure.kind, human::often(failure, runs), human::replay(&failure.replay, "  "))
}

/// GitHub's workflow commands: one error for each distinct failure, each divergence and each kind of known failure that
/// still fails, at the scenario's file; a warning for what is expected to be violated and never was; a notice for each kind
/// that is fixed, and one for the whole.
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
            text += &annotation("error", &subject.name, NEVER_RUN, WHY_NEVER_RUN);
        }
        for check in subject.never_decided() {
            let title = format!("{} was never decided", check.in_words());
            text += &annotation("error", &subject.name, &title, NEVER_DECIDED);
        }
        for check in &subject.never_violated {
            let title = format!("{} is expected to be violated", check.in_words());
            text += &annotation("warning", &subject.name, &title, &format!("none of {} violated it", runs(subject)));
        }
    }
    if survey.interrupted {
        text += &format!("::error title=fuzz::{}\n", data(BROKEN_OFF));
    }
    text + &format!("::notice title=fuzz::{}\n", data(&summary(survey)))
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
    fixed + &told("error", kind.word(), kind.cases(kind.failing.len()), &known_text(kind))
}

fn summary(survey: &Survey) -> String {
    let failures = number::things(survey.failures() as u64, "distinct failure");
    let text = format!("{}, {failures}", number::things(survey.runs(), "run"));
    if survey.known.is_empty() {
        return text;
    }
    let failing = survey.known.iter().filter(|failure| !failure.is_fixed()).count();
    format!("{text}, {}, {failing} not fixed", number::things(survey.known.len() as u64, "known failure"))
}

/// An annotation at a scenario's file; of a protocol, which has none, the title names it. GitHub shows none whose message is
/// empty.
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
        assert_eq!((value["schema_version"].as_u64(), value["fine"].as_bool()), (Some(3), Some(false)));
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
    fn whatever_is_not_fine_is_wrong_in_every_format_and_said_in_words() {
        type Ail = fn(&mut Survey);
        let ails: [(&str, Ail); 5] = [
            ("broken off", |survey| survey.interrupted = true),
            ("never run", |survey| survey.subjects[0].runs = 0),
            ("two runs of one plan differ", |survey| {
                survey.subjects[0].differing = 1;
                survey.subjects[0].divergences = sample::survey().subjects[0].divergences.clone();
            }),
            ("write vanished", |survey| {
                let found = sample::survey().subjects.swap_remove(0);
                (survey.subjects[0].failing, survey.subjects[0].failures) = (41, found.failures);
            }),
            ("never decided", |survey| {
                let check = &mut survey.subjects[0].checks[0];
                (check.kept, check.undecided) = (0, 10_000);
            }),
        ];
        assert!(sample::clean().is_fine());
        for (word, ail) in ails {
            let mut survey = sample::clean();
            ail(&mut survey);
            let (junit, github) = (junit(&survey), github(&survey));
            assert!(!survey.is_fine() && json(&survey).contains("\"fine\": false"), "{word}");
            assert!(ndjson(&survey).contains("\"fine\":false"), "{word}");
            assert!((junit.contains("<error ") || junit.contains("<failure ")) && junit.contains(word), "{junit}");
            assert!(github.contains("::error ") && github.contains(word), "{github}");
            assert!(
                github.lines().all(|line| !line.ends_with("::")),
                "GitHub shows nothing without a message: {github}"
            );
        }
    }

    #[test]
    fn junit_is_xml_whatever_a_failure_says() {
        let mut survey = sample::survey();
        survey.subjects[0].failures[0].kind = "panics: \0 \u{fffe}\u{ffff} <&>".to_owned();
        let junit = junit(&survey);
        let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r') || c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}');
        assert!(junit.chars().all(is_allowed) && junit.contains("\\u{fffe}\\u{ffff} &lt;&amp;&gt;"), "{junit}");
    }

    #[test]
    fn where_nothing_was_done_twice_nobody_says_that_it_came_out_the_same() {
        let mut survey = sample::clean();
        survey.subjects[0].twice = 0;
        let junit = junit(&survey);
        let (_, twice) = junit.split_once("the same run twice").expect("a case");
        assert!(twice.trim_start_matches(|c| c != '<').starts_with("<skipped"), "{junit}");
    }

    #[test]
    fn a_check_that_breaks_in_the_run_of_another_is_no_success() {
        let mut survey = sample::survey();
        let also = survey.subjects[0].failures[0].also[0].check;
        survey.subjects[0].checks[1].check = also;
        assert_eq!(junit(&survey).matches("<failure ").count(), 3, "two checks, and what was known");
    }
}
