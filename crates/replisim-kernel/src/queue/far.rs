//! The far tier: events by stretch of time, unsorted within it.

use super::key::Key;
use super::near::Near;
use crate::SimTime;

/// How many keys a bucket should hold on average when a wheel is made: half of what the near tier may hold, so that what is
/// pushed meanwhile fits in as well.
const BUCKET: usize = 32;

/// A bucket fuller than this is spread over a finer wheel instead of poured.
const BUCKET_MAX: usize = 128;

/// A rest of at most this many events is poured whole.
const REST_MAX: usize = 32;

/// For how many events the rest has room at first: for the timeouts of a short run.
const REST_ROOM: usize = 256;

/// How many times as far as the nearer half of the rest its wheel reaches: far enough that most events pushed while it
/// turns fall into it, and are not touched again before they are poured.
const REACH: u64 = 8;

/// How many events are looked at to see how far apart they lie.
const SAMPLE: usize = 255;

/// A stretch of time in buckets of equal width.
#[derive(Clone)]
struct Wheel {
    /// Where the first bucket begins.
    first: u64,
    /// The last instant that belongs here.
    last: u64,
    /// A bucket is 2 to this power nanoseconds wide.
    shift: u32,
    /// Buckets before this one have been poured.
    next: usize,
    buckets: Vec<Vec<Key>>,
}

/// The events beyond the near tier.
#[derive(Clone)]
pub(super) struct Far {
    /// From the coarsest to the finest; each lies within one bucket, already taken, of the one before.
    wheels: Vec<Wheel>,
    /// What lies beyond all wheels.
    rest: Vec<Key>,
    /// Memory of buckets that were poured, for buckets to come.
    spare: Vec<Vec<Key>>,
    len: usize,
}

impl Far {
    pub(super) fn new() -> Self {
        Far { wheels: Vec::new(), rest: Vec::new(), spare: Vec::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes an event later than anything poured so far.
    #[inline(never)]
    pub(super) fn push(&mut self, key: Key) {
        self.len += 1;
        let at = key.at().as_nanos();
        match self.wheels.iter_mut().rev().find(|wheel| at <= wheel.last) {
            Some(wheel) => wheel.push(key, &mut self.spare),
            None => self.rest.push(key),
        }
    }

    /// Takes over the events of the near tier, which reached up to `until`.
    pub(super) fn take_over(&mut self, events: impl Iterator<Item = Key>, until: SimTime) {
        if self.wheels.is_empty() && self.rest.is_empty() {
            self.rest.reserve(REST_ROOM);
            self.rest.extend(events);
            self.len += self.rest.len();
        } else {
            let mut events: Vec<_> = events.collect();
            self.len += events.len();
            self.spread(&mut events, until.as_nanos());
        }
    }

    /// Pours the earliest events into the near tier, and returns the last instant up to which all were poured.
    ///
    /// # Panics
    /// If there are none.
    pub(super) fn pour(&mut self, near: &mut Near) -> SimTime {
        assert!(!self.is_empty(), "only a far tier that holds something is poured");
        loop {
            let Some(wheel) = self.wheels.last_mut() else {
                if self.rest.len() <= REST_MAX {
                    return self.pour_rest(near);
                }
                self.spread_rest();
                continue;
            };
            let Some((mut bucket, last)) = wheel.take_bucket() else {
                self.wheels.pop();
                continue;
            };
            if bucket.len() > BUCKET_MAX && !is_one_instant(&bucket) {
                self.spread(&mut bucket, last);
                self.recycle(bucket);
                continue;
            }
            self.len -= bucket.len();
            near.fill(bucket.drain(..));
            self.recycle(bucket);
            return SimTime::from_nanos(if self.is_empty() { u64::MAX } else { last });
        }
    }

    fn pour_rest(&mut self, near: &mut Near) -> SimTime {
        self.len = 0;
        near.fill(self.rest.drain(..));
        SimTime::NEVER
    }

    /// Spreads events that reach up to `last`, and so do all pushes to come, over a wheel finer than the ones there.
    fn spread(&mut self, events: &mut Vec<Key>, last: u64) {
        let first = events.iter().map(|key| key.at().as_nanos()).min().unwrap_or(last);
        let mut wheel = Wheel::new(first, last, events.len());
        events.drain(..).for_each(|key| wheel.push(key, &mut self.spare));
        self.wheels.push(wheel);
    }

    /// Spreads the nearer part of the rest over a wheel. How far that reaches is judged by the median, so that a few
    /// events in the distance do not make the buckets too wide for all others.
    fn spread_rest(&mut self) {
        let first = self.rest.iter().map(|key| key.at().as_nanos()).min().unwrap_or(0);
        let half = median(&self.rest).saturating_sub(first);
        let last = first.saturating_add(half.saturating_mul(REACH));
        let mut wheel = Wheel::new(first, last, self.rest.len() / 2 * REACH as usize);
        for key in self.rest.extract_if(.., |key| key.at().as_nanos() <= last) {
            wheel.push(key, &mut self.spare);
        }
        self.wheels.push(wheel);
    }

    /// Keeps an empty bucket's memory, unless it is so large that it would be wasted on most buckets.
    fn recycle(&mut self, mut bucket: Vec<Key>) {
        bucket.clear();
        if (1..=BUCKET_MAX).contains(&bucket.capacity()) {
            self.spare.push(bucket);
        }
    }
}

impl Wheel {
    /// A wheel over the instants from `first` to `last`, with buckets narrow enough for `events` spread evenly.
    fn new(first: u64, last: u64, events: usize) -> Self {
        let wanted = (events / BUCKET).next_power_of_two().trailing_zeros();
        let reach = last - first;
        let shift = (u64::BITS - reach.leading_zeros()).saturating_sub(wanted);
        let count = (reach >> shift) as usize + 1;
        let buckets = std::iter::repeat_with(Vec::new).take(count).collect();
        Wheel { first, last, shift, next: 0, buckets }
    }

    #[inline]
    fn push(&mut self, key: Key, spare: &mut Vec<Vec<Key>>) {
        let number = (key.at().as_nanos() - self.first) >> self.shift;
        let bucket = &mut self.buckets[number as usize];
        if bucket.capacity() == 0
            && let Some(memory) = spare.pop()
        {
            *bucket = memory;
        }
        bucket.push(key);
    }

    /// The next bucket with anything in it, and its last instant.
    fn take_bucket(&mut self) -> Option<(Vec<Key>, u64)> {
        let ahead = self.buckets[self.next..].iter().position(|bucket| !bucket.is_empty())?;
        let number = self.next + ahead;
        self.next = number + 1;
        let width_less_one = (1 << self.shift) - 1;
        let last = (self.first + ((number as u64) << self.shift)).saturating_add(width_less_one).min(self.last);
        Some((std::mem::take(&mut self.buckets[number]), last))
    }
}

fn is_one_instant(events: &[Key]) -> bool {
    events.iter().all(|key| key.at() == events[0].at())
}

/// The middle of the events' instants, judged by a sample.
fn median(events: &[Key]) -> u64 {
    let stride = events.len().div_ceil(SAMPLE).max(1);
    let mut sample: Vec<u64> = events.iter().step_by(stride).map(|key| key.at().as_nanos()).collect();
    sample.sort_unstable();
    sample.get(sample.len() / 2).copied().unwrap_or(0)
}
