//! Scenarios written out and read back.

use std::path::Path;

use crate::find;
use crate::scenario::write::Tree;
use crate::scenario::{Scenario, Source};

fn parse(text: &str) -> Scenario {
    Scenario::parse(&Source::new("written.ron", text))
        .unwrap_or_else(|report| panic!("{}\n{text}", report.render(false)))
}

#[test]
fn every_scenario_reads_back_as_it_was_written() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = find::below(&library).expect("the library is there");
    assert!(files.len() > 50);
    for file in files {
        let scenario = Scenario::read(&file).expect("a scenario of the library reads");
        let text = scenario.text();
        // A protocol's settings are laid out anew, so the trees are compared and not the texts.
        assert_eq!(Tree::of(&parse(&text)), Tree::of(&scenario), "{}:\n{text}", file.display());
        assert_eq!(parse(&text).text(), text, "{}", file.display());
    }
}

#[test]
fn defaults_are_left_out_and_what_fits_stands_on_a_line() {
    let scenario = parse(
        r#"Scenario(cluster: (size: 3, links: (loss: "0%", same_zone: "1ms")), run: "10s", // comment
            protocol: PostgreSql( primary:   "n1", /* on */ primary_slot_name: {"n2":"a"} ),
            clients: [(), (sessions: 1, retries: 0, script: [[(at: "0s", op: Write, key: 0), (op: Read, reads: Host("n2"))]])],
            faults: [At("1s", Failover(to: "n2", old: Ignored)), At("2s", LoseHost(host: "n1", wire: Discarded))],
            swarm: (faults: 6, longest: "3s"))"#,
    );
    insta::assert_snapshot!(scenario.text(), @r#"
    Scenario(
        cluster: (size: 3, links: (same_zone: "1ms")),
        protocol: PostgreSql(primary: "n1", primary_slot_name: { "n2": "a" }),
        clients: [(), (sessions: 1, script: [[(op: Write), (op: Read, reads: Host("n2"))]])],
        faults: [At("1s", Failover(to: "n2")), At("2s", LoseHost(host: "n1", wire: Discarded))],
        swarm: (),
    )
    "#);
}
