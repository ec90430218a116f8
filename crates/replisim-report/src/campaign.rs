//! A campaign that is kept: on one screen, what fails first, the smallest case of each cause, what was run below it; and as
//! data, for a program to read.

use std::time::Duration;

use replisim_history::words::printable;
use replisim_history::{Check, DivergenceInfo, Replay};
use replisim_kernel::Span;
use serde::{Serialize, Serializer};

use crate::json::SCHEMA_VERSION;

use crate::table::{Align, Cell, Table};
use crate::{Page, number, survey};

/// A campaign, counted.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Campaign {
    /// What it is known by.
    pub digest: String,
    /// The version of replisim that ran it.
    pub version: String,
    /// Its settings.
    pub settings: String,
    /// How many runs it is to have, if that is bounded and known.
    pub ordered: Option<u64>,
    /// What was run, in the manifest's order.
    pub subjects: Vec<SubjectRuns>,
    /// What failed, the smallest case first.
    #[serde(rename = "failures")]
    pub causes: Vec<Cause>,
    /// The command that writes every case into a file of its own.
    #[serde(skip)]
    pub export: String,
}

/// A subject of a campaign, counted.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SubjectRuns {
    /// Its name.
    pub name: String,
    /// How many runs.
    pub runs: u64,
    /// How many of them failed.
    #[serde(rename = "failing")]
    pub failed: u64,
    /// How many events they took.
    pub events: u64,
    /// How long they were together in simulated time.
    #[serde(rename = "simulated_ns", serialize_with = "nanos")]
    pub simulated: Duration,
    /// How many coverage cells were reached.
    pub cells: u64,
    /// How many runs one worker makes in a second, where they were timed.
    #[serde(skip)]
    pub per_second: Option<f64>,
    /// How many are what their seed stands for; the search made the others up.
    pub fresh: u64,
    /// At most this share of fresh runs fails, with a confidence of 95 %; `None` if some did, or if there are none.
    pub at_most: Option<f64>,
    /// Each check.
    pub checks: Vec<Counted>,
    /// How many runs came out otherwise when they were done again.
    pub differing: u64,
    /// The first of these.
    pub divergences: Vec<DivergenceInfo>,
}

/// A check of a subject: what became of it in how many runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Counted {
    /// Its name, which may be that of another version.
    pub check: String,
    /// It held, as promised or expected.
    pub kept: u64,
    /// It held, though nobody promised it.
    pub lucky: u64,
    /// It was violated, and nobody promised otherwise.
    pub anomalies: u64,
    /// It was violated against a promise or an expectation.
    pub broken: u64,
    /// It could not be decided.
    pub undecided: u64,
}

/// Failures of one shape.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cause {
    /// The check's name, which may be that of another version.
    pub check: String,
    /// The shape of the anomaly.
    pub kind: String,
    /// In which phase of the run.
    pub phase: String,
    /// Whether it counts; of several that its smallest case breaks, whether any does.
    pub status: Standing,
    /// What its smallest case breaks besides.
    pub also: Vec<Cause>,
    /// The name of the subject.
    pub subject: String,
    /// In how many runs.
    pub runs: u64,
    /// Of how many.
    pub of: u64,
    /// How many faults its smallest case holds.
    pub faults: u32,
    /// How many operations its smallest case holds.
    pub operations: u32,
    /// What its smallest case goes by; empty if this version cannot read it.
    pub id: String,
    /// How the smallest case is run again.
    #[serde(flatten)]
    pub replay: Replay,
}

/// What became of a failure, what counts first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It fails, as far as anybody knows.
    Failing,
    /// Its check held when it was run again.
    Fixed,
    /// It is not to be counted any more.
    Forgotten,
}

impl Campaign {
    /// How many runs there are, of all subjects.
    pub fn runs(&self) -> u64 {
        self.subjects.iter().map(|subject| subject.runs).fold(0, u64::saturating_add)
    }

    /// How many runs came out otherwise when they were done again, of all subjects.
    pub fn differing(&self) -> u64 {
        self.subjects.iter().map(|subject| subject.differing).sum()
    }

    /// What nothing is known of, in words: runs that were ordered and are not here, subjects that have not run, and checks
    /// that no run decided. As long as there is any, that nothing failed says little.
    pub fn wanting(&self) -> Vec<String> {
        let missing = self.ordered.filter(|ordered| self.runs() < *ordered);
        let missing =
            missing.map(|ordered| format!("{} are missing", number::tally(ordered - self.runs(), ordered, "runs")));
        let of_subjects = self.subjects.iter().flat_map(|subject| match subject.runs {
            0 => vec![format!("{} has not run", subject.name)],
            _ => subject
                .never_decided()
                .map(|check| format!("{}: no run decided “{}”", subject.name, in_words(check)))
                .collect(),
        });
        missing.into_iter().chain(of_subjects).collect()
    }
}

impl SubjectRuns {
    /// The checks that could not be decided in any run.
    fn never_decided(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().filter(|counted| counted.undecided == self.runs).map(|counted| counted.check.as_str())
    }
}

/// What a store comes to, besides its campaigns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Whole {
    /// How many failures it knows of that are run first in the next campaign.
    pub known: u64,
    /// How many of those are not fixed.
    pub not_fixed: u64,
    /// How many of the failures that it tells were forgotten since, and are not counted any more.
    pub forgotten: u64,
    /// What it comes to, by which two stores are told apart.
    pub digest: String,
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    version: &'a str,
    fine: bool,
    campaigns: Vec<Entry<'a>>,
    #[serde(flatten)]
    whole: &'a Whole,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    campaign: &'a Campaign,
    runs: u64,
    wanting: Vec<String>,
}

/// Whether nothing fails in a store, nothing differs, and nothing is missing.
pub fn is_fine(campaigns: &[Campaign], whole: &Whole) -> bool {
    whole.not_fixed == 0 && campaigns.iter().all(|campaign| campaign.wanting().is_empty() && campaign.differing() == 0)
}

/// A store as one JSON document. Nothing here is taken from the wall clock.
pub fn json(campaigns: &[Campaign], whole: &Whole) -> String {
    let entry = |campaign| Entry { campaign, runs: campaign.runs(), wanting: campaign.wanting() };
    let document = Document {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        fine: is_fine(campaigns, whole),
        campaigns: campaigns.iter().map(entry).collect(),
        whole,
    };
    serde_json::to_string_pretty(&document).expect("plain data is JSON") + "\n"
}

/// Whole nanoseconds; nothing where they are more than 64 bits hold, as of many long runs together.
fn nanos<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    u64::try_from(time.as_nanos()).ok().serialize(serializer)
}

/// A check in words; a check of another version, by its name.
pub(crate) fn in_words(check: &str) -> &str {
    check.parse::<Check>().map_or(check, |check| check.in_words())
}

/// The whole screen, to its last line break.
pub fn screen(campaign: &Campaign, page: impl Into<Page>) -> String {
    let page = page.into();
    let sections = [
        heading(campaign, page),
        causes(campaign, page),
        divergences(campaign, page),
        subjects(campaign, page),
        checks(campaign, page),
        wanting(campaign, page),
    ];
    let mut screen = sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n");
    if !campaign.causes.is_empty() || campaign.differing() > 0 {
        screen.push_str(&format!("\ncases     {}\n", campaign.export));
    }
    screen
}

fn heading(campaign: &Campaign, page: Page) -> String {
    let Campaign { digest, version, settings, subjects, .. } = campaign;
    let (runs, events) = (campaign.runs(), subjects.iter().map(|it| it.events).fold(0, u64::saturating_add));
    let events = number::things(events, "event");
    let runs = match campaign.ordered.filter(|ordered| runs < *ordered) {
        Some(ordered) => format!("{} of {}", number::count(runs), number::things(ordered, "run")),
        None => number::things(runs, "run"),
    };
    let simulated = simulated(subjects.iter().fold(Duration::ZERO, |sum, it| sum.saturating_add(it.simulated)));
    let subjects = number::things(subjects.len() as u64, "subject");
    page.wrapped(&format!("campaign {digest} · replisim {version} · {settings}"), "")
        + &page.line(&format!("{subjects}, {runs}, {events}, {simulated} simulated"), "")
}

/// A length of time; in seconds where it is too long for a [`Span`], as of many long runs together.
fn simulated(time: Duration) -> String {
    let seconds = || format!("{} s", number::count(time.as_secs()));
    u64::try_from(time.as_nanos()).map_or_else(|_| seconds(), |nanos| number::span(Span::nanos(nanos)))
}

fn causes(campaign: &Campaign, page: Page) -> String {
    if campaign.causes.is_empty() {
        return String::new();
    }
    let count = |status| campaign.causes.iter().filter(|cause| cause.status == status).count() as u64;
    let distinct = match count(Standing::Failing) {
        0 => "no failure that counts".to_owned(),
        failing => number::things(failing, "distinct failure"),
    };
    let others = [(count(Standing::Fixed), "fixed"), (count(Standing::Forgotten), "forgotten")];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, word)| format!(", {} {word}", number::count(count))).collect();
    let heading = format!("{distinct} in {}{others}, smallest first", number::things(campaign.runs(), "run"));
    let mut causes: Vec<&Cause> = campaign.causes.iter().collect();
    causes.sort_by_key(|cause| cause.status);
    let told: String = causes.into_iter().map(|it| cause(it, page)).collect();
    format!("{}\n{told}", page.line(&heading, ""))
}

/// A failure in the words of the screen that `fuzz` ends with: what it is, how often, how small, and how to run it again.
fn cause(cause: &Cause, page: Page) -> String {
    let kind = if cause.kind.is_empty() { String::new() } else { format!(": {}", cause.kind) };
    let after = if cause.phase.is_empty() { String::new() } else { format!(", after “{}”", cause.phase) };
    let size = format!(
        "{} and {}",
        number::things(cause.operations.into(), "operation"),
        number::things(cause.faults.into(), "fault")
    );
    let head = page.wrapped(&format!("{}{kind}{after}", in_words(&cause.check)), "  ");
    let (head, standing) = match cause.status {
        Standing::Failing => (page.all_broken(&head), ""),
        Standing::Fixed => (head, "fixed: it held when it was run again"),
        Standing::Forgotten => (head, "forgotten: not counted"),
    };
    let standing = page.wrapped(standing, "      ");
    let often = format!("{}: {}; {size}", printable(&cause.subject), number::tally(cause.runs, cause.of, "runs"));
    let also = |it: &Cause| page.wrapped(&survey::also(in_words(&it.check), &it.kind, it.runs, cause.of), "      ");
    let also: String = cause.also.iter().map(also).collect();
    let replay = survey::replay(&cause.replay, "      ");
    format!("{head}{standing}{}{also}{replay}", page.wrapped(&often, "      "))
}

/// What came out otherwise when it was done again, by subject.
fn divergences(campaign: &Campaign, page: Page) -> String {
    let differing = campaign.subjects.iter().filter(|subject| subject.differing > 0);
    differing
        .map(|subject| {
            format!("{}\n{}", printable(&subject.name), survey::parted(&subject.divergences, subject.differing, page))
        })
        .collect()
}

fn subjects(campaign: &Campaign, page: Page) -> String {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right]);
    for subject in &campaign.subjects {
        let rate = subject.per_second.map(|rate| format!("{}/s a worker", number::rate(rate))).unwrap_or_default();
        let (runs, cells) = (number::things(subject.runs, "run"), number::things(subject.cells, "cell"));
        table.row([printable(&subject.name), runs, rate, cells].map(Cell::from));
        let outcome = match subject {
            SubjectRuns { runs: 0, .. } => continue,
            SubjectRuns { failed: 0, .. } => page.line(&clean(subject), "      "),
            _ => page.all_broken(
                &page.line(&format!("{} failed", number::tally(subject.failed, subject.runs, "runs")), "      "),
            ),
        };
        table.under(outcome);
    }
    table.print(2, page.style)
}

/// What can be said of a subject of which no run failed.
fn clean(subject: &SubjectRuns) -> String {
    let fresh = if subject.fresh == subject.runs { "" } else { "fresh ones " };
    match subject.at_most.and_then(number::at_most) {
        None => "no run failed, of too few to say more".to_owned(),
        Some(few) => format!("no run failed; at most {few} {fresh}does (95 %)"),
    }
}

fn wanting(campaign: &Campaign, page: Page) -> String {
    campaign.wanting().iter().map(|it| page.all_broken(&page.wrapped(&printable(it), ""))).collect()
}

fn checks(campaign: &Campaign, page: Page) -> String {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Right]);
    for subject in &campaign.subjects {
        if subject.checks.is_empty() || subject.runs == 0 {
            continue;
        }
        table.row([&printable(&subject.name), "holds", "broken", "allowed", "undecided"].map(Cell::from));
        for Counted { check, kept, lucky, anomalies, broken, undecided } in &subject.checks {
            let amiss = |runs| Cell::broken_if(runs > 0, number::count(runs));
            let fine = |runs| Cell::from(number::count(runs));
            let check = Cell::from(format!("  {}", in_words(check)));
            table.row([check, fine(kept + lucky), amiss(*broken), fine(*anomalies), amiss(*undecided)]);
        }
    }
    table.print(2, page.style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Style;
    use crate::section::WIDTH;

    fn campaign() -> Campaign {
        let subject = |name: &str, failed| SubjectRuns {
            name: name.to_owned(),
            runs: 92_110,
            failed,
            events: 950_000_000,
            simulated: Duration::from_secs(921_100),
            cells: 206,
            per_second: (failed == 0).then_some(3_070.0),
            fresh: 23_028,
            at_most: (failed == 0).then_some(3.25e-5),
            checks: vec![Counted {
                check: "NoLostWrites".to_owned(),
                kept: 92_110 - failed,
                lucky: 0,
                anomalies: 0,
                broken: failed,
                undecided: 0,
            }],
            differing: 0,
            divergences: Vec::new(),
        };
        let cause = |check: &str, kind: &str, runs, also| Cause {
            check: check.to_owned(),
            kind: kind.to_owned(),
            phase: "heal".to_owned(),
            status: Standing::Failing,
            also,
            subject: "lost_write".to_owned(),
            runs,
            of: 92_110,
            faults: 1,
            operations: 5,
            id: "a1f30000".to_owned(),
            replay: Replay::Command("replisim replay cases/a1f30000.ron".to_owned()),
        };
        let also = cause("ReadYourWrites", "older than own write", 7, Vec::new());
        Campaign {
            digest: "8c1e52d0".to_owned(),
            version: "0.1.0".to_owned(),
            settings: "lots of 64".to_owned(),
            ordered: Some(200_000),
            subjects: vec![subject("lost_write", 40), subject("split_brain", 0)],
            causes: vec![cause("NoLostWrites", "write vanished", 40, vec![also])],
            export: "replisim campaign export a.store --cases cases".to_owned(),
        }
    }

    #[test]
    fn failures_come_first_and_what_is_clean_has_its_bound() {
        insta::assert_snapshot!(screen(&campaign(), Style::Plain), @r"
        campaign 8c1e52d0 · replisim 0.1.0 · lots of 64
        2 subjects, 184,220 of 200,000 runs, 1,900,000,000 events, 1,842,200 s simulated

        1 distinct failure in 184,220 runs, smallest first

          no acknowledged write lost: write vanished, after “heal”
              lost_write: 40 of 92,110 runs; 5 operations and 1 fault
              the same run breaks “read your writes”: older than own write (7 of 92,110 runs)
              replisim replay cases/a1f30000.ron

          lost_write   92,110 runs                    206 cells
              40 of 92,110 runs failed
          split_brain  92,110 runs  3,070/s a worker  206 cells
              no run failed; at most 1 in 30,000 fresh ones does (95 %)

          lost_write                     holds  broken  allowed  undecided
            no acknowledged write lost  92,070      40        0          0
          split_brain                    holds  broken  allowed  undecided
            no acknowledged write lost  92,110       0        0          0

        15,780 of 200,000 runs are missing

        cases     replisim campaign export a.store --cases cases
        ");
    }

    #[test]
    fn what_does_not_count_comes_last_without_the_accent() {
        let mut campaign = campaign();
        let failing = campaign.causes[0].clone();
        for (status, kind) in [(Standing::Forgotten, "old"), (Standing::Fixed, "mended")] {
            campaign.causes.insert(0, Cause { status, kind: kind.to_owned(), also: Vec::new(), ..failing.clone() });
        }
        let told = causes(&campaign, Style::Colour.into());
        let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with("       ")).collect();
        assert_eq!(lines[0], "1 distinct failure in 184,220 runs, 1 fixed, 1 forgotten, smallest first");
        let heads = lines[1..].iter().filter(|line| line.contains("no acknowledged write lost"));
        let heads: Vec<_> =
            heads.map(|line| (line.contains('\u{1b}'), line.split(", after").next().unwrap())).collect();
        assert_eq!(heads.iter().map(|(red, _)| *red).collect::<Vec<_>>(), [true, false, false], "{told}");
        assert!(heads[1].1.ends_with(": mended") && heads[2].1.ends_with(": old"), "{told}");
        assert_eq!([told.matches("fixed: ").count(), told.matches("forgotten: ").count()], [1, 1], "{told}");
        campaign.causes.retain(|cause| cause.status == Standing::Forgotten);
        let told = causes(&campaign, Style::Plain.into());
        assert!(told.starts_with("no failure that counts in 184,220 runs, 1 forgotten, smallest first\n"), "{told}");
    }

    #[test]
    fn millennia_are_counted_in_seconds() {
        assert_eq!(simulated(Duration::from_millis(1_500)), "1.5 s");
        assert_eq!(simulated(Duration::from_secs(100_000_000_000)), "100,000,000,000 s");
    }

    #[test]
    fn no_line_is_longer_than_a_hundred_columns() {
        let mut campaign = campaign();
        let name = format!("scenarios/{}.ron", "long_name_".repeat(3));
        campaign.subjects.iter_mut().for_each(|subject| subject.name.clone_from(&name));
        campaign.causes[0].subject = name;
        campaign.causes[0].kind = "a value that nobody wrote was read ".repeat(4);
        let screen = screen(&campaign, Style::Plain);
        assert!(screen.lines().all(|line| line.chars().count() <= WIDTH), "{screen}");
    }

    #[test]
    fn prose_is_no_wider_than_the_page() {
        let screen = screen(&campaign(), Page { style: Style::Plain, width: 32 });
        // Commands, and the rows of tables.
        let stands = |line: &&str| line.contains("replisim ") || line.trim().contains("  ");
        let wide: Vec<&str> = screen.lines().filter(|line| line.chars().count() > 32 && !stands(line)).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }

    #[test]
    fn a_terminal_obeys_no_name() {
        let mut campaign = campaign();
        let name = "it\u{1b}[2J.ron".to_owned();
        campaign.subjects.iter_mut().for_each(|subject| (subject.name, subject.runs) = (name.clone(), 0));
        (campaign.subjects[0].runs, campaign.subjects[0].differing) = (92_110, 1);
        campaign.causes[0].subject = name;
        let screen = screen(&campaign, Style::Plain);
        assert!(!screen.contains('\u{1b}'), "{screen}");
        assert_eq!(screen.matches("it\\u{1b}[2J.ron").count(), 6, "{screen}");
    }

    #[test]
    fn too_few_runs_say_nothing() {
        let clean = |at_most| clean(&SubjectRuns { at_most, ..campaign().subjects.remove(0) });
        assert_eq!(clean(Some(0.95)), "no run failed, of too few to say more");
        assert_eq!(clean(None), "no run failed, of too few to say more");
        let all_fresh = SubjectRuns { at_most: Some(0.001), fresh: 92_110, ..campaign().subjects.remove(1) };
        assert_eq!(super::clean(&all_fresh), "no run failed; at most 1 in 1,000 does (95 %)");
    }
}
