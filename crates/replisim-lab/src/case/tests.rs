//! Cases written and read back, and runs that leave their path.

use replisim_kernel::Digest;

use super::Case;
use crate::scenario::Source;
use crate::{Anomaly, Catalog, Experiment};

const SCENARIO: &str = r#"// A comment.
Scenario(
    about: "Two lines
    in one text.",
    cluster: (size: 3),
    protocol: PostgreSql(primary: "n1"),
    clients: [(sessions: 2, arrive: Every("50ms"))],
    run: "500ms",
)"#;

fn experiment(text: &str) -> Experiment {
    let source = Source::new("toy.ron", text);
    Experiment::prepare(&source, &Catalog::standard()).unwrap_or_else(|report| panic!("{}", report.render(false)))
}

fn case() -> Case {
    let experiment = experiment(SCENARIO);
    let outcome = experiment.run(3, None, false);
    let anomaly = Anomaly {
        check: replisim_history::Check::NoLostWrites,
        kind: "a \"quoted\" kind".to_owned(),
        lines: vec!["12.000 ms  c0 wrote k1 = 0.0".to_owned(), String::new()],
    };
    let story = "What went wrong.\n  12.000 ms  c0 wrote\n\nNeeded: nothing.".to_owned();
    Case {
        story,
        anomaly: Some(anomaly),
        until: Some("400ms".parse().expect("a time")),
        ..Case::of(&experiment, None, &outcome.run)
    }
}

fn parsed(text: &str) -> Case {
    Case::parse(&Source::new("toy.ron", text)).unwrap_or_else(|report| panic!("{}\n{text}", report.render(false)))
}

#[test]
fn a_case_reads_back_as_it_was_written() {
    let whole = case();
    let plain = Case { anomaly: None, marks: None, until: None, story: String::new(), ..case() };
    for case in [whole, plain] {
        assert_eq!(parsed(&case.text()), case, "{}", case.text());
        assert!(Case::is_one(&Source::new("", case.text())));
    }
    assert!(!Case::is_one(&Source::new("", SCENARIO)));
}

#[test]
fn neither_story_nor_marks_weigh_anything() {
    let whole = case();
    let bare = Case { story: String::new(), marks: None, ..case() };
    let end = ",\n)\n".len() - ",".len();
    assert_eq!(Case::weight(&whole.text()), Case::weight(&bare.text()) - end);
}

#[test]
fn a_scenario_that_enables_something_has_a_case_that_reads() {
    let experiment = experiment(&format!("#![enable(implicit_some)]\n{SCENARIO}"));
    let outcome = experiment.run(3, None, false);
    let case = Case::of(&experiment, None, &outcome.run);
    let again = self::experiment(&parsed(&case.text()).source.text);
    assert_eq!(again.scenario, experiment.scenario);
    assert_eq!(again.run(3, None, false).run.fingerprint, case.fingerprint);
}

#[test]
fn a_case_of_an_older_version_still_reads() {
    let fingerprint = Digest(0x8c1e);
    let text = format!(
        "// A case of toy.ron.\nCase(\n    version: \"0.1.0\",\n    seed: 9,\n    until: Some(\"400ms\"),\n    \
         fingerprint: \"{fingerprint}\",\n    scenario: {},\n)\n",
        SCENARIO.split_once('\n').map_or("", |(_, value)| value),
    );
    let case = parsed(&text);
    assert_eq!((case.seed, case.fingerprint, case.marks, case.anomaly), (9, fingerprint, None, None));
    assert!(case.source.text.contains("\n    cluster: (size: 3),\n"), "{}", case.source.text);
}

#[test]
fn a_mistake_is_shown_where_it_is_behind_letters_of_several_bytes() {
    let text = "Case(version: \"ééé€\", seed: none, fingerprint: \"00\")";
    let report = Case::parse(&Source::new("toy.ron", text)).expect_err("`none` is no seed");
    let at = report.diagnostics[0].span.clone().expect("it is somewhere");
    assert!(text[at.start..].trim_start().starts_with("none"), "{}", &text[at.start..]);
}

#[test]
fn a_mistake_in_the_scenario_is_shown_where_it_stands_in_the_file() {
    let whole = case().text();
    assert!(whole.contains("\n        cluster: (size: 3),\n"), "{whole}");
    let text = whole.replace("        cluster: (size: 3),\n", "        cluster: (size: 3),\n        sede: 4,\n");
    let file = Source::new("toy.ron", text.as_str());
    let refused = Experiment::prepare(&parsed(&text).source, &Catalog::standard()).err().expect("nothing is called so");
    let report = Case::in_file(&file, refused);
    let at = report.diagnostics[0].span.clone().expect("it is somewhere");
    assert_eq!((&text[at], report.place(&report.diagnostics[0]).column), ("sede", 9), "{report}");
    assert!(report.to_string().contains("sede: 4,"), "{report}");
}

#[test]
fn a_fingerprint_with_a_digit_missing_is_refused() {
    let text = case().text();
    let whole = case().fingerprint.to_string();
    for digits in ["", "0cbe", &whole[1..], &format!("{whole}0"), &format!("+{}", &whole[1..])] {
        let text = text.replace(&whole, digits);
        let report = Case::parse(&Source::new("toy.ron", text.as_str())).expect_err("it is not whole");
        let [mistake] = report.diagnostics.as_slice() else { panic!("{report}") };
        assert_eq!(mistake.message, "this is not a case: a fingerprint has 32 hexadecimal digits");
        assert_eq!(text[mistake.span.clone().expect("it is somewhere")], format!("\"{digits}\""));
    }
}

#[test]
fn a_run_that_leaves_the_path_is_caught_between_two_marks() {
    let case = case();
    let marks = case.marks.expect("a case has marks");
    let same = experiment(SCENARIO);
    let other =
        experiment(&SCENARIO.replace("run: \"500ms\"", "faults: [At(\"200ms\", Kill(\"n2\"))], run: \"500ms\""));
    let begin = |experiment: &Experiment, trace| experiment.begin(3, trace);

    let parting = marks.parting(u64::MAX, |trace| begin(&other, trace));
    assert_eq!(parting.before, Some(parting.after + marks.every));
    let told: Vec<String> = parting.lines.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains("kill n2")), "{told:#?}");

    let none = marks.parting(u64::MAX, |trace| begin(&same, trace));
    let passed = marks.every * marks.digests.len() as u64;
    assert_eq!((none.after, none.before), (passed, None));
    let broken_off = marks.parting(parting.after + 1, |trace| begin(&other, trace));
    assert_eq!((broken_off.after, broken_off.before), (parting.after, Some(parting.after + 1)));
}

#[test]
fn marks_that_repeat_are_written_once_and_the_older_form_still_reads() {
    let case = case();
    let marks = case.marks.clone().expect("a case has marks");
    assert!(case.text().contains('*'), "{}", case.text());
    let words = |marks: &[u32]| marks.iter().map(|mark| format!("{mark:08x}")).collect::<Vec<_>>().join(" ");
    let (before, _) = case.text().split_once("    marks: ").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("marks");
    let with = |digests: &str| format!("{before}    marks: (every: {}, digests: [\"{digests}\"]),\n)\n", marks.every);
    assert_eq!(parsed(&with(&words(&marks.digests))), case);
    for refused in ["0000000a*0", "0000000a*257", "0000000a*200 0000000b*57", "*3", "0000000a*"] {
        assert!(Case::parse(&Source::new("toy.ron", with(refused))).is_err(), "{refused}");
    }
}
