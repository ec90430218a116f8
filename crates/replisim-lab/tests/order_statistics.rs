//! What can be derived comes out: order statistics of round trips under production latencies.
//!
//! Three latency fits from production (Bailis et al., *Probabilistically Bounded Staleness*, VLDB 2012) are
//! the only thing that takes time: disks, processors and the way to the clients cost nothing. Then for a leader with n
//! followers, with `out` the delay of a record to a follower and `back` that of its acknowledgement,
//!
//! ```text
//! commit latency under ANY k of n            w = k-th smallest of out + back
//! follower f shows the commit                out(f) after the leader wrote it
//! a read that reaches f t after the commit   is stale iff out(f) > w + t
//! ```
//!
//! and both are compared with a direct Monte Carlo that shares no code with the simulation but the random words.
//!
//! A stream delivers in order, so a record that is late holds up the ones behind it; the formulas know nothing of that.
//! Commits are therefore spaced out: the next one begins long after the last has come and gone.
//!
//! ```text
//! cargo test --release -p replisim-lab --test order_statistics -- --nocapture           a tenth of a million commits
//! cargo test --release -p replisim-lab --test order_statistics -- --nocapture --ignored a million: some minutes
//! ```

use replisim_history::check::staleness;
use replisim_history::measure::{Class, Quantile, Window, latencies};
use replisim_history::{OpKind, Run};
use replisim_kernel::{Concern, Span, Stream};
use replisim_lab::scenario::Source;
use replisim_lab::{Catalog, Experiment};
use replisim_world::spec::{Routing, ScriptedOp};

/// Samples of the direct Monte Carlo for each commit simulated: enough that its own spread does not matter.
const DIRECT: usize = 20;
const FOLLOWERS: usize = 3;

/// One-way delays of a system in production.
struct Fit {
    name: &'static str,
    /// From the leader to a follower and back, as a scenario says it.
    out: &'static str,
    back: &'static str,
    /// The same as the paper says it, in milliseconds.
    out_drawn: fn(&mut Stream) -> f64,
    back_drawn: fn(&mut Stream) -> f64,
    /// From one commit to the next, so that they do not overlap.
    spacing: Span,
    /// When after a commit each follower is read, in milliseconds.
    reads: [f64; FOLLOWERS],
}

const SSD: &str =
    r#"Mixture([(0.9122, Pareto(scale: "0.235ms", shape: 10.0)), (0.0878, Exponential(mean: "0.60241ms"))])"#;
const DISK: &str =
    r#"Mixture([(0.38, Pareto(scale: "1.05ms", shape: 1.51)), (0.62, Exponential(mean: "5.464481ms"))])"#;
const YMMR_OUT: &str =
    r#"Mixture([(0.939, Pareto(scale: "3ms", shape: 3.5)), (0.061, Exponential(mean: "357.142857ms"))])"#;
const YMMR_BACK: &str =
    r#"Mixture([(0.982, Pareto(scale: "1.5ms", shape: 3.8)), (0.018, Exponential(mean: "46.082949ms"))])"#;

const FITS: [Fit; 3] = [
    Fit {
        name: "LNKD-SSD",
        out: SSD,
        back: SSD,
        out_drawn: ssd,
        back_drawn: ssd,
        spacing: Span::millis(100),
        reads: [0.0, 0.2, 0.6],
    },
    Fit {
        name: "LNKD-DISK",
        out: DISK,
        back: SSD,
        out_drawn: disk,
        back_drawn: ssd,
        spacing: Span::millis(2_500),
        reads: [0.0, 2.0, 10.0],
    },
    Fit {
        name: "YMMR",
        out: YMMR_OUT,
        back: YMMR_BACK,
        out_drawn: ymmr_out,
        back_drawn: ymmr_back,
        spacing: Span::millis(2_500),
        reads: [0.0, 5.0, 100.0],
    },
];

fn ssd(chance: &mut Stream) -> f64 {
    either(chance, 0.9122, |u| pareto(u, 0.235, 10.0), |u| exponential(u, 1.66))
}

fn disk(chance: &mut Stream) -> f64 {
    either(chance, 0.38, |u| pareto(u, 1.05, 1.51), |u| exponential(u, 0.183))
}

fn ymmr_out(chance: &mut Stream) -> f64 {
    either(chance, 0.939, |u| pareto(u, 3.0, 3.5), |u| exponential(u, 0.0028))
}

fn ymmr_back(chance: &mut Stream) -> f64 {
    either(chance, 0.982, |u| pareto(u, 1.5, 3.8), |u| exponential(u, 0.0217))
}

fn either(chance: &mut Stream, share: f64, first: impl Fn(f64) -> f64, second: impl Fn(f64) -> f64) -> f64 {
    let (branch, level) = (chance.unit(), 1.0 - chance.unit());
    if branch < share { first(level) } else { second(level) }
}

/// The length that is exceeded with probability `u`.
fn pareto(u: f64, scale: f64, shape: f64) -> f64 {
    scale / libm::pow(u, 1.0 / shape)
}

/// The length that is exceeded with probability `u`.
fn exponential(u: f64, rate: f64) -> f64 {
    -libm::log(u) / rate
}

#[test]
fn commits_wait_for_the_kth_round_trip() {
    // A tenth of the commits has about three times the spread.
    compare_commits(100_000, 0.01, 0.09);
}

#[test]
#[ignore = "a million commits each, nine times"]
fn a_million_commits_wait_for_the_kth_round_trip() {
    compare_commits(1_000_000, 0.01, 0.03);
}

#[test]
fn followers_are_stale_as_often_as_they_lag() {
    compare_reads(20_000);
}

#[test]
#[ignore = "a million reads each, nine times"]
fn a_million_reads_are_stale_as_often_as_followers_lag() {
    compare_reads(333_333);
}

/// Under each fit and for each k, the median and the 99.9th percentile of the commit latency.
fn compare_commits(commits: usize, median_within: f64, tail_within: f64) {
    println!("commit latency in ms, {commits} commits    simulated    direct         simulated    direct");
    for fit in &FITS {
        for k in 1..=FOLLOWERS {
            let mut experiment = prepare(fit, k);
            experiment.scenario.run = fit.spacing * commits as u64;
            let run = experiment.begin(1, false).finish();
            let simulated = latencies(&run, Window::whole(&run), Class::Writes);
            assert!(simulated.count() > commits * 9 / 10, "{} commits", simulated.count());
            let direct = direct_commits(fit, k, commits * DIRECT);
            let both = |quantile: Quantile| {
                let simulated = simulated.quantile(quantile).expect("there are commits").as_millis_f64();
                let direct = direct[quantile.place(direct.len()).expect("there are samples")];
                (simulated, direct, simulated / direct - 1.0)
            };
            let (median, tail) = (both(Quantile::MEDIAN), both(Quantile::P999));
            println!(
                "{:<10} ANY {k} of {FOLLOWERS}   median {:>9.3} {:>9.3} {:>+6.2} %   p99.9 {:>9.3} {:>9.3} {:>+6.2} %",
                fit.name,
                median.0,
                median.1,
                median.2 * 100.0,
                tail.0,
                tail.1,
                tail.2 * 100.0,
            );
            assert!(median.2.abs() <= median_within, "{}, ANY {k}: median off by {}", fit.name, median.2);
            assert!(tail.2.abs() <= tail_within, "{}, ANY {k}: p99.9 off by {}", fit.name, tail.2);
        }
    }
}

/// Under each fit and for each k, the share of stale reads at three times after the commit, one on each follower.
fn compare_reads(commits: usize) {
    println!("stale reads, {commits} commits      after      simulated    P(lag > t)");
    for fit in &FITS {
        for k in 1..=FOLLOWERS {
            let simulated = stale_shares(fit, k, commits);
            let direct = direct_lags(fit, k, commits * DIRECT);
            for ((after, simulated), direct) in fit.reads.iter().zip(simulated).zip(direct) {
                let name = fit.name;
                println!(
                    "{name:<10} ANY {k} of {FOLLOWERS}   {after:>9.1} ms {:>9.3} % {:>9.3} %",
                    simulated * 100.0,
                    direct * 100.0
                );
                // Four standard deviations of a share among so many, and one read to spare.
                let spread = 4.0 * (direct * (1.0 - direct) / commits as f64).sqrt() + 1.0 / commits as f64;
                assert!((simulated - direct).abs() <= spread, "{name}, ANY {k}, {after} ms: {simulated} for {direct}");
            }
        }
    }
}

/// A session writes one key and then reads it from each follower in turn. A read takes as long to its follower as lies
/// between it and the one before, and no time back. What begins in the instant of an acknowledgement is concurrent with
/// it, so the leader is read first, which takes next to nothing.
fn stale_shares(fit: &Fit, k: usize, commits: usize) -> [f64; FOLLOWERS] {
    let mut experiment = prepare(fit, k);
    experiment.scenario.run = fit.spacing * (commits as u64 + 1);
    let line = |at, op, reads| ScriptedOp { at, op, key: 0, parts: Vec::new(), reads };
    let read = |from| line(Span::ZERO, OpKind::Read, Some(from));
    let places = || (1..=FOLLOWERS).map(|follower| Routing::Host(format!("f{follower}")));
    let round = |nth| {
        let write = line(fit.spacing * nth, OpKind::Write, None);
        [write, read(Routing::Leader)].into_iter().chain(places().map(read))
    };
    experiment.scenario.clients[0].script = vec![(0..commits as u64).flat_map(round).collect()];
    shares_of(&experiment.begin(1, false).finish())
}

/// The share of stale reads on each follower.
fn shares_of(run: &Run) -> [f64; FOLLOWERS] {
    let (mut stale, mut all) = ([0.0; FOLLOWERS], [0.0; FOLLOWERS]);
    let report = staleness(&run.history);
    // The leader is the first node.
    let follower = |operation: u64| run.history.operations.get(operation)?.node.index().checked_sub(1);
    report.reads.iter().filter_map(|read| follower(*read)).for_each(|at| all[at] += 1.0);
    report.stale.iter().filter_map(|read| follower(read.operation)).for_each(|at| stale[at] += 1.0);
    std::array::from_fn(|follower| stale[follower] / all[follower])
}

fn prepare(fit: &Fit, k: usize) -> Experiment {
    let Fit { out, back, spacing, reads, .. } = fit;
    let [first, second, third] = [reads[0], reads[1] - reads[0], reads[2] - reads[1]];
    let text = format!(
        r#"Scenario(
            cluster: (
                regions: {{ "here": ["app", "leader", "followers"] }},
                hosts: {{ "l": "here/leader", "f1": "here/followers", "f2": "here/followers", "f3": "here/followers" }},
                links: (
                    between_zones: "0ms",
                    between: [
                        ("here/app", "l", (delay: "100ns")),
                        ("l", "here/followers", (delay: {out}, back: {back})),
                        ("here/app", "f1", (delay: "{first:.1}ms", back: "0ms")),
                        ("here/app", "f2", (delay: "{second:.1}ms", back: "0ms")),
                        ("here/app", "f3", (delay: "{third:.1}ms", back: "0ms")),
                    ],
                ),
                disk: (sync: "0ms", rate: "1000000GB/s"),
                service: (operation: "0ms", message: "0ms"),
            ),
            protocol: LeaderFollower(
                leader: "l",
                acknowledge: Any({k}),
                // Nothing but commits goes over the links.
                silence_max: "1000000000s",
                checkpoint_interval: "1000000000s",
            ),
            clients: [
                (sessions: 1, at: "here/app", arrive: Every("{spacing}"), mix: {{ Write: 1 }}, keys: Uniform(count: 1),
                 timeout: "1000s"),
            ],
            checks: [],
        )"#
    );
    let source = Source::new("order_statistics", text);
    Experiment::prepare(&source, &Catalog::standard()).unwrap_or_else(|report| panic!("{}", report.render(false)))
}

/// The delays of one commit to each follower, and when it is acknowledged.
fn commit(fit: &Fit, k: usize, chance: &mut Stream) -> ([f64; FOLLOWERS], f64) {
    let out: [f64; FOLLOWERS] = std::array::from_fn(|_| (fit.out_drawn)(chance));
    let mut round_trips = out.map(|out| out + (fit.back_drawn)(chance));
    round_trips.sort_unstable_by(f64::total_cmp);
    (out, round_trips[k - 1])
}

/// Latencies of commits in ascending order.
fn direct_commits(fit: &Fit, k: usize, samples: usize) -> Vec<f64> {
    let mut chance = direct();
    let mut waits: Vec<f64> = (0..samples).map(|_| commit(fit, k, &mut chance).1).collect();
    waits.sort_unstable_by(f64::total_cmp);
    waits
}

/// For each follower, the chance that it does not show a commit when it is read.
fn direct_lags(fit: &Fit, k: usize, samples: usize) -> [f64; FOLLOWERS] {
    let mut chance = direct();
    let mut stale = [0u32; FOLLOWERS];
    for _ in 0..samples {
        let (out, wait) = commit(fit, k, &mut chance);
        for (follower, count) in stale.iter_mut().enumerate() {
            *count += u32::from(out[follower] > wait + fit.reads[follower]);
        }
    }
    stale.map(|count| f64::from(count) / samples as f64)
}

fn direct() -> Stream {
    Stream::derive(2, Concern::new("direct"), 0, 0)
}
