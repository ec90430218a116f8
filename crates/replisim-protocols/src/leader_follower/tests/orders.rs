//! Orders of operators at moments at which nobody would give them.

use replisim_world::spec::Trigger;

use super::*;

fn fail_over(to: &str, old: OldLeader) -> Action {
    Action::Failover { to: named(to), old }
}

/// A synchronous standby is away for fifty seconds in which 60 sessions insert a megabyte each second or wait, and a
/// checkpoint cuts the log behind what is shown.
fn hanging() -> Scene<PostgreSql> {
    let settings = r#"(synchronous_standby_names: "FIRST 1 (s1)", checkpoint_timeout: "30s")"#;
    let mut scene = Scene::<PostgreSql>::new(settings).lasting(120);
    let arrive = Arrival::Every(Span::secs(1));
    scene.clients =
        vec![ClientGroup { sessions: 60, arrive, timeout: Span::secs(100), value_bytes: 1_000_000, ..writers() }];
    scene.fault(during(10_000, 60_000, lose("s1")))
}

#[test]
fn a_copy_of_a_leader_whose_commits_hang_goes_on_from_its_log() {
    let run = hanging().at(60_000, Action::Wipe(named("s1"))).run();
    assert!(milestone(&run, "commits go on").is_some(), "{:#?}", run.milestones);
    assert!(acknowledged_between(&run, 100_000, 120_000) > 1_000);
}

#[test]
fn a_backup_of_a_leader_whose_commits_hang_has_no_hole() {
    let scene =
        hanging().at(59_000, Action::TakeBackup(named("p"))).at(62_000, configure("synchronous_standby_names", ""));
    let run = scene.at(90_000, Action::RestoreTo { node: named("p"), ago: Span::ZERO }).run();
    assert!(milestone(&run, "restored to").is_some() && lost(&run).is_empty(), "{} lost", lost(&run).len());
}

#[test]
fn up_to_now_is_also_what_is_in_memory() {
    let scene = Scene::<PostgreSql>::new("(synchronous_commit: Off)").at(1_000, Action::TakeBackup(named("p")));
    let run = scene.at(3_000, Action::RestoreTo { node: named("p"), ago: Span::ZERO }).run();
    assert!(lost(&run).is_empty(), "{} lost", lost(&run).len());
}

/// When it is awake again it would find two orders: to give up its data, and to lead.
#[test]
fn nobody_gives_a_leader_up_for_a_server_that_stands_still() {
    let scene = Scene::<PostgreSql>::new(r#"(synchronous_standby_names: "ANY 2 (*)")"#);
    let scene = scene.fault(during(1_000, 2_000, Action::Pause(named("p"))));
    let run =
        scene.at(1_100, fail_over("s1", OldLeader::Reseeded)).at(1_500, fail_over("p", OldLeader::Reseeded)).run();
    assert!(milestone(&run, "not promoted: it does not answer").is_some(), "{:#?}", run.milestones);
    assert!(lost(&run).is_empty() && acknowledged_between(&run, 3_000, 10_000) > 0);
}

#[test]
fn a_leader_that_restarts_was_not_elected() {
    let elected = Fault::When(Trigger::LeaderElected(1), Action::Demote(named("s2")));
    let scene = Scene::<LeaderFollower>::new("()").fault(during(1_000, 1_100, kill("p")));
    converged(&scene.fault(elected).run());
}

#[test]
fn a_server_that_stands_alone_still_applies_what_becomes_durable() {
    let stall = Action::StallDisk(named("s1"));
    let scene = Scene::<PostgreSql>::new("()").fault(during(1_000, 1_500, stall));
    let run = scene.at(1_200, Action::Demote(named("s1"))).at(1_300, Action::Promote(named("s1"))).run();
    assert!(milestone(&run, "promoted: epoch").is_some_and(|at| secs(at) < 2.0), "{:#?}", run.milestones);
}

/// A rewind asks the control record, which tells of the former timeline until there was a checkpoint.
#[test]
fn a_promoted_primary_that_restarts_makes_its_checkpoint_then() {
    let scene = Scene::<PostgreSql>::new("(wal_log_hints: true)").lasting(20);
    let scene = scene.at(2_000, fail_over("s1", OldLeader::Ignored)).at(2_200, Action::Restart(named("s1")));
    let run = scene.at(12_000, Action::Rewind { node: named("p"), leader: named("s1") }).run();
    assert!(milestone(&run, "rewound").is_some(), "{:#?}", run.milestones);
    converged(&run);
}

/// s1 has heard all and applies it half a second later, s2 applies at once and is a tenth of a second away.
#[test]
fn most_advanced_is_whose_log_goes_furthest_not_who_has_applied_most() {
    let mut scene = Scene::<PostgreSql>::new(r#"(recovery_min_apply_delay: {"s1": "500ms"})"#);
    let far =
        replisim_world::spec::LinkSpec { delay: Some(Distribution::Constant(Span::millis(100))), ..Default::default() };
    scene.cluster.links.between.push(("p".to_owned(), "s2".to_owned(), far));
    let run = scene.at(3_000, kill("p")).at(3_000, promote("most advanced")).run();
    let heir = run.history.finals.iter().find(|last| last.leads).expect("somebody leads");
    assert_eq!(heir.node, NodeId(1), "{:#?}", run.milestones);
}

/// Without `wal_log_hints` there is nothing that a rewind could go by. Whoever orders it has stopped the server first.
#[test]
fn a_former_leader_whose_rewind_is_refused_does_not_lead_on() {
    let run = Scene::<PostgreSql>::new("()").at(3_000, fail_over("s1", OldLeader::Rewound)).run();
    assert!(milestone(&run, "cannot rewind").is_some());
    let written_late =
        run.history.installs.iter().filter(|install| install.node == NodeId(0) && secs(install.at) > 3.1);
    assert_eq!(written_late.count(), 0);
}

#[test]
fn a_copy_answers_nobody_before_it_is_consistent() {
    let mut scene =
        Scene::<PostgreSql>::new("(database_size: \"100MB\")").clients(readers(Routing::Host("s1".to_owned())));
    scene.cluster.links.bandwidth = Some("80Mbit/s".parse().expect("a rate"));
    let run = scene.at(1_000, Action::Reseed { node: named("s1"), from: named("p") }).lasting(20).run();
    let (copied, caught_up) = (milestone(&run, "has a copy").unwrap(), milestone(&run, "has caught up").unwrap());
    assert!(copied < caught_up);
    let meanwhile = |it: &&Operation| {
        it.op.is_read() && it.outcome == Outcome::Ok && it.completed > copied && it.completed < caught_up
    };
    assert_eq!(run.history.operations.iter().filter(meanwhile).count(), 0);
}

#[test]
fn nobody_is_put_back_to_a_snapshot_that_there_is_not() {
    let run = Scene::<PostgreSql>::new("()").at(3_000, Action::RestoreSnapshot(named("p"))).run();
    assert!(milestone(&run, "there is no snapshot").is_some());
    assert!(acknowledged_between(&run, 3_000, 3_100) > 0, "nobody was killed");
}
