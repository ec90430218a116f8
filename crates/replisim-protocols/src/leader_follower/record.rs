//! What a server writes to its disk: the log, one [`Entry`] for each transaction, and one [`Control`] record.
//!
//! The log is the journal itself. An entry has two places: its *offset* in this server's journal, which nobody else
//! knows, and its [`Position`] in the replicated history, which all replicas share.
//!
//! ```text
//!   offset        0        1        2          3          4
//!   entry      100@1    230@1    310@1      320@2      470@2      @2 begins at 310: a promotion
//!                 ╰ previous ╯
//! ```
//!
//! Every entry names the index before it, as PostgreSQL's records do (`xl_prev`). That tells a follower that nothing is
//! missing, and a [`Lineage`] where an epoch began.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use replisim_history::{Contents, Datum, Key, Lineage, NodeId, Op, Position};
use replisim_kernel::{Digest, Tape};
use replisim_world::clock::WallTime;
use replisim_world::process::Payload;
use smallvec::SmallVec;

use super::execute;

/// What is written to a journal.
#[derive(Clone, Hash, Debug)]
pub enum Record {
    /// One transaction of the log. All servers that have it share it: it never changes.
    Entry(Arc<Entry>),
    /// The control record, replaced as a whole.
    Control(Arc<Control>),
}

/// One transaction in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its place in the replicated history: for a log numbered by bytes, where it ends.
    pub position: Position,
    /// The index before it; where its epoch begins, if it is the epoch's first.
    pub previous: u64,
    /// When it was committed, by the clock of the leader that did.
    pub stamp: WallTime,
    /// When the server that this copy comes from committed it, by its clock: later, if that is a relay which writes a log of
    /// its own.
    pub passed_on: WallTime,
    /// Its size in the log.
    pub bytes: u32,
    /// How many values the leader had made up in this epoch before.
    pub made_up: u32,
    /// What it does.
    pub change: Change,
    /// Stands for all of it: an entry is written and sent many times.
    digest: Digest,
}

/// Where an entry belongs in the replicated history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its position.
    pub position: Position,
    /// The index before it; where its epoch begins, if it is the epoch's first.
    pub previous: u64,
    /// How many values the leader had made up in this epoch before.
    pub made_up: u32,
}

/// What a transaction does to the data.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// These rows now hold this.
    Rows(Rows),
    /// Whoever applies it executes this.
    Statement(Op),
    /// All data is gone.
    DropTable,
    /// Nothing: a new epoch begins here.
    Epoch,
}

/// Rows and what they hold. Most transactions touch one.
pub type Rows = SmallVec<[(Key, Datum); 1]>;

/// A server's part in the cluster, as it remembers it over restarts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// It leads.
    Leads,
    /// It begins an epoch, and leads once its disk knows of that: because an operator has promoted it, or because it led
    /// when it stopped.
    Begins {
        /// Whether it was promoted.
        promoted: bool,
    },
    /// It follows this server.
    Follows(NodeId),
    /// It copies this server's data, to follow it then. It has none of its own.
    Copies(NodeId),
    /// It is shut down, to give up what it does not share with this server, and to follow it then.
    Rewinds(NodeId),
    /// It is shut down, and has the data of a backup in place of its own: to lead then.
    Restores,
    /// It neither leads nor follows: read-only.
    Stands,
    /// Its disk is empty.
    Bare,
}

/// The small file that says how to start again, and the data files as of the last checkpoint.
#[derive(Clone, Debug)]
pub struct Control {
    /// Its part in the cluster.
    pub part: Part,
    /// Whether it has a copy of another's data and has not caught up since.
    pub learner: bool,
    /// The epoch it leads, or was born into.
    pub epoch: u32,
    /// The last position that the journal no longer holds.
    pub base: Position,
    /// From where to recover.
    pub checkpoint: Checkpoint,
    /// What followers have asked to be kept for them.
    pub slots: Vec<Slot>,
    /// The last base backup, with the log archived since.
    pub backup: Option<Backup>,
    /// Settings changed without a restart, in the order in which they were changed.
    pub changed: Vec<(String, String)>,
}

/// A consistent copy of a server's data. Clones in constant time.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The data.
    pub contents: Contents,
    /// The records it is made of.
    pub lineage: Lineage,
}

/// The data files at some moment, and where in the log recovery goes on from there.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    /// The data.
    pub image: Image,
    /// The offset of the first entry that the image does not include.
    pub redo: u64,
    /// Whether it was taken before this server was promoted.
    pub outdated: bool,
}

/// What a sender keeps for a follower, connected or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Slot {
    /// For whom.
    pub follower: NodeId,
    /// The follower has everything up to this index.
    pub index: u64,
    /// It held back more than was allowed, and holds nothing any more.
    pub lost: bool,
}

/// A base backup and the log since then.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The data when the backup was taken.
    pub image: Image,
    /// Log entries since then that the journal has dropped.
    pub archive: Tape<Arc<Entry>>,
    /// The offset of the first entry that is not archived yet.
    pub next: u64,
}

impl Part {
    /// The server that it connects to.
    pub fn upstream(self) -> Option<NodeId> {
        match self {
            Part::Follows(upstream) | Part::Copies(upstream) | Part::Rewinds(upstream) => Some(upstream),
            Part::Leads | Part::Begins { .. } | Part::Restores | Part::Stands | Part::Bare => None,
        }
    }

    /// Whether it answers readers.
    pub fn serves(self) -> bool {
        match self {
            Part::Leads | Part::Begins { .. } | Part::Follows(_) | Part::Stands => true,
            Part::Copies(_) | Part::Rewinds(_) | Part::Restores | Part::Bare => false,
        }
    }
}

impl Entry {
    /// An entry at its place.
    pub fn new(place: Place, stamp: WallTime, bytes: u32, change: Change) -> Arc<Entry> {
        let Place { position, previous, made_up } = place;
        // What was made up before is told by the records before.
        let digest = Digest::of(&(position, previous, stamp, bytes, &change));
        Arc::new(Entry { position, previous, stamp, passed_on: stamp, bytes, made_up, change, digest })
    }

    /// The copy of it that a relay writes into its own log at the moment `at`.
    pub fn passed_on_at(&self, at: WallTime) -> Arc<Entry> {
        Arc::new(Entry { passed_on: at, digest: Digest::of(&(self.digest, at)), ..self.clone() })
    }

    /// Brings `contents` from the state before this entry to the state after it, as server `me` does it.
    #[inline]
    pub fn apply_to(&self, contents: &mut Contents, me: NodeId) {
        match &self.change {
            Change::Rows(rows) => {
                for (key, datum) in rows {
                    contents.install(*key, datum.clone(), self.position);
                }
            }
            Change::Statement(op) => {
                let mut made_up = execute::inventor(me, self.position.epoch, self.made_up);
                contents.apply(op, self.position, &mut made_up);
            }
            Change::DropTable => contents.clear(),
            Change::Epoch => {}
        }
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl Image {
    /// The position up to which it goes.
    #[inline]
    pub fn position(&self) -> Position {
        self.lineage.last()
    }

    /// Takes in one more entry, if it is not in yet.
    pub fn apply(&mut self, entry: &Entry, me: NodeId) {
        if !self.lineage.contains(entry.position) {
            entry.apply_to(&mut self.contents, me);
            self.lineage.extend(entry.previous, entry.position);
        }
    }
}

impl Record {
    /// The log entry, if it is one.
    pub fn entry(&self) -> Option<&Arc<Entry>> {
        match self {
            Record::Entry(entry) => Some(entry),
            Record::Control(_) => None,
        }
    }

    /// The control record, if it is one.
    pub fn control(&self) -> Option<&Control> {
        match self {
            Record::Entry(_) => None,
            Record::Control(control) => Some(control),
        }
    }
}

impl Payload for Record {
    fn bytes(&self) -> u32 {
        match self {
            Record::Entry(entry) => entry.bytes,
            Record::Control(_) => CONTROL_BYTES,
        }
    }
}

/// The size of the control file: one page, as PostgreSQL's `pg_control`.
const CONTROL_BYTES: u32 = 8192;

/// The data in the image is what the log made of it, so its position stands for it.
impl Hash for Control {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.part, self.learner, self.epoch, self.base, self.checkpoint.redo).hash(state);
        self.checkpoint.image.lineage.hash(state);
        self.slots.hash(state);
        self.backup.as_ref().map(|backup| (backup.image.position(), backup.next)).hash(state);
        self.changed.hash(state);
    }
}
