//! Events a second with the fingerprint on, the world beside the yardstick: two nodes, five nodes, a million pending.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use replisim_benches::{model, yardstick};

const EVENTS: u64 = 100_000;

fn events(criterion: &mut Criterion) {
    pair(criterion, "ping-pong", model::ping_pong, yardstick::ping_pong);
    pair(criterion, "replication", model::replication, yardstick::replication);
    pair(criterion, "million-pending", || model::gossip(1_000_000), || yardstick::gossip(1_000_000));
}

/// A world and a loop, each going on for another stretch of events at every iteration.
fn pair(
    criterion: &mut Criterion,
    name: &str,
    world: impl Fn() -> replisim_world::World<model::Node>,
    by_hand: impl Fn() -> yardstick::Loop,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(EVENTS)).sample_size(20);
    let mut running = world();
    group.bench_function("world", |bencher| bencher.iter(|| model::run(&mut running, EVENTS)));
    drop(running);
    let mut running = by_hand();
    group.bench_function("yardstick", |bencher| bencher.iter(|| running.run(EVENTS)));
    group.finish();
}

/// What a fork costs in the middle of a run.
fn fork(criterion: &mut Criterion) {
    let mut world = model::replication();
    world.run_until(model::after(10_000));
    criterion.bench_function("fork", |bencher| bencher.iter_batched(|| (), |()| world.clone(), BatchSize::SmallInput));
}

criterion_group!(benches, events, fork);
criterion_main!(benches);
