//! What comes before a copy of all data, and what ends one early.

use super::*;

/// A standby s2, started at 4 s under these settings, while clients insert 250 rows a second.
fn joined(settings: &str, then: impl FnOnce(Scene<PostgreSql>) -> Scene<PostgreSql>) -> Run {
    let settings = format!("(joining: [\"s2\"], {settings})");
    let mut scene = Scene::<PostgreSql>::new(&settings).lasting(20).at(4_000, Action::Start(named("s2")));
    // Fifty rows are a page, and a checkpoint writes one every 100 ms.
    scene.clients[0].arrive = Arrival::Every(Span::millis(20));
    then(scene).run()
}

fn waited(run: &Run) -> f64 {
    let asked = milestone(run, "waits for a checkpoint").map(secs).expect("it asks");
    milestone(run, "begins to copy").map(secs).expect("it begins") - asked
}

#[test]
fn a_base_backup_waits_for_a_spread_checkpoint() {
    let run = joined("checkpoint_timeout: \"300s\"", |scene| scene);
    // Some 1,000 rows by then, 20 pages, and 5 that every checkpoint writes.
    assert!((2.0..3.0).contains(&waited(&run)), "{}", waited(&run));
    converged(&run);
}

#[test]
fn one_that_is_told_so_hurries_the_checkpoint() {
    for timeout in ["300s", "3s"] {
        let run = joined(&format!("checkpoint_timeout: \"{timeout}\", pg_basebackup_checkpoint: Fast"), |scene| scene);
        assert!(waited(&run) < 0.05, "{timeout}: {}", waited(&run));
        converged(&run);
    }
}

/// The checkpoint of 3 s is under way at 4 s, and takes 2 s. The one that follows at once finds half as much to write.
#[test]
fn a_checkpoint_that_had_begun_before_is_not_the_one_it_waits_for() {
    let run = joined("checkpoint_timeout: \"3s\"", |scene| scene);
    assert!((2.0..4.5).contains(&waited(&run)), "{}", waited(&run));
    let copied = run.milestones.iter().find(|told| told.text.contains("begins to copy")).expect("it begins");
    let (_, position) = copied.text.split_once("as of ").expect("the position");
    let install = run.history.installs.iter().find(|install| install.position.to_string() == position);
    let asked = milestone(&run, "waits for a checkpoint").expect("it asks");
    assert!(install.expect("of a write").at > asked, "of a checkpoint that began later: {copied:?}");
    converged(&run);
}

#[test]
fn who_waits_for_a_checkpoint_in_silence_is_not_given_up() {
    let patience = "wal_receiver_timeout: \"500ms\", wal_retrieve_retry_interval: \"1s\"";
    let run = joined(&format!("checkpoint_timeout: \"300s\", {patience}"), |scene| scene);
    let asked = run.milestones.iter().filter(|told| told.text.contains("waits for a checkpoint")).count();
    assert_eq!(asked, 1, "{:#?}", run.milestones);
    assert!(waited(&run) > 2.0);
}

#[test]
fn a_promotion_breaks_off_the_backup_of_a_standby() {
    let settings = "primary_conninfo: {\"s2\": \"s1\"}, checkpoint_timeout: \"300s\", \
                    wal_retrieve_retry_interval: \"1s\"";
    let run = joined(settings, |scene| scene.at(5_000, promote("s1")));
    let asked = run.milestones.iter().filter(|told| told.text.contains("s2 waits for a checkpoint")).count();
    assert_eq!(asked, 2, "before and after: {:#?}", run.milestones);
    assert!(milestone(&run, "begins to copy") > milestone(&run, "promoted: epoch"), "{:#?}", run.milestones);
    converged(&run);
}

#[test]
fn other_systems_copy_at_once() {
    let newcomer = Action::Start(named("s2"));
    let clone = Scene::<MySql>::new("(joining: [\"s2\"])").at(4_000, newcomer.clone()).run();
    let plain = Scene::<LeaderFollower>::new("(joining: [\"s2\"])").at(4_000, newcomer).run();
    for run in [clone, plain] {
        assert_eq!(milestone(&run, "waits for a checkpoint"), None);
        assert!(milestone(&run, "begins to copy").map(secs).expect("it copies") < 4.1);
    }
}
