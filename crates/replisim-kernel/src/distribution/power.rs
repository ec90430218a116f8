//! Powers of two, for lengths that are drawn.
//!
//! `libm::exp2` is right to the last bit, and each of its steps waits for the one before. A length is rounded to a
//! nanosecond in the end, so a polynomial does here whose terms are worked out side by side: to 1.6 parts in 10¹⁴.
//!
//! It is made of sums and products of doubles alone, so it is the same on every platform. As all of them are of numbers
//! that are not negative, none rounds to less where one of its parts is greater: a greater exponent never has a smaller
//! power.

/// The coefficients of a polynomial for 2^x from 0 to 1, constant term first. Of all of the ninth degree that meet 2^x at
/// both ends, so that the powers before and after a whole exponent fit together, it is the one that strays the least from
/// it in between (Remez's algorithm).
const FRACTION: [f64; 10] = [
    1.0,
    6.931_471_805_619_873e-1,
    2.402_265_068_737_692_6e-1,
    5.550_410_988_120_983e-2,
    9.618_120_674_157_586e-3,
    1.333_388_649_866_846_3e-3,
    1.539_586_754_006_169_4e-4,
    1.536_188_105_247_62e-5,
    1.229_225_605_077_213_9e-6,
    1.435_769_509_637_194_8e-7,
];

/// The greatest exponent that is told from greater ones: the longest length is shorter than its power.
const EXPONENT_MAX: f64 = 64.0;

/// How many bits of a double stand behind its exponent.
const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;

/// 2 to the power of `exponent`; 1 if that is negative, and no more than 2⁶⁴.
#[inline]
pub(super) fn of_two(exponent: f64) -> f64 {
    let exponent = exponent.clamp(0.0, EXPONENT_MAX);
    let whole = exponent as u32;
    let power = of_two_to_fraction(exponent - f64::from(whole));
    f64::from_bits(power.to_bits() + (u64::from(whole) << FRACTION_BITS))
}

/// The polynomial, by Estrin's scheme.
#[inline]
fn of_two_to_fraction(x: f64) -> f64 {
    let pair = |at: usize| FRACTION[at] + FRACTION[at + 1] * x;
    let (x2, x4) = (x * x, x * x * (x * x));
    (pair(0) + pair(2) * x2) + (pair(4) + pair(6) * x2) * x4 + pair(8) * (x4 * x4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exponents from 0 to 64, those on either side of whole ones among them.
    fn exponents() -> Vec<f64> {
        let even = (0..=1 << 18).map(|i| f64::from(i) / f64::from(1 << 12));
        let mut all: Vec<f64> = even.flat_map(|exponent| [exponent.next_down().max(0.0), exponent]).collect();
        all.sort_unstable_by(f64::total_cmp);
        all
    }

    #[test]
    fn is_close() {
        for exponent in exponents() {
            let (power, exact) = (of_two(exponent), libm::exp2(exponent));
            assert!((power / exact - 1.0).abs() < 2e-14, "2^{exponent}: {power} is not {exact}");
        }
    }

    #[test]
    fn rises_and_is_exact_at_whole_exponents() {
        assert!(exponents().windows(2).all(|pair| of_two(pair[0]) <= of_two(pair[1])));
        for whole in 0..64 {
            assert_eq!(of_two(f64::from(whole)), (1u64 << whole) as f64);
        }
    }

    #[test]
    fn has_a_least_and_a_greatest_power() {
        assert_eq!([-3.0, f64::NEG_INFINITY].map(of_two), [1.0; 2]);
        assert_eq!([64.5, f64::INFINITY].map(of_two), [of_two(64.0); 2]);
    }
}
