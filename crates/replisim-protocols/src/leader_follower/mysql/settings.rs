//! MySQL's settings, by their own names and with the defaults of MySQL 8.4, but for `gtid_mode`.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::super::flaw::Flaw;
use replisim_kernel::Span;
use replisim_world::spec::ByteSize;
use serde::Deserialize;

/// What `my.cnf` and `CHANGE REPLICATION SOURCE TO` say. All servers share it; what differs between them is keyed by
/// their names. Semi-synchronous replication is enabled on every replica if it is on the source.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The host that is the source at first; the first one, if empty.
    pub source: String,
    /// For each replica that does not replicate from the source: the replica that it does from.
    pub source_host: BTreeMap<String, String>,

    /// Whether commits wait for replicas.
    pub rpl_semi_sync_source_enabled: bool,
    /// For how many milliseconds, before the source goes on alone.
    pub rpl_semi_sync_source_timeout: u64,
    /// For how many replicas.
    pub rpl_semi_sync_source_wait_for_replica_count: u16,
    /// Whether also while fewer are connected.
    pub rpl_semi_sync_source_wait_no_replica: bool,
    /// Before or after other sessions see the commit.
    pub rpl_semi_sync_source_wait_point: WaitPoint,

    /// What the binary log says of a change.
    pub binlog_format: BinlogFormat,
    /// The binary log is synced after so many commits; 0 leaves that to the operating system.
    pub sync_binlog: u32,
    /// InnoDB's own log is synced with every commit: nothing but 1 is modelled. The binary log decides here what a recovery
    /// keeps.
    pub innodb_flush_log_at_trx_commit: u8,
    /// Whether transactions carry global identifiers. In MySQL 8.4 they do only if told to; replication by file and position
    /// is not modelled.
    pub gtid_mode: GtidMode,
    /// For how many seconds the binary log is kept; zero for ever.
    pub binlog_expire_logs_seconds: u64,

    /// A replica gives up a connection on which nothing came for so many seconds.
    pub replica_net_timeout: u64,
    /// How many seconds a replica waits between attempts to connect, after a first one at once.
    pub source_connect_retry: u64,
    /// How many attempts in a row may fail before it gives up until it is told to replicate again; 0 for any number.
    pub source_retry_count: u32,
    /// How many transactions a replica applies at the same time.
    pub replica_parallel_workers: u16,
    /// For how many seconds a replica holds back what it received, counted from the commit on the server that sent it.
    pub source_delay: BTreeMap<String, u64>,
    /// How many sessions there may be.
    pub max_connections: u32,

    /// Not a setting: replicas that are not there from the beginning. Started later, each copies its source's data first,
    /// as with the clone plugin.
    pub joining: Vec<String>,
    /// Not a setting but a state: how much data the servers hold before the run begins.
    pub database_size: ByteSize,
    /// Not a setting but a property of the machines: how long a replica takes to apply one transaction.
    pub apply_time: Span,
    /// Not a setting: a mistake to make.
    pub flaw: Option<Flaw>,
}

/// Where a commit waits for replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum WaitPoint {
    /// Between the binary log and the storage engine: nobody sees the commit before a replica has it.
    #[default]
    #[serde(rename = "AFTER_SYNC")]
    AfterSync,
    /// After the storage engine: others see the commit while its author waits.
    #[serde(rename = "AFTER_COMMIT")]
    AfterCommit,
}

/// What the binary log says of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum BinlogFormat {
    /// The rows.
    #[default]
    #[serde(rename = "ROW")]
    Row,
    /// The statement.
    #[serde(rename = "STATEMENT")]
    Statement,
    /// The statement where that is safe, else the rows.
    #[serde(rename = "MIXED")]
    Mixed,
}

/// Whether transactions carry global identifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum GtidMode {
    /// They do.
    #[default]
    #[serde(rename = "ON")]
    On,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            source: String::new(),
            source_host: BTreeMap::new(),
            rpl_semi_sync_source_enabled: false,
            rpl_semi_sync_source_timeout: 10_000,
            rpl_semi_sync_source_wait_for_replica_count: 1,
            rpl_semi_sync_source_wait_no_replica: true,
            rpl_semi_sync_source_wait_point: WaitPoint::AfterSync,
            binlog_format: BinlogFormat::Row,
            sync_binlog: 1,
            innodb_flush_log_at_trx_commit: 1,
            gtid_mode: GtidMode::On,
            binlog_expire_logs_seconds: 2_592_000,
            replica_net_timeout: 60,
            source_connect_retry: 60,
            source_retry_count: 10,
            replica_parallel_workers: 4,
            source_delay: BTreeMap::new(),
            max_connections: 151,
            joining: Vec::new(),
            database_size: ByteSize(0),
            apply_time: Span::micros(100),
            flaw: None,
        }
    }
}

impl Settings {
    /// Changes a setting that a running server takes up.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "rpl_semi_sync_source_enabled" => self.rpl_semi_sync_source_enabled = switch(value)?,
            "rpl_semi_sync_source_timeout" => self.rpl_semi_sync_source_timeout = number(value)?,
            "rpl_semi_sync_source_wait_for_replica_count" => {
                self.rpl_semi_sync_source_wait_for_replica_count = match number(value)? {
                    0 => return Err(WAITS_FOR_NONE.to_owned()),
                    count => count,
                }
            }
            "rpl_semi_sync_source_wait_no_replica" => self.rpl_semi_sync_source_wait_no_replica = switch(value)?,
            "rpl_semi_sync_source_wait_point" => self.rpl_semi_sync_source_wait_point = value.parse()?,
            "binlog_format" => self.binlog_format = value.parse()?,
            "sync_binlog" => self.sync_binlog = number(value)?,
            "innodb_flush_log_at_trx_commit" => {
                self.innodb_flush_log_at_trx_commit = match number(value)? {
                    1 => 1,
                    _ => return Err(INNODB_NOT_SYNCED.to_owned()),
                }
            }
            "binlog_expire_logs_seconds" => self.binlog_expire_logs_seconds = number(value)?,
            "replica_net_timeout" => {
                self.replica_net_timeout = match number(value)? {
                    0 => return Err(NO_PATIENCE.to_owned()),
                    seconds => seconds,
                }
            }
            "source_connect_retry" => self.source_connect_retry = number(value)?,
            "source_retry_count" => self.source_retry_count = number(value)?,
            "replica_parallel_workers" => self.replica_parallel_workers = number(value)?,
            _ => return Err("no such setting, or one that cannot be changed on a running server".to_owned()),
        }
        Ok(())
    }
}

/// Why [`Settings::rpl_semi_sync_source_wait_for_replica_count`] is not zero.
pub(super) const WAITS_FOR_NONE: &str = "a commit waits for at least 1";

/// Why [`Settings::replica_net_timeout`] is not zero.
pub(super) const NO_PATIENCE: &str = "a replica waits for at least 1 second";

/// Why [`Settings::innodb_flush_log_at_trx_commit`] is 1.
pub(super) const INNODB_NOT_SYNCED: &str =
    "only 1 is simulated: InnoDB's own log, which 0 and 2 do not sync, is left out";

impl WaitPoint {
    /// The value as `my.cnf` has it.
    pub const fn word(self) -> &'static str {
        match self {
            WaitPoint::AfterSync => "AFTER_SYNC",
            WaitPoint::AfterCommit => "AFTER_COMMIT",
        }
    }
}

impl FromStr for WaitPoint {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let points = [WaitPoint::AfterSync, WaitPoint::AfterCommit];
        let found = points.into_iter().find(|point| point.word() == text);
        found.ok_or_else(|| "neither AFTER_SYNC nor AFTER_COMMIT".to_owned())
    }
}

impl BinlogFormat {
    /// The value as `my.cnf` has it.
    pub const fn word(self) -> &'static str {
        match self {
            BinlogFormat::Row => "ROW",
            BinlogFormat::Statement => "STATEMENT",
            BinlogFormat::Mixed => "MIXED",
        }
    }
}

impl FromStr for BinlogFormat {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let formats = [BinlogFormat::Row, BinlogFormat::Statement, BinlogFormat::Mixed];
        let found = formats.into_iter().find(|format| format.word() == text);
        found.ok_or_else(|| "none of ROW, STATEMENT, MIXED".to_owned())
    }
}

fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a number that fits"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_uppercase().as_str() {
        "ON" | "1" | "TRUE" => Ok(true),
        "OFF" | "0" | "FALSE" => Ok(false),
        _ => Err(format!("`{text}` is neither ON nor OFF")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_server_takes_some_settings_and_refuses_others() {
        let mut settings = Settings::default();
        assert_eq!(settings.set("rpl_semi_sync_source_enabled", "ON"), Ok(()));
        assert!(settings.rpl_semi_sync_source_enabled);
        assert_eq!(settings.set("binlog_format", "MIXED"), Ok(()));
        assert_eq!(settings.binlog_format, BinlogFormat::Mixed);
        assert!(settings.set("binlog_format", "mix").is_err());
        assert_eq!(settings.set("rpl_semi_sync_source_wait_point", "AFTER_COMMIT"), Ok(()));
        assert_eq!(settings.rpl_semi_sync_source_wait_point, WaitPoint::AfterCommit);
        assert!(settings.set("rpl_semi_sync_source_wait_for_replica_count", "0").is_err());
        assert_eq!(settings.rpl_semi_sync_source_wait_for_replica_count, 1);
        assert!(settings.set("rpl_semi_sync_source_timeout", "-1").is_err());
        assert!(settings.set("gtid_mode", "OFF").is_err());
        assert!(settings.set("replica_net_timeout", "0").is_err());
        assert_eq!(settings.set("innodb_flush_log_at_trx_commit", "1"), Ok(()));
        assert!(settings.set("innodb_flush_log_at_trx_commit", "2").is_err());
    }
}
