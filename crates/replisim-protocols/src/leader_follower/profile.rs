//! A profile gives the engine a system's name, its settings and its words; and every profile is a protocol of its own.
//!
//! There is one engine and there are several systems. The engine is generic over a [`Profile`], a type that is never
//! made, rather than over a value: a scenario names `PostgreSql` or `MySql`, each with a settings type that accepts
//! exactly that system's words, and the catalog wants a Rust type for each name. What differs at run time is in
//! [`Rules`], which the profile derives from the settings; so the engine is the same code in each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use replisim_history::{Check, NodeId, OpKind, Promise};
use replisim_kernel::Span;
use replisim_world::protocol::{Circumstances, FlawInfo, Member, Problem, Protocol};
use replisim_world::spec::Topology;
use serde::de::DeserializeOwned;

use super::flaw::Flaw;
use super::message::Refusal;
use super::node::Replica;
use super::promise::promises;
use super::rules::Rules;

/// A system that replicates from a leader to followers, in its own words.
pub trait Profile: Clone + fmt::Debug + Send + Sync + 'static {
    /// Its name in a scenario's `protocol:` field.
    const NAME: &'static str;
    /// One sentence about it.
    const ABOUT: &'static str;
    /// What can be set, with the system's own names and defaults.
    type Settings: DeserializeOwned + Clone + Default + fmt::Debug + Send + Sync + 'static;
    /// A scenario of nothing but a swarm and the system's promises.
    const SWARM: &'static str;
    /// The mistakes whose stage this system is.
    const FLAWS: &'static [FlawInfo];

    /// Who leads and who follows whom when the cluster is born: the leader is its root. or all mistakes in the settings at once.
    fn tree(settings: &Self::Settings, servers: &Servers) -> Result<Tree, Vec<Problem>>;

    /// The rules that server `me` goes by. Settings that [`Profile::tree`] refuses are taken as their defaults.
    fn rules(settings: &Self::Settings, servers: &Servers, me: NodeId) -> Rules;

    /// Changes one setting of a running server, if the system allows that.
    fn set(settings: &mut Self::Settings, name: &str, value: &str) -> Result<(), String>;

    /// Whether it understands operations of this kind.
    fn supports(settings: &Self::Settings, kind: OpKind) -> bool;

    /// The settings in a few words.
    fn summary(settings: &Self::Settings) -> String;

    /// The mistake that it is to make, if any.
    fn flaw(settings: &Self::Settings) -> Option<Flaw>;

    /// How the system tells a follower that it cannot be served.
    fn complaint(refusal: Refusal) -> &'static str;
}

/// Who leads and who follows whom when the cluster is born: the leader is its root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    /// Who leads.
    pub leader: NodeId,
    /// Whom each server follows, the leader's own entry apart, by [`NodeId`].
    pub upstreams: Vec<NodeId>,
    /// Who joins later: started by a fault, not with the cluster.
    pub late: Vec<NodeId>,
}

/// The servers of a cluster, by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Servers(Arc<[String]>);

/// What a server is told whenever it starts.
#[derive(Clone, Debug)]
pub struct Config<F: Profile> {
    /// The settings.
    pub settings: Arc<F::Settings>,
    /// Everybody's names.
    pub servers: Servers,
    /// Who is to lead at first.
    pub first_leader: NodeId,
    /// Whom to follow at first; nobody, if it is to lead.
    pub upstream: Option<NodeId>,
}

impl<F: Profile> Protocol for Replica<F> {
    const NAME: &'static str = F::NAME;
    const ABOUT: &'static str = F::ABOUT;
    type Settings = F::Settings;
    const FLAWS: &'static [FlawInfo] = F::FLAWS;

    fn swarm() -> String {
        F::SWARM.to_owned()
    }

    fn assemble(settings: &F::Settings, topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let servers = Servers::of(topology);
        let tree = F::tree(settings, &servers)?;
        let settings = Arc::new(settings.clone());
        let member = |(host, name): (usize, &String)| {
            let me = Member::<Self>::address(host);
            let upstream = (me != tree.leader).then(|| tree.upstreams[host]);
            let starts = !tree.late.contains(&me);
            let (settings, servers) = (settings.clone(), servers.clone());
            let config = Config { settings, servers, first_leader: tree.leader, upstream };
            Member { name: name.clone(), host, replica: true, starts, config }
        };
        Ok(servers.0.iter().enumerate().map(member).collect())
    }

    fn set(settings: &mut F::Settings, name: &str, value: &str) -> Result<(), String> {
        F::set(settings, name, value)
    }

    fn supports(settings: &F::Settings, kind: OpKind) -> bool {
        F::supports(settings, kind)
    }

    fn promises(settings: &F::Settings, circumstances: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        let servers = Servers::of(circumstances.topology);
        let tree = F::tree(settings, &servers).unwrap_or_else(|_| Tree::simple(&servers));
        let rules: Vec<Rules> = servers.all().map(|me| F::rules(settings, &servers, me)).collect();
        promises(&rules, &tree, circumstances)
    }

    fn summary(settings: &F::Settings) -> String {
        let flaw = F::flaw(settings).map(|flaw| format!(", flaw {}", flaw.info().name));
        F::summary(settings) + &flaw.unwrap_or_default()
    }
}

/// The shortest interval that a server can be told to let pass: what is shorter, and is done again each time it is over, would
/// be all that is ever done.
const INTERVAL_MIN: Span = Span::millis(1);

/// The problems with settings that are intervals: those that are shorter than any server would take.
pub fn intervals<'p>(settings: impl IntoIterator<Item = (&'p str, Span)>) -> Vec<Problem> {
    let short = settings.into_iter().filter(|(_, interval)| *interval < INTERVAL_MIN);
    let problem = |(path, _): (&str, Span)| Problem {
        accepted: Some(format!("at least {INTERVAL_MIN}")),
        ..Problem::new(path, "too short an interval")
    };
    short.map(problem).collect()
}

impl Servers {
    /// Servers with these names, numbered in this order.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Servers(names.into_iter().collect())
    }

    /// One server on each host, named after it.
    pub fn of(topology: &Topology) -> Self {
        Servers::new(topology.hosts.iter().map(|host| host.name.clone()))
    }

    /// The server called `name`.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.0.iter().position(|other| other.eq_ignore_ascii_case(name)).map(|index| NodeId(index as u16))
    }

    /// The server called `name`, or the problem at `path` that there is none.
    pub fn expect(&self, name: &str, path: &str) -> Result<NodeId, Problem> {
        self.find(name).ok_or_else(|| Problem {
            within: Some(name.to_owned()),
            accepted: Some(format!("hosts are {}", self.0.join(", "))),
            ..Problem::new(path, format!("unknown host `{name}`"))
        })
    }

    /// The problems with a setting at `path` that is keyed by servers' names: those that no server bears.
    pub fn strangers<'a>(&self, path: &str, names: impl IntoIterator<Item = &'a String>) -> Vec<Problem> {
        let stranger = |name: &String| self.expect(name, &format!("{path}.{name}")).err();
        names.into_iter().filter_map(stranger).collect()
    }

    /// Its name.
    pub fn name(&self, server: NodeId) -> &str {
        self.0.get(server.index()).map_or("?", String::as_str)
    }

    /// How many there are.
    pub fn count(&self) -> u16 {
        self.0.len() as u16
    }

    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = NodeId> {
        (0..self.count()).map(NodeId)
    }

    /// All but `me`, in order.
    pub fn others(&self, me: NodeId) -> impl Iterator<Item = NodeId> {
        self.all().filter(move |other| *other != me)
    }
}

impl Tree {
    /// Everybody follows the server called `leader` (the first one, if that is empty), but for those that `relays`
    /// names with another upstream, and all but those called `late` start with the cluster. Each comes with its setting's
    /// name.
    pub fn new(
        servers: &Servers,
        (leader_path, leader): (&str, &str),
        (relay_path, relays): (&str, &BTreeMap<String, String>),
        (late_path, late): (&str, &[String]),
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut find = |name: &str, path: &str| {
            servers.expect(name, path).unwrap_or_else(|problem| {
                problems.push(problem);
                NodeId(0)
            })
        };
        let leader = if leader.is_empty() { NodeId(0) } else { find(leader, leader_path) };
        let late: Vec<NodeId> = late.iter().map(|name| find(name, late_path)).collect();
        let mut upstreams = vec![leader; usize::from(servers.count())];
        for (follower, upstream) in relays {
            let path = format!("{relay_path}.{follower}");
            upstreams[find(follower, &path).index()] = find(upstream, &path);
        }
        let tree = Tree { leader, upstreams, late };
        problems.extend(tree.strays(servers).map(|stray| {
            let message = format!("`{}` follows itself or others that do, never the leader", servers.name(stray));
            Problem::new(relay_path, message)
        }));
        if tree.late.contains(&tree.leader) && problems.is_empty() {
            problems.push(Problem::new(late_path, "the leader cannot join later"));
        }
        if problems.is_empty() { Ok(tree) } else { Err(problems) }
    }

    /// Everybody follows the first server.
    fn simple(servers: &Servers) -> Self {
        Tree { leader: NodeId(0), upstreams: vec![NodeId(0); usize::from(servers.count())], late: Vec::new() }
    }

    /// The tree, if nothing else is wrong; else all that is.
    pub fn unless(tree: Result<Self, Vec<Problem>>, others: Vec<Problem>) -> Result<Self, Vec<Problem>> {
        match tree {
            Ok(tree) if others.is_empty() => Ok(tree),
            Ok(_) => Err(others),
            Err(problems) => Err(problems.into_iter().chain(others).collect()),
        }
    }

    /// The servers whose chain of upstreams never comes to the leader.
    fn strays(&self, servers: &Servers) -> impl Iterator<Item = NodeId> {
        servers.all().filter(|server| {
            let mut chain = std::iter::successors(Some(*server), |at| Some(self.upstreams[at.index()]));
            !chain.by_ref().take(usize::from(servers.count()) + 1).any(|at| at == self.leader)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers() -> Servers {
        Servers::new(["p", "s1", "s2"].map(str::to_owned))
    }

    fn tree(relays: &[(&str, &str)]) -> Result<Tree, Vec<Problem>> {
        let relays = relays.iter().map(|(follower, upstream)| ((*follower).to_owned(), (*upstream).to_owned()));
        Tree::new(&servers(), ("primary", "p"), ("primary_conninfo", &relays.collect()), ("joining", &[]))
    }

    #[test]
    fn a_chain_hangs_from_the_leader() {
        let tree = tree(&[("s2", "s1")]).unwrap();
        assert_eq!(tree.upstreams[1..], [NodeId(0), NodeId(1)]);
    }

    #[test]
    fn an_interval_that_is_over_at_once_is_refused() {
        let problems = intervals([("zero", Span::ZERO), ("short", Span::micros(999)), ("least", INTERVAL_MIN)]);
        assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), ["zero", "short"]);
    }

    #[test]
    fn unknown_names_and_circles_are_refused_together() {
        let problems = tree(&[("s1", "s2"), ("s2", "s1")]).unwrap_err();
        assert_eq!(problems.len(), 2);
        let problems = tree(&[("s1", "s9")]).unwrap_err();
        assert_eq!(problems[0].message, "unknown host `s9`");
        assert_eq!(problems[0].path, "primary_conninfo.s1");
    }
}
