//! What clients do when they are turned away, faults that wait for commits, and disks that fill up.

use replisim_world::spec::{ByteSize, Trigger};

use super::*;

/// How many writes certainly failed while the only leader was down for three seconds.
fn turned_away(retries: u32) -> usize {
    let mut scene = Scene::<LeaderFollower>::new("()").lasting(8).fault(during(2_000, 5_000, kill("p")));
    (scene.clients[0].retries, scene.clients[0].backoff) = (retries, Span::millis(100));
    let run = scene.run();
    writes(&run).filter(|write| matches!(write.outcome, Outcome::Fail(_))).count()
}

#[test]
fn who_is_turned_away_tries_again_as_often_as_it_may() {
    let [never, twice, often] = [0, 2, 40].map(turned_away);
    assert!(never > twice && twice > often && often == 0, "{never} {twice} {often}");
}

#[test]
fn a_fault_that_waits_for_commits_strikes_at_that_one() {
    let waiting = |count| Fault::When(Trigger::Commits(count), isolate("p"));
    let mut scene = Scene::<LeaderFollower>::new("()").fault(waiting(100));
    scene.clients[0].sessions = 1;
    let run = scene.run();
    assert_eq!(run.faults[0].fired.len(), 1);
    // The answer to the last one is cut off.
    assert!((99..=100).contains(&acknowledged(&run).count()), "{}", acknowledged(&run).count());
}

#[test]
fn a_disk_takes_no_more_than_it_holds() {
    let mut scene = Scene::<LeaderFollower>::new("()");
    scene.cluster.disk.capacity = Some(ByteSize(100_000));
    scene.clients[0].value_bytes = 1_000;
    scene.settle = Span::secs(5);
    let run = scene.run();
    let stored = acknowledged(&run).count();
    assert!((50..100).contains(&stored), "of 100 rows of 1,000 bytes and what they need besides, {stored}");
}
