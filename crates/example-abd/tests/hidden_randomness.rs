//! A protocol that draws on chance no seed fixes is caught, and the first event that differs is named.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use replisim::history::Survey;
use replisim::lab::fuzz::{DIVERGENCES_MAX, Forgetful, Orders, Share, Subject, Tally, campaign, survey};
use replisim::lab::scenario::Source;
use replisim::prelude::*;

/// Tells one other of every request: whichever a hash map happens to hold first.
#[derive(Clone, Debug)]
struct Careless {
    #[expect(clippy::disallowed_types, reason = "this is the mistake that must be found")]
    others: std::collections::HashMap<NodeId, ()>,
}

#[derive(Clone, Copy, Hash, Debug)]
struct Heard(Key);

impl Process for Careless {
    type Config = u16;
    type Message = Heard;
    type Timer = ();
    type Record = Heard;

    fn boot(cx: &mut Cx<'_, Self>, replicas: &u16) -> Self {
        let me = cx.me();
        Careless { others: (0..*replicas).map(NodeId).filter(|node| *node != me).map(|node| (node, ())).collect() }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        if let Input::Request(request) = input {
            if let Some(other) = self.others.keys().next() {
                cx.send(*other, Heard(request.op.key().unwrap_or(Key(0))));
            }
            cx.reply(request.id, Reply::fail(Reason::NotServing));
        }
    }

    fn view(&self) -> View {
        View::of(Role::Replica, 0, Position::ZERO, true)
    }
}

impl Protocol for Careless {
    const NAME: &'static str = "Careless";
    const ABOUT: &'static str = "tells whoever comes first in hash order";
    type Settings = ();

    fn assemble((): &(), topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let config = topology.hosts.len() as u16;
        let member = |(host, name): (usize, String)| Member { name, host, starts: true, replica: true, config };
        Ok(topology.hosts.iter().map(|host| host.name.clone()).enumerate().map(member).collect())
    }

    fn supports((): &(), _: OpKind) -> bool {
        true
    }

    fn promises((): &(), _: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        BTreeMap::new()
    }

    fn summary((): &()) -> String {
        String::new()
    }
}

impl Payload for Heard {}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Heard {}", self.0)
    }
}

const CARELESS: &str = "Scenario(cluster: (size: 5), protocol: Careless(), run: \"200ms\", settle: \"1s\")";

/// A campaign of so many runs, with two workers.
fn careless(runs: u64) -> (Tally, Survey) {
    let catalog = Catalog::new().with::<Careless>();
    let source = Source::new("careless.ron".to_owned(), CARELESS.to_owned());
    let subjects =
        [Subject::prepare(&source, false, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))];
    let orders = Orders { runs: Some(runs), seed_start: 1, guided: false, jobs: 2, share: Share::ALL };
    let mut tallies = campaign(&subjects, &orders, &mut Forgetful, &mut |_| ControlFlow::Continue(()));
    let survey = survey(&subjects, &tallies, 1, false);
    (tallies.remove(0), survey)
}

#[test]
fn hash_order_is_caught_and_the_first_event_that_differs_is_named() {
    let (tally, survey) = careless(64);
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
    let (tally, survey) = careless(64 * 12);
    let subject = &survey.subjects[0];
    assert_eq!((subject.divergences.len(), tally.divergences.len()), (DIVERGENCES_MAX, DIVERGENCES_MAX));
    assert!((DIVERGENCES_MAX as u64 + 1..=12).contains(&subject.differing), "{} of 12", subject.differing);
    let told = subject.divergences.iter().map(|divergence| divergence.seed).collect::<Vec<_>>();
    assert!(told.is_sorted(), "the first places first: {told:?}");
    let screen = replisim::report::survey::screen(&survey, None, replisim::report::Style::Plain);
    assert!(screen.contains(&format!("\n  and {} more\n", subject.untold())), "{screen}");
}
