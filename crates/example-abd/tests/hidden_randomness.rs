//! A protocol that draws on chance no seed fixes is caught, and the first event that differs is named.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};

use replisim::history::Survey;
use replisim::lab::fuzz::{DIVERGENCES_MAX, Forgetful, Orders, Share, Subject, Tally, campaign, survey};
use replisim::lab::scenario::Source;
use replisim::prelude::*;
use serde::Deserialize;

/// Tells one other of every request: whichever a hash map happens to hold first.
#[derive(Clone, Debug)]
struct Careless {
    #[expect(clippy::disallowed_types, reason = "this is the mistake that must be found")]
    others: std::collections::HashMap<NodeId, ()>,
    tells: bool,
}

/// What it does that no seed fixes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum Whim {
    /// It goes by the order of a hash map.
    #[default]
    HashOrder,
    /// It tells nobody of anything, but for one process among all that the program ever started.
    OneBootOf(u32),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "Careless")]
struct Settings {
    whim: Whim,
}

/// How many processes with [`Whim::OneBootOf`] were started.
static BOOTS: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy, Hash, Debug)]
struct Heard(Key);

impl Process for Careless {
    type Config = (u16, Whim);
    type Message = Heard;
    type Timer = ();
    type Record = Heard;

    fn boot(cx: &mut Cx<'_, Self>, (replicas, whim): &(u16, Whim)) -> Self {
        let me = cx.me();
        let others = (0..*replicas).map(NodeId).filter(|node| *node != me).map(|node| (node, ())).collect();
        let tells = match whim {
            Whim::HashOrder => true,
            Whim::OneBootOf(number) => BOOTS.fetch_add(1, Ordering::Relaxed) == *number,
        };
        Careless { others, tells }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        if let Input::Request(request) = input {
            if let Some(other) = self.others.keys().next().filter(|_| self.tells) {
                cx.send(*other, Heard(request.op.key().unwrap_or(Key(0))));
            }
            cx.reply(request.id, Reply::fail(Reason::NotServing));
        }
    }

    fn view(&self) -> View {
        View { role: Role::Replica, epoch: 0, applied: Position::ZERO, serving: true }
    }
}

impl Protocol for Careless {
    const NAME: &'static str = "Careless";
    const ABOUT: &'static str = "tells whoever comes first in hash order";
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

/// A campaign of so many runs.
fn careless(whim: &str, runs: u64, jobs: usize) -> (Tally, Survey) {
    let catalog = Catalog::new().with::<Careless>();
    let text = format!("Scenario(cluster: (size: 5), protocol: Careless({whim}), run: \"200ms\", settle: \"1s\")");
    let source = Source::new("careless.ron".to_owned(), text);
    let subjects =
        [Subject::prepare(&source, false, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))];
    let orders = Orders { runs: Some(runs), seed_start: 1, guided: false, jobs, share: Share::ALL };
    let mut tallies = campaign(&subjects, &orders, &mut Forgetful, &mut |_| ControlFlow::Continue(()));
    let survey = survey(&subjects, &tallies, 1);
    (tallies.remove(0), survey)
}

#[test]
fn hash_order_is_caught_and_the_first_event_that_differs_is_named() {
    let (tally, survey) = careless("", 64, 2);
    let [divergence] = survey.subjects[0].divergences.as_slice() else {
        panic!("{:?}", survey.subjects[0].divergences)
    };
    assert!(divergence.event > 0);
    assert_ne!(divergence.one, divergence.other);
    assert!(divergence.one.contains("Heard") && divergence.other.contains("Heard"), "{divergence:?}");
    assert!(!survey.is_fine());
    let (_, kept) = tally.divergences.first_key_value().expect("one is kept");
    assert_eq!((kept.case().seed, divergence.fresh), (divergence.seed, true), "what differed can be run again");
}

#[test]
fn where_every_run_differs_a_few_are_told_and_the_others_counted() {
    let (tally, survey) = careless("", 64 * 12, 2);
    let subject = &survey.subjects[0];
    assert_eq!((subject.divergences.len(), tally.divergences.len()), (DIVERGENCES_MAX, DIVERGENCES_MAX));
    assert!((DIVERGENCES_MAX as u64 + 1..=12).contains(&subject.differing), "{} of 12", subject.differing);
    let told = subject.divergences.iter().map(|divergence| divergence.seed).collect::<Vec<_>>();
    assert!(told.is_sorted(), "the first places first: {told:?}");
    let screen = replisim::report::survey::screen(&survey, None, replisim::report::Style::Plain);
    assert!(screen.contains(&format!("\n  and {} more\n", subject.untold())), "{screen}");
}

/// Of 64 runs the seventeenth is done twice. Its first process alone speaks, and never again.
#[test]
fn what_shows_once_and_never_again_is_not_forgotten() {
    let (_, survey) = careless("whim: OneBootOf(80)", 64, 1);
    let [divergence] = survey.subjects[0].divergences.as_slice() else {
        panic!("{:?}", survey.subjects[0].divergences)
    };
    assert!(divergence.one.contains("ends after") && divergence.other.contains("ends after"), "{divergence:?}");
    assert_ne!(divergence.one, divergence.other);
    assert!(!survey.is_fine());
}
