//! `docs/json.md` against what the program prints: every field that is printed is in its table, with its type, and every
//! field in a table is printed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::Folder;

/// The tables of the docs, and what of them was compared.
struct Shapes {
    /// Of each shape, its fields with their types.
    tables: BTreeMap<String, BTreeMap<String, String>>,
    /// Each list and each map of a shape, and whether there was ever anything in it.
    filled: RefCell<BTreeMap<String, bool>>,
}

impl Shapes {
    fn read() -> Self {
        let repository = Folder::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        let text = String::from_utf8(repository.read("docs/json.md")).expect("docs are text");
        let (mut shapes, mut name) = (BTreeMap::<String, BTreeMap<_, _>>::new(), String::new());
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("### ") {
                name = heading.to_owned();
            }
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, field, type_, ..] = cells.as_slice() else { continue };
            let is_field = field.starts_with('`') || field.starts_with("all of ");
            if is_field && !name.is_empty() {
                let type_ = type_.split(',').next().unwrap_or_default();
                shapes.entry(name.clone()).or_default().insert(field.replace('`', ""), type_.to_owned());
            }
        }
        Shapes { tables: shapes, filled: RefCell::default() }
    }

    /// The fields of a shape, with those of another one that it has all of.
    fn fields(&self, shape: &str) -> BTreeMap<&str, &str> {
        let own = self.tables.get(shape).unwrap_or_else(|| panic!("docs/json.md has no table {shape}"));
        let (all, mut fields): (Vec<_>, BTreeMap<_, _>) = (
            own.keys().filter_map(|field| field.strip_prefix("all of ")).collect(),
            own.iter().filter(|(field, _)| !field.starts_with("all of ")).map(|(k, v)| (&**k, &**v)).collect(),
        );
        all.into_iter().for_each(|other| fields.extend(self.fields(other)));
        fields
    }

    /// What in a value is not as its type says.
    fn complaints(&self, value: &Value, type_: &str, place: &str) -> Vec<String> {
        if let Some(of) = type_.strip_suffix(" or null") {
            return if value.is_null() { Vec::new() } else { self.complaints(value, of, place) };
        }
        if let (Some(of), Value::Array(items)) = (type_.strip_prefix("list of "), value) {
            self.note(of, place, items.is_empty());
            return items.iter().flat_map(|item| self.complaints(item, of, place)).collect();
        }
        if let (Some(of), Value::Object(entries)) = (type_.strip_prefix("map of "), value) {
            self.note(of, place, entries.is_empty());
            return entries.values().flat_map(|entry| self.complaints(entry, of, place)).collect();
        }
        let fits = match type_ {
            "integer" => value.is_u64(),
            "number" => value.is_number(),
            "text" => value.is_string(),
            "boolean" => value.is_boolean(),
            "any" => true,
            shape if value.is_object() && shape.starts_with(char::is_uppercase) => return self.compared(value, shape),
            _ => false,
        };
        if fits { Vec::new() } else { vec![format!("{place} is {type_} in docs/json.md, and here it is {value}")] }
    }

    /// Takes note of whether a list or a map at `place` holds anything, if that has a shape.
    fn note(&self, of: &str, place: &str, is_empty: bool) {
        if self.tables.contains_key(of) {
            *self.filled.borrow_mut().entry(place.to_owned()).or_default() |= !is_empty;
        }
    }

    /// What of an object is not in the table of its shape, and what of that is not in the object.
    fn compared(&self, value: &Value, shape: &str) -> Vec<String> {
        let (fields, printed) = (self.fields(shape), value.as_object().expect("an object"));
        let missing = printed.keys().filter(|field| !fields.contains_key(field.as_str()));
        let missing = missing.map(|field| format!("docs/json.md has no row `{field}` in the table {shape}"));
        let gone = fields.keys().filter(|field| !printed.contains_key(**field));
        let gone = gone.map(|field| format!("docs/json.md has `{field}` in the table {shape}, and it is not printed"));
        let within = fields.iter().filter_map(|(field, type_)| Some((field, type_, printed.get(*field)?)));
        let within =
            within.flat_map(|(field, type_, value)| self.complaints(value, type_, &format!("{shape}.{field}")));
        missing.chain(gone).chain(within).collect()
    }

    #[track_caller]
    fn demand(&self, shape: &str, value: &Value) {
        let mut complaints = self.compared(value, shape);
        complaints.sort();
        complaints.dedup();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// Demands that of all lists and maps that were compared none but these was always empty: an empty one shows nothing.
    #[track_caller]
    fn demand_all_filled_but(&self, empty: &[&str]) {
        let filled = self.filled.borrow();
        let always_empty: Vec<&str> =
            filled.iter().filter(|(_, filled)| !**filled).map(|(place, _)| &**place).collect();
        assert_eq!(always_empty, empty);
    }
}

/// A run with a stale read, operations that time out, a promotion, a measure and a cure.
const RUN: &str = r#"Scenario(
    cluster: (regions: { "r": ["a", "b", "c"] }, hosts: { "n1": "r/a", "n2": "r/b", "n3": "r/c" }),
    protocol: PostgreSql(primary: "n1"),
    clients: [(sessions: 10, at: "r", mix: { Read: 9, Write: 1 }, reads: AnyFollower, timeout: "50ms")],
    faults: [
        During("200ms", "700ms", Slow(link: ("n1", "n3"), by: "100ms")), During("500ms", "700ms", Isolate("random 1")),
        At("800ms", Failover(to: "n2")),
    ],
    run: "1s",
    checks: [ReadYourWrites, NoLostWrites],
    expect: { ReadYourWrites: Violated },
    measures: { "writes": (what: WriteLatency(0.5), at_least: 0) },
    cure: "cure",
    anomaly: "cure",
)"#;

/// About one run in eight loses a write at a promotion, most have a stale read, and none reads what nobody wrote.
const CAMPAIGN: &str = r#"Scenario(
    cluster: (size: 3, links: (same_zone: "5ms")),
    protocol: LeaderFollower(),
    clients: [(sessions: 3, arrive: Every("10ms"), mix: { Read: 1, Write: 1 }, reads: Any)],
    run: "300ms",
    swarm: (longest: "150ms", families: [Failover, Kill, Delay], knobs: { "protocol.show_early": ["false", "true"] }),
    checks: [NoLostWrites, FreshReads, Convergence],
    expect: { NoLostWrites: Holds, FreshReads: Holds, NoThinAirReads: Violated },
)"#;

/// What a command prints.
fn printed(folder: &Folder, command: &[&str]) -> String {
    let finished = folder.program(command);
    assert!(finished.code <= 1, "{finished:?}");
    finished.output
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

#[test]
fn a_run_is_as_the_docs_say() {
    let folder = Folder::new("documents/run");
    folder.write("it.ron", RUN);
    folder.write("cure.ron", RUN);
    let run = document(&printed(&folder, &["run", "it.ron", "--format", "json"]));
    for (list, least) in [("verdicts", 2), ("bounds", 1), ("faults", 3), ("milestones", 1)] {
        assert!(run[list].as_array().expect("a list").len() >= least, "{list}: {run}");
    }
    assert!(run["verdicts"].as_array().expect("a list").iter().any(|it| it["witness"].is_object()), "{run}");
    let shapes = Shapes::read();
    shapes.demand("Run", &run);
    shapes.demand_all_filled_but(&[]);
}

#[test]
fn a_campaign_is_as_the_docs_say() {
    let (shapes, folder) = (Shapes::read(), Folder::new("documents/campaign"));
    folder.write("it.ron", CAMPAIGN);
    let campaign = |format| printed(&folder, &["fuzz", "it.ron", "--runs", "300", "--format", format]);
    let first = document(&campaign("json"));
    assert!(first["subjects"][0]["failures"][0]["id"].is_string(), "{first}");
    shapes.demand("Campaign", &first);
    for line in campaign("ndjson").lines() {
        let line = document(line);
        assert!(line["known"][0]["id"].is_string(), "{line}");
        shapes.demand("Line", &line);
    }
    shapes.demand("Campaign", &document(&campaign("json")));
    let stored = document(&printed(&folder, &["campaign", "show", "--format", "json"]));
    assert!(stored["campaigns"][0]["failures"][0]["also"].is_array(), "{stored}");
    shapes.demand("Stored", &stored);
    for line in printed(&folder, &["campaign", "export", "--format", "ndjson"]).lines() {
        let line = document(line);
        let shape = if line["type"] == "run" { "StoredRun" } else { "StoredFailure" };
        shapes.demand(shape, &line);
    }
    let answer = printed(&folder, &["campaign", "sql", "SELECT * FROM causes", "--format", "json"]);
    shapes.demand("Answer", &document(&answer));
    let shrunk = printed(&folder, &["shrink", "it.ron", "--seed", "13", "--format", "json"]);
    let shrunk = document(&shrunk);
    shapes.demand("Shrunk", &shrunk);
    let case = shrunk["case"].as_str().expect("a file");
    let replayed = document(&printed(&folder, &["replay", case, "--format", "json"]));
    assert_eq!(replayed["case"]["anomaly"]["became"], "still there", "{replayed}");
    shapes.demand("Replayed", &replayed);
    // Runs are told by the first test, divergences by the last two.
    shapes.demand_all_filled_but(&[
        "Cause.also",
        "Failure.also",
        "Figures.lag",
        "Line.divergences",
        "Replayed.bounds",
        "StoredSubject.divergences",
        "Subject.divergences",
    ]);
}

#[test]
fn a_replay_of_another_run_is_as_the_docs_say() {
    let folder = Folder::new("documents/replay");
    folder.write("it.ron", RUN);
    printed(&folder, &["run", "it.ron", "--case", "it.case"]);
    let case = String::from_utf8(folder.read("it.case")).expect("a case is text");
    folder.write("other.case", case.replace("sessions: 10", "sessions: 9"));
    let replayed = folder.program(&["replay", "other.case", "--format", "json"]).json();
    assert!(replayed["case"]["lines"].is_array(), "{replayed}");
    Shapes::read().demand("Replayed", &replayed);
}

/// No protocol that comes with replisim draws on hidden chance, so this is made up.
#[test]
fn a_stored_divergence_is_as_the_docs_say() {
    let (shapes, folder) = (Shapes::read(), Folder::new("documents/divergence"));
    super::campaign::keep_differing(&folder, "a.store");
    let shown = folder.program(&["campaign", "show", "a.store", "--format", "json"]);
    shapes.demand("Stored", &document(&shown.output));
    let lines = printed(&folder, &["campaign", "export", "a.store", "--format", "ndjson"]);
    let lines = lines.lines().map(document).filter(|line| line["type"] == "divergence").collect::<Vec<_>>();
    assert_eq!(lines.len(), 6);
    lines.iter().for_each(|line| shapes.demand("StoredDivergence", line));
}

/// This is printed as the program would.
#[test]
fn a_divergence_is_as_the_docs_say() {
    let divergence = replisim::history::DivergenceInfo {
        seed: 1,
        fresh: true,
        plan: "5546".to_owned(),
        id: "1a2b".to_owned(),
        case: Some("1a2b.ron".to_owned()),
        replay: replisim::history::Replay::Command("replisim replay 1a2b".to_owned()),
        event: 1,
        one: "this".to_owned(),
        other: "that".to_owned(),
        remembered: false,
    };
    Shapes::read().demand("Divergence", &json!(divergence));
}

#[test]
fn a_field_that_is_in_no_table_is_named() {
    let shapes = Shapes::read();
    let complaints = shapes.compared(&json!({ "healed_ns": -1, "more": 1 }), "Rest");
    for told in
        ["no row `more` in the table Rest", "`converged_after_ns` in the table Rest", "Rest.healed_ns is integer"]
    {
        assert!(complaints.iter().any(|it| it.contains(told)), "{told}: {complaints:?}");
    }
}
