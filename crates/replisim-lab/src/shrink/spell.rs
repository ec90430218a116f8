//! Spells out what a scenario leaves to the seed, so that there is something to take away.
//!
//! A swarm becomes the faults that it draws. A workload's operations become scripts: each operation at the time it began,
//! with its kind and key, and with the node that answered it where its routing chose at random. A script draws as many
//! words from its session's stream as the workload did, so the spelled-out run is the drawn one.

use replisim_history::{Operation, Run};
use replisim_kernel::Span;
use replisim_world::spec::{ClientGroup, Routing, ScriptedOp};

use super::script::first_session;
use super::search::Search;
use crate::Scenario;

/// Writes down the faults that the swarm draws.
pub(super) fn faults(search: &mut Search<'_>, seed: u64) {
    if search.scenario().swarm.is_none() {
        return;
    }
    let drawn = search.scenario().plan(seed, &search.best.experiment.topology);
    search.change(|scenario| (scenario.faults, scenario.swarm) = (drawn, None));
}

/// Writes down the operations that the workloads draw, as far as that still fails.
pub(super) fn operations(search: &mut Search<'_>) {
    let (scenario, run) = (search.scenario(), &search.best.run);
    // Sessions may share the lines of a script; to be taken away one by one, each needs its own.
    if scenario.clients.iter().all(|group| group.script.len() == group.sessions as usize) {
        return;
    }
    let written = |pinned| {
        let clients = scripts(&scenario.clients, run, pinned);
        Scenario { clients, ..scenario.clone() }
    };
    // With whom to ask written down, an operation less does not send the next ones elsewhere.
    let proposed = vec![written(true), written(false)];
    search.first(proposed);
}

/// The groups with every operation of the run in their scripts.
fn scripts(clients: &[ClientGroup], run: &Run, pinned: bool) -> Vec<ClientGroup> {
    let mut written: Vec<ClientGroup> = clients
        .iter()
        .map(|group| ClientGroup { script: vec![Vec::new(); group.sessions as usize], ..group.clone() })
        .collect();
    for operation in run.history.operations.iter() {
        let group = run.sessions[operation.session.index()].group as usize;
        let session = operation.session.index() - first_session(clients, group);
        let reads = reads_of(&clients[group], session, operation);
        let reads = if pinned && is_random(&reads) {
            Some(Routing::Host(node(run, operation)))
        } else {
            own(&clients[group], reads)
        };
        written[group].script[session].push(line(operation, reads));
    }
    written
}

/// Where an operation's routing says to read.
fn reads_of(group: &ClientGroup, session: usize, operation: &Operation) -> Routing {
    let script = group.script.get(session % group.script.len().max(1));
    let line = script.and_then(|lines| lines.get(operation.ordinal as usize));
    line.and_then(|line| line.reads.clone()).unwrap_or_else(|| group.reads.clone())
}

/// What a line has to say of where to read: nothing, where that is what its group says.
fn own(group: &ClientGroup, reads: Routing) -> Option<Routing> {
    Some(reads).filter(|reads| *reads != group.reads)
}

/// Whether a routing chooses by chance and does nothing else.
fn is_random(reads: &Routing) -> bool {
    match reads {
        Routing::Any | Routing::AnyFollower | Routing::Sticky => true,
        Routing::Leader | Routing::Nearest | Routing::Host(_) | Routing::Pin { .. } | Routing::Token { .. } => false,
    }
}

fn node(run: &Run, operation: &Operation) -> String {
    run.nodes[operation.node.index()].name.clone()
}

fn line(operation: &Operation, reads: Option<Routing>) -> ScriptedOp {
    let key = |op: &replisim_history::Op| op.key().map_or(0, |key| key.0);
    let parts = operation.op.parts().iter().map(|part| (part.kind(), key(part)));
    ScriptedOp {
        at: Span::nanos(operation.invoked.as_nanos()),
        op: operation.op.kind(),
        key: key(&operation.op),
        parts: if operation.op.key().is_none() { parts.collect() } else { Vec::new() },
        reads: reads.filter(|_| operation.op.is_read()),
    }
}
