use super::*;

#[test]
fn are_forgotten_once_something_newer_than_all_was_seen() {
    let rivals = "c1 write k1=1.0 @0-5 ok\nc2 write k1=2.0 @1-5 ok\nc4 read k1=1.0 @6-7 ok\nc4 read k1=2.0 @8-9 ok";
    let newer = "c3 write k1=3.0 @10-12 ok\nc4 read k1=3.0 @13-14 ok\nc4 read k1=3.0 @15-16 ok";
    let unknown = |reads| format!("unknown 0/{reads}: the order of versions is not known for 1 read");
    expect(Check::MonotonicReads, rivals, &unknown(2));
    expect(Check::MonotonicReads, &format!("{rivals}\n{newer}"), &unknown(4));
}

#[test]
fn are_older_than_what_is_read_if_that_was_begun_when_both_were_acknowledged() {
    let text = |begun| {
        format!(
            "
            c1 write k1=1.0 @0-5 ok
            c2 write k1=2.0 @1-5 ok
            c1 write k2=1.1 @6-7 ok
            c2 write k3=2.1 @6-7 ok
            c3 write k1=3.0 @{begun}-12 ok
            c4 read k2=1.1 @13-14 ok
            c4 read k3=2.1 @13-14 ok
            c4 read k1=3.0 @15-16 ok"
        )
    };
    expect(Check::CausalOrder, &text(8), "holds 3");
    expect(Check::MonotonicWrites, &text(8), "holds 3");
    let unknown = "unknown 0/3: the order of versions is not known for 1 read";
    expect(Check::MonotonicWrites, &text(4), unknown);
}

#[test]
fn stay_while_one_of_them_may_be_newer() {
    let text = "
        c1 write k1=1.0 @0-5 ok
        c2 write k1=2.0 @1-20 ok
        c4 read k1=1.0 @6-7 ok
        c4 read k1=2.0 @8-9 ok
        c3 write k1=3.0 @10-12 ok
        c4 read k1=3.0 @13-14 ok";
    let unknown = "unknown 0/3: the order of versions is not known for 2 reads";
    expect(Check::MonotonicReads, text, unknown);
}

#[test]
fn do_not_stand_in_the_way_of_the_one_that_was_begun_last() {
    let written = "c1 write k1=1.0 @0-10 ok\nc2 write k1=2.0 @5-7 ok\nc3 write k1=3.0 @8-20 ok";
    let went_back = "c5 read k1=3.0 @23-24 ok\nc5 read k1=2.0 @25-26 ok";
    expect(Check::MonotonicReads, &format!("{written}\n{went_back}"), "violated 1/2: read went back");
    let after_a_rival = format!("{written}\nc5 read k1=1.0 @21-22 ok\n{went_back}");
    expect(Check::MonotonicReads, &after_a_rival, "violated 1/3: read went back");
}
