//! Two histories, and the ways back to one.

use super::*;

/// A primary that is cut off, overtaken by s1, and rewound at `rewind` ms.
fn rewound(settings: &str, rewind: u64) -> Run {
    let mut scene = Scene::<PostgreSql>::new(settings)
        .lasting(16)
        .fault(during(3_000, 5_000, Action::Cut { between: (named("p"), named("s1, s2")) }))
        .at(3_500, Action::Promote(named("s1")))
        .at(3_500, Action::Follow { node: named("s2"), leader: named("s1") })
        .at(rewind, Action::Rewind { node: named("p"), leader: named("s1") });
    scene.settle = Span::secs(20);
    scene.run()
}

const HINTS: &str = "(wal_log_hints: true, wal_retrieve_retry_interval: \"1s\")";

#[test]
fn a_rewind_discards_what_was_not_shared_and_only_that() {
    let run = rewound(HINTS, 14_000);
    let text = &run.milestones.iter().find(|m| m.text.starts_with("rewound")).expect("it is rewound").text;
    converged(&run);
    let lost = lost(&run).len();
    let in_doubt = writes(&run).filter(|write| write.outcome != Outcome::Ok).count();
    let discarded: usize = text.split(' ').nth(1).unwrap().replace(',', "").parse().unwrap();
    assert!(lost > 100);
    assert!((lost..=lost + in_doubt).contains(&discarded), "{discarded} discarded, {lost} acknowledged and lost");
}

#[test]
fn a_rewind_before_the_new_primarys_first_checkpoint_does_nothing() {
    // The checkpoint that follows a promotion is still writing its pages half a second later.
    let mut settings: Scene<PostgreSql> = Scene::new(HINTS);
    settings = settings
        .fault(during(3_000, 3_600, Action::Cut { between: (named("p"), named("s1, s2")) }))
        .at(3_500, Action::Promote(named("s1")))
        .at(3_700, Action::Rewind { node: named("p"), leader: named("s1") });
    settings.settle = Span::secs(5);
    let run = settings.run();
    assert!(milestone(&run, "no rewind required").is_some(), "{:#?}", run.milestones);
    assert!(milestone(&run, "forked off").is_some(), "and so it does not fit");
    assert_eq!(run.settling.converged_after, None);
}

#[test]
fn a_rewind_needs_hints_and_log() {
    assert!(milestone(&rewound("()", 8_000), "neither wal_log_hints").is_some());
    let forgetful = "(wal_log_hints: true, checkpoint_timeout: \"500ms\", wal_segment_size: \"64kB\")";
    assert!(milestone(&rewound(forgetful, 8_000), "no longer there").is_some());
}

#[test]
fn a_follower_that_is_ahead_of_the_promoted_one_does_not_fit() {
    let delay = Some(Distribution::Constant(Span::millis(40)));
    let spec = replisim_world::spec::LinkSpec { delay, ..Default::default() };
    let mut scene = Scene::<PostgreSql>::new("()").at(3_000, kill("p")).at(3_000, promote("s2"));
    scene.cluster.links.between.push(("p".to_owned(), "s2".to_owned(), spec));
    scene.settle = Span::secs(5);
    let run = scene.run();
    assert!(milestone(&run, "forked off").is_some());
    assert_eq!(run.settling.converged_after, None);
}
