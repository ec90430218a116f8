//! Any question at all, in SQL.

use rusqlite::ErrorCode;
use rusqlite::types::ValueRef;

use super::{Store, StoreError};

/// What a question is answered with.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value a column.
    pub rows: Vec<Vec<Value>>,
}

/// One value of an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes; a digest, for instance.
    Blob(Vec<u8>),
}

impl Store {
    /// Asks one question, which may only read.
    ///
    /// # Errors
    /// If SQLite does not understand it, it would change something, or the store cannot be read.
    pub fn query(&self, sql: &str) -> Result<Answer, StoreError> {
        let refuse = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure) => {
                self.refuse()(error)
            }
            _ => StoreError::Query { why: told(&error) },
        };
        let mut statement = self.connection.prepare(sql).map_err(refuse)?;
        // The connection cannot write to the store, but some statements could write elsewhere.
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(StoreError::Query { why: "this is not a question that only reads".to_owned() });
        }
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let row = |row: &rusqlite::Row| (0..columns.len()).map(|column| row.get_ref(column).map(Value::from)).collect();
        let rows = statement.query_map([], row).and_then(Iterator::collect).map_err(refuse)?;
        Ok(Answer { columns, rows })
    }
}

/// What SQLite says, without the statement that it repeats.
fn told(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, offset, .. } if *offset >= 0 => format!("{msg}, at character {offset}"),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef) -> Self {
        match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        }
    }
}
