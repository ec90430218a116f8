//! What a scenario says about the world, as plain data: the cluster, its clients, and the faults.
//!
//! These types are what a scenario file deserialises into. They carry sensible defaults, refuse unknown fields, and know
//! nothing of a running world; [`Topology`] is the resolved form that protocols and the world work with.

mod cluster;
mod fault;
mod kind;
mod swarm;
mod topology;
mod unit;
mod workload;

pub use cluster::{Burst, ClockSpec, Cluster, DiskSpec, LinkSpec, Links, Service};
pub use fault::{Action, Fault, FaultFamily, OldLeader, Target, Trigger, Unsynced, Wire};
pub use kind::{Kind, KindSet};
pub use swarm::Swarm;
pub use topology::{Host, Topology, Zone};
pub use unit::{ByteSize, Offset, Rate};
pub use workload::{Arrival, ClientGroup, Hop, Keys, PinMemory, Remembers, Routing, ScriptedOp};
