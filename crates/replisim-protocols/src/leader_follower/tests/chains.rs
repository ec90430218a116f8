//! Followers of followers.

use super::*;

#[test]
fn delays_add_up_along_a_chain() {
    let settings = "(primary_conninfo: {\"s2\": \"s1\"})";
    let run = Scene::<PostgreSql>::new(settings).delay(Span::millis(10)).run();
    converged(&run);
    let median = |node: usize| {
        let mut lags: Vec<Span> = run.lags[node].iter().copied().collect();
        lags.sort_unstable();
        lags[lags.len() / 2]
    };
    let at = |ms: u64| Span::millis(ms)..=Span::millis(ms + 1);
    assert!(at(12).contains(&median(1)), "a sync, the way, a sync: {}", median(1));
    assert!(at(23).contains(&median(2)), "and the way and a sync again: {}", median(2));
}

#[test]
fn a_relay_that_writes_its_own_log_hands_its_lag_down() {
    let settings = "(source_host: {\"s2\": \"s1\"}, apply_time: \"5ms\")";
    let run = Scene::<MySql>::new(settings).run();
    converged(&run);
    let least = |node: usize| run.lags[node].iter().copied().min().unwrap();
    assert!(least(1) >= Span::millis(6), "the way and the time to apply: {}", least(1));
    assert!(least(2) >= Span::millis(12), "and both again: {}", least(2));
}

#[test]
fn two_servers_that_follow_each_other_do_not_chatter() {
    let follow = |node, leader| Action::Follow { node: named(node), leader: named(leader) };
    let mut scene = Scene::<PostgreSql>::new("()").at(3_000, follow("p", "s1")).at(3_000, follow("s1", "p"));
    scene.clients.clear();
    let events = scene.run().events;
    assert!(events < 500, "{events} events without a client");
}

#[test]
fn a_replica_that_is_accepted_and_then_refused_asks_again_in_its_own_time() {
    let run = Scene::<MySql>::new("(source_host: {\"s2\": \"s1\"}, source_connect_retry: 1)")
        .fault(during(2_000, 4_000, Action::Kill(named("s2"))))
        .at(3_500, Action::Rot { host: named("s1"), records: 1_000 })
        .run();
    // Before there was a refusal, what could not be read was left out.
    let refusals = run.milestones.iter().filter(|it| it.text.starts_with("refused by s1")).count();
    let seconds = run.simulated.as_nanos() as usize / 1_000_000_000;
    assert!((1..=seconds).contains(&refusals), "refused {refusals} times in {seconds} s");
}

#[test]
fn a_serial_applier_falls_behind() {
    let settings = "(apply_time: \"2ms\", replica_parallel_workers: 1)";
    let run = Scene::<MySql>::new(settings).run();
    let last = *run.lags[1].last().unwrap();
    assert!(last > Span::secs(2), "{last}");
    let parallel = "(apply_time: \"2ms\", replica_parallel_workers: 8)";
    let run = Scene::<MySql>::new(parallel).run();
    assert!(*run.lags[1].last().unwrap() < Span::millis(20));
}

#[test]
fn a_delayed_follower_still_has_what_was_dropped() {
    let settings = "(recovery_min_apply_delay: {\"s2\": \"5s\"})";
    let mut world = Scene::<PostgreSql>::new(settings).at(6_000, Action::DropTable(named("p"))).world();
    world.run_until(SimTime::ZERO + Span::millis(6_020));
    let rows = |world: &World<PostgreSql>, node| {
        let process = world.process(NodeId(node)).unwrap();
        replisim_world::process::Process::contents(process).unwrap().0.len()
    };
    assert!(rows(&world, 1) < 200, "dropped within milliseconds: {}", rows(&world, 1));
    assert!(rows(&world, 2) > 500, "{}", rows(&world, 2));
    world.run_until(SimTime::ZERO + Span::secs(30));
}

/// A MySQL replica holds back from the commit on its own source, a standby from the one on the primary.
#[test]
fn delays_on_purpose_add_up_where_a_relay_commits_what_it_passes_on() {
    fn last<P: Protocol>(settings: &str) -> [u64; 2] {
        let mut scene = Scene::<P>::new(settings);
        scene.clients[0].arrive = Arrival::Every(Span::millis(100));
        let run = scene.run();
        converged(&run);
        [1, 2].map(|node| run.lags[node].iter().next_back().expect("it applies").as_secs_f64().round() as u64)
    }
    let mysql = r#"(source_host: {"s2": "s1"}, source_delay: {"s1": 2, "s2": 2})"#;
    assert_eq!(last::<MySql>(mysql), [2, 4]);
    let postgresql = r#"(primary_conninfo: {"s2": "s1"}, recovery_min_apply_delay: {"s1": "2s", "s2": "2s"})"#;
    assert_eq!(last::<PostgreSql>(postgresql), [2, 2]);
}

#[test]
fn a_backup_and_the_archived_log_bring_a_dropped_table_back() {
    let mut scene = Scene::<PostgreSql>::new("(checkpoint_timeout: \"1s\", wal_segment_size: \"64kB\")")
        .at(2_000, Action::TakeBackup(named("p")))
        .at(6_000, Action::DropTable(named("p")))
        .at(8_000, Action::RestoreTo { node: named("p"), ago: Span::millis(2_100) })
        .at(8_500, Action::Reseed { node: named("s1, s2"), from: named("p") });
    scene.clients[0].until = Some(Span::secs(9));
    let run = scene.run();
    converged(&run);
    let before = |write: &&&Operation| write.completed < SimTime::ZERO + Span::millis(5_890);
    let (lost, written) = (lost(&run), acknowledged_between(&run, 0, 5_890));
    assert!(written > 3_000);
    assert_eq!(lost.iter().filter(before).count(), 0, "what was there before the moment is back");
    assert!(lost.len() > 100, "what came after is gone");
}
