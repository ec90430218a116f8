use super::*;
const FRESH: Check = Check::FreshReads;

#[test]
fn refuses_a_read_that_misses_what_was_acknowledged() {
    expect_after_log(FRESH, "c3 read k1=1.0 @9-10 ok", "violated 1/1: stale read");
    expect_after_log(FRESH, "c3 read k1=nothing @9-10 ok", "violated 1/1: stale read");
    expect_after_log(FRESH, "c3 txn read k1=2.0; read k2=1.1 @9-10 ok", "violated 1/2: stale read");
    expect(FRESH, "c1 add k1=1.0 @0-2 ok\nc2 read k1={} @3-4 ok", "violated 1/1: stale read");
}

#[test]
fn accepts_the_newest_and_what_is_concurrent_with_it() {
    expect_after_log(FRESH, "c3 read k1=2.0 @9-10 ok", "holds 1");
    expect_after_log(FRESH, "c3 read k1=1.0 @6-10 ok", "holds 1");
    expect_after_log(FRESH, "c3 read k1=1.0 @7-10 ok", "violated 1/1: stale read");
    expect(FRESH, "c1 add k1=1.0 @0-2 ok\nc2 remove k1=1.0 @0-3 info\nc2 read k1={} @3-4 ok", "holds 1");
    expect(FRESH, "c1 write k1=1.0 @0-2 info\nc2 read k1=nothing @3-4 ok", "holds 1");
}

#[test]
fn knows_in_a_leaderless_system_what_real_time_tells() {
    let concurrent = "c1 write k1=1.0 @0-5 ok\nc2 write k1=2.0 @1-5 ok";
    let unknown = "unknown 0/1: the order of versions is not known for 1 read";
    expect(FRESH, &format!("{concurrent}\nc3 read k1=1.0 @6-7 ok"), unknown);
    expect(FRESH, &format!("{concurrent}\nc3 read k1=1.0 @5-7 ok"), "holds 1");
    expect(FRESH, &format!("{concurrent}\nc3 read k1=nothing @6-7 ok"), "violated 1/1: stale read");
    let in_turn = "c1 write k1=1.0 @0-2 ok\nc2 write k1=2.0 @3-5 ok";
    expect(FRESH, &format!("{in_turn}\nc3 read k1=1.0 @6-7 ok"), "violated 1/1: stale read");
    expect(FRESH, &format!("{in_turn}\nc3 read k1=2.0 @6-7 ok"), "holds 1");
    expect(FRESH, &format!("{in_turn}\nc3 read k1=1.0 @4-7 ok"), "holds 1");
}

/// The read ended at 10 ms, and was behind as of its beginning.
#[test]
fn tells_since_when_a_read_was_behind() {
    let history = history(&format!("{LOG}c3 read k1=nothing @9-10 ok"));
    let Verdict::Violated(witness) = check(FRESH, &history).verdict else { panic!("it is violated") };
    let told: Vec<_> = witness.lines.iter().map(|it| format!("{} at {}: {}", it.what, it.at, it.remark)).collect();
    let read = "read k1 = nothing at 10.000 ms: asked at 9.000 ms, node0 was 7 ms and 2 versions behind";
    assert_eq!(told, ["wrote k1 = 1.0 at 2.000 ms: acknowledged by node0", read]);
}

#[test]
fn measures_time_and_versions_behind() {
    let text = "c3 read k1=nothing @9-10 ok\nc3 read k1=2.0 @11-12 ok\nc3 read k2=1.1 @20-21 ok";
    let report = staleness(&history(&format!("{LOG}{text}")));
    let behind: Vec<_> = report.stale.iter().map(|stale| stale.behind).collect();
    let described: Vec<_> = behind.iter().map(|it| format!("{} {}", it.time_behind, it.versions_behind)).collect();
    assert_eq!(described, ["7ms 2", "12ms 1"]);
    assert_eq!(report.share(), Some(2.0 / 3.0));
    assert_eq!(report.worst().map(|worst| worst.operation), Some(6));
    let median = crate::measure::Quantile::MEDIAN;
    assert_eq!(report.time_behind(median).map(|span| span.to_string()).as_deref(), Some("7ms"));
    assert_eq!(report.versions_behind(median), Some(1));
}
