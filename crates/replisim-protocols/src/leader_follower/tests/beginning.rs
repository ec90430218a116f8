//! Servers that come to lead, and what their disks know of it by then.

use std::collections::BTreeSet;

use super::*;

const P: NodeId = NodeId(0);
const S1: NodeId = NodeId(1);

fn back_to(millis: u64) -> Action {
    Action::RestoreTo { node: named("p"), ago: Span::millis(millis) }
}

/// Nobody has given the same place to two records.
#[track_caller]
fn no_place_is_given_twice(run: &Run) {
    let places: BTreeSet<_> = run.history.installs.iter().map(|install| install.position).collect();
    assert_eq!(places.len(), run.history.installs.len(), "{:#?}", run.milestones);
}

/// The power fails at 3.5 s, and nothing has been synced since 2.9 s.
fn forgetful<P: Protocol>(settings: &str, host: &str) -> Scene<P> {
    let stall = Action::StallDisk(named(host));
    Scene::new(settings).lasting(6).fault(during(2_900, 4_500, stall)).fault(during(3_500, 4_000, lose(host)))
}

/// What a leader acknowledges that syncs nothing: all the same, its epoch must be on its disk first.
#[test]
fn a_leader_that_restarts_takes_no_epoch_that_its_disk_can_forget() {
    let off = forgetful::<PostgreSql>("(synchronous_commit: Off)", "p").fault(during(3_000, 3_100, kill("p"))).run();
    let zero = forgetful::<MySql>("(sync_binlog: 0)", "p").fault(during(3_000, 3_100, kill("p"))).run();
    for run in [off, zero] {
        no_place_is_given_twice(&run);
        assert_eq!(acknowledged_between(&run, 3_000, 4_500), 0, "its disk did not know of any epoch");
        assert!(acknowledged_between(&run, 4_600, 6_000) > 0);
    }
}

#[test]
fn a_promoted_server_takes_no_epoch_that_its_disk_can_forget() {
    let scene = forgetful::<PostgreSql>("(synchronous_commit: Off)", "s1").at(2_800, kill("p"));
    let run = scene.at(3_000, promote("s1")).at(5_000, Action::Promote(named("s1"))).run();
    no_place_is_given_twice(&run);
    let promoted = run.milestones.iter().filter(|milestone| milestone.text.starts_with("promoted"));
    assert_eq!(promoted.count(), 1, "the first order is lost: {:#?}", run.milestones);
}

#[test]
fn a_promotion_goes_on_when_its_process_is_killed() {
    let stall = Action::StallDisk(named("s1"));
    let scene = Scene::<PostgreSql>::new("()").at(2_800, kill("p")).fault(during(2_900, 4_500, stall));
    let run = scene.at(3_000, promote("s1")).fault(during(3_500, 4_000, kill("s1"))).lasting(6).run();
    no_place_is_given_twice(&run);
    assert!(milestone(&run, "promoted: epoch").is_some_and(|at| secs(at) >= 4.5), "{:#?}", run.milestones);
    assert!(acknowledged_between(&run, 4_600, 10_000) > 0);
}

#[test]
fn who_is_about_to_lead_answers_readers_alone() {
    let mut scene =
        forgetful::<PostgreSql>("(synchronous_commit: Off)", "p").clients(readers(Routing::Host("p".to_owned())));
    scene.faults.pop();
    let run = scene.fault(during(3_000, 3_100, kill("p"))).run();
    let meanwhile = SimTime::ZERO + Span::millis(3_200)..SimTime::ZERO + Span::millis(4_400);
    let done = |it: &&Operation| it.outcome == Outcome::Ok && meanwhile.contains(&it.completed);
    let (reads, writes): (Vec<_>, Vec<_>) = run.history.operations.iter().filter(done).partition(|it| it.op.is_read());
    assert!(reads.len() > 100 && writes.is_empty(), "{} reads and {} writes", reads.len(), writes.len());
}

#[test]
fn a_server_whose_power_fails_as_a_backup_is_restored_has_the_one_or_the_other() {
    for millis in 3_000..3_040 {
        let mut scene = Scene::<LeaderFollower>::new("()").lasting(4);
        scene.cluster.disk.sync = Distribution::Constant(Span::millis(10));
        scene = scene.at(1_000, Action::TakeBackup(named("p"))).at(3_000, back_to(500));
        let run = scene.fault(during(millis, millis + 10, lose("p"))).run();
        let last = run.history.finals.iter().find(|last| last.node == P).expect("it is up at the end");
        let at_least = acknowledged_between(&run, 0, 2_490);
        assert!(last.contents.len() >= at_least, "lost at {millis} ms: {:#?}", run.milestones);
    }
}

#[test]
fn a_restoration_goes_on_when_its_process_is_killed() {
    let stall = Action::StallDisk(named("p"));
    let scene = Scene::<LeaderFollower>::new("()").lasting(6).at(1_000, Action::TakeBackup(named("p")));
    let scene = scene.fault(during(2_900, 4_500, stall)).at(3_000, back_to(500)).fault(during(3_500, 4_000, kill("p")));
    let run = scene.run();
    no_place_is_given_twice(&run);
    assert!(milestone(&run, "restored to").is_some_and(|at| secs(at) >= 4.5), "{:#?}", run.milestones);
    assert!(acknowledged_between(&run, 4_600, 6_000) > 0);
}

/// The process is killed and starts again before its disk knows that the data are given up; then the power fails.
#[test]
fn a_log_stays_until_the_disk_knows_that_it_is_given_up() {
    for given_up in [Action::Reseed { node: named("p"), from: named("s1") }, back_to(500)] {
        let scene = forgetful::<LeaderFollower>("()", "p").at(1_000, Action::TakeBackup(named("p")));
        let run = scene.at(3_000, given_up).at(3_200, Action::Restart(named("p"))).run();
        assert!(lost(&run).is_empty(), "{}: {:#?}", lost(&run).len(), run.milestones);
    }
}

fn in_charge(run: &Run) -> Vec<NodeId> {
    run.history.finals.iter().filter(|last| last.leads).map(|last| last.node).collect()
}

fn ignoring_the_leader(heir: &str) -> Action {
    Action::Failover { to: named(heir), old: OldLeader::Ignored }
}

#[test]
fn an_order_that_is_refused_puts_nobody_in_charge() {
    let scene = Scene::<PostgreSql>::new("()").at(1_000, Action::Snapshot(named("p")));
    let scene = scene.at(2_000, ignoring_the_leader("s1")).at(3_000, Action::Wipe(named("p")));
    let run = scene.at(3_500, Action::Promote(named("p"))).at(4_000, Action::RestoreSnapshot(named("p"))).run();
    assert!(milestone(&run, "cannot be promoted").is_some());
    assert_eq!(in_charge(&run), [S1]);
}

/// The operator orders s1 to lead first. It has much to apply, and leads after s2.
#[test]
fn who_was_ordered_to_lead_last_is_in_charge_although_it_leads_first() {
    let scene = Scene::<LeaderFollower>::new("(apply_time: \"20ms\")").lasting(4);
    let run = scene
        .at(1_000, Action::Promote(named("s1")))
        .at(1_400, Action::RestoreTo { node: named("p"), ago: Span::ZERO });
    let run = run.at(500, Action::TakeBackup(named("p"))).run();
    assert!(milestone(&run, "promoted: epoch 2") > milestone(&run, "promoted: epoch 4"), "{:#?}", run.milestones);
    assert_eq!(in_charge(&run), [P]);
}

#[test]
fn who_was_restored_last_is_in_charge() {
    let scene = Scene::<PostgreSql>::new("()").at(1_000, Action::TakeBackup(named("p")));
    let run = scene.at(2_000, ignoring_the_leader("s1")).at(3_000, back_to(500)).run();
    assert_eq!(in_charge(&run), [P]);
}

/// A loss of power takes its first control record and leaves some of its log.
#[test]
fn a_leader_that_lost_its_control_record_has_no_log_either() {
    for seed in 0..20 {
        let torn = Action::LoseHost { host: named("p"), unsynced: Unsynced::Torn, wire: Wire::Arrives };
        let mut scene = Scene::<MySql>::new("()").fault(during(0, 700, Action::StallDisk(named("p")))).lasting(1);
        scene.seed = seed;
        let run = scene.fault(during(500, 600, torn)).fault(during(800, 900, kill("p"))).run();
        assert!(run.history.finals.iter().all(|last| last.contents.is_empty()), "{seed}: {:#?}", run.milestones);
    }
}
