//! PostgreSQL's settings, by their own names and with the defaults of PostgreSQL 15.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use super::super::flaw::Flaw;
use super::super::rules::Pace;
use replisim_kernel::Span;
use replisim_world::spec::ByteSize;
use serde::{Deserialize, Deserializer, de};

/// What `postgresql.conf` and the standbys' connection settings say. All servers share it; what differs between them is
/// keyed by their names.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The host that is the primary at first; the first one, if empty.
    pub primary: String,
    /// For each standby that does not connect to the primary: the standby it connects to (cascading replication).
    pub primary_conninfo: BTreeMap<String, String>,
    /// The replication slot that a standby uses. A standby that is not named uses none.
    pub primary_slot_name: BTreeMap<String, String>,

    /// How far a transaction must have come before its client is told that it is committed.
    pub synchronous_commit: SynchronousCommit,
    /// Which standbys a commit waits for.
    pub synchronous_standby_names: String,

    /// How much log is kept for standbys, beside what recovery needs.
    pub wal_keep_size: Megabytes,
    /// How much log slots may hold back; -1 for no limit.
    pub max_slot_wal_keep_size: MegabytesOrNoLimit,
    /// The size of a segment of the log, set when the cluster is made (`initdb --wal-segsize`).
    pub wal_segment_size: Megabytes,
    /// A checkpoint begins early once about so much log was written.
    pub max_wal_size: Megabytes,
    /// How often there is a checkpoint otherwise.
    pub checkpoint_timeout: Span,
    /// How often the log writer writes and syncs.
    pub wal_writer_delay: Span,

    /// A walsender ends the connection to a standby that has been silent for so long; zero for never.
    pub wal_sender_timeout: Span,
    /// A standby ends a connection on which nothing came for so long; zero for never.
    pub wal_receiver_timeout: Span,
    /// A standby reports at least this often, and whenever it has written or flushed something. Zero turns off both: it
    /// then reports only when it has replayed all that it has, after each commit that is to be applied, or when asked.
    pub wal_receiver_status_interval: Span,
    /// How long a standby waits between attempts to connect.
    pub wal_retrieve_retry_interval: Span,

    /// For how long a standby holds back what it received.
    pub recovery_min_apply_delay: BTreeMap<String, Span>,
    /// Whether the log also tells of hint bits, without which `pg_rewind` refuses to work.
    pub wal_log_hints: bool,
    /// How many sessions there may be.
    pub max_connections: u32,

    /// How fast the checkpoint is that comes before a base backup: `pg_basebackup --checkpoint`.
    pub pg_basebackup_checkpoint: Pace,

    /// Not a setting: standbys that are not there from the beginning. Started later, each copies its upstream's data first,
    /// as with `pg_basebackup`.
    pub joining: Vec<String>,
    /// Not a setting but a state: how much data the cluster holds before the run begins.
    pub database_size: ByteSize,
    /// Not a setting but a property of the machines: how long a standby takes to replay one transaction.
    pub replay_time: Span,
    /// Not a setting: a mistake to make.
    pub flaw: Option<Flaw>,
}

/// How far a transaction must have come before its client is told that it is committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum SynchronousCommit {
    /// Nowhere: its record is in the server's memory.
    Off,
    /// On the primary's disk.
    Local,
    /// And handed to the synchronous standbys' operating systems.
    RemoteWrite,
    /// And on the synchronous standbys' disks.
    #[default]
    On,
    /// And visible on the synchronous standbys.
    RemoteApply,
}

/// A size in bytes, written `"64MB"`, or as PostgreSQL does without a unit: in megabytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Megabytes(pub u64);

/// A size in bytes, written like [`Megabytes`]; -1 is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MegabytesOrNoLimit(pub Option<u64>);

impl Default for Settings {
    fn default() -> Self {
        Settings {
            primary: String::new(),
            primary_conninfo: BTreeMap::new(),
            primary_slot_name: BTreeMap::new(),
            synchronous_commit: SynchronousCommit::On,
            synchronous_standby_names: String::new(),
            wal_keep_size: Megabytes::of(0),
            max_slot_wal_keep_size: MegabytesOrNoLimit(None),
            wal_segment_size: Megabytes::of(16),
            max_wal_size: Megabytes::of(1024),
            checkpoint_timeout: Span::secs(300),
            wal_writer_delay: Span::millis(200),
            wal_sender_timeout: Span::secs(60),
            wal_receiver_timeout: Span::secs(60),
            wal_receiver_status_interval: Span::secs(10),
            wal_retrieve_retry_interval: Span::secs(5),
            recovery_min_apply_delay: BTreeMap::new(),
            wal_log_hints: false,
            max_connections: 100,
            pg_basebackup_checkpoint: Pace::Spread,
            joining: Vec::new(),
            database_size: ByteSize(0),
            replay_time: Span::ZERO,
            flaw: None,
        }
    }
}

impl Settings {
    /// Changes a setting that a running server takes up.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "synchronous_commit" => self.synchronous_commit = value.parse()?,
            "synchronous_standby_names" => {
                super::standby_names::StandbyNames::parse(value)?;
                self.synchronous_standby_names = value.to_owned();
            }
            "wal_keep_size" => self.wal_keep_size = value.parse()?,
            "max_slot_wal_keep_size" => self.max_slot_wal_keep_size = value.parse()?,
            "max_wal_size" => self.max_wal_size = value.parse()?,
            "checkpoint_timeout" => self.checkpoint_timeout = span(value)?,
            "wal_writer_delay" => self.wal_writer_delay = span(value)?,
            "wal_sender_timeout" => self.wal_sender_timeout = span(value)?,
            "wal_receiver_timeout" => self.wal_receiver_timeout = span(value)?,
            "wal_receiver_status_interval" => self.wal_receiver_status_interval = span(value)?,
            "wal_retrieve_retry_interval" => self.wal_retrieve_retry_interval = span(value)?,
            "pg_basebackup_checkpoint" => self.pg_basebackup_checkpoint = value.parse()?,
            "primary" | "wal_segment_size" | "wal_log_hints" | "max_connections" => {
                return Err("cannot be changed without a restart".to_owned());
            }
            _ => return Err("no such setting, or one that differs between servers".to_owned()),
        }
        Ok(())
    }
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|error| format!("{error}"))
}

impl Megabytes {
    /// So many megabytes.
    pub const fn of(megabytes: u64) -> Self {
        Megabytes(megabytes.saturating_mul(1 << 20))
    }
}

impl SynchronousCommit {
    /// The value as `postgresql.conf` has it.
    pub const fn word(self) -> &'static str {
        match self {
            SynchronousCommit::Off => "off",
            SynchronousCommit::Local => "local",
            SynchronousCommit::RemoteWrite => "remote_write",
            SynchronousCommit::On => "on",
            SynchronousCommit::RemoteApply => "remote_apply",
        }
    }
}

impl FromStr for SynchronousCommit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        use SynchronousCommit::{Local, Off, On, RemoteApply, RemoteWrite};
        let plain = text.trim().to_ascii_lowercase().replace('_', "");
        let levels = [Off, Local, RemoteWrite, On, RemoteApply];
        let found = levels.into_iter().find(|level| level.word().replace('_', "") == plain);
        found.ok_or_else(|| format!("`{text}` is none of off, local, remote_write, on, remote_apply"))
    }
}

impl FromStr for Pace {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "fast" => Ok(Pace::Fast),
            "spread" => Ok(Pace::Spread),
            _ => Err(format!("`{text}` is none of fast, spread")),
        }
    }
}

impl FromStr for Megabytes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse::<i64>() {
            Ok(number) => match u64::try_from(number) {
                Ok(megabytes) => Ok(Megabytes::of(megabytes)),
                Err(_) => Err(format!("`{text}` is no size: it is negative")),
            },
            Err(_) => text.parse::<ByteSize>().map(|size| Megabytes(size.0)),
        }
    }
}

impl FromStr for MegabytesOrNoLimit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "-1" => Ok(MegabytesOrNoLimit(None)),
            size => size.parse().map(|Megabytes(bytes)| MegabytesOrNoLimit(Some(bytes))),
        }
    }
}

impl<'de> Deserialize<'de> for Megabytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Size("a size such as \"64MB\", or a number of megabytes", PhantomData))
    }
}

impl<'de> Deserialize<'de> for MegabytesOrNoLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Size("a size such as \"64MB\", a number of megabytes, or -1", PhantomData))
    }
}

/// Reads a size that is a text or a bare number; what is expected, in words.
struct Size<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = String>> de::Visitor<'_> for Size<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_with_and_without_a_unit() {
        assert_eq!("64".parse(), Ok(Megabytes::of(64)));
        assert_eq!("1GB".parse(), Ok(Megabytes::of(1024)));
        assert_eq!("64".parse(), Ok(MegabytesOrNoLimit(Some(64 << 20))));
    }

    #[test]
    fn only_what_slots_hold_back_can_be_without_limit() {
        assert_eq!("-1".parse(), Ok(MegabytesOrNoLimit(None)));
        assert!("-2".parse::<MegabytesOrNoLimit>().is_err());
        let read = |setting: &str| ron::from_str::<Settings>(&format!("({setting}: -1)"));
        assert_eq!(read("max_slot_wal_keep_size"), Ok(Settings::default()));
        for setting in ["wal_keep_size", "max_wal_size", "wal_segment_size"] {
            assert!(read(setting).is_err(), "{setting}");
        }
        assert!(Settings::default().set("wal_keep_size", "-1").is_err());
    }

    #[test]
    fn a_running_server_takes_some_settings_and_refuses_others() {
        let mut settings = Settings::default();
        assert_eq!(settings.set("synchronous_commit", "remote_apply"), Ok(()));
        assert_eq!(settings.synchronous_commit, SynchronousCommit::RemoteApply);
        assert!(settings.set("synchronous_standby_names", "FIRST 0 (a)").is_err());
        assert!(settings.set("wal_log_hints", "on").is_err());
        assert!(settings.set("shared_buffer", "1GB").is_err());
    }
}
