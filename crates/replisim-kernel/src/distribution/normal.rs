//! The quantile function of the normal distribution.
//!
//! Worked out where a distribution is compiled and in the tails; looked up in a table where one is drawn from, which is
//! most of what a run asks of it.
//!
//! Algorithm AS 241, routine PPND16, accurate to about one part in 10¹⁶: M. J. Wichura, *The Percentage Points of the
//! Normal Distribution*, Journal of the Royal Statistical Society C 37(3), 1988, pages 477–484. Coefficients are
//! printed as in the paper.

#![allow(clippy::excessive_precision, reason = "the coefficients read as they are published")]

use std::sync::LazyLock;

use super::sampler::unit_open;

/// How many steps of equal probability the table is made in, as a power of two.
const STEPS_LOG2: u32 = 10;

const STEPS: usize = 1 << STEPS_LOG2;

/// The steps between which the table is used: all but a 32nd at either end, where the function bends too much for a line
/// from one entry to the next. Within them the line is off by less than 0.00005.
const MIDDLE: std::ops::Range<usize> = STEPS / 32..STEPS - STEPS / 32;

/// The quantiles at the beginning of each step, and at the end of the last that is used.
static TABLE: LazyLock<[f64; STEPS]> =
    LazyLock::new(|| std::array::from_fn(|step| if step == 0 { 0.0 } else { quantile(step as f64 / STEPS as f64) }));

/// Near the middle: |p − ½| ≤ 0.425.
const A: [f64; 8] = [
    3.387_132_872_796_366_608_0,
    1.331_416_678_917_843_774_5e2,
    1.971_590_950_306_551_442_7e3,
    1.373_169_376_550_946_112_5e4,
    4.592_195_393_154_987_145_7e4,
    6.726_577_092_700_870_085_3e4,
    3.343_057_558_358_812_810_5e4,
    2.509_080_928_730_122_672_7e3,
];
const B: [f64; 8] = [
    1.0,
    4.231_333_070_160_091_125_2e1,
    6.871_870_074_920_579_083_0e2,
    5.394_196_021_424_751_107_7e3,
    2.121_379_430_158_659_586_7e4,
    3.930_789_580_009_271_061_0e4,
    2.872_908_573_572_194_267_4e4,
    5.226_495_278_852_854_561_0e3,
];

/// In the tails, down to p of about 10⁻¹¹.
const C: [f64; 8] = [
    1.423_437_110_749_683_577_34,
    4.630_337_846_156_545_295_90,
    5.769_497_221_460_691_405_50,
    3.647_848_324_763_204_605_04,
    1.270_458_252_452_368_382_58,
    2.417_807_251_774_506_117_70e-1,
    2.272_384_498_926_918_458_33e-2,
    7.745_450_142_783_414_076_40e-4,
];
const D: [f64; 8] = [
    1.0,
    2.053_191_626_637_758_821_87,
    1.676_384_830_183_803_849_40,
    6.897_673_349_851_000_045_50e-1,
    1.481_039_764_274_800_745_90e-1,
    1.519_866_656_361_645_719_66e-2,
    5.475_938_084_995_344_946_00e-4,
    1.050_750_071_644_416_843_24e-9,
];

/// In the far tails.
const E: [f64; 8] = [
    6.657_904_643_501_103_777_20,
    5.463_784_911_164_114_369_90,
    1.784_826_539_917_291_335_80,
    2.965_605_718_285_048_912_30e-1,
    2.653_218_952_657_612_309_30e-2,
    1.242_660_947_388_078_438_60e-3,
    2.711_555_568_743_487_578_15e-5,
    2.010_334_399_292_288_132_65e-7,
];
const F: [f64; 8] = [
    1.0,
    5.998_322_065_558_879_376_90e-1,
    1.369_298_809_227_358_053_10e-1,
    1.487_536_129_085_061_485_25e-2,
    7.868_691_311_456_132_591_00e-4,
    1.846_318_317_510_054_681_80e-5,
    1.421_511_758_316_445_888_70e-7,
    2.044_263_103_389_939_785_64e-15,
];

/// The number that a standard normal variable stays below with probability `p`, which lies strictly between 0 and 1.
pub(super) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&A, &B, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let distance = if r <= 5.0 { ratio(&C, &D, r - 1.6) } else { ratio(&E, &F, r - 5.0) };
    if q < 0.0 { -distance } else { distance }
}

/// The quantile that a uniformly drawn word stands for. A greater word never gives a smaller one.
#[inline]
pub(super) fn at(level: u64) -> f64 {
    let step = (level >> (64 - STEPS_LOG2)) as usize;
    if !MIDDLE.contains(&step) {
        return quantile(unit_open(level));
    }
    let beyond = unit_open(level << STEPS_LOG2);
    let (from, to) = (TABLE[step], TABLE[step + 1]);
    from + (to - from) * beyond
}

fn ratio(numerator: &[f64; 8], denominator: &[f64; 8], x: f64) -> f64 {
    polynomial(numerator, x) / polynomial(denominator, x)
}

/// Horner's rule, constant term first.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that the paper gives for checking an implementation.
    #[test]
    fn agrees_with_the_paper() {
        for (p, z) in
            [(0.25, -0.674_489_750_196_081_7), (0.001, -3.090_232_306_167_814), (1e-20, -9.262_340_089_798_408)]
        {
            assert!((quantile(p) - z).abs() < 1e-14 * z.abs(), "{p}: {} is not {z}", quantile(p));
        }
    }

    #[test]
    fn the_table_is_close_and_rises() {
        let levels: Vec<u64> = (1..1 << 16).map(|i| (i << 48) - 1).collect();
        let error = |level: &u64| (at(*level) - quantile(unit_open(*level))).abs();
        assert!(levels.iter().all(|level| error(level) < 5e-5));
        assert!(levels.windows(2).all(|pair| at(pair[0]) < at(pair[1])));
        for seam in [MIDDLE.start as u64, MIDDLE.end as u64].map(|step| step << (64 - STEPS_LOG2)) {
            assert!(at(seam - 1) <= at(seam), "falls at {seam:x}");
        }
    }

    #[test]
    fn is_symmetric_and_rises() {
        assert_eq!(quantile(0.5), 0.0);
        let levels: Vec<f64> = (1..1024).map(|i| f64::from(i) / 1024.0).collect();
        assert!(levels.iter().all(|p| quantile(*p) == -quantile(1.0 - p)));
        assert!(levels.windows(2).all(|pair| quantile(pair[0]) < quantile(pair[1])));
    }
}
