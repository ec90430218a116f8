//! The world under a process that only listens and talks: what arrives when, what breaks how, and what a fork does.

mod faults;

use std::collections::BTreeSet;
use std::fmt;

use replisim_history::{NodeId, OpKind, Outcome, Position, Seen};
use replisim_kernel::{Concern, Distribution, SimTime, Span};

use super::{Blueprint, UnknownConcern, World};
use crate::client::CLIENT;
use crate::disk::DISK;
use crate::fault::{FAULT, FaultIndex};
use crate::machine::CPU;
use crate::network::LINK;
use crate::node::NODE;
use crate::process::{Closing, Cx, Input, Payload, Process, Reply, Role, StreamId, View};
use crate::protocol::Member;
use crate::simulation::Simulation;
use crate::spec::{
    Action, Arrival, ClientGroup, ClockSpec, Cluster, Fault, Offset, OldLeader, Service, Target, Topology, Trigger,
    Unsynced, Wire,
};

/// Connects to the next node, sends it a number every 100 ms, keeps what it hears, and answers every request.
#[derive(Clone, Debug)]
struct Talker {
    next: Option<NodeId>,
    stream: Option<StreamId>,
    said: u32,
    heard: Vec<(u64, u32)>,
    closed: Vec<(u64, Closing)>,
}

#[derive(Clone, Debug, Hash)]
struct Word(u32);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word {}", self.0)
    }
}

impl Payload for Word {
    fn bytes(&self) -> u32 {
        64
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Speak;

impl Process for Talker {
    type Config = Option<NodeId>;
    type Message = Word;
    type Timer = Speak;
    type Record = Word;

    fn boot(cx: &mut Cx<'_, Self>, next: &Option<NodeId>) -> Self {
        let stream = next.map(|next| cx.connect(next));
        if stream.is_some() {
            cx.set_timer(Speak, Span::millis(100));
        }
        Talker { next: *next, stream, said: 0, heard: Vec::new(), closed: Vec::new() }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        let now = cx.monotonic().0 / 1_000_000;
        match input {
            Input::Timer(Speak) => {
                self.said += 1;
                if let Some(stream) = self.stream {
                    cx.transmit(stream, Word(self.said));
                }
                cx.append(Word(self.said));
                cx.sync();
                cx.set_timer(Speak, Span::millis(100));
            }
            Input::Segment { message: Word(word), .. } => self.heard.push((now, word)),
            Input::Closed { why, .. } => {
                self.closed.push((now, why));
                self.stream = self.next.map(|next| cx.connect(next));
            }
            Input::Request(request) => cx.reply(request.id, Reply::ok(Seen::Nothing, Position::ZERO, Position::ZERO)),
            Input::Message { .. }
            | Input::Opened { .. }
            | Input::Synced { .. }
            | Input::DiskFailed(_)
            | Input::Operator(_) => {}
        }
    }

    fn view(&self) -> View {
        View { role: Role::Replica, epoch: 0, received: Position::ZERO, applied: Position::ZERO, serving: true }
    }
}

const SEED: u64 = 7;

/// Two talkers, the first one talking to the second over 20 ms of wire.
fn two(faults: Vec<Fault>) -> World<Talker> {
    World::new(blueprint(faults), SEED)
}

fn blueprint(faults: Vec<Fault>) -> Blueprint<Talker> {
    let mut cluster = Cluster { size: Some(2), ..Cluster::default() };
    cluster.links.between_zones = Distribution::Constant(Span::millis(20));
    cluster.service = Service {
        operation: Distribution::Constant(Span::ZERO),
        message: Distribution::Constant(Span::ZERO),
        cores: 1,
    };
    let topology = Topology::resolve(&cluster).unwrap();
    let member = |name: &str, host, config| Member { name: name.to_owned(), host, starts: true, replica: true, config };
    let members = vec![member("n1", 0, Some(NodeId(1))), member("n2", 1, None)];
    let clients = vec![ClientGroup { sessions: 2, mix: [(OpKind::Write, 1)].into(), ..ClientGroup::default() }];
    let (run, settle) = (Span::secs(60), Span::secs(1));
    Blueprint { cluster, topology, members, clients, faults, run, settle, trace: false }
}

fn named(name: &str) -> Target {
    Target::Named(name.to_owned())
}

fn cut(from: u64, to: u64) -> Fault {
    Fault::During(Span::secs(from), Span::secs(to), Action::Cut { between: (named("n1"), named("n2")) })
}

fn after(mut world: World<Talker>, secs: u64) -> World<Talker> {
    world.run_until(SimTime::ZERO + Span::secs(secs));
    world
}

fn heard(world: &World<Talker>) -> &[(u64, u32)] {
    &world.process(NodeId(1)).unwrap().heard
}

#[test]
fn a_healed_cut_is_felt_later_than_the_heal() {
    // Measured on Linux: a cut of 14 s is felt for 26.5 s, one of 6 s for 6.4 to 6.8 s.
    for (length, felt) in [(14, 25_400..=26_600), (6, 6_100..=6_800)] {
        let world = after(two(vec![cut(1, 1 + length)]), 59);
        let silence = heard(&world).windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
        assert!(felt.contains(&silence), "a cut of {length} s was felt for {silence} ms");
        let words: Vec<u32> = heard(&world).iter().map(|(_, word)| *word).collect();
        assert_eq!(words, (1..=words.len() as u32).collect::<Vec<_>>(), "nothing is lost and nothing overtakes");
    }
}

#[test]
fn a_killed_process_is_noticed_at_once_and_refuses_until_it_is_back() {
    let world = after(two(vec![Fault::During(Span::secs(2), Span::secs(3), Action::Kill(named("n2")))]), 2);
    let mut world = world;
    world.run_until(SimTime::ZERO + Span::millis(2_500));
    let closed = &world.process(NodeId(0)).unwrap().closed;
    assert_eq!(closed[0], (2_020, Closing::Finished));
    assert!(closed[1..].iter().all(|(_, why)| *why == Closing::Refused) && closed.len() > 3, "{closed:?}");
}

#[test]
fn a_lost_host_is_not_noticed_until_it_is_back() {
    let lose = Action::LoseHost { host: named("n2"), unsynced: Unsynced::Lost, wire: Wire::Arrives };
    let world = after(two(vec![Fault::During(Span::secs(2), Span::secs(5), lose)]), 20);
    let closed = &world.process(NodeId(0)).unwrap().closed;
    assert_eq!(closed.len(), 1, "{closed:?}");
    let (at, why) = closed[0];
    assert_eq!(why, Closing::Reset);
    assert!(
        (5_000..9_000).contains(&at),
        "the next retransmission after the host is back meets a kernel that knows of nothing: {at}"
    );
}

#[test]
fn what_a_killed_process_had_sent_still_arrives_and_a_lost_hosts_packets_may_not() {
    let last_word = |action| {
        let world = after(two(vec![Fault::At(Span::millis(2_005), action)]), 4);
        heard(&world).last().unwrap().1
    };
    let lose = |wire| Action::LoseHost { host: named("n1"), unsynced: Unsynced::Lost, wire };
    assert_eq!(last_word(Action::Kill(named("n1"))), 20);
    assert_eq!(last_word(lose(Wire::Arrives)), 20);
    assert_eq!(last_word(lose(Wire::Discarded)), 19);
}

#[test]
fn a_lost_host_loses_what_was_not_synced() {
    let lying = Fault::At(Span::secs(1), Action::LyingSync(named("n1")));
    let lose = Action::LoseHost { host: named("n1"), unsynced: Unsynced::Lost, wire: Wire::Arrives };
    let honest = after(two(vec![Fault::At(Span::secs(2), lose.clone())]), 3);
    let lied = after(two(vec![lying, Fault::At(Span::secs(2), lose)]), 3);
    assert!(honest.nodes[0].journal.end() >= 19);
    assert!(lied.nodes[0].journal.end() <= 10);
}

#[test]
fn a_paused_host_hears_everything_later() {
    let world = after(two(vec![Fault::During(Span::secs(2), Span::secs(4), Action::Pause(named("n2")))]), 10);
    let silence = heard(&world).windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
    assert!((1_900..=2_100).contains(&silence), "{silence}");
}

#[test]
fn a_fork_goes_on_as_the_original_and_differently_once_reseeded() {
    let mut slow = two(vec![Fault::At(
        Span::secs(1),
        Action::Slow { link: (named("n1"), named("n2")), by: Distribution::Exponential { mean: Span::millis(5) } },
    )]);
    slow.run_until(SimTime::ZERO + Span::secs(5));
    let mut fork = slow.clone();
    let mut other = slow.clone();
    other.reseed(LINK, 1).expect("links draw");
    for world in [&mut slow, &mut fork, &mut other] {
        world.run_until(SimTime::ZERO + Span::secs(30));
    }
    assert_eq!(slow.fingerprint(), fork.fingerprint());
    assert_ne!(slow.fingerprint(), other.fingerprint());
}

/// Each concern in a world that draws for all of them, but for that of processes: a talker draws nothing.
#[test]
fn what_is_reseeded_is_drawn_otherwise_and_the_same_for_the_same_salt() {
    let strikes = |action| Fault::Every(Span::secs(2), Span::millis(300), action);
    let mut blueprint = blueprint(vec![strikes(Action::Pause(Target::Random(1)))]);
    let service = Distribution::Exponential { mean: Span::micros(50) };
    blueprint.cluster.links.between_zones = Distribution::Exponential { mean: Span::millis(20) };
    blueprint.cluster.disk.sync = Distribution::Exponential { mean: Span::millis(2) };
    blueprint.cluster.service = Service { operation: service.clone(), message: service, cores: 1 };
    blueprint.topology = Topology::resolve(&blueprint.cluster).unwrap();
    let begun = after(World::new(blueprint, SEED), 5);
    let chance = |world: &World<Talker>| world.nodes[0].chance.clone().word();
    for concern in [LINK, CLIENT, DISK, CPU, FAULT, NODE] {
        let [plain, one, again, other] = [None, Some(1), Some(1), Some(2)].map(|salt| {
            let mut world = begun.clone();
            if let Some(salt) = salt {
                world.reseed(concern, salt).unwrap();
            }
            let draws = chance(&world);
            (after(world, 30).fingerprint(), draws)
        });
        assert_eq!(one, again, "{concern}");
        if concern == NODE {
            assert!(plain.1 != one.1 && one.1 != other.1, "{concern}");
        } else {
            assert!(plain.0 != one.0 && one.0 != other.0, "{concern}");
            assert_eq!(plain.1, one.1, "{concern}");
        }
    }
}

#[test]
fn a_concern_that_nothing_is_drawn_for_is_refused() {
    let mut world = two(Vec::new());
    let mut untouched = world.clone();
    for concern in ["lnik", "swarm", ""].map(Concern::new) {
        assert_eq!(world.reseed(concern, 1), Err(UnknownConcern(concern)));
    }
    for world in [&mut world, &mut untouched] {
        world.run_until(SimTime::ZERO + Span::secs(5));
    }
    assert_eq!(world.fingerprint(), untouched.fingerprint());
    assert_eq!(UnknownConcern(Concern::new("lnik")).to_string(), "a run under way draws nothing for `lnik`");
}

#[test]
fn time_passes_until_a_run_is_broken_off_and_not_beyond_its_end() {
    let until = |secs| after(two(Vec::new()), secs).into_run();
    assert_eq!(until(7).simulated, Span::secs(7));
    let whole = until(1_000);
    assert!(whole.history.broken_off.is_none() && whole.simulated < Span::secs(62), "{}", whole.simulated);
    let mut quiet = blueprint(Vec::new());
    (quiet.members[0].config, quiet.clients) = (None, Vec::new());
    let quiet = after(World::new(quiet, SEED), 1_000).into_run();
    assert_eq!(quiet.simulated, Span::secs(60) + Span::millis(20), "nothing is left in its queue");
}

#[test]
fn where_nothing_changes_replicas_have_converged_at_the_heal() {
    let run = after(two(vec![cut(1, 50)]), 100).into_run();
    assert_eq!(run.settling.converged_after, Some(Span::ZERO), "talkers hold nothing, all of them");
    assert!(!run.history.unsettled);
}

#[test]
fn one_fault_less_leaves_operations_and_other_links_as_they_were() {
    let kill = Fault::During(Span::secs(2), Span::secs(3), Action::Kill(Target::Random(1)));
    let pause = Fault::During(Span::secs(5), Span::secs(6), Action::Pause(Target::Random(1)));
    let both = after(two(vec![kill, pause.clone()]), 30);
    let one = after(two(vec![pause]), 30);
    let asked = |world: &World<Talker>| {
        let operations = world.history().operations.iter();
        operations.map(|op| (op.session, op.ordinal, op.op.clone())).collect::<BTreeSet<_>>()
    };
    let (both_asked, one_asked) = (asked(&both), asked(&one));
    let shared = both_asked.intersection(&one_asked).count();
    assert!(shared * 100 > one_asked.len() * 95, "{shared} of {} operations are the same", one_asked.len());
    assert!(both_asked.is_subset(&one_asked), "a fault can only keep operations from beginning");
}

#[test]
fn clients_are_answered() {
    let world = after(two(Vec::new()), 10);
    let answered = world.history().operations.iter().filter(|op| op.outcome == Outcome::Ok).count();
    assert!(answered > 900, "half of them 40 ms away: {answered}");
}

/// Answers take up to 40 ms, and for the last third of the minute one session has none.
#[test]
fn what_was_due_and_never_began_is_counted() {
    for every in [10, 1].map(Span::millis) {
        let mut plan = blueprint(vec![cut(40, 60)]);
        plan.clients[0].arrive = Arrival::Every(every);
        let run = Box::new(World::new(plan, SEED)).finish();
        let due = 2 * (Span::secs(60).as_nanos() / every.as_nanos());
        let begun = run.history.operations.len();
        assert_eq!((begun + run.never_begun.len()) as u64, due, "every {every}: {begun} begun");
    }
}

fn during(from: u64, to: u64, action: Action) -> Fault {
    Fault::During(Span::secs(from), Span::secs(to), action)
}

#[test]
fn what_two_faults_do_is_over_when_both_are() {
    let kill = || Action::Kill(named("n2"));
    let lose = || Action::LoseHost { host: named("n2"), unsynced: Unsynced::Lost, wire: Wire::Arrives };
    for other in [kill(), lose(), Action::Restart(named("n2"))] {
        let mut world = after(two(vec![during(2, 9, kill()), during(3, 4, other)]), 8);
        assert!(world.process(NodeId(1)).is_none(), "it is killed until 9 s");
        world.run_until(SimTime::ZERO + Span::secs(9));
        assert!(world.process(NodeId(1)).is_some());
    }
    let freeze = |from, to| during(from, to, Action::Freeze(named("n1")));
    let world = after(two(vec![freeze(2, 4), freeze(3, 6)]), 5);
    assert_eq!(world.machines[0].clocks.wall(world.now).0, 2_000_000_000);
}

#[test]
fn a_drift_comes_on_top_of_what_a_clock_drifts_already_and_leaves_that_to_it() {
    let drift = |from, to| during(from, to, Action::Drift { host: named("n1"), ppm: 100_000 });
    let mut plan = blueprint(vec![drift(2, 4), drift(3, 5)]);
    plan.cluster.clocks.insert("n1".to_owned(), ClockSpec { drift_ppm: 10_000, ..ClockSpec::default() });
    let mut world = World::new(plan, SEED);
    for (secs, gained) in [(2, 20), (3, 130), (4, 340), (5, 450), (6, 460)] {
        world.run_until(SimTime::ZERO + Span::secs(secs));
        let shown = world.machines[0].clocks.wall(SimTime::ZERO + Span::secs(secs)).0;
        assert_eq!(shown / 1_000_000 - 1_000 * secs as i64, gained, "at {secs} s");
    }
}

#[test]
fn a_process_that_is_killed_for_good_starts_when_somebody_starts_it() {
    for start in [Action::Start(named("n2")), Action::Restart(named("n2")), Action::Wipe(named("n2"))] {
        let kill = Fault::At(Span::secs(2), Action::Kill(named("n2")));
        let brief = during(3, 4, Action::Kill(named("n2")));
        let mut world = after(two(vec![kill, brief, Fault::At(Span::secs(6), start)]), 5);
        assert!(world.process(NodeId(1)).is_none(), "no other kill's end undoes it");
        world.run_until(SimTime::ZERO + Span::secs(7));
        assert!(world.process(NodeId(1)).is_some());
    }
}

/// An application server has no process that could start and no disk.
#[test]
fn faults_of_processes_and_hosts_pass_over_application_servers() {
    for whom in ["clients", "app1", "local/a", "local", "n1, clients"] {
        let whom: Target = whom.parse().unwrap();
        let both = || (whom.clone(), named("n1"));
        let actions = [
            Action::Kill(whom.clone()),
            Action::LoseHost { host: whom.clone(), unsynced: Unsynced::Torn, wire: Wire::Discarded },
            Action::Restart(whom.clone()),
            Action::Start(whom.clone()),
            Action::Pause(whom.clone()),
            Action::SlowCpu { host: whom.clone(), factor: 3 },
            Action::Wipe(whom.clone()),
            Action::SlowDisk { host: whom.clone(), by: Distribution::Constant(Span::millis(1)) },
            Action::StallDisk(whom.clone()),
            Action::LyingSync(whom.clone()),
            Action::FullDisk(whom.clone()),
            Action::Rot { host: whom.clone(), records: 3 },
            Action::Snapshot(whom.clone()),
            Action::RestoreSnapshot(whom.clone()),
            Action::Jump { host: whom.clone(), by: Offset(-1_000) },
            Action::Drift { host: whom.clone(), ppm: 100 },
            Action::Strobe { host: whom.clone(), by: Offset(1_000), every: Span::secs(1) },
            Action::Freeze(whom.clone()),
            Action::Failover { to: whom.clone(), old: OldLeader::Fenced },
            Action::Promote(whom.clone()),
            Action::Follow { node: whom.clone(), leader: whom.clone() },
            Action::Rewind { node: whom.clone(), leader: whom.clone() },
            Action::Reseed { node: whom.clone(), from: whom.clone() },
            Action::Demote(whom.clone()),
            Action::DropTable(whom.clone()),
            Action::TakeBackup(whom.clone()),
            Action::RestoreTo { node: whom.clone(), ago: Span::secs(1) },
            Action::Configure { node: whom.clone(), setting: "x".to_owned(), value: "y".to_owned() },
            Action::Cut { between: both() },
            Action::Isolate(whom.clone()),
            Action::Bridge(whom.clone()),
            Action::Flapping { between: both(), down: Span::secs(1), up: Span::secs(1) },
        ];
        for action in actions {
            let mut world = two(vec![during(2, 4, action)]);
            while world.step() {}
        }
    }
}

#[test]
fn a_trigger_that_waits_only_looks() {
    let waiting = |of| {
        let lag = Trigger::Lag { of, over: Span::secs(100) };
        two(vec![Fault::When(lag, Action::Halves)])
    };
    let untouched = after(two(Vec::new()), 30).fingerprint();
    for of in [Target::Followers, Target::MostBehind, Target::Random(1), Target::Several(vec![Target::Minority])] {
        let mut begun = waiting(of);
        let mut later = after(begun.clone(), 30);
        assert_eq!(later.fingerprint(), untouched);
        assert_eq!((later.injector.found.len(), later.injector.armed.len()), (0, 1));
        let draw = |world: &mut World<Talker>| world.injector[FaultIndex(0)].chance.word();
        assert_eq!(draw(&mut begun), draw(&mut later), "it has drawn for its trigger before the run began, if at all");
    }
}
