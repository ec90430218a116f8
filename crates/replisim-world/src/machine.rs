//! A host: the clocks, the disk and the processor that its processes share.
//!
//! The processor is why latency grows with load and why a slow host falls behind: a queue in front of so many cores. Work is
//! taken up in the order it comes in, by a core that is free or else by the first that will be. A client's request costs
//! what the cluster's `operation` says, what comes from another process what `message` says; a timer or a completed sync
//! costs nothing. When work will be done is settled as it comes in, so a processor keeps no more than when each core is
//! free, and of which process: what a dead one left undone keeps nobody waiting. A fault that slows a processor down tells
//! its end, for what is not done by then goes on at full speed.
//!
//! ```text
//!   work comes in ──▶ waits for a core ──▶ cost × slowdown ──▶ the process hears of it
//! ```
//!
//! A process's journal is its own (`node.rs`), though the disk it is synced to is the host's. Whether a host is up, paused
//! or within reach is for the roster and the network to say.

use replisim_history::NodeId;
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
    cores: Vec<Core>,
    chance: Stream,
    /// What slows it down at present.
    slower: Vec<Slower>,
    idle: bool,
}

/// A core: when it is free, and whose work it does last before that.
#[derive(Clone, Copy, Debug)]
struct Core {
    free_at: SimTime,
    last: NodeId,
}

/// What a fault does to a processor.
#[derive(Clone, Copy, Debug)]
struct Slower {
    by: FiringIndex,
    factor: u32,
    until: SimTime,
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
        let cores = vec![Core { free_at: SimTime::ZERO, last: NodeId(0) }; usize::from(service.cores.max(1))];
        Processor { costs, cores, chance, slower: Vec::new(), idle }
    }

    /// Goes on with another stream of chance.
    pub fn reseed(&mut self, chance: Stream) {
        self.chance = chance;
    }

    /// A fault slows it down until then.
    pub fn slow(&mut self, by: FiringIndex, factor: u32, until: SimTime) {
        self.slower.push(Slower { by, factor, until });
    }

    pub fn restore_speed(&mut self, by: FiringIndex) {
        self.slower.retain(|slower| slower.by != by);
    }

    /// A process is dead: nobody does its work any more.
    pub fn drop_work_of(&mut self, node: NodeId) {
        for core in self.cores.iter_mut().filter(|core| core.last == node) {
            core.free_at = SimTime::ZERO;
        }
    }

    /// When work for `node` that comes in now is done: at once on an idle processor that takes no time for anything.
    #[inline(always)]
    pub fn serve(&mut self, now: SimTime, node: NodeId, work: Work) -> SimTime {
        if self.idle {
            return now;
        }
        let cost = self.costs[work as usize].constant().unwrap_or_else(|| self.draw(work));
        // Any core that is free now will do; if none is, the first that will be.
        let first = || (0..self.cores.len()).min_by_key(|core| self.cores[*core].free_at);
        let free = self.cores.iter().position(|core| core.free_at <= now).or_else(first);
        let free = free.expect("a processor has a core");
        let begins = self.cores[free].free_at.max(now);
        let done = if self.slower.is_empty() { begins + cost } else { self.done(begins, cost) };
        self.cores[free] = Core { free_at: done, last: node };
        done
    }

    /// When work is done that takes so long at full speed, if faults slow it down.
    #[cold]
    fn done(&self, mut at: SimTime, mut left: Span) -> SimTime {
        loop {
            let in_force = || self.slower.iter().filter(|slower| slower.until > at);
            let slowdown = in_force().fold(1, |all: u64, slower| all.saturating_mul(slower.factor.max(1).into()));
            let ends = in_force().map(|slower| slower.until).min().unwrap_or(SimTime::NEVER);
            let done = at + left * slowdown;
            if done <= ends {
                return done;
            }
            left = left - ends.since(at) / slowdown;
            at = ends;
        }
    }

    /// Draws how long a piece of work takes. Most kinds always take as long, and never come here.
    #[cold]
    fn draw(&mut self, work: Work) -> Span {
        self.costs[work as usize].draw(&mut self.chance)
    }
}

#[cfg(test)]
mod tests {
    use replisim_kernel::Distribution;

    use super::*;

    const NODE: NodeId = NodeId(0);

    /// A processor that takes so many nanoseconds for everything.
    fn processor(cores: u16, nanos: u64) -> Processor {
        let cost = Distribution::Constant(Span::nanos(nanos));
        Processor::new(&Service { operation: cost.clone(), message: cost, cores }, Stream::derive(1, CPU, 0, 0))
    }

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn what_a_fault_left_undone_goes_on_at_full_speed() {
        let mut processor = processor(1, 100);
        processor.slow(FiringIndex(1), 10, at(2_500));
        processor.slow(FiringIndex(2), 10, at(500));
        let done = [(); 4].map(|()| processor.serve(SimTime::ZERO, NODE, Work::Message));
        assert_eq!(done, [1_450, 2_450, 2_595, 2_695].map(at), "of the first, 5 ns are done by 500 ns");
    }

    #[test]
    fn what_a_dead_process_left_undone_keeps_nobody_waiting() {
        let mut processor = processor(2, 1);
        processor.slow(FiringIndex(1), 1_000, SimTime::NEVER);
        let mut serve = |node| processor.serve(SimTime::ZERO, NodeId(node), Work::Operation);
        assert_eq!([serve(0), serve(1), serve(0)], [1_000, 1_000, 2_000].map(at));
        processor.drop_work_of(NodeId(0));
        let mut serve = |node| processor.serve(SimTime::ZERO, NodeId(node), Work::Operation);
        assert_eq!([serve(1), serve(1)], [1_000, 2_000].map(at), "the other core is still busy");
    }

    #[test]
    fn each_fault_slows_a_processor_down_on_top_of_the_others() {
        let mut processor = processor(1, 1);
        let takes = |processor: &Processor| processor.clone().serve(SimTime::ZERO, NODE, Work::Message);
        (1..=4).for_each(|firing| processor.slow(FiringIndex(firing), 1_000_000, SimTime::NEVER));
        assert_eq!(takes(&processor), SimTime::NEVER, "no product is too large");
        processor.restore_speed(FiringIndex(2));
        processor.restore_speed(FiringIndex(3));
        assert_eq!(takes(&processor), SimTime::ZERO + Span::millis(1_000_000));
        processor.restore_speed(FiringIndex(1));
        processor.restore_speed(FiringIndex(4));
        assert_eq!(takes(&processor), SimTime::ZERO + Span::nanos(1));
    }
}
