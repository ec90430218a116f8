//! Commits that wait for synchronous standbys, and what becomes of those whose clients stop waiting.

use super::*;

#[test]
fn without_a_synchronous_standby_commits_hang_for_ever() {
    let names = "(synchronous_standby_names: \"FIRST 1 (s1, s2)\")";
    let both = Action::Isolate(named("s1, s2"));
    let run = Scene::<PostgreSql>::new(names).lasting(200).fault(during(3_000, 190_000, both)).run();
    assert_eq!(acknowledged_between(&run, 3_010, 190_000), 0);
    assert!(milestone(&run, "commits hang").is_some());
    assert!(milestone(&run, "commits go on").is_some());
    assert!(acknowledged_between(&run, 195_000, 200_000) > 0);
}

#[test]
fn a_clean_death_costs_nothing() {
    let names = "(synchronous_standby_names: \"FIRST 1 (s1, s2)\")";
    let run = Scene::<PostgreSql>::new(names).at(3_000, kill("s1")).run();
    assert!(acknowledged_between(&run, 3_000, 3_020) > 0, "s2 takes over at once");
}

/// The walsender ends 60 s after the standby's last reply, and those who wait are released at the next reply of the
/// standby that takes over: its status report, at most 10 s later.
#[test]
fn a_silent_death_costs_the_timeout_and_a_little_more() {
    let names = "(synchronous_standby_names: \"FIRST 1 (s1, s2)\")";
    let run = Scene::<PostgreSql>::new(names).lasting(100).at(3_000, lose("s1")).run();
    assert_eq!(acknowledged_between(&run, 3_010, 62_900), 0);
    let resumed = acknowledged(&run).map(|write| write.completed).find(|at| secs(*at) > 4.0).map(secs).unwrap();
    assert!((62.9..=73.1).contains(&resumed), "{resumed}");
}

#[test]
fn a_changed_setting_releases_those_who_wait() {
    let scene = Scene::<PostgreSql>::new("(synchronous_standby_names: \"s1\")")
        .at(3_000, kill("s1"))
        .at(5_000, configure("synchronous_standby_names", ""));
    let run = scene.run();
    assert_eq!(acknowledged_between(&run, 3_010, 5_000), 0);
    assert!(acknowledged_between(&run, 5_000, 5_100) > 5);
}

/// The level is each commit's own, so that a reload sets that of later ones alone.
#[test]
fn a_changed_level_leaves_those_who_wait_waiting_and_nobody_else() {
    let mut scene = Scene::<PostgreSql>::new("(synchronous_standby_names: \"s1\")")
        .fault(during(3_000, 7_000, Action::StallDisk(named("s1"))))
        .at(5_000, configure("synchronous_commit", "local"));
    scene.clients.push(ClientGroup { from: Span::millis(5_500), ..writers() });
    let run = scene.run();
    let waits = |write: &&Operation| secs(write.invoked) < 5.0 && secs(write.completed) > 3.1;
    let waited: Vec<f64> = acknowledged(&run).filter(waits).map(|write| secs(write.completed)).collect();
    assert_eq!(waited.len(), 5);
    assert!(waited.iter().all(|completed| (7.0..7.1).contains(completed)), "{waited:?}");
    assert!(acknowledged_between(&run, 5_500, 6_900) > 100);
}

#[test]
fn a_changed_level_is_counted_for_each_commit_by_its_own() {
    let mut scene = Scene::<PostgreSql>::new(
        "(synchronous_standby_names: \"s1\", synchronous_commit: RemoteApply, \
        recovery_min_apply_delay: {\"s1\": \"2s\"})",
    )
    .at(5_000, configure("synchronous_commit", "on"));
    scene.clients[0].sessions = 1;
    scene.clients.push(ClientGroup { from: Span::millis(5_100), ..writers() });
    let run = scene.run();
    let took = |write: &Operation| secs(write.completed) - secs(write.invoked);
    let (before, after): (Vec<_>, Vec<_>) = acknowledged(&run).partition(|write| secs(write.invoked) < 5.0);
    assert!(before.iter().all(|write| took(write) >= 2.0), "{before:?}");
    assert!(after.len() > 100 && after.iter().all(|write| took(write) < 0.1), "{after:?}");
}

#[test]
fn too_many_who_wait_are_refused() {
    let mut scene = Scene::<PostgreSql>::new("(synchronous_standby_names: \"s1\", max_connections: 20)");
    scene.clients[0].sessions = 30;
    let run = scene.at(3_000, kill("s1")).run();
    let refused = writes(&run).filter(|write| write.outcome == Outcome::Fail(Reason::Exhausted)).count();
    assert!(refused > 10, "{refused}");
}

#[test]
fn a_slow_synchronous_follower_is_replaced() {
    let slow = Distribution::Constant(Span::secs(2));
    let scene = Scene::<LeaderFollower>::new("(acknowledge: SemiSynchronous(\"500ms\"))").fault(during(
        3_000,
        9_000,
        Action::Slow { link: (named("p"), named("s1")), by: slow },
    ));
    let run = scene.run();
    assert!(milestone(&run, "s2 takes its place").is_some());
    assert_eq!(acknowledged_between(&run, 3_100, 3_490), 0);
    assert!(acknowledged_between(&run, 3_600, 4_000) > 10);
}
