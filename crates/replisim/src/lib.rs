//! replisim, as a program and as a library.
//!
//! **As a library**: implement [`Process`](replisim_world::process::Process) and
//! [`Protocol`](replisim_world::protocol::Protocol) for a state machine of your own, put it into a
//! [`Catalog`](replisim_lab::Catalog), and give that to [`program`]: your binary then has every command for it. In a
//! test, [`Trial`](replisim_lab::Trial) runs a scenario over many seeds.
//!
//! ```no_run
//! use replisim::prelude::*;
//!
//! fn main() -> std::process::ExitCode {
//!     replisim::program(Catalog::standard())
//! }
//! ```
//!
//! **As a program**: `replisim run SCENARIO` is the main job; `replisim --help` names the others.

mod command;
mod run_report;
mod shell;

pub use command::program;
pub use replisim_history as history;
pub use replisim_kernel as kernel;
pub use replisim_lab as lab;
pub use replisim_protocols as protocols;
pub use replisim_report as report;
pub use replisim_world as world;
pub use run_report::run_report;

/// What a protocol of one's own needs.
pub mod prelude {
    pub use replisim_history::{
        Check, Contents, Datum, Key, Lineage, Made, NodeId, Op, OpKind, Outcome, Position, Promise, Reason, Seen,
        SessionId, Value, Verdict,
    };
    pub use replisim_kernel::{Distribution, Probability, SimTime, Span, Stream};
    pub use replisim_lab::{Catalog, Experiment, Trial};
    pub use replisim_world::process::{
        Closing, Command, Cx, DiskError, Input, Payload, Process, Reply, Request, RequestId, Role, StreamId, View,
    };
    pub use replisim_world::protocol::{Circumstances, Member, Problem, Protocol};
    pub use replisim_world::spec::{FaultFamily, Topology};
}
