//! Compares every value of every row with the source, whatever the order of the rows in the files.

use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::Database;
use project_test_servers::python::run_python;
use serde::Deserialize;
use std::path::Path;

type Rows = Vec<Vec<Option<String>>>;

#[derive(Deserialize)]
struct Report {
    values: Rows,
}

/// Fails unless `engine`, which shares no code with ours, finds in the lake exactly the rows of `select`: an
/// expression for each column in the form of `tests/read_parquet.py`, in the order of `key`.
pub(crate) fn compare_rows(
    database: &Database<'_>,
    select: &str,
    key: &str,
    (engine, place): (&str, &Path),
) -> Result<()> {
    let expected = database.query_text(select)?;
    let folder = place.to_str().context("a path in UTF-8")?;
    let report = run_python("tests/read_parquet.py", ["--engine", engine, folder, "--rows", key])?;
    let Report { values: found } = serde_json::from_str(&report)?;
    let place = place.display();
    ensure!(
        found.len() == expected.len(),
        "{place} by {engine}: {} rows, the source has {}",
        found.len(),
        expected.len()
    );
    match found.iter().zip(&expected).find(|(found, expected)| found != expected) {
        None => Ok(()),
        Some((found, expected)) => anyhow::bail!("{place} by {engine}: {found:?}, the source has {expected:?}"),
    }
}
