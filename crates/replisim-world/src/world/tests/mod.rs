//! The world under a process that only listens and talks: what arrives when, what breaks how, and what a fork does.

mod faults;

use std::collections::BTreeSet;
use std::fmt;

use replisim_history::{NodeId, OpKind, Outcome, Position, Reason, Seen};
use replisim_kernel::{Concern, Distribution, Probability, SimTime, Span};

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
    Action, Arrival, ClientGroup, ClockSpec, Cluster, Fault, Offset, OldLeader, ScriptedOp, Service, Target, Topology,
    Trigger, Unsynced, Wire,
};

/// Connects to the next node, sends it a number every 100 ms, keeps what it hears, and answers every request. Gives up if
/// its disk fails, and goes on asking for something.
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
        cx.sync();
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
            Input::DiskFailed(_) => {
                cx.exit("the disk has failed");
                cx.sync();
            }
            Input::Message { .. } | Input::Opened { .. } | Input::Synced { .. } | Input::Operator(_) => {}
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

/// For how many milliseconds nothing was heard at most.
fn silence(world: &World<Talker>) -> u64 {
    heard(world).windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap()
}

fn assert_in_order(world: &World<Talker>) {
    let words: Vec<u32> = heard(world).iter().map(|(_, word)| *word).collect();
    assert_eq!(words, (1..=words.len() as u32).collect::<Vec<_>>(), "nothing is lost and nothing overtakes");
}

fn lose(host: &str) -> Action {
    Action::LoseHost { host: named(host), unsynced: Unsynced::Lost, wire: Wire::Arrives }
}

#[test]
fn a_healed_cut_is_felt_later_than_the_heal() {
    // Measured on Linux: a cut of 14 s is felt for 26.5 s, one of 6 s for 6.4 to 6.8 s.
    for (length, felt) in [(14, 25_400..=26_600), (6, 6_100..=6_800)] {
        let world = after(two(vec![cut(1, 1 + length)]), 59);
        let silence = silence(&world);
        assert!(felt.contains(&silence), "a cut of {length} s was felt for {silence} ms");
        assert_in_order(&world);
    }
}

#[test]
fn what_is_lost_on_a_held_link_comes_a_round_trip_after_the_hold() {
    let link = || (named("n1"), named("n2"));
    let hold = during(2, 4, Action::Hold { link: link() });
    let lossy = during(2, 4, Action::Lossy { link: link(), loss: Probability::ALWAYS });
    let silence = silence(&after(two(vec![hold, lossy]), 20));
    assert!((2_300..2_400).contains(&silence), "{silence}");
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
    let world = after(two(vec![during(2, 5, lose("n2"))]), 20);
    let closed = &world.process(NodeId(0)).unwrap().closed;
    assert_eq!(closed.len(), 1, "{closed:?}");
    let (at, why) = closed[0];
    assert_eq!(why, Closing::Reset);
    assert!(
        (5_000..9_000).contains(&at),
        "the next retransmission after the host is back meets a kernel that knows of nothing: {at}"
    );
}

/// Its kernel would have refused a connection that nobody waits for any more.
#[test]
fn a_host_without_power_answers_nothing() {
    let world = after(two(vec![Fault::At(Span::millis(30), lose("n1"))]), 5);
    assert!(world.process(NodeId(1)).unwrap().closed.is_empty(), "the answer to its first packet comes at 40 ms");
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
    let lose = || Fault::At(Span::secs(2), lose("n1"));
    let honest = after(two(vec![lose()]), 3);
    let lied = after(two(vec![lying, lose()]), 3);
    assert!(honest.nodes[0].journal.end() >= 19);
    assert!(lied.nodes[0].journal.end() <= 10);
}

#[test]
fn a_paused_host_hears_everything_later() {
    let world = after(two(vec![Fault::During(Span::secs(2), Span::secs(4), Action::Pause(named("n2")))]), 10);
    let silence = silence(&world);
    assert!((1_900..=2_100).contains(&silence), "{silence}");
}

#[test]
fn what_arrives_as_a_host_moves_again_is_handled_behind_what_waited() {
    let pause = Fault::During(Span::secs(2), Span::millis(4_020), Action::Pause(named("n2")));
    let world = after(two(vec![pause]), 10);
    assert_eq!(heard(&world).iter().filter(|(at, _)| *at == 4_020).count(), 21);
    assert_in_order(&world);
}

#[test]
fn a_process_waits_for_nothing_that_was_asked_of_its_last_life() {
    for end in [Action::Kill(named("n2")), lose("n2")] {
        let slow = Action::SlowCpu { host: named("n2"), factor: 1_000 };
        let mut plan = blueprint(vec![during(2, 50, slow), during(6, 7, end.clone())]);
        plan.cluster.service.message = Distribution::Constant(Span::millis(1));
        let world = after(World::new(plan, SEED), 12);
        assert!(!heard(&world).is_empty(), "{end}: by 6 s it has work for 40 s, of which nothing is left");
    }
}

#[test]
fn what_starts_at_the_heal_has_its_disk_back() {
    let kill = Fault::At(Span::secs(2), Action::Kill(named("n1")));
    let full = Fault::At(Span::secs(3), Action::FullDisk(named("n1")));
    let mut world = two(vec![kill, full]);
    while world.step() {}
    assert!(world.process(NodeId(0)).is_some(), "it has synced as it booted");
}

#[test]
fn nothing_is_done_of_what_a_process_asks_for_after_its_exit() {
    let full = during(2, 3, Action::FullDisk(named("n1")));
    let start = Fault::At(Span::secs(4), Action::Start(named("n1")));
    let mut world = after(two(vec![full, start]), 3);
    assert!(world.process(NodeId(0)).is_none(), "it has given up");
    world.run_until(SimTime::ZERO + Span::secs(10));
    let journal = &world.nodes[0].journal;
    let volatile = journal.end() - journal.durable();
    assert!(volatile <= 1, "{volatile} records are not synced: the disk is not busy with the last life's sync");
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
    let drawn = |faults| {
        let mut plan = blueprint(faults);
        plan.cluster.links.between_zones = Distribution::Exponential { mean: Span::millis(20) };
        after(World::new(plan, SEED), 30)
    };
    let link = (named("n2"), Target::Clients);
    let slow = Action::Slow { link, by: Distribution::Exponential { mean: Span::millis(20) } };
    let (slowed, untouched) = (drawn(vec![Fault::At(Span::secs(1), slow)]), drawn(Vec::new()));
    assert_ne!(asked(&slowed), asked(&untouched));
    assert_eq!(heard(&slowed), heard(&untouched), "n1's link with n2 has the same luck");
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
    for other in [kill(), lose("n2"), Action::Restart(named("n2"))] {
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

#[test]
fn the_end_of_a_kill_starts_nobody_who_was_not_started() {
    let mut plan = blueprint(vec![during(1, 2, Action::Kill(named("n2")))]);
    plan.members[1].starts = false;
    assert!(after(World::new(plan, SEED), 3).process(NodeId(1)).is_none());
}

#[test]
fn a_script_begins_no_earlier_than_its_group() {
    let line = |at| ScriptedOp { at: Span::secs(at), op: OpKind::Write, key: 1, parts: Vec::new(), reads: None };
    let mut plan = blueprint(Vec::new());
    plan.clients[0].from = Span::secs(3);
    plan.clients[0].script = vec![vec![line(1), line(2)], vec![line(1), line(5)]];
    let world = after(World::new(plan, SEED), 10);
    let mut begun: Vec<u64> = world.history().operations.iter().map(|op| op.invoked.as_nanos() / 1_000_000).collect();
    begun.sort_unstable();
    assert_eq!((begun.len(), begun[0], begun[1], begun[3]), (4, 3_000, 3_000, 5_000), "{begun:?}");
}

#[test]
fn an_application_server_without_power_sends_nothing() {
    let world = after(two(vec![during(2, 20, lose("app1"))]), 40);
    let outcomes = |from, to| {
        let within = (SimTime::ZERO + Span::secs(from))..(SimTime::ZERO + Span::secs(to));
        let begun = world.history().operations.iter().filter(move |op| within.contains(&op.invoked));
        begun.map(|op| op.outcome).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(3, 20), [Outcome::Fail(Reason::Timeout); 6], "three after one another, of either session");
    assert!(outcomes(25, 35).iter().all(|outcome| outcome.is_ok()));
}

/// When each operation began and ended.
fn times(world: &World<Talker>) -> Vec<(SimTime, SimTime)> {
    world.history().operations.iter().map(|op| (op.invoked, op.completed)).collect()
}

/// An application server has no process that could start and no disk: it loses its power or its links, or nothing befalls
/// its sessions.
#[test]
fn faults_of_processes_and_hosts_pass_over_application_servers() {
    let mut untouched = two(Vec::new());
    while untouched.step() {}
    for whom in ["clients", "app1", "local/a", "local", "n1, clients"] {
        let only_servers = ["clients", "app1"].contains(&whom);
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
            let mut world = two(vec![during(2, 4, action.clone())]);
            while world.step() {}
            let late = SimTime::ZERO + Span::secs(20);
            let answered =
                world.history().operations.iter().filter(|op| op.invoked > late && op.outcome.is_ok()).count();
            assert!(answered > 500, "{action}: {answered} are answered after 20 s");
            let strikes_servers = matches!(
                action,
                Action::LoseHost { .. } | Action::Cut { .. } | Action::Isolate(_) | Action::Flapping { .. }
            );
            if only_servers {
                assert_eq!(times(&world) != times(&untouched), strikes_servers, "{action}");
            }
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
