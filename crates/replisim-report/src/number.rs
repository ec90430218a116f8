//! Numbers as people read them: thousands grouped, spans in their nicest unit, as many digits as mean something.
//!
//! | what | prints as |
//! |---|---|
//! | a count | `18,031` |
//! | a part of a count | `37 of 18,031 reads` |
//! | a span | `1.42 ms`, `304 ms`, `10 s`: three digits, the unit that keeps them short |
//! | a share | `99.93 %` |
//! | a decimal | `0.25`, `1,803`: three places, no zeros at the end |
//! | an instant | `2.013 s`: to the millisecond, or finer where that tells two apart ([`Clock`]) |

use replisim_history::measure::Unit;
pub use replisim_history::words::{count, span, things};
use replisim_history::words::{grouped, trimmed};
use replisim_kernel::SimTime;

/// How many of how many, given what they are in the plural: `37 of 18,031 reads`, or only `18,031 reads` where none is
/// broken.
pub fn tally(broken: u64, of: u64, unit: &str) -> String {
    let unit = if of == 1 { unit.strip_suffix('s').unwrap_or(unit) } else { unit };
    match broken {
        0 => format!("{} {unit}", count(of)),
        _ => format!("{} of {} {unit}", count(broken), count(of)),
    }
}

/// The place of something in a row: `1st`, `12th`, `1,023rd`.
pub fn ordinal(place: u64) -> String {
    let ending = match (place % 10, place % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    count(place) + ending
}

/// A share that something has at most: `1 in 33,000`, to two digits, which is as much as chance leaves of an estimate. It is
/// never a smaller share than it was, so that *at most* stays true. `None` for more than one in two, which says nothing.
pub fn at_most(share: f64) -> Option<String> {
    let often = (1.0 / share) as u64;
    let scale = two_digits(often);
    (often > 1).then(|| format!("1 in {}", count(often / scale * scale)))
}

/// What the second digit of a number stands for.
fn two_digits(number: u64) -> u64 {
    10_u64.pow(number.max(1).ilog10().saturating_sub(1))
}

/// A number of things in a second, to three digits or more: `0.25`, `12.5`, `1,803`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        100.0.. => grouped(&format!("{per_second:.0}")),
        10.0.. => grouped(trimmed(&format!("{per_second:.1}"))),
        _ => decimal(per_second),
    }
}

/// A count in a few characters, for where it changes all the time: `9,999`, `42 k`, `4.2 M`, `1.9 G`.
pub fn short(number: u64) -> String {
    let units = [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];
    match units.into_iter().find(|(_, size)| number >= *size) {
        Some((unit, size)) if number >= 10_000 => {
            let tenths = if number / size < 10 { number * 10 / size % 10 } else { 0 };
            format!("{} {unit}", grouped(trimmed(&format!("{}.{tenths}", number / size))))
        }
        Some(_) | None => count(number),
    }
}

/// A share in hundredths, to two places and never rounded up, so that only a whole is `100 %`.
pub fn percent(part: u64, of: u64) -> String {
    let hundredths = (u128::from(part) * 10_000 / u128::from(of.max(1))) as u64;
    format!("{} %", trimmed(&format!("{}.{:02}", hundredths / 100, hundredths % 100)))
}

/// A figure with what it is counted in; a share is printed in hundredths.
pub fn with_unit(figure: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => decimal(figure),
        Unit::Share => format!("{} %", decimal(figure * 100.0)),
        Unit::Milliseconds => format!("{} ms", decimal(figure)),
        Unit::Seconds => format!("{} s", decimal(figure)),
        Unit::PerSecond => format!("{} per second", decimal(figure)),
    }
}

/// A number to three places, or to six if it is small: `0.25`, `1,803`, `0.000125`.
pub fn decimal(number: f64) -> String {
    let digits = if number.abs() < 0.1 { format!("{number:.6}") } else { format!("{number:.3}") };
    match trimmed(&digits) {
        "-0" => "0".to_owned(),
        digits => grouped(digits),
    }
}

/// Prints the instants of one story: in seconds, all to the same place, so that their points stand in one column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// How many nanoseconds the last digit stands for.
    step: u64,
}

impl Clock {
    /// Prints to the microsecond.
    pub const MICROS: Clock = Clock { step: 1_000 };

    /// Prints to the millisecond; to the microsecond or nanosecond if that is what it takes to tell `instants` apart.
    pub fn telling_apart(instants: impl IntoIterator<Item = SimTime>) -> Self {
        let mut instants: Vec<u64> = instants.into_iter().map(SimTime::as_nanos).collect();
        instants.sort_unstable();
        instants.dedup();
        let apart = |step: &u64| instants.windows(2).all(|pair| pair[0] / step != pair[1] / step);
        Clock { step: [1_000_000, 1_000].into_iter().find(apart).unwrap_or(1) }
    }

    /// `at` in seconds; `never` for what did not happen.
    pub fn show(self, at: SimTime) -> String {
        if !at.is_reached() {
            return "never".to_owned();
        }
        const SECOND: u64 = 1_000_000_000;
        let places = (SECOND / self.step).ilog10() as usize;
        let (whole, fraction) = (at.as_nanos() / SECOND, at.as_nanos() % SECOND / self.step);
        format!("{}.{fraction:0places$} s", count(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_all_the_time_is_short() {
        let told = [0, 9_999, 10_000, 812_345, 4_260_000, 19_000_000, 1_910_000_000, 1_234_000_000_000].map(short);
        assert_eq!(told, ["0", "9,999", "10 k", "812 k", "4.2 M", "19 M", "1.9 G", "1,234 G"]);
    }

    #[test]
    fn counts_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (412_118, "412,118"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!([1, 2_004].map(|number| things(number, "key")), ["1 key", "2,004 keys"]);
        assert_eq!(tally(37, 18_031, "reads"), "37 of 18,031 reads");
        assert_eq!(tally(0, 2_004, "acknowledged writes"), "2,004 acknowledged writes");
        assert_eq!([tally(0, 1, "reads"), tally(1, 1, "reads")], ["1 read", "1 of 1 read"]);
    }

    #[test]
    fn places_end_as_they_are_spoken() {
        let told = [1, 2, 3, 4, 11, 12, 13, 21, 111, 1_023].map(ordinal);
        assert_eq!(told, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "111th", "1,023rd"]);
    }

    #[test]
    fn rates_keep_two_digits() {
        let told = [7.0, 61.0, 619.0, 61_999.0].map(|often| at_most(1.0 / (often + 0.5)).unwrap());
        assert_eq!(told, ["1 in 7", "1 in 61", "1 in 610", "1 in 61,000"]);
        assert_eq!([at_most(0.95), at_most(1.0)], [None, None]);
    }

    #[test]
    fn decimals_end_where_they_mean_nothing() {
        for (number, text) in [(0.25, "0.25"), (1803.0, "1,803"), (-1234.5, "-1,234.5"), (0.000125, "0.000125")] {
            assert_eq!(decimal(number), text);
        }
        assert_eq!(decimal(0.0), "0");
        assert_eq!(decimal(-0.0000001), "0");
    }

    #[test]
    fn only_a_whole_is_a_hundred_percent() {
        assert_eq!(percent(20_046, 20_047), "99.99 %");
        assert_eq!(percent(5, 5), "100 %");
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(with_unit(0.0021, Unit::Share), "0.21 %");
        assert_eq!([0.25, 12.54, 1_803.4].map(rate), ["0.25", "12.5", "1,803"]);
    }

    #[test]
    fn a_clock_is_as_fine_as_its_story_needs() {
        let at = SimTime::from_nanos;
        assert_eq!(Clock::telling_apart([at(2_011_000_000), at(2_013_400_000)]).show(at(2_013_400_000)), "2.013 s");
        assert_eq!(Clock::telling_apart([at(1_000_100), at(1_000_100)]).show(at(1_000_100)), "0.001 s");
        assert_eq!(Clock::telling_apart([at(2_000_000), at(2_003_000)]).show(at(2_003_000)), "0.002003 s");
        assert_eq!(Clock::telling_apart([at(1), at(2)]).show(at(2)), "0.000000002 s");
        assert_eq!(Clock::MICROS.show(SimTime::NEVER), "never");
    }
}
