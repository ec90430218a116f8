//! Which followers a commit waits for, as arithmetic on how far each of them has come.
//!
//! A leader knows of every connected follower how far along the log it is. From that alone follows how far commits are
//! acknowledged:
//!
//! ```text
//!                 a    b    c                 FIRST 2 (a, b, c)        ANY 2 (a, b, c)
//!   reached      90   70   80                 slowest of a, b: 70      second best: 80
//!   b vanishes   90    –   80                 c takes over: 80         second best: 80
//!   c too        90    –    –                 nothing more             nothing more
//! ```
//!
//! Only followers that are connected and streaming count; the others might as well not exist. Whether a lack of them
//! blocks the commits or degrades the guarantee is not decided here but by [`super::rules::Unanswered`].

use replisim_history::NodeId;
use smallvec::SmallVec;

/// Whose acknowledgement a commit needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acknowledge {
    /// Nobody's: the commit is done when the leader has it.
    Asynchronous,
    /// That of enough members of a group.
    Quorum(Quorum),
}

/// So many of these followers, by priority or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quorum {
    /// How the members that count are chosen.
    pub choice: Choice,
    /// How many must acknowledge; at least one.
    pub count: u16,
    /// The group, in order of priority. A name that no follower bears is no member.
    pub members: Vec<NodeId>,
}

/// How the members that count are chosen among those that are connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Whoever is fastest.
    Any,
    /// Those listed first. The next one listed takes over when one of them disconnects.
    First,
}

impl Quorum {
    /// Up to where commits are acknowledged, if `reached` tells how far each connected, streaming follower has come.
    /// `None` if too few of the group are connected.
    pub fn acknowledged(&self, reached: impl Fn(NodeId) -> Option<u64>) -> Option<u64> {
        let connected = self.members.iter().filter_map(|member| reached(*member));
        let mut reached: SmallVec<[u64; 8]> = SmallVec::new();
        match self.choice {
            Choice::Any => reached.extend(connected),
            Choice::First => reached.extend(connected.take(self.needed())),
        }
        reached.sort_unstable_by(|a, b| b.cmp(a));
        reached.get(self.needed() - 1).copied()
    }

    /// How many members' acknowledgements a commit needs.
    pub fn needed(&self) -> usize {
        usize::from(self.count.max(1))
    }

    /// Whether `follower` belongs to the group.
    #[inline]
    pub fn contains(&self, follower: NodeId) -> bool {
        self.members.contains(&follower)
    }

    /// The first member is found too slow: it moves to the end of the list, and the next one takes its place.
    pub fn demote_first(&mut self) {
        if !self.members.is_empty() {
            self.members.rotate_left(1);
        }
    }
}

impl Acknowledge {
    /// Whether `follower`'s reports decide when commits are acknowledged.
    #[inline]
    pub fn listens_to(&self, follower: NodeId) -> bool {
        match self {
            Acknowledge::Asynchronous => false,
            Acknowledge::Quorum(quorum) => quorum.contains(follower),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a quorum of three makes of how far its members have come; `None` for one that is not connected.
    fn acknowledged(choice: Choice, count: u16, reached: [Option<u64>; 3]) -> Option<u64> {
        let quorum = Quorum { choice, count, members: (0..3).map(NodeId).collect() };
        quorum.acknowledged(|member| reached[member.index()])
    }

    #[test]
    fn any_counts_the_fastest() {
        let reached = [Some(90), Some(70), Some(80)];
        assert_eq!(acknowledged(Choice::Any, 1, reached), Some(90));
        assert_eq!(acknowledged(Choice::Any, 2, reached), Some(80));
        assert_eq!(acknowledged(Choice::Any, 3, reached), Some(70));
    }

    #[test]
    fn first_counts_those_listed_first_however_slow() {
        let reached = [Some(10), Some(70), Some(80)];
        assert_eq!(acknowledged(Choice::First, 1, reached), Some(10));
        assert_eq!(acknowledged(Choice::First, 2, reached), Some(10));
    }

    #[test]
    fn the_next_listed_takes_over_from_one_that_is_gone() {
        assert_eq!(acknowledged(Choice::First, 1, [None, Some(70), Some(80)]), Some(70));
        assert_eq!(acknowledged(Choice::First, 2, [None, Some(70), Some(80)]), Some(70));
    }

    #[test]
    fn too_few_acknowledge_nothing() {
        assert_eq!(acknowledged(Choice::First, 2, [None, None, Some(80)]), None);
        assert_eq!(acknowledged(Choice::Any, 1, [None; 3]), None);
    }

    #[test]
    fn a_demoted_member_goes_to_the_end() {
        let mut quorum = Quorum { choice: Choice::First, count: 1, members: (0..3).map(NodeId).collect() };
        quorum.demote_first();
        assert_eq!(quorum.members, [NodeId(1), NodeId(2), NodeId(0)]);
    }
}
