//! A protocol that does nothing, with settings that can be wrong in every way.

use std::collections::BTreeMap;
use std::fmt;

use replisim_history::{Check, OpKind, Position, Promise};
use replisim_world::process::{Cx, Input, Payload, Process, Role, View};
use replisim_world::protocol::{Circumstances, Member, Problem, Protocol};
use replisim_world::spec::Topology;
use serde::Deserialize;

/// Replicates nothing.
#[derive(Clone, Debug)]
pub(super) struct Toy;

/// Says nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Silence;

/// What can be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "Toy")]
pub(super) struct Settings {
    primary: String,
    commit: Commit,
    /// Names in brackets: `FIRST 1 (s1, s2)`.
    standbys: String,
    keep: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
enum Commit {
    #[default]
    On,
    Local,
}

impl Process for Toy {
    type Config = ();
    type Message = Silence;
    type Timer = ();
    type Record = Silence;

    fn boot(_: &mut Cx<'_, Self>, (): &()) -> Self {
        Toy
    }

    fn on(&mut self, _: &mut Cx<'_, Self>, _: Input<Self>) {}

    fn view(&self) -> View {
        View { role: Role::Replica, epoch: 0, received: Position::ZERO, applied: Position::ZERO, serving: false }
    }
}

impl Payload for Silence {
    fn bytes(&self) -> u32 {
        0
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Protocol for Toy {
    const NAME: &'static str = "Toy";
    const ABOUT: &'static str = "Replicates nothing.";
    type Settings = Settings;

    fn assemble(settings: &Settings, topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let problems = settings.problems(topology);
        if !problems.is_empty() {
            return Err(problems);
        }
        let member = |(host, named): (usize, &replisim_world::spec::Host)| Member {
            name: named.name.clone(),
            host,
            replica: true,
            starts: true,
            config: (),
        };
        Ok(topology.hosts.iter().enumerate().map(member).collect())
    }

    fn set(settings: &mut Settings, name: &str, value: &str) -> Result<(), String> {
        match (name, value) {
            ("commit", "On") => settings.commit = Commit::On,
            ("commit", "Local") => settings.commit = Commit::Local,
            ("commit", _) => return Err("neither On nor Local".to_owned()),
            ("standbys", names) => settings.standbys = names.to_owned(),
            _ => return Err("no such setting, or one that differs between servers".to_owned()),
        }
        Ok(())
    }

    fn supports(_: &Settings, kind: OpKind) -> bool {
        matches!(kind, OpKind::Read | OpKind::Write)
    }

    fn promises(_: &Settings, _: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        BTreeMap::new()
    }

    fn summary(_: &Settings) -> String {
        "a toy".to_owned()
    }
}

impl Settings {
    fn problems(&self, topology: &Topology) -> Vec<Problem> {
        let hosts: Vec<&str> = topology.hosts.iter().map(|host| host.name.as_str()).collect();
        let unknown = |path: &str, within: Option<&str>, host: &str| Problem {
            within: within.map(str::to_owned),
            accepted: Some(format!("hosts are {}", hosts.join(", "))),
            ..Problem::new(path, format!("unknown host `{host}` in {path}"))
        };
        let mut problems = Vec::new();
        if !self.primary.is_empty() && !hosts.contains(&self.primary.as_str()) {
            problems.push(unknown("primary", None, &self.primary));
        }
        let listed = self.standbys.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
        let standbys = listed.split(',').map(str::trim).filter(|name| !name.is_empty());
        problems
            .extend(standbys.filter(|name| !hosts.contains(name)).map(|name| unknown("standbys", Some(name), name)));
        if self.commit == Commit::Local && self.keep == Some(0) {
            problems.push(Problem::new("keep", "nothing is kept, though commits are local"));
        }
        problems
    }
}
