//! A host's disk as a device: how long a sync takes, and what faults make of it.

use replisim_kernel::{Concern, Sampler, Span, Stream, once_more};

use crate::fault::FiringIndex;
use crate::process::DiskError;
use crate::spec::{ByteSize, DiskSpec};

/// The stream of chance of each host's disk.
pub(crate) const DISK: Concern = Concern::new("disk");

/// One host's disk.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    sync: Sampler,
    spec: DiskSpec,
    chance: Stream,
    slower: Vec<(FiringIndex, Sampler)>,
    stalled: u16,
    lying: u16,
    full: u16,
}

/// What comes of a sync that begins now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SyncFate {
    /// It takes so long; `lied` if nothing reaches the platter.
    Takes { span: Span, lied: bool },
    /// It fails.
    Fails(DiskError),
}

impl Device {
    pub fn new(spec: &DiskSpec, chance: Stream) -> Self {
        let sync = Sampler::new(&spec.sync);
        Device { sync, spec: spec.clone(), chance, slower: Vec::new(), stalled: 0, lying: 0, full: 0 }
    }

    /// Goes on with another stream of chance.
    pub fn reseed(&mut self, chance: Stream) {
        self.chance = chance;
    }

    /// Decides a sync of `bytes`, on a disk that then holds `stored` in all. Draws as many words whatever comes of it.
    pub fn sync(&mut self, bytes: u64, stored: u64) -> SyncFate {
        let [choice, level] = self.chance.words();
        let beyond = self.spec.capacity.is_some_and(|ByteSize(capacity)| stored > capacity);
        if self.full > 0 || beyond {
            return SyncFate::Fails(DiskError::Full);
        }
        if self.lying > 0 {
            return SyncFate::Takes { span: Span::ZERO, lied: true };
        }
        let slower = self.slower.iter().map(|(_, by)| by.sample(once_more(choice), once_more(level))).sum();
        let span = self.sync.sample(choice, level) + self.spec.rate.time_for(bytes) + slower;
        SyncFate::Takes { span, lied: false }
    }

    /// How many of so many unsynced records a loss of power spares, if it spares any.
    pub fn spared(&mut self, unsynced: u64) -> u64 {
        self.chance.below(unsynced + 1)
    }

    /// A random position in a range that begins at `start` and has `len` records.
    pub fn anywhere(&mut self, start: u64, len: u64) -> u64 {
        start + self.chance.below(len)
    }

    /// Whether syncs complete at present.
    pub fn is_stalled(&self) -> bool {
        self.stalled > 0
    }

    pub fn slow(&mut self, by: FiringIndex, extra: Sampler) {
        self.slower.push((by, extra));
    }

    pub fn restore_speed(&mut self, by: FiringIndex) {
        self.slower.retain(|(other, _)| *other != by);
    }

    pub fn stall(&mut self) {
        self.stalled += 1;
    }

    pub fn unstall(&mut self) {
        self.stalled -= 1;
    }

    pub fn begin_lying(&mut self) {
        self.lying += 1;
    }

    pub fn end_lying(&mut self) {
        self.lying -= 1;
    }

    pub fn fill(&mut self) {
        self.full += 1;
    }

    pub fn drain(&mut self) {
        self.full -= 1;
    }
}
