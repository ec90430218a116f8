//! What is written down of a run while it goes on. Nothing here ever changes what happens.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use replisim_history::{
    Beginning, Discard, History, Install, Milestone, NodeId, Operation, Position, Trace, TraceLine,
};
use replisim_kernel::{Fingerprint, SimTime, Span, Tape};

/// What a step begins with in the fingerprint, so that no two kinds of steps are taken for each other. Steps without one
/// begin with an instant, as when a fault moves or a message arrives; what a process appends to its journal, which is part
/// of a step, begins with the node.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    Boot,
    Killed,
    Order,
    Role,
    Opened,
    Closed,
    Request,
    Timer,
    Synced,
    DiskFailed,
    Begins,
    Ends,
    Heal,
}

impl Hash for Mark {
    /// One byte, where `derive` would write eight.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(*self as u8);
    }
}

/// The run's notebook.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    pub names: Arc<[String]>,
    pub history: History,
    pub milestones: Vec<Milestone>,
    pub lags: Vec<Tape<Span>>,
    pub never_begun: Tape<SimTime>,
    /// For each node, the first version that it has not applied.
    unapplied: Vec<u64>,
    fingerprint: Fingerprint,
    trace: Option<Trace>,
    /// The trace line that caused what happens now.
    pub cause: u64,
    pub events: u64,
    pub commits: u64,
    pub acknowledged: u64,
    pub elections: u32,
}

impl Recorder {
    pub fn new(names: Arc<[String]>, trace: bool) -> Self {
        Recorder {
            lags: vec![Tape::new(); names.len()],
            never_begun: Tape::new(),
            unapplied: vec![0; names.len()],
            names,
            history: History::default(),
            milestones: Vec::new(),
            fingerprint: Fingerprint::new(),
            trace: trace.then(Trace::default),
            cause: 0,
            events: 0,
            commits: 0,
            acknowledged: 0,
            elections: 0,
        }
    }

    /// Folds what happens into the fingerprint.
    #[inline]
    pub fn fold(&mut self, thing: &impl Hash) {
        self.fingerprint.fold(thing);
    }

    /// The fingerprint of all that happened so far.
    pub fn digest(&self) -> replisim_kernel::Digest {
        self.fingerprint.digest()
    }

    /// Whether a trace is kept; ask before building a line.
    #[inline]
    pub fn traces(&self) -> bool {
        self.trace.is_some()
    }

    /// Writes a line into the trace and returns its number; 0 if there is no trace.
    pub fn line(&mut self, at: SimTime, subject: String, text: String) -> u64 {
        let cause = self.cause;
        match &mut self.trace {
            None => 0,
            Some(trace) => {
                let id = trace.lines.len() as u64 + 1;
                trace.lines.push(TraceLine { at, id, cause, subject, text });
                id
            }
        }
    }

    /// Takes the trace out, at the end.
    pub fn take_trace(&mut self) -> Option<Trace> {
        self.trace.take()
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        &self.names[node.index()]
    }

    /// Writes down what a person would tell.
    pub fn milestone(&mut self, at: SimTime, node: Option<NodeId>, text: String) {
        if self.traces() {
            let subject = node.map_or_else(|| "·".to_owned(), |node| self.name(node).to_owned());
            self.line(at, subject, format!("◆ {text}"));
        }
        self.milestones.push(Milestone { at, node, text });
    }

    /// Writes down the beginning of an operation and returns its place in the history.
    pub fn invoke(&mut self, operation: Operation) -> u64 {
        self.history.operations.push(operation)
    }

    /// Writes down that an operation was due and never begins.
    pub fn never_begins(&mut self, due: SimTime) {
        self.never_begun.push(due);
    }

    /// Writes down a version that the node in charge has ordered.
    pub fn install(&mut self, install: Install) {
        self.history.installs.push(install);
    }

    /// Writes down the beginning of an epoch.
    pub fn begin(&mut self, beginning: Beginning) {
        self.history.beginnings.push(beginning);
    }

    /// Writes down a record that a rewind gives up.
    pub fn discard(&mut self, discard: Discard) {
        self.history.discards.push(discard);
    }

    /// Writes down that a replica shows everything up to `position`, and how far behind that is for each version.
    pub fn apply(&mut self, now: SimTime, node: NodeId, position: Position) {
        let (next, lags) = (&mut self.unapplied[node.index()], &mut self.lags[node.index()]);
        while let Some(install) = self.history.installs.get(*next) {
            if install.position > position {
                break;
            }
            if install.node != node && install.position.epoch == position.epoch {
                lags.push(now.since(install.at));
            }
            *next += 1;
        }
    }

    /// How far a replica is behind at this moment: the age of the oldest version that it does not show.
    pub fn lag(&self, now: SimTime, node: NodeId) -> Span {
        self.history.installs.get(self.unapplied[node.index()]).map_or(Span::ZERO, |install| now.since(install.at))
    }
}
