//! Why a store cannot be used.

use std::path::PathBuf;

use replisim_kernel::Digest;

use super::{Place, SCHEMA_VERSION};

/// Why a store cannot be read, written or merged.
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
    /// A later replisim wrote it.
    #[error("{} has schema {found}; this replisim reads schema {SCHEMA_VERSION}", path.display())]
    Newer {
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
    /// SQLite refuses.
    #[error("{}: {error}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        error: rusqlite::Error,
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
    pub first: Claim,
    /// The result that came to it.
    pub second: Claim,
    /// The columns in which they differ.
    pub differ: Vec<&'static str>,
}

/// A result, and who says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The store that holds it, or `this run`.
    pub by: String,
    /// The seed.
    pub seed: u64,
    /// The digest of the plan.
    pub plan: Digest,
    /// The fingerprint.
    pub fingerprint: Digest,
}

impl Claim {
    fn told(&self) -> String {
        format!("{}: seed {}, plan {}, fingerprint {}", self.by, self.seed, self.plan, self.fingerprint)
    }
}
