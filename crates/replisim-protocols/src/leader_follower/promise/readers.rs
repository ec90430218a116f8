//! Who reads where, and what that alone lets a session rely on while there is one history.
//!
//! Every server shows a beginning of the leader's log. A session's reads are *steady* if each comes from a state at least
//! as late as the one before:
//!
//! | reads | steady |
//! |---|---|
//! | at the leader | always |
//! | with a token for all that was seen | unless some go to the leader, and followers show records before it does |
//! | at one server | unless that server forgets, or the session sees the leader's state by what it writes |
//! | at a sticky follower | the same, and nothing makes it leave that follower |
//! | anywhere else | never: servers are not equally far |

use replisim_history::OpKind;
use replisim_kernel::Span;
use replisim_world::protocol::Circumstances;
use replisim_world::spec::{ClientGroup, FaultFamily, Hop, Remembers, Routing, ScriptedOp};

/// A session that waits for less than this may give up on a server that is merely far or busy.
const PATIENT: Span = Span::secs(1);

/// All sessions that read.
pub struct Readers<'a> {
    all: Vec<Reader<'a>>,
    /// Whether a fault may break a connection or exhaust a session's patience.
    interrupted: bool,
}

/// Sessions of a group that ask for the same kinds of things.
struct Reader<'a> {
    group: &'a ClientGroup,
    /// Where their reads go.
    ways: Vec<&'a Routing>,
    /// Whether they write.
    writes: bool,
    /// Whether what they write tells them something of the leader's state.
    sees_leader: bool,
}

impl<'a> Readers<'a> {
    /// The readers in these circumstances.
    pub fn among(circumstances: &Circumstances<'a>) -> Self {
        let all = circumstances.clients.iter().flat_map(Reader::of).filter(|reader| !reader.ways.is_empty()).collect();
        // Of all faults only a wrong clock lets every server answer in time.
        let interrupted = circumstances.faults.iter().any(|family| *family != FaultFamily::Clock);
        Readers { all, interrupted }
    }

    /// Whether every read goes to the leader.
    pub fn all_at_leader(&self) -> bool {
        self.all.iter().all(|reader| reader.ways.iter().all(|way| **way == Routing::Leader))
    }

    /// Whether every read of a session that writes goes to the leader, or to somebody who has its writes.
    pub fn all_at_leader_or_with_token(&self) -> bool {
        let sure = |way: &&Routing| matches!(way, Routing::Leader | Routing::Token { .. });
        self.all.iter().all(|reader| !reader.writes || reader.ways.iter().all(sure))
    }

    /// How a session could read an earlier state than before, if `leader_first` tells whether no follower shows a record
    /// before the leader does, and `forgets` whether a follower that restarts may show less than before.
    pub fn regress(&self, leader_first: bool, forgets: bool) -> Option<&'static str> {
        self.all.iter().find_map(|reader| {
            if reader.never_reads_older() {
                let unsteady = reader.goes_to_leader_too() && !leader_first;
                return unsteady.then_some("a follower may show a record before the leader does");
            }
            if !reader.stays(self.interrupted) {
                return Some("servers are not equally far, and reads may go to any");
            }
            if reader.sees_leader {
                return Some("what is written at the leader shows more than the server that is read");
            }
            forgets.then_some("a server that restarts may show less than before")
        })
    }
}

impl<'a> Reader<'a> {
    /// The sessions of a group: all alike, or one for each script.
    fn of(group: &'a ClientGroup) -> Vec<Self> {
        match group.script.as_slice() {
            [] => vec![Reader::drawn(group)],
            scripts => scripts.iter().map(|script| Reader::scripted(group, script)).collect(),
        }
    }

    fn drawn(group: &'a ClientGroup) -> Self {
        let kinds = || group.mix.iter().filter(|(_, weight)| **weight > 0).map(|(kind, _)| *kind);
        Reader {
            group,
            ways: if kinds().any(may_read) { vec![&group.reads] } else { Vec::new() },
            writes: kinds().any(|kind| kind != OpKind::Read),
            sees_leader: kinds().any(sees_while_it_writes),
        }
    }

    fn scripted(group: &'a ClientGroup, script: &'a [ScriptedOp]) -> Self {
        let reads = script.iter().filter(|line| may_read(line.op));
        Reader {
            group,
            ways: reads.map(|line| line.reads.as_ref().unwrap_or(&group.reads)).collect(),
            writes: script.iter().any(|line| line.op != OpKind::Read),
            sees_leader: script.iter().any(|line| sees_while_it_writes(line.op)),
        }
    }

    /// Whether each read is at least as new as all that the session has seen.
    fn never_reads_older(&self) -> bool {
        let by_token = |way: &&Routing| match way {
            Routing::Leader => true,
            Routing::Token { remembers, .. } => *remembers == Remembers::WritesAndReads,
            Routing::Any
            | Routing::AnyFollower
            | Routing::Nearest
            | Routing::Host(_)
            | Routing::Sticky
            | Routing::Pin { .. } => false,
        };
        self.ways.iter().all(by_token)
    }

    /// Whether some reads of a session bring a token and others go to the leader, by routing or as a fallback.
    fn goes_to_leader_too(&self) -> bool {
        let tokens = self.ways.iter().filter(|way| matches!(way, Routing::Token { .. })).count();
        let falls_back = |way: &&Routing| matches!(way, Routing::Token { fallback: true, .. });
        tokens > 0 && (tokens < self.ways.len() || self.ways.iter().any(falls_back))
    }

    /// Whether all its reads go to one server.
    fn stays(&self, interrupted: bool) -> bool {
        let Some((first, others)) = self.ways.split_first() else { return true };
        let fixed = match first {
            Routing::Host(_) => true,
            Routing::Nearest => self.group.hop == Hop::Never || self.group.servers == 1,
            Routing::Sticky => !interrupted && self.group.timeout >= PATIENT,
            Routing::Leader | Routing::Any | Routing::AnyFollower | Routing::Pin { .. } | Routing::Token { .. } => {
                false
            }
        };
        fixed && others.iter().all(|other| other == first)
    }
}

/// Whether an operation of this kind may be one that only reads.
fn may_read(kind: OpKind) -> bool {
    matches!(kind, OpKind::Read | OpKind::Txn)
}

/// Whether an operation of this kind may write and, in the same breath, tell what others have written.
fn sees_while_it_writes(kind: OpKind) -> bool {
    matches!(kind, OpKind::Txn | OpKind::CompareAndSet)
}
