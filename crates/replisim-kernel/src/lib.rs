//! Time, order and chance: the part of a discrete-event simulation that knows nothing of what is simulated.
//!
//! Five small things, each a value that can be cloned in the middle of a run:
//!
//! | thing | what it is |
//! |---|---|
//! | [`SimTime`], [`Span`] | an instant and a length of simulated time, in integer nanoseconds |
//! | [`Queue`] | pending events, popped in exact `(time, sequence)` order |
//! | [`Stream`], [`Probability`], [`Distribution`] | seeded chance: one ChaCha8 stream per concern and entity |
//! | [`Fingerprint`] | a running 128-bit hash of everything that happened |
//! | [`Tape`], [`Table`] | a log and a table that cost almost nothing to clone |
//!
//! **Invariant**: the kernel never names a node, a network or a key, and never reads a wall clock.

mod distribution;
mod fingerprint;
mod probability;
mod queue;
mod stream;
mod table;
mod tape;
mod time;

pub use distribution::{Distribution, DistributionError, Sampler};
pub use fingerprint::{Digest, Fingerprint, NoDigest};
pub use probability::{ParseProbabilityError, Probability};
pub use queue::{Queue, Scheduled};
pub use stream::{Concern, GOLDEN, Stream, once_more, share, unit};
pub use table::Table;
pub use tape::Tape;
pub use time::{ParseSpanError, SimTime, Span};
