//! Run rows a second that a campaign's store takes: through the channel, in batches, committed to a file. The budget is
//! 200,000 a second.

use std::path::PathBuf;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use replisim_kernel::{Digest, Span};
use replisim_lab::store::{Begin, Manifest, Origin, Place, Record, RunRow, Subject, Writer};

const ROWS: u64 = 400_000;
const LOT: u64 = 256;

fn store(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    for (name, timed) in [("rows", false), ("rows-timed", true)] {
        let fresh = || {
            let _ = std::fs::remove_file(path());
            (0..ROWS).map(|i| record(i, timed)).collect::<Vec<_>>()
        };
        group.bench_function(name, |bencher| bencher.iter_batched(fresh, write, BatchSize::PerIteration));
    }
    group.finish();
    let _ = std::fs::remove_file(path());
}

fn write(records: Vec<Record>) {
    let writer = Writer::begin(&path(), &manifest(), Begin::Resume).expect("a store can be made");
    for record in records {
        writer.put(record).expect("the writer goes on");
    }
    assert_eq!(writer.finish().expect("all is committed"), ROWS);
}

fn path() -> PathBuf {
    std::env::temp_dir().join(format!("replisim-bench-{}.store", std::process::id()))
}

fn manifest() -> Manifest {
    let checks = ["NoLostWrites", "ReadYourWrites", "FreshReads", "Convergence"].map(str::to_owned).to_vec();
    let subject = Subject { name: "bench".to_owned(), scenario: String::new(), checks };
    Manifest { version: "0".to_owned(), settings: String::new(), subjects: vec![subject] }
}

/// Four lots are under way at a time, as with four workers; one run in eight reaches something new.
fn record(i: u64, timed: bool) -> Record {
    let (round, worker) = (i / 4, i % 4);
    let at = Place { subject: 0, lot: (round / LOT * 4 + worker) as u32, place: (round % LOT) as u32 };
    let run = RunRow {
        at,
        origin: Origin::Fresh,
        seed: i,
        plan: Digest(u128::from(i) << 64),
        fingerprint: Digest(u128::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 32),
        events: 2_000,
        simulated: Span::secs(10),
        verdicts: "..a.".to_owned(),
        failed: false,
        cells: if i.is_multiple_of(8) { vec![7; 24] } else { Vec::new() },
    };
    Record { elapsed: timed.then_some(std::time::Duration::from_micros(170)), ..Record::from(run) }
}

criterion_group!(benches, store);
criterion_main!(benches);
