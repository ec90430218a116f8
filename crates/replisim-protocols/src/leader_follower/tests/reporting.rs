//! When a follower says how far it has come, and who waits for that.

use super::*;

/// One writer, and a synchronous standby with these further settings.
fn scene(more: &str) -> Scene<PostgreSql> {
    let mut scene = Scene::new(&format!("(synchronous_standby_names: \"s1\", {more})"));
    scene.clients[0].sessions = 1;
    scene
}

/// The latencies of all acknowledged writes but the first, in milliseconds, in order.
fn latencies(run: &Run) -> Vec<u64> {
    let millis = |write: &Operation| write.completed.since(write.invoked).as_nanos() / 1_000_000;
    let mut latencies: Vec<u64> = acknowledged(run).skip(1).map(millis).collect();
    latencies.sort_unstable();
    latencies
}

const DELAYED: &str = "recovery_min_apply_delay: {\"s1\": \"500ms\"}";

#[test]
fn a_standby_without_status_reports_acknowledges_what_it_has_replayed() {
    let run = scene(DELAYED).run();
    assert_eq!(latencies(&run).last(), Some(&6), "synced is enough");
    let run = scene(&format!("wal_receiver_status_interval: \"0s\", {DELAYED}")).run();
    // To the leader, half a second there by the leader's stamp, and two ways back.
    assert_eq!(latencies(&run).first(), Some(&503));
    assert_eq!(latencies(&run).last(), Some(&503));
}

/// Five sessions keep the standby's replay busy without end; each commit is told of all the same if it asked for replay.
#[test]
fn a_busy_standby_without_status_reports_tells_of_nothing_but_commits_that_ask_for_replay() {
    let busy = |level: &str, interval: &str| {
        let more =
            format!("synchronous_commit: {level}, replay_time: \"2ms\", wal_receiver_status_interval: {interval:?}");
        let mut scene = scene(&more);
        scene.clients[0].sessions = 5;
        latencies(&scene.run())
    };
    let median = |latencies: Vec<u64>| latencies[latencies.len() / 2];
    let (reported, applied) = (median(busy("On", "10s")), median(busy("RemoteApply", "10s")));
    assert!(reported < applied, "{reported} {applied}");
    assert!(median(busy("On", "0s")) > applied, "it waits for the whole queue, not for its turn in it");
    assert_eq!(busy("RemoteApply", "0s"), busy("RemoteApply", "10s"));
}

#[test]
fn a_standby_that_never_replays_acknowledges_when_it_is_asked() {
    let never = "wal_receiver_status_interval: \"0s\", recovery_min_apply_delay: {\"s1\": \"1d\"}";
    let run = scene(&format!("{never}, wal_sender_timeout: \"4s\"")).run();
    let latencies = latencies(&run);
    assert!((4..=6).contains(&latencies.len()), "once for every half of the timeout: {latencies:?}");
    assert!(latencies.iter().all(|latency| (1_990..=2_010).contains(latency)), "{latencies:?}");
}

/// More log than any window holds reaches a standby that says nothing, and of which nobody asks anything.
#[test]
fn log_flows_on_to_a_standby_that_says_nothing() {
    let silent = "(wal_receiver_status_interval: \"0s\", wal_sender_timeout: \"0s\", wal_receiver_timeout: \"0s\", \
        recovery_min_apply_delay: {\"s1\": \"1d\"})";
    let mut scene = Scene::<PostgreSql>::new(silent).at(3_000, kill("p")).at(3_500, promote("s1")).lasting(4);
    scene.clients[0].value_bytes = 1 << 20;
    let run = scene.run();
    assert!(acknowledged_between(&run, 0, 3_000) > 100, "over 100 MB");
    assert!(lost(&run).len() <= 10, "{} lost: what was on its way", lost(&run).len());
}

/// Nobody waits for it, and yet the primary knows how much log it still has to keep.
#[test]
fn an_asynchronous_standby_tells_of_what_it_has_synced() {
    let limited = "primary_slot_name: {\"s1\": \"slot\"}, max_slot_wal_keep_size: \"128kB\"";
    let often = "checkpoint_timeout: \"1s\", wal_segment_size: \"64kB\"";
    let run = Scene::<PostgreSql>::new(&format!("({limited}, {often})")).run();
    assert_eq!(milestone(&run, "holds back too much log"), None);
    converged(&run);
}

#[test]
fn status_reports_are_turned_off_and_on_while_the_standby_runs() {
    let set = |value: &str| Action::Configure {
        node: named("s1"),
        setting: "wal_receiver_status_interval".to_owned(),
        value: value.to_owned(),
    };
    let run = scene(DELAYED).at(3_000, set("0s")).at(6_000, set("1s")).run();
    let (on, off, again) = (
        acknowledged_between(&run, 1_000, 2_900),
        acknowledged_between(&run, 3_010, 5_990),
        acknowledged_between(&run, 7_100, 9_000),
    );
    assert!(on > 200 && again > 200, "{on} {again}");
    assert!((4..=7).contains(&off), "{off}");
}
