//! MySQL's semi-synchronous replication: its timeout, the way back, and phantom reads.

use super::*;

const ON: &str = "rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_timeout: 1000, source_connect_retry: 1";

fn scene(more: &str) -> Scene<MySql> {
    Scene::new(&format!("({ON}, {more})"))
}

#[test]
fn after_its_timeout_the_source_goes_on_alone_and_comes_back() {
    let run = scene("").fault(during(3_000, 6_000, kill("s1"))).fault(during(3_000, 6_000, kill("s2"))).run();
    assert_eq!(acknowledged_between(&run, 3_010, 3_990), 0);
    let fell_back = milestone(&run, "falls back").map(secs).expect("it falls back");
    assert!((3.99..4.01).contains(&fell_back), "{fell_back}");
    assert!(acknowledged_between(&run, 4_000, 4_020) >= 5, "all who waited are released together");
    assert!(acknowledged_between(&run, 5_000, 6_000) > 500);
    let again = milestone(&run, "semi-synchronous again").map(secs).expect("it comes back");
    assert!(again > 6.0, "{again}");
    converged(&run);
}

#[test]
fn alone_from_the_start_if_it_must_not_wait_alone() {
    let run = scene("rpl_semi_sync_source_wait_no_replica: false")
        .fault(during(3_000, 6_000, kill("s1")))
        .fault(during(3_000, 6_000, kill("s2")))
        .run();
    assert!(acknowledged_between(&run, 3_010, 3_100) > 10);
}

/// Whether some reader saw a row before its author's commit was acknowledged, or without that it ever was.
fn seen_early(point: &str) -> bool {
    let point = format!("rpl_semi_sync_source_wait_point: {point}");
    let mut scene = scene(&point).clients(readers(Routing::Leader)).lasting(4).fault(during(
        2_000,
        2_900,
        Action::Isolate(named("s1, s2")),
    ));
    scene.clients[0].keys = Keys::Uniform { count: 5 };
    let run = scene.run();
    let reads = run.history.operations.iter().filter(|operation| operation.op.is_read());
    let mut seen = reads.filter_map(|read| match read.seen {
        Seen::Datum(Datum::Register(value)) => Some((value, read.completed)),
        _ => None,
    });
    seen.any(|(value, at)| {
        let (session, ordinal) = value.author().expect("clients write it");
        let mut authors = writes(&run);
        authors.any(|write| {
            (write.session, write.ordinal) == (session, ordinal) && write.completed > at + Span::millis(100)
        })
    })
}

#[test]
fn others_see_a_commit_before_its_author_is_told_only_after_commit() {
    assert!(seen_early("AFTER_COMMIT"));
    assert!(!seen_early("AFTER_SYNC"));
}

#[test]
fn a_former_source_comes_back_with_transactions_that_nobody_has() {
    let scene = scene("")
        .at(3_000, Action::Isolate(named("p")))
        .at(3_500, Action::Promote(named("s1")))
        .at(3_500, Action::Follow { node: named("s2"), leader: named("s1") })
        .at(5_000, Action::Restart(named("p")))
        .at(8_000, Action::Follow { node: named("p"), leader: named("s1") });
    let mut scene = scene.lasting(9);
    scene.settle = Span::secs(30);
    let run = scene.run();
    assert_eq!(run.settling.converged_after, None, "errant transactions are not noticed, and stay");
}

/// The former epoch's transactions have numbers of their own, and more of them.
#[test]
fn what_was_acknowledged_in_an_epoch_says_nothing_of_the_next() {
    let switch = |to| configure("rpl_semi_sync_source_enabled", to);
    let mut scene = Scene::<MySql>::new("(rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_timeout: 100000)")
        .at(2_500, Action::Restart(named("p")))
        .at(3_000, switch("OFF"))
        .at(3_200, switch("ON"))
        .fault(during(3_500, 9_900, kill("s1, s2")))
        .clients(ClientGroup { from: Span::secs(4), ..writers() });
    scene.clients[0].until = Some(Span::secs(2));
    assert_eq!(acknowledged_between(&scene.run(), 4_000, 9_900), 0);
}
