//! Log that is kept, log that is dropped, and followers that come too late for it.

use super::*;

/// A primary that checkpoints every second, with segments so small that a few seconds of writing fill some.
const SHORT: &str = "checkpoint_timeout: \"1s\", wal_segment_size: \"64kB\", wal_retrieve_retry_interval: \"1s\"";

#[test]
fn a_standby_that_is_away_for_too_long_must_be_seeded_anew() {
    let scene = || Scene::<PostgreSql>::new(&format!("({SHORT})")).fault(during(2_000, 6_000, kill("s1")));
    let mut unaided = scene();
    unaided.settle = Span::secs(20);
    let run = unaided.run();
    assert!(milestone(&run, "has already been removed").is_some(), "{:#?}", run.milestones);
    assert_eq!(run.settling.converged_after, None);

    let reseed = Action::Reseed { node: named("s1"), from: named("p") };
    converged(&scene().at(8_000, reseed).run());
}

#[test]
fn a_slot_or_enough_log_keeps_it_in() {
    for keeps in ["primary_slot_name: {\"s1\": \"slot\"}", "wal_keep_size: \"1GB\""] {
        let scene = Scene::<PostgreSql>::new(&format!("({SHORT}, {keeps})"));
        let run = scene.fault(during(2_000, 6_000, kill("s1"))).run();
        assert_eq!(milestone(&run, "has already been removed"), None, "{keeps}");
        converged(&run);
    }
}

#[test]
fn a_slot_that_holds_back_too_much_is_given_up() {
    let slot = "primary_slot_name: {\"s1\": \"slot\"}, max_slot_wal_keep_size: \"128kB\"";
    let mut scene = Scene::<PostgreSql>::new(&format!("({SHORT}, {slot})")).fault(during(2_000, 6_000, kill("s1")));
    scene.settle = Span::secs(20);
    let run = scene.run();
    assert!(milestone(&run, "holds back too much log").is_some());
    assert!(milestone(&run, "has already been removed").is_some());
}

/// The primary's disk lies, so that its host's loss takes log which the standby has, but not the slot that says so.
#[test]
fn a_slot_that_is_ahead_of_the_log_holds_nothing_back() {
    let slot =
        "primary_slot_name: {\"s1\": \"slot\"}, max_slot_wal_keep_size: \"1MB\", synchronous_standby_names: \"s1\"";
    let mut scene = Scene::<PostgreSql>::new(&format!("({SHORT}, {slot})"))
        .fault(during(2_000, 4_990, Action::LyingSync(named("p"))))
        .fault(during(4_980, 5_100, lose("p")))
        .at(5_000, Action::Cut { between: (named("p"), named("s1")) });
    scene.settle = Span::secs(5);
    assert_eq!(milestone(&scene.run(), "holds back too much log"), None);
}

#[test]
fn a_source_told_to_purge_nothing_keeps_everything() {
    let away = |seconds: u64| {
        let settings = format!("(binlog_expire_logs_seconds: {seconds}, source_connect_retry: 1)");
        let mut scene = Scene::<MySql>::new(&settings).lasting(130).fault(during(10_000, 125_000, kill("s1")));
        scene.clients[0].arrive = Arrival::Every(Span::millis(100));
        scene.run()
    };
    assert!(milestone(&away(1), "purged required binary logs").is_some());
    converged(&away(0));
}

#[test]
fn a_newcomer_copies_the_data_while_clients_go_on() {
    let settings =
        "(joining: [\"s2\"], database_size: \"200MB\", checkpoint_timeout: \"1s\", wal_segment_size: \"64kB\")";
    let mut scene = Scene::<PostgreSql>::new(settings).at(2_000, Action::Start(named("s2")));
    scene.cluster.links.bandwidth = Some("1Gbit/s".parse().unwrap());
    let run = scene.run();
    let (begun, done) = (milestone(&run, "begins to copy").map(secs), milestone(&run, "has a copy").map(secs));
    let took = done.expect("it has a copy") - begun.expect("it begins to copy");
    assert!((1.6..2.5).contains(&took), "200 MB at 125 MB/s: {took} s");
    converged(&run);
}

#[test]
fn a_wiped_follower_copies_and_a_wiped_leader_waits() {
    let run = Scene::<PostgreSql>::new("()").at(3_000, Action::Wipe(named("s1"))).run();
    assert!(milestone(&run, "has a copy").is_some());
    converged(&run);
    let mut scene = Scene::<PostgreSql>::new("()").at(3_000, Action::Wipe(named("p")));
    scene.settle = Span::secs(5);
    let run = scene.run();
    assert!(milestone(&run, "data directory is empty").is_some());
    assert_eq!(acknowledged_between(&run, 3_010, 10_000), 0);
}

#[test]
fn recovery_from_a_checkpoint_gives_what_was_there() {
    let scene = Scene::<PostgreSql>::new(&format!("({SHORT}, wal_keep_size: \"1GB\")"))
        .fault(during(4_500, 5_000, lose("p")))
        .fault(during(6_500, 7_000, lose("s1")));
    let run = scene.run();
    assert!(lost(&run).is_empty());
    converged(&run);
}
