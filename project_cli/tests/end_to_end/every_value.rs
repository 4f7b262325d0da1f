//! Compares every value of tables of the lake with the text that Postgres prints for it.

use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::Database;
use project_test_servers::python::run_python;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Readers that share no code with ours, nor with each other.
pub(crate) const ENGINES: [&str; 2] = ["duckdb", "pyarrow"];

/// The column that says which row is which.
pub(crate) const KEY: &str = "id";

/// A table of the lake.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Table {
    /// The columns in their order.
    pub(crate) columns: Vec<Column>,
    /// The values, in the order of the key.
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

/// A column as a reader sees it.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// The type that Athena has for what the reader found.
    pub(crate) athena: String,
}

/// What must be in the lake.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// The table's folder.
    pub(crate) table: String,
    /// Gives every column, in the order of [`KEY`].
    pub(crate) query: String,
}

/// Tables of the lake, every value as Postgres would print it.
pub(crate) fn read_tables<'a>(
    engine: &str,
    lake: &Path,
    tables: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Table>> {
    let folder = |table| Ok(lake.join(table).to_str().context("a path in UTF-8")?.to_owned());
    let folders: Vec<String> = tables.into_iter().map(folder).collect::<Result<_>>()?;
    let options = ["--engine", engine, "--key", KEY];
    let arguments = options.into_iter().chain(folders.iter().map(String::as_str));
    Ok(serde_json::from_str(&run_python("tests/read_as_postgres.py", arguments)?)?)
}

/// Fails unless the reader finds in each table exactly the rows of its query.
pub(crate) fn compare_tables(
    database: &Database<'_>,
    lake: &Path,
    engine: &str,
    expected: &[Expected],
) -> Result<Vec<Table>> {
    let tables = read_tables(engine, lake, expected.iter().map(|expected| expected.table.as_str()))?;
    for (Expected { table, query }, found) in expected.iter().zip(&tables) {
        let rows = database.query_text(query)?;
        let differences = differences(found, &rows);
        ensure!(differences.is_empty(), "{table} by {engine} is not what Postgres prints:{differences}");
    }
    Ok(tables)
}

/// The first difference of each column, a line for each.
fn differences(found: &Table, expected: &[Vec<Option<String>>]) -> String {
    if found.rows.len() != expected.len() {
        return format!(" {} rows, and the source has {}", found.rows.len(), expected.len());
    }
    let width = found.columns.len();
    if let Some(row) = expected.iter().find(|row| row.len() != width) {
        return format!(" {width} columns, and the source has {}", row.len());
    }
    let mut lines = String::new();
    for (at, column) in found.columns.iter().enumerate() {
        let pairs = found.rows.iter().zip(expected).enumerate();
        let mut cells = pairs.map(|(row, (found, expected))| (row, found.get(at), expected.get(at)));
        if let Some((row, found, expected)) = cells.find(|(_, found, expected)| found != expected) {
            let Column { name, athena } = column;
            // Writing to a string cannot fail.
            let _ = write!(lines, "\n  {name} ({athena}), row {row}: {found:?}, and Postgres prints {expected:?}");
        }
    }
    lines
}

/// What the footers of a table's files say.
#[derive(Debug, Deserialize)]
pub(crate) struct Footer {
    /// How many row groups there are.
    pub(crate) row_groups: usize,
    /// By their paths.
    pub(crate) leaves: BTreeMap<String, Leaf>,
}

/// A column without parts.
#[derive(Debug, Deserialize)]
pub(crate) struct Leaf {
    /// The physical type.
    pub(crate) physical: String,
    /// The logical type, as pyarrow writes it.
    pub(crate) logical: String,
    /// `min`, `max` and `nulls` of each row group.
    pub(crate) statistics: Vec<Value>,
    /// How many NULLs pyarrow counts when it writes the same values.
    pub(crate) nulls: u64,
}

/// Reads the footers of a table.
pub(crate) fn read_footer(table: &Path) -> Result<Footer> {
    let report = run_python("tests/read_footer.py", [table.to_str().context("a path in UTF-8")?])?;
    Ok(serde_json::from_str(&report)?)
}
