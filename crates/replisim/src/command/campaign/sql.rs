//! `replisim campaign sql`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use console::Term;
use replisim_lab::store::{Answer, Store, Value};
use replisim_report::json::SCHEMA_VERSION;
use replisim_report::{grid, number};
use serde_json::json;

use crate::command::output::print;
use crate::command::whereabouts::STORE;
use crate::command::{Ending, Failure};
use crate::shell::quoted;

const EXAMPLES: &str = "\
Examples:
  replisim campaign sql \"SELECT * FROM causes\"
  replisim campaign sql night.db \"SELECT seed, events FROM every_run WHERE failed\" --format csv
  replisim campaign sql \"SELECT sql FROM sqlite_schema\" --format ndjson

The views are causes, verdicts, coverage, speed and every_run.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, allow_missing_positional = true)]
pub struct Arguments {
    /// The store
    #[arg(default_value = STORE)]
    store: PathBuf,
    /// The question; it can only read
    #[arg(value_name = "SQL")]
    question: String,
    /// How to print the answer: human, cut to the terminal's width, or in full: json, ndjson or csv
    #[arg(long, value_enum, default_value_t = Format::Human, hide_possible_values = true)]
    format: Format,
}

/// How to print an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// An aligned table; long texts are shortened
    Human,
    /// One document, with everything in full
    Json,
    /// A document a row, with everything in full
    Ndjson,
    /// Comma-separated values as of RFC 4180, with everything in full
    Csv,
}

/// Asks a question.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    if let Some(failure) = mistaken(&arguments.store, &arguments.question) {
        return Err(failure);
    }
    let answer = Store::open(&arguments.store)?.query(&arguments.question)?;
    match arguments.format {
        Format::Human => print(&human(&answer)),
        Format::Json => print(&document(&answer)),
        Format::Ndjson => print(&answer.rows.iter().map(|row| format!("{}\n", json!(data(row)))).collect::<String>()),
        Format::Csv => print(&csv(&answer)),
    }
}

/// What is wrong where the words are a store and a question the wrong way round, or a store alone: a file is no question,
/// and a name with spaces that is no file is no store.
fn mistaken(store: &Path, question: &str) -> Option<Failure> {
    let spaced = |text: &str| text.contains(char::is_whitespace);
    let asked = Path::new(question).is_file();
    let advise =
        |told: String, command: String| Failure::Diagnosed(format!("{told}\n  ask `replisim campaign sql {command}`"));
    if store == Path::new(STORE) {
        let command = format!("{} \"SELECT * FROM causes\"", quoted(question));
        return asked.then(|| advise(format!("error[C012]: {question} is a file and no question"), command));
    }
    let words = store.display().to_string();
    let swapped = !store.exists() && (asked || spaced(&words) && !spaced(question));
    let told = || format!("error[C001]: there is no store at {words}; the store comes first, and then the question");
    swapped.then(|| advise(told(), format!("{} {}", quoted(question), quoted(&words))))
}

fn human(answer: &Answer) -> String {
    let shown = |value: &Value| match value {
        Value::Real(real) => number::decimal(*real).replace(',', ""),
        Value::Null | Value::Integer(_) | Value::Text(_) | Value::Blob(_) => text(value),
    };
    let rows: Vec<Vec<String>> = answer.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let width = Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    grid(&answer.columns, &rows, width)
}

/// The answer's columns and rows, a line each.
fn csv(answer: &Answer) -> String {
    let field = |text: &str| match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let line = |fields: Vec<String>| match fields.as_slice() {
        // An empty line would be taken for none.
        [alone] if alone.is_empty() => "\"\"\r\n".to_owned(),
        fields => fields.join(",") + "\r\n",
    };
    let head = line(answer.columns.iter().map(|name| field(name)).collect());
    let rows = answer.rows.iter().map(|row| line(row.iter().map(|value| field(&text(value))).collect()));
    head + &rows.collect::<String>()
}

/// The answer as JSON. Columns may share a name, so rows are lists.
fn document(answer: &Answer) -> String {
    let rows: Vec<Vec<serde_json::Value>> = answer.rows.iter().map(|row| data(row)).collect();
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "version": replisim_lab::VERSION,
        "columns": answer.columns,
        "rows": rows,
    });
    format!("{document:#}\n")
}

fn data(row: &[Value]) -> Vec<serde_json::Value> {
    row.iter().map(datum).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => hexadecimal(bytes),
    }
}

fn datum(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => json!(hexadecimal(bytes)),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
