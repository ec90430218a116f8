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
