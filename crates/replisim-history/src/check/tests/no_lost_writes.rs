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
    let retried = format!("{fork}\ninstall k2=1.1 481@2 n1 @9\nfinal n1 leads | 1:0-480 2:480-600 | k1=1.0; k2=1.1");
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
    let unknown = "unknown 0/2: the history does not tell whether 2 acknowledged writes were lost";
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
        install k1=+ 1@1 n0 @1
        install k1=+ 2@1 n0 @3
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
    assert_eq!(of("install k1=+ 3@1 n0 @5\nc3 sum k1=2 @4- open", "1:0-9", "+2"), "violated 2/2: addition missing");
    let deleted = "c3 delete k1 @4-6 info";
    assert_eq!(of(&format!("install k1=- 3@1 n0 @5\n{deleted}"), "1:0-9", "+0"), "holds 2");
    assert_eq!(of(deleted, "1:0-9", "+0"), "violated 2/2: addition missing", "what is in no log was not done");
}

#[test]
fn counts_what_was_added_after_a_deletion() {
    let counter = "
        install k1=- 1@1 n0 @1
        install k1=+ 2@1 n0 @3
        c1 delete k1 @0-2 info
        c2 sum k1=5 @2-4 ok 2@1
        final n0 leads | 1:0-9 |";
    expect(LOST, &format!("{counter} k1=+5"), "holds 1");
    expect(LOST, &format!("{counter} k1=+0"), "violated 1/1: addition missing");
    let replaced =
        counter.replace("c1 delete", "c1 write").replace("k1 @0", "k1=1.0 @0").replace("k1=- 1@1", "k1=1.0 1@1");
    let unknown = "unknown 0/1: the history does not tell whether 1 acknowledged write was lost";
    expect(LOST, &format!("{replaced} k1=+0"), unknown);
}

/// A client that never heard how its removal ended tells no position either, so nobody knows which install is its own.
#[test]
fn takes_no_removal_for_the_end_of_a_set() {
    let set = |unanswered: &str| {
        format!(
            "
            install k1=1.0 1@1 n0 @1
            install {unanswered} 2@1 n0 @3
            c1 add k1=1.0 @0-2 ok 1@1
            c2 remove k1=2.0 @2- open"
        )
    };
    let removed = format!("{}\nc1 read k1=nothing @5-6 ok", set("k1=-2.0"));
    expect(Check::ReadYourWrites, &removed, "violated 1/1: older than own write");
    expect(LOST, &format!("{removed}\nfinal n0 leads | 1:0-9 | k1={{}}"), "violated 1/1: write vanished");
    let dropped = format!("{}\nc1 read k1=nothing @5-6 ok", set("k1=-"));
    expect(Check::ReadYourWrites, &dropped, "holds 1");
    expect(LOST, &format!("{dropped}\nfinal n0 leads | 1:0-9 | k1={{}}"), "holds 1");
}

#[test]
fn trusts_no_log_that_lacks_what_was_acknowledged() {
    let lacking = "
        install k1=1.0 1@1 n0 @1
        c1 write k1=1.0 @0-2 ok 1@1
        c2 write k1=2.0 @4-6 ok
        c2 read k1=1.0 @7-8 ok
        final n0 leads | | k1=1.0";
    expect(LOST, lacking, "violated 1/2: write vanished");
    expect(Check::ReadYourWrites, lacking, "violated 1/1: older than own write");
    expect(Check::FreshReads, lacking, "violated 1/1: stale read");
}

/// What no client is known to have done is a table that an operator dropped.
#[test]
fn does_not_miss_what_was_added_before_a_table_was_dropped() {
    let of = |held: &str, last: &str| {
        let text = format!(
            "
            install k1=+ 1@1 n0 @1
            install k1=- 2@1 n0 @3
            install k1=+ 3@1 n0 @5
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
    let unknown = "unknown 0/2: the history does not tell whether 1 acknowledged write was lost";
    assert_eq!(of("+4", "-1"), unknown);
}

#[test]
fn does_not_guess_where_too_much_was_never_answered() {
    let powers = (1..=13).map(|bit| format!("c2 sum k1={} @0- open\n", 1 << bit)).collect::<String>();
    let of = |held: &str| format!("c1 sum k1=+5 @0-1 ok\n{powers}final n0 leads | | k1={held}");
    let unknown = "unknown 0/1: the history does not tell whether 1 acknowledged write was lost";
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
    expect(LOST, &format!("{lost}\nbroken off @2200"), "unknown 0/0: the run was broken off at 2.2 s");
}

#[test]
fn lists_the_losses() {
    let losses = losses(&history(&format!("{LOG}final n0 leads | 1:0-3 | k1=2.0; k2=1.1"))).expect("a final state");
    assert_eq!((losses.lost, losses.acknowledged), (vec![3], 4));
}
