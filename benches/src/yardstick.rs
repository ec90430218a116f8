//! The same work in a loop written by hand: what it costs at least.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use xxhash_rust::xxh3::Xxh3;

/// What a node is handed, and what it asks for.
pub trait Node {
    /// Answers a message, or with `from` itself its timer, by pushing messages to send.
    fn on(&mut self, me: usize, from: usize, body: [u64; 8], out: &mut Vec<(usize, [u64; 8])>);
}

/// A whole simulation.
pub struct Loop {
    now: u64,
    sequence: u64,
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    slots: Vec<(usize, usize, [u64; 8])>,
    free: Vec<u32>,
    nodes: Vec<Box<dyn Node>>,
    cut: Vec<bool>,
    chance: Vec<ChaCha8Rng>,
    block: Vec<u8>,
    hash: Xxh3,
    out: Vec<(usize, [u64; 8])>,
    delay: (u64, u64),
    tick: u64,
}

impl Loop {
    /// Nodes with links of `delay.0` to `delay.1` nanoseconds; what a node sends itself comes after `tick`.
    pub fn new(nodes: Vec<Box<dyn Node>>, delay: (u64, u64), tick: u64) -> Self {
        let count = nodes.len();
        Loop {
            now: 0,
            sequence: 0,
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            nodes,
            cut: vec![false; count * count],
            chance: (0..count as u64).map(ChaCha8Rng::seed_from_u64).collect(),
            block: Vec::with_capacity(1 << 16),
            hash: Xxh3::new(),
            out: Vec::new(),
            delay,
            tick,
        }
    }

    /// Puts a message on its way.
    pub fn send(&mut self, from: usize, to: usize, body: [u64; 8]) {
        let rng = &mut self.chance[from];
        let (luck, delay) = (rng.next_u64(), rng.next_u64());
        if self.cut[from * self.nodes.len() + to] || luck == 0 {
            return;
        }
        let span = self.delay.1 - self.delay.0;
        let after =
            if from == to { self.tick } else { self.delay.0 + ((u128::from(delay) * u128::from(span)) >> 64) as u64 };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, 0, [0; 8]));
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize] = (from, to, body);
        self.sequence += 1;
        self.heap.push(Reverse((self.now + after, self.sequence, slot)));
    }

    /// Handles so many events.
    pub fn run(&mut self, events: u64) {
        for _ in 0..events {
            let Some(Reverse((at, _, slot))) = self.heap.pop() else { return };
            self.now = at;
            let (from, to, body) = self.slots[slot as usize];
            self.free.push(slot);
            self.record(at, from, to, body);
            let mut out = std::mem::take(&mut self.out);
            self.nodes[to].on(to, from, body, &mut out);
            for (next, body) in out.drain(..) {
                self.send(to, next, body);
            }
            self.out = out;
        }
    }

    fn record(&mut self, at: u64, from: usize, to: usize, body: [u64; 8]) {
        self.block.extend_from_slice(&at.to_le_bytes());
        self.block.extend_from_slice(&[from as u8, to as u8]);
        for word in body {
            self.block.extend_from_slice(&word.to_le_bytes());
        }
        if self.block.len() > (1 << 16) - 128 {
            self.hash.update(&self.block);
            self.block.clear();
        }
    }

    /// The hash of all that happened.
    pub fn digest(&mut self) -> u128 {
        self.hash.update(&self.block);
        self.block.clear();
        self.hash.digest128()
    }
}

struct Bounce;

impl Node for Bounce {
    fn on(&mut self, _: usize, from: usize, mut body: [u64; 8], out: &mut Vec<(usize, [u64; 8])>) {
        body[0] += 1;
        out.push((from, body));
    }
}

struct Leader {
    followers: usize,
    index: u64,
    log: Vec<[u64; 8]>,
    acks: std::collections::VecDeque<usize>,
    committed: u64,
    history: Vec<(u64, u64)>,
}

impl Node for Leader {
    fn on(&mut self, me: usize, from: usize, body: [u64; 8], out: &mut Vec<(usize, [u64; 8])>) {
        if from == me {
            self.index += 1;
            let entry = [self.index; 8];
            self.log.push(entry);
            self.history.push((self.index, self.index % 1_000));
            self.acks.push_back(0);
            out.extend((1..=self.followers).map(|follower| (follower, entry)));
            out.push((me, entry));
        } else if let Some(at) = body[0].checked_sub(self.committed + 1) {
            self.acks[at as usize] += 1;
            while self.acks.front().is_some_and(|acks| acks + 1 > self.followers.div_ceil(2)) {
                self.acks.pop_front();
                self.committed += 1;
            }
        }
    }
}

struct Follower(Vec<[u64; 8]>);

impl Node for Follower {
    fn on(&mut self, _: usize, from: usize, body: [u64; 8], out: &mut Vec<(usize, [u64; 8])>) {
        self.0.push(body);
        out.push((from, body));
    }
}

struct Gossip(usize);

impl Node for Gossip {
    fn on(&mut self, me: usize, _: usize, mut body: [u64; 8], out: &mut Vec<(usize, [u64; 8])>) {
        body[0] = body[0].wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7);
        out.push(((me + 1 + (body[0] >> 40) as usize % 8) % self.0, body));
    }
}

/// Two nodes that bounce one message.
pub fn ping_pong() -> Loop {
    let mut run = Loop::new(vec![Box::new(Bounce), Box::new(Bounce)], (1_000_000, 2_000_000), 0);
    run.send(0, 1, [0; 8]);
    run
}

/// A leader that appends each millisecond, with four followers.
pub fn replication() -> Loop {
    let leader = Leader {
        followers: 4,
        index: 0,
        log: Vec::new(),
        acks: std::collections::VecDeque::new(),
        committed: 0,
        history: Vec::new(),
    };
    let mut nodes: Vec<Box<dyn Node>> = vec![Box::new(leader)];
    nodes.extend((0..4).map(|_| Box::new(Follower(Vec::new())) as Box<dyn Node>));
    let mut run = Loop::new(nodes, (200_000, 800_000), 1_000_000);
    run.send(0, 0, [0; 8]);
    run
}

/// A thousand nodes with so many messages under way in all.
pub fn gossip(pending: u64) -> Loop {
    let nodes = 1_000;
    let mut run = Loop::new((0..nodes).map(|_| Box::new(Gossip(nodes)) as _).collect(), (1_000_000, 2_000_000_000), 0);
    for ball in 0..pending {
        run.send(ball as usize % nodes, (ball as usize + 1) % nodes, [ball; 8]);
    }
    run
}
