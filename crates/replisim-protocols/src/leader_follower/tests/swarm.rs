//! Drawn faults: what is promised holds, and nothing breaks an invariant.

use replisim_history::check::check_all;
use replisim_history::{Check, Promise};
use replisim_kernel::{Concern, Stream};

use super::*;

/// Draws a few faults that end, of kinds after which everything that is promised must hold.
fn faults(chance: &mut Stream, servers: &[&str]) -> Vec<Fault> {
    let count = 1 + chance.below(6);
    (0..count).map(|_| fault(chance, servers)).collect()
}

fn fault(chance: &mut Stream, servers: &[&str]) -> Fault {
    let from = 500 + chance.below(4_000);
    let to = from + 10 + chance.below(2_000);
    let server = servers[chance.below(servers.len() as u64) as usize];
    let other = servers[chance.below(servers.len() as u64) as usize];
    let link = (named(server), named(other));
    let (unsynced, wire) = match chance.below(4) {
        0 => (Unsynced::Lost, Wire::Arrives),
        1 => (Unsynced::Lost, Wire::Discarded),
        2 => (Unsynced::Torn, Wire::Discarded),
        _ => (Unsynced::Kept, Wire::Arrives),
    };
    let action = match chance.below(10) {
        0 | 1 => kill(server),
        2 | 3 => Action::LoseHost { host: named(server), unsynced, wire },
        4 => isolate(server),
        5 => Action::Cut { between: link },
        6 => Action::Pause(named(server)),
        7 => return Fault::At(Span::millis(from), Action::Restart(named(server))),
        8 => Action::SlowDisk { host: named(server), by: Distribution::Constant(Span::millis(chance.below(50))) },
        _ => Action::Slow { link, by: Distribution::Exponential { mean: Span::millis(20) } },
    };
    during(from, to, action)
}

/// Runs a few operations of every kind under random faults and holds the system to all that it promises.
#[track_caller]
fn keeps_its_promises<P: Protocol>(settings: &str, seed: u64) {
    let mut chance = Stream::derive(seed, Concern::new("swarm"), 0, 0);
    let mut scene = Scene::<P>::new(settings).lasting(6);
    scene.seed = seed;
    scene.faults = faults(&mut chance, &["p", "s1", "s2"]);
    scene.clients.push(readers(Routing::Any));
    scene.settle = Span::secs(300);
    let plan = format!("{settings} seed {seed}: {:#?}", scene.faults);
    let families: Vec<_> = scene.faults.iter().filter_map(|fault| fault.action().family()).collect();
    let topology = Topology::resolve(&scene.cluster).expect("the test's cluster is in order");
    let circumstances = Circumstances {
        faults: &families,
        reconfigured: false,
        detached: false,
        lasts: scene.run + scene.settle,
        clock_error: Span::ZERO,
        clients: &scene.clients,
        topology: &topology,
    };
    let promised = P::promises(&scene.settings, &circumstances);
    let run = scene.run();
    // PostgreSQL promises no convergence, for log might run out; in so short a run it does not.
    if promised[&Check::Convergence] == Promise::Promised || P::NAME == PostgreSql::NAME {
        assert!(run.settling.converged_after.is_some(), "not converged: {plan}\n{:#?}", run.milestones);
    }
    let checks: Vec<Check> =
        promised.iter().filter(|(_, promise)| **promise == Promise::Promised).map(|(check, _)| *check).collect();
    for finding in check_all(&run.history, &checks) {
        assert_eq!(finding.verdict.witness(), None, "{}: {plan}\n{:#?}", finding.check, run.milestones);
    }
}

/// Draws something that an operator might do, or a disk or a clock, after which little is promised.
fn mishap(chance: &mut Stream, servers: &[&str]) -> Fault {
    let at = Span::millis(500 + chance.below(5_000));
    let mut server = || named(servers[chance.below(servers.len() as u64) as usize]);
    let (node, other) = (server(), server());
    let action = match chance.below(18) {
        0 => Action::Promote(node),
        1 => Action::Follow { node, leader: other },
        2 => Action::Rewind { node, leader: other },
        3 => Action::Reseed { node, from: other },
        4 => Action::Demote(node),
        5 => Action::DropTable(node),
        6 => Action::TakeBackup(node),
        7 => Action::RestoreTo { node, ago: Span::millis(chance.below(2_000)) },
        8 => Action::Wipe(node),
        9 => Action::Snapshot(node),
        10 => Action::RestoreSnapshot(node),
        11 => Action::Rot { host: node, records: 3 },
        12 => Action::LyingSync(node),
        13 => Action::FullDisk(node),
        14 => Action::Jump { host: node, by: "-2s".parse().unwrap() },
        15 => Action::Failover { to: node, old: OldLeader::Rewound },
        16 => Action::Failover { to: node, old: OldLeader::Reseeded },
        _ => Action::StallDisk(node),
    };
    Fault::At(at, action)
}

/// Runs under whatever may happen. Demanded is only that every server keeps to its own invariants, and that, where
/// all apply one log, two servers made of the same records hold the same data.
fn survives<P: Protocol>(settings: &str, seed: u64) {
    let mut chance = Stream::derive(seed, Concern::new("mishap"), 0, 0);
    let servers = ["p", "s1", "s2"];
    let mut scene = Scene::<P>::new(settings).lasting(6);
    scene.seed = seed;
    scene.faults = faults(&mut chance, &servers);
    scene.faults.extend((0..1 + chance.below(5)).map(|_| mishap(&mut chance, &servers)));
    scene.clients.push(readers(Routing::Any));
    scene.settle = Span::secs(3);
    let plan = format!("{settings} seed {seed}: {:#?}", scene.faults);
    let run = scene.run();
    let finals = &run.history.finals;
    for (one, other) in finals.iter().flat_map(|one| finals.iter().map(move |other| (one, other))) {
        let same = one.lineage != other.lineage || one.contents.same_data(&other.contents);
        assert!(P::NAME == "MySql" || same, "{} and {} differ: {plan}\n{:#?}", one.node, other.node, run.milestones);
    }
}

#[test]
fn nothing_that_may_happen_breaks_an_invariant() {
    let postgresql = "(wal_log_hints: true, checkpoint_timeout: \"500ms\", wal_segment_size: \"64kB\", \
         primary_slot_name: {\"s1\": \"a\"}, wal_retrieve_retry_interval: \"300ms\")";
    let mysql = "(rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_timeout: 300, apply_time: \"1ms\", \
         binlog_expire_logs_seconds: 1, source_connect_retry: 1)";
    let plain = "(acknowledge: Any(1), retain: Records(100), checkpoint_interval: \"300ms\", log: Mixed)";
    for seed in seeds() {
        survives::<PostgreSql>(postgresql, seed);
        survives::<PostgreSql>("(synchronous_standby_names: \"s1\", wal_receiver_status_interval: \"0s\")", seed);
        survives::<PostgreSql>("(synchronous_commit: Off, primary_conninfo: {\"s2\": \"s1\"})", seed);
        survives::<MySql>(mysql, seed);
        survives::<LeaderFollower>(plain, seed);
    }
}

/// How many seeds each configuration is tried with.
fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("SWARM_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(10)
}

#[test]
fn postgresql() {
    for settings in [
        "()",
        "(synchronous_commit: Off)",
        "(synchronous_standby_names: \"FIRST 1 (s1, s2)\")",
        "(synchronous_standby_names: \"ANY 1 (*)\", synchronous_commit: RemoteWrite)",
        "(synchronous_standby_names: \"2 (s1, s2)\", synchronous_commit: RemoteApply, replay_time: \"1ms\")",
        "(primary_conninfo: {\"s2\": \"s1\"}, primary_slot_name: {\"s1\": \"a\", \"s2\": \"b\"}, \
         checkpoint_timeout: \"1s\", wal_segment_size: \"64kB\")",
        "(recovery_min_apply_delay: {\"s2\": \"3s\"}, wal_keep_size: \"1GB\")",
        "(synchronous_standby_names: \"FIRST 1 (s1, s2)\", wal_receiver_status_interval: \"0s\", replay_time: \"1ms\")",
        "(synchronous_standby_names: \"2 (s1, s2)\", wal_receiver_status_interval: \"0s\", \
         recovery_min_apply_delay: {\"s2\": \"3s\"})",
    ] {
        seeds().for_each(|seed| keeps_its_promises::<PostgreSql>(settings, seed));
    }
}

#[test]
fn mysql() {
    for settings in [
        "()",
        "(sync_binlog: 0)",
        "(sync_binlog: 10, apply_time: \"1ms\", replica_parallel_workers: 2)",
        "(rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_timeout: 500)",
        "(rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_wait_point: AFTER_COMMIT, source_host: {\"s2\": \"s1\"})",
        "(rpl_semi_sync_source_enabled: true, rpl_semi_sync_source_wait_no_replica: false, binlog_format: STATEMENT)",
    ] {
        seeds().for_each(|seed| keeps_its_promises::<MySql>(settings, seed));
    }
}

#[test]
fn plain() {
    for settings in [
        "(acknowledge: All)",
        "(acknowledge: SemiSynchronous(\"200ms\"))",
        "(acknowledge: Any(1), show_early: true, retain: Records(1000), slots: true, checkpoint_interval: \"1s\")",
        "(acknowledge: First(1, [\"s2\", \"s1\"]), log: Mixed, relays: {\"s2\": \"s1\"})",
    ] {
        seeds().for_each(|seed| keeps_its_promises::<LeaderFollower>(settings, seed));
    }
}
