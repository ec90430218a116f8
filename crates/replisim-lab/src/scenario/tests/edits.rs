//! `--set` on a scenario that is right.

use super::super::{Edit, Source};
use super::{RIGHT, catalog};
use crate::Experiment;

fn edited(text: &str, edits: &[&str]) -> Result<String, String> {
    let edits: Vec<Edit> = edits.iter().map(|edit| edit.parse().unwrap()).collect();
    let source = Source::new("mine.ron", text);
    let edited = Experiment::edit(&source, &edits, &catalog()).map_err(|report| report.to_string())?;
    Experiment::prepare(&edited, &catalog()).map_err(|report| report.to_string())?;
    Ok(edited.text)
}

#[track_caller]
fn check(edit: &str, before: &str, after: &str) {
    let expected = RIGHT.replacen(before, after, 1);
    assert_ne!(expected, RIGHT, "`{before}` does not occur");
    assert_eq!(edited(RIGHT, &[edit]).unwrap(), expected);
}

#[test]
fn values_are_replaced_bare_or_quoted() {
    check("about=other words, e.g. \"these\"", r#""all is well""#, r#""other words, e.g. \"these\"""#);
    check("protocol.commit=On", "commit: Local", "commit: On");
    check("protocol.primary=s1", r#"primary: "p""#, r#"primary: "s1""#);
    check("protocol.standbys=FIRST 2 (s1, s2)", "FIRST 1", "FIRST 2");
    check("clients[0].sessions=50", "sessions: 20", "sessions: 50");
    check("clients[0].mix.Read=1", "Read: 9", "Read: 1");
    check("cluster.hosts.s2=eu/a", r#""s2": "eu""#, r#""s2": "eu/a""#);
    check("faults[1].At[0]=7s", r#"At("5s""#, r#"At("7s""#);
    check("faults[0].Slow.by=Uniform(min: \"1ms\", max: \"2ms\")", r#""300ms""#, r#"Uniform(min: "1ms", max: "2ms")"#);
    check("cluster.links.same_zone=0.2ms", r#""0.1ms""#, r#""0.2ms""#);
}

#[test]
fn what_was_left_out_is_put_in() {
    check("run=30s", "Violated },", "Violated }, run: \"30s\",");
    check("cluster.links.loss=3%", "(delay: \"80ms\"))])", "(delay: \"80ms\"))], loss: \"3%\")");
    check("cluster.service.cores=2", "\"-2s\") },", "\"-2s\") }, service: (cores: 2),");
    check("clients[0].timeout=1s", "Host(\"s1\"))", "Host(\"s1\"), timeout: \"1s\")");
    check("faults[3]=At(\"6s\", Halves)", "eu/a\"))),", "eu/a\"))), At(\"6s\", Halves),");
    check("expect.NoLostWrites=Holds", "Violated }", "Violated, NoLostWrites: Holds }");
    check("protocol.keep=3", "s2)\")", "s2)\", keep: 3)");
    let short = "(cluster: (size: 3), protocol: Toy)";
    let expected = "(cluster: (size: 3), protocol: Toy(commit: Local), clients: [(sessions: 9)])";
    assert_eq!(edited(short, &["protocol.commit=Local", "clients[0].sessions=9"]).unwrap(), expected);
}

#[test]
fn what_leads_to_a_value_is_put_in_as_the_map_or_struct_that_it_is() {
    let short = "(cluster: (size: 3), protocol: Toy)";
    let put = |edit, added: &str| {
        assert_eq!(edited(short, &[edit]).unwrap(), format!("(cluster: (size: 3), protocol: Toy, {added})"));
    };
    put("expect.NoLostWrites=Holds", "expect: {NoLostWrites: Holds}");
    put("measures.few=(what: Lost, at_most: 3)", "measures: {\"few\": (what: Lost, at_most: 3)}");
    put("clients[0].mix.Read=1", "clients: [(mix: {Read: 1})]");
    let bound = edited(short, &["measures.few.what=Lost", "measures.few.at_most=3"]).unwrap();
    assert!(bound.ends_with("measures: {\"few\": (what: Lost, at_most: 3)})"), "{bound}");
    let clocks = edited(short, &["cluster.clocks.n1.offset=-2s"]).unwrap();
    assert_eq!(clocks, "(cluster: (size: 3, clocks: {\"n1\": (offset: \"-2s\")}), protocol: Toy)");
}

#[test]
fn edits_that_lead_nowhere_or_to_nonsense_are_refused() {
    let shown: Vec<String> = [
        "clients[4].sessions=50",
        "run.seconds=3",
        "run=30x",
        "clients[0].sessions=many",
        "protocol.comit=On",
        "protocol.commit=Loca",
        "cluster.links.los=3%",
        "clients[0].at=us-west",
        "measures[1]=3",
        "measures.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t=3",
    ]
    .iter()
    .map(|edit| format!("--set {edit}\n\n{}\n", edited(RIGHT, &[edit]).unwrap_err()))
    .collect();
    insta::assert_snapshot!("edits", shown.join("\n"));
    let deep = format!("measures{}=3", ".a[0]".repeat(100_000));
    assert!(edited(RIGHT, &[&deep]).is_err(), "so many steps are not taken one within the other");
    assert_eq!("run".parse::<Edit>().unwrap_err().to_string().matches('`').count() % 2, 0);
}

#[test]
fn what_is_set_is_turned_by_no_knob() {
    let knobs = |knobs: &str| format!("(cluster: (size: 3), protocol: Toy, swarm: (knobs: {knobs}))");
    let text = knobs(r#"{ "cluster.size": ["3", "5"], "protocol.commit": ["On", "Local"] /* both */ }"#);
    let left = |edits: &[&str]| {
        let edits: Vec<Edit> = edits.iter().map(|edit| edit.parse().unwrap()).collect();
        let set = Experiment::set(&Source::new("mine.ron", text.as_str()), &edits, &catalog());
        let text = set.map_err(|report| report.to_string()).unwrap().text;
        text[text.find("knobs: ").expect("there are some")..]
            .trim_start_matches("knobs: ")
            .trim_end_matches(')')
            .to_owned()
    };
    assert_eq!(left(&["cluster.size=9"]), r#"{"protocol.commit": ["On", "Local"]}"#);
    assert_eq!(
        left(&["protocol=Toy(commit: Local)"]),
        r#"{"cluster.size": ["3", "5"]}"#,
        "of what is set, every part is"
    );
    assert_eq!(left(&["cluster.size=9", "protocol.commit=On"]), "{}");
    let all = r#"{ "cluster.size": ["3", "5"], "protocol.commit": ["On", "Local"] /* both */ }"#;
    assert!(left(&["run=2s", "protocol.primary=n2"]).starts_with(all));
    let anew = r#"{ "cluster.size": ["4", "5"] }"#;
    assert_eq!(
        left(&["cluster.size=9", &format!("swarm.knobs={anew}")]),
        r#"{}"#,
        "the last word is that of the value"
    );
    assert_eq!(left(&[&format!("swarm.knobs={anew}")]), anew);
}

#[test]
fn no_knob_turns_what_is_set_however_either_spells_the_way_there() {
    let text = r#"(cluster: (size: 3), protocol: Toy, faults: [At("1s", Kill("n2"))],
        swarm: (families: [], knobs: { "faults[0].At[0]": ["\"1s\"", "\"2s\""] }))"#;
    for edit in ["faults[0][0]=3s", "faults[0].At[0]=3s", "faults[0]=At(\"3s\", Kill(\"n1\"))"] {
        let set = Experiment::set(&Source::new("mine.ron", text), &[edit.parse().unwrap()], &catalog());
        let set = set.map_err(|report| report.to_string()).unwrap().text;
        assert!(set.contains("knobs: {}") && set.contains("\"3s\""), "{edit}: {set}");
    }
}
