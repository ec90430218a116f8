//! One clock for a whole report, so that what happened and what shows a violation can be put in one order.

use replisim_history::Witness;

use super::story;
use crate::RunReport;
use crate::number::Clock;

/// The clock of a report that tells of a run in at most `limit` lines: as fine as it takes to tell apart what is shown of
/// the faults, the milestones and the witnesses, and no finer.
pub fn clock(report: &RunReport, limit: usize) -> Clock {
    let witnesses = report.findings.iter().filter_map(|judged| judged.finding.verdict.witness());
    let shown = witnesses.flat_map(|Witness { lines, .. }| lines.iter().map(|line| line.at));
    Clock::telling_apart(story::instants(report.run, limit).into_iter().chain(shown))
}

#[cfg(test)]
mod tests {
    use replisim_history::Verdict;
    use replisim_kernel::{SimTime, Span};

    use crate::{human, sample};

    /// A host is lost at 150.000 ms, and a write acknowledged at 150.220: that one comes before the other is the story.
    #[test]
    fn a_fault_and_a_witness_are_told_by_one_clock() {
        let mut run = sample::run();
        let at = |micros| SimTime::ZERO + Span::micros(micros);
        run.faults.truncate(1);
        run.faults[0].fired[0].from = at(150_000);
        run.milestones.clear();
        let mut report = sample::report(&run);
        for judged in &mut report.findings {
            if let Verdict::Violated(witness) = &mut judged.finding.verdict {
                witness.lines[0].at = at(150_220);
            }
        }
        let shown = human::screen(&report, crate::Style::Plain);
        for told in ["  0.150000 s  fault  the link", ", until 4.000000 s\n", "wrote k17 = 4.12  0.150220 s  "] {
            assert!(shown.contains(told), "{told} is missing:\n{shown}");
        }
    }
}
