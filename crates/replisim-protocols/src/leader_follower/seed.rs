//! Seeding: a follower's data copied from another server while clients go on writing.
//!
//! ```text
//!   source    ── snapshot at 500@1 ── chunk chunk chunk … ── copied ── 501@1 502@1 …
//!   writes       501@1  502@1  503@1  …                                (kept for the copy until it streams)
//!   newcomer     empty ───────────────────────────────────── 500@1 ── catches up ── streams
//! ```
//!
//! A base backup is a consistent snapshot plus a position. It travels in chunks over the link, some at a time, so that
//! it takes as long as the link needs for its size; the log written meanwhile is kept until the newcomer asks for it.
//! Until it has caught up, the newcomer is a learner: see [`super::learner`].
//!
//! Where a checkpoint comes first ([`super::rules::BeforeCopy`]), the newcomer waits for one that begins after it has asked,
//! and the snapshot is that checkpoint's. If another is under way, it waits for two.

use std::sync::Arc;

use replisim_history::NodeId;
use replisim_world::process::{Cx, StreamId};

use super::flaw::Flaw;
use super::log::{Log, Places};
use super::message::{Message, Refusal};
use super::node::Replica;
use super::profile::Profile;
use super::record::{Checkpoint, Image, Part};
use super::rules::BeforeCopy;
use super::ship::WINDOW_BYTES;

/// Brings a copy of the data to one server.
#[derive(Clone, Debug)]
pub(super) struct Courier {
    pub stream: StreamId,
    /// Whom to.
    newcomer: NodeId,
    /// How many bytes it takes if not all data are lacking.
    differing: Option<u64>,
    load: Load,
}

/// How far a courier has come.
#[derive(Clone, Debug)]
enum Load {
    /// It has asked for a checkpoint.
    Asked,
    /// The checkpoint has begun.
    Awaited,
    /// It is on its way.
    Copy {
        /// The data as they were when the copy began.
        image: Image,
        /// How many bytes have not been sent.
        left: u64,
        /// How many chunks have not arrived.
        under_way: u32,
        /// The offset of the first entry that the copy does not include: kept until the copy is made use of.
        pin: u64,
    },
}

/// How many bytes a chunk has. Chosen: small beside what a link carries in a second, so that other packets wait little for
/// a copy, and large enough for a copy of many gigabytes to be few events.
const CHUNK_BYTES: u64 = 1 << 20;

/// How many chunks may be under way: as many as fill a window. A copy over a link that carries more
/// than that in a round trip takes longer than the link would need.
const CHUNKS_UNDER_WAY: u32 = (WINDOW_BYTES / CHUNK_BYTES) as u32;

impl<F: Profile> Replica<F> {
    /// Somebody wants a copy of the data; only `bytes` of it, if it has the rest.
    pub(super) fn on_fetch(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, peer: NodeId, bytes: Option<u64>) {
        if !self.part.serves() {
            return self.refuse(cx, stream, Refusal::NoData);
        }
        self.couriers.push(Courier { stream, newcomer: peer, differing: bytes, load: Load::Asked });
        match (self.rules.before_copy, bytes) {
            (BeforeCopy::Checkpoint(_), None) => {
                cx.milestone(format!("{} waits for a checkpoint before it copies the data", self.name(peer)));
                self.ask_for_checkpoint(cx);
            }
            (BeforeCopy::Nothing, _) | (BeforeCopy::Checkpoint(_), Some(_)) => {
                let (image, pin) = self.image_to_copy(cx);
                self.load(cx, self.couriers.len() - 1, image, pin);
            }
        }
    }

    /// A checkpoint begins: it is what those who have asked wait for.
    pub(super) fn await_checkpoint(&mut self) {
        for courier in &mut self.couriers {
            if matches!(courier.load, Load::Asked) {
                courier.load = Load::Awaited;
            }
        }
    }

    /// A checkpoint is done. Those who have waited for it set out; those who have asked since wait for another.
    pub(super) fn set_out(&mut self, cx: &mut Cx<'_, Self>) {
        for index in 0..self.couriers.len() {
            if matches!(self.couriers[index].load, Load::Awaited) {
                self.load(cx, index, self.checkpoint.image.clone(), self.checkpoint.redo);
            }
        }
        if self.awaits_checkpoint() {
            self.begin_checkpoint(cx);
        }
    }

    /// Whether somebody has asked for a checkpoint.
    pub(super) fn awaits_checkpoint(&self) -> bool {
        self.couriers.iter().any(|courier| matches!(courier.load, Load::Asked))
    }

    /// It is promoted: where that is the rule, whoever copies all its data has to begin anew.
    pub(super) fn break_off_backups(&mut self, cx: &mut Cx<'_, Self>) {
        if let BeforeCopy::Checkpoint(_) = self.rules.before_copy {
            for backup in self.couriers.extract_if(.., |courier| courier.differing.is_none()) {
                cx.close(backup.stream);
            }
        }
    }

    /// Begins to send a copy of `image`.
    fn load(&mut self, cx: &mut Cx<'_, Self>, index: usize, image: Image, pin: u64) {
        let Courier { newcomer, differing, .. } = self.couriers[index];
        cx.milestone(format!("{} begins to copy the data as of {}", self.name(newcomer), image.position()));
        let left = differing.unwrap_or_else(|| self.data_bytes());
        self.couriers[index].load = Load::Copy { image, left, under_way: 0, pin };
        self.send_chunks(cx, index);
    }

    /// A chunk has arrived.
    pub(super) fn on_more(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId) {
        let Some(index) = self.couriers.iter().position(|courier| courier.stream == stream) else { return };
        if let Load::Copy { under_way, .. } = &mut self.couriers[index].load {
            *under_way -= 1;
            self.send_chunks(cx, index);
        }
    }

    /// A chunk of the copy is here.
    pub(super) fn on_chunk(&mut self, cx: &mut Cx<'_, Self>) {
        self.heard_upstream(cx);
        self.tell_upstream(cx, Message::More);
    }

    /// The copy is complete: it becomes this server's data, and the log goes on from there.
    pub(super) fn on_copied(&mut self, cx: &mut Cx<'_, Self>, image: &Arc<Image>) {
        let Part::Copies(source) = self.part else { return };
        self.heard_upstream(cx);
        self.adopt(cx, Image::clone(image));
        self.part = Part::Follows(source);
        self.begin_learning();
        self.upstream.differing_bytes = None;
        self.save(cx);
        cx.role(self.role(), self.epoch);
        cx.applied(self.shown.position());
        cx.milestone(format!("has a copy of {}'s data as of {}", self.name(source), self.shown.position()));
        self.introduce_again(cx);
    }

    /// The data that a copy or a backup begins with, and the offset of the first entry that they do not include: what is
    /// shown, unless a checkpoint of a leader whose commits hang has cut the log behind that. Then it is all that the log
    /// has.
    pub(super) fn image_to_copy(&mut self, cx: &mut Cx<'_, Self>) -> (Image, u64) {
        if self.part == Part::Leads && self.shown.position() < self.log.base {
            return (self.logged_image(cx), cx.journal().end());
        }
        (self.shown.clone(), self.offset_after_shown(cx))
    }

    /// The data with all that a leader's log has, shown or not.
    pub(super) fn logged_image(&mut self, cx: &mut Cx<'_, Self>) -> Image {
        self.write_buffer(cx);
        Image { contents: self.commits.head.clone(), lineage: self.log.history.clone() }
    }

    /// Gives up all data, to copy those of `source`: all of them, or the bytes that differ.
    ///
    /// The log stays until the disk knows that this server has no data. If the power failed with the log gone and the old
    /// control record in place, a former leader would come back, lead, and have nothing.
    pub(super) fn begin_copy(&mut self, cx: &mut Cx<'_, Self>, source: NodeId, differing_bytes: Option<u64>) {
        self.disconnect(cx);
        self.part = Part::Copies(source);
        self.backup = None;
        self.adopt(cx, Image::default());
        self.upstream.differing_bytes = differing_bytes;
        self.discarding = true;
        self.save(cx);
        cx.role(self.role(), self.epoch);
    }

    /// The disk knows that this server's data are gone: so can the log, and others may come in their place.
    pub(super) fn discard(&mut self, cx: &mut Cx<'_, Self>) {
        self.discarding = false;
        self.drop_log(cx);
        match self.part {
            Part::Restores => self.finish_restoring(cx),
            _ => self.connect(cx),
        }
    }

    /// Takes over `image` in place of all data. The log goes on from there.
    pub(super) fn adopt(&mut self, cx: &mut Cx<'_, Self>, image: Image) {
        let start = cx.journal().start();
        self.drop_followers(cx);
        self.log = Log::after(image.lineage.clone(), start);
        self.slots.clear();
        self.shown = image.clone();
        self.epoch = self.epoch.max(self.log.tip.epoch);
        self.stop_replay(cx, start);
        self.stop_checkpoint();
        self.checkpoint = Checkpoint { image, redo: start, outdated: false };
    }

    /// The offset of the first entry that the data shown do not include.
    pub(super) fn offset_after_shown(&self, cx: &Cx<'_, Self>) -> u64 {
        match self.rules.numbering.is_one_log() {
            true => cx.journal().offset_after(self.shown.position().index),
            false => cx.journal().offset_outside(&self.shown.lineage),
        }
    }

    /// The size of all data.
    pub(super) fn data_bytes(&self) -> u64 {
        self.rules.data_bytes + self.shown.contents.len() as u64 * ROW_BYTES
    }

    /// Sends as many chunks as may be under way, and the end once all have arrived.
    fn send_chunks(&mut self, cx: &mut Cx<'_, Self>, index: usize) {
        let stream = self.couriers[index].stream;
        let Load::Copy { image, left, under_way, .. } = &mut self.couriers[index].load else { return };
        while *left > 0 && *under_way < CHUNKS_UNDER_WAY {
            let bytes = CHUNK_BYTES.min(*left);
            *left -= bytes;
            *under_way += 1;
            cx.transmit(stream, Message::Chunk { bytes: bytes as u32 });
        }
        if *under_way == 0 {
            let mut image = image.clone();
            if self.rules.has(Flaw::SeedFromMovingData) {
                image.lineage = self.log.history.clone();
            }
            cx.transmit(stream, Message::Copied(Arc::new(image)));
        }
    }
}

impl Courier {
    /// The offset of the first entry that must be kept for it, if any must.
    pub fn pin(&self) -> Option<u64> {
        match self.load {
            Load::Asked | Load::Awaited => None,
            Load::Copy { pin, .. } => Some(pin),
        }
    }
}

/// The size of a stored row with its header and index entry. Chosen: that of a row of some hundred bytes. Only the time that
/// a copy of what clients have written takes hangs on it, and that of a checkpoint.
const ROW_BYTES: u64 = 160;
