//! Every file says from which run and moment its rows are, whatever has written it.

use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use project_test_servers::python::run_python;
use serde_json::{Value, json};
use std::path::Path;

/// What both readers find in the footers of a table beside the schema; every file of it must say the same.
fn key_values(table: &Path) -> Result<Value> {
    let table = table.to_str().context("a path in UTF-8")?;
    let [one, other] = ["duckdb", "pyarrow"].map(|engine| -> Result<Value> {
        let answer = run_python("tests/read_parquet.py", ["--engine", engine, "--key-values", table])?;
        Ok(serde_json::from_str::<Value>(&answer)?["key_values"].clone())
    });
    let (one, other) = (one?, other?);
    assert_eq!(one, other);
    Ok(one)
}

#[test]
fn every_file_names_its_run_and_its_snapshot() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    database.execute("CREATE TABLE t (id int4, at date); INSERT INTO t VALUES (1, 'infinity'), (2, '2026-01-01')")?;
    let tables = "users,products,events,public.t,public.taxes";
    let arguments = [&database.uri(), "--table", tables, "--rejects=5", "--infinity=error", "--format=json"];
    let ended = program.run(&arguments)?.expect(0)?;
    let report = ended.report()?;
    let expected = json!({
        "project.run_id": report["run_id"],
        "project.snapshot": report["snapshot"]["id"],
        "project.snapshot_at": report["snapshot"]["taken_at"],
        "project.snapshot_lsn": report["snapshot"]["lsn"],
        "project.version": env!("CARGO_PKG_VERSION"),
    });
    // By Diesel, by sqlx, by date, as they are, of rejects, and without rows.
    for table in ["users", "products", "events", "public_t", "public_t__rejects", "public_taxes"] {
        assert_eq!(key_values(&program.lake().join(table))?, expected, "{table}");
    }
    program.run(&[&database.uri(), "--table=public.taxes", "--no-snapshot"])?.expect(0)?;
    let without = key_values(&program.lake().join("public_taxes"))?;
    ensure!(without["project.run_id"].is_string() && without["project.snapshot"].is_null(), "{without:#}");
    Ok(())
}
