//! Statements, rows and a mixture of both in the log.

use super::*;

fn generated(format: &str) -> Run {
    let mut scene = Scene::<MySql>::new(&format!("(binlog_format: {format})"));
    scene.clients[0].mix = [(OpKind::Generate, 1)].into_iter().collect();
    scene.settle = Span::secs(5);
    scene.run()
}

#[test]
fn statements_diverge_where_they_make_something_up() {
    assert_eq!(generated("STATEMENT").settling.converged_after, None);
    converged(&generated("MIXED"));
    converged(&generated("ROW"));
}

/// Each transaction makes up more than the next record has bytes for, and the leader begins many epochs.
#[test]
fn no_two_made_up_values_are_the_same() {
    let generates = |count| (0..count).map(|key| (OpKind::Generate, key)).collect();
    let mut scene = Scene::<PostgreSql>::new("()");
    scene.clients[0].mix = [(OpKind::Generate, 1)].into_iter().collect();
    let long = ScriptedOp { at: Span::ZERO, op: OpKind::Txn, key: 0, parts: generates(40), reads: None };
    let next = ScriptedOp { at: Span::millis(1), op: OpKind::Txn, parts: generates(1), ..long.clone() };
    scene.clients.push(ClientGroup { script: vec![vec![long, next]], ..writers() });
    let scene = scene.fault(Fault::Every(Span::millis(100), Span::millis(1), Action::Restart(named("p"))));
    let run = scene.run();
    let mut values: Vec<_> = run.history.installs.iter().filter_map(|install| install.made.value()).collect();
    let count = values.len();
    values.sort_unstable_by_key(|value| value.to_string());
    values.dedup();
    assert_eq!((values.len(), count > 100), (count, true));
}

#[test]
fn a_server_that_executes_statements_finds_its_own_values_again() {
    let mut scene = Scene::<MySql>::new("(binlog_format: STATEMENT)");
    scene.clients[0].mix = [(OpKind::Generate, 1)].into_iter().collect();
    let mut world = scene.fault(Fault::At(Span::secs(5), Action::Restart(named("s1")))).world();
    let read = |world: &World<MySql>| {
        let (contents, _) = replisim_world::process::Process::contents(world.process(NodeId(1)).unwrap()).unwrap();
        contents.iter().take(1_000).map(|(key, version)| (key, version.datum.clone())).collect::<Vec<_>>()
    };
    world.run_until(SimTime::ZERO + Span::millis(4_999));
    let before = read(&world);
    world.run_until(SimTime::ZERO + Span::millis(5_500));
    assert_eq!(before.len(), 1_000);
    assert_eq!(read(&world), before);
}
