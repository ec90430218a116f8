//! A running 128-bit hash of everything that happens in a run.
//!
//! Whatever derives [`Hash`] can be folded in: every integer is written as little-endian bytes, and `usize` and
//! discriminants as 64 bits, so the same run hashes the same on every platform. Bytes gather in a block and are fed to
//! XXH3-128, a frozen algorithm, a block at a time.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// How many bytes gather before they are hashed: enough to make a record cheap, few enough to make a fork cheap.
const BLOCK: usize = 4096;

/// How many bytes most things have that are hashed by themselves.
const SMALL: usize = 128;

/// A running hash; clone it and both copies go on independently.
#[derive(Clone)]
pub struct Fingerprint {
    block: Encoder,
    hash: Xxh3,
}

/// What was written so far, in bytes that are the same on every platform.
#[derive(Clone)]
struct Encoder(Vec<u8>);

impl Fingerprint {
    /// The fingerprint of nothing.
    pub fn new() -> Self {
        Fingerprint { block: Encoder(Vec::with_capacity(BLOCK)), hash: Xxh3::new() }
    }

    /// Folds one thing in, after all that was folded in before.
    #[inline]
    pub fn fold(&mut self, thing: &impl Hash) {
        thing.hash(&mut self.block);
        if self.block.0.len() >= BLOCK - 256 {
            self.spill();
        }
    }

    /// The digest of all that was folded in so far. Independent of how it fell into blocks.
    pub fn digest(&self) -> Digest {
        let mut hash = self.hash.clone();
        hash.update(&self.block.0);
        Digest(hash.digest128())
    }

    #[cold]
    fn spill(&mut self) {
        self.hash.update(&self.block.0);
        self.block.0.clear();
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint::new()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", self.digest())
    }
}

/// Each integer as its little-endian bytes, whatever the platform's order and word size.
macro_rules! write_little_endian {
    ($($method:ident: $type:ty as $wide:ty),* $(,)?) => {
        $(
            #[inline]
            fn $method(&mut self, value: $type) {
                self.0.extend_from_slice(&(value as $wide).to_le_bytes());
            }
        )*
    };
}

impl Hasher for Encoder {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    write_little_endian! {
        write_u8: u8 as u8, write_u16: u16 as u16, write_u32: u32 as u32, write_u64: u64 as u64,
        write_u128: u128 as u128, write_usize: usize as u64,
        write_i8: i8 as i8, write_i16: i16 as i16, write_i32: i32 as i32, write_i64: i64 as i64,
        write_i128: i128 as i128, write_isize: isize as i64,
    }

    fn finish(&self) -> u64 {
        xxh3_128(&self.0) as u64
    }
}

/// How many hexadecimal digits a digest has.
const DIGITS: usize = 32;

/// A 128-bit hash, as that which names a run. Prints as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u128);

impl Digest {
    /// The digest of one thing alone. What never changes and is folded in again and again keeps it, and hashes as it.
    pub fn of(thing: &impl Hash) -> Digest {
        let mut bytes = Encoder(Vec::with_capacity(SMALL));
        thing.hash(&mut bytes);
        Digest(xxh3_128(&bytes.0))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no [`Digest`]. With digits missing it would be another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoDigest;

impl fmt::Display for NoDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a fingerprint has {DIGITS} hexadecimal digits")
    }
}

impl std::error::Error for NoDigest {}

impl FromStr for Digest {
    type Err = NoDigest;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_whole = text.len() == DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| is_whole).map(Digest).ok_or(NoDigest)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Hash)]
    enum Step {
        Send { to: u16, bytes: u32 },
        Crash,
        Note(String),
    }

    /// Guards the canonical encoding, which rests on what `derive(Hash)` writes: if a toolchain changes it, this fails.
    #[test]
    fn golden_digest() {
        let mut print = Fingerprint::new();
        for step in [Step::Send { to: 3, bytes: 64 }, Step::Crash, Step::Note("promoted".into())] {
            print.fold(&step);
        }
        assert_eq!(print.digest().to_string(), GOLDEN);
    }

    const GOLDEN: &str = "dfad3e7044c2830600e3b0244ec668a0";

    #[test]
    fn blocks_do_not_show() {
        let (mut long, mut plain) = (Fingerprint::new(), Xxh3::new());
        for i in 0..10_000u64 {
            long.fold(&i);
            plain.update(&i.to_le_bytes());
        }
        assert_eq!(long.digest().0, plain.digest128());
    }

    #[test]
    fn one_thing_has_the_digest_of_a_fingerprint_of_it() {
        let (mut print, note) = (Fingerprint::new(), Step::Note("promoted".into()));
        print.fold(&note);
        assert_eq!(Digest::of(&note), print.digest());
    }

    #[test]
    fn a_digest_reads_back() {
        let digest = Digest(0x8c1e_52d0);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for other in ["8c1e52d0", &format!("+{}", &digest.to_string()[1..]), &format!("{digest}0"), ""] {
            assert_eq!(other.parse::<Digest>(), Err(NoDigest), "{other}");
        }
    }
}
