use super::*;

const NO_PANIC: Check = Check::NoPanic;
const WENT_BACK: &str = "c3 read k1=2.0 @9-10 ok\nc3 read k1=1.0 @11-12 ok\n";

#[test]
fn refuses_a_panic_and_tells_what_was_under_way_there() {
    let text = format!("{LOG}c3 write k1=3.0 @9- open\npanic n0 @11 no quorum of 3");
    expect(NO_PANIC, &text, "violated 1/1: no quorum of # (in log.rs)");
    let history = history(&text);
    let Verdict::Violated(witness) = check(NO_PANIC, &history).verdict else { panic!("it panicked") };
    let told: Vec<_> = witness.lines.iter().map(|it| format!("{} {}, {}", it.who, it.what, it.remark)).collect();
    assert_eq!(told, ["c3 wrote k1 = 3.0, under way", "node0 panics: no quorum of 3, src/log.rs:41"]);
    assert_eq!(witness.operations, [4]);
}

#[test]
fn says_so_when_no_process_was_running() {
    let history = history(&format!("{LOG}panic - @11 out of bounds"));
    let Verdict::Violated(witness) = check(NO_PANIC, &history).verdict else { panic!("it panicked") };
    let line = &witness.lines[0];
    assert_eq!((&*line.who, &*line.what), ("the world itself", "panics: out of bounds"));
    assert_eq!(line.remark, "src/log.rs:41, while no process was running");
}

#[test]
fn accepts_a_run_that_went_to_its_end() {
    expect(NO_PANIC, "", "holds 1");
    expect_after_log(NO_PANIC, "c3 write k1=3.0 @9- open", "holds 1");
}

#[test]
fn leaves_nothing_that_holds_and_what_was_seen_before() {
    let panicked = history(&format!("{LOG}{WENT_BACK}panic n0 @13 no quorum of 3"));
    let words = Check::ALL.map(|what| check(what, &panicked).verdict.word());
    let (unknown, violated) = ("unknown", "violated");
    assert_eq!(words, [unknown, unknown, violated, unknown, unknown, violated, violated, unknown, "holds", violated,]);
    assert_eq!(finding(Check::ReadYourWrites, &panicked), "unknown 0/2: a panic cut the run short");
}

#[test]
fn takes_nothing_for_violated_that_the_end_would_have_told() {
    // Had the second epoch's leader lost its place again, the first epoch's version would be the newer one.
    let order = "
        install k1=1.0 1@1 n0 @1
        install k1=2.0 1@2 n1 @2
        c1 write k1=1.0 @0-5 ok 1@1
        c2 write k1=2.0 @0-5 ok 1@2
        c3 read k1=2.0 @6-7 ok
        c3 read k1=1.0 @8-9 ok
    ";
    expect(Check::MonotonicReads, order, "violated 1/2: read went back");
    expect(Check::MonotonicReads, &format!("{order}panic n0 @10 x"), "unknown 0/2: a panic cut the run short");
}
