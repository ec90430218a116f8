//! The states that a server is said to be in.

use replisim_world::process::Process;

use super::*;

/// The names of all states that any server was in, after any event of the run.
fn reached<P: Protocol>(scene: Scene<P>) -> Vec<&'static str> {
    let mut world = scene.world();
    let mut seen = vec![false; P::STATES.len()];
    while world.step() {
        for process in (0..3).filter_map(|node| world.process(NodeId(node))) {
            seen[usize::from(process.state())] = true;
        }
    }
    P::STATES.iter().zip(seen).filter(|(_, seen)| *seen).map(|(name, _)| *name).collect()
}

fn following(node: &str, leader: &str) -> Action {
    Action::Follow { node: named(node), leader: named(leader) }
}

#[test]
fn a_server_can_be_in_every_state_that_has_a_name() {
    let slow = Action::SlowDisk { host: named("s1"), by: Distribution::Constant(Span::millis(50)) };
    let waiting = Scene::<PostgreSql>::new("(synchronous_standby_names: \"s1\")")
        .fault(during(500, 900, slow))
        .fault(during(1_000, 1_500, kill("s1")))
        .fault(during(1_000, 1_500, kill("s2")))
        .at(2_000, Action::Demote(named("s2")))
        .at(2_500, Action::Wipe(named("p")));
    let alone = Scene::<MySql>::new(
        "(rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_timeout: 50, apply_time: \"5ms\")",
    )
    .fault(during(1_000, 1_500, isolate("s1")))
    .fault(during(1_000, 1_500, isolate("s2")))
    .at(2_000, promote("s1"));
    let dropped = "(retain: Records(0), checkpoint_interval: \"100ms\", silence_max: \"300ms\", \
        retry_interval: \"100ms\", data_size: \"100MB\")";
    let dropped = Scene::<LeaderFollower>::new(dropped)
        .fault(during(500, 2_000, isolate("s1")))
        .at(3_000, Action::Reseed { node: named("s1"), from: named("p") })
        .at(4_000, isolate("s2"));
    let diverged = Scene::<LeaderFollower>::new("(silence_max: \"300ms\")")
        .at(1_000, Action::Promote(named("s1")))
        .at(1_500, following("p", "s1"))
        .at(2_500, Action::Rewind { node: named("p"), leader: named("s1") });
    let runs = [
        reached(waiting.lasting(3)),
        reached(alone.lasting(3)),
        reached(dropped.lasting(5)),
        reached(diverged.lasting(4)),
    ];
    let names = <LeaderFollower as Process>::STATES;
    let never: Vec<_> = names.iter().filter(|name| !runs.iter().any(|run| run.contains(name))).collect();
    assert!(never.is_empty(), "never reached: {never:?}");
}
