//! Seeded chance: every concern and entity draws from a stream of its own.
//!
//! A run has one seed and many streams: one for each link, each disk, each client session, the fault plan. Streams are
//! independent, so one more draw in one of them moves no other. That is what makes it honest to remove a fault or an
//! operation from a run and compare: everything that does not depend on it stays as it was.
//!
//! ChaCha8 is a pseudo-random function of its 32-byte key, so the key simply spells out what the stream is for:
//! seed, concern, entity, salt. Nothing is hashed and no two streams can collide.

use std::fmt;

use rand_chacha::ChaCha8Core;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::rand_core::block::Generator;

/// What a stream decides about: a short name, such as `link` or `disk`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Concern([u8; 8]);

impl Concern {
    /// The concern called `name`, of at most eight bytes.
    ///
    /// # Panics
    /// If the name is longer, at compile time when used in a constant.
    pub const fn new(name: &str) -> Self {
        let bytes = name.as_bytes();
        assert!(bytes.len() <= 8, "a concern's name has at most eight bytes");
        let mut label = [0; 8];
        let mut i = 0;
        while i < bytes.len() {
            label[i] = bytes[i];
            i += 1;
        }
        Concern(label)
    }
}

impl fmt::Display for Concern {
    /// The name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        f.write_str(&String::from_utf8_lossy(name))
    }
}

/// A stream of random words, fixed by the seed and by what it is for.
#[derive(Clone)]
pub struct Stream {
    cipher: ChaCha8Core,
    /// What the cipher gave last, kept here so that a draw is a look into an array.
    words: [u64; WORDS],
    /// Which of them comes next.
    next: usize,
}

/// How many words the cipher gives at a time: four blocks of 64 bytes.
const WORDS: usize = 32;

impl Stream {
    /// The stream of `entity` for `concern` in the run of `seed`. A `salt` other than zero gives a different future,
    /// as when a forked run is to go on differently.
    pub fn derive(seed: u64, concern: Concern, entity: u64, salt: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&concern.0);
        key[16..24].copy_from_slice(&entity.to_le_bytes());
        key[24..].copy_from_slice(&salt.to_le_bytes());
        Stream { cipher: ChaCha8Core::from_seed(key), words: [0; WORDS], next: WORDS }
    }

    /// The next 64 random bits. Every other draw is made of exactly one or more of these.
    #[inline]
    pub fn word(&mut self) -> u64 {
        let Some(&word) = self.words.get(self.next) else { return self.refill() };
        self.next += 1;
        word
    }

    /// The next so many words.
    #[inline]
    pub fn words<const N: usize>(&mut self) -> [u64; N] {
        match self.words.get(self.next..).and_then(|rest| rest.first_chunk()) {
            Some(words) => {
                self.next += N;
                *words
            }
            None => [(); N].map(|()| self.word()),
        }
    }

    /// Has the cipher give its next words, and returns the first of them.
    #[cold]
    fn refill(&mut self) -> u64 {
        let mut halves = [0; 2 * WORDS];
        self.cipher.generate(&mut halves);
        for (word, half) in self.words.iter_mut().zip(halves.chunks_exact(2)) {
            *word = u64::from(half[1]) << 32 | u64::from(half[0]);
        }
        self.next = 1;
        self.words[0]
    }

    /// A number in [0, 1) with 53 random bits, from one word.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        unit(self.word())
    }

    /// A whole number below `bound` (zero if `bound` is zero), from one word. The bias is below `bound` / 2⁶⁴.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        share(self.word(), bound)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// The whole number below `bound` (zero if `bound` is zero) that a word stands for: as far into the range as the word is
/// into all words (D. Lemire, *Fast Random Integer Generation in an Interval*, ACM TOMACS 29(1), 2019, without the
/// rejection). For draws that take their words first and learn their bounds later.
#[inline]
pub const fn share(word: u64, bound: u64) -> u64 {
    ((word as u128 * bound as u128) >> 64) as u64
}

/// The number in [0, 1) that a word stands for: its upper 53 bits.
#[inline]
pub fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// What a word stands for when it has decided something already: the same bits, turned round. It is for what is drawn only
/// now and then beside what is drawn every time, so that both take the same number of words; that the two hang together, in
/// bits which neither looks at first, does no harm.
#[inline]
pub const fn once_more(word: u64) -> u64 {
    word.rotate_left(17)
}

/// 2^64 divided by the golden ratio, an odd number: multiplying by it spreads what differs in few bits over all of them
/// (D. E. Knuth, *The Art of Computer Programming*, vol. 3, 6.4).
pub const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Concern = Concern::new("link");

    #[test]
    fn golden_words() {
        let mut stream = Stream::derive(7, LINK, 3, 0);
        let words: Vec<String> = (0..3).map(|_| format!("{:016x}", stream.word())).collect();
        assert_eq!(words, GOLDEN);
    }

    /// The first words of one stream. If these change, every recorded run changes with them.
    const GOLDEN: [&str; 3] = ["1e249b364e88b84a", "a211de2b2efb9fa5", "d621f586fc5ee4ac"];

    #[test]
    fn every_part_of_the_key_matters() {
        let first = |seed, concern, entity, salt| Stream::derive(seed, concern, entity, salt).word();
        let base = first(1, LINK, 1, 0);
        for other in
            [first(2, LINK, 1, 0), first(1, Concern::new("disk"), 1, 0), first(1, LINK, 2, 0), first(1, LINK, 1, 1)]
        {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn below_stays_below_and_reaches_both_ends() {
        let mut stream = Stream::derive(1, LINK, 0, 0);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[stream.below(5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(stream.below(0), 0);
    }
}
