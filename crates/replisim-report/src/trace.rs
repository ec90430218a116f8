//! The trace as a file: a line that says of which run, then one line an event.
//!
//! ```text
//! replisim trace · stale read after write · seed 7 · version 0.1.0
//!      12.000 ms  #41     p → s1       Wal 0/2040..0/20c8  ← #38
//!      12.611 ms  #42     s1           flushed 0/20c8  ← #41
//! ```
//!
//! Each line holds when, its number, to whom, what, and the number of the line that caused it. Two runs of the same
//! scenario, seed and version write the same bytes.

use std::io;

use replisim_history::{Run, Trace, TraceLine};

use crate::Names;

/// Writes `trace`, which is `run`'s, to `out`. Hand in something buffered: a run has many lines.
///
/// # Errors
///
/// Whatever `out` refuses.
pub fn write(out: &mut impl io::Write, title: &str, run: &Run, trace: &Trace) -> io::Result<()> {
    let names = Names::of(run);
    writeln!(out, "replisim trace · {title} · seed {} · version {}", run.seed, env!("CARGO_PKG_VERSION"))?;
    for line in &trace.lines {
        writeln!(out, "{}", TraceLine { text: names.in_text(&line.text), ..line.clone() })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_trace_begins_with_what_it_is_of() {
        let run = sample::run();
        let mut out = Vec::new();
        write(&mut out, "stale read after write", &run, run.trace.as_ref().unwrap()).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        replisim trace · stale read after write · seed 7 · version 0.1.0
             12.000 ms  #41     p → s1       Wal 0/2040..0/20c8 of p  ← #38
             13.204 ms  #42     c4           write k17 = 4.12 … ok (1.9 ms)
        ");
    }
}
