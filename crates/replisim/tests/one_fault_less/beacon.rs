//! A protocol that answers to nothing, so that nothing but the network decides when its packets arrive.
//!
//! Every process sends a numbered datagram to every other at a steady pace, and notes each one that reaches it. The
//! n-th packet of a link meets the n-th luck of that link, and the notes tell what it was.

use std::collections::BTreeMap;
use std::fmt;

use replisim::prelude::*;

/// How long after one round the next is sent.
pub const PACE: Span = Span::millis(10);

/// A process.
#[derive(Clone, Debug)]
pub struct Beacon {
    processes: u16,
    sent: u32,
}

/// A packet: the sender's number for it, from 1.
#[derive(Clone, Copy, Hash, Debug)]
pub struct Beat(pub u32);

/// The next round is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tick;

impl Process for Beacon {
    type Config = u16;
    type Message = Beat;
    type Timer = Tick;
    type Record = Beat;

    fn boot(cx: &mut Cx<'_, Self>, processes: &u16) -> Self {
        cx.set_timer(Tick, PACE);
        Beacon { processes: *processes, sent: 0 }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        match input {
            Input::Timer(Tick) => self.send_round(cx),
            Input::Message { from, message } => cx.milestone(format!("beat {} {message}", from.0)),
            Input::Request(request) => cx.reply(request.id, Reply::not_serving(None)),
            Input::Opened { .. } | Input::Segment { .. } | Input::Closed { .. } => unreachable!("it opens no streams"),
            Input::Synced { .. } | Input::DiskFailed(_) | Input::Operator(_) => {}
        }
    }

    fn view(&self) -> View {
        View { role: Role::Replica, epoch: 0, received: Position::ZERO, applied: Position::ZERO, serving: true }
    }
}

impl Beacon {
    fn send_round(&mut self, cx: &mut Cx<'_, Self>) {
        self.sent += 1;
        let me = cx.me();
        let others = (0..self.processes).map(NodeId).filter(|node| *node != me);
        others.for_each(|node| cx.send(node, Beat(self.sent)));
        cx.set_timer(Tick, PACE);
    }
}

impl Protocol for Beacon {
    const NAME: &'static str = "Beacon";
    const ABOUT: &'static str = "numbered packets from everybody to everybody at a steady pace";
    type Settings = ();

    fn assemble((): &(), topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let processes = topology.hosts.len() as u16;
        let member = |(host, name): (usize, &String)| Member {
            name: name.clone(),
            host,
            starts: true,
            replica: true,
            config: processes,
        };
        Ok(topology.hosts.iter().map(|host| &host.name).enumerate().map(member).collect())
    }

    fn supports((): &(), _: OpKind) -> bool {
        true
    }

    fn promises((): &(), _: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        BTreeMap::new()
    }

    fn summary((): &()) -> String {
        String::new()
    }
}

impl Payload for Beat {
    fn bytes(&self) -> u32 {
        64
    }
}

impl fmt::Display for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
