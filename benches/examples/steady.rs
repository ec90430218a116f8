//! One bench for a set number of rounds and no clock, for a profiler to look at:
//! `valgrind --tool=callgrind target/release/examples/steady ping-pong 10`.
//!
//! A round is 100,000 events, a run from scratch, or a fuzz run.

use replisim_benches::{fuzz, model, yardstick};

const EVENTS: u64 = 100_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (name, rounds) = (arguments.next().unwrap_or_default(), arguments.next());
    let rounds: u64 = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    match name.as_str() {
        "ping-pong" => model::run(&mut model::ping_pong(), EVENTS * rounds),
        "ping-pong-by-hand" => yardstick::ping_pong().run(EVENTS * rounds),
        "replication" => model::run(&mut model::replication(), EVENTS * rounds),
        "million-pending" => model::run(&mut model::gossip(1_000_000), EVENTS * rounds),
        "from-scratch" => (0..rounds).for_each(|_| model::run(&mut model::replication(), 2_000)),
        "fuzz-run" => fuzz_runs(rounds),
        _ => {
            eprintln!("benches are ping-pong, ping-pong-by-hand, replication, million-pending, from-scratch, fuzz-run")
        }
    }
}

/// Says how many events a run has, so that one sees what is measured.
fn fuzz_runs(rounds: u64) {
    let experiment = fuzz::experiment();
    let outcomes = (0..rounds).map(|seed| experiment.run(seed, None, false));
    let (events, operations) = outcomes
        .map(|outcome| (outcome.run.events, outcome.run.history.operations.len() as u64))
        .fold((0, 0), |(events, operations), run| (events + run.0, operations + run.1));
    println!("{} events and {} operations a run", events / rounds.max(1), operations / rounds.max(1));
}
