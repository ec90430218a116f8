//! A campaign made up of numbers: the same at every call, and all that a store can hold in it.

use std::path::Path;

use replisim_kernel::{Digest, Span};

use crate::store::{
    Begin, CellRow, DivergenceRow, FailureRow, Manifest, Origin, Place, Record, RunRow, Store, StoreError, Subject,
    Writer,
};

/// How many runs a lot has.
pub const LOT: u32 = 64;

/// A campaign over two scenarios.
pub fn manifest(settings: &str) -> Manifest {
    let subject = |name: &str| Subject {
        name: format!("scenarios/failover/{name}.ron"),
        scenario: "Scenario(about: \"made up\")".to_owned(),
        checks: ["NoLostWrites", "ReadYourWrites", "Convergence"].map(str::to_owned).to_vec(),
    };
    let subjects = ["lost_write", "split_brain"].map(subject).to_vec();
    Manifest { version: "0.1.0".to_owned(), settings: settings.to_owned(), subjects }
}

/// All of the run number `i`, counted through the lots of both subjects in turn. About one in thirty fails, and one in sixty
/// differs when it is done again.
pub fn record(i: u64) -> Record {
    let (lot, place) = (i as u32 / LOT, i as u32 % LOT);
    let at = Place { subject: lot % 2, lot: lot / 2, place };
    let run = run(at);
    let failures = if run.failed { vec![failure(at)] } else { Vec::new() };
    let cells = if place.is_multiple_of(16) { cells(at) } else { Vec::new() };
    let divergence = mixed(i).is_multiple_of(64).then(|| divergence(at));
    Record { run, failures, cells, divergence, elapsed: None }
}

/// The run at a place.
pub fn run(at: Place) -> RunRow {
    let word = word_of(at);
    let failed = word.is_multiple_of(30);
    RunRow {
        at,
        origin: if at.place % 4 == 3 { Origin::Mutant } else { Origin::Fresh },
        seed: word,
        plan: digest(word ^ 1),
        fingerprint: digest(word ^ 2),
        events: word % 100_000,
        simulated: Span::nanos(word % 10_000_000_000),
        verdicts: if failed { "x.a" } else { ["..,", ".,a", ".?."][word as usize % 3] }.to_owned(),
        failed,
        cells: word.to_le_bytes()[..(word % 9) as usize].to_vec(),
    }
}

/// A failure of the run at a place.
pub fn failure(at: Place) -> FailureRow {
    let word = word_of(at);
    FailureRow {
        at,
        check: "NoLostWrites".to_owned(),
        kind: ["write vanished", "write overwritten"][word as usize / 32 % 2].to_owned(),
        phase: "after the heal".to_owned(),
        faults: (word / 64 % 7) as u32,
        operations: (word / 512 % 50) as u32,
        case: format!("Case(seed: {word})"),
    }
}

/// How the run at a place differs when it is done again.
pub fn divergence(at: Place) -> DivergenceRow {
    let word = word_of(at);
    DivergenceRow {
        at,
        event: word % 1_000 + 1,
        one: "n1 → n2: append".to_owned(),
        other: ["n1 → n3: append", ""][word as usize % 2].to_owned(),
        remembered: word.is_multiple_of(3),
        case: format!("Case(seed: {word}, differs: true)"),
    }
}

/// A cell that the run at a place reached.
pub fn cells(at: Place) -> Vec<CellRow> {
    vec![CellRow { at, cell: vec![7, 7], words: "a promotion while a copy runs".to_owned() }]
}

pub fn digest(word: u64) -> Digest {
    Digest(u128::from(mixed(word)) << 64 | u128::from(mixed(word ^ 0xff)))
}

fn word_of(at: Place) -> u64 {
    mixed(u64::from(at.subject) << 60 | u64::from(at.lot) << 30 | u64::from(at.place))
}

/// A store of a campaign that has not run yet.
pub fn create(path: &Path, manifest: &Manifest) -> Result<Store, StoreError> {
    Writer::begin(path, manifest, Begin::Resume)?.finish()?;
    Store::open(path)
}

/// A finished store of the first runs.
pub fn keep(path: &Path, runs: u64) {
    let writer = Writer::begin(path, &manifest("first"), Begin::Resume).unwrap();
    (0..runs).for_each(|i| writer.put(record(i)).unwrap());
    writer.finish().unwrap();
}

/// A number as good as drawn (SplitMix64; Steele, Lea and Flood 2014).
pub fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
