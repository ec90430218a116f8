//! A run that would never end is ended.
//!
//! Time does not go on by itself: a process that sets a timer to no time at all, again and again, or a client that does not
//! think and is answered at once, keeps the world busy at one instant for ever. Others go on, but ask for more than any
//! machine has. So the world now and then looks at how a run gets on, and panics where no end is to be expected. All that it
//! looks at belongs to the run, so the same run ends at the same event on every machine.

use replisim_kernel::SimTime;

use super::World;
use crate::event::Event;
use crate::process::Process;

/// After how many events the world looks.
const LOOK_EVERY: u64 = 1 << 16;

/// How many times in a row it may find time where it was: 4.2 million events. A thousand hosts that all speak to all others
/// at one instant, or a hundred thousand sessions that all begin at one, come to less than that.
const LOOKS_STILL_MAX: u32 = 64;

/// How many events a run may have: some hours of work. Their numbers fit into the queue's keys.
const EVENTS_MAX: u64 = 100_000_000_000;

/// How many events may be pending: a few GiB of them.
const PENDING_MAX: usize = 1 << 24;

/// How time has gone on.
#[derive(Clone, Debug, Default)]
pub(super) struct Watchdog {
    /// The instant of the last look.
    at: SimTime,
    /// How many looks in a row have found that instant.
    looks: u32,
}

impl Watchdog {
    /// Takes a look, and says what is wrong if no end is to be expected.
    fn look(&mut self, now: SimTime, events: u64, pending: usize) -> Result<(), String> {
        let looks = if self.at == now { self.looks + 1 } else { 0 };
        *self = Watchdog { at: now, looks };
        if looks >= LOOKS_STILL_MAX {
            let events = u64::from(LOOKS_STILL_MAX) * LOOK_EVERY;
            return Err(format!("time stands still: more than {events} events in a row are at one instant"));
        }
        if pending > PENDING_MAX {
            return Err(format!("more events pile up than can be kept: more than {PENDING_MAX} are pending"));
        }
        if events >= EVENTS_MAX {
            return Err(format!("the run is too long: it has {EVENTS_MAX} events"));
        }
        Ok(())
    }
}

/// Whether it is time for a look, after so many events and before the next.
#[inline(always)]
pub(super) const fn is_due(events: u64) -> bool {
    (events + 1).is_multiple_of(LOOK_EVERY)
}

impl<P: Process> World<P> {
    /// Looks how the run gets on, between two events: one that is on its way to its handler is not to be held up.
    ///
    /// # Panics
    /// If no end is to be expected.
    #[cold]
    pub(super) fn check_progress(&mut self) {
        if let Err(why) = self.watchdog.look(self.now, self.recorder.events, self.queue.len()) {
            let next = self.queue.peek().map_or_else(|| "nothing".to_owned(), |next| self.told(&next.event));
            panic!("{why}\nthe next is {next}");
        }
    }

    /// An event in a few words, so that it can be seen who keeps the world busy.
    fn told(&self, event: &Event<P>) -> String {
        let name = |node| self.recorder.name(node);
        match event {
            Event::Datagram { from, to, message, .. } => format!("{message} from {} to {}", name(*from), name(*to)),
            Event::Stream(_) => "something on a stream".to_owned(),
            Event::Handle { node, .. } | Event::Unpark { node, .. } => format!("work for {}", name(*node)),
            Event::Timer { node, timer, .. } => format!("{}'s timer {timer:?}", name(*node)),
            Event::Synced { node, .. } => format!("the end of a sync of {}", name(*node)),
            Event::DiskFailed { node, .. } => format!("a failure of the disk of {}", name(*node)),
            Event::Turn { session } => format!("{session}'s next operation"),
            Event::Retry { session, .. } => format!("{session}'s next try"),
            Event::Timeout { session } => format!("the end of {session}'s patience"),
            Event::Fault(_) => "a fault".to_owned(),
            Event::Heal => "the heal".to_owned(),
            Event::Look => "a look at the replicas".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use replisim_kernel::Span;

    use super::*;

    #[test]
    fn a_run_ends_where_no_end_is_to_be_expected() {
        let wrong = |mut watchdog: Watchdog, now, events, pending| {
            watchdog.look(now, events, pending).err().unwrap_or_default()
        };
        let (then, now) = (SimTime::ZERO, SimTime::ZERO + Span::nanos(1));
        let still = || Watchdog { at: then, looks: LOOKS_STILL_MAX - 1 };
        assert_eq!(wrong(Watchdog::default(), then, EVENTS_MAX - 1, PENDING_MAX), "");
        assert_eq!(wrong(still(), now, 0, 0), "");
        assert!(wrong(still(), then, 0, 0).starts_with("time stands still: more than 4194304 events"));
        assert!(wrong(still(), now, EVENTS_MAX, 0).starts_with("the run is too long"));
        assert!(wrong(still(), now, 0, PENDING_MAX + 1).starts_with("more events pile up"));
    }
}
