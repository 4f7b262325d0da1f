//! Tables whose rows lie in partitions.

use super::every_row::compare_rows;
use crate::program::Program;
use anyhow::{Context, Result};
use project_test_servers::postgres::{Database, Postgres};

/// A leaf with another order of columns and a hole where one was dropped, leaves below a leaf, one without rows, and one
/// for what fits nowhere else.
const SALES: &str = "
CREATE TABLE sales (id int8 NOT NULL, day date, amount numeric(12,2), note text, at timestamptz, tags text[], ok bool)
    PARTITION BY RANGE (day);
CREATE TABLE sales_2025 PARTITION OF sales FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE sales_2026_01 (note text, gone int, ok bool, tags text[], day date, amount numeric(12,2),
    id int8 NOT NULL, at timestamptz);
ALTER TABLE sales_2026_01 DROP COLUMN gone;
ALTER TABLE sales ATTACH PARTITION sales_2026_01 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE sales_2026_02 PARTITION OF sales FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')
    PARTITION BY HASH (id);
CREATE TABLE sales_2026_02_even PARTITION OF sales_2026_02 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE sales_2026_02_odd PARTITION OF sales_2026_02 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE sales_2026_03 PARTITION OF sales FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
CREATE TABLE sales_rest PARTITION OF sales DEFAULT;
";

const ROWS: &str = "
INSERT INTO sales SELECT id, nullif(date '2025-12-01' + id % 90, '2026-01-13'), id / 8.0,
        CASE WHEN id % 7 > 0 THEN 'note ' || id END, timestamptz '1969-12-31Z' + make_interval(secs => id * 61.007),
        ARRAY['a', id::text, NULL], id % 3 = 0
    FROM generate_series(1, 3000) AS id;
INSERT INTO sales VALUES (3001, '2031-01-01', -1, '', NULL, '{}', NULL)";

const EVERY_VALUE: &str = "
SELECT id, day, amount, note, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') || '000', to_json(tags)::text,
    CASE ok WHEN true THEN 'true' WHEN false THEN 'false' END
FROM sales ORDER BY id";

fn sales() -> Result<Database<'static>> {
    let database = Database::create(Postgres::shared()?)?;
    database.execute(SALES)?;
    database.execute(ROWS)?;
    Ok(database)
}

fn check(database: &Database<'_>, uri: &str) -> Result<()> {
    for (workers, engine) in [("--workers=1", "duckdb"), ("--workers=4", "pyarrow")] {
        let program = Program::new()?;
        program.run(&[uri, "--table=public.sales", workers])?.expect(0)?;
        compare_rows(database, EVERY_VALUE, "id", (engine, &program.lake().join("public_sales")))?;
    }
    Ok(())
}

#[test]
fn every_row_of_every_leaf_arrives_once() -> Result<()> {
    let database = sales()?;
    check(&database, &database.uri())
}

#[test]
fn leaves_are_read_by_themselves() -> Result<()> {
    let database = sales()?;
    database.execute("INSERT INTO sales VALUES (3002, '2026-02-02', 'NaN')")?;
    let ended = Program::new()?.run(&[&database.uri(), "--table=public.sales", "--nan=error"])?.expect(65)?;
    ended.says(&["public.sales, all of public.sales_2026_02_", "column \"amount\" (numeric(12,2))"])?;
    Ok(())
}

#[test]
fn a_role_that_may_read_the_table_and_not_its_leaves_gets_every_row() -> Result<()> {
    for rights in [
        "GRANT SELECT ON sales, sales_2025, sales_2026_02_odd TO locked",
        // Enough to see the leaves, and not to read them.
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO locked; REVOKE SELECT ON sales_rest FROM locked;
         GRANT SELECT (id, day) ON sales_rest TO locked",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO locked; ALTER TABLE sales_rest ENABLE ROW LEVEL SECURITY",
    ] {
        let database = sales()?;
        database.execute(rights)?;
        let uri = database.uri_with_password("locked");
        check(&database, &uri).with_context(|| rights)?;
    }
    Ok(())
}

#[test]
fn a_leaf_on_another_server_is_read_with_the_others() -> Result<()> {
    let database = sales()?;
    database.execute(&format!(
        "CREATE TABLE far (LIKE sales);
         INSERT INTO far SELECT id, '2026-04-01', id, 'far', NULL, NULL, false FROM generate_series(5001, 5300) AS id;
         CREATE EXTENSION postgres_fdw;
         CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{}', dbname '{}');
         CREATE USER MAPPING FOR CURRENT_USER SERVER loop OPTIONS (user 'postgres');
         CREATE FOREIGN TABLE sales_far PARTITION OF sales FOR VALUES FROM ('2026-04-01') TO ('2026-05-01')
             SERVER loop OPTIONS (table_name 'far')",
        database.server().port(),
        database.name()
    ))?;
    check(&database, &database.uri())
}

#[test]
fn a_partitioned_table_without_rows_or_without_leaves_is_one_empty_file() -> Result<()> {
    let database = sales()?;
    database.execute("TRUNCATE sales; CREATE TABLE bare (id int) PARTITION BY LIST (id)")?;
    let program = Program::new()?;
    program.run(&[&database.uri(), "--table=public.sales,public.bare"])?.expect(0)?;
    for (table, columns) in [("public_sales", 7), ("public_bare", 1)] {
        for found in crate::independent_reader::read(&program.lake().join(table))? {
            assert_eq!((found.rows, found.columns.len()), (0, columns), "{table}");
        }
    }
    Ok(())
}
