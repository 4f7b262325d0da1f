//! Every file says from which run and moment its rows are, whatever has written it; nothing else differs between two
//! runs that show the same.

use super::MONEY;
use crate::lake_folder::{listing, runs};
use crate::program::Program;
use crate::shop::{sample_shop, tiny_shop};
use anyhow::{Context, Result, ensure};
use project_test_servers::python::run_python;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::read;
use std::path::{Path, PathBuf};

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

/// The files of a run without their footers, which name it.
fn data(run: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for file in listing(run)?.into_keys().filter(|file| file.extension().is_some()) {
        let mut bytes = read(run.join(&file))?;
        // The length of the footer and the four bytes that every Parquet file ends with.
        let end = bytes.len().checked_sub(8).context("a file")?;
        let footer = u32::from_le_bytes(bytes[end..end + 4].try_into()?) as usize;
        bytes.truncate(end.checked_sub(footer).context("a footer")?);
        files.insert(file, bytes);
    }
    Ok(files)
}

#[test]
fn two_runs_over_the_same_rows_write_the_same_bytes() -> Result<()> {
    let (database, program) = (sample_shop()?, Program::new()?);
    database.execute("DELETE FROM orders; DELETE FROM products")?;
    database.execute(MONEY)?;
    // A server that would like to read each of these tables by several processes.
    database.execute(&format!(
        "ALTER DATABASE {} SET min_parallel_table_scan_size = 0; ALTER DATABASE {0} SET parallel_setup_cost = 0;
         ALTER DATABASE {0} SET parallel_tuple_cost = 0; CREATE VIEW seen AS SELECT id, wide FROM vault",
        database.name()
    ))?;
    for _ in 0..2 {
        let tables = "combined_orders,users,products,events,public.vault,public.seen";
        program.run(&[&database.uri(), "--table", tables, "--workers=1"])?.expect(0)?;
    }
    let [first, second] = runs(&program.lake())?.try_into().ok().context("two runs")?;
    let (first, second) = (data(&program.lake().join(first))?, data(&program.lake().join(second))?);
    ensure!(first.len() > 6, "{:?}", first.keys());
    for (file, bytes) in &first {
        ensure!(second.get(file) == Some(bytes), "{} differs", file.display());
    }
    Ok(())
}
