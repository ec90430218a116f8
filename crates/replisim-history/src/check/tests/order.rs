//! Which version is newer, as reads tell it that would be broken if it were not.

use super::*;

const RYW: Check = Check::ReadYourWrites;

#[test]
fn does_not_guess_where_nobody_was_in_charge() {
    let concurrent = "c1 write k1=1.0 @0-5 ok\nc2 write k1=2.0 @1-5 ok";
    let unknown = "unknown 0/1: the order of versions is not known for 1 read";
    expect(RYW, &format!("{concurrent}\nc1 read k1=2.0 @6-7 ok"), unknown);
    expect(RYW, &format!("{concurrent}\nc1 read k1=1.0 @6-7 ok"), "holds 1");
    expect(RYW, &format!("{concurrent}\nc1 read k1=nothing @6-7 ok"), "violated 1/1: older than own write");
    let in_turn = "c1 write k1=1.0 @0-5 ok\nc2 write k1=2.0 @6-7 ok";
    expect(RYW, &format!("{in_turn}\nc2 read k1=1.0 @8-9 ok"), "violated 1/1: older than own write");
    expect(RYW, &format!("{in_turn}\nc1 read k1=2.0 @8-9 ok"), "holds 1");
}

#[test]
fn does_not_take_two_leaders_of_one_epoch_for_one_log() {
    let text = "
        install k1=1.0 1@1 n0 @1
        install k1=2.0 2@1 n1 @1
        c1 write k1=1.0 @0-5 ok
        c2 write k1=2.0 @1-5 ok
        c1 read k1=2.0 @6-7 ok";
    expect(RYW, text, "unknown 0/1: the order of versions is not known for 1 read");
}

/// A former leader writes on, so what it acknowledges has a lower position than what was acknowledged before.
const SPLIT_BRAIN: &str = "
    install k1=1.0 1@1 n0 @1
    install k1=2.0 2@2 n1 @6
    install k1=3.0 2@1 n0 @16
    c1 write k1=1.0 @0-2 ok 1@1
    c2 write k1=2.0 @5-10 ok 2@2
    c3 write k1=3.0 @15-20 ok 2@1
    final n1 leads | 1:0-1 2:1-2 | k1=2.0";

#[test]
fn does_not_take_two_leaders_of_two_epochs_for_one_log() {
    let own = format!("{SPLIT_BRAIN}\nc3 read k1=2.0 @30-31 ok");
    expect(RYW, &own, "violated 1/1: older than own write");
    expect(Check::FreshReads, &own, "violated 1/1: stale read");
    expect(Check::CausalOrder, &own, "violated 1/1: reply before message");
    let anothers = format!("{SPLIT_BRAIN}\nc4 read k1=3.0 @21-22 ok\nc4 read k1=2.0 @23-24 ok");
    expect(Check::MonotonicReads, &anothers, "violated 1/2: read went back");
    expect(Check::NoLostWrites, SPLIT_BRAIN, "violated 1/3: tail lost at promotion");
}

/// A session goes on in the instant in which its last operation ended.
#[test]
fn does_not_take_two_epochs_for_one_log_where_nobody_leads_at_the_end() {
    let order = "
        install k1=1.0 1@1 n0 @1
        install k1=2.0 1@2 n1 @2
        c1 write k1=1.0 @0-5 ok 1@1
        c2 write k1=2.0 @0-5 ok 1@2
        c3 read k1=2.0 @6-7 ok
        c3 read k1=1.0 @8-9 ok
        final n0 | 1:0-1 | k1=1.0
    ";
    let unknown = "unknown 0/2: the order of versions is not known for 1 read";
    expect(Check::MonotonicReads, &format!("{order}final n1 | 2:0-1 | k1=2.0"), unknown);
    expect(Check::MonotonicReads, &format!("{order}final n1 leads | 2:0-1 | k1=2.0"), "violated 1/2: read went back");
}

#[test]
fn does_not_take_what_a_session_wrote_last_for_older_than_what_it_wrote_before() {
    let same = SPLIT_BRAIN.replace("c3 write k1=3.0 @15-20", "c2 write k1=3.0 @10-20");
    let unknown = "unknown 0/1: the order of versions is not known for 1 read";
    expect(RYW, &format!("{same}\nc2 read k1=3.0 @30-31 ok"), unknown);
    let anothers = SPLIT_BRAIN.replace("c3 write k1=3.0 @15-20", "c3 write k1=3.0 @10-20");
    expect(RYW, &format!("{anothers}\nc2 read k1=3.0 @30-31 ok"), "violated 1/1: older than own write");
}

/// Two writes in one log, read the wrong way round, long before, after and while a former leader writes on.
#[test]
fn keeps_the_order_of_the_log_apart_from_what_contradicts_it() {
    let two = |from: u64, places: [&str; 2]| {
        let [first, second] = places;
        let line = |value: u64, place: &str| {
            let node = if place.ends_with('1') { "n0" } else { "n1" };
            let by = format!("c{value} write k1={value}.0 @{from}-{} ok {place}", from + 5);
            format!("install k1={value}.0 {place} {node} @{}\n{by}\n", from + 1)
        };
        let reads =
            format!("c5 read k1=2.0 @{}-{} ok\nc5 read k1=1.0 @{}-{} ok", from + 6, from + 7, from + 8, from + 9);
        format!("{}{}{reads}\n", line(1, first), line(2, second))
    };
    let stray = |times| format!("install k1=4.0 3@1 n0 @15\nc4 write k1=4.0 @{times} ok 3@1\n");
    let next = "install k1=3.0 3@2 n1 @9\nc3 write k1=3.0 @8-10 ok 3@2\nfinal n1 leads | 1:0-2 2:2-9 | k1=3.0";
    let went_back = "violated 1/2: read went back";
    expect(Check::MonotonicReads, &format!("{}{next}", two(0, ["1@1", "2@1"])), went_back);
    let before = format!("{}{}{next}", two(0, ["1@1", "2@1"]), stray("12-14"));
    expect(Check::MonotonicReads, &before, went_back);
    let after = format!("{}{}{next}", stray("12-14"), two(20, ["4@2", "5@2"]));
    expect(Check::MonotonicReads, &after, went_back);
    let meanwhile = format!("{}{}{next}", two(20, ["4@2", "5@2"]), stray("12-40"));
    expect(Check::MonotonicReads, &meanwhile, went_back);
    let unknown = "unknown 0/2: the order of versions is not known for 1 read";
    let between = format!("{}{}{next}", two(20, ["4@2", "5@2"]), stray("22-40"));
    expect(Check::MonotonicReads, &between, unknown);
}

/// A write that a former leader is late to hear of follows, in its log, what was written there meanwhile.
#[test]
fn does_not_take_what_follows_a_stray_in_its_epoch_for_older() {
    let late = "
        install k1=4.0 3@1 n0 @22
        c4 write k1=4.0 @4-9 info
        c3 read k1=4.0 @24-25 ok";
    let unknown = "unknown 0/1: the order of versions is not known for 1 read";
    expect(RYW, &format!("{SPLIT_BRAIN}{late}"), unknown);
}

#[test]
fn leaves_what_a_former_leader_never_acknowledged_on_its_branch() {
    let unanswered = SPLIT_BRAIN.replace("@15-20 ok 2@1", "@15-20 info");
    let concurrent = "install k1=4.0 3@2 n1 @8\nc4 write k1=4.0 @5-9 ok 3@2";
    let read = |what| format!("{unanswered}\n{concurrent}\nc2 read k1={what} @30-31 ok");
    expect(RYW, &read("4.0"), "holds 1");
    expect(RYW, &read("1.0"), "violated 1/1: older than own write");
    // Once it was seen, it began after what it is said to precede.
    let seen = format!("{unanswered}\nc4 read k1=3.0 @21-22 ok\nc4 read k1=2.0 @23-24 ok");
    expect(Check::MonotonicReads, &seen, "violated 1/2: read went back");
}

/// A server that is cut off begins an epoch with a higher number than that of the one that wins.
#[test]
fn does_not_take_a_lost_branch_for_newer_than_what_it_was_not_built_on() {
    let beside = |built_on| {
        format!(
            "
            install k1=1.0 1@1 n0 @1
            install k1=2.0 2@2 n1 @6
            install k1=3.0 3@3 n0 @7
            begin 2 n1 @5 | 1:0-1
            begin 3 n0 @6 | {built_on}
            c1 write k1=1.0 @0-2 ok 1@1
            c2 write k1=2.0 @5-10 ok 2@2
            c3 write k1=3.0 @6-9 ok 3@3
            final n1 leads | 1:0-1 2:1-2 | k1=2.0"
        )
    };
    let reads = "c4 read k1=3.0 @8-9 ok\nc4 read k1=2.0 @11-12 ok";
    let unknown = "unknown 0/2: the order of versions is not known for 1 read";
    for (built_on, went_back, stale) in
        [("1:0-1", unknown, unknown), ("1:0-1 2:1-2", "violated 1/2: read went back", "violated 1/2: stale read")]
    {
        let text = format!("{}\n{reads}", beside(built_on));
        expect(Check::MonotonicReads, &text, went_back);
        expect(Check::FreshReads, &text, stale);
    }
    let older = format!("{}\nc3 read k1=1.0 @11-12 ok", beside("1:0-1"));
    expect(RYW, &older, "violated 1/1: older than own write");
}

#[test]
fn places_a_lost_branch_before_the_next_epoch() {
    let fork = "
        install k1=1.0 480@1 n0 @1
        install k1=1.1 502@1 n0 @3
        install k1=2.0 481@2 n1 @2
        c1 write k1=1.0 @0-2 ok
        c1 write k1=1.1 @2-4 ok
        c2 write k1=2.0 @1-4 ok
        final n1 leads | 1:0-480 2:480-500 | k1=2.0";
    let read = |first, second| format!("{fork}\nc3 read k1={first} @9-10 ok\nc3 read k1={second} @11-12 ok");
    expect(Check::MonotonicReads, &read("1.1", "2.0"), "holds 2");
    expect(Check::MonotonicReads, &read("2.0", "1.1"), "violated 1/2: read went back");
    expect(Check::MonotonicReads, &read("1.1", "1.0"), "violated 1/2: read went back");
}
