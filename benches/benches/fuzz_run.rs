//! Runs a second from end to end: a world made, about 2,000 events, the run taken out, every check, the judgement, and
//! everything dropped.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use replisim_benches::fuzz;

fn fuzz_run(criterion: &mut Criterion) {
    let experiment = fuzz::experiment();
    let mut group = criterion.benchmark_group("fuzz run");
    group.throughput(Throughput::Elements(1));
    let mut seeds = 0..;
    group.bench_function("from seed to judgement", |bencher| {
        bencher.iter(|| experiment.run(seeds.next().expect("seeds without end"), None, false).judgement);
    });
    group.bench_function("events alone", |bencher| {
        bencher.iter(|| experiment.begin(seeds.next().expect("seeds without end"), false).finish().events);
    });
    group.finish();
}

criterion_group!(benches, fuzz_run);
criterion_main!(benches);
