//! Where the memory of a large run goes: five servers and 200,000 acknowledged writes.
//!
//! Prints the size of the servers' logs, which are the model's own, of the history that is kept of them, and the
//! process's peak before and after the checks.

use replisim_history::{Install, Operation};
use replisim_kernel::Span;
use replisim_lab::scenario::Source;
use replisim_lab::{Catalog, Experiment};
use replisim_protocols::leader_follower::record::{Entry, Record};

const SCENARIO: &str = r#"
Scenario(
    about: "Five servers, 200,000 writes.",
    cluster: (regions: { "eu": ["a", "b", "c", "d", "e"] }, hosts: { "n1": "eu/a", "n2": "eu/b", "n3": "eu/c", "n4": "eu/d", "n5": "eu/e" }),
    protocol: LeaderFollower(leader: "n1", acknowledge: Any(2)),
    clients: [(sessions: 100, at: "eu/a", arrive: Every("10ms"), mix: { Write: 1 }, keys: Uniform(count: 1000))],
    run: "20s",
    seed: 7,
    checks: [NoLostWrites, FreshReads, Convergence],
)
"#;

/// An entry of a log with the two counts of its shared pointer.
const ENTRY_BYTES: usize = size_of::<Entry>() + 16;
const SERVERS: usize = 5;

fn main() {
    let source = Source::new("memory".to_owned(), SCENARIO);
    let experiment =
        Experiment::prepare(&source, &Catalog::standard()).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let before = peak_kilobytes();
    let run = experiment.begin(7, false).finish();
    let after = peak_kilobytes();
    let findings = experiment.examine(&run);
    let checked = peak_kilobytes();

    let history = &run.history;
    let acknowledged = history.operations.iter().filter(|operation| operation.is_acknowledged_write()).count();
    let versions = history.installs.len();
    let lags: usize = run.lags.iter().map(|lags| lags.len()).sum();
    println!("{acknowledged} acknowledged writes, {} events, {} checks made", run.events, findings.len());
    megabytes("logs: entries, once", versions * ENTRY_BYTES);
    megabytes("logs: records, at five servers", versions * size_of::<Record>() * SERVERS);
    megabytes("history: operations", history.operations.len() * size_of::<Operation>());
    megabytes("history: versions", versions * size_of::<Install>());
    megabytes("history: lags", lags * size_of::<Span>());
    megabytes("peak before the run", before * 1024);
    megabytes("peak after it", after * 1024);
    megabytes("peak after the checks", checked * 1024);
}

fn megabytes(what: &str, bytes: usize) {
    println!("{:>8.1} MB  {what}", bytes as f64 / 1e6);
}

/// The most memory that this process has had, as Linux counts it; 0 elsewhere.
fn peak_kilobytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
