//! When the replicas have come to hold the same, and what is known of it before.

use replisim_history::check::check;
use replisim_history::{Check, Limit, Verdict};

use super::*;

/// Followers that need 20 ms for what is written in one, and so much time to catch up.
fn behind(settle: Span) -> Run {
    let mut scene = Scene::<LeaderFollower>::new("(apply_time: \"20ms\")").lasting(2);
    scene.settle = settle;
    scene.run()
}

#[test]
fn who_catches_up_has_done_so_when_the_last_record_is_applied() {
    let run = behind(Span::secs(300));
    let writes = run.history.operations.iter().filter(|it| it.outcome.is_ok()).count() as u64;
    let took = run.settling.converged_after.expect("there was time enough");
    // What was applied until the heal is done with.
    let (least, most) = (Span::millis(20) * writes - Span::millis(2_200), Span::millis(20) * writes);
    assert!(least < took && took < most, "{took} for {writes} writes");
    assert_eq!(check(Check::Convergence, &run.history).verdict, Verdict::Holds);
}

/// A follower is two seconds away, and all that is written is on its way there when the quiet phase begins.
#[test]
fn what_is_still_on_its_way_when_time_is_over_is_not_missing() {
    let late = |settle| {
        let mut scene = Scene::<LeaderFollower>::new("()").lasting(30);
        scene.cluster.regions.insert("far".to_owned(), vec!["b".to_owned()]);
        scene.cluster.hosts.insert("s1".to_owned(), "far/b".to_owned());
        scene.cluster.links.between_regions = Distribution::Constant(Span::secs(2));
        scene.clients = vec![ClientGroup { from: Span::millis(28_500), until: Some(Span::secs(29)), ..writers() }];
        scene.settle = settle;
        check(Check::Convergence, &scene.run().history).verdict
    };
    assert_eq!(late(Span::millis(200)), Verdict::Unknown(Limit::Unsettled));
    assert_eq!(late(Span::secs(10)), Verdict::Holds);
}

#[test]
fn who_is_still_catching_up_when_time_is_over_has_not_diverged() {
    let run = behind(Span::secs(1));
    assert_eq!(run.settling.converged_after, None);
    assert_eq!(check(Check::Convergence, &run.history).verdict, Verdict::Unknown(Limit::Unsettled));
}
