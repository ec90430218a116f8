//! The bar of a campaign under way: on a terminal's error stream, or not at all.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use replisim_lab::fuzz::Tally;
use replisim_report::number;

/// How often the bar is drawn anew, at most.
const EVERY: Duration = Duration::from_millis(100);

/// The bar of one campaign.
pub(super) struct Progress {
    bar: ProgressBar,
    /// How long the campaign may take, where that is what ends it.
    limit: Option<Duration>,
    shown: Option<Duration>,
}

impl Progress {
    /// A bar that is full after so many runs, or after so much time.
    pub fn new(runs: Option<u64>, limit: Option<Duration>) -> Self {
        let length = limit.map_or(runs.unwrap_or(0), |limit| limit.as_millis() as u64);
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let style = ProgressStyle::with_template("  {bar:24}  {elapsed}   {wide_msg}").expect("the template is right");
        bar.set_style(style.progress_chars("██ "));
        Progress { bar, limit, shown: None }
    }

    /// A bar of so many failures that are made small.
    pub fn shrinking(failures: usize) -> Self {
        let progress = Progress::new(Some(failures as u64), None);
        if failures > 0 {
            progress.bar.enable_steady_tick(EVERY);
        }
        progress
    }

    /// Shows that the next failure is being made small.
    pub fn next(&self) {
        let (nth, of) = (self.bar.position() + 1, self.bar.length().unwrap_or_default());
        self.bar.set_message(format!("shrinking {nth} of {}", number::things(of, "failure")));
    }

    /// Shows that it has been.
    pub fn done(&self) {
        self.bar.inc(1);
    }

    /// Shows how far it is, if it is time to.
    pub fn show(&mut self, tallies: &[Tally], elapsed: Duration) {
        if self.bar.is_hidden() || self.shown.is_some_and(|shown| elapsed < shown + EVERY) {
            return;
        }
        self.shown = Some(elapsed);
        let runs = tallies.iter().map(|it| it.runs).sum();
        self.bar.set_position(if self.limit.is_some() { elapsed.as_millis() as u64 } else { runs });
        self.bar.set_message(told(tallies, elapsed));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// How far a campaign is, what is wanted most first: a narrow terminal cuts off the end.
fn told(tallies: &[Tally], elapsed: Duration) -> String {
    let sum = |figure: fn(&Tally) -> u64| tallies.iter().map(figure).sum::<u64>();
    let (runs, done) = (sum(|it| it.runs), sum(|it| it.runs - it.recalled));
    format!(
        "{}   {}   {}/s   {} events   {}",
        number::things(runs, "run"),
        number::things(sum(|it| it.causes.len() as u64), "failure"),
        number::rate(done as f64 / elapsed.as_secs_f64().max(0.001)),
        number::short(sum(|it| it.events)),
        number::things(sum(|it| it.cells.len() as u64), "cell"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_not_what_is_cut_off() {
        let tally = Tally { runs: 184_220, events: 1_910_000_000, ..Tally::new(0) };
        let told = told(&[tally], Duration::from_secs(30));
        assert_eq!(told, "184,220 runs   0 failures   6,141/s   1.9 G events   0 cells");
    }
}
