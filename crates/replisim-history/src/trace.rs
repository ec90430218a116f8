//! The trace: every event of a run as one line, each with the id of its cause.

use std::fmt;

use replisim_kernel::SimTime;

/// One line of a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceLine {
    /// When, in true time.
    pub at: SimTime,
    /// The line's number, from 1.
    pub id: u64,
    /// The line that caused this one; 0 for what came from outside: the plan, the workload, the start.
    pub cause: u64,
    /// Who or what it happened to: `p → s1`, `c4`, `✗`.
    pub subject: String,
    /// What happened, in the trace notation.
    pub text: String,
}

/// All lines of a run, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// The lines.
    pub lines: Vec<TraceLine>,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>14}  #{:<6} {:<12} {}", self.at, self.id, self.subject, self.text)?;
        if self.cause > 0 {
            write!(f, "  ← #{}", self.cause)?;
        }
        Ok(())
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
