use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::ControlFlow;

use super::*;
use crate::Catalog;
use crate::scenario::Source;

const SMALL: &str = r#"Scenario(
    cluster: (size: 3),
    protocol: LeaderFollower(),
    clients: [(sessions: 3, arrive: Every("20ms"), reads: Any)],
    run: "1s",
    swarm: (longest: "500ms", knobs: { "clients[0].sessions": ["2", "4"], "cluster.size": ["2", "3"] }),
)"#;

/// A ledger that remembers everything, in order.
#[derive(Default)]
struct Notebook {
    runs: BTreeMap<Place, (AttemptResult, usize)>,
    recalled: u64,
}

impl Ledger for Notebook {
    fn recall(&mut self, place: Place) -> Option<AttemptResult> {
        let known = self.runs.get(&place).map(|(result, _)| result.clone());
        self.recalled += u64::from(known.is_some());
        known
    }

    fn record(&mut self, place: Place, run: &CampaignRun, new: &[replisim_history::Cell]) {
        self.runs.insert(place, (run.result.clone(), new.len()));
    }
}

fn orders(runs: u64, jobs: usize) -> Orders {
    Orders { jobs: NonZero::new(jobs).expect("a worker"), ..Orders::of(runs) }
}

fn run(orders: &Orders, notebook: &mut Notebook, until: u64) -> Vec<Tally> {
    let catalog = Catalog::standard();
    let source = Source::new("small.ron".to_owned(), SMALL.to_owned());
    let subjects = [Subject::prepare(&source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))];
    let mut watch = |tallies: &[Tally]| match tallies[0].runs {
        runs if runs >= until => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    run_campaign(&subjects, orders, notebook, &mut watch)
}

#[test]
fn the_number_of_workers_shows_nowhere() {
    let (mut one, mut four) = (Notebook::default(), Notebook::default());
    let tallies = [run(&orders(400, 1), &mut one, 400), run(&orders(400, 4), &mut four, 400)];
    assert_eq!(one.runs, four.runs);
    assert_eq!(tallies[0][0].cells, tallies[1][0].cells);
    assert_eq!(tallies[0][0].runs, 400);
    assert_eq!(tallies[0][0].twice, tallies[1][0].twice);
    assert!(tallies[0][0].fresh < 400, "three of four attempts are made up");
    assert!(tallies[0][0].twice > 0 && tallies[0][0].differing == 0);
}

/// Stops at the first failure, as `--fail-fast` does.
fn until_one_fails(jobs: usize) -> Notebook {
    let catalog = Catalog::standard();
    let failing = SMALL.replace("run:", "checks: [ReadYourWrites], expect: { ReadYourWrites: Holds }, run:");
    let source = Source::new("failing.ron".to_owned(), failing);
    let subject = Subject::prepare(&source, &catalog);
    let subjects = [subject.unwrap_or_else(|report| panic!("{}", report.render(false)))];
    let mut watch = |tallies: &[Tally]| match tallies[0].failing {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let mut notebook = Notebook::default();
    run_campaign(&subjects, &orders(4_000, jobs), &mut notebook, &mut watch);
    notebook
}

#[test]
fn what_the_first_failure_is_does_not_depend_on_the_number_of_workers() {
    let (one, three) = (until_one_fails(1), until_one_fails(3));
    let failed = one.runs.values().filter(|(result, _)| result.failed()).count();
    assert_eq!((failed, one.runs.len() < 4_000), (1, true));
    assert_eq!(one.runs, three.runs);
}

#[test]
fn an_expected_violation_that_never_came_is_told() {
    let catalog = Catalog::standard();
    let checks =
        "checks: [Convergence, ReadYourWrites], expect: { Convergence: Violated, ReadYourWrites: Violated }, run:";
    let source = Source::new("small.ron".to_owned(), SMALL.replace("run:", checks));
    let subject = Subject::prepare(&source, &catalog);
    let subjects = [subject.unwrap_or_else(|report| panic!("{}", report.render(false)))];
    let tallies = run_campaign(&subjects, &orders(60, 2), &mut NoLedger, &mut |_| ControlFlow::Continue(()));
    let survey = survey(&subjects, &tallies, 1);
    assert_eq!(survey.subjects[0].never_violated, [replisim_history::Check::Convergence]);
}

#[test]
fn a_scenario_that_is_given_a_swarm_says_so_in_its_text() {
    let catalog = Catalog::standard();
    let text = "Scenario(cluster: (size: 3), protocol: LeaderFollower(), expect: { NoLostWrites: Violated })";
    let source = Source::new("small.ron".to_owned(), text.to_owned());
    let prepare = |source: &Source| {
        Subject::prepare(source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))
    };
    let given = prepare(&Subject::with_swarm(&source, &catalog).expect("it has room for one"));
    let again = prepare(&given.base().source);
    for subject in [&given, &again] {
        assert!(subject.swarm().is_some(), "{}", subject.base().source.text);
        assert!(subject.base().scenario.expect.is_empty(), "that was not said of a swarm's faults");
    }
    let written = Source::new("small.ron".to_owned(), text.replace(", expect", ", swarm: (), expect"));
    let written = prepare(&Subject::with_swarm(&written, &catalog).expect("it has one"));
    assert_eq!(written.base().scenario.expect.len(), 1, "here it was");
}

#[test]
fn of_many_runs_that_differ_the_first_places_are_kept() {
    let catalog = Catalog::standard();
    let source = Source::new("small.ron".to_owned(), SMALL.to_owned());
    let subject = Subject::prepare(&source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let attempt = std::sync::Arc::new(Attempt::fresh(&subject, 1));
    let place = |number: u32| Place { subject: 0, lot: number / 10, place: number % 10 };
    let mut tally = Tally::default();
    for number in 0..97 {
        let (one, other) = ("this".to_owned(), "that".to_owned());
        let divergence = Divergence { attempt: attempt.clone(), event: number.into(), one, other, remembered: false };
        tally.add_twice(place(number), Some(divergence));
    }
    let kept: Vec<_> = tally.divergences.iter().map(|(place, kept)| (*place, kept.event)).collect();
    let first: Vec<_> = (0..DIVERGENCES_MAX as u32).map(|number| (place(number), u64::from(number))).collect();
    assert_eq!((tally.twice, tally.differing, kept), (97, 97, first));
}

/// As after a change of the code: what the store remembers comes out otherwise, and yet the same each time.
#[test]
fn what_differs_from_what_is_remembered_need_not_draw_on_hidden_chance() {
    let mut notebook = Notebook::default();
    run(&orders(300, 3), &mut notebook, 300);
    for (result, _) in notebook.runs.values_mut() {
        result.fingerprint = replisim_kernel::Digest(!result.fingerprint.0);
    }
    let again = run(&orders(300, 3), &mut notebook, 300);
    assert!(again[0].differing > 0);
    assert!(again[0].divergences.values().all(|it| it.remembered));
}

#[test]
fn what_was_broken_off_goes_on_as_if_it_had_not_been() {
    let (mut whole, mut resumed) = (Notebook::default(), Notebook::default());
    run(&orders(300, 3), &mut whole, 300);
    let before = run(&orders(300, 3), &mut resumed, 120);
    assert!((120..300).contains(&before[0].runs));
    let after = run(&orders(300, 2), &mut resumed, 300);
    assert_eq!(resumed.recalled, before[0].runs);
    assert_eq!(after[0].runs, 300);
    assert_eq!(whole.runs, resumed.runs);
}

#[test]
fn whenever_it_is_broken_off_all_subjects_have_had_their_turn() {
    let catalog = Catalog::standard();
    let subject = |name: &str| {
        let source = Source::new(name.to_owned(), SMALL.to_owned());
        Subject::prepare(&source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))
    };
    let subjects = ["a.ron", "b.ron", "c.ron", "d.ron"].map(subject);
    let mut watch = |tallies: &[Tally]| match tallies.iter().map(|tally| tally.runs).sum::<u64>() {
        runs if runs >= 40 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let whatever_time_allows = Orders { runs: None, ..orders(0, 1) };
    let tallies = run_campaign(&subjects, &whatever_time_allows, &mut NoLedger, &mut watch);
    assert!(tallies.iter().all(|tally| (9..=12).contains(&tally.runs)), "{tallies:?}");
}

#[test]
fn shares_of_a_campaign_make_up_the_whole() {
    let runs = u64::from(LOT_RUNS) + 100;
    let mut short = orders(runs, 4);
    short.guided = false;
    let mut whole = Notebook::default();
    run(&short, &mut whole, runs);
    let mut shared = Notebook::default();
    for shard in [1, 0] {
        let share = Share { shard, of: 2 };
        run(&Orders { share, ..short.clone() }, &mut shared, runs);
    }
    assert_eq!(whole.runs.len() as u64, runs);
    assert_eq!(whole.runs, shared.runs);
}

#[test]
fn a_seed_has_the_same_run_in_a_campaign_as_alone() {
    let catalog = Catalog::standard();
    let source = Source::new("small.ron".to_owned(), SMALL.to_owned());
    let subject = Subject::prepare(&source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let prepare =
        || crate::Experiment::prepare(&source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let mut sizes = std::collections::BTreeSet::new();
    for seed in 1..20 {
        let result = Attempt::fresh(&subject, seed).run();
        let alone = turned(prepare(), seed, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)));
        sizes.insert((alone.scenario.cluster.size, alone.scenario.clients[0].sessions));
        assert_eq!(result.fingerprint, alone.run(seed, None, false).run.fingerprint, "seed {seed}");
    }
    assert_eq!(sizes.len(), 4, "every knob is turned");
}

#[test]
fn a_knob_that_cannot_be_turned_is_refused() {
    let catalog = Catalog::standard();
    let refused = |knobs: &str| {
        let text = format!("Scenario(cluster: (size: 3), protocol: LeaderFollower(), swarm: (knobs: {knobs}))");
        let source = Source::new("small.ron".to_owned(), text);
        Subject::prepare(&source, &catalog).err().map(|report| report.render(false)).unwrap_or_default()
    };
    assert!(
        refused(r#"{ "cluster.size": ["0"] }"#)
            .contains("error[S025]: the knob `cluster.size` cannot be turned to `0`")
    );
    let second = refused(r#"{ "protocol.progress": ["Flushed", "flushed"] }"#);
    assert!(
        second.contains("progress\": [\"Flushed\", \"flushed\"]") && second.contains("did you mean `Flushed`?"),
        "{second}"
    );
    let marked = second.lines().find_map(|line| line.find('━')).expect("something is marked");
    let value = second.lines().find_map(|line| line.find("\"flushed\"")).expect("it is shown");
    assert_eq!(marked, value, "the value alone is marked: {second}");
    assert!(refused(r#"{ "no.such": ["1"] }"#).contains("S025"));
    assert!(refused(r#"{ "run": [] }"#).contains("has no values"));
    assert!(refused(r#"{ "seed": ["1", "2"] }"#).contains("each run has a seed of its own"));
    let many = format!("{{ \"run\": [{}] }}", r#""1s", "#.repeat(257));
    assert!(refused(&many).contains("has 257 values, and no more than 256 are drawn from"));
    let checks = r#"{ "checks": ["[Convergence]", "[NoLostWrites]"] }"#;
    assert!(refused(checks).contains("all positions make the same checks"));
    assert_eq!(refused(r#"{ "run": ["1s", "2s"] }"#), "");
}
