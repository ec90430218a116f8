//! What the benches measure, and the yardstick beside it.
//!
//! [`fuzz`] is one run of a fuzz campaign from end to end.
//! [`model`] holds small protocols for the world; [`yardstick`] does the same work in a loop written by hand, with
//! the same features and nothing else: boxed nodes without I/O, the state of links, ChaCha8 draws for each packet, a
//! record hashed for each event, a history of operations. The ratio of the two is what the world's generality costs.

pub mod fuzz;
pub mod model;
pub mod yardstick;

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
