use std::f64::consts::{LN_2, LN_10};

use super::*;
use crate::{Concern, Stream};

const LN_100: f64 = 2.0 * LN_10;

fn read(text: &str) -> Distribution {
    ron::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// One of each kind, and the fit of the latency of LinkedIn's solid-state disks by Bailis, Venkataraman, Franklin,
/// Hellerstein and Stoica, *Probabilistically Bounded Staleness for Practical Partial Quorums* (VLDB 2012).
const KINDS: [&str; 8] = [
    r#""0.1ms""#,
    r#"Uniform(min:"1ms",max:"3ms")"#,
    r#"Exponential(mean:"0.602ms")"#,
    r#"LogNormal(median:"600us",p99:"2ms")"#,
    r#"Pareto(scale:"235us",shape:10.0)"#,
    LNKD_SSD,
    r#"Empirical([(0.5,"1ms"),(0.9,"2ms"),(1.0,"10ms")])"#,
    r#"Shifted(by:"200us",of:Exponential(mean:"100us"))"#,
];

const LNKD_SSD: &str = r#"Mixture([(0.9122,Pareto(scale:"235us",shape:10.0)),(0.0878,Exponential(mean:"602.409us"))])"#;

#[test]
fn golden_draws() {
    for (kind, golden) in KINDS.iter().zip(GOLDEN) {
        let mut stream = Stream::derive(7, Concern::new("golden"), 0, 0);
        let sampler = Sampler::new(&read(kind));
        let drawn: [u64; 4] = std::array::from_fn(|_| sampler.draw(&mut stream).as_nanos());
        assert_eq!(drawn, golden, "{kind}");
    }
}

/// The first four draws of each kind from one stream. If these change, recorded runs change with them.
const GOLDEN: [[u64; 4]; 8] = [
    [100_000, 100_000, 100_000, 100_000],
    [1_590_441, 2_086_797, 2_468_484, 1_866_483],
    [210_622, 471_934, 797_751, 341_829],
    [454_134, 634_820, 829_439, 550_000],
    [243_367, 254_164, 268_299, 248_730],
    [243_367, 472_255, 268_299, 342_061],
    [1_000_000, 1_108_496, 1_585_605, 1_000_000],
    [234_987, 278_394, 332_517, 256_782],
];

/// The quantiles of 200,000 draws, sorted.
fn draws(kind: &str) -> Vec<u64> {
    let mut stream = Stream::derive(1, Concern::new("draws"), 0, 0);
    let sampler = Sampler::new(&read(kind));
    let mut drawn: Vec<u64> = (0..200_000).map(|_| sampler.draw(&mut stream).as_nanos()).collect();
    drawn.sort_unstable();
    drawn
}

fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found / expected - 1.0).abs() <= tolerance, "{what}: {found} instead of {expected}");
}

#[test]
fn draws_have_the_median_and_tail_that_were_asked_for() {
    let expected = [
        (KINDS[1], 2e6, 2.98e6),
        (KINDS[2], 0.602e6 * LN_2, 0.602e6 * LN_100),
        (KINDS[3], 0.6e6, 2e6),
        (KINDS[4], 0.235e6 * 1.071_773, 0.235e6 * 1.584_893),
        (KINDS[6], 1e6, 9.2e6),
        (KINDS[7], 0.2e6 + 0.1e6 * LN_2, 0.2e6 + 0.1e6 * LN_100),
    ];
    for (kind, median, p99) in expected {
        let drawn = draws(kind);
        assert_near(drawn[100_000] as f64, median, 0.01, kind);
        assert_near(drawn[198_000] as f64, p99, 0.03, kind);
    }
}

#[test]
fn draws_have_the_mean_that_is_computed() {
    for kind in KINDS {
        let drawn = draws(kind);
        let mean = drawn.iter().sum::<u64>() as f64 / drawn.len() as f64;
        assert_near(mean, read(kind).mean().unwrap().as_nanos() as f64, 0.01, kind);
    }
    assert_eq!(read(r#"Pareto(scale: "1ms", shape: 1)"#).mean(), None);
}

/// The share of draws above a length follows from the formula of the mixture.
#[test]
fn a_mixture_has_the_tail_of_its_parts() {
    let drawn = draws(LNKD_SSD);
    for millis in [0.25, 0.3, 0.5, 1.0, 2.0] {
        let above = drawn.iter().filter(|nanos| **nanos as f64 > millis * 1e6).count() as f64 / drawn.len() as f64;
        let pareto = 0.9122 * libm::pow(0.235 / millis, 10.0);
        let exponential = 0.0878 * libm::exp(-1.66 * millis);
        assert!((above - pareto - exponential).abs() < 0.003, "above {millis} ms: {above}");
    }
}

#[test]
fn what_has_one_length_says_so() {
    let constant = |kind| Sampler::new(&read(kind)).constant();
    assert_eq!(constant(r#""3ms""#), Some(Span::millis(3)));
    assert_eq!(constant(r#"Shifted(by: "1ms", of: "3ms")"#), Some(Span::millis(4)));
    assert_eq!(constant(r#"Uniform(min: "1ms", max: "3ms")"#), None);
}

#[test]
fn every_draw_takes_two_words() {
    for kind in KINDS {
        let mut stream = Stream::derive(1, Concern::new("words"), 0, 0);
        let mut expected = stream.clone();
        Sampler::new(&read(kind)).draw(&mut stream);
        expected.word();
        expected.word();
        assert_eq!(stream.word(), expected.word(), "{kind}");
    }
}

#[test]
fn lengths_rise_with_the_level_and_stay_finite() {
    for kind in KINDS {
        let sampler = Sampler::new(&read(kind));
        for choice in [0, u64::MAX] {
            let levels = [0, 1, 1 << 11, 1 << 40, 1 << 63, u64::MAX - 1, u64::MAX];
            let lengths = levels.map(|level| sampler.sample(choice, level));
            assert!(lengths.is_sorted() && lengths[6] < Span::secs(60), "{kind}: {lengths:?}");
        }
    }
}

#[test]
fn both_ends_of_a_uniform_distribution_are_reached() {
    let whole = Sampler::new(&Distribution::Uniform { min: Span::ZERO, max: Span::FOREVER });
    assert_eq!((whole.sample(0, 0), whole.sample(0, u64::MAX)), (Span::ZERO, Span::FOREVER));
    let die = Sampler::new(&Distribution::Uniform { min: Span::nanos(1), max: Span::nanos(6) });
    assert_eq!((die.sample(0, 0).as_nanos(), die.sample(0, u64::MAX).as_nanos()), (1, 6));
}

#[test]
fn nested_mixtures_are_flattened() {
    let nested = r#"Mixture([(0.5, "1ms"), (0.5, Shifted(by: "1ms", of: Mixture([(0.5, "1ms"), (0.5, "2ms")])))])"#;
    let sampler = Sampler::new(&read(nested));
    let millis = |eighths: u64| sampler.sample(eighths << 61, 0).as_nanos() / 1_000_000;
    assert_eq!([1, 3, 5, 7].map(millis), [1, 1, 2, 3]);
    assert_eq!(sampler.mean(), Some(Span::micros(1_750)));
}

#[test]
fn what_is_printed_reads_back() {
    for kind in KINDS {
        assert_eq!(read(&read(kind).to_string()), read(kind), "{kind}");
    }
    assert_eq!(read(KINDS[0]).to_string(), r#""100us""#);
    assert_eq!(read(LNKD_SSD).to_string(), LNKD_SSD);
}

#[test]
fn mistakes_are_named() {
    for (text, message) in [
        (r#""5 parsecs""#, "`5 parsecs` is not a length of time"),
        (r#"Gaussian(mean: "1ms")"#, "`LogNormal`"),
        (r#"LogNormal(median: "1ms", p98: "2ms")"#, "`p98`"),
        (r#"LogNormal(median: "1ms")"#, "`p99`"),
        (r#"Uniform(min: "3ms", max: "2ms")"#, "`min` (3ms) is longer than `max` (2ms)"),
        (r#"LogNormal(median: "0ms", p99: "2ms")"#, "`median` is zero"),
        (r#"LogNormal(median: "3ms", p99: "2ms")"#, "`p99` (2ms) is shorter than `median` (3ms)"),
        (r#"Pareto(scale: "1ms", shape: 0)"#, "`shape` is 0"),
        (r#"Mixture([])"#, "the weights add up to 0, not to 1"),
        (r#"Mixture([(0.5, "1ms"), (0.4, "2ms")])"#, "the weights add up to 0.9, not to 1"),
        (r#"Mixture([(-0.5, "1ms"), (1.5, "2ms")])"#, "a weight is -0.5"),
        (r#"Mixture([(1.0, Pareto(scale: "1ms", form: 2))])"#, "`form`"),
        (r#"Empirical([])"#, "empty"),
        (r#"Empirical([(0.5, "1ms"), (0.5, "2ms"), (1.0, "3ms")])"#, "entry 2 of the table does not rise"),
        (r#"Empirical([(0.5, "2ms"), (1.0, "1ms")])"#, "entry 2 of the table does not rise"),
        (r#"Empirical([(0.5, "1ms"), (0.9, "2ms")])"#, "the table ends at probability 0.9"),
    ] {
        let error = ron::from_str::<Distribution>(text).expect_err(text).to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn nesting_is_bounded() {
    let mut distribution = Distribution::ZERO;
    for _ in 0..8 {
        distribution = Distribution::Shifted { by: Span::ZERO, of: Box::new(distribution) };
    }
    assert_eq!(distribution.check(), Ok(()));
    let deeper = Distribution::Mixture(vec![(1.0, distribution)]);
    assert_eq!(deeper.check(), Err(DistributionError::TooDeep));
}
