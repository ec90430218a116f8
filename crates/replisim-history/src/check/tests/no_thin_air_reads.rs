use super::*;
const THIN_AIR: Check = Check::NoThinAirReads;

#[test]
fn refuses_what_a_failed_write_would_have_written() {
    let failed = "install k1=3.0 5@1 n0 @9\nc3 write k1=3.0 @8-10 fail\nc4 read k1=3.0 @11-12 ok";
    expect_after_log(THIN_AIR, failed, "violated 1/1: aborted read");
    expect(THIN_AIR, "c1 append k1=1.0 @0-2 fail\nc2 read k1=[1.0] @3-4 ok", "violated 1/1: aborted read");
    let panicked = format!("{failed}\npanic n0 @13 no quorum of 3");
    expect_after_log(THIN_AIR, &panicked, "violated 1/1: aborted read");
}

/// A statement that was refused may succeed where it is said again.
#[test]
fn refuses_what_its_writer_was_refused() {
    let refused = |from| format!("c3 refused k1=3.0 @{from}-20 ok\nc4 read k1=3.0 @11-12 ok");
    expect_after_log(THIN_AIR, &refused(8), "violated 1/1: aborted read");
    expect_after_log(THIN_AIR, &refused(13), "violated 1/1: future read");
}

#[test]
fn refuses_what_nobody_wrote() {
    expect_after_log(THIN_AIR, "c4 read k1=9.9 @11-12 ok", "violated 1/1: thin-air read");
    expect_after_log(THIN_AIR, "c4 read k2=2.0 @11-12 ok", "violated 1/1: thin-air read");
    expect(THIN_AIR, "c1 add k1=1.0 @0-2 ok\nc2 read k1={1.0 2.0} @3-4 ok", "violated 1/1: thin-air read");
}

#[test]
fn refuses_what_was_only_written_when_the_read_was_over() {
    expect(THIN_AIR, "c1 write k1=1.0 @5-6 ok\nc2 read k1=1.0 @2-3 ok", "violated 1/1: future read");
    expect(THIN_AIR, "c1 write k1=1.0 @3-6 info\nc2 read k1=1.0 @2-3 ok", "holds 1");
    let appended = "c1 append k1=1.0 @0-1 ok\nc1 append k1=1.1 @7-8 ok\nc3 read k1=[1.0] @2-3 ok";
    expect(THIN_AIR, &format!("{appended}\nc3 read k1=[1.0 1.1] @4-6 ok"), "violated 1/2: future read");
    // The first of the two that saw both is not a ground for the other.
    let late = format!("{appended}\nc3 read k1=[1.0 1.1] @4-9 ok");
    expect(THIN_AIR, &format!("{late}\nc4 read k1=[1.0 1.1] @5-6 ok"), "violated 1/3: future read");
}

#[test]
fn looks_at_each_element_of_a_list_that_goes_on() {
    let appended = "c1 append k1=1.0 @0-1 ok\nc1 append k1=1.1 @2-3 ok\nc3 read k1=[1.0] @2-3 ok";
    let goes_on = |list| format!("{appended}\nc3 read k1={list} @4-5 ok");
    expect(THIN_AIR, &goes_on("[1.0 1.1]"), "holds 2");
    expect(THIN_AIR, &goes_on("[1.0 9.9]"), "violated 1/2: thin-air read");
    expect(THIN_AIR, &goes_on("[9.9 1.0]"), "violated 1/2: thin-air read");
    expect(
        THIN_AIR,
        &format!("{}\nc3 read k1=[9.9 1.0 1.1] @6-7 ok", goes_on("[9.9 1.0]")),
        "violated 2/3: thin-air read",
    );
}

#[test]
fn accepts_what_may_have_been_written() {
    expect_after_log(THIN_AIR, "c4 txn read k1=2.0; read k2=nothing @11-12 ok", "holds 2");
    expect_after_log(THIN_AIR, "c3 write k1=3.0 @8-10 info\nc4 read k1=3.0 @11-12 ok", "holds 1");
    expect_after_log(THIN_AIR, "c3 write k1=3.0 @8-10 fail\nc4 read k1=2.0 @11-12 ok", "holds 1");
    expect_after_log(THIN_AIR, "", "holds 0");
}
