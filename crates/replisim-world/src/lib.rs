//! The world that a protocol runs in: hosts, processes, network, disks, clocks, clients and faults, as one value.
//!
//! A [`World`] holds a whole cluster in the middle of a run. It pops one event at a time, hands it to a
//! [`Process`](process::Process), and settles the effects that come back. It can be cloned at any point; both copies go on
//! identically, or differently once a stream of chance is reseeded.
//!
//! Read [`process`] first: it is the contract. Then [`World`]: how one event travels.
//!
//! **Invariants**: a process sees only its own clock; only the world touches the queue; every fault ends at the heal.

mod client;
pub mod clock;
pub mod disk;
mod event;
mod fault;
mod machine;
mod network;
mod node;
pub mod process;
pub mod protocol;
mod recorder;
mod roster;
mod simulation;
pub mod spec;
mod world;

pub use simulation::Simulation;
pub use world::{Blueprint, UnknownConcern, World, server_name};
