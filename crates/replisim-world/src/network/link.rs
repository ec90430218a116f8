//! One direction between two nodes: how long a packet takes, and what may befall it.
//!
//! A link has a stream of chance of its own and draws exactly four words for each packet, whatever happens to it. So a
//! fault on one link, or one packet more on another, leaves every other packet's luck as it was.

use replisim_kernel::{Distribution, Probability, Sampler, SimTime, Span, Stream, once_more};

use crate::fault::FiringIndex;
use crate::spec::{Burst, Rate};

/// What is the same for all links between two places.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub delay: Sampler,
    pub loss: Probability,
    pub burst: Option<Burst>,
    pub duplicate: Probability,
    pub reorder: Probability,
    pub reorder_by: Span,
    pub bandwidth: Option<Rate>,
}

/// One direction between two nodes.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    path: u16,
    chance: Stream,
    /// Whether a burst of losses is on.
    bad: bool,
    /// When the last bit of the last packet has gone out.
    busy_until: SimTime,
    /// What faults do to it at present, oldest first.
    changes: Vec<(FiringIndex, Change)>,
}

/// What a fault does to a link.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Slower(Sampler),
    Lossy(Probability),
    Duplicating(Probability),
    Reordering(Probability, Span),
    /// Until then it carries only so much.
    ThrottledUntil(SimTime, Rate),
    HeldUntil(SimTime),
}

/// What becomes of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fate {
    /// When it has gone out: now, unless the link held it or was busy.
    pub sent: SimTime,
    /// When it arrives, if it is not lost.
    pub arrives: SimTime,
    /// Whether it is lost on the way.
    pub lost: bool,
    /// When a second copy of it arrives.
    pub again: Option<SimTime>,
}

impl Path {
    /// A path without delay, on which nothing befalls a packet.
    pub fn perfect() -> Self {
        Path {
            delay: Sampler::new(&Distribution::Constant(Span::ZERO)),
            loss: Probability::NEVER,
            burst: None,
            duplicate: Probability::NEVER,
            reorder: Probability::NEVER,
            reorder_by: Span::ZERO,
            bandwidth: None,
        }
    }
}

impl Link {
    pub fn new(path: u16, chance: Stream) -> Self {
        Link { path, chance, bad: false, busy_until: SimTime::ZERO, changes: Vec::new() }
    }

    /// The number of the path it takes.
    pub fn path(&self) -> usize {
        usize::from(self.path)
    }

    /// Goes on with another stream of chance.
    pub fn reseed(&mut self, chance: Stream) {
        self.chance = chance;
    }

    /// Puts a change into force.
    pub fn change(&mut self, by: FiringIndex, change: Change) {
        self.changes.push((by, change));
    }

    /// Takes back what a firing has changed.
    pub fn restore(&mut self, by: FiringIndex) {
        self.changes.retain(|(other, _)| *other != by);
    }

    /// Decides the fate of a packet of `bytes` sent now.
    #[inline]
    pub fn fate(&mut self, path: &Path, now: SimTime, bytes: u32) -> Fate {
        let words = self.chance.words();
        if self.changes.is_empty() && path.bandwidth.is_none() && path.burst.is_none() {
            return fate_of(path, now, words);
        }
        self.troubled_fate(path, now, bytes, words)
    }

    /// The same, with bursts, bandwidth and faults.
    fn troubled_fate(&mut self, path: &Path, now: SimTime, bytes: u32, words: [u64; 4]) -> Fate {
        let mut path = path.clone();
        let mut extra = Span::ZERO;
        let mut held = SimTime::ZERO;
        for (_, change) in &self.changes {
            match change {
                Change::Slower(by) => extra += by.sample(once_more(words[2]), once_more(words[1])),
                Change::Lossy(loss) => path.loss = path.loss.max(*loss),
                Change::Duplicating(chance) => path.duplicate = path.duplicate.max(*chance),
                Change::Reordering(chance, by) => {
                    // Where nothing is held back, it is no matter by how much.
                    let own = if path.reorder == Probability::NEVER { Span::ZERO } else { path.reorder_by };
                    (path.reorder, path.reorder_by) = (path.reorder.max(*chance), own.max(*by));
                }
                Change::ThrottledUntil(..) => {}
                Change::HeldUntil(until) => held = held.max(*until),
            }
        }
        let sent = self.transmit(path.bandwidth, now, bytes);
        let mut fate = fate_of(&path, sent.max(held), words);
        // The halves of the first word have decided a loss and a duplicate already: here it is turned another way.
        fate.lost |=
            path.burst.is_some_and(|burst| self.burst(burst, words[3] as u32, words[0].rotate_left(13) as u32));
        fate.arrives += extra;
        fate.again = fate.again.map(|again| again + extra);
        fate
    }

    /// When a packet has gone out on a link that carries only so much: links pipeline, so it waits only for those
    /// that are still being put on the wire. What has not gone out when a fault ends goes on at the link's `own` rate.
    fn transmit(&mut self, own: Option<Rate>, now: SimTime, bytes: u32) -> SimTime {
        let (mut at, mut left) = (self.busy_until.max(now), u64::from(bytes));
        loop {
            let throttles = self.changes.iter().filter_map(|(_, change)| match change {
                Change::ThrottledUntil(until, rate) if *until > at => Some((*until, *rate)),
                _ => None,
            });
            let (ends, rate) = throttles.fold((SimTime::NEVER, own), |(ends, slowest), (until, rate)| {
                (ends.min(until), Some(slowest.map_or(rate, |slowest| slowest.min(rate))))
            });
            let gone = at + rate.map_or(Span::ZERO, |rate| rate.time_for(left));
            if gone <= ends {
                self.busy_until = gone;
                return gone;
            }
            left -= rate.map_or(0, |rate| rate.bytes_in(ends.since(at)));
            at = ends;
        }
    }

    /// Whether a burst takes this packet; moves the link between good and bad.
    fn burst(&mut self, burst: Burst, turn: u32, hit: u32) -> bool {
        let turns = if self.bad { burst.ends.hit(turn) } else { burst.begins.hit(turn) };
        self.bad ^= turns;
        self.bad && burst.loss.hit(hit)
    }
}

/// The fate of a packet on an untroubled link: one word for loss and doubling, two for the delay, one for overtaking.
#[inline]
fn fate_of(path: &Path, sent: SimTime, words: [u64; 4]) -> Fate {
    let [luck, choice, level, order] = words;
    let delay = path.delay.sample(choice, level);
    let held_back = if path.reorder.hit((order >> 32) as u32) { path.reorder_by } else { Span::ZERO };
    let again = path.duplicate.hit(luck as u32).then(|| sent + path.delay.sample(level, choice));
    Fate { sent, arrives: sent + delay + held_back, lost: path.loss.hit((luck >> 32) as u32), again }
}

#[cfg(test)]
mod tests {
    use replisim_kernel::Concern;

    use super::*;

    fn path(loss: f64) -> Path {
        let delay = Sampler::new(&Distribution::Constant(Span::millis(1)));
        Path { delay, loss: Probability::new(loss).unwrap(), ..Path::perfect() }
    }

    fn link() -> Link {
        Link::new(0, Stream::derive(1, Concern::new("link"), 0, 0))
    }

    #[test]
    fn a_changed_link_draws_the_same_words() {
        let (mut plain, mut slow) = (link(), link());
        slow.change(FiringIndex(1), Change::Slower(Sampler::new(&Distribution::Constant(Span::millis(5)))));
        let losses =
            |link: &mut Link| (0..200).map(|_| link.fate(&path(0.3), SimTime::ZERO, 64).lost).collect::<Vec<_>>();
        assert_eq!(losses(&mut plain), losses(&mut slow));
        slow.restore(FiringIndex(1));
        assert_eq!(plain.fate(&path(0.3), SimTime::ZERO, 64), slow.fate(&path(0.3), SimTime::ZERO, 64));
    }

    #[test]
    fn a_narrow_link_pipelines() {
        let mut link = link();
        let narrow = Path { bandwidth: Some(Rate(1_000_000)), ..path(0.0) };
        let arrivals: Vec<_> = (0..3).map(|_| link.fate(&narrow, SimTime::ZERO, 1_000).arrives).collect();
        let after = |ms| SimTime::ZERO + Span::millis(ms);
        assert_eq!(arrivals, [after(2), after(3), after(4)], "each waits for the wire, none for another's delay");
    }

    #[test]
    fn what_a_throttle_held_up_goes_out_when_it_ends() {
        let after = |ms| SimTime::ZERO + Span::millis(ms);
        for (own, expected) in [(None, [1_001, 1_501, 1_501]), (Some(Rate(2_000)), [1_001, 1_751, 2_251])] {
            let mut link = link();
            link.change(FiringIndex(1), Change::ThrottledUntil(after(1_500), Rate(1_000)));
            link.change(FiringIndex(2), Change::ThrottledUntil(after(1_200), Rate(5_000)));
            let path = Path { bandwidth: own, ..path(0.0) };
            let arrivals = [(); 3].map(|()| link.fate(&path, SimTime::ZERO, 1_000).arrives);
            assert_eq!(arrivals, expected.map(after), "{own:?}");
        }
    }

    #[test]
    fn a_link_that_reorders_is_made_no_better() {
        let p = |p| Probability::new(p).unwrap();
        let held_back = |path: &Path, chance, by| {
            let mut link = link();
            link.change(FiringIndex(1), Change::Reordering(chance, Span::millis(by)));
            let arrival = |_| link.fate(path, SimTime::ZERO, 64).arrives;
            (0..100).map(arrival).max().unwrap().since(SimTime::ZERO + Span::millis(1))
        };
        let bad = Path { reorder: Probability::ALWAYS, reorder_by: Span::millis(5), ..path(0.0) };
        assert_eq!(held_back(&bad, p(0.0001), 1), Span::millis(5));
        let good = Path { reorder_by: Span::millis(5), ..path(0.0) };
        assert_eq!(held_back(&good, p(0.5), 1), Span::millis(1));
    }

    #[test]
    fn bursts_come_in_runs() {
        let mut link = link();
        let p = |p| Probability::new(p).unwrap();
        let bursty = Path { burst: Some(Burst { begins: p(0.01), ends: p(0.2), loss: p(1.0) }), ..path(0.0) };
        let lost: Vec<bool> = (0..20_000).map(|_| link.fate(&bursty, SimTime::ZERO, 64).lost).collect();
        let losses = lost.iter().filter(|lost| **lost).count();
        let in_a_row = lost.windows(2).filter(|pair| pair[0] && pair[1]).count();
        assert!((500..1_500).contains(&losses), "about one in 21 is lost: {losses}");
        assert!(in_a_row * 10 > losses * 7, "four of five losses follow a loss: {in_a_row} of {losses}");
    }
}
