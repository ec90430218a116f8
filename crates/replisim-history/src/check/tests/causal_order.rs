use super::*;
const CAUSAL: Check = Check::CausalOrder;

/// c1 writes k1, then k2; c2 sees k2 and writes k3; c3 sees k3 and writes k4.
const CHAIN: &str = "
    install k1=1.0 1@1 n0 @1
    install k2=1.1 2@1 n0 @3
    install k3=2.1 3@1 n0 @7
    install k4=3.1 4@1 n0 @11
    c1 write k1=1.0 @0-2 ok
    c1 write k2=1.1 @2-4 ok
    c2 read k2=1.1 @4-5 ok
    c2 write k3=2.1 @6-8 ok
    c3 read k3=2.1 @8-9 ok
    c3 write k4=3.1 @10-12 ok";

#[test]
fn refuses_a_reply_before_its_message() {
    let refuses = |text: &str, counts: &str| {
        expect(CAUSAL, &format!("{CHAIN}\n{text}"), &format!("violated {counts}: reply before message"));
    };
    refuses("c4 read k4=3.1 @13-14 ok\nc4 read k1=nothing @15-16 ok", "1/4");
    refuses("c4 read k4=3.1 @13-14 ok\nc4 read k2=nothing @15-16 ok", "1/4");
    refuses("c3 read k1=nothing @13-14 ok", "1/3");
    refuses("c4 txn read k1=nothing; read k4=3.1 @13-14 ok", "1/4");
}

#[test]
fn accepts_what_is_not_in_the_past() {
    let accepts = |text: &str| expect(CAUSAL, &format!("{CHAIN}\n{text}"), "holds 4");
    accepts("c4 read k4=3.1 @13-14 ok\nc4 read k1=1.0 @15-16 ok");
    accepts("c4 read k4=nothing @13-14 ok\nc4 read k1=nothing @15-16 ok");
    accepts("c4 read k2=1.1 @13-14 ok\nc4 read k4=nothing @15-16 ok");
}

#[test]
fn is_broken_two_hops_away_where_no_session_guarantee_is() {
    let history = history(&format!("{CHAIN}\nc4 read k4=3.1 @13-14 ok\nc4 read k1=nothing @15-16 ok"));
    for check in [Check::ReadYourWrites, Check::MonotonicReads, Check::MonotonicWrites, Check::WritesFollowReads] {
        assert_eq!(finding(check, &history), "holds 4", "{check}");
    }
}

#[test]
fn tells_the_shortest_chain() {
    let history = history(&format!("{CHAIN}\nc4 read k4=3.1 @13-14 ok\nc4 read k1=nothing @15-16 ok"));
    let Verdict::Violated(witness) = check(CAUSAL, &history).verdict else { panic!("it is violated") };
    assert_eq!(witness.operations, [0, 1, 2, 3, 4, 5, 6, 7]);
    let last = witness.lines.last().expect("a line");
    assert_eq!((&*last.who, &*last.what), ("c4", "read k1 = nothing"));
    assert_eq!(last.remark, "node0 answered without k1 = 1.0");
}
