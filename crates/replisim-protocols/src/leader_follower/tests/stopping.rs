//! Replicas that stop replicating, and are not told by anybody but an operator to go on.

use super::*;

const THREE_ATTEMPTS: &str = "source_connect_retry: 1, source_retry_count: 3";

/// The source is away from 2 s to 8 s.
fn source_away(settings: &str) -> Scene<MySql> {
    let mut scene = Scene::<MySql>::new(&format!("({settings})")).lasting(12).fault(during(2_000, 8_000, kill("p")));
    scene.settle = Span::secs(30);
    scene
}

#[test]
fn a_replica_gives_up_after_so_many_attempts_and_goes_on_when_it_is_told_to() {
    let run = source_away(THREE_ATTEMPTS).run();
    let stopped = milestone(&run, "follows nobody until it is told to: 3 attempts").map(secs).expect("it gives up");
    assert!((4.0..4.1).contains(&stopped), "at once, after one second and after two: {stopped}");
    assert_eq!(run.settling.converged_after, None);
    let follow = |node| Action::Follow { node: named(node), leader: named("p") };
    converged(&source_away(THREE_ATTEMPTS).at(10_000, follow("s1")).at(10_000, follow("s2")).run());
}

#[test]
fn a_replica_tries_for_ever_if_no_number_is_set_and_begins_to_count_again_once_it_is_served() {
    converged(&source_away("source_connect_retry: 1, source_retry_count: 0").run());
    let short = |from| during(from, from + 1_500, kill("p"));
    let scene = Scene::<MySql>::new(&format!("({THREE_ATTEMPTS})"));
    converged(&scene.fault(short(2_000)).fault(short(5_000)).fault(short(8_000)).run());
}

#[test]
fn a_replica_that_starts_again_replicates_again() {
    converged(&source_away(THREE_ATTEMPTS).at(9_000, Action::Restart(named("s1, s2"))).run());
}

#[test]
fn a_replica_does_not_ask_again_for_what_is_purged() {
    let settings = "(binlog_expire_logs_seconds: 1, source_connect_retry: 1)";
    let mut scene = Scene::<MySql>::new(settings).lasting(140).fault(during(10_000, 125_000, kill("s1")));
    scene.clients[0].arrive = Arrival::Every(Span::secs(1));
    scene.settle = Span::secs(5);
    let mut world = scene.world();
    world.run_until(SimTime::ZERO + Span::secs(130));
    assert!(world.process(NodeId(1)).expect("s1 runs").upstream.refusal().is_some());
    let stops = world.into_run().milestones.iter().filter(|it| it.text.contains("follows nobody until")).count();
    assert_eq!(stops, 1);
}
