//! Pop and push at ten to a million pending events: the cost must stay flat.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use replisim_kernel::{Concern, Queue, SimTime, Span, Stream};

fn queue(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue");
    for pending in [10u64, 1_000, 100_000, 1_000_000] {
        let mut chance = Stream::derive(1, Concern::new("bench"), 0, 0);
        let mut queue = Queue::new();
        for _ in 0..pending {
            queue.push(SimTime::from_nanos(chance.below(1_000_000_000)), [0u64; 8]);
        }
        group.bench_function(BenchmarkId::new("pop and push", pending), |bencher| {
            bencher.iter(|| {
                let next = queue.pop().expect("as many as were pushed");
                queue.push(next.at + Span::nanos(chance.below(1_000_000_000)), next.event)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, queue);
criterion_main!(benches);
