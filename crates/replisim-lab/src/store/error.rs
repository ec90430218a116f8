//! Why a store cannot be used.

use std::path::PathBuf;

use replisim_kernel::Digest;

use super::{Place, RunRow, SCHEMA_VERSION};

/// Why a store cannot be read, written or merged. [`StoreError::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such file.
    #[error("there is no store at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a store of campaigns", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Nothing was ever written to the file.
    #[error("there is no campaign in {}: it is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A later replisim wrote it.
    #[error("{} has schema {found}; this replisim reads schema {SCHEMA_VERSION}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
    },
    /// An earlier replisim wrote it.
    #[error("{} has schema {found}; this replisim reads schema {SCHEMA_VERSION}", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
    },
    /// The file is a store that holds what no store can hold.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// One place has two results: a run was not deterministic.
    #[error("{0}")]
    Conflict(Box<Conflict>),
    /// The store does not hold this campaign.
    #[error("{} holds no campaign {digest}", path.display())]
    NoCampaign {
        /// The file.
        path: PathBuf,
        /// The digest of the manifest.
        digest: Digest,
    },
    /// A row is about a subject that its manifest does not name.
    #[error("the campaign has no subject {subject}")]
    NoSubject {
        /// The number of the subject.
        subject: u32,
    },
    /// A failure is told of a run that the store does not hold.
    #[error("{} holds no run at lot {}, place {} of subject {}", path.display(), at.lot, at.place, at.subject)]
    NoRun {
        /// The file.
        path: PathBuf,
        /// Where the run should stand.
        at: Place,
    },
    /// The output of a merge is there already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another process writes to it, or reads it for so long that nobody can begin to write.
    #[error("somebody else is using {}", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Another process reads it, so that its log cannot become a part of it.
    #[error("somebody still reads {}", path.display())]
    StillRead {
        /// The file.
        path: PathBuf,
    },
    /// Its writer ended suddenly or is still at work, and nothing can be written here to put that right.
    #[error("some of {} is still in a log beside it, and neither can be written to", path.display())]
    LogUnrecovered {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refuses.
    #[error("{}: {error}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
    /// A question that SQLite does not take.
    #[error("{why}")]
    Query {
        /// What it says.
        why: String,
    },
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// A kind of error, as `replisim explain` tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Explained {
    /// Its stable code.
    pub code: &'static str,
    /// What it is.
    pub title: &'static str,
    /// What to do about it.
    pub hint: &'static str,
}

const fn explained(code: &'static str, title: &'static str, hint: &'static str) -> Explained {
    Explained { code, title, hint }
}

const MISSING: Explained = explained(
    "C001",
    "there is no such store",
    "`replisim fuzz` makes one, and `replisim campaign list FOLDER` shows those of a folder",
);
const FOREIGN: Explained = explained(
    "C002",
    "the file is not a store",
    "give a file that a campaign wrote; it is an SQLite file of its own kind",
);
const NEWER: Explained =
    explained("C003", "the store has a later schema", "use the replisim that wrote it, or a later one");
const DAMAGED: Explained =
    explained("C004", "the store is damaged", "merge what other copies there are; what is missing can be run again");
const CONFLICT: Explained = explained(
    "C005",
    "one place has two results",
    "either the protocol was changed since, and the campaign is to be run anew, without --resume; or the run is not \
     deterministic: a campaign that is run anew does one run in 64 twice, and names the first event that differs",
);
const NO_CAMPAIGN: Explained = explained(
    "C006",
    "the store has no such campaign",
    "`replisim campaign list STORE` shows the campaigns of a store",
);
const NO_SUBJECT: Explained =
    explained("C007", "the campaign has no such subject", "subjects are numbered from 0, in the order of the manifest");
const NO_RUN: Explained =
    explained("C008", "a failure without its run", "a failure is written with its run or after it");
const EXISTS: Explained = explained("C009", "the output is there already", "choose another name, or remove it first");
const SQLITE: Explained =
    explained("C010", "the database cannot be used", "see whether the disk is full, and who else uses the file");
const FILE: Explained =
    explained("C011", "the file cannot be used", "see whether the folder is there and may be written to");
const QUERY: Explained = explained(
    "C012",
    "a question that a store does not answer",
    "ask \"SELECT name, sql FROM sqlite_schema\" for tables and views; a store is only ever read",
);
const OLDER: Explained = explained(
    "C013",
    "the store has an earlier schema",
    "what is in it can be run again: choose another file with --store, or remove this one; the replisim that wrote it \
     can still read it, and its cases replay with this one",
);
const BUSY: Explained = explained(
    "C014",
    "somebody else uses the store",
    "one campaign, shard or merge at a time writes a store, and none can begin while somebody reads it for long: do the \
     same again when the other one has ended, or name another file",
);
const STILL_READ: Explained = explained(
    "C015",
    "somebody still reads the store",
    "some of it is still in a log beside it: do the same again once nobody reads it, and nothing is run twice",
);
const EMPTY: Explained = explained(
    "C016",
    "the store is empty",
    "a campaign that ends as it begins leaves such a file; `replisim fuzz --store FILE` begins one in it",
);
const LOG_UNRECOVERED: Explained = explained(
    "C017",
    "the store cannot be read where it is",
    "copy it, with the files beside it whose names begin like its own, to a folder that may be written to",
);

/// Every kind of error that a store can answer with, in the order of their codes.
pub const CODES: [Explained; 17] = [
    MISSING,
    FOREIGN,
    NEWER,
    DAMAGED,
    CONFLICT,
    NO_CAMPAIGN,
    NO_SUBJECT,
    NO_RUN,
    EXISTS,
    SQLITE,
    FILE,
    QUERY,
    OLDER,
    BUSY,
    STILL_READ,
    EMPTY,
    LOG_UNRECOVERED,
];

impl StoreError {
    /// What kind of error this is.
    pub const fn explained(&self) -> Explained {
        match self {
            StoreError::Missing { .. } => MISSING,
            StoreError::Foreign { .. } => FOREIGN,
            StoreError::Newer { .. } => NEWER,
            StoreError::Damaged { .. } => DAMAGED,
            StoreError::Conflict(_) => CONFLICT,
            StoreError::NoCampaign { .. } => NO_CAMPAIGN,
            StoreError::NoSubject { .. } => NO_SUBJECT,
            StoreError::NoRun { .. } => NO_RUN,
            StoreError::Exists { .. } => EXISTS,
            StoreError::Sqlite { .. } => SQLITE,
            StoreError::File { .. } => FILE,
            StoreError::Query { .. } => QUERY,
            StoreError::Older { .. } => OLDER,
            StoreError::Busy { .. } => BUSY,
            StoreError::StillRead { .. } => STILL_READ,
            StoreError::Empty { .. } => EMPTY,
            StoreError::LogUnrecovered { .. } => LOG_UNRECOVERED,
        }
    }

    /// The stable code, which `replisim explain` takes.
    pub const fn code(&self) -> &'static str {
        self.explained().code
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        self.explained().hint
    }
}

/// Two results for one place.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "two results for lot {}, place {} of {subject}:\n  {}\n  {}\nthey differ in {}",
    at.lot, at.place, first.told(), second.told(), differ.join(", ")
)]
pub struct Conflict {
    /// The name of the subject.
    pub subject: String,
    /// Which place.
    pub at: Place,
    /// The result that was there first.
    pub first: ConflictSide,
    /// The result that came to it.
    pub second: ConflictSide,
    /// The columns in which they differ.
    pub differ: Vec<&'static str>,
}

impl Conflict {
    /// Demands that two results for one place of a subject are the same, each told with who says so.
    pub(super) fn unless_same(
        subject: &str,
        (one, first): (impl ToString, &RunRow),
        (other, second): (impl ToString, &RunRow),
    ) -> Result<(), StoreError> {
        let Some(differ) = first.differs_in(second) else { return Ok(()) };
        let (at, subject) = (second.at, subject.to_owned());
        let (first, second) = (ConflictSide::of(one, first), ConflictSide::of(other, second));
        Err(StoreError::Conflict(Box::new(Conflict { subject, at, first, second, differ })))
    }
}

/// A result, and who says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConflictSide {
    /// The store that holds it, or `this run`.
    pub by: String,
    /// The seed.
    pub seed: u64,
    /// The digest of the plan.
    pub plan: Digest,
    /// The fingerprint.
    pub fingerprint: Digest,
}

impl ConflictSide {
    /// What `by` says of a run.
    pub(super) fn of(by: impl ToString, run: &RunRow) -> Self {
        ConflictSide { by: by.to_string(), seed: run.seed, plan: run.plan, fingerprint: run.fingerprint }
    }

    fn told(&self) -> String {
        format!("{}: seed {}, plan {}, fingerprint {}", self.by, self.seed, self.plan, self.fingerprint)
    }
}
