//! A mistake to look at: a protocol that draws on chance which no seed fixes.
//!
//! It tells others in the order of a hash set, which is another one in every process of the operating system, and in every
//! set of one process. Two runs of one plan part as soon as somebody is told of something, and no case of it replays. The
//! lint against hash sets that this workspace has (`clippy.toml`) names the place; without it, `fuzz` finds that runs
//! differ, and at which event, for it does one run in 64 twice:
//!
//! ```text
//! cargo run --release -p example-abd -- fuzz Careless --runs 64
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use replisim::prelude::*;
use serde::Deserialize;

/// Tells others of every request: the first of a hash set, or all in its order.
#[derive(Clone, Debug)]
pub struct Careless {
    others: Vec<NodeId>,
    /// How many it tells.
    tells: usize,
}

/// What it does that no seed fixes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum Whim {
    /// It tells whoever comes first in the order of a hash set.
    #[default]
    HashOrder,
    /// It tells everybody, in the order of a hash set: all hear the same, and at the same times.
    HashOrderOfAll,
    /// It tells nobody of anything, but for one process among all that the program ever started.
    OneBootOf(u32),
}

/// What a scenario may say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "Careless")]
pub struct Settings {
    /// Which mistake it makes.
    pub whim: Whim,
}

/// How many processes with [`Whim::OneBootOf`] were started.
static BOOTS: AtomicU32 = AtomicU32::new(0);

/// Somebody asked for this key.
#[derive(Clone, Copy, Hash, Debug)]
pub struct Heard(Key);

impl Process for Careless {
    type Config = (u16, Whim);
    type Message = Heard;
    type Timer = ();
    type Record = Heard;

    fn boot(cx: &mut Cx<'_, Self>, (replicas, whim): &(u16, Whim)) -> Self {
        let me = cx.me();
        let others = (0..*replicas).map(NodeId).filter(|node| *node != me).collect();
        let tells = match whim {
            Whim::HashOrder => 1,
            Whim::HashOrderOfAll => usize::from(*replicas),
            Whim::OneBootOf(number) => usize::from(BOOTS.fetch_add(1, Ordering::Relaxed) == *number),
        };
        Careless { others, tells }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        if let Input::Request(request) = input {
            for other in in_hash_order(&self.others).into_iter().take(self.tells) {
                cx.send(other, Heard(request.op.key().unwrap_or(Key(0))));
            }
            cx.reply(request.id, Reply::fail(Reason::NotServing));
        }
    }

    fn view(&self) -> View {
        View { role: Role::Replica, epoch: 0, received: Position::ZERO, applied: Position::ZERO, serving: true }
    }
}

#[expect(clippy::disallowed_types, reason = "this is the mistake that is to be found")]
fn in_hash_order(nodes: &[NodeId]) -> impl IntoIterator<Item = NodeId> {
    nodes.iter().copied().collect::<std::collections::HashSet<_>>()
}

impl Protocol for Careless {
    const NAME: &'static str = "Careless";
    const ABOUT: &'static str = "tells others in hash order";
    type Settings = Settings;

    fn assemble(settings: &Settings, topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let config = (topology.hosts.len() as u16, settings.whim);
        let member = |(host, name): (usize, String)| Member { name, host, starts: true, replica: true, config };
        Ok(topology.hosts.iter().map(|host| host.name.clone()).enumerate().map(member).collect())
    }

    fn supports(_: &Settings, _: OpKind) -> bool {
        true
    }

    fn promises(_: &Settings, _: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        BTreeMap::new()
    }

    fn summary(_: &Settings) -> String {
        String::new()
    }
}

impl Payload for Heard {}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Heard {}", self.0)
    }
}
