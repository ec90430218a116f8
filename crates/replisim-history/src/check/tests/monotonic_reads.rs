use super::*;
const MR: Check = Check::MonotonicReads;

#[test]
fn refuses_a_read_that_goes_back() {
    expect_after_log(MR, "c3 read k1=2.0 @9-10 ok\nc3 read k1=1.0 @11-12 ok", "violated 1/2: read went back");
    expect_after_log(MR, "c3 read k1=1.0 @9-10 ok\nc3 read k1=nothing @11-12 ok", "violated 1/2: read went back");
    expect_after_log(MR, "c3 txn read k1=2.0; read k1=1.0 @9-10 ok", "violated 1/2: read went back");
}

#[test]
fn accepts_reads_that_stand_still_or_go_on() {
    expect_after_log(MR, "c3 read k1=1.0 @9-10 ok\nc3 read k1=2.0 @11-12 ok", "holds 2");
    expect_after_log(MR, "c3 read k1=2.0 @9-10 ok\nc4 read k1=1.0 @11-12 ok", "holds 2");
    expect_after_log(MR, "c3 read k1=2.0 @9-10 ok\nc3 read k2=nothing @11-12 ok", "holds 2");
    expect_after_log(MR, "c3 read k1=2.0 @9-10 info\nc3 read k1=1.0 @11-12 ok", "holds 1");
}
