//! What lasting faults do to hosts and links, and that the heal leaves nothing of it.

use super::*;
use crate::machine::Work;

/// Five hosts on which nothing is left to chance, but to that of faults. They strike at 1 s; the heal is at 3 s. The first
/// one talks to the second, and clients to it.
fn five(actions: impl IntoIterator<Item = Action>) -> World<Talker> {
    let mut blueprint = blueprint(actions.into_iter().map(|action| Fault::At(Span::secs(1), action)).collect());
    let cluster = &mut blueprint.cluster;
    cluster.size = Some(5);
    let delay = || Distribution::Constant(Span::millis(20));
    let links = &mut cluster.links;
    (links.same_host, links.same_zone, links.between_zones) = (delay(), delay(), delay());
    links.bandwidth = Some("1Gbit/s".parse().unwrap());
    cluster.disk.sync = Distribution::Constant(Span::millis(1));
    cluster.service.message = Distribution::Constant(Span::millis(1));
    cluster.service.operation = Distribution::Constant(Span::millis(1));
    let config = |host| (host == 0).then_some(NodeId(1));
    let member =
        |host| Member { name: format!("n{}", host + 1), host, starts: true, replica: true, config: config(host) };
    (blueprint.topology, blueprint.members) = (Topology::resolve(cluster).unwrap(), (0..5).map(member).collect());
    blueprint.run = Span::secs(3);
    World::new(blueprint, SEED)
}

fn at(mut world: World<Talker>, millis: u64) -> World<Talker> {
    world.run_until(SimTime::ZERO + Span::millis(millis));
    world
}

/// Each fault that goes on, as it takes hold of the first host, of its link with the second, or of all.
fn lasting() -> Vec<Action> {
    let (one, link) = (|| named("n1"), || (named("n1"), named("n2")));
    let by = || Distribution::Constant(Span::millis(50));
    vec![
        Action::Slow { link: link(), by: by() },
        Action::Lossy { link: link(), loss: Probability::ALWAYS },
        Action::Duplicating { link: link(), chance: Probability::ALWAYS },
        Action::Reordering { link: link(), chance: Probability::ALWAYS, by: Span::millis(50) },
        Action::Throttled { link: link(), to: "1kbit/s".parse().unwrap() },
        Action::Hold { link: link() },
        Action::Cut { between: link() },
        Action::OneWay { from: one(), to: named("n2") },
        Action::Isolate(one()),
        Action::Halves,
        Action::Bridge(one()),
        Action::MajorityRing,
        Action::Flapping { between: link(), down: Span::millis(400), up: Span::millis(400) },
        Action::Swizzle { step: Span::millis(100) },
        Action::Kill(one()),
        Action::LoseHost { host: one(), unsynced: Unsynced::Lost, wire: Wire::Arrives },
        Action::Pause(one()),
        Action::SlowCpu { host: one(), factor: 1_000_000 },
        Action::SlowDisk { host: one(), by: by() },
        Action::StallDisk(one()),
        Action::LyingSync(one()),
        Action::FullDisk(one()),
        Action::Drift { host: one(), ppm: 100_000 },
        Action::Strobe { host: one(), by: Offset(1_000_000_000), every: Span::millis(300) },
        Action::Freeze(one()),
    ]
}

/// What hosts and links would make of work, of a sync, of a second, of packets.
fn condition(world: &World<Talker>) -> Vec<String> {
    let (mut world, now) = (world.clone(), world.now);
    // By then every processor has done what it has to do.
    let later = now + Span::millis(100);
    let nodes: Vec<NodeId> = world.everybody().collect();
    let mut told = Vec::new();
    for node in &nodes {
        let (up, alive, paused) =
            (world.roster.is_up(*node), world.roster.is_alive(*node), world.roster.is_paused(*node));
        let machine = &mut world.machines[world.roster.host_of(*node)];
        let (stalled, second) = (machine.disk.is_stalled(), machine.clocks.true_span(Span::secs(1)));
        let (work, sync) = (machine.processor.serve(later, *node, Work::Message).since(later), machine.disk.sync(1, 1));
        told.push(format!("{node} {up} {alive} {paused} {stalled} {second} {work} {sync:?}"));
    }
    for (from, to) in nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to))) {
        let fate = world.network.fate(now, from, to, 1_000);
        let (delay, cut) = (fate.arrives.since(now), world.network.is_cut(from, to));
        told.push(format!("{from} {to} {cut} {delay} {} {}", fate.lost, fate.again.is_some()));
    }
    told
}

/// By how much each wall clock is wrong.
fn errors(world: &World<Talker>) -> Vec<i64> {
    world.machines.iter().map(|machine| machine.clocks.wall(world.now).0 - world.now.as_nanos() as i64).collect()
}

#[test]
fn a_lasting_fault_does_something_and_nothing_of_it_is_left_after_the_heal() {
    let (untouched, mut healed) = (at(five([]), 1_200), five([]));
    while healed.step() {}
    for action in lasting() {
        let mut world = at(five([action.clone()]), 1_200);
        let as_before = condition(&world) == condition(&untouched) && errors(&world) == errors(&untouched);
        assert!(!as_before, "{action} does nothing");
        while world.step() {}
        assert_eq!(condition(&world), condition(&healed), "{action}");
    }
}

#[test]
fn nothing_of_two_lasting_faults_is_left_after_the_heal() {
    let mut healed = five([]);
    while healed.step() {}
    let (healed, all) = (condition(&healed), lasting());
    for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
        let mut world = five([one.clone(), other.clone()]);
        while world.step() {}
        assert_eq!(condition(&world), healed, "{one}, {other}");
    }
}

#[test]
fn what_comes_and_goes_strikes_the_same_each_time() {
    let (one, often) = (Target::Random(1), Span::millis(100));
    let flapping = Action::Flapping { between: (one.clone(), Target::Random(2)), down: often, up: often };
    let strobe = Action::Strobe { host: one, by: Offset(1_000_000_000), every: often };
    for action in [flapping, strobe] {
        let world = five([action.clone()]);
        let struck = |step: u64| {
            let world = at(world.clone(), 1_050 + 100 * step);
            (seen(&world), errors(&world))
        };
        for step in 2..18 {
            assert_eq!(struck(step), struck(step % 2), "{action}, step {step}");
        }
        assert_ne!(struck(0), struck(1), "{action}");
    }
}

/// Whom each replica sees.
fn seen(world: &World<Talker>) -> Vec<Vec<u16>> {
    let sees = |one: u16| (0..5).filter(|other| !world.network.is_cut(NodeId(one), NodeId(*other))).collect();
    (0..5).map(sees).collect()
}

#[test]
fn in_a_ring_each_sees_another_majority() {
    let seen = seen(&at(five([Action::MajorityRing]), 1_200));
    assert!(seen.iter().all(|majority| majority.len() == 3), "{seen:?}");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 5, "{seen:?}");
}

#[test]
fn a_bridge_is_all_that_two_halves_share() {
    let mut sizes: Vec<usize> = seen(&at(five([Action::Bridge(named("n1"))]), 1_200)).iter().map(Vec::len).collect();
    assert_eq!((sizes.remove(0), sizes), (5, vec![3; 4]));
}

/// Who is taken back sees those that are, and not those that are still to be.
#[test]
fn a_swizzle_isolates_one_after_the_other_and_takes_them_back() {
    let world = five([Action::Swizzle { step: Span::millis(100) }]);
    for (step, inside) in [5, 4, 3, 2, 0, 0, 0, 2, 3, 4, 5].into_iter().enumerate() {
        let seen = seen(&at(world.clone(), 1_050 + 100 * step as u64));
        let together = seen.iter().filter(|others| others.len() > 1).count();
        assert!(seen.iter().all(|others| [1, together].contains(&others.len())), "step {step}: {seen:?}");
        assert_eq!(together, inside, "step {step}: {seen:?}");
    }
}

#[test]
fn a_flapping_link_comes_and_goes() {
    let flapping =
        Action::Flapping { between: (named("n1"), named("n2")), down: Span::millis(100), up: Span::millis(50) };
    let world = five([flapping]);
    for (millis, cut) in [(1_050, true), (1_120, false), (1_200, true), (1_270, false), (1_300, true)] {
        assert_eq!(at(world.clone(), millis).network.is_cut(NodeId(0), NodeId(1)), cut, "at {millis} ms");
    }
}
