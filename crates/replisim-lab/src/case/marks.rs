//! Marks along a run: what its fingerprint was on the way, so that a run which no longer comes to the same end can be
//! told where it left the path.

use std::fmt::Write;

use replisim_history::TraceLine;
use replisim_kernel::Digest;
use replisim_world::Simulation;
use serde::{Deserialize, Serialize};

/// The most marks of a run.
const MARKS_MAX: u64 = 256;
/// How many words stand on a line.
const LINE_WORDS: usize = 12;

/// The run's fingerprint after every so many events, each cut to 32 bits: enough to tell two runs apart, of which one is
/// expected to be the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marks {
    /// How many events lie between two marks.
    pub every: u64,
    /// The mark after each of these stretches.
    pub digests: Vec<u32>,
}

/// Marks as a file holds them: in hexadecimal, a dozen on a line. Not every event changes a fingerprint, so what comes
/// several times in a row is written once, with how often: `8b956bd7*42`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarksFile {
    every: u64,
    digests: Vec<String>,
}

/// The stretch of a run in which it left the marked path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parting {
    /// After how many events it was still on the path.
    pub after: u64,
    /// After how many it was not any more; `None` if it passed every mark, and only its end is another.
    pub before: Option<u64>,
    /// What it did in between.
    pub lines: Vec<TraceLine>,
    /// Where it did nothing in between that a trace tells of: the last that it did before.
    pub last: Option<TraceLine>,
    /// And the first that it did afterwards.
    pub next: Option<TraceLine>,
}

impl Marks {
    /// The marks of a run of so many events, which `simulation` is at the beginning of.
    pub fn along(mut simulation: Box<dyn Simulation>, events: u64) -> Marks {
        let every = events.div_ceil(MARKS_MAX).max(1);
        let mark = |_| {
            simulation.advance(every);
            cut(simulation.fingerprint())
        };
        Marks { every, digests: (0..events / every).map(mark).collect() }
    }

    /// Where a run of so many events leaves the path; of one that passes every mark, what lies behind the last. `begin`
    /// gives the run at its beginning, with or without a trace.
    pub fn parting(&self, events: u64, begin: impl Fn(bool) -> Box<dyn Simulation>) -> Parting {
        let mut simulation = begin(false);
        let on_the_path = |mark: &&u32| {
            simulation.advance(self.every);
            cut(simulation.fingerprint()) == **mark
        };
        let passed = self.digests.iter().take_while(on_the_path).count();
        let all_passed = passed == self.digests.len();
        let after = |marks: usize| self.every.saturating_mul(marks as u64).min(events);
        let end = if all_passed { events } else { after(passed + 1) };
        let traced = |events| {
            let mut simulation = begin(true);
            simulation.advance(events);
            (simulation.events(), trace(simulation))
        };
        // From the beginning each time: a process that panics as it is copied can be replayed all the same.
        let (after, mut told) = traced(after(passed));
        let (before, mut lines) = traced(end);
        // What draws on hidden chance may have told more the first time.
        lines.drain(..told.len().min(lines.len()));
        let (mut last, mut next) = (None, None);
        if lines.is_empty() && !all_passed {
            next = traced(events).1.into_iter().nth(told.len());
            last = told.pop();
        }
        Parting { after, before: (!all_passed).then_some(before), lines, last, next }
    }

    /// The marks as a case's file holds them, from its fields on.
    pub(super) fn text(&self) -> String {
        let mut text = format!("(every: {}, digests: [\n", self.every);
        for line in self.lines() {
            let _ = writeln!(text, "        \"{line}\",");
        }
        text + "    ])"
    }

    fn lines(&self) -> Vec<String> {
        let stretches = self.digests.chunk_by(|one, next| one == next);
        let words: Vec<String> = stretches.map(|same| word(same[0], same.len())).collect();
        words.chunks(LINE_WORDS).map(|line| line.join(" ")).collect()
    }
}

impl MarksFile {
    /// The marks, if they are hexadecimal numbers and no more than a run has.
    pub fn read(&self) -> Result<Marks, String> {
        let mut digests = Vec::new();
        for word in self.digests.iter().flat_map(|line| line.split_whitespace()) {
            let (mark, times) = stretch(word).ok_or_else(|| format!("`{word}` is not a mark"))?;
            digests.extend(std::iter::repeat_n(mark, times));
            if digests.len() > MARKS_MAX as usize {
                return Err(format!("a run has no more than {MARKS_MAX} marks"));
            }
        }
        Ok(Marks { every: self.every.max(1), digests })
    }
}

/// A mark that comes so many times in a row.
fn word(mark: u32, times: usize) -> String {
    if times == 1 { format!("{mark:08x}") } else { format!("{mark:08x}*{times}") }
}

/// What a word stands for; `None` if it is none, or comes more often than a run has marks.
fn stretch(word: &str) -> Option<(u32, usize)> {
    let (mark, times) = word.split_once('*').unwrap_or((word, "1"));
    let times = times.parse().ok().filter(|times| (1..=MARKS_MAX as usize).contains(times))?;
    Some((u32::from_str_radix(mark, 16).ok()?, times))
}

/// The trace of a run up to where it is.
fn trace(simulation: Box<dyn Simulation>) -> Vec<TraceLine> {
    simulation.break_off().trace.map_or(Vec::new(), |trace| trace.lines)
}

fn cut(digest: Digest) -> u32 {
    digest.0 as u32
}
