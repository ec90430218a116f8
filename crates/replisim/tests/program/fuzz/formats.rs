//! A campaign in every format that machines read.

use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;

/// What a campaign over both scenarios prints.
fn printed(name: &str, format: &str) -> String {
    let folder = super::folder(name);
    let fuzz = folder.program(&["fuzz", "failing.ron", "clean.ron", "--runs", "400", "--format", format]);
    assert_eq!((fuzz.code, fuzz.errors.as_str()), (1, ""));
    fuzz.output
}

#[test]
fn json_is_one_document() {
    let document: Value = serde_json::from_str(&printed("json", "json")).expect("JSON");
    assert_eq!((&document["schema_version"], &document["fine"]), (&3.into(), &false.into()));
    let subjects = document["subjects"].as_array().expect("a list");
    let runs = subjects.iter().map(|subject| subject["runs"].as_u64()).collect::<Vec<_>>();
    assert_eq!(runs, [Some(200), Some(200)]);
    let failure = &subjects[0]["failures"][0];
    assert_eq!((&failure["check"], failure["id"].as_str().map(str::len)), (&"NoLostWrites".into(), Some(8)));
    assert_eq!(failure["replay"], format!("replisim replay {}", failure["id"].as_str().expect("an id")));
}

#[test]
fn ndjson_is_a_line_a_subject() {
    let printed = printed("ndjson", "ndjson");
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> = lines.iter().map(|line| (line["name"].as_str(), line["fine"].as_bool())).collect();
    assert_eq!(told, [(Some("failing.ron"), Some(false)), (Some("clean.ron"), Some(true))]);
}

#[test]
fn junit_is_a_suite_a_subject() {
    let printed = printed("junit", "junit");
    let report = Report::deserialize_from_str(&printed).unwrap_or_else(|error| panic!("{error} in\n{printed}"));
    let failed = |suite: &quick_junit::TestSuite| {
        let failed = |status: &TestCaseStatus| !matches!(status, TestCaseStatus::Success { .. });
        suite.test_cases.iter().filter(|case| failed(&case.status)).map(|case| case.name.to_string()).collect()
    };
    let suites: Vec<(String, Vec<String>)> =
        report.test_suites.iter().map(|suite| (suite.name.to_string(), failed(suite))).collect();
    let expected = [("failing.ron", vec!["NoLostWrites"]), ("clean.ron", vec![])];
    assert_eq!(
        suites,
        expected.map(|(name, failed)| (name.to_owned(), failed.into_iter().map(str::to_owned).collect()))
    );
}

#[test]
fn github_gets_a_command_a_line() {
    let printed = printed("github", "github");
    let lines: Vec<&str> = printed.lines().collect();
    let (last, errors) = lines.split_last().expect("there are lines");
    assert!(last.starts_with("::notice title=fuzz::400 runs, "), "{last}");
    assert!(!errors.is_empty());
    for line in errors {
        let (head, message) = line.strip_prefix("::error ").and_then(|it| it.split_once("::")).expect("a command");
        let properties: Vec<_> = head.split(',').filter_map(|it| it.split_once('=')).map(|(name, _)| name).collect();
        assert_eq!(properties, ["file", "title"], "{line}");
        assert!(message.contains("%0A") && message.contains("replisim replay "), "{line}");
    }
}

#[test]
fn a_known_failure_that_fails_still_is_told_as_the_reason() {
    let folder = super::folder("known_formats");
    assert_eq!(folder.program(&["fuzz", "failing.ron", "--runs", "300"]).code, 1);
    let mut told = Vec::new();
    for format in ["human", "json", "ndjson", "junit", "github"] {
        // Too few runs to find anything new.
        let fuzz = folder.program(&["fuzz", "failing.ron", "--runs", "1", "--format", format]);
        assert_eq!(fuzz.code, 1, "{fuzz:?}");
        let command = fuzz.output.find("replisim replay ").unwrap_or_else(|| panic!("no command: {fuzz:?}"));
        told.push(fuzz.output[command..].chars().take("replisim replay 12345678".len()).collect::<String>());
        let words: &[&str] = match format {
            "junit" => &["<failure message=\"still failing, ", "failures=\"1\""],
            "github" => &["::error file=failing.ron,title=still failing%3A NoLostWrites%2C "],
            "ndjson" => &["\"fine\":false", "\"failures\":[]"],
            _ => &[],
        };
        assert!(words.iter().all(|word| fuzz.output.contains(word)), "{format}: {}", fuzz.output);
    }
    assert!(told.iter().all(|command| *command == told[0]), "{told:?}");
}
