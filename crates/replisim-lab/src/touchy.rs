//! A protocol that panics wherever it is told to, or never lets time go on: what the tests of several rooms run.

use std::collections::BTreeMap;
use std::fmt;

use replisim_history::{Check, Contents, Lineage, OpKind, Position, Promise};
use replisim_kernel::Span;
use replisim_world::process::{Cx, Input, Payload, Process, Reply, Role, View};
use replisim_world::protocol::{Circumstances, Member, Problem, Protocol};
use replisim_world::spec::Topology;
use serde::Deserialize;

use crate::scenario::Source;
use crate::{Catalog, Experiment};

/// Answers everything, until it panics.
#[derive(Clone, Debug)]
pub(crate) struct Touchy {
    at: Where,
    requests: u32,
}

/// Where it panics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) enum Where {
    #[default]
    Nowhere,
    Boot,
    Reboot,
    Request,
    View,
    Contents,
    Printing,
    /// On its twentieth request or as it starts again, with the same words.
    Twice,
    /// It does not panic, but from then on sets a timer to no time at all, again and again.
    Standstill,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "Touchy")]
pub(crate) struct Settings {
    at: Where,
}

#[derive(Clone, Hash, Debug)]
pub(crate) struct Word(bool);

impl Process for Touchy {
    type Config = Where;
    type Message = Word;
    type Timer = ();
    type Record = Word;

    fn boot(cx: &mut Cx<'_, Self>, at: &Where) -> Self {
        let again = cx.journal().end() > 0;
        assert!(*at != Where::Boot, "cannot start");
        assert!(!(*at == Where::Reboot && again), "cannot start again");
        assert!(!(*at == Where::Twice && again), "one of two");
        cx.append(Word(true));
        cx.sync();
        Touchy { at: *at, requests: 0 }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        if self.at == Where::Standstill && self.requests >= 3 {
            cx.set_timer((), Span::ZERO);
        }
        let Input::Request(request) = input else { return };
        self.requests += 1;
        assert!(self.at != Where::Request || self.requests < 3, "{} requests\nare too many", self.requests);
        assert!(self.at != Where::Twice || self.requests < 20, "one of two");
        cx.send(cx.me(), Word(self.at == Where::Printing));
        cx.reply(request.id, Reply::ok(Default::default(), Position::ZERO, Position::ZERO));
    }

    fn view(&self) -> View {
        assert!(self.at != Where::View || self.requests < 3, "nobody may look");
        View { role: Role::Replica, epoch: 0, received: Position::ZERO, applied: Position::ZERO, serving: true }
    }

    fn contents(&self) -> Option<(&Contents, &Lineage)> {
        assert!(self.at != Where::Contents, "nobody may read");
        None
    }
}

impl Payload for Word {}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(!self.0, "cannot be printed");
        f.write_str("Word")
    }
}

impl Protocol for Touchy {
    const NAME: &'static str = "Touchy";
    const ABOUT: &'static str = "panics";
    type Settings = Settings;

    fn assemble(settings: &Settings, topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let config = settings.at;
        let member = |(host, name): (usize, String)| Member { name, host, starts: true, replica: true, config };
        Ok(topology.hosts.iter().map(|host| host.name.clone()).enumerate().map(member).collect())
    }

    fn supports(_: &Settings, _: OpKind) -> bool {
        true
    }

    /// Nothing, and not even that it does not panic.
    fn promises(_: &Settings, _: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        Check::ALL.into_iter().map(|check| (check, Promise::NotPromised("it is touchy".to_owned()))).collect()
    }

    fn summary(_: &Settings) -> String {
        String::new()
    }
}

/// A second of two replicas, one of which is killed and starts again.
pub(crate) fn experiment(at: &str, more: &str) -> Experiment {
    let text = format!(
        "Scenario(
            cluster: (size: 2),
            protocol: Touchy(at: {at}),
            clients: [(sessions: 2, arrive: Every(\"100ms\"))],
            faults: [During(\"300ms\", \"500ms\", Kill(\"n2\"))],
            run: \"1s\",
            {more}
        )"
    );
    let prepared = Experiment::prepare(&Source::new("touchy.ron", text), &Catalog::new().with::<Touchy>());
    prepared.unwrap_or_else(|report| panic!("{}", report.render(false)))
}
