//! What a run leaves behind, as plain data: operations, histories, traces, verdicts, and the checkers that read them.
//!
//! [`Run`] is the narrow waist of replisim. Everything on its left (kernel, world, protocols) makes one; everything on
//! its right (checkers, reports, the shrinker) reads one.
//!
//! **Invariant**: checkers read the [`History`] alone. They cannot ask a node what it meant.

pub mod check;
mod contents;
mod coverage;
mod finding;
mod history;
mod identity;
pub mod measure;
mod names;
mod operation;
mod replay;
mod run;
mod sequel;
mod survey;
mod trace;
pub mod words;

pub use contents::{Contents, Lineage, Version};
pub use coverage::{Cell, Deed};
pub use finding::{Check, Finding, Limit, Promise, Verdict, Witness, WitnessLine};
pub use history::{Beginning, Discard, Final, History, Install, Made, Operation, Panic};
pub use identity::{Key, NodeId, Position, SessionId, Value};
pub use names::Names;
pub use operation::{Datum, Op, OpKind, Outcome, Reason, Seen};
pub use replay::Replay;
pub use run::{Firing, Milestone, NodeInfo, PlannedFault, Run, SessionInfo, Settling};
pub use sequel::Sequel;
pub use survey::{Broken, CheckTally, DivergenceInfo, FailureGroup, KnownFailure, SubjectSurvey, Survey};
pub use trace::{Trace, TraceLine};
