//! Whole runs of 2,000 events from scratch: what a fuzz campaign is made of.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use replisim_benches::model;

fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("from scratch");
    group.throughput(Throughput::Elements(1));
    group.bench_function("2,000 events", |bencher| {
        bencher.iter(|| {
            let mut world = model::replication();
            model::run(&mut world, 2_000);
            world.fingerprint()
        });
    });
    group.finish();
}

criterion_group!(benches, runs);
criterion_main!(benches);
