use std::collections::BTreeMap;

use proptest::prelude::*;

use super::brute::witnesses_stand;
use super::*;
use crate::{Contents, Datum, Final, Key, NodeId, Position, SessionId, Value};

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
        expect(SAME, &text, "unknown 0/0: the run was broken off at 2.2 s");
    }
}

#[test]
fn does_not_take_what_still_changes_for_what_is_left() {
    let differ = "final n0 leads | | k1=1.0\nfinal n1 | | k1=2.0\nunsettled";
    expect(SAME, differ, "unknown 0/0: something was still under way when the quiet phase was over");
    expect(SAME, &differ.replace("2.0", "1.0"), "holds 2");
}

#[test]
fn knows_nothing_of_what_a_replica_holds_that_is_down() {
    let alike = "final n0 leads | | k1=1.0\nfinal n1 | | k1=1.0\ndown n2";
    expect(SAME, alike, "unknown 0/0: a replica was down at the end");
    expect(SAME, &format!("{alike}\ndown n3"), "unknown 0/0: 2 replicas were down at the end");
    expect(SAME, &alike.replace("n1 | | k1=1.0", "n1 | | k1=2.0"), "violated 1/2: replicas differ");
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
    expect(SAME, "", "unknown 0/0: no replica was up at the end");
}

/// What a replica was told last of each of three keys: a value, or that it is deleted.
type Told = Vec<(u64, Option<u32>)>;

fn replica(node: u16, leads: bool, told: &Told) -> Final {
    let mut contents = Contents::new();
    for (at, (key, ordinal)) in (1..).zip(told) {
        let datum = ordinal.map_or(Datum::Absent, |it| Datum::Register(Value::written(SessionId(0), it)));
        contents.install(Key(*key), datum, Position::new(1, at));
    }
    Final { node: NodeId(node), at: SimTime::ZERO, leads, contents, lineage: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_those_that_differ_from_the_one_that_leads_or_from_the_most(
        replicas in prop::collection::vec(
            (any::<bool>(), prop::collection::vec((0..3u64, prop::option::of(0..2u32)), 0..4)),
            1..6,
        ),
    ) {
        let finals = (0..).zip(&replicas).map(|(node, (leads, told))| replica(node, *leads, told)).collect();
        let history = History { finals, ..History::default() };
        let held = |told: &Told| {
            let last: BTreeMap<u64, Option<u32>> = told.iter().copied().collect();
            last.into_iter().filter(|(_, value)| value.is_some()).collect::<Vec<_>>()
        };
        let alike = |one: &Told| replicas.iter().filter(|(_, other)| held(other) == held(one)).count();
        let leading: Vec<&Told> = replicas.iter().filter(|(leads, _)| *leads).map(|(_, told)| told).collect();
        let agree = match leading[..] {
            [leader] => alike(leader),
            _ => replicas.iter().map(|(_, told)| alike(told)).max().unwrap_or(0),
        };
        let found = check(SAME, &history);
        let (broken, of) = ((replicas.len() - agree) as u64, replicas.len() as u64);
        prop_assert_eq!((found.broken, found.of, found.verdict == Verdict::Holds), (broken, of, broken == 0), "{:#?}", history);
        witnesses_stand(&history)?;
    }
}
