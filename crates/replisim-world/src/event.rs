//! What waits in the queue.

use replisim_history::{NodeId, SessionId};

use crate::fault::FaultEvent;
use crate::network::Signal;
use crate::process::{DiskError, Input, Process, Reply, Request, RequestId};

/// Something that happens at a set time, with the trace line that caused it.
#[derive(Clone, Debug)]
pub(crate) struct Entry<P: Process> {
    pub cause: u64,
    pub event: Event<P>,
}

/// What happens. It is moved often, so what is large and rare in it is boxed.
#[derive(Clone, Debug)]
pub(crate) enum Event<P: Process> {
    /// A datagram reaches its destination. `wire` tells whether it went down with its sender's host.
    Datagram { from: NodeId, to: NodeId, wire: u32, message: P::Message },
    /// Something on a stream is due.
    Stream(Signal<Parcel<P>>),
    /// A node's processor has come to this input.
    Handle { node: NodeId, incarnation: u32, input: Input<P> },
    /// A node whose host moves again comes to the first input of those that waited.
    Unpark { node: NodeId, incarnation: u32 },
    /// A timer goes off, if this setting of it still holds.
    Timer { node: NodeId, incarnation: u32, timer: P::Timer, setting: u64 },
    /// A sync has come to its end, if it is still under way.
    Synced { node: NodeId, incarnation: u32, sync: u64, lied: bool },
    /// A sync, or the write before it, has failed.
    DiskFailed { node: NodeId, incarnation: u32, error: DiskError },
    /// A session is to begin its next operation.
    Turn { session: SessionId },
    /// A session sends its operation again.
    Retry { session: SessionId, ordinal: u32, attempt: u8 },
    /// A session's patience has run out, with what it does now or with something that is done by now.
    Timeout { session: SessionId },
    /// A fault begins, goes on, or ends.
    Fault(FaultEvent),
    /// All faults end and the clients stop.
    Heal,
    /// Look whether every replica holds the same.
    Look,
}

/// What travels on streams: between processes, and between clients and processes.
#[derive(Clone, Debug)]
pub(crate) enum Parcel<P: Process> {
    Message(P::Message),
    Request(Box<Request>),
    Reply { id: RequestId, reply: Box<Reply> },
}
