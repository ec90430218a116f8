use super::*;
const MW: Check = Check::MonotonicWrites;

#[test]
fn refuses_a_later_write_without_an_earlier() {
    let kind = "violated 1/2: later write without earlier";
    expect_after_log(MW, "c3 read k2=1.1 @9-10 ok\nc3 read k1=nothing @11-12 ok", kind);
    expect_after_log(MW, "c3 read k2=2.1 @9-10 ok\nc3 read k1=1.0 @11-12 ok", kind);
    expect_after_log(MW, "c3 txn read k1=1.0; read k2=2.1 @9-10 ok", kind);
}

#[test]
fn accepts_the_earlier_write_and_reads_that_came_before() {
    expect_after_log(MW, "c3 read k2=1.1 @9-10 ok\nc3 read k1=1.0 @11-12 ok", "holds 2");
    expect_after_log(MW, "c3 read k2=1.1 @9-10 ok\nc3 read k1=2.0 @11-12 ok", "holds 2");
    expect_after_log(MW, "c3 read k1=nothing @9-10 ok\nc3 read k2=1.1 @11-12 ok", "holds 2");
    expect_after_log(MW, "c3 read k1=1.0 @9-10 ok\nc3 read k2=nothing @11-12 ok", "holds 2");
}
