//! What a task that loads its tables says before it does.

use crate::program::Program;
use crate::shop::empty_shop;
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::Database;

/// The estimate in MiB that a run prints for `users`.
fn estimate(database: &Database<'_>) -> Result<u64> {
    let ended = Program::new()?.run(&[&database.uri(), "--table=users,products"])?.expect(0)?;
    let mut lines = ended.stderr.lines().filter(|line| line.contains("loads its tables into memory"));
    let line = lines.next().with_context(|| format!("no estimate: {ended}"))?;
    ensure!(line.contains("task=\"users\"") && lines.next().is_none(), "an estimate for a stream: {ended}");
    let number = line.split("estimate_mib=").nth(1).and_then(|rest| rest.split_whitespace().next());
    Ok(number.context("a number")?.parse()?)
}

#[test]
fn the_memory_of_a_task_that_loads_its_tables_is_said_before() -> Result<()> {
    let database = empty_shop()?;
    // Without statistics for a moment; the server's own must not come in between.
    database.execute(
        "ALTER TABLE users SET (autovacuum_enabled = off);
         INSERT INTO users SELECT id, repeat(md5(id::text), 30), 'DE', now(), NULL FROM generate_series(1, 20000) AS id",
    )?;
    let bytes = 20_000 * 960;
    let unknown = estimate(&database)?;
    ensure!(unknown << 20 > bytes, "{unknown} MiB for {bytes} bytes of names");
    database.execute("ANALYZE users")?;
    let known = estimate(&database)?;
    ensure!((bytes..bytes * 3 / 2).contains(&(known << 20)), "{known} MiB for {bytes} bytes of names");
    Ok(())
}
