//! Each checker is shown anomalies that it must refuse, and beside each the near miss that it must let pass. `notation.rs`
//! has histories as text, and `random.rs` by chance: on those the modules named `brute` hold the checkers against
//! the definitions.

mod brute;
mod brute_elements;
mod brute_thin_air;
mod causal_order;
mod convergence;
mod fresh_reads;
mod monotonic_reads;
mod monotonic_writes;
mod no_lost_writes;
mod no_panic;
mod no_thin_air_reads;
mod notation;
mod order;
mod random;
mod read_your_writes;
mod rivals;
mod writes_follow_reads;

use replisim_kernel::{SimTime, Span};

use super::{check, losses, recheck, staleness};
use crate::{Check, History, Verdict};
use notation::history;

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
