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
    expect(SAME, "", "unknown 0/0: no replica was up at the end");
}
