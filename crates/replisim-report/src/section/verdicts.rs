//! The verdicts: one line a check, the evidence under each that is violated.

use std::collections::BTreeMap;

use replisim_history::{Check, Finding, Promise, Settling, Verdict, Witness};
use replisim_kernel::Span;

use crate::number::{self, Clock};
use crate::prose::shortened;
use crate::table::{Align, Cell, Table};
use crate::{JudgedFinding, Names, Page, RunReport, Style};

/// Where a witness begins: under the check that it refutes.
const WITNESS_INDENT: usize = 12;

/// How long the texts of a witness may be that stand in columns. Longer ones stand below.
const CELL_MAX: usize = 64;

/// How long they may be at all: a list that was read may have any number of elements.
const TOLD_MAX: usize = 400;

/// Where the texts stand that are too long for their column.
const BELOW: &str = "                ";

/// Each check with its verdict, its promise, its numbers, and whether it came out as expected. Witnesses are
/// told by `clock`.
pub fn verdicts(report: &RunReport, page: Page, clock: Clock) -> String {
    let names = Names::of(report.run);
    let mut table = Table::new(&[Align::Left; 5]);
    for judged in &report.findings {
        table.row(row(judged, &report.run.settling));
        if let Some(witness) = judged.finding.verdict.witness() {
            table.under(print_witness(witness, &names, page, clock));
        }
    }
    table.print(2, page.style) + &reasons(&report.findings, page)
}

fn row(judged: &JudgedFinding, settling: &Settling) -> [Cell; 5] {
    let finding = &judged.finding;
    let promise = match (judged.breaks_promise(), judged.is_promised()) {
        (true, _) => Cell::broken("promise broken"),
        (false, true) => "promised".into(),
        (false, false) => "not promised".into(),
    };
    let holds = finding.verdict == Verdict::Holds;
    let expected = match (judged.as_expected, judged.expected_to_hold) {
        (false, _) => Cell::broken("NOT as expected"),
        (true, Some(_)) if !holds => "as expected".into(),
        (true, _) => "".into(),
    };
    [
        Cell::broken_if(!holds, finding.verdict.word()),
        finding.check.in_words().into(),
        promise,
        numbers(finding, settling).into(),
        expected,
    ]
}

/// What the verdict rests on, or what kept the check from one.
fn numbers(finding: &Finding, settling: &Settling) -> String {
    if let Verdict::Unknown(limit) = &finding.verdict {
        return limit.to_string();
    }
    let tally = number::tally(finding.broken, finding.of, &finding.unit);
    match (finding.check, settling.converged_after) {
        (Check::Convergence, Some(Span::ZERO)) => format!("{tally}, at the heal"),
        (Check::Convergence, Some(span)) => format!("{tally}, {} after the heal", number::span(span)),
        _ => tally,
    }
}

fn print_witness(witness: &Witness, names: &Names, page: Page, clock: Clock) -> String {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Right, Align::Left]);
    for line in &witness.lines {
        let told = [&line.what, &line.remark].map(|text| shortened(names.in_text(text), TOLD_MAX));
        let [what, remark] = told.each_ref().map(|text| if is_cell(text) { text.as_str() } else { "" });
        table.row([names.in_text(&line.who).into(), what.into(), clock.show(line.at).into(), remark.into()]);
        for text in told.iter().filter(|text| !is_cell(text)) {
            table.under(page.wrapped(text, BELOW));
        }
    }
    let kind = names.in_text(&witness.kind);
    format!("{:WITNESS_INDENT$}{kind}:\n{}", "", table.print(WITNESS_INDENT, Style::Plain))
}

/// Whether a text is short enough for a column.
fn is_cell(text: &str) -> bool {
    text.chars().count() <= CELL_MAX
}

/// Why the system does not promise what it does not, each reason once.
fn reasons(findings: &[JudgedFinding], page: Page) -> String {
    let mut checks_by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for judged in findings {
        if let Promise::NotPromised(reason) = &judged.promise {
            checks_by_reason.entry(reason).or_default().push(judged.finding.check.in_words());
        }
    }
    let several = checks_by_reason.len() > 1;
    let print = |(reason, checks): (&str, Vec<&str>)| match several {
        true => page.wrapped(&format!("not promised ({}): {reason}", checks.join(", ")), "  "),
        false => page.wrapped(&format!("not promised: {reason}"), "  "),
    };
    checks_by_reason.into_iter().filter(|(reason, _)| !reason.is_empty()).map(print).collect()
}
