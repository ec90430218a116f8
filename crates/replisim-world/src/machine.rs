//! A host: the clocks, the disk and the processor that its processes share.
//!
//! The processor is why latency grows with load and why a slow host falls behind: a queue in front of so many cores. Work is
//! taken up in the order it comes in, by a core that is free or else by the first that will be. A client's request costs
//! what the cluster's `operation` says, what comes from another process what `message` says; a timer or a completed sync
//! costs nothing. When work will be done is settled as it comes in, so a processor keeps no more than when each core is
//! free.
//!
//! ```text
//!   work comes in ──▶ waits for a core ──▶ cost × slowdown ──▶ the process hears of it
//! ```
//!
//! A process's journal is its own (`node.rs`), though the disk it is synced to is the host's. Whether a host is up, paused
//! or within reach is for the roster and the network to say.

use replisim_kernel::{Concern, Sampler, SimTime, Span, Stream};

use crate::clock::Clocks;
use crate::disk::{DISK, Device};
use crate::fault::FiringIndex;
use crate::spec::{Cluster, Host, Service};

/// The stream of chance of each host's processor.
pub(crate) const CPU: Concern = Concern::new("cpu");

/// What a host's processes share.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub clocks: Clocks,
    pub disk: Device,
    pub processor: Processor,
}

/// Serves requests and messages at a finite rate: a queue in front of so many cores.
#[derive(Clone, Debug)]
pub(crate) struct Processor {
    /// How long each kind of work takes.
    costs: [Sampler; 2],
    /// When each core is free.
    cores: Vec<SimTime>,
    chance: Stream,
    /// By what factor each fault in force slows it down, and what all of them come to.
    slower: Vec<(FiringIndex, u32)>,
    slowdown: u64,
    idle: bool,
}

/// What there is to do: a place among a processor's costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    Operation,
    Message,
}

impl Machine {
    /// A host of the cluster, whose disk and processor draw from the streams that `chance` gives them.
    pub fn new(cluster: &Cluster, host: &Host, chance: impl Fn(Concern) -> Stream) -> Self {
        let clocks = cluster.clocks.get(&host.name).copied().unwrap_or_default();
        Machine {
            clocks: Clocks::new(clocks.offset.0, i64::from(clocks.drift_ppm) * 1_000),
            disk: Device::new(&cluster.disk, chance(DISK)),
            processor: Processor::new(&cluster.service, chance(CPU)),
        }
    }
}

impl Processor {
    fn new(service: &Service, chance: Stream) -> Self {
        let costs = [&service.operation, &service.message].map(Sampler::new);
        let idle = costs.iter().all(|cost| cost.mean() == Some(Span::ZERO));
        let cores = vec![SimTime::ZERO; usize::from(service.cores.max(1))];
        Processor { costs, cores, chance, slower: Vec::new(), slowdown: 1, idle }
    }

    /// Goes on with another stream of chance.
    pub fn reseed(&mut self, chance: Stream) {
        self.chance = chance;
    }

    pub fn slow(&mut self, by: FiringIndex, factor: u32) {
        self.slower.push((by, factor));
        self.slowdown = slowdown(&self.slower);
    }

    pub fn restore_speed(&mut self, by: FiringIndex) {
        self.slower.retain(|(other, _)| *other != by);
        self.slowdown = slowdown(&self.slower);
    }

    /// When work that comes in now is done: at once on an idle processor that takes no time for anything.
    #[inline]
    pub fn serve(&mut self, now: SimTime, work: Work) -> SimTime {
        if self.idle {
            return now;
        }
        let cost = self.costs[work as usize].constant().unwrap_or_else(|| self.draw(work)) * self.slowdown;
        // Any core that is free now will do; if none is, the first that will be.
        let core = match self.cores.iter().position(|core| *core <= now) {
            Some(free) => &mut self.cores[free],
            None => self.cores.iter_mut().min().expect("a processor has a core"),
        };
        *core = (*core).max(now) + cost;
        *core
    }

    /// Draws how long a piece of work takes. Most kinds always take as long, and never come here.
    #[cold]
    fn draw(&mut self, work: Work) -> Span {
        self.costs[work as usize].draw(&mut self.chance)
    }
}

/// How much slower a processor is than it should be: every fault's factor on top of the others'.
fn slowdown(slower: &[(FiringIndex, u32)]) -> u64 {
    slower.iter().fold(1, |product: u64, (_, factor)| product.saturating_mul(u64::from((*factor).max(1))))
}

#[cfg(test)]
mod tests {
    use replisim_kernel::Distribution;

    use super::*;

    #[test]
    fn each_fault_slows_a_processor_down_on_top_of_the_others() {
        let cost = Distribution::Constant(Span::nanos(1));
        let service = Service { operation: cost.clone(), message: cost, cores: 1 };
        let mut processor = Processor::new(&service, Stream::derive(1, CPU, 0, 0));
        let takes = |processor: &Processor| processor.clone().serve(SimTime::ZERO, Work::Message);
        (1..=4).for_each(|firing| processor.slow(FiringIndex(firing), 1_000_000));
        assert_eq!(takes(&processor), SimTime::NEVER, "no product is too large");
        processor.restore_speed(FiringIndex(2));
        processor.restore_speed(FiringIndex(3));
        assert_eq!(takes(&processor), SimTime::ZERO + Span::millis(1_000_000));
        processor.restore_speed(FiringIndex(1));
        processor.restore_speed(FiringIndex(4));
        assert_eq!(takes(&processor), SimTime::ZERO + Span::nanos(1));
    }
}
