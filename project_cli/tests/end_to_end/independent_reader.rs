//! Compares a table of a lake with SQL on its source, by engines that share no code with ours.

use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::Database;
use project_test_servers::python::run_python;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

const ENGINES: [&str; 2] = ["duckdb", "pyarrow"];

/// What a reader found in a table.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    /// How many rows.
    pub(crate) rows: u64,
    /// The columns in their order.
    pub(crate) columns: Vec<Column>,
    sums: BTreeMap<String, String>,
    /// Rows by `key=value` folder.
    #[serde(default)]
    pub(crate) partitions: BTreeMap<String, u64>,
}

/// A column as a reader sees it.
#[derive(Debug, Deserialize)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
}

/// What each reader finds in a table.
pub(crate) fn read(place: &Path) -> Result<Vec<Found>> {
    ENGINES.iter().map(|engine| read_with(engine, place, &[])).collect()
}

/// Fails unless every reader finds as many rows as `FROM` gives, and the same exact sum for each column of the lake and
/// its expression in SQL.
pub(crate) fn compare(database: &Database<'_>, from: &str, sums: &[(&str, &str)], place: &Path) -> Result<()> {
    let expressions: String = sums.iter().map(|(_, expression)| format!(", coalesce(sum({expression}), 0)")).collect();
    let answer = database.query_text(&format!("SELECT count(*){expressions} FROM {from}"))?;
    let answer: Option<Vec<String>> = answer.into_iter().next().and_then(|row| row.into_iter().collect());
    let expected = answer.context("one row without NULL")?;
    let columns: Vec<&str> = sums.iter().map(|(column, _)| *column).collect();
    for engine in ENGINES {
        let found = read_with(engine, place, &columns)?;
        let figures = columns.iter().map(|column| found.sums[*column].clone());
        let figures: Vec<String> = std::iter::once(found.rows.to_string()).chain(figures).collect();
        let (figures, expected) = (plain(&figures), plain(&expected));
        ensure!(
            figures == expected,
            "{} by {engine}: count and sums of {columns:?} are {figures:?}, SQL on the source says {expected:?}",
            place.display()
        );
    }
    Ok(())
}

fn read_with(engine: &str, place: &Path, columns: &[&str]) -> Result<Found> {
    let place = place.to_str().context("a path in UTF-8")?;
    let sums = columns.iter().flat_map(|column| ["--sum", column]);
    let arguments = ["--engine", engine, place].into_iter().chain(sums);
    let report = run_python("tests/read_parquet.py", arguments)?;
    Ok(serde_json::from_str(&report)?)
}

/// Numbers without zeros that mean nothing: Postgres and Python differ in how many they print.
fn plain(numbers: &[String]) -> Vec<&str> {
    let plain = |number: &'_ str| -> usize {
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').len() } else { number.len() }
    };
    numbers.iter().map(|number| &number[..plain(number)]).collect()
}
