//! The machines: regions, zones, hosts, the links between them, their disks, processors and clocks.

use indexmap::IndexMap;
use replisim_kernel::{Distribution, Probability, Span};
use serde::{Deserialize, Serialize};

use super::fault::drifted;
use super::{ByteSize, Offset, Rate};

/// A cluster as a scenario describes it. `size: 3` alone makes hosts n1, n2 and n3 in three zones of one region.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cluster {
    /// How many hosts, where they need no names; in place of `regions` and `hosts`.
    pub size: Option<u16>,
    /// Each region with its zones.
    pub regions: IndexMap<String, Vec<String>>,
    /// Each host with where it stands: `"us-east/a"`, or a region alone for its first zone.
    pub hosts: IndexMap<String, String>,
    /// The network.
    pub links: Links,
    /// Every host's disk.
    pub disk: DiskSpec,
    /// Every host's processor.
    pub service: Service,
    /// Hosts whose clocks are not right from the start.
    pub clocks: IndexMap<String, ClockSpec>,
}

/// How long packets take, and what befalls them. Delays are one way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// Between processes of one host.
    pub same_host: Distribution,
    /// Between hosts of one zone.
    pub same_zone: Distribution,
    /// Between zones of one region.
    pub between_zones: Distribution,
    /// Between regions.
    pub between_regions: Distribution,
    /// Exceptions, both ways: two hosts, zones or regions and what is different between them. The most specific
    /// pair wins: hosts over zones over regions.
    pub between: Vec<(String, String, LinkSpec)>,
    /// The chance that a packet is lost.
    pub loss: Probability,
    /// Losses that come in bursts, beside the even ones.
    pub burst: Option<Burst>,
    /// The chance that a datagram arrives twice.
    pub duplicate: Probability,
    /// The chance that a datagram is held back and overtaken.
    pub reorder: Probability,
    /// How long a packet that is overtaken is held back.
    pub reorder_by: Span,
    /// What each link carries; unlimited if not given.
    pub bandwidth: Option<Rate>,
}

/// What is different between two places. Fields left out are as everywhere.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkSpec {
    /// One-way delay, both ways.
    pub delay: Option<Distribution>,
    /// One-way delay from the second place back to the first, where it differs.
    pub back: Option<Distribution>,
    /// The chance that a packet is lost.
    pub loss: Option<Probability>,
    /// What the link carries.
    pub bandwidth: Option<Rate>,
}

/// Bursts of loss (Gilbert 1960, Elliott 1963): a link is good or bad, and changes with each packet at these chances.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// The chance that a good link turns bad.
    pub begins: Probability,
    /// The chance that a bad link turns good.
    pub ends: Probability,
    /// The chance that a packet on a bad link is lost.
    pub loss: Probability,
}

/// A host's disk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskSpec {
    /// How long a sync takes.
    pub sync: Distribution,
    /// How fast data moves to and from it.
    pub rate: Rate,
    /// How much it holds; unlimited if not given.
    pub capacity: Option<ByteSize>,
}

/// A host's processor: requests and messages are served at a finite rate, so that overload is real.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// The work that a client's operation is.
    pub operation: Distribution,
    /// The work that a message from another process is.
    pub message: Distribution,
    /// How many of these a host does at once.
    pub cores: u16,
}

/// A clock that is not right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSpec {
    /// How far the wall clock is ahead; behind if negative.
    pub offset: Offset,
    /// Parts per million that both clocks gain; lose if negative.
    pub drift_ppm: i32,
}

impl ClockSpec {
    /// By how much the wall clock is wrong at most, if the run lasts so long.
    pub fn error(&self, lasts: Span) -> Span {
        self.offset.length() + drifted(self.drift_ppm, lasts)
    }
}

impl Default for Links {
    fn default() -> Self {
        Links {
            same_host: Distribution::Constant(Span::micros(15)),
            same_zone: Distribution::LogNormal { median: Span::micros(100), p99: Span::micros(400) },
            between_zones: Distribution::LogNormal { median: Span::micros(500), p99: Span::millis(2) },
            between_regions: Distribution::LogNormal { median: Span::millis(35), p99: Span::millis(50) },
            between: Vec::new(),
            loss: Probability::NEVER,
            burst: None,
            duplicate: Probability::NEVER,
            reorder: Probability::NEVER,
            reorder_by: Span::millis(1),
            bandwidth: None,
        }
    }
}

impl Default for DiskSpec {
    /// A datacentre SSD.
    fn default() -> Self {
        DiskSpec {
            sync: Distribution::LogNormal { median: Span::micros(300), p99: Span::millis(2) },
            rate: Rate(500 << 20),
            capacity: None,
        }
    }
}

impl Default for Service {
    fn default() -> Self {
        Service {
            operation: Distribution::Constant(Span::micros(50)),
            message: Distribution::Constant(Span::micros(5)),
            cores: 8,
        }
    }
}
