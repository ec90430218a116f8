use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// The plain model: an ordered map from time and sequence to the event.
#[derive(Clone, Default)]
struct Model {
    pending: BTreeMap<(SimTime, u64), u64>,
    pushed: u64,
}

impl Model {
    fn push(&mut self, at: SimTime, event: u64) -> u64 {
        self.pending.insert((at, self.pushed), event);
        self.pushed += 1;
        self.pushed - 1
    }

    fn pop(&mut self) -> Option<(SimTime, u64, u64)> {
        self.pending.pop_first().map(|((at, sequence), event)| (at, sequence, event))
    }
}

/// How far ahead events are scheduled.
#[derive(Clone, Copy, Debug)]
enum Delay {
    /// Anywhere within so many nanoseconds.
    Within(u64),
    /// All at the same instants, this far apart.
    Steps(u64),
    /// Mostly near, sometimes very far.
    Skewed,
    /// Of every magnitude alike.
    AnyMagnitude,
    /// Anywhere, `NEVER` included; not relative to the last pop.
    Anywhere,
}

impl Delay {
    fn instant(self, now: SimTime, word: u64) -> SimTime {
        let delay = match self {
            Delay::Within(reach) => word % reach,
            Delay::Steps(step) => step * (word % 3),
            Delay::Skewed if word.is_multiple_of(50) => word >> 20,
            Delay::Skewed => word % 1_000,
            Delay::AnyMagnitude => word >> (word % 64),
            Delay::Anywhere if word.is_multiple_of(5) => return SimTime::NEVER,
            Delay::Anywhere => return SimTime::from_nanos(word),
        };
        SimTime::from_nanos(now.as_nanos().saturating_add(delay))
    }
}

fn any_delay() -> impl Strategy<Value = Delay> {
    prop_oneof![
        (1..1_000_000_000u64).prop_map(Delay::Within),
        (1..100u64).prop_map(Delay::Within),
        (0..1_000u64).prop_map(Delay::Steps),
        Just(Delay::Skewed),
        Just(Delay::AnyMagnitude),
        Just(Delay::Anywhere),
    ]
}

/// A stretch of a run: so many steps, each of which pushes so many events in eight and else pops.
#[derive(Clone, Copy, Debug)]
struct Phase {
    steps: usize,
    pushes_in_eight: u64,
    delay: Delay,
}

fn any_phase() -> impl Strategy<Value = Phase> {
    let phase = |(steps, pushes_in_eight, delay)| Phase { steps, pushes_in_eight, delay };
    (0..12_000usize, 0..=8u64, any_delay()).prop_map(phase)
}

/// The queue, the model, and what the next steps are drawn from.
#[derive(Clone)]
struct Pair {
    queue: Queue<u64>,
    model: Model,
    now: SimTime,
    noise: u64,
}

impl Pair {
    fn new(noise: u64) -> Self {
        Pair { queue: Queue::new(), model: Model::default(), now: SimTime::ZERO, noise }
    }

    /// SplitMix64: enough chance for a test.
    fn word(&mut self) -> u64 {
        self.noise = self.noise.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.noise;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn run(&mut self, phase: Phase) {
        for _ in 0..phase.steps {
            let (choice, word) = (self.word() % 8, self.word());
            if choice < phase.pushes_in_eight {
                let at = phase.delay.instant(self.now, word);
                assert_eq!(self.queue.push(at, word), self.model.push(at, word));
            } else {
                self.pop();
            }
        }
    }

    fn pop(&mut self) -> bool {
        assert_eq!(self.queue.next_at(), self.model.pending.keys().next().map(|key| key.0));
        assert_eq!(self.queue.peek(), self.model.pending.values().next());
        let popped = self.queue.pop().map(|scheduled| (scheduled.at, scheduled.sequence, scheduled.event));
        assert_eq!(popped, self.model.pop());
        assert_eq!(self.queue.len(), self.model.pending.len());
        self.now = popped.map_or(self.now, |(at, ..)| at);
        popped.is_some()
    }

    fn drain(mut self) {
        while self.pop() {}
        assert!(self.queue.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pops_in_the_order_of_an_ordered_map(noise: u64, phases in prop::collection::vec(any_phase(), 1..8)) {
        let mut pair = Pair::new(noise);
        phases.into_iter().for_each(|phase| pair.run(phase));
        pair.drain();
    }

    #[test]
    fn a_clone_goes_on_identically(noise: u64, before in any_phase(), after in any_phase()) {
        let mut original = Pair::new(noise);
        original.run(before);
        let mut clone = original.clone();
        clone.run(after);
        original.run(after);
        clone.drain();
        original.drain();
    }
}

#[test]
fn a_hundred_thousand_events_at_one_instant_keep_their_order() {
    let mut pair = Pair::new(1);
    pair.run(Phase { steps: 100_000, pushes_in_eight: 8, delay: Delay::Steps(0) });
    pair.drain();
}

#[test]
fn density_may_drift_over_many_magnitudes() {
    let mut pair = Pair::new(2);
    for magnitude in (0..60).chain((0..60).rev()).step_by(5) {
        pair.run(Phase { steps: 10_000, pushes_in_eight: 5, delay: Delay::Within(1 << magnitude) });
    }
    pair.drain();
}

#[test]
fn the_end_of_time_is_an_instant_like_others() {
    let mut queue = Queue::new();
    for event in 0..5_000u64 {
        queue.push(if event % 2 == 0 { SimTime::NEVER } else { SimTime::from_nanos(u64::MAX - 1) }, event);
    }
    let order: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|scheduled| scheduled.event).collect();
    assert!(order.into_iter().eq((1..5_000).step_by(2).chain((0..5_000).step_by(2))));
}
