//! Each test is a row of the reasoning: settings, readers, faults, and what follows.

use std::collections::BTreeMap;

use replisim_history::Check::{self, *};
use replisim_history::{OpKind, Promise};
use replisim_kernel::Span;
use replisim_world::protocol::{Circumstances, Protocol};
use replisim_world::spec::FaultFamily::{self, *};
use replisim_world::spec::{ClientGroup, Cluster, PinMemory, Remembers, Routing, ScriptedOp, Swarm, Topology};

use crate::leader_follower::rules::Progress;
use crate::leader_follower::{LeaderFollower, MySql, PostgreSql, mysql, plain, postgresql};

const READERS: [Check; 6] =
    [ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads, CausalOrder, FreshReads];

/// What `P` promises on three hosts to these clients under these faults.
fn promised<P: Protocol>(settings: &P::Settings, clients: &[ClientGroup], faults: &[FaultFamily]) -> Vec<Check> {
    promised_for::<P>((Span::secs(60), Span::secs(60)), settings, clients, faults)
}

/// The same, if the run lasts so long, and clocks may be wrong by so much.
fn promised_for<P: Protocol>(
    (lasts, clock_error): (Span, Span),
    settings: &P::Settings,
    clients: &[ClientGroup],
    faults: &[FaultFamily],
) -> Vec<Check> {
    let cluster = Cluster { size: Some(3), ..Cluster::default() };
    let topology = Topology::resolve(&cluster).expect("three hosts are a cluster");
    let circumstances = Circumstances {
        faults,
        reconfigured: false,
        detached: false,
        lasts,
        clock_error,
        clients,
        topology: &topology,
    };
    let promises = P::promises(settings, &circumstances);
    Check::OF_DATA.into_iter().filter(|check| promises[check] == Promise::Promised).collect()
}

/// What asynchronous PostgreSQL promises to sessions that read like this.
fn to_readers(reads: Routing, faults: &[FaultFamily]) -> Vec<Check> {
    let promised = promised::<PostgreSql>(&postgresql::Settings::default(), &[reading(reads)], faults);
    promised.into_iter().filter(|check| READERS.contains(check)).collect()
}

fn reading(reads: Routing) -> ClientGroup {
    ClientGroup { reads, ..ClientGroup::default() }
}

fn token(remembers: Remembers, fallback: bool) -> Routing {
    Routing::Token { remembers, wait: Span::secs(1), fallback }
}

/// Everything that neither destroys data nor promotes.
fn harmless() -> Vec<FaultFamily> {
    Swarm::default().families
}

#[test]
fn whoever_reads_at_the_leader_sees_everything_until_a_failover() {
    assert_eq!(to_readers(Routing::Leader, &harmless()), READERS);
    assert_eq!(to_readers(Routing::Leader, &[Failover]), []);
    assert_eq!(to_readers(Routing::Leader, &[DiskLoss]), []);
}

#[test]
fn a_token_for_writes_gives_own_writes_and_one_for_all_that_was_seen_gives_all_but_freshness() {
    let writes = to_readers(token(Remembers::Writes, true), &harmless());
    assert_eq!(writes, [ReadYourWrites]);
    let all = to_readers(token(Remembers::WritesAndReads, true), &harmless());
    assert_eq!(all, [ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads, CausalOrder]);
    assert_eq!(to_readers(token(Remembers::WritesAndReads, true), &[Failover]), []);
}

#[test]
fn a_fallback_to_the_leader_goes_back_where_a_standby_shows_first() {
    let settings = postgresql::Settings {
        synchronous_standby_names: "FIRST 1 (n2, n3)".to_owned(),
        ..postgresql::Settings::default()
    };
    let with = |fallback| {
        promised::<PostgreSql>(&settings, &[reading(token(Remembers::WritesAndReads, fallback))], &[Partition])
    };
    assert!(with(false).contains(&MonotonicReads));
    assert!(!with(true).contains(&MonotonicReads), "the leader may not show yet what the standby did");
    assert!(with(true).contains(&ReadYourWrites));
}

#[test]
fn one_follower_is_steady_while_it_answers_and_does_not_forget() {
    let steady = [MonotonicReads, MonotonicWrites, WritesFollowReads];
    assert_eq!(to_readers(Routing::Sticky, &[]), steady);
    assert_eq!(to_readers(Routing::Sticky, &[Clock]), steady);
    assert_eq!(to_readers(Routing::Sticky, &[Kill]), []);
    assert_eq!(to_readers(Routing::Host("n2".to_owned()), &harmless()), steady);

    let host = [reading(Routing::Host("n2".to_owned()))];
    let mysql = |sync_binlog, faults| {
        let settings = mysql::Settings { sync_binlog, ..mysql::Settings::default() };
        promised::<MySql>(&settings, &host, faults).contains(&MonotonicReads)
    };
    assert!(mysql(1, &[HostLoss]));
    assert!(mysql(10, &[Kill]));
    assert!(!mysql(10, &[HostLoss]), "a replica shows what is not on its disk");
}

#[test]
fn a_session_that_sees_by_writing_reads_at_two_servers() {
    let group = ClientGroup { mix: [(OpKind::Txn, 1)].into_iter().collect(), ..reading(Routing::Sticky) };
    assert!(!promised::<PostgreSql>(&postgresql::Settings::default(), &[group], &[]).contains(&MonotonicReads));
}

#[test]
fn nothing_is_promised_to_who_asks_anybody_or_is_pinned_for_a_while() {
    let pin = Routing::Pin { window: Span::secs(30), memory: PinMemory::Shared };
    for reads in [Routing::Any, Routing::AnyFollower, pin] {
        assert_eq!(to_readers(reads, &[]), []);
    }
}

#[test]
fn one_reader_of_a_kind_spoils_it_for_all_and_a_script_is_read_line_by_line() {
    let line = |op, reads| ScriptedOp { at: Span::ZERO, op, key: 1, parts: Vec::new(), reads };
    let script = |reads| ClientGroup {
        script: vec![vec![line(OpKind::Write, None), line(OpKind::Read, reads)]],
        ..ClientGroup::default()
    };
    let promised = |clients: &[ClientGroup]| promised::<PostgreSql>(&postgresql::Settings::default(), clients, &[]);
    assert!(promised(&[script(None)]).contains(&FreshReads));
    assert!(!promised(&[script(Some(Routing::AnyFollower))]).contains(&FreshReads));
    assert!(!promised(&[script(None), reading(Routing::AnyFollower)]).contains(&FreshReads));
    let writer = ClientGroup { mix: [(OpKind::Write, 1)].into_iter().collect(), ..reading(Routing::AnyFollower) };
    assert!(promised(&[script(None), writer]).contains(&CausalOrder), "who never reads misses nothing");
}

#[test]
fn what_every_server_applied_is_fresh_everywhere_and_survives_a_failover() {
    let clients = [reading(Routing::Any)];
    let settings = |progress| plain::Settings { acknowledge: plain::Wait::All, progress, ..plain::Settings::default() };
    let applied = settings(Progress::Applied);
    let fresh = promised::<LeaderFollower>(&applied, &clients, &harmless());
    assert_eq!(fresh, [NoLostWrites, ReadYourWrites, FreshReads, Convergence]);
    assert_eq!(promised::<LeaderFollower>(&applied, &clients, &[Failover]), [NoLostWrites]);
    let written = settings(Progress::Written);
    assert_eq!(promised::<LeaderFollower>(&written, &clients, &[Failover]), [NoLostWrites]);
    assert_eq!(promised::<LeaderFollower>(&written, &clients, &[Failover, HostLoss]), []);
}

#[test]
fn a_promotion_is_safe_only_after_everybody_has_acknowledged() {
    let promised = |names: &str| {
        let settings =
            postgresql::Settings { synchronous_standby_names: names.to_owned(), ..postgresql::Settings::default() };
        promised::<PostgreSql>(&settings, &[reading(Routing::Leader)], &[Failover, HostLoss])
    };
    assert!(!promised("FIRST 1 (n2, n3)").contains(&NoLostWrites));
    assert!(promised("ANY 2 (*)").contains(&NoLostWrites));
    assert!(promised("FIRST 2 (n2, n3)").contains(&NoLostWrites), "n2 alone would wait for ever");
}

#[test]
fn a_source_whose_patience_outlasts_the_run_never_goes_on_alone() {
    let promised = |rpl_semi_sync_source_timeout, rpl_semi_sync_source_wait_no_replica, faults: &[_]| {
        let settings = mysql::Settings {
            rpl_semi_sync_source_enabled: true,
            rpl_semi_sync_source_wait_for_replica_count: 2,
            rpl_semi_sync_source_timeout,
            rpl_semi_sync_source_wait_no_replica,
            ..mysql::Settings::default()
        };
        let steady = (Span::secs(60), Span::ZERO);
        promised_for::<MySql>(steady, &settings, &[reading(Routing::Leader)], faults).contains(&NoLostWrites)
    };
    assert!(promised(60_001, true, &[Failover]));
    assert!(!promised(60_000, true, &[Failover]), "the run lasts as long");
    assert!(!promised(60_001, false, &[Failover]), "it does not wait at all");
    assert!(!promised(60_001, true, &[Failover, HostLoss]), "replicas acknowledge what is not on their disks");
}

#[test]
fn standbys_come_back_where_the_log_waits_for_them() {
    let promised = |settings: &postgresql::Settings| {
        promised::<PostgreSql>(settings, &[reading(Routing::Leader)], &[Partition]).contains(&Convergence)
    };
    let slots = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), format!("{name}_slot"))).collect();
    let with = |names: &[&str]| postgresql::Settings { primary_slot_name: slots(names), ..Default::default() };
    assert!(!promised(&with(&[])));
    assert!(!promised(&with(&["n2"])), "n3 has no slot");
    assert!(promised(&with(&["n2", "n3"])));
    let limited = postgresql::Settings {
        max_slot_wal_keep_size: postgresql::MegabytesOrNoLimit(Some(1 << 30)),
        ..with(&["n2", "n3"])
    };
    assert!(!promised(&limited), "a slot that holds back too much is given up");
}

#[test]
fn replicas_come_back_where_the_log_is_kept_for_longer_than_the_run() {
    let days = |days: u64| Span::secs(days * 86_400);
    let settings =
        mysql::Settings { binlog_expire_logs_seconds: 8 * 86_400, source_retry_count: 0, ..mysql::Settings::default() };
    let promised = |lasts, clock_error| {
        let readers = [reading(Routing::Leader)];
        promised_for::<MySql>((lasts, clock_error), &settings, &readers, &[Partition, Clock]).contains(&Convergence)
    };
    assert!(promised(days(7), Span::ZERO));
    assert!(!promised(days(8), Span::ZERO), "what was written first is dropped at the end");
    assert!(!promised(days(20), Span::ZERO), "a replica may be away for nine days");
    assert!(promised(days(1), days(3)));
    assert!(
        !promised(days(1), days(4)),
        "stamped by a clock that is behind, it looks older by as much, and again ahead"
    );
}

#[test]
fn a_replica_comes_back_unless_its_source_may_be_away_for_longer_than_it_tries() {
    let promised = |source_retry_count, lasts| {
        let settings = mysql::Settings { source_retry_count, ..mysql::Settings::default() };
        let readers = [reading(Routing::Leader)];
        let promised = promised_for::<MySql>((lasts, Span::ZERO), &settings, &readers, &[Partition]);
        promised.contains(&Convergence)
    };
    assert!(promised(10, Span::secs(539)));
    assert!(!promised(10, Span::secs(540)), "the tenth attempt is made nine minutes after the first");
    assert!(promised(0, Span::secs(86_400)));
}

#[test]
fn a_leader_that_waits_for_more_followers_than_it_has_never_shows_what_they_show() {
    let promised = |names: &str, chain: &[(&str, &str)]| {
        let settings = postgresql::Settings {
            synchronous_standby_names: names.to_owned(),
            primary_conninfo: chain.iter().map(|(to, from)| ((*to).to_owned(), (*from).to_owned())).collect(),
            ..postgresql::Settings::default()
        };
        promised::<PostgreSql>(&settings, &[reading(Routing::Leader)], &[]).contains(&Convergence)
    };
    assert!(promised("ANY 2 (*)", &[]));
    assert!(!promised("ANY 2 (*)", &[("n3", "n2")]), "a cascading standby is nobody's synchronous standby");
    assert!(!promised("2 (n2)", &[]));
    assert!(promised("ANY 1 (*)", &[("n3", "n2")]));
}

/// What follows from orders that an operator gives on the way.
fn ordered(reconfigured: bool, detached: bool) -> BTreeMap<Check, Promise> {
    let cluster = Cluster { size: Some(3), ..Cluster::default() };
    let topology = Topology::resolve(&cluster).expect("three hosts are a cluster");
    let (lasts, clock_error) = (Span::secs(60), Span::ZERO);
    let circumstances =
        Circumstances { faults: &[], reconfigured, detached, lasts, clock_error, clients: &[], topology: &topology };
    PostgreSql::promises(&postgresql::Settings::default(), &circumstances)
}

#[test]
fn whoever_changes_settings_on_the_way_voids_every_promise() {
    assert!(ordered(true, false).values().all(|promise| matches!(promise, Promise::NotPromised(_))));
}

#[test]
fn whoever_takes_a_server_out_of_replication_is_not_promised_that_it_has_what_the_others_have() {
    let [before, after] = [false, true].map(|detached| ordered(false, detached)[&Convergence].clone());
    assert!(before == Promise::Promised && matches!(after, Promise::NotPromised(_)));
}

#[test]
fn a_delayed_follower_waits_by_its_clock() {
    let delay = [("n2".to_owned(), Span::millis(20))].into_iter().collect();
    let delayed = plain::Settings { delay, ..plain::Settings::default() };
    let promised = |settings: &plain::Settings, faults: &[FaultFamily]| {
        promised::<LeaderFollower>(settings, &[reading(Routing::Leader)], faults).contains(&Convergence)
    };
    assert!(promised(&delayed, &[Delay]));
    assert!(!promised(&delayed, &[Clock]), "a record stamped in the future is waited for");
    assert!(promised(&plain::Settings::default(), &[Clock]));
}
