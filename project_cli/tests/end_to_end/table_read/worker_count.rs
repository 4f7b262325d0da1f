//! The same table, whatever the number of workers.

use super::every_row::compare_rows;
use super::parts::parts;
use crate::program::Program;
use anyhow::{Result, ensure};
use project_test_servers::postgres::{Database, Postgres};

/// More than 64 MiB of blocks that hold little: they are cut into ranges, and what comes out is small.
const SPARSE: &str = "
CREATE TABLE sparse (id int4 NOT NULL, name text, amount numeric(12,2), at timestamp) WITH (fillfactor = 10);
INSERT INTO sparse SELECT id, CASE WHEN id % 5 > 0 THEN md5(id::text) || repeat('-', 180) END, id / 4.0,
        timestamp '1999-12-31' + make_interval(secs => id)
    FROM generate_series(1, 40000) AS id";

const EVERY_VALUE: &str =
    "SELECT id, name, amount, to_char(at, 'YYYY-MM-DD HH24:MI:SS') || '.000000' FROM sparse ORDER BY id";

#[test]
fn several_workers_make_one_file_of_what_is_small_and_lose_no_row() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    database.execute(SPARSE)?;
    let size = crate::shop::value(&database, "SELECT pg_relation_size('sparse')")?;
    ensure!(size.parse::<u64>()? > 64 << 20, "{size} bytes are not cut into ranges");
    for (workers, engine) in [(1, "duckdb"), (2, "pyarrow"), (3, "duckdb"), (7, "pyarrow")] {
        let program = Program::new()?;
        let count = format!("--workers={workers}");
        let ended = program.run(&[&database.uri(), "--table=public.sparse", &count, "-v"])?.expect(0)?;
        // Whoever has read something has written a part of it.
        let finished = ended.stderr.matches("part finished").count();
        ensure!((workers.min(2)..=workers).contains(&finished), "{workers} workers, {finished} parts: {ended}");
        let table = program.lake().join("public_sparse");
        assert_eq!(parts(&table)?.len(), 1, "{workers} workers");
        compare_rows(&database, EVERY_VALUE, "id", (engine, &table))?;
    }
    Ok(())
}
