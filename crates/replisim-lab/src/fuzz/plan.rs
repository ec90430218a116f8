//! A campaign written down, so that any machine can do a part of it.
//!
//! It holds everything that the runs follow from: the scenarios' texts, not their paths. Whoever has the file and the same
//! version of replisim makes the same runs.

use std::path::Path;

use ron::ser::PrettyConfig;
use serde::{Deserialize, Serialize};

use super::lot::LOT_RUNS;
use super::orders::{Orders, Share};
use super::subject::Subject;
use crate::scenario::{Code, Diagnostic, Report, Source, refusal};
use crate::store::Place;
use crate::{Catalog, VERSION};

/// The largest plan that is read, in bytes: it holds the text of every scenario, and a folder may have thousands.
const PLAN_BYTES_MAX: u64 = 1 << 28;

/// Where plans come from, for whoever has a text that is none.
const ADVICE: &str = "`replisim fuzz plan` of this version writes one";

/// A campaign to be shared out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignPlan {
    /// The version of replisim that wrote it; another one would make other runs.
    version: String,
    /// How many runs, over all subjects.
    runs: u64,
    /// How many runs a lot has.
    lot: u32,
    /// The first seed of each subject.
    seed_start: u64,
    /// Whether most runs are made up by the search.
    guided: bool,
    /// How the scenarios were changed for it, as it is told.
    changes: Vec<String>,
    /// What is run.
    subjects: Vec<PlannedSubject>,
}

/// A subject in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlannedSubject {
    name: String,
    scenario: String,
}

impl CampaignPlan {
    /// The plan of a campaign of so many runs, over all subjects.
    pub fn of(subjects: &[Subject<'_>], runs: u64, orders: &Orders) -> Self {
        let written = |subject: &Subject<'_>| PlannedSubject {
            name: subject.name().to_owned(),
            scenario: subject.base().source.text.clone(),
        };
        CampaignPlan {
            version: VERSION.to_owned(),
            runs,
            lot: LOT_RUNS,
            seed_start: orders.seed_start,
            guided: orders.guided,
            changes: orders.changes.clone(),
            subjects: subjects.iter().map(written).collect(),
        }
    }

    /// Reads a plan from a file.
    ///
    /// # Errors
    /// If the file cannot be read, is no plan, or was written by another version.
    pub fn read(path: &Path) -> Result<Self, Report> {
        let source = Source::read_within(path, PLAN_BYTES_MAX).map_err(|report| report.advising(ADVICE))?;
        let refuse =
            |message: String| Report::of(source.clone(), Diagnostic::new(Code::Syntax, message).at(0..0).help(ADVICE));
        let plan: CampaignPlan = ron::from_str(&source.text)
            .map_err(|error| Report::of(source.clone(), refusal(&source, &error, "plan", ADVICE)))?;
        if plan.subjects.is_empty() || !(1..=Orders::RUNS_MAX).contains(&plan.runs) {
            return Err(refuse(format!("a plan has a subject and from 1 to {} runs", Orders::RUNS_MAX)));
        }
        if plan.version != VERSION {
            return Err(refuse(format!("version {} wrote this plan, and this is {VERSION}", plan.version)));
        }
        if plan.lot != LOT_RUNS {
            return Err(refuse(format!(
                "this is a plan of lots of {}, and this version has lots of {LOT_RUNS}",
                plan.lot
            )));
        }
        Ok(plan)
    }

    /// The plan as a file holds it.
    pub fn text(&self) -> String {
        let text = ron::ser::to_string_pretty(self, PrettyConfig::new().struct_names(true));
        text.expect("plain data can be written as RON") + "\n"
    }

    /// The subjects, ready to run.
    ///
    /// # Errors
    /// If one of them cannot be run.
    pub fn subjects<'c>(&self, catalog: &'c Catalog) -> Result<Vec<Subject<'c>>, Report> {
        let source = |it: &PlannedSubject| Source::new(it.name.clone(), it.scenario.clone());
        self.subjects.iter().map(|it| Subject::prepare(&source(it), catalog)).collect()
    }

    /// The orders for a share of it.
    pub fn orders(&self, share: Share) -> Orders {
        let CampaignPlan { runs, seed_start, guided, changes, .. } = self.clone();
        Orders { seed_start, guided, share, changes, ..Orders::of(runs) }
    }

    /// Whether a place is one of the campaign's, and of a share of it.
    pub fn has(&self, at: Place, share: Share) -> bool {
        let is_its = (at.subject as usize) < self.subjects.len() && share.has(at.subject, at.lot);
        is_its && self.orders(share).has(at, self.subjects.len())
    }

    /// The lots of a share: each one's subject, its number, and how many runs it has.
    pub fn lots_of(&self, share: Share) -> impl Iterator<Item = (u32, u32, u32)> {
        let (orders, subjects) = (self.orders(share), self.subjects.len());
        let of_subject = move |subject| orders.lots_of(subject, subjects).map(move |(lot, runs)| (subject, lot, runs));
        (0..subjects as u32).flat_map(of_subject)
    }

    /// How many lots it has: more shards than that are of no use.
    pub fn lot_count(&self) -> u64 {
        let (orders, subjects) = (self.orders(Share::ALL), self.subjects.len());
        (0..subjects as u32).map(|subject| orders.lots_of(subject, subjects).count() as u64).sum()
    }
}
