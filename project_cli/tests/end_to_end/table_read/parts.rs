//! A table that no compression makes small, and the files it is written to.

use crate::independent_reader::compare;
use crate::lake_folder::listing;
use crate::program::Program;
use anyhow::{Context, Result, anyhow, ensure};
use project_test_servers::postgres::{Database, Postgres};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Rows of [`noise`], each with a kilobyte that looks random.
pub(crate) const NOISE_ROWS: u64 = 72_000;

/// `public.noise`, for all tests that need many bytes; nobody changes it.
pub(crate) fn noise() -> Result<&'static Database<'static>> {
    static NOISE: OnceLock<Result<Database<'static>, String>> = OnceLock::new();
    let fill = || {
        let database = Database::create(Postgres::shared()?)?;
        let block = |number: u32| format!("sha512((id || '/{number}')::bytea)");
        let kilobyte = (0..16).map(block).collect::<Vec<_>>().join(" || ");
        database.execute(&format!(
            "CREATE UNLOGGED TABLE noise (id int4, data bytea);
             INSERT INTO noise SELECT id, {kilobyte} FROM generate_series(1, {NOISE_ROWS}) AS id;
             CREATE TABLE quiet AS SELECT 1 AS id"
        ))?;
        Ok(database)
    };
    let database = NOISE.get_or_init(|| fill().map_err(|error: anyhow::Error| format!("{error:#}")));
    database.as_ref().map_err(|message| anyhow!("{message}"))
}

/// The Parquet files below a folder and their bytes.
pub(crate) fn parts(table: &Path) -> Result<BTreeMap<PathBuf, u64>> {
    let files = listing(table)?.into_iter().filter(|(path, _)| path.extension() == Some("parquet".as_ref()));
    let bytes = |what: &str| what.split(' ').nth(2).and_then(|bytes| bytes.parse().ok());
    files.map(|(path, what)| Ok((path, bytes(&what).with_context(|| what.clone())?))).collect()
}

#[test]
fn each_worker_writes_one_file_of_what_is_not_small() -> Result<()> {
    let database = noise()?;
    for workers in [1, 2] {
        let program = Program::new()?;
        let count = format!("--workers={workers}");
        program.run(&[&database.uri(), "--table=public.noise", &count])?.expect(0)?;
        let table = program.lake().join("public_noise");
        let parts = parts(&table)?;
        assert_eq!(parts.len(), workers, "{parts:?}");
        ensure!(parts.values().sum::<u64>() > NOISE_ROWS * 1024, "{parts:?}");
        compare(database, "noise", &[("id", "id")], &table)?;
    }
    Ok(())
}
