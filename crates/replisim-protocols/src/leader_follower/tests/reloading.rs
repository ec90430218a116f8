//! Settings that change while servers run, and what becomes of what is under way: connections, alarms, commits that wait.

use super::*;

fn set(host: &str, setting: &str, value: &str) -> Action {
    Action::Configure { node: named(host), setting: setting.to_owned(), value: value.to_owned() }
}

/// When a write was first acknowledged after the synchronous standby's host was lost at 5 s.
fn resumed(run: &Run) -> f64 {
    acknowledged(run).map(|write| secs(write.completed)).find(|at| *at > 5.1).expect("commits go on")
}

#[test]
fn a_walsender_gives_a_silent_standby_up_by_the_timeout_that_it_has_now() {
    for before in ["0s", "60s"] {
        let settings = format!(
            "(synchronous_standby_names: \"FIRST 1 (s1, s2)\", wal_sender_timeout: {before:?}, \
            wal_receiver_status_interval: \"1s\")"
        );
        let scene = Scene::<PostgreSql>::new(&settings).lasting(20).at(1_000, set("p", "wal_sender_timeout", "2s"));
        let resumed = resumed(&scene.at(5_000, lose("s1")).run());
        assert!((6.5..9.0).contains(&resumed), "after {before}: {resumed}");
    }
}

/// From 5 s on nothing comes from the primary, whose own timeout is off, too.
#[test]
fn a_standby_gives_a_silent_primary_up_by_the_timeout_that_it_has_now() {
    let settings = "(wal_receiver_timeout: \"0s\", wal_sender_timeout: \"0s\")";
    let given_up = |change: Option<Action>| {
        let cut = Action::OneWay { from: named("p"), to: named("s1") };
        let scene = Scene::<PostgreSql>::new(settings).lasting(20).fault(during(5_000, 15_000, cut));
        let mut world = change.into_iter().fold(scene, |scene, change| scene.at(1_000, change)).world();
        world.run_until(SimTime::ZERO + Span::secs(10));
        world.process(NodeId(1)).expect("s1 runs").current_state() == super::super::state::State::Disconnected
    };
    assert!(!given_up(None));
    assert!(given_up(Some(set("s1", "wal_receiver_timeout", "2s"))));
}

/// The standby that counts from 6 s on has replied to the last record at 5 s, and replies again with its next status report.
#[test]
fn another_name_on_the_list_releases_nobody_before_its_next_reply() {
    let mut scene = Scene::<PostgreSql>::new("(synchronous_standby_names: \"s1\")").lasting(20).at(5_000, lose("s1"));
    scene.clients[0].timeout = Span::secs(20);
    let listed = resumed(&scene.at(6_000, configure("synchronous_standby_names", "s2")).run());
    assert!((9.9..10.1).contains(&listed), "{listed}");
}

const ENDLESS: &str = "rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_timeout: 4294967295";

/// Commits hang from 2 s on, and are told at 5 s to have less patience: the next one has.
#[test]
fn who_waits_keeps_its_patience_until_a_commit_with_less_of_it_releases_all() {
    let hangs = || {
        let scene = Scene::<MySql>::new(&format!("({ENDLESS})")).fault(during(2_000, 9_900, isolate("s1, s2")));
        scene.at(5_000, configure("rpl_semi_sync_source_timeout", "500"))
    };
    assert_eq!(acknowledged_between(&hangs().run(), 2_100, 9_900), 0, "all five sessions wait, and nobody commits");
    let late = ClientGroup { from: Span::secs(6), sessions: 1, ..writers() };
    let run = hangs().clients(late).run();
    let fell_back = milestone(&run, "falls back").map(secs).expect("it falls back");
    assert!((6.49..6.51).contains(&fell_back), "{fell_back}");
    assert!(acknowledged_between(&run, 6_490, 6_520) >= 6, "all who waited are released together");
}

#[test]
fn a_source_that_has_fallen_back_waits_again_when_it_is_switched_on() {
    for switch in ["rpl_semi_sync_source_enabled", "rpl_semi_sync_source_wait_no_replica"] {
        let settings = "(rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_timeout: 1000)";
        let scene = Scene::<MySql>::new(settings).fault(during(2_000, 9_900, isolate("s1, s2")));
        let run = scene.at(5_000, configure(switch, "OFF")).at(5_100, configure(switch, "ON")).run();
        assert!(acknowledged_between(&run, 4_000, 5_000) > 100, "it goes on alone");
        assert_eq!(acknowledged_between(&run, 5_110, 6_090), 0, "{switch}");
    }
}

#[test]
fn who_waits_for_replicas_that_are_not_there_is_released_when_that_is_not_wanted_any_more() {
    let scene = Scene::<MySql>::new(&format!("({ENDLESS})")).fault(during(2_000, 9_900, kill("s1, s2")));
    let run = scene.at(5_000, configure("rpl_semi_sync_source_wait_no_replica", "OFF")).run();
    assert_eq!(acknowledged_between(&run, 2_100, 5_000), 0);
    assert!(acknowledged_between(&run, 5_000, 9_000) > 100);
}

/// Heartbeats come every 30 s, as the two have agreed.
#[test]
fn a_replica_goes_by_the_timeout_that_it_has_connected_with() {
    let mut scene = Scene::<MySql>::new("()").lasting(60).at(2_000, set("s1", "replica_net_timeout", "5"));
    scene.clients[0].until = Some(Span::secs(1));
    let mut world = scene.world();
    world.run_until(SimTime::ZERO + Span::secs(1));
    while world.step() {
        assert!(world.process(NodeId(1)).expect("s1 runs").upstream.serves(), "{}", world.now());
    }
}
