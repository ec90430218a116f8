//! Each checker is shown anomalies that it must refuse, and beside each the near miss that it must let pass.

use replisim_kernel::{SimTime, Span};

use super::notation::history;
use super::{check, check_all, recheck, staleness};
use crate::check::losses;
use crate::{Check, History, Verdict};

/// What a check finds: `holds 2`, `violated 1/2: read went back`, `unknown 0/1: …`. A witness must stand on its own.
fn finding(what: Check, history: &History) -> String {
    let finding = check(what, history);
    let counts = format!("{}/{}", finding.broken, finding.of);
    match &finding.verdict {
        Verdict::Holds => format!("holds {}", finding.of),
        Verdict::Unknown(limit) => format!("unknown {counts}: {limit}"),
        Verdict::Violated(witness) => {
            assert!(recheck(what, history, witness), "the witness does not stand on its own: {witness:#?}");
            assert!(witness.lines.is_sorted_by_key(|line| line.at), "the witness is out of order: {witness:#?}");
            format!("violated {counts}: {}", witness.kind)
        }
    }
}

#[track_caller]
fn expect(what: Check, text: &str, expected: &str) {
    assert_eq!(finding(what, &history(text)), expected, "{what} over\n{text}");
}

/// Two versions of k1 and two of k2 in the log of one leader, with the writes of sessions 1 and 2 that made them.
const LOG: &str = "
    install k1=1.0 1@1 n0 @1
    install k2=1.1 2@1 n0 @3
    install k1=2.0 3@1 n0 @5
    install k2=2.1 4@1 n0 @7
    c1 write k1=1.0 @0-2 ok 1@1
    c1 write k2=1.1 @2-4 ok 2@1
    c2 write k1=2.0 @4-6 ok 3@1
    c2 write k2=2.1 @6-8 ok 4@1
";

#[track_caller]
fn expect_after_log(what: Check, text: &str, expected: &str) {
    expect(what, &format!("{LOG}{text}"), expected);
}

mod read_your_writes {
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
            let text =
                format!("install k3=1.2 5@1 n0 @9\nc1 write k3=1.2 @9-10 {outcome}\nc1 read k3=nothing @11-12 ok");
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
        expect_after_log(
            RYW,
            &format!("{list}\nc1 remove k4=2.2 @11-12 info\nc2 read k4={{1.2}} @12-13 ok"),
            "holds 1",
        );
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
    fn says_so_when_there_is_nothing_to_read() {
        expect_after_log(RYW, "", "unknown 0/0: the history holds nothing to check");
        let counted = "c1 sum k5=2 @9-10 ok\nc1 read k5=+0 @11-12 ok";
        expect_after_log(RYW, counted, "unknown 0/0: the order of versions is not known for 1 read");
    }
}

mod monotonic_reads {
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
        expect(MR, &read("1.1", "2.0"), "holds 2");
        expect(MR, &read("2.0", "1.1"), "violated 1/2: read went back");
        expect(MR, &read("1.1", "1.0"), "violated 1/2: read went back");
    }
}

mod rivals {
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
}

mod monotonic_writes {
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
}

mod writes_follow_reads {
    use super::*;
    const WFR: Check = Check::WritesFollowReads;
    const REPLY: &str = "
        install k3=3.1 5@1 n0 @11
        c3 read k1=2.0 @9-10 ok
        c3 write k3=3.1 @10-12 ok 5@1";

    #[test]
    fn refuses_a_write_without_what_its_author_had_read() {
        let kind = "write without what it follows";
        let refuses = |text: &str, counts| {
            expect_after_log(WFR, &format!("{REPLY}{text}"), &format!("violated {counts}: {kind}"))
        };
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
}

mod causal_order {
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
}

mod fresh_reads {
    use super::*;
    const FRESH: Check = Check::FreshReads;

    #[test]
    fn refuses_a_read_that_misses_what_was_acknowledged() {
        expect_after_log(FRESH, "c3 read k1=1.0 @9-10 ok", "violated 1/1: stale read");
        expect_after_log(FRESH, "c3 read k1=nothing @9-10 ok", "violated 1/1: stale read");
        expect_after_log(FRESH, "c3 txn read k1=2.0; read k2=1.1 @9-10 ok", "violated 1/2: stale read");
        expect(
            "FreshReads".parse().unwrap(),
            "c1 add k1=1.0 @0-2 ok\nc2 read k1={} @3-4 ok",
            "violated 1/1: stale read",
        );
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
}

mod no_lost_writes {
    use super::*;
    const LOST: Check = Check::NoLostWrites;

    #[test]
    fn refuses_a_tail_lost_at_promotion() {
        let fork = "
            install k1=1.0 480@1 n0 @1
            install k2=1.1 502@1 n0 @3
            c1 write k1=1.0 @0-2 ok 480@1
            c1 write k2=1.1 @2-4 ok 502@1";
        let lost = format!("{fork}\nfinal n1 leads | 1:0-480 2:480-600 | k1=1.0");
        expect(LOST, &lost, "violated 1/2: tail lost at promotion");
        let finding = check(LOST, &history(&lost));
        let told = finding.verdict.witness().and_then(|witness| witness.lines.last()).expect("it has lines");
        assert_eq!((told.who.as_str(), told.at), ("node1", SimTime::ZERO + Span::secs(60)), "when it was looked at");
        let kept = format!("{fork}\nfinal n1 leads | 1:0-502 2:502-600 | k1=1.0; k2=1.1");
        expect(LOST, &kept, "holds 2");
        let retried =
            format!("{fork}\ninstall k2=1.1 481@2 n1 @9\nfinal n1 leads | 1:0-480 2:480-600 | k1=1.0; k2=1.1");
        expect(LOST, &retried, "holds 2");
    }

    #[test]
    fn refuses_a_write_that_vanished() {
        expect_after_log(LOST, "final n0 leads | | k1=2.0", "violated 1/4: write vanished");
        expect_after_log(LOST, "final n0 leads | 1:0-9 | k1=1.0; k2=2.1", "violated 1/4: write vanished");
        expect_after_log(LOST, "final n0 leads | 1:0-9 |", "violated 2/4: write vanished");
        expect_after_log(LOST, "final n0 leads | 1:0-9 | k1=2.0; k2=2.1", "holds 4");
    }

    #[test]
    fn respects_overwriting_and_deletion() {
        let info = "install k1=3.0 5@1 n0 @9\nc3 write k1=3.0 @8-10 info";
        expect_after_log(LOST, &format!("{info}\nfinal n0 leads | 1:0-9 | k1=3.0; k2=2.1"), "holds 4");
        let deleted = "install k1=- 5@1 n0 @9\nc3 delete k1 @8-10 info";
        expect_after_log(LOST, &format!("{deleted}\nfinal n0 leads | 1:0-9 | k2=2.1"), "holds 4");
        let undone = "install k1=- 5@1 n0 @9\nc3 delete k1 @8-10 ok 5@1\nfinal n0 leads | 1:0-9 | k1=2.0; k2=2.1";
        expect_after_log(LOST, undone, "violated 1/5: deletion undone");
    }

    #[test]
    fn looks_for_each_element() {
        let list = "c1 append k1=1.0 @0-1 ok\nc2 append k1=2.0 @0-2 ok\nc3 append k1=3.0 @0-3 info";
        expect(LOST, &format!("{list}\nfinal n0 leads | | k1=[2.0 1.0]"), "holds 2");
        expect(LOST, &format!("{list}\nfinal n0 leads | | k1=[3.0 1.0]"), "violated 1/2: write vanished");
        let set = "c1 add k1=1.0 @0-1 ok\nc1 remove k1=1.0 @2-3 ok";
        expect(LOST, &format!("{set}\nfinal n0 leads | | k1={{}}"), "holds 2");
        expect(LOST, &format!("{set}\nfinal n0 leads | | k1={{1.0}}"), "violated 1/2: deletion undone");
    }

    #[test]
    fn takes_an_element_for_replaced_by_a_register_and_a_register_by_a_set() {
        let replaced = "
            install k1=1.0 1@1 n0 @1
            install k1=2.0 2@1 n0 @3
            c1 append k1=1.0 @0-2 ok 1@1
            c2 write k1=2.0 @2-4 ok 2@1";
        expect(LOST, &format!("{replaced}\nfinal n0 leads | 1:0-9 | k1=2.0"), "holds 2");
        expect(LOST, &format!("{replaced}\nfinal n0 leads | 1:0-9 | k1=[1.0]"), "violated 1/2: write vanished");
        let grown = replaced.replace("append k1=1.0", "write k1=1.0").replace("write k1=2.0", "append k1=2.0");
        expect(LOST, &format!("{grown}\nfinal n0 leads | 1:0-9 | k1=1.0"), "violated 1/2: write vanished");
        let nameless = "
            install k1=1.0 1@1 n0 @1
            install k1=7.7 2@1 n0 @3
            c1 append k1=1.0 @0-2 ok 1@1";
        expect(LOST, &format!("{nameless}\nfinal n0 leads | 1:0-9 | k1=7.7"), "holds 1");
        let untold = "c1 append k1=1.0 @0-2 ok\nc2 write k1=2.0 @3-4 ok\nc1 append k1=1.1 @5-6 ok";
        expect(LOST, &format!("{untold}\nfinal n0 leads | | k1=[1.1]"), "holds 3");
    }

    #[test]
    fn takes_a_list_for_replaced_by_a_set_and_a_set_by_a_list() {
        let mixed = "
            install k1=5.0 1@1 n0 @1
            install k1=4.0 2@1 n0 @3
            install k1=6.0 3@1 n0 @5
            install k1=7.0 4@1 n0 @7
            c5 append k1=5.0 @0-2 ok 1@1
            c4 append k1=4.0 @2-4 ok 2@1
            c6 add k1=6.0 @4-6 ok 3@1
            c7 add k1=7.0 @6-8 ok 4@1
            c5 read k1={6.0 7.0} @9-10 ok";
        let of = |held| format!("{mixed}\nfinal n0 leads | 1:0-9 | k1={held}");
        expect(LOST, &of("{6.0 7.0}"), "holds 4");
        expect(LOST, &of("{6.0}"), "violated 1/4: write vanished");
        expect(LOST, &of("[5.0 4.0]"), "violated 2/4: write vanished");
        expect(Check::ReadYourWrites, &of("{6.0 7.0}"), "holds 1");
        expect(Check::FreshReads, &of("{6.0 7.0}"), "holds 1");
        let untold = "c1 append k1=1.0 @0-2 ok\nc2 add k1=2.0 @3-4 ok\nc1 append k1=1.1 @5-6 ok";
        expect(LOST, &format!("{untold}\nfinal n0 leads | | k1=[1.1]"), "holds 3");
        expect(LOST, &format!("{untold}\nfinal n0 leads | | k1=[1.0]"), "violated 1/3: write vanished");
    }

    #[test]
    fn does_not_take_what_was_written_last_for_replaced_by_itself() {
        let gone = |first: &str, second: &str| {
            let text = format!("c1 {first} k1=1.0 @0-1 ok\nc2 {second} k1=2.0 @2-3 ok\nfinal n0 leads | - | k2=1.0");
            finding(LOST, &history(&text))
        };
        assert_eq!(gone("add", "append"), "violated 1/2: write vanished");
        assert_eq!(gone("append", "add"), "violated 1/2: write vanished");
        assert_eq!(gone("append", "append"), "violated 2/2: write vanished");
    }

    #[test]
    fn counts_what_a_sum_lacks() {
        let counter = "c1 sum k1=2 @0-1 ok\nc2 sum k1=3 @1-2 ok\nc3 sum k1=4 @2-3 info";
        expect(LOST, &format!("{counter}\nfinal n0 leads | | k1=+5"), "holds 2");
        expect(LOST, &format!("{counter}\nfinal n0 leads | | k1=+9"), "holds 2");
        expect(LOST, &format!("{counter}\nfinal n0 leads | | k1=+2"), "violated 1/2: addition missing");
        expect(LOST, &format!("{counter}\nfinal n0 leads | | k1=+6"), "violated 1/2: addition missing");
        expect(LOST, &format!("{counter}\nfinal n0 leads | | k1=+4"), "violated 1/2: addition missing");
    }

    #[test]
    fn knows_that_a_sum_with_subtractions_lacks_something() {
        let counter = "c1 sum k1=+5 @0-1 ok\nc2 sum k1=-1 @2-3 ok";
        let lacking = "violated 1/2: addition missing";
        expect(LOST, &format!("{counter}\nfinal n0 leads | - | k2=1.0"), lacking);
        expect(LOST, &format!("{counter}\nfinal n0 leads | | k1=+4"), "holds 2");
        let unanswered = format!("{counter}\nc3 sum k1=-3 @2- open\nc3 sum k1=+2 @2- open");
        let of = |sum: &str| format!("{unanswered}\nfinal n0 leads | | k1={sum}");
        let unknown = "unknown 0/2: the history does not tell of 2 acknowledged writes whether it lost them";
        expect(LOST, &of("+1"), unknown);
        for sum in ["+6", "+3", "+4"] {
            expect(LOST, &of(sum), "holds 2");
        }
        for sum in ["+0", "+2", "+5"] {
            expect(LOST, &of(sum), lacking);
        }
    }

    #[test]
    fn counts_what_a_sum_lacks_though_its_record_is_there() {
        let lacking = "violated 1/1: addition missing";
        expect(LOST, "c1 sum k1=5 @0-2 ok 1@1\nfinal n0 leads | 1:0-9 | k1=+0", lacking);
        let logged = "
            install k1=- 1@1 n0 @1
            install k1=- 2@1 n0 @3
            c1 sum k1=5 @0-2 ok 1@1
            c2 sum k1=3 @2-4 ok 2@1";
        let of = |more: &str, lineage: &str, held: &str| {
            finding(LOST, &history(&format!("{logged}\n{more}\nfinal n0 leads | {lineage} | k1={held}")))
        };
        assert_eq!(of("", "1:0-9", "+8"), "holds 2");
        assert_eq!(of("", "1:0-9", "+5"), "violated 1/2: addition missing");
        assert_eq!(of("", "1:0-1", "+5"), "violated 1/2: gone from the leader's log");
        assert_eq!(of("", "1:0-1", "+0"), "violated 2/2: addition missing");
        assert_eq!(of("c3 sum k1=2 @4- open", "1:0-9", "+10"), "holds 2");
        assert_eq!(of("c3 sum k1=2 @4- open", "1:0-9", "+9"), "violated 1/2: addition missing");
        assert_eq!(of("c3 delete k1 @4-6 info", "1:0-9", "+0"), "holds 2");
    }

    /// What no client is known to have done may be a table that an operator dropped, or an addition that was never answered.
    #[test]
    fn does_not_miss_what_was_added_before_a_table_was_dropped() {
        let of = |held: &str, last: &str| {
            let text = format!(
                "
                install k1=- 1@1 n0 @1
                install k1=- 2@1 n0 @3
                install k1=- 3@1 n0 @5
                c1 sum k1=5 @0-2 ok 1@1
                c2 sum k1={last} @4-6 ok 3@1
                final n0 leads | 1:0-9 | k1={held}"
            );
            finding(LOST, &history(&text))
        };
        for held in ["+3", "+8", "+11"] {
            assert_eq!(of(held, "3"), "holds 2");
        }
        assert_eq!(of("+2", "3"), "violated 1/2: addition missing");
        let unknown = "unknown 0/2: the history does not tell of 1 acknowledged write whether it lost them";
        assert_eq!(of("+4", "-1"), unknown);
    }

    #[test]
    fn does_not_guess_where_too_much_was_never_answered() {
        let powers = (1..=13).map(|bit| format!("c2 sum k1={} @0- open\n", 1 << bit)).collect::<String>();
        let of = |held: &str| format!("c1 sum k1=+5 @0-1 ok\n{powers}final n0 leads | | k1={held}");
        let unknown = "unknown 0/1: the history does not tell of 1 acknowledged write whether it lost them";
        expect(LOST, &of("+6"), unknown);
        expect(LOST, &of("+5"), "holds 1");
        expect(LOST, &of("+4"), "violated 1/1: addition missing");
    }

    #[test]
    fn asks_whether_any_of_several_leaders_has_it() {
        let written = "c1 write k1=1.0 @0-2 ok\nc2 write k1=2.0 @0-2 ok";
        expect(LOST, &format!("{written}\nfinal n0 leads | | k1=1.0\nfinal n1 leads | | k1=2.0"), "holds 2");
        expect(LOST, &format!("{written}\nfinal n0 leads | | k1=1.0\nfinal n1 | | k1=2.0"), "holds 2");
        let neither = format!("{written}\nfinal n0 leads | |\nfinal n1 leads | |");
        expect(LOST, &neither, "violated 2/2: write vanished");
        let skewed = "c1 write k1=1.0 @0-2 ok\nc2 write k1=2.0 @3-4 ok\nfinal n0 leads | | k1=1.0";
        expect(LOST, skewed, "violated 1/2: write vanished");
    }

    #[test]
    fn says_so_when_nobody_knows() {
        expect_after_log(LOST, "", "unknown 0/0: no replica led at the end");
        expect(LOST, "", "unknown 0/0: the history holds nothing to check");
        expect(LOST, "c1 write k1=1.0 @0-2 info", "holds 0");
    }

    #[test]
    fn speaks_of_a_promotion_only_where_another_leads() {
        let of = |node| format!("{LOG}final {node} leads | 1:0-3 2:64-64 | k1=2.0; k2=1.1");
        expect(LOST, &of("n0"), "violated 1/4: gone from the leader's log");
        expect(LOST, &of("n1"), "violated 1/4: tail lost at promotion");
        let back = format!("{}\ninstall k3=3.0 4@2 n1 @9", of("n0"));
        expect(LOST, &back, "violated 1/4: tail lost at promotion");
    }

    #[test]
    fn knows_a_leader_that_has_no_records_from_one_that_tells_none() {
        let wiped = "
            install k1=1.0 1@1 n0 @1
            install k1=1.1 2@1 n0 @3
            c1 write k1=1.0 @0-2 ok 1@1
            c1 write k1=1.1 @2-4 ok 2@1";
        expect(LOST, &format!("{wiped}\nfinal n1 leads | - |"), "violated 2/2: tail lost at promotion");
        expect(LOST, &format!("{wiped}\nfinal n1 leads | | "), "violated 1/2: write vanished");
    }

    /// What it holds is the same as if the deletion were there.
    #[test]
    fn says_that_the_record_of_a_deletion_is_gone() {
        let text = "install k1=- 1@1 n0 @1\nc1 delete k1 @0-2 ok 1@1\nfinal n1 leads | 2:0-1 |";
        let history = history(text);
        let Verdict::Violated(witness) = check(LOST, &history).verdict else { panic!("it is violated") };
        let told: Vec<_> = witness.lines.iter().map(|it| format!("{} {}, {}", it.who, it.what, it.remark)).collect();
        let end = "node1 holds k1 = nothing, it leads at the end, at 1@2; record 1@1 is gone";
        assert_eq!(told, ["c1 deleted k1, acknowledged by node0 at 1@1", end]);
    }

    #[test]
    fn does_not_take_where_a_run_was_broken_off_for_its_end() {
        let lost = format!("{LOG}final n0 leads | 1:0-3 | k1=2.0; k2=1.1");
        expect(LOST, &lost, "violated 1/4: gone from the leader's log");
        expect(
            LOST,
            &format!("{lost}\nbroken off @2200"),
            "unknown 0/0: the run was broken off, its last event at 2.2 s",
        );
    }

    #[test]
    fn lists_the_losses() {
        let losses = losses(&history(&format!("{LOG}final n0 leads | 1:0-3 | k1=2.0; k2=1.1"))).expect("a final state");
        assert_eq!((losses.lost, losses.acknowledged), (vec![3], 4));
    }
}

mod convergence {
    use super::*;
    const SAME: Check = Check::Convergence;

    #[test]
    fn refuses_replicas_that_differ() {
        let differ = "violated 1/2: replicas differ";
        expect(SAME, "final n0 leads | | k1=1.0\nfinal n1 | | k1=2.0", differ);
        expect(SAME, "final n0 leads | | k1=1.0\nfinal n1 | |", differ);
        expect(SAME, "final n0 leads | | k1=[1.0 2.0]\nfinal n1 | | k1=[2.0 1.0]", differ);
        let outvoted = "final n0 leads | | k1=1.0\nfinal n1 leads | | k1=2.0\nfinal n2 leads | | k1=2.0";
        expect(SAME, outvoted, "violated 1/3: replicas differ");
    }

    #[test]
    fn does_not_take_where_a_run_was_broken_off_for_its_end() {
        for held in ["1.0", "2.0"] {
            let text = format!("final n0 leads | | k1=1.0\nfinal n1 | | k1={held}\nbroken off @2200");
            expect(SAME, &text, "unknown 0/0: the run was broken off, its last event at 2.2 s");
        }
    }

    #[test]
    fn tells_how_many_hold_what_the_others_are_held_against() {
        let told = |text: &str| {
            let Verdict::Violated(witness) = check(SAME, &history(text)).verdict else { panic!("they differ") };
            witness.lines[0].remark.clone()
        };
        let two = "final n0 | | k1=1.0\nfinal n1 | | k1=2.0";
        assert_eq!(told(two), "as no other replica does");
        assert_eq!(told(&format!("{two}\nfinal n2 | | k1=2.0")), "as 2 of 3 replicas do");
        assert_eq!(told("final n0 leads | | k1=1.0\nfinal n1 | | k1=2.0"), "it leads");
    }

    #[test]
    fn accepts_the_same_data_at_other_positions() {
        expect(SAME, "final n0 leads | 1:0-5 | k1=1.0\nfinal n1 | 1:0-4 | k1=1.0", "holds 2");
        expect(SAME, "final n0 leads | | k1=1.0; k2=nothing\nfinal n1 | | k1=1.0", "holds 2");
        expect(SAME, "", "unknown 0/0: no replica led at the end");
    }
}

mod no_thin_air_reads {
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
}

mod no_panic {
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
        assert_eq!(
            words,
            [unknown, unknown, violated, unknown, unknown, violated, violated, unknown, "holds", violated,]
        );
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
}

#[test]
fn all_checks_at_once_find_what_each_finds_alone() {
    let history =
        history(&format!("{LOG}c3 read k1=2.0 @9-10 ok\nc3 read k1=1.0 @11-12 ok\nfinal n0 leads | 1:0-4 | k1=2.0"));
    let alone: Vec<_> = Check::ALL.into_iter().map(|what| check(what, &history)).collect();
    assert_eq!(check_all(&history, &Check::ALL), alone);
}
