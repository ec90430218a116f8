//! Who had the last word on the order of writes, and so which versions of a key a log ordered.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use replisim_kernel::{SimTime, Tape};

use super::Version;
use crate::{Beginning, Final, History, Install, Lineage, Value};

/// Who had the last word on the order of writes.
pub(super) struct Authority<'a> {
    leading: Vec<&'a Final>,
    beginnings: &'a Tape<Beginning>,
    /// Whether all replicas are alike: nobody leads, or everybody.
    all_lead: bool,
    /// Whether nobody had it: a panic cut the history short, or nobody of those who are up leads at the end.
    is_open: bool,
}

impl<'a> Authority<'a> {
    /// Whoever leads at the end.
    pub(super) fn of(history: &'a History) -> Self {
        let leading: Vec<&Final> = history.finals.iter().filter(|replica| replica.leads).collect();
        let all_lead = leading.len() > 1 && leading.len() == history.finals.len();
        let is_open = history.panic.is_some() || (leading.is_empty() && !history.finals.is_empty());
        Authority { leading, beginnings: &history.beginnings, all_lead, is_open }
    }

    /// Which of these installs of one key no log ordered, ascending. Either all; or those beside what survived, with those
    /// whose positions contradict what clients know. Neither of these two counts unless one of them was acknowledged or
    /// seen, or nobody could tell. The installs are sorted by position and made one version each. What was `seen` of the key
    /// is only asked for where the answer depends on it.
    pub(super) fn strays(
        &self,
        installs: &[&Install],
        versions: &[Version],
        seen: impl FnOnce() -> BTreeSet<Value>,
    ) -> Vec<usize> {
        let by_position = self.one_log(installs) || (self.all_lead && are_tagged(installs, versions));
        if !by_position {
            return (0..installs.len()).collect();
        }
        let seen = LazyCell::new(seen);
        let was_met = |index: &usize| {
            let version = &versions[*index];
            version.acknowledged.is_reached() || version.value.is_none_or(|value| seen.contains(&value))
        };
        let mut strays = self.beside(installs);
        if !strays.iter().any(was_met) {
            strays.clear();
        }
        let overtaken = overtaken(versions, &strays);
        if overtaken.iter().any(was_met) {
            strays.extend(with_followers(versions, &overtaken));
            strays.sort_unstable();
            strays.dedup();
        }
        strays
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
        let shared = self.leading.len() > 1 || self.is_open;
        (one_node || (!shared && one_per_epoch())) && self.in_order_of_time(installs)
    }

    /// Whether the installs that survive were made in the order of their positions.
    fn in_order_of_time(&self, installs: &[&Install]) -> bool {
        let Some(lineage) = self.lineage() else { return true };
        let surviving = installs.iter().filter(|install| lineage.contains(install.position));
        surviving.map(|install| install.at).is_sorted()
    }

    /// Those that did not survive and have a higher position than one which did and which their epoch was not built on:
    /// the epoch began beside it.
    fn beside(&self, installs: &[&Install]) -> Vec<usize> {
        let (Some(lineage), false) = (self.lineage(), self.beginnings.is_empty()) else { return Vec::new() };
        let survives = |install: &&&Install| lineage.contains(install.position);
        let mut beside = Vec::new();
        let mut from = 0;
        for of_epoch in installs.chunk_by(|a, b| a.position.epoch == b.position.epoch) {
            let lost = of_epoch.iter().enumerate().filter(|(_, install)| !survives(install));
            let mut lost = lost.map(|(index, _)| from + index).peekable();
            if lost.peek().is_some()
                && let Some(beginning) = self.beginning_of(of_epoch[0])
                && installs[..from].iter().filter(survives).any(|below| !beginning.built_on.contains(below.position))
            {
                beside.extend(lost);
            }
            from += of_epoch.len();
        }
        beside
    }

    /// How the epoch began in which a version was installed.
    fn beginning_of(&self, install: &Install) -> Option<&Beginning> {
        let of = |it: &&Beginning| (it.epoch, it.node) == (install.position.epoch, install.node);
        self.beginnings.iter().find(of)
    }

    /// What survived, if one replica alone had the last word and tells.
    fn lineage(&self) -> Option<&Lineage> {
        match self.leading[..] {
            [last] => last.lineage.as_ref(),
            _ => None,
        }
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

/// Those of these versions, ascending, whose place among them contradicts what clients know: a higher one, none of the
/// `strays`, was acknowledged before they began, or in that instant if one session made both.
fn overtaken(versions: &[Version], strays: &[usize]) -> Vec<usize> {
    // Of the writes acknowledged first, when, and whose they are.
    let (mut first_acknowledged, mut enders, mut overtaken) = (SimTime::NEVER, Vec::new(), Vec::new());
    let placed = versions.iter().enumerate().filter(|(index, _)| strays.binary_search(index).is_err());
    for (index, version) in placed.rev() {
        let goes_on = version.invoked == first_acknowledged && enders.contains(&version.session);
        if version.invoked > first_acknowledged || goes_on {
            overtaken.push(index);
        }
        if version.acknowledged < first_acknowledged {
            first_acknowledged = version.acknowledged;
            enders.clear();
        }
        if version.acknowledged == first_acknowledged && version.invoked < version.acknowledged {
            enders.push(version.session);
        }
    }
    overtaken.reverse();
    overtaken
}

/// These versions, ascending, and what an epoch placed after one of them: that is placed no better, whenever it began.
fn with_followers(versions: &[Version], overtaken: &[usize]) -> impl Iterator<Item = usize> {
    let mut last = None;
    (0..versions.len()).filter(move |index| {
        let epoch = Some(versions[*index].position.epoch);
        if overtaken.binary_search(index).is_ok() {
            last = epoch;
        }
        last == epoch
    })
}
