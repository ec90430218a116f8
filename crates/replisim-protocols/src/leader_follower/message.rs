//! What servers say to each other. All of it travels on streams that the follower opens to its upstream.
//!
//! ```text
//!   follower                                upstream
//!      │ ── Start after 480@1 ────────────────▶ │     is 480@1 part of my history, and do I still have what follows?
//!      │ ◀──────────────── Accept / Refuse ──── │
//!      │ ◀──────────────────── Entries … ────── │     as soon as they are on the upstream's disk
//!      │ ── Report written, flushed, applied ─▶ │     a synchronous commit waits for these
//!      │ ◀───────────────────── Keepalive? ──── │     after half the timeout in silence
//!      │ ── Report ───────────────────────────▶ │
//! ```

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use replisim_history::{Lineage, NodeId, Position};
use replisim_kernel::Span;
use replisim_world::process::Payload;
use smallvec::SmallVec;

use super::record::{Entry, Image};
use super::rules::Progress;
#[cfg(doc)]
use super::rules::Reporting;

/// One message on a stream between a follower and its upstream.
#[derive(Clone, Hash, Debug)]
pub enum Message {
    // ── from a follower to its upstream ──
    /// The first thing on a stream: where the follower's log ends and what it consists of. Also sent when a copy of the
    /// data is complete, to go on with the log from there.
    Start {
        /// The last record of the follower's log.
        last: Position,
        /// Every record of the follower's log.
        history: Arc<Lineage>,
        /// Whether the upstream is to keep log for it while it is away.
        slot: bool,
    },
    /// How far the follower has come. Sent when it reaches the progress that the upstream asked for with the entries,
    /// when it is asked by a keepalive, after a good part of the window has been read, and at every status interval. Under
    /// [`Reporting::AtSync`] also whenever more is synced, under [`Reporting::WhenIdle`] not before everything is applied,
    /// unless it is asked.
    Report(Box<Report>),
    /// Instead of `Start`: asks for a copy of the data.
    Fetch {
        /// How much of it must travel, if the follower has most of it already, as after a rewind.
        bytes: Option<u64>,
    },
    /// One chunk of a copy has arrived: send the next.
    More,
    /// Asks for the upstream's history. Instead of `Start`, the beginning of a rewind: to find out where the own log left
    /// it. After `Accept`, from a learner: to find out how far there is to go.
    Inquire,

    // ── from an upstream to its follower ──
    /// The answer to `Start`: entries follow.
    Accept {
        /// Who leads, as far as the upstream knows.
        leader: Option<NodeId>,
    },
    /// The answer to `Start` or `Fetch` if it cannot be served. The upstream closes the stream.
    Refuse(Refusal),
    /// The next entries of the log, sent as soon as the upstream may ship them and the follower's window allows.
    Entries {
        /// At which progress the follower is to report at once; at none if nobody waits for it.
        report_at: Option<Progress>,
        /// The entries, in order.
        entries: Entries,
    },
    /// Sent when nothing was heard from the follower for half the timeout, as the answer to a report that asks, and as a
    /// heartbeat.
    Keepalive {
        /// Whether the follower is to report at once.
        reply_requested: bool,
        /// Who leads, as far as the upstream knows.
        leader: Option<NodeId>,
    },
    /// A part of a copy of the data. Only its size travels; the data comes with the end.
    Chunk {
        /// How big it is.
        bytes: u32,
    },
    /// The end of a copy: the data as they were when the copy began.
    Copied(Arc<Image>),
    /// The answer to `Inquire`. Also sent to every follower by an upstream that was a learner, when it is none any more.
    History {
        /// Every record of the upstream's log.
        history: Arc<Lineage>,
        /// Whether the upstream has made a checkpoint since it was promoted, if it ever was.
        checkpointed: bool,
        /// Whether the upstream is a learner itself, so that its log does not go as far as it must.
        learner: bool,
    },

    // ── from a follower's operating system to its upstream's ──
    /// A good part of the window has been read, and the follower itself says nothing of it, as under
    /// [`Reporting::WhenIdle`]. The upstream may send on, but has not heard its follower.
    Room {
        /// How many bytes of log were read from this stream.
        received: u64,
    },

    // ── from a follower that never asks whether its upstream is there ──
    /// After `Start`: how often the upstream is to say something, a keepalive if there is nothing else.
    Heartbeat {
        /// At the latest after so long.
        every: Span,
    },
}

/// Entries of the log on their way. One at a time is the common case.
pub type Entries = SmallVec<[Arc<Entry>; 1]>;

/// How far a follower has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Report {
    /// The last record written.
    pub written: Position,
    /// The last record synced.
    pub flushed: Position,
    /// The last record applied.
    pub applied: Position,
    /// How many bytes of log were read from this stream.
    pub received: u64,
    /// Whether the upstream is to answer at once.
    pub reply_requested: bool,
}

/// Why a follower cannot be served.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// What it lacks is no longer kept. It must be seeded anew.
    Removed,
    /// It has records that are not part of the upstream's history.
    Diverged,
    /// A record that it lacks cannot be read from the upstream's disk.
    Damaged,
    /// The upstream has no data itself.
    NoData,
}

impl Report {
    /// How far it has come, by one of the three measures.
    pub fn reached(&self, progress: Progress) -> Position {
        match progress {
            Progress::Written => self.written,
            Progress::Flushed => self.flushed,
            Progress::Applied => self.applied,
        }
    }
}

/// The size of a message apart from the log and data that it carries: a packet's and a message's headers. Chosen, of the
/// order of those of Ethernet, IP and TCP with some bytes for the message's own; how much a slow link carries hangs on it.
const HEADER_BYTES: u32 = 80;

impl Payload for Message {
    #[inline]
    fn bytes(&self) -> u32 {
        let carried = match self {
            Message::Entries { entries, .. } => entries.iter().fold(0, |sum, entry| entry.bytes.saturating_add(sum)),
            Message::Chunk { bytes } => *bytes,
            Message::Start { .. }
            | Message::Report(_)
            | Message::Fetch { .. }
            | Message::More
            | Message::Inquire
            | Message::Accept { .. }
            | Message::Refuse(_)
            | Message::Keepalive { .. }
            | Message::Copied(_)
            | Message::History { .. }
            | Message::Room { .. }
            | Message::Heartbeat { .. } => 0,
        };
        carried.saturating_add(HEADER_BYTES)
    }
}

/// The data are what the records made of them, so the records stand for them.
impl Hash for Image {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lineage.hash(state);
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Start { last, .. } => write!(f, "Start after {last}"),
            Message::Report(report) => write!(f, "{report}"),
            Message::Fetch { bytes: None } => f.write_str("Fetch everything"),
            Message::Fetch { bytes: Some(bytes) } => write!(f, "Fetch {bytes} bytes that differ"),
            Message::More => f.write_str("More"),
            Message::Inquire => f.write_str("Inquire"),
            Message::Accept { .. } => f.write_str("Accept"),
            Message::Refuse(refusal) => write!(f, "Refuse: {refusal}"),
            Message::Entries { entries, .. } => match entries.as_slice() {
                [] => f.write_str("Entries none"),
                [only] => write!(f, "Entries {}", only.position),
                [first, .., last] => write!(f, "Entries {}..{} ({})", first.position, last.position, entries.len()),
            },
            Message::Keepalive { reply_requested, .. } => {
                write!(f, "Keepalive{}", if *reply_requested { "?" } else { "" })
            }
            Message::Chunk { bytes } => write!(f, "Chunk of {bytes} bytes"),
            Message::Copied(image) => write!(f, "Copied up to {}", image.position()),
            Message::History { history, .. } => write!(f, "History up to {}", history.last()),
            Message::Room { .. } => f.write_str("Room for more"),
            Message::Heartbeat { every } => write!(f, "Heartbeat every {every}"),
        }
    }
}

impl fmt::Display for Report {
    /// The three places, each left out if it is the one before it: `Report 480@1` if all is applied.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Report {}", self.written)?;
        if self.flushed != self.written {
            write!(f, ", flushed {}", self.flushed)?;
        }
        if self.applied != self.flushed {
            write!(f, ", applied {}", self.applied)?;
        }
        f.write_str(if self.reply_requested { "?" } else { "" })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Removed => "the requested log has already been removed",
            Refusal::Diverged => "the requested epoch forked off before your last record",
            Refusal::Damaged => "the requested log cannot be read",
            Refusal::NoData => "no data here",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_prints_what_differs() {
        let at = |index| Position::new(1, index);
        let report = Report { written: at(9), flushed: at(7), applied: at(7), received: 0, reply_requested: false };
        assert_eq!(report.to_string(), "Report 9@1, flushed 7@1");
        assert_eq!(Report { written: at(7), reply_requested: true, ..report }.to_string(), "Report 7@1?");
    }
}
