//! The screen that `run` ends with: what was run, what happened, which guarantees held, what it cost, what to do next.
//!
//! Words over symbols, the verdict before the measures, the evidence under its verdict, every number with its unit, and
//! one accent for what is broken. Nothing in it differs between two runs of one seed but the time it took.

use replisim_history::words::printable;

use crate::{Page, RunReport, number, section};

/// How many lines "what happened" may take.
const STORY_LINES: usize = 12;

/// The whole screen, to its last line break.
pub fn screen(report: &RunReport, page: impl Into<Page>) -> String {
    let page = page.into();
    let clock = section::clock(report, STORY_LINES);
    let sections = [
        heading(report) + &page.wrapped(&printable(report.about), ""),
        section::story(report.run, STORY_LINES, clock),
        section::verdicts(report, page, clock),
        section::measures(report.run, page),
        section::bounds(&report.bounds, page.style),
        totals(report) + &commands(report),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What was run, in one line.
pub(crate) fn heading(report: &RunReport) -> String {
    format!("{} · {} · seed {}\n", printable(&report.title), report.system, report.run.seed)
}

/// How much happened, and the run's name.
pub(crate) fn totals(report: &RunReport) -> String {
    let run = report.run;
    let (events, simulated) = (number::count(run.events), number::span(run.simulated));
    let elapsed = report.elapsed.map(|seconds| format!(" in {seconds:.2} s")).unwrap_or_default();
    format!("{events} events, {simulated} simulated{elapsed} · fingerprint {}\n", run.fingerprint)
}

fn commands(report: &RunReport) -> String {
    let line = |word: &str, command: &Option<String>| {
        command.as_ref().map(|command| format!("{word:8}  {command}\n")).unwrap_or_default()
    };
    let siblings = line("the cure", &report.cure) + &line("it cures", &report.anomaly);
    format!("replay    {}\n", report.replay) + &siblings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Style, sample};

    #[test]
    fn the_screen_of_a_stale_read() {
        let run = sample::run();
        insta::assert_snapshot!(screen(&sample::report(&run), Style::Plain), @r"
        stale read after write · PostgreSQL, FIRST 1 (s1, s2) · seed 7
        A user saves a profile and reloads; the read goes to a follower that has not caught up.

          0.000 s  p      leads, timeline 1
          2.000 s  fault  the link between p and s2 slows by 300 ms, until 4.000 s
          2.310 s  s2     is 300 ms behind p
          5.000 s  fault  p | s1 flaps, 2 times, until 5.300 s
          5.105 s  s1     reconnects to p
          5.305 s  s1     reconnects to p
            never  fault  crash of the leader

          holds     no acknowledged write lost  promised      2,004 acknowledged writes
          violated  read your writes            not promised  37 of 18,031 reads                  as expected
                    older than own write:
                    c4  wrote k17 = 4.12  2.011 s  acknowledged by p
                    c4  read k17 = 2.3    2.013 s  from s2, which was 301 ms behind
          unknown   monotonic reads             not promised  the history holds nothing to check  NOT as expected
          holds     convergence                 promised      3 replicas, 14 ms after the heal
          not promised: a follower may be behind, and any follower may be read

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

          stale reads       0.205 %  from 0.1 % to 0.5 %
          median commit  1,402.5 ms  at most 2 ms         OUT OF BOUNDS

        412,118 events, 10 s simulated in 0.06 s · fingerprint 8c1e52d0000000000000000000000042
        replay    replisim run scenarios/leader_follower/stale_read_after_write.ron --seed 7
        the cure  replisim run scenarios/leader_follower/read_your_writes_by_token.ron --seed 7
        ");
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let run = sample::run();
        let report = sample::report(&run);
        let coloured = screen(&report, Style::Colour);
        assert!(coloured.contains("\u{1b}[31mNOT as expected\u{1b}[0m"));
        assert_eq!(coloured.replace("\u{1b}[31m", "").replace("\u{1b}[0m", ""), screen(&report, Style::Plain));
    }
}
