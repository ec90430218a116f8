//! Whom to ask: the leader, any follower, the nearest replica.

use replisim_history::NodeId;
use replisim_kernel::share;

use crate::clock::WallTime;

/// What routing may look at.
pub(crate) struct Sight<'a> {
    /// Every replica, in order of address.
    pub replicas: &'a [NodeId],
    /// Every node's name.
    pub names: &'a [String],
    /// The usual delay from the application server to each replica, in nanoseconds.
    pub distance: &'a dyn Fn(NodeId) -> u64,
    /// What the application server's wall clock shows.
    pub wall: WallTime,
}

/// One choice of a node.
pub(crate) struct Router<'a> {
    pub leader: Option<NodeId>,
    pub choice: u64,
    /// How often it was tried already: each time the choice is the next one that fits.
    pub turn: u8,
    pub sight: &'a Sight<'a>,
}

impl Router<'_> {
    /// Whoever is believed to lead; where nobody does, any replica.
    pub fn leader(&self) -> NodeId {
        self.leader.unwrap_or_else(|| self.any())
    }

    /// Any replica.
    pub fn any(&self) -> NodeId {
        self.pick(self.sight.replicas.len(), |_| true)
    }

    /// Any replica but the leader; the leader if there is no other.
    pub fn follower(&self) -> NodeId {
        let followers = self.sight.replicas.iter().filter(|node| Some(**node) != self.leader).count();
        match followers {
            0 => self.leader(),
            count => self.pick(count, |node| Some(node) != self.leader),
        }
    }

    /// The replica with the shortest way, the first of several.
    pub fn nearest(&self) -> NodeId {
        let nearest = self.sight.replicas.iter().min_by_key(|node| (self.sight.distance)(**node));
        *nearest.expect("a cluster has a replica")
    }

    /// The replica of this name; the leader if there is none.
    pub fn named(&self, name: &str) -> NodeId {
        let named = self.sight.replicas.iter().find(|node| self.sight.names[node.index()] == name);
        named.copied().unwrap_or_else(|| self.leader())
    }

    /// One of the `count` replicas that fit.
    fn pick(&self, count: usize, fits: impl Fn(NodeId) -> bool) -> NodeId {
        let nth = share(self.choice, count as u64) as usize + usize::from(self.turn);
        let mut fitting = self.sight.replicas.iter().copied().filter(|node| fits(*node));
        fitting.nth(nth % count).expect("the count is of replicas that fit")
    }
}

impl Sight<'_> {
    /// The replica after this one, in a circle.
    pub fn after(&self, node: NodeId) -> NodeId {
        let at = self.replicas.iter().position(|other| *other == node).map_or(0, |at| at + 1);
        self.replicas[at % self.replicas.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_asks_the_next_one() {
        let (replicas, names) = ([0, 1, 2].map(NodeId), ["p", "s1", "s2"].map(str::to_owned));
        let sight = Sight { replicas: &replicas, names: &names, distance: &|_| 0, wall: WallTime(0) };
        let follower = |turn| Router { leader: Some(NodeId(0)), choice: 0, turn, sight: &sight }.follower();
        assert_eq!([0, 1, 2].map(follower), [1, 2, 1].map(NodeId));
    }
}
