//! A run as a text to be pinned: the same on every platform, short enough to be read in a review.
//!
//! A snapshot of it fails when anything about a run changes, for the fingerprint stands in its second line; the rest is
//! there to show a person *what* changed. Operations are told one a line, the first forty and those that a witness
//! rests on:
//!
//! ```text
//!   2.011304 s  c4  write k17 = 4.12 … ok (1.9 ms) @p
//!   2.013101 s  c4  read k17 … ok 4.11 (0.3 ms) @s2
//!   2.020000 s  c9  read k3 … fail: connection refused (0.2 ms) @s1
//! ```
//!
//! That is: when it was sent, the session, what was asked, how it ended and what was seen, how long that took, and who
//! answered. `4.12` is the value that session 4 wrote with its operation 12.

use std::collections::{BTreeMap, BTreeSet};

use replisim_history::{OpKind, Operation, Outcome, Run, Seen};

use crate::number::{self, Clock};
use crate::prose::shortened;
use crate::table::{Align, Table};
use crate::{JudgedFinding, Names, RunReport, Style, human, section};

/// How many lines the story may take.
const STORY_LINES: usize = 24;
/// How many operations are told from the beginning of the run.
const FIRST_OPERATIONS: u64 = 40;
/// How many operations of witnesses are told, over all checks.
const WITNESS_OPERATIONS: usize = 16;
/// How long what was asked, and what was seen, may be: a list may have any number of elements.
const TOLD_MAX: usize = 48;

/// The whole text, to its last line break.
pub fn summary(report: &RunReport) -> String {
    let run = report.run;
    let clock = section::clock(report, STORY_LINES);
    let parts = [
        ("what happened", section::story(run, STORY_LINES, clock)),
        ("verdicts", section::verdicts(report, Style::Plain.into(), clock)),
        ("measures", section::measures(run, Style::Plain.into())),
        ("bounds", section::bounds(&report.bounds, Style::Plain)),
        ("at the end", finals(run)),
        ("outcomes", outcomes(run)),
        ("operations", operations(run, &report.findings)),
    ];
    let mut text = human::heading(report) + &human::totals(&RunReport { elapsed: None, ..report.clone() });
    for (name, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
        text += &format!("\n{name}\n{part}");
    }
    text
}

/// What each replica held when all was quiet.
fn finals(run: &Run) -> String {
    let names = Names::of(run);
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Left, Align::Left]);
    for replica in &run.history.finals {
        table.row([
            names.node(replica.node).into(),
            number::things(replica.contents.len() as u64, "key").into(),
            replica.lineage.as_ref().map_or_else(String::new, |lineage| format!("up to {}", lineage.last())).into(),
            if replica.leads { "in charge" } else { "" }.into(),
        ]);
    }
    table.print(2, Style::Plain)
}

/// How many operations of each kind ended in which way.
fn outcomes(run: &Run) -> String {
    let mut counts: BTreeMap<(OpKind, Outcome), u64> = BTreeMap::new();
    for operation in run.history.operations.iter() {
        *counts.entry((operation.op.kind(), operation.outcome)).or_default() += 1;
    }
    let mut table = Table::new(&[Align::Right, Align::Left, Align::Left]);
    for ((kind, outcome), operations) in counts {
        table.row([number::count(operations).into(), in_words(kind).into(), outcome.to_string().into()]);
    }
    if !run.never_begun.is_empty() {
        table.row([number::count(run.never_begun.len() as u64).into(), "operation".into(), "never begun".into()]);
    }
    table.print(2, Style::Plain)
}

/// A kind of operation, as a table names it.
const fn in_words(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Read => "read",
        OpKind::Write => "write",
        OpKind::Generate => "write of a made-up value",
        OpKind::CompareAndSet => "compare-and-set",
        OpKind::Delete => "delete",
        OpKind::Add => "counter add",
        OpKind::SetAdd => "set add",
        OpKind::SetRemove => "set remove",
        OpKind::Append => "append",
        OpKind::TextInsert => "text insert",
        OpKind::TextDelete => "text delete",
        OpKind::Txn => "transaction",
    }
}

/// The first operations, and those that witnesses rest on.
fn operations(run: &Run, findings: &[JudgedFinding]) -> String {
    let tape = &run.history.operations;
    let first_end = tape.end().min(tape.start() + FIRST_OPERATIONS);
    let in_witnesses: BTreeSet<u64> = findings.iter().flat_map(witnesses).collect();
    let later = in_witnesses.into_iter().filter(|at| *at >= first_end).take(WITNESS_OPERATIONS);
    let names = Names::of(run);
    let mut table = Table::new(&[Align::Right, Align::Left, Align::Left]);
    let mut told = tape.start();
    let skipped = |from: u64, to: u64| ["…".into(), "".into(), format!("{} more", number::count(to - from)).into()];
    for at in (tape.start()..first_end).chain(later) {
        if at > told {
            table.row(skipped(told, at));
        }
        told = at + 1;
        let operation = &tape[at];
        let sent = Clock::MICROS.show(operation.invoked);
        table.row([sent.into(), operation.session.to_string().into(), names.in_text(&line(operation)).into()]);
    }
    if told < tape.end() {
        table.row(skipped(told, tape.end()));
    }
    table.print(2, Style::Plain)
}

/// The operations that a finding's witness rests on.
fn witnesses(judged: &JudgedFinding) -> impl Iterator<Item = u64> {
    judged.finding.verdict.witness().into_iter().flat_map(|witness| witness.operations.iter().copied())
}

fn line(operation: &Operation) -> String {
    let asked = shortened(operation.op.to_string(), TOLD_MAX);
    let seen = match &operation.seen {
        Seen::Nothing => String::new(),
        seen => format!(" {}", shortened(seen.to_string(), TOLD_MAX)),
    };
    let took = match operation.completed.is_reached() {
        true => format!(" ({})", number::span(operation.completed.since(operation.invoked))),
        false => String::new(),
    };
    format!("{asked} … {}{seen}{took} @{}", operation.outcome, operation.node)
}

#[cfg(test)]
mod tests {
    use replisim_history::Verdict;

    use super::*;
    use crate::sample;

    #[test]
    fn the_history_of_a_stale_read() {
        let run = sample::run();
        insta::assert_snapshot!(summary(&sample::report(&run)), @r"
        stale read after write · PostgreSQL, FIRST 1 (s1, s2) · seed 7
        412,118 events, 10 s simulated · fingerprint 8c1e52d0000000000000000000000042

        what happened
          0.000 s  p      leads, timeline 1
          2.000 s  fault  the link between p and s2 slows by 300 ms, until 4.000 s
          2.310 s  s2     is 300 ms behind p
          5.000 s  fault  p | s1 flaps, 2 times, until 5.300 s
          5.105 s  s1     reconnects to p
          5.305 s  s1     reconnects to p
            never  fault  crash of the leader

        verdicts
          holds     no acknowledged write lost  promised      2,004 acknowledged writes
          violated  read your writes            not promised  37 of 18,031 reads                  as expected
                    older than own write:
                    c4  wrote k17 = 4.12  2.011 s  acknowledged by p
                    c4  read k17 = 2.3    2.013 s  from s2, which was 301 ms behind
          unknown   monotonic reads             not promised  the history holds nothing to check  NOT as expected
          holds     convergence                 promised      3 replicas, 14 ms after the heal
          not promised: a follower may be behind, and any follower may be read

        measures
                                median      p99    p99.9      max  per second
          reads                 300 µs  82.1 ms  82.1 ms  82.1 ms         0.2
          writes               1.42 ms   1.9 ms   1.9 ms   1.9 ms         0.2
          reads from eu-west   82.1 ms  82.1 ms  82.1 ms  82.1 ms         0.1
          reads from us-east    300 µs   300 µs   300 µs   300 µs         0.1
          writes from us-east  1.42 ms   1.9 ms   1.9 ms   1.9 ms         0.2
          lag of s1             1.1 ms   3.8 ms   3.8 ms   3.8 ms
          lag of s2             304 ms   311 ms   311 ms   311 ms
          reads behind by          0 s   1.7 ms   1.7 ms   1.7 ms
          80 % of 5 operations answered; failed: connection refused (1); longest time without a write 1.9 ms

        bounds
          stale reads       0.205 %  from 0.1 % to 0.5 %
          median commit  1,402.5 ms  at most 2 ms         OUT OF BOUNDS

        at the end
          p   1 key  up to 2004@1  in charge
          s2  1 key  up to 2004@1

        outcomes
          2  read   ok
          1  read   fail: connection refused
          2  write  ok

        operations
          1.500000 s  c2  write k17 = 2.3 … ok (1.42 ms) @p
          2.009100 s  c4  write k17 = 4.12 … ok (1.9 ms) @p
          2.012700 s  c4  read k17 … ok 2.3 (300 µs) @s2
          5.000000 s  c1  read k17 … fail: connection refused (200 µs) @s1
          6.000000 s  c5  read k17 … ok 4.12 (82.1 ms) @p
        ");
    }

    #[test]
    fn of_many_operations_the_first_and_those_of_witnesses_are_told() {
        let (mut run, mut findings) = (sample::run(), sample::findings());
        let again = run.history.operations[0].clone();
        for _ in 0..1_200 {
            run.history.operations.push(again.clone());
        }
        if let Verdict::Violated(witness) = &mut findings[1].finding.verdict {
            witness.operations = vec![3, 1_000, 1_001];
        }
        let told = operations(&run, &findings);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 40 + 1 + 2 + 1);
        assert_eq!([lines[40].trim(), lines[43].trim()], ["…      960 more", "…      203 more"]);
    }
}
