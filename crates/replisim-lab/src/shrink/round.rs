//! Rounder numbers: `1s` in place of `1.0372s`, and a number in place of luck.

use replisim_kernel::{Distribution, Sampler, Span};

/// The units that times are rounded to, largest first.
const UNITS: [Span; 8] = [
    Span::secs(10),
    Span::secs(1),
    Span::millis(100),
    Span::millis(10),
    Span::millis(1),
    Span::micros(100),
    Span::micros(10),
    Span::micros(1),
];

/// How many digits it takes to write a time: 3 for `1.02s`.
pub(super) fn digits(span: Span) -> usize {
    let text = span.as_nanos().to_string();
    text.trim_end_matches('0').len()
}

/// Times that take fewer digits, the shortest first: nothing at all, and those that are close to this one, of which none
/// is more than twice as long. Of equally short ones, the earlier comes first.
pub(super) fn rounder(span: Span) -> Vec<Span> {
    let mut times = Vec::new();
    for unit in UNITS.map(Span::as_nanos) {
        let floor = span.as_nanos() / unit * unit;
        let above = if floor == 0 { 0 } else { floor + unit };
        for time in [floor, above].map(Span::nanos) {
            if digits(time) < digits(span) && !times.contains(&time) {
                times.push(time);
            }
        }
    }
    times
}

/// Numbers of one digit below `most`, from one on, ascending.
pub(super) fn smaller(most: u64) -> Vec<u64> {
    let powers = (0..19).map(|power| 10u64.pow(power));
    powers.flat_map(|power| (1..10).map(move |digit| digit * power)).take_while(|number| *number < most).collect()
}

/// Times of one digit from `least` up to `most`, that one left out, the shortest first.
pub(super) fn shorter(most: Span, least: Span) -> Vec<Span> {
    let powers = (0..14).map(|power| 10u64.pow(power)).filter(|power| *power >= 1_000);
    let times = powers.flat_map(|power| (1..10).map(move |digit| Span::nanos(digit * power)));
    times.filter(|time| least <= *time && *time < most).collect()
}

/// Times of one digit that are earlier, from a millisecond on, the earliest first.
pub(super) fn earlier(span: Span) -> Vec<Span> {
    shorter(span, Span::millis(1))
}

/// The shares of all lengths that are shorter than those which stand for a distribution, in per cent. What fails by luck
/// often fails because something took particularly long, or was over particularly soon.
const QUANTILES: [u64; 5] = [50, 90, 10, 99, 1];

/// Constants in place of a length that is drawn: the median, and what is longer or shorter than usual. None for a constant.
pub(super) fn constants(delay: &Distribution) -> Vec<Distribution> {
    if matches!(delay, Distribution::Constant(_)) {
        return Vec::new();
    }
    let sampler = Sampler::new(delay);
    let quantile = |percent| sampler.sample(1 << 63, (u128::from(percent) * (1 << 64) / 100) as u64);
    QUANTILES.into_iter().map(|percent: u64| Distribution::Constant(quantile(percent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounder_times_are_near_and_shorter_to_write() {
        let text = |times: Vec<Span>| times.iter().map(Span::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(text(rounder(Span::millis(1_037))), "0s 1s 2s 1.1s 1.03s 1.04s");
        assert_eq!(text(rounder(Span::secs(2))), "0s");
        assert_eq!(text(rounder(Span::ZERO)), "");
        assert_eq!(text(shorter(Span::millis(30), Span::millis(8))), "8ms 9ms 10ms 20ms");
    }
}
