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
