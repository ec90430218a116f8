//! The screen that `fuzz` ends with.

use replisim_history::words::printable;
use replisim_history::{CheckTally, DivergenceInfo, FailureGroup, KnownFailure, Replay, SubjectSurvey, Survey};

use super::known::{self, KnownKind};
use crate::campaign::in_words;
use crate::{Page, number};

/// How many failures of a subject are told, unless more were shrunk: one cause probably shows in many shapes.
const FAILURES_MAX: usize = 8;

/// How many knobs of a failure are told that was not shrunk: nobody knows which of them matter.
const KNOBS_MAX: usize = 4;

/// Why a scenario had no run.
pub(super) const WHY_NEVER_RUN: &str = "the campaign was over before its turn";

/// How much was done, and how long that took.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pace {
    /// How many runs were done: not those that were only remembered.
    pub runs: u64,
    /// Their events.
    pub events: u64,
    /// Seconds of the wall clock.
    pub seconds: f64,
}

/// The whole screen, to its last line break. `rest` says where the failures are told that it has no room for.
pub fn screen(survey: &Survey, pace: Option<Pace>, rest: &str, page: impl Into<Page>) -> String {
    let page = page.into();
    let mut text = known(&survey.known, page) + &heading(survey, pace, page);
    let several = survey.subjects.len() > 1;
    for subject in survey.subjects.iter().filter(|subject| subject.runs > 0 && !(several && is_quiet(subject))) {
        text += &section(subject, rest, page);
    }
    let never: Vec<String> = survey.subjects.iter().filter(|it| it.runs == 0).map(|it| printable(&it.name)).collect();
    if !never.is_empty() {
        text += &format!("\n{}", page.wrapped(&format!("never run, for {WHY_NEVER_RUN}: {}", never.join(", ")), ""));
    }
    let quiet = survey.subjects.iter().filter(|subject| is_quiet(subject)).count();
    if several && quiet > 0 {
        text += &format!("\n{} with nothing to report\n", number::things(quiet as u64, "subject"));
    }
    text + "\n" + &bound(survey, page)
}

/// Each plan of which two runs differed, with the first event at which they did; nothing if there is none.
pub fn divergences(survey: &Survey, page: impl Into<Page>) -> String {
    let page = page.into();
    let divergences = survey.subjects.iter().flat_map(|subject| &subject.divergences);
    divergences.map(|divergence| diverged(divergence, page)).collect()
}

/// What became of the failures of earlier campaigns: what is fixed, then what still fails, with a command.
fn known(known: &[KnownFailure], page: Page) -> String {
    let kinds = known::kinds(known);
    let told = |word: &str, kind: &KnownKind, cases: String| {
        let indent = " ".repeat(word.len() + 2);
        let what = format!("{}: {}: {} ({cases})", printable(kind.subject), in_words(kind.check), kind.kind);
        page.line(&what, &indent).split_off(word.len())
    };
    let mut text = String::new();
    for kind in kinds.iter().filter(|kind| !kind.fixed.is_empty()) {
        text += &format!("fixed{}", told("fixed", kind, number::things(kind.fixed.len() as u64, "case")));
    }
    for kind in kinds.iter().filter(|kind| !kind.failing.is_empty()) {
        text += &page.broken(kind.word());
        text += &told(kind.word(), kind, kind.cases(kind.failing.len()));
        text += &kind.replays().next().map(|it| replay(it, "      ")).unwrap_or_default();
    }
    if text.is_empty() { text } else { text + "\n" }
}

/// Whether there is nothing to tell of a subject but that it was run.
fn is_quiet(subject: &SubjectSurvey) -> bool {
    subject.is_fine() && subject.never_violated.is_empty() && subject.checks.iter().all(|check| check.anomalies == 0)
}

fn heading(survey: &Survey, pace: Option<Pace>, page: Page) -> String {
    let (runs, failures) = (survey.runs(), survey.failures() as u64);
    let what = match failures {
        0 if troubles(survey).is_empty() => "no promise was broken".to_owned(),
        0 => page.broken("nothing new failed").into_owned(),
        _ => page.broken(&number::things(failures, "distinct failure")).into_owned(),
    };
    let kept = pace.map_or(0, |pace| runs - pace.runs);
    let kept = if kept == 0 { String::new() } else { format!(", {} of them kept from before", number::count(kept)) };
    let speed = pace.filter(|pace| pace.seconds > 0.0 && pace.runs > 0).map_or_else(String::new, |pace| {
        let rate = |count: u64| number::rate(count as f64 / pace.seconds);
        page.line(&format!("{} runs and {} events a second by all workers", rate(pace.runs), rate(pace.events)), "")
    });
    let but = match failures {
        0 if !troubles(survey).is_empty() => format!(", but {}", troubles(survey).join(" and ")),
        _ => String::new(),
    };
    let stopped = if survey.interrupted { ", broken off" } else { "" };
    let order = if failures > 1 { ", smallest first" } else { "" };
    let headline = format!("{what} in {}{kept}{but}{stopped}{order}", number::things(runs, "run"));
    page.wrapped(&headline, "") + &speed + &page.wrapped(&swarmless(survey), "")
}

/// That what was run draws no faults, as far as that is so: nobody is to take other seeds for a search.
fn swarmless(survey: &Survey) -> String {
    let all = survey.subjects.len() as u64;
    match survey.subjects.iter().filter(|subject| !subject.swarm).count() as u64 {
        0 => String::new(),
        without if without == all => "without a swarm, runs differ by seed alone: --swarm draws faults, too".to_owned(),
        without => {
            let of = number::tally(without, all, "subjects");
            format!("without a swarm, as in {of}, runs differ by seed alone: --swarm draws faults, too")
        }
    }
}

/// What is wrong with a campaign beside new failures.
fn troubles(survey: &Survey) -> Vec<&'static str> {
    let any = |ails: fn(&SubjectSurvey) -> bool| survey.subjects.iter().any(ails);
    let troubles = [
        (survey.known.iter().any(|known| !known.is_fixed()), "a known failure is not fixed"),
        (any(|subject| subject.differing > 0), "a run done twice was not the same"),
        (any(|subject| subject.runs == 0), "a scenario was never run"),
        (any(|subject| subject.never_decided().next().is_some()), "a check was never decided"),
    ];
    troubles.into_iter().filter(|(there, _)| *there).map(|(_, told)| told).collect()
}

fn section(subject: &SubjectSurvey, rest: &str, page: Page) -> String {
    let SubjectSurvey { system, seed_start, .. } = subject;
    let (name, runs) = (printable(&subject.name), number::things(subject.runs, "run"));
    let mut text = "\n".to_owned() + &page.line(&format!("{name} · {system} · {runs}, seeds from {seed_start}"), "");
    let (shown, more) = worth_telling(&subject.failures);
    for failure in shown {
        text += &told(failure, subject.runs, page);
    }
    if more > 0 {
        let more = number::things(more, "more failure");
        text += &page.line(&format!("and {more} left unshrunk: {rest}"), "  ");
    }
    text += &parted(&subject.divergences, subject.differing, page);
    text += &anomalies(subject, page);
    text + &undecided(subject, page) + &never(subject, page)
}

/// The checks that not every run decided.
fn undecided(subject: &SubjectSurvey, page: Page) -> String {
    let told = |check: &CheckTally| {
        let of = number::tally(check.undecided, subject.runs, "runs");
        let word = format!("“{}”", check.check.in_words());
        match check.decided() {
            0 => page.broken(&format!("{word} never decided")).into_owned(),
            _ => format!("{word} in {of}"),
        }
    };
    let checks: Vec<String> = subject.checks.iter().filter(|check| check.undecided > 0).map(told).collect();
    if checks.is_empty() { String::new() } else { page.wrapped(&format!("undecided: {}", checks.join(", ")), "  ") }
}

/// All that were shrunk, and of the others as many as leave a screen that is read; and how many more there are.
fn worth_telling(failures: &[FailureGroup]) -> (Vec<&FailureGroup>, u64) {
    let shrunk = failures.iter().filter(|failure| failure.operations.is_some()).count();
    let mut room = FAILURES_MAX.saturating_sub(shrunk);
    let mut is_shown = |failure: &&FailureGroup| {
        let shown = failure.operations.is_some() || room > 0;
        room -= usize::from(shown && failure.operations.is_none());
        shown
    };
    let shown: Vec<_> = failures.iter().filter(&mut is_shown).collect();
    let more = (failures.len() - shown.len()) as u64;
    (shown, more)
}

/// A failure: what it is, how often, how small, and how to run it again.
fn told(failure: &FailureGroup, runs: u64, page: Page) -> String {
    let after = if failure.phase.is_empty() { String::new() } else { format!(", after “{}”", failure.phase) };
    let head = format!("{}: {}{after}", failure.check.in_words(), failure.kind);
    let size = match failure.operations {
        Some(operations) => format!(
            "shrunk to {} and {}",
            number::things(u64::from(operations), "operation"),
            number::things(failure.faults.len() as u64, "fault")
        ),
        None => format!("{}, not shrunk", number::things(failure.faults.len() as u64, "fault")),
    };
    let often = page.line(&format!("{}; {size}", often(failure, runs)), "      ");
    // Not its seed: that stands for the run only where the plan is not one that the search made up.
    let mut text = page.all_broken(&page.line(&head, "  ")) + &often;
    text += &failure
        .also
        .iter()
        .map(|it| page.wrapped(&also(it.check.in_words(), &it.kind, it.runs, runs), "      "))
        .collect::<String>();
    text += &page.wrapped(&drawn(failure), "      ");
    text += &page.reflowed(&failure.story.join("\n"), "      ");
    text + &replay(&failure.replay, "      ")
}

/// In how many runs a failure was found, and how soon.
pub(super) fn often(failure: &FailureGroup, runs: u64) -> String {
    format!("{}, first in the {} run", number::tally(failure.runs, runs, "runs"), number::ordinal(failure.first))
}

/// The command that runs it again, or why there is none, in one line that can be copied.
pub(crate) fn replay(replay: &Replay, indent: &str) -> String {
    replay.told().map(|told| format!("{indent}{told}\n")).unwrap_or_default()
}

/// What a failure's case breaks besides.
pub(crate) fn also(check: &str, kind: &str, runs: u64, of: u64) -> String {
    format!("the same run breaks “{check}”: {kind} ({})", number::tally(runs, of, "runs"))
}

/// The knobs that are worth a look: those that shrinking has left, else the first few. JSON has them all.
fn drawn(failure: &FailureGroup) -> String {
    let count = failure.knobs.len();
    match &failure.knobs_left {
        Some(left) if left.is_empty() => String::new(),
        Some(left) => format!("of {}, left are {}", number::things(count as u64, "drawn setting"), left.join(", ")),
        None if count == 0 => String::new(),
        None if count <= KNOBS_MAX => format!("drawn: {}", failure.knobs.join(", ")),
        None => format!("drawn: {} and {} more", failure.knobs[..KNOBS_MAX].join(", "), count - KNOBS_MAX),
    }
}

/// The first of so many plans of which two runs differed.
pub(crate) fn parted(divergences: &[DivergenceInfo], differing: u64, page: Page) -> String {
    let mut text: String = divergences.iter().map(|divergence| diverged(divergence, page)).collect();
    let more = differing.saturating_sub(divergences.len() as u64);
    if more > 0 {
        text += &format!("  and {} more\n", number::count(more));
    }
    text
}

fn diverged(divergence: &DivergenceInfo, page: Page) -> String {
    // Not of one seed, which may have stood for another plan than the search's.
    let head = format!("{DIFFER}, first at event {}", number::count(divergence.event));
    let line = |line: &str| if line.is_empty() { "nothing: it had ended".to_owned() } else { line.to_owned() };
    format!(
        "{}      one    {}\n      other  {}\n{}{}",
        page.all_broken(&page.line(&head, "  ")),
        line(&divergence.one),
        line(&divergence.other),
        page.wrapped(&why(divergence), "      "),
        replay(&divergence.replay, "      ")
    )
}

/// What is wrong where a run done twice is not the same run. No seed is named: the search may have made the plan up.
pub(super) const DIFFER: &str = "two runs of one plan differ";

/// Why two runs differ that should be the same.
pub const HIDDEN_CHANCE: &str = "something in it draws on chance that the seed does not fix";

/// What two runs of one plan differ for.
pub(super) fn why(divergence: &DivergenceInfo) -> String {
    match divergence.remembered {
        true => format!(
            "one is what the store remembers: the code has changed since, and all is done anew without --resume; or \
             {HIDDEN_CHANCE}"
        ),
        false => HIDDEN_CHANCE.to_owned(),
    }
}

/// What is violated and was never promised. The search makes runs up to violate something, so that only fresh ones tell how
/// often that is.
fn anomalies(subject: &SubjectSurvey, page: Page) -> String {
    let (fresh, made_up): (Vec<_>, Vec<_>) =
        subject.checks.iter().filter(|check| check.anomalies > 0).partition(|check| check.fresh_violated > 0);
    let share = |check: &&CheckTally| {
        let share = number::percent(check.fresh_violated, check.fresh_decided);
        format!("“{}” {share}", check.check.in_words())
    };
    let count = |check: &&CheckTally| {
        let runs = number::tally(check.anomalies, check.decided(), "runs");
        format!("“{}” {runs}", check.check.in_words())
    };
    let told = |head: &str, checks: Vec<String>| match checks.is_empty() {
        true => String::new(),
        false => page.wrapped(&format!("not promised, and violated in {head}: {}", checks.join(", ")), "  "),
    };
    let runs = if subject.fresh < subject.runs { "fresh runs" } else { "runs" };
    told(runs, fresh.iter().map(share).collect())
        + &told("runs that the search made up", made_up.iter().map(count).collect())
}

/// What the campaign did not meet.
fn never(subject: &SubjectSurvey, page: Page) -> String {
    let mut parts = vec![format!("{} reached", number::things(subject.cells, "cell"))];
    if !subject.never_struck.is_empty() {
        parts.push(format!("never struck: {}", subject.never_struck.join(", ")));
    }
    if !subject.never_violated.is_empty() {
        let checks: Vec<&str> = subject.never_violated.iter().map(|check| check.in_words()).collect();
        parts.push(format!("expected violated, and never was: {}", checks.join(", ")));
    }
    if !subject.never_reached.is_empty() {
        parts.push(format!("never reached: {}", subject.never_reached.join("; ")));
    }
    page.wrapped(&parts.join(" · "), "  ")
}

/// What a clean campaign says about the runs that it did not make, and how many it made twice.
fn bound(survey: &Survey, page: Page) -> String {
    let twice: u64 = survey.subjects.iter().map(|subject| subject.twice).sum();
    let worst = survey.subjects.iter().map(|subject| subject.at_most).reduce(|one, other| Some(one?.max(other?)));
    let bound =
        worst.flatten().and_then(number::at_most).map(|few| page.line(&at_most(survey, &few), "")).unwrap_or_default();
    bound + &format!("{} done twice and compared\n", number::things(twice, "run"))
}

/// The bound itself. It follows from the fresh runs alone, for only these are drawn at random.
fn at_most(survey: &Survey, few: &str) -> String {
    let of = if survey.subjects.len() > 1 { " of any subject" } else { "" };
    let (runs, fresh) = (survey.runs(), survey.subjects.iter().map(|subject| subject.fresh).sum::<u64>());
    if fresh == runs {
        return format!("at most {few} runs{of} breaks a promise (95 %)");
    }
    let from = format!("{} of {} were fresh", number::count(fresh), number::things(runs, "run"));
    format!("at most {few} fresh runs{of} breaks a promise (95 %); {from}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Style;
    use crate::survey::sample;

    const REST: &str = "`replisim campaign show` has them";

    #[test]
    fn the_screen_of_a_campaign_that_found_something() {
        let pace = Pace { runs: 9_000, events: 18_000_000, seconds: 30.0 };
        insta::assert_snapshot!(screen(&sample::survey(), Some(pace), REST, Style::Plain));
    }

    #[test]
    fn the_first_line_says_what_is_wrong_though_nothing_new_failed() {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let has = |survey: &Survey, told: &str| words(&screen(survey, None, REST, Style::Plain)).contains(told);
        let mut survey = Survey { known: sample::survey().known, ..sample::clean() };
        assert!(has(&survey, "nothing new failed in 20,000 runs, but a known failure is not fixed"));
        survey.known.clear();
        survey.subjects[0].runs = 0;
        assert!(has(&survey, "nothing new failed in 10,000 runs, but a scenario was never run"));
        assert!(has(&survey, "never run, for the campaign was over before its turn: scenarios/one.ron"));
        survey.subjects[0].runs = 10_000;
        survey.subjects[0].differing = 1;
        survey.subjects[1].checks[0].undecided = 10_000;
        let both = "a run done twice was not the same and a check was never decided";
        assert!(has(&survey, &format!("nothing new failed in 20,000 runs, but {both}")));
    }

    #[test]
    fn who_draws_no_faults_is_told_once() {
        let told = |swarms: [bool; 2]| {
            let mut survey = sample::clean();
            survey.subjects.iter_mut().zip(swarms).for_each(|(subject, swarm)| subject.swarm = swarm);
            let screen = screen(&survey, None, REST, Style::Plain);
            let mut lines = screen.lines().filter(|line| line.contains("--swarm")).map(str::to_owned);
            (lines.next(), lines.next())
        };
        let seeds = "runs differ by seed alone: --swarm draws faults, too";
        assert_eq!(told([true, true]), (None, None));
        assert_eq!(told([false, false]), (Some(format!("without a swarm, {seeds}")), None));
        assert_eq!(told([true, false]), (Some(format!("without a swarm, as in 1 of 2 subjects, {seeds}")), None));
    }

    #[test]
    fn a_failure_tells_few_of_the_knobs_that_were_drawn() {
        let told = |count: usize, left: Option<&[&str]>| {
            let mut survey = sample::survey();
            let failure = &mut survey.subjects[0].failures[0];
            failure.knobs = (0..count).map(|knob| format!("k{knob}=1")).collect();
            failure.knobs_left = left.map(|left| left.iter().map(|knob| (*knob).to_owned()).collect());
            let screen = screen(&survey, None, REST, Style::Plain);
            screen.lines().find(|line| line.contains("drawn")).map(|line| line.trim().to_owned())
        };
        assert_eq!(told(30, Some(&["k7=1"])).as_deref(), Some("of 30 drawn settings, left are k7=1"));
        assert_eq!(told(30, Some(&[])), None);
        assert_eq!(told(4, None).as_deref(), Some("drawn: k0=1, k1=1, k2=1, k3=1"));
        assert_eq!(told(30, None).as_deref(), Some("drawn: k0=1, k1=1, k2=1, k3=1 and 26 more"));
        assert_eq!(told(0, None), None);
    }

    #[test]
    fn what_was_not_shrunk_is_told_as_long_as_the_screen_can_be_read() {
        let told = |shrunk: usize, others: usize| {
            let mut survey = sample::survey();
            let one = survey.subjects[0].failures.remove(0);
            let bare = FailureGroup { operations: None, ..one.clone() };
            survey.subjects[0].failures = [vec![one; shrunk], vec![bare; others]].concat();
            let screen = screen(&survey, None, REST, Style::Plain);
            let more = screen.lines().find(|line| line.starts_with("  and ") && line.contains(" left unshrunk: "));
            (screen.matches("; shrunk to").count(), screen.matches(", not shrunk").count(), more.map(str::to_owned))
        };
        let more = |told: &str| Some(format!("  and {told} left unshrunk: {REST}"));
        assert_eq!(told(7, 1), (7, 1, None));
        assert_eq!(told(7, 2), (7, 1, more("1 more failure")));
        assert_eq!(told(9, 1_200), (9, 0, more("1,200 more failures")));
        assert_eq!(told(0, 9), (0, 8, more("1 more failure")));
    }

    #[test]
    fn prose_is_no_wider_than_the_page() {
        for survey in [sample::survey(), sample::clean()] {
            let pace = Pace { runs: 9_000, events: 18_000_000, seconds: 30.0 };
            let screen = screen(&survey, Some(pace), REST, Page { style: Style::Plain, width: 45 });
            let stands = |line: &&str| line.trim().starts_with("replisim ") || line.trim().contains("   ");
            let wide: Vec<&str> = screen.lines().filter(|line| line.chars().count() > 45 && !stands(line)).collect();
            assert!(wide.is_empty(), "{wide:#?}");
        }
    }

    #[test]
    fn the_screen_of_a_clean_campaign() {
        insta::assert_snapshot!(screen(&sample::clean(), None, REST, Style::Plain));
    }
}
