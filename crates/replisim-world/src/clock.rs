//! Each host's clocks: a wall clock that may lie, and a monotonic one that may run fast or slow.
//!
//! True time is the kernel's. A host's wall clock shows `true + offset + drift · elapsed`, may jump both ways and may
//! stand still; its monotonic clock only drifts. Timers run by the monotonic clock.

use std::fmt;

use replisim_kernel::{SimTime, Span};

/// What a wall clock shows: nanoseconds since the run's nominal beginning, possibly negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct WallTime(pub i64);

/// What a monotonic clock shows: nanoseconds since the run's beginning by this host's own rate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Monotonic(pub u64);

/// A host's two clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clocks {
    /// True time at which the rate below came into force, with what both clocks showed then.
    since: SimTime,
    wall_then: i64,
    monotonic_then: u64,
    /// How fast both run, in parts per billion above (or below) true time.
    drift_ppb: i64,
    /// What the wall clock shows while it stands still, and for how many reasons it does.
    frozen: Option<i64>,
    freezes: u16,
}

impl Clocks {
    /// Clocks that are `offset` nanoseconds ahead (behind, if negative) and gain `drift_ppb` nanoseconds a second.
    pub fn new(offset: i64, drift_ppb: i64) -> Self {
        Clocks { since: SimTime::ZERO, wall_then: offset, monotonic_then: 0, drift_ppb, frozen: None, freezes: 0 }
    }

    /// What the wall clock shows at true time `now`.
    #[inline]
    pub fn wall(&self, now: SimTime) -> WallTime {
        WallTime(self.frozen.unwrap_or_else(|| self.wall_then.saturating_add_unsigned(self.elapsed(now))))
    }

    /// What the monotonic clock shows at true time `now`.
    #[inline]
    pub fn monotonic(&self, now: SimTime) -> Monotonic {
        Monotonic(self.monotonic_then.saturating_add(self.elapsed(now)))
    }

    /// How long in true time a timer of `span` takes at the present rate. Rounded up: when it goes off, the monotonic clock
    /// has come as far, so that whoever asks for what is left of a wait is not called again and again at one instant.
    pub fn true_span(&self, span: Span) -> Span {
        if self.drift_ppb == 0 || span == Span::FOREVER {
            return span;
        }
        let nanos = (u128::from(span.as_nanos()) * BILLION).div_ceil(self.rate());
        u64::try_from(nanos).map_or(Span::FOREVER, Span::nanos)
    }

    /// Lets both clocks gain `by_ppb` nanoseconds a second more (less, if negative) from `now` on than they do already.
    pub fn drift(&mut self, now: SimTime, by_ppb: i64) {
        self.rebase(now);
        self.drift_ppb += by_ppb;
    }

    /// Moves the wall clock by `by` nanoseconds at once.
    pub fn jump(&mut self, now: SimTime, by: i64) {
        self.rebase(now);
        self.wall_then = self.wall_then.saturating_add(by);
        self.frozen = self.frozen.map(|shown| shown.saturating_add(by));
    }

    /// Stops the wall clock where it is, for one more reason.
    pub fn freeze(&mut self, now: SimTime) {
        self.freezes += 1;
        self.frozen = Some(self.wall(now).0);
    }

    /// One reason less for the wall clock to stand still. After the last it runs again, from the right time, as after a
    /// step by NTP.
    pub fn thaw(&mut self) {
        self.freezes -= 1;
        if self.freezes == 0 {
            self.frozen = None;
        }
    }

    fn rebase(&mut self, now: SimTime) {
        let elapsed = self.elapsed(now);
        self.wall_then = self.wall_then.saturating_add_unsigned(elapsed);
        self.monotonic_then = self.monotonic_then.saturating_add(elapsed);
        self.since = now;
    }

    /// Nanoseconds that these clocks have counted since their rate was set.
    #[inline]
    fn elapsed(&self, now: SimTime) -> u64 {
        let elapsed = now.since(self.since).as_nanos();
        if self.drift_ppb == 0 {
            return elapsed;
        }
        u64::try_from(u128::from(elapsed) * self.rate() / BILLION).unwrap_or(u64::MAX)
    }

    /// Nanoseconds counted for each billion of true time: at least half of them, however many drifts add up. A timer that
    /// was set on a clock that all but stands still would keep its process waiting long after the clock is right again.
    fn rate(&self) -> u128 {
        (BILLION as i64 + self.drift_ppb).max(BILLION as i64 / 2) as u128
    }
}

const BILLION: u128 = 1_000_000_000;

impl WallTime {
    /// How long after `earlier` this reading is; zero if the clock went back between them.
    pub fn since(self, earlier: WallTime) -> Span {
        Span::nanos(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

impl Monotonic {
    /// How long after `earlier` this reading is.
    pub fn since(self, earlier: Monotonic) -> Span {
        Span::nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + Span::secs(seconds)
    }

    #[test]
    fn a_fast_clock_gains_and_its_timers_are_short() {
        let clocks = Clocks::new(0, 1_000_000);
        assert_eq!(clocks.wall(at(1_000)).0, 1_001_000_000_000);
        assert_eq!(clocks.true_span(Span::nanos(1_001_000_000)), Span::secs(1));
    }

    #[test]
    fn a_timer_never_goes_off_before_its_span_is_over() {
        for drift_ppb in [-300_000_000, -1, 1, 7_000, 50_000_000] {
            let clocks = Clocks::new(0, drift_ppb);
            for begin in [1, 19, 20, 1_000_003] {
                for span in [1, 2, 20, 999_999_937] {
                    let set = SimTime::from_nanos(begin);
                    let off = set + clocks.true_span(Span::nanos(span));
                    assert!(
                        clocks.monotonic(off).since(clocks.monotonic(set)) >= Span::nanos(span),
                        "{drift_ppb} {span}"
                    );
                }
            }
        }
    }

    #[test]
    fn clocks_that_are_wrong_beyond_all_measure_are_held_within_bounds() {
        let (slow, mut fast) = (Clocks::new(0, -2_000_000_000), Clocks::new(0, i64::MAX / 2));
        assert_eq!(slow.true_span(Span::secs(100)), Span::secs(200), "at half a second a second");
        assert_eq!(fast.true_span(Span::secs(100)), Span::nanos(22));
        for secs in [100, 200, 300] {
            fast.drift(at(secs), 1_000);
            assert_eq!((fast.wall(at(secs)).0, fast.monotonic(at(400)).0), (i64::MAX, u64::MAX), "after {secs} s");
        }
    }

    #[test]
    fn a_jump_moves_the_wall_clock_alone() {
        let mut clocks = Clocks::new(0, 0);
        clocks.jump(at(5), -3_000_000_000);
        assert_eq!(clocks.wall(at(6)).0, 3_000_000_000);
        assert_eq!(clocks.monotonic(at(6)).0, 6_000_000_000);
    }

    #[test]
    fn a_frozen_clock_shows_the_right_time_once_it_thaws() {
        let mut clocks = Clocks::new(0, 0);
        clocks.freeze(at(2));
        assert_eq!(clocks.wall(at(9)).0, 2_000_000_000);
        clocks.thaw();
        assert_eq!(clocks.wall(at(9)).0, 9_000_000_000);
    }

    #[test]
    fn a_clock_that_is_frozen_twice_stands_until_the_second_thaw() {
        let mut clocks = Clocks::new(0, 0);
        clocks.freeze(at(2));
        clocks.freeze(at(4));
        clocks.thaw();
        assert_eq!(clocks.wall(at(9)).0, 2_000_000_000);
        clocks.thaw();
        assert_eq!(clocks.wall(at(9)).0, 9_000_000_000);
    }
}
