//! Who had the last word on the order of writes, and so on what ground a key's versions are ordered.

use std::collections::BTreeSet;

use replisim_kernel::SimTime;

use super::{Basis, Version};
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

    /// On what ground these installs of one key are ordered, which are sorted by position and made one version each. What
    /// was `seen` of the key is only asked for where the answer depends on it.
    pub(super) fn basis(
        &self,
        installs: &[&Install],
        versions: &[Version],
        seen: impl FnOnce() -> BTreeSet<Value>,
    ) -> Basis {
        let by_position = self.one_log(installs) || (self.all_lead && are_tagged(installs, versions));
        if by_position && agree_with_time(versions, seen) { Basis::Log } else { Basis::RealTime }
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

/// Whether the order of these versions is one that clients can have met: none was acknowledged before a lower one began. A
/// lower one that was never acknowledged counts if it was seen, or if nobody could tell.
fn agree_with_time(versions: &[Version], seen: impl FnOnce() -> BTreeSet<Value>) -> bool {
    if in_turn(versions) {
        return true;
    }
    let seen = seen();
    let was_met = |version: &&Version| {
        version.acknowledged.is_reached() || version.value.is_none_or(|value| seen.contains(&value))
    };
    in_turn(versions.iter().filter(was_met))
}

/// Whether none of these versions was acknowledged before the write of an earlier one was invoked.
fn in_turn<'a>(versions: impl IntoIterator<Item = &'a Version>) -> bool {
    let mut latest_invocation = SimTime::ZERO;
    versions.into_iter().all(|version| {
        let agrees = version.acknowledged >= latest_invocation;
        latest_invocation = latest_invocation.max(version.invoked);
        agrees
    })
}
