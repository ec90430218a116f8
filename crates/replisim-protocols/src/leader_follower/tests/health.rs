//! With nothing wrong: every profile acknowledges, at the price its rule says, and converges.

use super::*;

#[test]
fn every_profile_acknowledges_and_converges() {
    converged(&Scene::<PostgreSql>::new("()").run());
    converged(&Scene::<MySql>::new("()").run());
    let run = Scene::<LeaderFollower>::new("()").run();
    converged(&run);
    assert!(acknowledged(&run).count() > 10_000 / 4 * 5 / 2, "{}", acknowledged(&run).count());
    assert!(lost(&run).is_empty());
}

#[test]
fn a_commit_takes_what_its_rule_asks_for() {
    // To the leader and back takes 2 ms, its sync 1 ms; to a follower and back 2 ms, its sync 1 ms.
    for (level, expected) in [("Off", 2), ("Local", 3), ("RemoteWrite", 5), ("On", 6), ("RemoteApply", 6)] {
        let settings = format!("(synchronous_commit: {level}, synchronous_standby_names: \"s1\")");
        let mut scene = Scene::<PostgreSql>::new(&settings);
        scene.clients[0].sessions = 1;
        let run = scene.run();
        let mut latencies: Vec<u64> =
            acknowledged(&run).map(|w| w.completed.since(w.invoked).as_nanos() / 1_000_000).collect();
        latencies.sort_unstable();
        assert_eq!(latencies[latencies.len() / 2], expected, "{level}");
    }
}

#[test]
fn any_2_of_3_waits_for_the_second_fastest() {
    let mut scene = Scene::<LeaderFollower>::new("(acknowledge: Any(2))");
    scene.cluster.hosts.insert("s3".to_owned(), "here/a".to_owned());
    for (follower, delay) in [("s1", 1), ("s2", 10), ("s3", 30)] {
        let delay = Some(Distribution::Constant(Span::millis(delay)));
        let spec = replisim_world::spec::LinkSpec { delay, ..Default::default() };
        scene.cluster.links.between.push(("p".to_owned(), follower.to_owned(), spec));
    }
    scene.clients[0].sessions = 1;
    let run = scene.run();
    let latency = acknowledged(&run).nth(100).map(|w| w.completed.since(w.invoked).as_nanos() / 1_000_000);
    assert_eq!(latency, Some(1 + 1 + 10 + 1 + 10 + 1), "to the leader, sync, there, sync, back, back");
}

#[test]
fn a_run_is_the_same_twice_and_after_a_fork() {
    let scene = || {
        let scene = Scene::<PostgreSql>::new("(synchronous_standby_names: \"ANY 1 (*)\")");
        scene.fault(during(2_000, 4_000, lose("s1"))).fault(during(5_000, 6_000, kill("p")))
    };
    let whole = scene().run().fingerprint;
    assert_eq!(scene().run().fingerprint, whole);
    let mut world = scene().world();
    world.run_until(SimTime::ZERO + Span::millis(5_500));
    let mut fork = world.clone();
    while fork.step() {}
    assert_eq!(fork.fingerprint(), whole);
}

#[test]
fn followers_resume_after_kills_cuts_and_lost_hosts() {
    let scene = Scene::<PostgreSql>::new("(wal_retrieve_retry_interval: \"500ms\")")
        .fault(during(1_000, 2_000, kill("s1")))
        .fault(during(3_000, 4_000, isolate("s2")))
        .fault(during(5_000, 6_000, lose("s1")))
        .fault(during(7_000, 8_000, lose("p")));
    let run = scene.run();
    converged(&run);
    assert!(lost(&run).is_empty());
}

#[test]
fn a_torn_tail_is_dropped_and_nothing_acknowledged_with_it() {
    let torn = Action::LoseHost { host: named("p"), unsynced: Unsynced::Torn, wire: Wire::Discarded };
    for seed in 0..20 {
        let mut scene = Scene::<PostgreSql>::new("()").fault(during(3_000, 4_000, torn.clone()));
        scene.seed = seed;
        let run = scene.run();
        converged(&run);
        assert!(lost(&run).is_empty());
    }
}

/// What was written is in the page cache, the disk stands still, and the host is lost: a reader must not have seen it.
#[test]
fn a_replica_shows_what_is_on_its_disk_and_no_more_if_every_commit_is_synced() {
    let shown = |sync_binlog: u32| {
        let scene = Scene::<MySql>::new(&format!("(sync_binlog: {sync_binlog})"));
        let mut world = scene.fault(during(2_000, 8_000, Action::StallDisk(named("s1")))).world();
        world.run_until(SimTime::ZERO + Span::secs(5));
        replisim_world::process::Process::view(world.process(NodeId(1)).expect("s1 runs")).applied.index
    };
    let (synced, unsynced) = (shown(1), shown(0));
    assert!(synced * 2 < unsynced, "{synced} {unsynced}");
}

/// At 5 s the source's power fails for a second: no word of that reaches a replica, which has nothing to send. What is
/// written from 7 s on it gets when it has connected again, 10 s after it last heard something.
#[test]
fn a_replica_notices_a_source_that_has_fallen_silent_after_its_timeout_and_no_sooner() {
    let settings = "(replica_net_timeout: 10, source_connect_retry: 1)";
    let mut scene = Scene::<MySql>::new(settings).lasting(30).fault(during(5_000, 6_000, lose("p")));
    scene.clients[0].until = Some(Span::secs(4));
    let run = scene.clients(ClientGroup { from: Span::secs(7), ..writers() }).run();
    let longest = run.lags[1].iter().copied().max().expect("the replica applies");
    assert!((Span::millis(6_900)..Span::millis(7_100)).contains(&longest), "{longest}");
    converged(&run);
}

#[test]
fn an_idle_source_is_heard_of_so_that_its_replicas_stay() {
    let mut scene = Scene::<MySql>::new("(replica_net_timeout: 2)").lasting(60);
    scene.clients[0].until = Some(Span::secs(1));
    let mut world = scene.world();
    world.run_until(SimTime::ZERO + Span::secs(1));
    while world.step() {
        let replica = world.process(NodeId(1)).expect("s1 runs");
        assert!(replica.upstream.serves(), "{}", world.now());
    }
}
