//! Who had the last word on the order of writes, and so which versions of a key a log ordered.

use std::collections::BTreeSet;

use replisim_kernel::SimTime;

use super::Version;
use crate::{Final, History, Install, Value};

/// Who had the last word on the order of writes.
pub(super) struct Authority<'a> {
    leading: Vec<&'a Final>,
    /// Whether all replicas are alike: nobody leads, or everybody.
    all_lead: bool,
    /// Whether nobody had it, for a panic cut the history short.
    is_cut_short: bool,
}

impl<'a> Authority<'a> {
    /// Whoever leads at the end.
    pub(super) fn of(history: &'a History) -> Self {
        let leading: Vec<&Final> = history.finals.iter().filter(|replica| replica.leads).collect();
        let all_lead = leading.len() > 1 && leading.len() == history.finals.len();
        Authority { all_lead, is_cut_short: history.panic.is_some(), leading }
    }

    /// Which of these installs of one key no log ordered, ascending: all, or those whose positions contradict what clients
    /// know. They are sorted by position and made one version each. What was `seen` of the key is only asked for where the
    /// answer depends on it.
    pub(super) fn strays(
        &self,
        installs: &[&Install],
        versions: &[Version],
        seen: impl FnOnce() -> BTreeSet<Value>,
    ) -> Vec<usize> {
        let by_position = self.one_log(installs) || (self.all_lead && are_tagged(installs, versions));
        if by_position { contradicting(versions, seen) } else { (0..installs.len()).collect() }
    }

    fn one_log(&self, installs: &[&Install]) -> bool {
        let Some(first) = installs.first() else { return false };
        let one_node = installs.iter().all(|install| install.node == first.node);
        let one_per_epoch = || {
            installs.windows(2).all(|pair| {
                let (before, after) = (pair[0], pair[1]);
                before.position.epoch != after.position.epoch || before.node == after.node
            })
        };
        let shared = self.leading.len() > 1 || self.is_cut_short;
        (one_node || (!shared && one_per_epoch())) && self.in_order_of_time(installs)
    }

    /// Whether the installs that survive were made in the order of their positions.
    fn in_order_of_time(&self, installs: &[&Install]) -> bool {
        let [Final { lineage: Some(lineage), .. }] = self.leading[..] else { return true };
        let surviving = installs.iter().filter(|install| lineage.contains(install.position));
        surviving.map(|install| install.at).is_sorted()
    }
}

/// Whether several nodes ordered these installs of one key, sorted by position, by tags.
fn are_tagged(installs: &[&Install], versions: &[Version]) -> bool {
    let by_several = installs.windows(2).any(|pair| pair[0].node != pair[1].node);
    let distinct = installs.windows(2).all(|pair| {
        let (before, after) = (pair[0].position, pair[1].position);
        before.epoch == after.epoch && before != after
    });
    by_several && distinct && versions.iter().all(|version| version.writer.is_some())
}

/// Those of these versions, ascending, whose place among them contradicts what clients know: a higher one was acknowledged
/// before they began, or in that instant if one session made both. What an epoch placed after one of these is placed no
/// better, whenever it began. None of them counts unless one was acknowledged, or was seen, or nobody could tell.
fn contradicting(versions: &[Version], seen: impl FnOnce() -> BTreeSet<Value>) -> Vec<usize> {
    let (mut first_acknowledged, mut enders, mut late) = (SimTime::NEVER, Vec::new(), Vec::new());
    for (index, version) in versions.iter().enumerate().rev() {
        let goes_on = version.invoked == first_acknowledged && enders.contains(&version.session);
        if version.invoked > first_acknowledged || goes_on {
            late.push(index);
        }
        if version.acknowledged < first_acknowledged {
            first_acknowledged = version.acknowledged;
            enders.clear();
        }
        if version.acknowledged == first_acknowledged && version.invoked < version.acknowledged {
            enders.push(version.session);
        }
    }
    if late.is_empty() {
        return late;
    }
    let seen = seen();
    let was_met = |version: &Version| {
        version.acknowledged.is_reached() || version.value.is_none_or(|value| seen.contains(&value))
    };
    if !late.iter().any(|index| was_met(&versions[*index])) {
        return Vec::new();
    }
    late.reverse();
    let mut stray_epoch = None;
    let is_stray = |index: &usize| {
        let epoch = Some(versions[*index].position.epoch);
        if late.binary_search(index).is_ok() {
            stray_epoch = epoch;
        }
        stray_epoch == epoch
    };
    (0..versions.len()).filter(is_stray).collect()
}
