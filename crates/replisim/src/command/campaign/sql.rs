//! `replisim campaign sql`.

use std::path::PathBuf;

use clap::ValueEnum;
use replisim_lab::store::{Answer, Value};
use replisim_report::grid;
use serde_json::json;

use super::super::output::print;
use super::super::{Ending, Failure};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The store
    store: PathBuf,
    /// The question; it can only read
    #[arg(value_name = "SQL")]
    question: String,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// How to print an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// An aligned table; long texts are shortened
    Human,
    /// One document, with everything in full
    Json,
}

/// Asks a question.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let answer = super::open(&arguments.store)?.query(&arguments.question)?;
    match arguments.format {
        Format::Human => print(&human(&answer)),
        Format::Json => print(&document(&answer)),
    }
}

fn human(answer: &Answer) -> String {
    let rows: Vec<Vec<String>> = answer.rows.iter().map(|row| row.iter().map(text).collect()).collect();
    grid(&answer.columns, &rows)
}

/// The answer as JSON. Columns may share a name, so rows are lists.
fn document(answer: &Answer) -> String {
    let rows: Vec<Vec<serde_json::Value>> = answer.rows.iter().map(|row| row.iter().map(datum).collect()).collect();
    format!("{:#}\n", json!({ "schema_version": 1, "columns": answer.columns, "rows": rows }))
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
