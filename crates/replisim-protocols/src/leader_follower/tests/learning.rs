//! Servers that were copied, until they have caught up.

use replisim_history::NodeId;
use replisim_world::process::Role;
use replisim_world::spec::Rate;

use super::*;

const P: NodeId = NodeId(0);
const S1: NodeId = NodeId(1);

/// All acknowledge, and applying takes longer than writing. At 1 s p is seeded anew from s1, which is about to lead: that
/// shows a quarter of the log, and it takes p most of a second to receive the rest. `then` is what happens to p meanwhile.
fn impatient(then: impl IntoIterator<Item = (u64, Action)>) -> Scene<LeaderFollower> {
    let mut scene = Scene::new("(acknowledge: All, apply_time: \"20ms\")").lasting(6);
    scene.cluster.links.bandwidth = Some("20MB/s".parse::<Rate>().expect("a rate"));
    scene.clients[0].value_bytes = 100_000;
    scene = scene.at(1_000, Action::Failover { to: named("s1"), old: OldLeader::Reseeded });
    then.into_iter().fold(scene, |scene, (millis, action)| scene.at(millis, action))
}

fn fail_back() -> Action {
    Action::Failover { to: named("p"), old: OldLeader::Rewound }
}

fn told(run: &Run, node: NodeId, text: &str) -> Option<SimTime> {
    let told = run.milestones.iter().find(|milestone| milestone.node == Some(node) && milestone.text.contains(text));
    told.map(|milestone| milestone.at)
}

#[track_caller]
fn left_alone(run: &Run) {
    assert!(told(run, P, "not promoted: it has no data, or has not caught up").is_some(), "{:#?}", run.milestones);
    assert_eq!(told(run, P, "promoted: epoch"), None);
    assert!(told(run, P, "has caught up with s1").is_some());
    assert!(lost(run).is_empty(), "{} lost", lost(run).len());
    converged(run);
}

#[test]
fn a_failover_leaves_a_learner_alone() {
    left_alone(&impatient([(1_400, fail_back())]).run());
}

#[test]
fn a_learner_stays_one_over_restarts() {
    left_alone(&impatient([(1_300, Action::Restart(named("p"))), (1_400, fail_back())]).run());
    left_alone(&impatient([(1_400, fail_back())]).fault(during(1_300, 1_350, lose("p"))).run());
}

#[test]
fn a_learner_is_promoted_by_order_and_lacks_what_it_had_acknowledged() {
    let run = impatient([(1_400, Action::Promote(named("p")))]).run();
    assert!(told(&run, P, "promoted: epoch").is_some());
    assert!(lost(&run).len() > 20, "{}", lost(&run).len());
}

#[test]
fn who_has_caught_up_may_be_promoted() {
    let run = impatient([(2_500, fail_back())]).run();
    assert!(told(&run, P, "has caught up with s1").is_some());
    assert!(told(&run, P, "promoted: epoch").is_some(), "{:#?}", run.milestones);
    assert!(lost(&run).is_empty());
}

#[test]
fn a_learner_learns_from_its_new_upstream() {
    let follow = Action::Follow { node: named("p"), leader: named("s2") };
    let run = impatient([(1_300, follow), (1_350, fail_back())]).run();
    assert!(told(&run, P, "not promoted").is_some());
    assert!(told(&run, P, "has caught up with s2").is_some(), "{:#?}", run.milestones);
    assert!(lost(&run).is_empty());
}

#[test]
fn nobody_catches_up_with_a_learner_before_it_has_caught_up_itself() {
    let run = impatient([(1_100, Action::Reseed { node: named("s2"), from: named("p") })]).run();
    let upstream = told(&run, P, "has caught up with s1").expect("p catches up");
    let second = told(&run, NodeId(2), "has caught up with p").expect("and then s2");
    assert!(upstream < second, "{upstream:?} {second:?}");
}

#[test]
fn a_follower_that_was_cut_off_is_no_learner() {
    let scene = Scene::<LeaderFollower>::new("(acknowledge: All)").lasting(4);
    let mut world = scene.fault(during(1_000, 2_000, isolate("s1"))).at(1_500, promote("s1")).world();
    while world.step() {
        assert_ne!(world.view(S1).map(|view| view.role), Some(Role::Learner));
    }
    let run = world.into_run();
    assert!(told(&run, S1, "promoted: epoch").is_some());
    assert!(lost(&run).is_empty());
}

#[test]
fn a_leader_whose_power_fails_as_it_gives_up_its_data_does_not_lead_without_them() {
    for lost in 1_000..1_030 {
        let mut scene = Scene::<LeaderFollower>::new("()").lasting(2);
        scene.cluster.disk.sync = Distribution::Constant(Span::millis(10));
        let reseed = Action::Reseed { node: named("p"), from: named("s1") };
        let run = scene.at(1_000, reseed).fault(during(lost, lost + 10, lose("p"))).run();
        let last = run.history.finals.iter().find(|last| last.node == P).expect("it is up at the end");
        assert!(last.contents.len() > 50, "lost at {lost} ms: {:#?}", run.milestones);
    }
}
