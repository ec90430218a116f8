//! The story of a shrunk case: what broke, who saw it, what it takes, what was left out.

use std::collections::BTreeMap;

use replisim_history::words::{self, count, things};
use replisim_history::{Check, Names, Run};
use replisim_kernel::SimTime;

use super::needed::{Need, Piece, Without};
use super::search::{Search, Size};
use crate::Experiment;
use crate::case::Anomaly;

/// How wide a line of the story may be, in characters.
const WIDTH: usize = 116;

/// Up to which width things that are left stand in a column, in characters; what is wider sticks out.
const COLUMN_MAX: usize = 60;

/// In how many lines it is told what happened on the way.
const MILESTONES_MAX: usize = 8;

/// What it means that a check is violated, as the beginning of a sentence.
pub(super) const fn broken(check: Check) -> &'static str {
    match check {
        Check::NoLostWrites => "An acknowledged write is lost",
        Check::ReadYourWrites => "A session does not see what it wrote itself",
        Check::MonotonicReads => "A session sees something older than it has seen before",
        Check::MonotonicWrites => "A session's later write is seen without its earlier one",
        Check::WritesFollowReads => "A write is seen without what its author had read before it",
        Check::CausalOrder => "A reply is seen before its message",
        Check::FreshReads => "A read misses a write that was acknowledged before it began",
        Check::Convergence => "The replicas do not come to hold the same",
        Check::NoThinAirReads => "A read returns what was never written",
        Check::NoPanic => "A panic ends the run",
    }
}

/// What must break again, with the witness's lines as they are told.
pub(super) fn anomaly(search: &Search<'_>) -> Anomaly {
    let (witness, run) = (&search.best.witness, &search.best.run);
    Anomaly::of(search.check(), witness, run)
}

/// A paragraph in lines.
fn wrapped(text: &str) -> Vec<String> {
    words::wrapped(text, WIDTH)
}

/// The whole story.
pub(super) fn story(
    search: &Search<'_>,
    original: &Experiment,
    before: Size,
    settings: &[String],
    needed: &[Need],
) -> String {
    let anomaly = anomaly(search);
    let names = Names::of(&search.best.run);
    let mut lines = wrapped(&format!("{}: {}.", broken(anomaly.check), names.in_text(&anomaly.kind)));
    lines.extend(anomaly.lines.iter().map(|line| format!("  {line}")));
    lines.extend(needs(search, needed));
    lines.extend(on_the_way(&search.best.run));
    lines.extend(wrapped(&format!("Removed: {}.", removed(before, search.size()))));
    if !settings.is_empty() {
        lines.extend(wrapped(&format!("Settings: {}.", settings.join("; "))));
    }
    if search.ended_by.is_some() {
        lines.extend(wrapped(
            "The search was ended before it had tried everything: there may be a smaller case, which the command `shrink` \
             looks for in this one.",
        ));
    }
    lines.extend(wrapped(&format!("Shrunk from {} in {}.", original.source.name, things(search.runs, "run"))));
    lines.join("\n")
}

/// What a person would tell of the run besides: who was promoted, what was thrown away or refused, and since when. What a
/// node says again and again is told once.
fn on_the_way(run: &Run) -> Vec<String> {
    let names = Names::of(run);
    let mut told: Vec<(SimTime, [String; 2], u64)> = Vec::new();
    for milestone in &run.milestones {
        let who = milestone.node.map_or_else(String::new, |node| names.node(node));
        let said = [who, names.in_text(&milestone.text)];
        match told.iter_mut().find(|(_, other, _)| *other == said) {
            Some((_, _, times)) => *times += 1,
            None => told.push((milestone.at, said, 1)),
        }
    }
    let width = told.iter().map(|(_, [who, _], _)| who.chars().count()).max().unwrap_or(0);
    let line = |(at, [who, text], times): &(SimTime, [String; 2], u64)| match times {
        1 => format!("  {at:>12}  {who:width$}  {text}"),
        times => format!("  {at:>12}  {who:width$}  {text}, {} times", count(*times)),
    };
    let heading = (!told.is_empty()).then(|| "On the way:".to_owned());
    // The line that counts the others is one of so many.
    let shown = if told.len() > MILESTONES_MAX { MILESTONES_MAX - 1 } else { told.len() };
    let more = (shown < told.len()).then(|| format!("  {:>12}  {} more", "…", told.len() - shown));
    heading.into_iter().chain(told[..shown].iter().map(line)).chain(more).collect()
}

/// What is left, a line each with what happens without it. Hosts come last, those of one kind together: that a host is
/// there is rarely news.
fn needs(search: &Search<'_>, needed: &[Need]) -> Vec<String> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut hosts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for need in needed {
        let why = why(search, need);
        match &need.piece {
            Piece::Fault(words) | Piece::Operation(words) => rows.push((words.clone(), why)),
            Piece::Session(number) => rows.push((format!("all that c{number} does"), why)),
            Piece::Host(name) => hosts.entry(why).or_default().push(name),
        }
    }
    rows.extend(hosts.into_iter().map(|(why, names)| match names.as_slice() {
        [name] => (format!("host {name}"), why),
        names => (format!("hosts {}", names.join(", ")), why.replace("without it", "without one of them")),
    }));
    let widths = rows.iter().map(|(what, _)| what.chars().count()).filter(|width| *width <= COLUMN_MAX);
    let width = widths.max().unwrap_or(0);
    let rows = rows.iter().map(|(what, why)| format!("  {what:width$}  {why}"));
    std::iter::once("Needed:".to_owned()).chain(rows).collect()
}

fn why(search: &Search<'_>, need: &Need) -> String {
    match &need.without {
        Without::NothingBreaks => "without it nothing breaks".to_owned(),
        Without::Others(checks) => format!("without it {}", others(search.check(), need, checks)),
        Without::Same => "not needed: the search did not come to leave it out".to_owned(),
        Without::Allowed => "without it the same is allowed".to_owned(),
        Without::Impossible => "cannot be left out".to_owned(),
        Without::Endless => {
            format!("without it the run takes more than {} events: not looked at", count(search.events_max()))
        }
        Without::NotTried => "not tried without it: the search was stopped".to_owned(),
    }
}

/// What breaks without something, by how much of it is news: the same check in another way, what holds with it, and what
/// does not hold with it either.
fn others(aim: Check, need: &Need, checks: &[Check]) -> String {
    let apart = checks.iter().filter(|check| **check != aim);
    let (still, new): (Vec<&Check>, Vec<&Check>) = apart.partition(|check| need.anyway.contains(check));
    let words = |checks: &[&Check]| checks.iter().map(|check| check.in_words()).collect::<Vec<_>>().join(", ");
    let same = need.otherwise.as_ref().map(|kind| format!("the same check breaks in another way: {kind}"));
    let new = (!new.is_empty()).then(|| format!("something else breaks: {}", words(&new)));
    let still = (!still.is_empty()).then(|| format!("something else still breaks: {}", words(&still)));
    [same, new, still].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn removed(before: Size, after: Size) -> String {
    let of = |before: usize, after: usize, one: &str| match (before.saturating_sub(after), after) {
        (0, _) => None,
        (1, 0) => Some(format!("the one {one}")),
        (gone, 0) => Some(format!("all {}", things(gone as u64, one))),
        (gone, _) => Some(format!("{} of {}", count(gone as u64), things(before as u64, one))),
    };
    let parts = [
        of(before.faults, after.faults, "fault"),
        of(before.operations, after.operations, "operation"),
        of(before.sessions, after.sessions, "session"),
        of(before.hosts, after.hosts, "host"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let pieces = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    let shorter = (after.run < before.run).then(|| format!("; the run takes {}, not {}", after.run, before.run));
    pieces + &shorter.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use replisim_history::{Milestone, NodeId};
    use replisim_kernel::Span;

    use super::*;
    use crate::touchy;

    #[test]
    fn what_happened_on_the_way_is_told_once_each_and_not_without_end() {
        let run = touchy::experiment("Nowhere", "").run(1, None, false).run;
        let milestone = |(ms, node, text): (u64, u16, &str)| Milestone {
            at: SimTime::ZERO + Span::millis(ms),
            node: Some(NodeId(node)),
            text: text.to_owned(),
        };
        let of = |milestones: &[(u64, u16, &str)]| {
            let milestones = milestones.iter().copied().map(milestone).collect();
            on_the_way(&Run { milestones, ..run.clone() })
        };
        assert_eq!(of(&[]), Vec::<String>::new());
        let told = of(&[(2, 1, "promoted"), (3, 0, "refused by node1"), (1_500, 0, "refused by node1")]);
        assert_eq!(told, ["On the way:", "      2.000 ms  n2  promoted", "      3.000 ms  n1  refused by n2, 2 times"]);
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|text| (1, 0, text));
        assert_eq!(of(&many[..8]).last().map(String::as_str), Some("      1.000 ms  n1  h"));
        let told = of(&many);
        assert_eq!((told.len(), told[8].as_str()), (9, "             …  2 more"));
    }

    #[test]
    fn what_was_removed_is_counted_as_people_count() {
        let size = |faults, operations, sessions, hosts, run| Size { faults, operations, sessions, hosts, run };
        let (long, short) = (Span::secs(5), Span::millis(10));
        let told = |before, after| removed(before, after);
        assert_eq!(
            told(size(1, 10_989, 2, 3, long), size(0, 1, 1, 2, short)),
            "the one fault, 10,988 of 10,989 operations, 1 of 2 sessions, 1 of 3 hosts; the run takes 10ms, not 5s"
        );
        assert_eq!(told(size(14, 2, 1, 3, long), size(0, 2, 1, 3, long)), "all 14 faults");
        assert_eq!(told(size(0, 2, 1, 3, long), size(0, 2, 1, 3, long)), "nothing");
    }
}
