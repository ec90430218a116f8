use super::*;
const WFR: Check = Check::WritesFollowReads;
const REPLY: &str = "
    install k3=3.1 5@1 n0 @11
    c3 read k1=2.0 @9-10 ok
    c3 write k3=3.1 @10-12 ok 5@1";

#[test]
fn refuses_a_write_without_what_its_author_had_read() {
    let kind = "write without what it follows";
    let refuses =
        |text: &str, counts| expect_after_log(WFR, &format!("{REPLY}{text}"), &format!("violated {counts}: {kind}"));
    refuses("\nc4 read k3=3.1 @13-14 ok\nc4 read k1=1.0 @15-16 ok", "1/3");
    refuses("\nc4 read k3=3.1 @13-14 ok\nc4 read k1=nothing @15-16 ok", "1/3");
    refuses("\nc4 txn read k1=1.0; read k3=3.1 @13-14 ok", "1/3");
}

#[test]
fn accepts_what_its_author_read_and_what_it_read_later() {
    let accepts = |text: &str| expect_after_log(WFR, &format!("{REPLY}{text}"), "holds 3");
    accepts("\nc4 read k3=3.1 @13-14 ok\nc4 read k1=2.0 @15-16 ok");
    accepts("\nc4 read k3=nothing @13-14 ok\nc4 read k1=1.0 @15-16 ok");
    let later = "\nc3 read k2=2.1 @13-14 ok\nc4 read k3=3.1 @15-16 ok\nc4 read k2=1.1 @17-18 ok";
    expect_after_log(WFR, &format!("{REPLY}{later}"), "holds 4");
}
