//! The states that a search for failures tells apart: in which of them a server was when something struck.
//!
//! A person would describe a server in the same words. What is not here has no duration: recovery, for one, is over
//! within the start of a process, so nothing ever strikes a server that recovers.

use super::message::Refusal;
use super::node::Replica;
use super::profile::Profile;
use super::record::Part;
use super::rules::Extent;

/// Lists the states, each with its name.
macro_rules! states {
    ($($(#[doc = $about:literal])+ $state:ident = $name:literal,)+) => {
        /// What a server is about.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum State {
            $($(#[doc = $about])+ $state,)+
        }

        impl State {
            /// What they are called, in order.
            pub const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];
        }
    };
}

states! {
    /// It leads, and nothing is unusual.
    Leading = "leading",
    /// A commit waits for followers.
    Waiting = "leading, commits wait for followers",
    /// It has given up waiting for followers.
    FallenBack = "leading, fallen back to asynchronous",
    /// No follower is connected.
    Alone = "leading, no follower connected",
    /// A follower copies its data.
    Seeding = "leading, seeds a follower",
    /// It was promoted, and has not made a checkpoint since.
    Promoted = "leading, newly promoted",
    /// It has applied all that it was sent.
    Streaming = "following",
    /// It has received what it has not applied.
    Behind = "following, has not applied all",
    /// It has written what it has not synced.
    Unsynced = "following, has not synced all",
    /// It has no connection.
    Disconnected = "following, disconnected",
    /// What it lacks is no longer kept.
    TooFarBehind = "following, refused: log dropped",
    /// It cannot be served for another reason: mostly it has what its upstream lacks.
    Refused = "following, refused",
    /// It is to lead, once it has applied what it has received and its disk knows of the epoch.
    Promoting = "following, about to lead",
    /// It copies another's data, or has a backup's.
    Copying = "copying",
    /// It asks where its log left another's.
    Rewinding = "rewinding",
    /// It follows, and has not caught up since its data were copied.
    Learning = "following, has not caught up since it was copied",
    /// It neither leads nor follows.
    Standing = "standing",
    /// It has no data, and nobody to copy from.
    Bare = "bare",
}

impl<F: Profile> Replica<F> {
    /// What it is doing now.
    pub(super) fn current_state(&self) -> State {
        match self.part {
            _ if self.promoting => State::Promoting,
            Part::Leads => self.leading(),
            Part::Begins { .. } => State::Promoting,
            Part::Follows(_) => self.following(),
            Part::Copies(_) | Part::Restores => State::Copying,
            Part::Rewinds(_) => State::Rewinding,
            Part::Stands => State::Standing,
            Part::Bare => State::Bare,
        }
    }

    fn leading(&self) -> State {
        if !self.couriers.is_empty() {
            State::Seeding
        } else if self.commits.silence.fallen_back {
            State::FallenBack
        } else if self.shippers.is_empty() {
            State::Alone
        } else if self.checkpoint.outdated {
            State::Promoted
        } else if self.commits.wait_for_followers() {
            State::Waiting
        } else {
            State::Leading
        }
    }

    fn following(&self) -> State {
        match self.upstream.refusal() {
            Some(Refusal::Removed) => return State::TooFarBehind,
            Some(Refusal::Diverged | Refusal::Damaged | Refusal::NoData) => return State::Refused,
            None => {}
        }
        if !self.upstream.serves() {
            State::Disconnected
        } else if self.learning.is_some() {
            State::Learning
        } else if self.log.flushed_tip != self.log.tip && self.rules.replay.from == Extent::Flushed {
            State::Unsynced
        } else if self.shown.position() != self.log.tip {
            State::Behind
        } else {
            State::Streaming
        }
    }
}
