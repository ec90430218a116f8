//! What the run cost: latencies, lag, availability, and the measures that the scenario asks for.

use std::collections::BTreeMap;

use replisim_history::Run;
use replisim_history::words::printable;
use replisim_kernel::Span;

use crate::figures::{Figures, Flow, Outcomes, Quantiles};
use crate::table::{Align, Cell, Table};
use crate::{MeasuredBound, Page, Style, number};

/// Latency and throughput of each class of operations, from each region if there are several; the lag of each replica;
/// how far reads were behind, if any was; how many operations were answered.
pub fn measures(run: &Run, page: Page) -> String {
    let figures = Figures::of(run);
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right]);
    table.row(["", "median", "p99", "p99.9", "max", "per second"].map(Cell::from));
    flow(&mut table, "reads", &figures.reads);
    flow(&mut table, "writes", &figures.writes);
    for region in figures.regions.iter().filter(|_| figures.regions.len() > 1) {
        flow(&mut table, &format!("reads from {}", region.region), &region.reads);
        flow(&mut table, &format!("writes from {}", region.region), &region.writes);
    }
    for lag in &figures.lag {
        spans(&mut table, &format!("lag of {}", lag.node), &lag.behind, String::new());
    }
    if let Some(behind) = figures.staleness.behind.filter(|_| figures.staleness.stale > 0) {
        spans(&mut table, "reads behind by", &behind, String::new());
    }
    // The heading alone says nothing; that no operation was answered does.
    let table = if table.len() > 1 { table.print(2, Style::Plain) } else { String::new() };
    table + &outcomes(&figures, page)
}

fn flow(table: &mut Table, name: &str, flow: &Flow) {
    if let Some(latency) = &flow.latency {
        spans(table, name, latency, number::rate(flow.per_second));
    }
}

fn spans(table: &mut Table, name: &str, quantiles: &Quantiles, per_second: String) {
    let Quantiles { median_ns, p99_ns, p999_ns, max_ns } = *quantiles;
    let [median, p99, p999, max] = [median_ns, p99_ns, p999_ns, max_ns].map(|nanos| number::span(Span::nanos(nanos)));
    table.row([name.to_owned(), median, p99, p999, max, per_second].map(Cell::from));
}

/// How many operations were answered, what became of the others, and for how long no write was.
fn outcomes(figures: &Figures, page: Page) -> String {
    let Outcomes { operations, ok, failed, unknown, never_begun } = &figures.outcomes;
    if *operations == 0 {
        return String::new();
    }
    let by_reason = |name: &str, counts: &BTreeMap<String, u64>| {
        let counts: Vec<String> =
            counts.iter().map(|(reason, operations)| format!("{reason} ({})", number::count(*operations))).collect();
        if counts.is_empty() { String::new() } else { format!("; {name}: {}", counts.join(", ")) }
    };
    let never_begun = match never_begun {
        0 => String::new(),
        some => format!("; never begun, for their session was busy: {}", number::count(*some)),
    };
    let downtime = match figures.downtime_ns {
        0 => String::new(),
        nanos => format!("; longest time without a write {}", number::span(Span::nanos(nanos))),
    };
    let share =
        format!("{} of {} answered", number::percent(*ok, *operations), number::things(*operations, "operation"));
    page.wrapped(
        &(share + &by_reason("failed", failed) + &by_reason("unknown", unknown) + &never_begun + &downtime),
        "  ",
    )
}

/// The scenario's own measures, each with the bounds that it must keep.
pub fn bounds(bounds: &[MeasuredBound], style: Style) -> String {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Left, Align::Left]);
    for bound in bounds {
        let value = bound.value.map_or_else(|| "no figure".to_owned(), |value| number::with_unit(value, bound.unit));
        let kept = if bound.ok { "".into() } else { Cell::broken("OUT OF BOUNDS") };
        table.row([printable(&bound.name).into(), Cell::broken_if(!bound.ok, value), allowed(bound).into(), kept]);
    }
    table.print(2, style)
}

/// The bounds in words.
fn allowed(bound: &MeasuredBound) -> String {
    let print = |value: Option<f64>| value.map(|value| number::with_unit(value, bound.unit));
    match (print(bound.at_least), print(bound.at_most)) {
        (Some(least), Some(most)) if least == most => format!("exactly {least}"),
        (Some(least), Some(most)) => format!("from {least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use replisim_history::{History, Outcome, Reason};

    use super::*;
    use crate::sample;

    #[test]
    fn a_terminal_obeys_no_name() {
        let bound = MeasuredBound { name: "\u{1b}[2Jfast".to_owned(), ..sample::bounds().remove(0) };
        let told = bounds(&[bound], Style::Plain);
        assert!(told.starts_with("  \\u{1b}[2Jfast "), "{told}");
    }

    #[test]
    fn an_outage_is_told_although_there_is_nothing_to_measure() {
        let mut run = sample::run();
        run.lags.clear();
        let mut lost = run.history.operations[0].clone();
        lost.outcome = Outcome::Info(Reason::Timeout);
        run.history = History::default();
        run.history.operations.push(lost);
        let told = "  0 % of 1 operation answered; unknown: timed out (1); longest time without a write 1.42 ms\n";
        assert_eq!(measures(&run, Style::Plain.into()), told);
    }
}
