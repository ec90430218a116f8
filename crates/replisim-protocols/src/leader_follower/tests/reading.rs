//! Reads from followers, with and without a token.

use super::*;

#[test]
fn a_token_makes_a_follower_wait_or_fail_and_never_lie() {
    let remembers = Remembers::Writes;
    let token = |wait| Routing::Token { remembers, wait: Span::millis(wait), fallback: false };
    for (wait, fails) in [(1_000, false), (5, true)] {
        let mut scene = Scene::<PostgreSql>::new("()").delay(Span::millis(20)).lasting(3);
        scene.clients[0] = ClientGroup {
            mix: [(OpKind::Read, 1), (OpKind::Write, 1)].into_iter().collect(),
            keys: Keys::PerSession { count: 1 },
            reads: token(wait),
            at: "p".to_owned(),
            ..writers()
        };
        let run = scene.run();
        let not_caught_up = Outcome::Fail(Reason::NotCaughtUp);
        let failed = run.history.operations.iter().filter(|op| op.outcome == not_caught_up).count();
        assert_eq!(failed > 0, fails, "with {wait} ms of patience {failed} fail");
        own_writes_are_read(&run);
    }
}

/// Every session's successful read of its own key returns its last write that had ended by then.
#[track_caller]
fn own_writes_are_read(run: &Run) {
    let mut last = std::collections::BTreeMap::new();
    for operation in run.history.operations.iter().filter(|op| op.outcome == Outcome::Ok) {
        match operation.op {
            replisim_history::Op::Write { key, value } => {
                last.insert((operation.session, key), value);
            }
            replisim_history::Op::Read { key } => {
                let expected = last.get(&(operation.session, key)).map_or(Datum::Absent, |v| Datum::Register(*v));
                assert_eq!(operation.seen, Seen::Datum(expected), "{operation:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn remote_apply_is_fresh_on_the_synchronous_standby_and_on_is_not() {
    for (level, fresh) in [("RemoteApply", true), ("On", false)] {
        // Applying takes a while after the sync, so that `on` has something to miss.
        let settings =
            format!("(synchronous_commit: {level}, synchronous_standby_names: \"s1\", replay_time: \"5ms\")");
        let mut scene = Scene::<PostgreSql>::new(&settings).lasting(3);
        scene.clients[0] = ClientGroup {
            sessions: 1,
            mix: [(OpKind::Read, 1), (OpKind::Write, 1)].into_iter().collect(),
            keys: Keys::PerSession { count: 1 },
            reads: Routing::Host("s1".to_owned()),
            ..writers()
        };
        let run = scene.run();
        let stale = std::panic::catch_unwind(|| own_writes_are_read(&run)).is_err();
        assert_eq!(!stale, fresh, "{level}");
    }
}

#[test]
fn a_standby_shows_a_row_before_the_primary_does() {
    let scene = Scene::<PostgreSql>::new("(synchronous_standby_names: \"s1\")").delay(Span::millis(20));
    let mut world = scene.world();
    let shows = |world: &World<PostgreSql>, node| {
        let process = world.process(NodeId(node)).unwrap();
        replisim_world::process::Process::contents(process).unwrap().0.version(Key(0)).is_some()
    };
    while !shows(&world, 1) {
        assert!(world.step());
        assert!(!shows(&world, 0), "the primary shows nothing before its standby has it");
    }
}
