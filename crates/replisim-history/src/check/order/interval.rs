//! When each version of a key took its place, as far as the history tells: of two whose intervals do not meet, the earlier
//! is the older.
//!
//! A version that no log ordered, a *stray*, took its place at some moment from the invocation of its write to the
//! acknowledgement. Those that a log did order stay in its order, so each began no earlier than those before it, and ended
//! no later than those after it. Of two that overlap the log tells, unless a stray may lie between them: for the versions of
//! the log, time goes on only where a stray begins or ends.
//!
//! ```text
//! log     ├── 1 ──┤         ├── 3 ──┤     1 < 2 < 3 < 4, by the log: no stray begins or ends where 1 and 2
//!            ├── 2 ──┤          ├─ 4 ─┤   overlap, nor where 3 and 4 do
//! stray                ├─── 5 ───┤        2 < 5, by time; of 3 and 5 nothing is said
//! ```
//!
//! So what comes of a log and of time together is an interval order: transitive, and cheap to ask.

use replisim_kernel::SimTime;

use super::Version;

/// From when until when a version may have taken its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) struct Interval {
    /// It was no earlier.
    pub begins: Moment,
    /// It was no later.
    pub ends: Moment,
}

/// A moment on the line on which the versions of a key stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::check) struct Moment {
    at: SimTime,
    edge: Edge,
    /// Since that edge, the place among the versions that a log orders, from 1 on; 0 for the edge itself.
    pub(super) turn: u32,
}

/// What happens to a stray at a moment. Of what happens in one instant beginnings come first: who touch are concurrent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Edge {
    Nothing,
    Begins,
    Ends,
}

impl Interval {
    /// That of the initial version, before all others.
    pub(in crate::check) const OF_NOTHING: Interval = Interval { begins: Moment::FIRST, ends: Moment::FIRST };

    fn of_stray(version: &Version) -> Self {
        Interval { begins: Moment::begins(version.invoked), ends: Moment::ends(version.acknowledged) }
    }
}

impl Moment {
    const FIRST: Moment = Moment { at: SimTime::ZERO, edge: Edge::Nothing, turn: 0 };

    fn begins(at: SimTime) -> Self {
        Moment { at, edge: Edge::Begins, turn: 0 }
    }

    fn ends(at: SimTime) -> Self {
        Moment { at, edge: Edge::Ends, turn: 0 }
    }
}

/// The interval of each version of a key, of which a log ordered those that `is_logged` says, in this order.
pub(super) fn intervals(versions: &[Version], is_logged: impl Fn(usize) -> bool) -> Vec<Interval> {
    let mut intervals: Vec<Interval> = versions.iter().map(Interval::of_stray).collect();
    let (logged, strays): (Vec<usize>, Vec<usize>) = (0..versions.len()).partition(|index| is_logged(*index));
    if logged.is_empty() {
        return intervals;
    }
    let mut edges: Vec<Moment> =
        strays.iter().flat_map(|stray| [intervals[*stray].begins, intervals[*stray].ends]).collect();
    edges.sort_unstable();
    // The moment at which a version of this turn stands when so many edges have passed.
    let after =
        |passed: usize, turn| Moment { turn, ..passed.checked_sub(1).map_or(Moment::FIRST, |last| edges[last]) };
    let (mut begun, mut ended) = (SimTime::ZERO, SimTime::NEVER);
    for (turn, &index) in (1..).zip(&logged) {
        begun = begun.max(versions[index].invoked);
        intervals[index].begins = after(edges.partition_point(|edge| *edge < Moment::begins(begun)), turn);
    }
    for (turn, &index) in (1..logged.len() as u32 + 1).zip(&logged).rev() {
        ended = ended.min(versions[index].acknowledged);
        intervals[index].ends = after(edges.partition_point(|edge| *edge <= Moment::ends(ended)), turn);
    }
    intervals
}
