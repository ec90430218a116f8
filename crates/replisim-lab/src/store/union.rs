//! What becomes of two rows for one key, wherever they meet: in the writer, or in a merge.
//!
//! | row | of two, the one that is kept |
//! |---|---|
//! | run | both must be equal; if not, a run was not deterministic |
//! | failure | the smaller case: fewer faults, fewer operations, a text rather than none, a shrunk one, a shorter one |
//! | divergence | the lesser one (`Ord`): chance that no seed fixes has made them |
//! | cell | the earlier place |
//! | known | the later version; of one version, the one that fails; of two that do, the smaller case |
//!
//! Each of the last four picks a least upper bound in some order, so the order and the number of times in which rows
//! meet do not show in what is left. That is what makes a merged store the same whatever it was merged from.

use std::cmp::Ordering;

use super::{CellRow, FailureRow, KnownRow, RunRow, Status};
use crate::Case;

impl RunRow {
    /// The columns in which another result for the same place differs. `None` where it does not.
    pub(super) fn differs_in(&self, other: &RunRow) -> Option<Vec<&'static str>> {
        let columns = [
            ("origin", self.origin == other.origin),
            ("seed", self.seed == other.seed),
            ("plan", self.plan == other.plan),
            ("fingerprint", self.fingerprint == other.fingerprint),
            ("events", self.events == other.events),
            ("simulated time", self.simulated == other.simulated),
            ("verdicts", self.verdicts == other.verdicts),
            ("failed", self.failed == other.failed),
            ("cells", self.cells == other.cells),
        ];
        let differ: Vec<_> = columns.into_iter().filter(|(_, equal)| !equal).map(|(name, _)| name).collect();
        (!differ.is_empty()).then_some(differ)
    }
}

impl FailureRow {
    /// The one to keep.
    pub(super) fn union(self, other: FailureRow) -> FailureRow {
        if other.size() < self.size() { other } else { self }
    }

    /// By what one failure's cases are compared. Every column but the key takes part, so no two rows are of one size.
    fn size(&self) -> (u32, u32, Size<'_>, &str, &str) {
        (self.faults, self.operations, size(&self.case), &self.kind, &self.phase)
    }
}

impl CellRow {
    /// Both in one.
    pub(super) fn union(self, other: CellRow) -> CellRow {
        CellRow { at: self.at.min(other.at), words: self.words.min(other.words), cell: self.cell }
    }
}

impl KnownRow {
    /// Both in one.
    pub(super) fn union(self, other: KnownRow) -> KnownRow {
        // The case of one that is fixed shows nothing any more.
        match by_version(&self.version, &other.version).then(self.status.cmp(&other.status)) {
            Ordering::Less => other,
            Ordering::Greater => self,
            Ordering::Equal => KnownRow { case: smaller(self.case, other.case), ..self },
        }
    }

    /// What is known after somebody looked: the newer row's word holds, also where it says less than the older one's.
    pub(super) fn then(self, newer: KnownRow) -> KnownRow {
        let shows_nothing = self.status == Status::Fixed && newer.status == Status::Failing;
        let case = match newer.case.is_empty() || (self.version == newer.version && !shows_nothing) {
            true => smaller(self.case, newer.case),
            false => newer.case,
        };
        KnownRow { case, ..newer }
    }
}

/// By what texts of cases are compared.
type Size<'t> = (bool, bool, usize, usize, &'t str);

/// Any text is smaller than none, and a shrunk case smaller than one that is not. Then less of a scenario counts, and then a
/// shorter text.
fn size(case: &str) -> Size<'_> {
    (case.is_empty(), !Case::is_shrunk(case), Case::weight(case), case.len(), case)
}

fn smaller(one: String, other: String) -> String {
    if size(&other) < size(&one) { other } else { one }
}

/// Versions in the order of their numbers; the text decides only between those whose numbers are the same.
fn by_version(one: &str, other: &str) -> Ordering {
    let numbers = |version: &str| -> Vec<u64> {
        version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
    };
    numbers(one).cmp(&numbers(other)).then_with(|| one.cmp(other))
}
