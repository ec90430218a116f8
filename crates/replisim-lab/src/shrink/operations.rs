//! Fewer and plainer operations, once they are spelled out in scripts.

use std::collections::BTreeSet;

use replisim_history::OpKind;
use replisim_kernel::Span;
use replisim_world::spec::{ClientGroup, ScriptedOp};

use super::FEW;
use super::ddmin::ddmin;
use super::round::{earlier, rounder, smaller};
use super::script::{Line, change_line, each_line, keys_of, lines, rename, sessions, with_lines};
use super::search::Search;
use crate::Scenario;

/// The units that all times are rounded to at once, before each is looked at alone.
const UNITS: [Span; 4] = [Span::secs(1), Span::millis(100), Span::millis(10), Span::millis(1)];

/// Parts of a group that mean nothing to scripts or have a usual value, which may then be left unsaid.
const USUAL: [fn(&mut ClientGroup, ClientGroup); 15] = [
    |group, usual| group.arrive = usual.arrive,
    |group, usual| group.mix = usual.mix,
    |group, usual| group.keys = usual.keys,
    |group, usual| group.transaction_size = usual.transaction_size,
    |group, usual| group.from = usual.from,
    |group, usual| group.until = usual.until,
    |group, usual| group.reads = usual.reads,
    |group, usual| group.value_bytes = usual.value_bytes,
    |group, usual| group.timeout = usual.timeout,
    |group, usual| group.retries = usual.retries,
    |group, usual| group.backoff = usual.backoff,
    |group, usual| group.at = usual.at,
    |group, usual| group.hop = usual.hop,
    |group, usual| group.servers = usual.servers,
    |group, usual| (group.hop, group.servers) = (usual.hop, usual.servers),
];

/// How many operations are merged into one, the most first.
const MERGED: [u32; 4] = [1_000, 100, 10, 2];

/// The other seeds that are tried, and in how many chunks operations are left out under them.
const SEEDS: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const LUCKY_CHUNKS: usize = 8;

/// How many idle sessions are tried in place of one that is busy.
const IDLE_MAX: usize = 32;

/// Leaves out every session, and then every operation, that is not needed.
///
/// `chunks_max` is for [`ddmin`]: coarse strokes cost little, and where they are all that is needed, so does the rest.
pub(super) fn fewer(search: &mut Search<'_>, chunks_max: usize) {
    let sessions = sessions(search.scenario());
    let whole = search.scenario().clone();
    let all = lines(&whole);
    ddmin(sessions.into_iter().collect(), chunks_max, |parts| {
        let of = |part: Vec<(usize, usize)>| -> Vec<Line> {
            let part: BTreeSet<_> = part.into_iter().collect();
            all.iter().filter(|line| part.contains(&(line.group, line.session))).cloned().collect()
        };
        search.first(parts.map(|part| with_lines(&whole, &of(part))))
    });
    let whole = search.scenario().clone();
    ddmin(lines(&whole), chunks_max, |parts| search.first(parts.map(|part| with_lines(&whole, &part))));
    dismiss(search);
}

/// Leaves out operations under other seeds: some may be there for nothing but the chance that they draw.
pub(super) fn other_luck(search: &mut Search<'_>) {
    let whole = search.scenario().clone();
    let lines = lines(&whole);
    if lines.len() > FEW && whole.clients.iter().all(|group| !group.script.is_empty()) {
        let seeds = [&[whole.seed], &SEEDS[..]].concat();
        let under = |part: &Vec<Line>| -> Vec<Scenario> {
            seeds.iter().map(|seed| Scenario { seed: *seed, ..with_lines(&whole, part) }).collect()
        };
        ddmin(lines, LUCKY_CHUNKS, |parts| {
            search.first(parts.flat_map(|part| under(&part))).map(|place| place / seeds.len())
        });
    }
}

/// Keeps one operation of several, as large as they are together: log is filled by bytes, whoever writes them.
pub(super) fn merged(search: &mut Search<'_>) {
    if lines(search.scenario()).len() > FEW {
        let scenario = search.scenario();
        let proposed: Vec<Scenario> = MERGED.iter().filter_map(|count| one_of(scenario, *count)).collect();
        search.first(proposed);
    }
}

/// The scenario with every `count`-th line of a script, the last one included, and values so many times as large. `None` if
/// no value may be as large, or if that leaves no line out.
pub(super) fn one_of(whole: &Scenario, count: u32) -> Option<Scenario> {
    let mut scenario = whole.clone();
    for group in scenario.clients.iter_mut().filter(|group| !group.script.is_empty()) {
        group.value_bytes = group.value_bytes.checked_mul(count)?;
        for lines in &mut group.script {
            let last = lines.len().saturating_sub(1);
            let mut nth = 0..;
            lines.retain(|_| nth.next().is_some_and(|nth| (last - nth) % count as usize == 0));
        }
    }
    (lines(&scenario).len() < lines(whole).len()).then_some(scenario)
}

/// Leaves out sessions and groups that ask for nothing any more. Sessions are numbered through, so this is a change of
/// its own.
fn dismiss(search: &mut Search<'_>) {
    let mut proposed = search.scenario().clone();
    for group in proposed.clients.iter_mut().filter(|group| !group.script.is_empty()) {
        group.script.retain(|lines| !lines.is_empty());
        group.sessions = group.script.len() as u32;
    }
    proposed.clients.retain(|group| group.sessions > 0);
    if !search.accepts(proposed) {
        move_down(search);
        search.change(dismiss_last);
    }
    dismiss_groups(search);
}

/// Leaves out every group without which the run still fails, whether or not its operations are spelled out.
pub(super) fn dismiss_groups(search: &mut Search<'_>) {
    for index in (0..search.scenario().clients.len()).rev() {
        search.change(|scenario| {
            scenario.clients.remove(index);
        });
    }
}

/// Hands what a session does to one with a smaller number that does nothing. Numbers matter where chance does: each session
/// has its own.
fn move_down(search: &mut Search<'_>) {
    for (group, session) in sessions(search.scenario()).into_iter().rev() {
        let script = &search.scenario().clients[group].script;
        let idle = (0..session).filter(|other| script[*other].is_empty());
        let idle: Vec<usize> = idle.take(IDLE_MAX).collect();
        search.first_form(idle, |scenario, other| scenario.clients[group].script.swap(session, other));
    }
}

/// Leaves out those sessions of the last group behind which nobody asks for anything: nobody's number changes.
fn dismiss_last(scenario: &mut Scenario) {
    if let Some(group) = scenario.clients.last_mut().filter(|group| !group.script.is_empty()) {
        let last = group.script.iter().rposition(|lines| !lines.is_empty());
        group.script.truncate(last.map_or(1, |last| last + 1));
        group.sessions = group.script.len() as u32;
    }
}

/// Makes what is left of the operations, and of their groups, as plain as it can be.
pub(super) fn plainer(search: &mut Search<'_>) {
    for index in 0..search.scenario().clients.len() {
        if !search.scenario().clients[index].script.is_empty() {
            for usual in USUAL {
                search.change(|scenario| usual(&mut scenario.clients[index], ClientGroup::default()));
            }
        }
    }
    kinds(search);
    values(search);
    keys(search);
    for unit in UNITS {
        let down =
            |line: &mut ScriptedOp| line.at = Span::nanos(line.at.as_nanos() / unit.as_nanos() * unit.as_nanos());
        search.change(|scenario| each_line(scenario, down));
    }
    let count = lines(search.scenario()).len();
    for nth in 0..count {
        if search.is_over() {
            return;
        }
        let at = lines(search.scenario())[nth].op.at;
        let times = rounder(at).into_iter().chain(earlier(at));
        search.first_form(times, |scenario, at| change_line(scenario, nth, |line| line.at = at));
        search.change(|scenario| change_line(scenario, nth, |line| line.reads = None));
    }
}

/// Puts plain writes and reads in place of all that is more than that, and leaves out parts of transactions.
fn kinds(search: &mut Search<'_>) {
    for nth in 0..lines(search.scenario()).len() {
        loop {
            if search.is_over() {
                return;
            }
            let forms = plainer_kinds(&lines(search.scenario())[nth].op);
            let put = |scenario: &mut Scenario, form| change_line(scenario, nth, |line| *line = form);
            if search.first_form(forms, put).is_none() {
                break;
            }
        }
    }
}

/// What does less than a line, or is easier to understand; the plainest first.
pub(super) fn plainer_kinds(line: &ScriptedOp) -> Vec<ScriptedOp> {
    let plain = |op: OpKind, key: u64| {
        let reads = line.reads.clone().filter(|_| op == OpKind::Read);
        ScriptedOp { op, key, parts: Vec::new(), reads, ..line.clone() }
    };
    let of_each = |op: OpKind, keys: Vec<u64>| {
        let keys: BTreeSet<u64> = keys.into_iter().collect();
        keys.into_iter().map(move |key| plain(op, key)).collect::<Vec<_>>()
    };
    match line.op {
        OpKind::Read | OpKind::Write => Vec::new(),
        OpKind::Txn => {
            let written = match line.parts.as_slice() {
                [] => vec![line.key],
                parts => parts.iter().filter(|(op, _)| *op != OpKind::Read).map(|(_, key)| *key).collect(),
            };
            let less = (0..line.parts.len()).filter(|_| line.parts.len() > 1).map(|nth| {
                let mut less = line.clone();
                less.parts.remove(nth);
                less
            });
            let (writes, reads) = (of_each(OpKind::Write, written), of_each(OpKind::Read, keys_of(line)));
            writes.into_iter().chain(reads).chain(less).collect()
        }
        OpKind::Generate
        | OpKind::CompareAndSet
        | OpKind::Delete
        | OpKind::Add
        | OpKind::SetAdd
        | OpKind::SetRemove
        | OpKind::Append
        | OpKind::TextInsert
        | OpKind::TextDelete => vec![plain(OpKind::Write, line.key), plain(OpKind::Read, line.key)],
    }
}

/// Writes values that are as small as can be, where they are not usual ones.
fn values(search: &mut Search<'_>) {
    for index in 0..search.scenario().clients.len() {
        let bytes = search.scenario().clients[index].value_bytes;
        if bytes != ClientGroup::default().value_bytes {
            let fewer = smaller(u64::from(bytes));
            search.first_form(fewer, |scenario, bytes| scenario.clients[index].value_bytes = bytes as u32);
        }
    }
}

/// Touches as few keys as possible, and small ones.
fn keys(search: &mut Search<'_>) {
    let touched = keys_touched(search.scenario());
    let small = |key: u64| touched.iter().position(|it| *it == key).unwrap_or_default() as u64;
    search.change(|scenario| each_line(scenario, |line| rename(line, |_| 0)));
    search.change(|scenario| each_line(scenario, |line| rename(line, small)));
    // Where they cannot all be small, these are still the old ones.
    let touched = keys_touched(search.scenario());
    for nth in (1..touched.len()).rev() {
        let key = touched[nth];
        let into = |other: u64| move |it: u64| if it == key { other } else { it };
        search.first_form(&touched[..nth], |scenario, other| each_line(scenario, |line| rename(line, into(*other))));
    }
}

/// Every key that is touched, each once, ascending.
fn keys_touched(scenario: &Scenario) -> Vec<u64> {
    let touched: BTreeSet<u64> = lines(scenario).iter().flat_map(|line| keys_of(&line.op)).collect();
    touched.into_iter().collect()
}
