use super::*;
const RYW: Check = Check::ReadYourWrites;

#[test]
fn refuses_what_is_older_than_an_own_write() {
    expect_after_log(RYW, "c2 read k1=1.0 @9-10 ok", "violated 1/1: older than own write");
    expect_after_log(RYW, "c1 read k1=nothing @9-10 ok", "violated 1/1: older than own write");
    expect_after_log(RYW, "c2 txn read k1=2.0; read k2=1.1 @9-10 ok", "violated 1/2: older than own write");
}

#[test]
fn accepts_the_own_write_and_what_came_after_it() {
    expect_after_log(RYW, "c1 read k1=1.0 @9-10 ok", "holds 1");
    expect_after_log(RYW, "c1 read k1=2.0 @9-10 ok", "holds 1");
    expect_after_log(RYW, "c3 read k1=nothing @9-10 ok", "holds 1");
}

#[test]
fn asks_nothing_of_a_write_that_was_not_acknowledged() {
    for outcome in ["fail", "info"] {
        let text = format!("install k3=1.2 5@1 n0 @9\nc1 write k3=1.2 @9-10 {outcome}\nc1 read k3=nothing @11-12 ok");
        expect_after_log(RYW, &text, "holds 1");
    }
}

#[test]
fn gives_a_read_of_nothing_the_latest_deletion() {
    let deleted = "install k1=- 5@1 n0 @9\nc3 delete k1 @9-10 ok 5@1";
    expect_after_log(RYW, &format!("{deleted}\nc2 read k1=nothing @11-12 ok"), "holds 1");
    expect_after_log(RYW, &format!("c2 read k1=nothing @7-8 ok\n{deleted}"), "violated 1/1: older than own write");
}

#[test]
fn sees_that_an_appended_element_is_missing() {
    let list = "
        install k4=1.2 5@1 n0 @9
        install k4=2.2 6@1 n0 @10
        c1 append k4=1.2 @9-10 ok 5@1
        c2 append k4=2.2 @9-11 ok 6@1";
    expect_after_log(RYW, &format!("{list}\nc2 read k4=[1.2] @12-13 ok"), "violated 1/1: older than own write");
    expect_after_log(RYW, &format!("{list}\nc2 read k4=[1.2 2.2] @12-13 ok"), "holds 1");
    expect_after_log(RYW, &format!("{list}\nc2 read k4={{1.2}} @12-13 ok"), "violated 1/1: older than own write");
    expect_after_log(RYW, &format!("{list}\nc1 remove k4=2.2 @11-12 info\nc2 read k4={{1.2}} @12-13 ok"), "holds 1");
}

const SWEPT: &str = "
    install k1=1.0 1@1 n0 @1
    install k1=- 2@1 n0 @3
    install k1=1.1 3@1 n0 @5
    c1 append k1=1.0 @0-2 ok 1@1";

/// An operator drops the table, which no client asked for.
#[test]
fn does_not_miss_what_the_log_says_was_swept_away() {
    for (what, read) in [(RYW, "[1.1]"), (RYW, "[1.0 1.1]"), (Check::FreshReads, "[1.1]")] {
        let text = format!("{SWEPT}\nc1 append k1=1.1 @4-6 ok 3@1\nc1 read k1={read} @7-8 ok");
        expect(what, &text, "holds 1");
    }
    let read = "c1 append k1=1.1 @4-6 info\nc1 read k1=[1.1] @7-8 ok";
    expect(RYW, &format!("{SWEPT}\n{read}"), "holds 1");
    expect(Check::FreshReads, &format!("{SWEPT}\n{read}"), "holds 1");
}

#[test]
fn misses_what_was_swept_away_or_removed_only_later() {
    let list = "
        install k1=1.0 1@1 n0 @1
        install k1=1.1 2@1 n0 @3
        install k1=- 3@1 n0 @9
        c1 append k1=1.0 @0-2 ok 1@1
        c1 append k1=1.1 @2-4 ok 2@1";
    for (what, kind) in [(RYW, "older than own write"), (Check::FreshReads, "stale read")] {
        expect(what, &format!("{list}\nc1 read k1=[1.0] @5-8 ok"), &format!("violated 1/1: {kind}"));
        expect(what, &format!("{list}\nc1 read k1=[1.0] @5-9 ok"), "holds 1");
        let set = list.replace("append", "add").replace("install k1=- 3@1 n0 @9", "install k1=-1.1 3@1 n0 @9");
        let removed = |moment: u32| format!("{set}\nc1 read k1={{1.0}} @5-8 ok\nc2 remove k1=1.1 @{moment}-20 ok 3@1");
        expect(what, &removed(9), &format!("violated 1/1: {kind}"));
        expect(what, &removed(8), "holds 1");
    }
}

#[test]
fn takes_a_text_with_a_character_less_for_no_less_than_a_text() {
    let text = "
        install k1=1.0 1@1 n0 @1
        install k1=1.1 2@1 n0 @3
        install k1=_ 3@1 n0 @5
        c1 insert k1=1.0 @0-2 ok 1@1
        c1 insert k1=1.1 @2-4 ok 2@1
        c2 trim k1 @4-6 ok 3@1";
    expect(RYW, &format!("{text}\nc1 read k1=nothing @7-8 ok"), "violated 1/1: older than own write");
    expect(Check::FreshReads, &format!("{text}\nc1 read k1=nothing @7-8 ok"), "violated 1/1: stale read");
    expect(RYW, &format!("{text}\nc1 read k1=[1.0] @7-8 ok"), "holds 1");
    expect(RYW, &format!("{text}\nc1 read k1=[1.0] @3-4 ok"), "violated 1/1: older than own write");
}

#[test]
fn demands_what_came_after_a_deletion_and_the_deletion_itself() {
    let own = "violated 1/1: older than own write";
    let stale = "violated 1/1: stale read";
    let deleted = format!("{SWEPT}\nc1 delete k1 @2-4 ok 2@1");
    expect(RYW, &format!("{deleted}\nc1 read k1=[1.0] @5-6 ok"), own);
    expect(RYW, &format!("{deleted}\nc1 read k1=[] @5-6 ok"), "holds 1");
    expect(Check::FreshReads, &format!("{deleted}\nc2 read k1=[1.0] @5-6 ok"), stale);
    expect(Check::FreshReads, &format!("{deleted}\nc2 read k1=[1.0] @3-6 ok"), "holds 1");
    let renewed = format!("{deleted}\nc1 append k1=1.1 @4-6 ok 3@1");
    for read in ["[]", "[1.0]"] {
        expect(RYW, &format!("{renewed}\nc1 read k1={read} @7-8 ok"), own);
        expect(Check::FreshReads, &format!("{renewed}\nc1 read k1={read} @7-8 ok"), stale);
    }
    expect(RYW, &format!("{renewed}\nc1 read k1=[1.1] @7-8 ok"), "holds 1");
    let untold = "c2 delete k1 @0-1 ok\nc1 append k1=1.0 @2-3 ok\nc1 read k1=[] @4-5 ok";
    expect(RYW, untold, own);
    expect(RYW, &untold.replace("@2-3", "@1-3"), "holds 1");
}

#[test]
fn demands_that_what_replaced_a_list_has_replaced_it() {
    let replaced = "
        install k1=1.0 1@1 n0 @1
        install k1=1.1 2@1 n0 @3
        c1 append k1=1.0 @0-2 ok 1@1
        c1 write k1=1.1 @2-4 ok 2@1";
    let own = "violated 1/1: older than own write";
    expect(RYW, &format!("{replaced}\nc1 read k1=[1.0] @5-6 ok"), own);
    let grown = format!("{replaced}\ninstall k1=1.2 3@1 n0 @5\nc1 append k1=1.2 @4-6 ok 3@1");
    expect(RYW, &format!("{grown}\nc1 read k1=[1.2] @7-8 ok"), "holds 1");
    expect(RYW, &format!("{grown}\nc1 read k1=[1.0] @7-8 ok"), own);
}

#[test]
fn says_so_when_there_is_nothing_to_read() {
    expect_after_log(RYW, "", "unknown 0/0: the history holds nothing to check");
    let counted = "c1 sum k5=2 @9-10 ok\nc1 read k5=+0 @11-12 ok";
    expect_after_log(RYW, counted, "unknown 0/0: the order of versions is not known for 1 read");
}
