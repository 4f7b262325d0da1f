//! The golden matrix: every type of the type table with the values that are hard for it, and NULL in every column.

pub(crate) mod column;
mod nested;
mod numbers;
mod texts;
mod times;

use crate::every_value::{ENGINES, Expected, Footer, KEY, compare_tables, read_footer, read_tables};
use crate::program::Program;
use anyhow::{Context, Result, anyhow, ensure};
use column::GoldenColumn;
use project_test_servers::postgres::{Database, Postgres};
use serde_json::Value;
use std::fmt::Write;
use std::sync::OnceLock;

/// The types that the columns are made of, besides those of the server.
pub(crate) const TYPES: &str = "
CREATE EXTENSION citext; CREATE EXTENSION cube; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('', 'sad', 'so, \"so\"', 'NULL', 'Ω');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN exact AS numeric(12,5);
CREATE DOMAIN rate AS exact NOT NULL DEFAULT 0 CHECK (value < 100);
ALTER DOMAIN rate DROP NOT NULL;
CREATE DOMAIN code AS varchar(3);
CREATE DOMAIN tags AS text[];
CREATE TYPE pair AS (a int, \"B\" text, c numeric(10,2), at timestamptz(3));
CREATE DOMAIN couple AS pair;
CREATE TYPE family AS (name text, pairs pair[], labels text[], days daterange, one pair, attributes hstore);
CREATE TYPE offer AS (price money, host inet, others money[]);
CREATE DOMAIN bargain AS offer;
CREATE DOMAIN fee AS money;
CREATE TYPE altered AS (a int, gone text, b text);
ALTER TYPE altered DROP ATTRIBUTE gone;
CREATE TABLE person (id int, gone date, name text, note varchar(3));
ALTER TABLE person DROP COLUMN gone;
CREATE TYPE twins AS (\"Id\" int, id int);
CREATE TYPE nothing AS ();
CREATE TYPE shift AS (day int, hours int4multirange);
CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE TYPE textrange AS RANGE (subtype = text);
CREATE TYPE listrange AS RANGE (subtype = int[]);
CREATE TYPE hostrange AS RANGE (subtype = inet);
";

/// 40,000 rows: more than a batch, and more than a page.
const LONG: &str = "
CREATE TABLE golden.long AS SELECT
    i AS id,
    CASE WHEN i % 7 > 0 THEN (SELECT array_agg(nullif(n, i % 5) * i) FROM generate_series(1, i % 6) AS n) END AS numbers,
    CASE WHEN i % 5 > 0 THEN (SELECT array_agg(CASE WHEN n < 4 THEN 'note ' || n || repeat('-', i % 13) END)
                              FROM generate_series(1, i % 5) AS n) ELSE '{}'::text[] END AS notes,
    CASE WHEN i % 11 > 0 THEN ROW(i, 'b' || i, i / 8.0, timestamptz '2026-01-01Z' + make_interval(secs => i))::pair END AS pair,
    CASE WHEN i % 3 > 0 THEN hstore('k' || i % 100, nullif(i % 4, 0)::text) || hstore('other', 'x') END AS attributes,
    CASE WHEN i % 13 > 0 THEN ARRAY[int4range(i, i + i % 9), NULL, '(,)'] END AS ranges,
    i / 7.0::float8 AS seventh,
    nullif(i % 3, 0) = 1 AS flag,
    md5(i::text) AS noise
FROM generate_series(1, 40000) AS i";

fn columns() -> impl Iterator<Item = &'static GoldenColumn> {
    [numbers::COLUMNS, times::COLUMNS, texts::COLUMNS, nested::COLUMNS].into_iter().flatten()
}

/// `golden.full`: a row for each value of the column that has most of them, and one of nothing but NULL. Nobody
/// changes it.
pub(crate) fn golden() -> Result<&'static Database<'static>> {
    static GOLDEN: OnceLock<Result<Database<'static>, String>> = OnceLock::new();
    let database = GOLDEN.get_or_init(|| fill().map_err(|error| format!("{error:#}")));
    database.as_ref().map_err(|message| anyhow!("{message}"))
}

fn fill() -> Result<Database<'static>> {
    let database = Database::create(Postgres::shared()?)?;
    let name = database.name();
    // What the server prints must not depend on where it runs.
    let mut sql = format!("ALTER DATABASE {name} SET TimeZone = 'UTC'; {TYPES} CREATE SCHEMA golden;");
    let declared = columns().map(|column| format!("{} {}", column.name, column.sql_type)).collect::<Vec<_>>();
    write!(sql, "CREATE TABLE golden.full (id int, {});", declared.join(", "))?;
    let most = columns().map(|column| column.values.len()).max().context("no columns")?;
    for row in 0..=most {
        let values = columns().map(|column| column.literal(row)).collect::<Vec<_>>();
        write!(sql, "INSERT INTO golden.full VALUES ({row}, {});", values.join(", "))?;
    }
    let required = declared.join(" NOT NULL, ");
    write!(sql, "CREATE TABLE golden.required (id int NOT NULL, {required} NOT NULL);")?;
    for row in 0..most {
        let values = columns().map(|column| column.literal(row % column.values.len())).collect::<Vec<_>>();
        write!(sql, "INSERT INTO golden.required VALUES ({row}, {});", values.join(", "))?;
    }
    write!(
        sql,
        "CREATE TABLE golden.empty (LIKE golden.full);
         CREATE TABLE golden.one AS SELECT * FROM golden.full WHERE id = 0;
         CREATE TABLE golden.nulls AS SELECT * FROM golden.full WHERE id = {most};
         CREATE TABLE golden.many AS SELECT (copy * 100 + id) AS id, {names}, md5(copy || '/' || id) AS noise
             FROM golden.full, generate_series(1, 100) AS copy;
         {LONG}",
        names = columns().map(|column| column.name).collect::<Vec<_>>().join(", ")
    )?;
    database.execute(&sql)?;
    Ok(database)
}

fn expected(table: &str, more: &str) -> Expected {
    let expressions = columns().map(GoldenColumn::expression).collect::<Vec<_>>().join(", ");
    let query = format!("SELECT id, {expressions}{more} FROM golden.{table} ORDER BY id");
    Expected { table: format!("golden_{table}"), query }
}

#[test]
fn every_value_of_every_type_is_read_as_postgres_prints_it() -> Result<()> {
    let (database, program) = (golden()?, Program::new()?);
    let tables = ["full", "required", "one", "empty", "nulls"];
    let selection = tables.map(|table| format!("golden.{table}")).join(",");
    let ended = program.publish(&database.uri(), &selection)?.expect(0)?;
    // Nothing in the matrix needs a policy.
    assert_eq!(ended.stderr.matches("now NULL").count() + ended.stderr.matches("clamped").count(), 0, "{ended}");
    for engine in ENGINES {
        let expected = tables.map(|table| expected(table, ""));
        let found = compare_tables(database, &program.lake(), engine, &expected)?;
        let rows = found.iter().map(|table| table.rows.len()).collect::<Vec<_>>();
        ensure!(rows[0] == rows[1] + 1 && rows[1] > 20 && rows[2..] == [1, 0, 1], "{engine}: {rows:?}");
    }
    Ok(())
}

#[test]
fn every_value_survives_several_row_groups() -> Result<()> {
    let (database, program) = (golden()?, Program::new()?);
    let little = ["--memory=32MiB", "--workers=96"];
    program.run(&[&[database.uri().as_str(), "--table=golden.many,golden.long"], &little[..]].concat())?.expect(0)?;
    for table in ["golden_many", "golden_long"] {
        let groups = read_footer(&program.lake().join(table))?.row_groups;
        ensure!(groups > 2, "{table} has {groups} row groups");
    }
    let long = Expected { table: "golden_long".into(), query: "SELECT * FROM golden.long ORDER BY id".into() };
    for (engine, expected) in ENGINES.into_iter().zip([expected("many", ", noise"), long]) {
        compare_tables(database, &program.lake(), engine, &[expected])?;
    }
    Ok(())
}

#[test]
fn every_value_survives_several_pages_in_one_row_group() -> Result<()> {
    let (database, program) = (golden()?, Program::new()?);
    program.run(&[&database.uri(), "--table=golden.long"])?.expect(0)?;
    assert_eq!(read_footer(&program.lake().join("golden_long"))?.row_groups, 1);
    let long = Expected { table: "golden_long".into(), query: "SELECT * FROM golden.long ORDER BY id".into() };
    compare_tables(database, &program.lake(), "pyarrow", &[long])?;
    Ok(())
}

#[test]
fn readers_find_the_types_that_check_has_promised_whatever_is_in_the_table() -> Result<()> {
    let (database, program) = (golden()?, Program::new()?);
    let selection = "--table=golden.full,golden.empty,golden.nulls,golden.required";
    let ended = program.run(&["check", &database.uri(), selection, "--format=json"])?.expect(0)?;
    program.run(&[&database.uri(), selection])?.expect(0)?;
    let promised: Vec<Value> = serde_json::from_str(&ended.stdout)?;
    for engine in ENGINES {
        let tables = ["full", "empty", "nulls", "required"];
        let folders = tables.map(|table| format!("golden_{table}"));
        let found = read_tables(engine, &program.lake(), folders.iter().map(String::as_str))?;
        for (table, found) in tables.iter().zip(found) {
            let promised = promised.iter().filter(|line| line["task"] == format!("golden.{table}"));
            let promised = promised.map(|line| format!("{} {}", line["lake"], line["athena"]));
            let found = found.columns.iter().map(|column| format!("{:?} {:?}", column.name, column.athena));
            assert_eq!(found.collect::<Vec<_>>(), promised.collect::<Vec<_>>(), "{table} by {engine}");
        }
    }
    Ok(())
}

#[test]
fn footers_count_the_nulls_that_another_writer_counts() -> Result<()> {
    let (database, program) = (golden()?, Program::new()?);
    program.run(&[&database.uri(), "--table=golden.full,golden.required,golden.long"])?.expect(0)?;
    for table in ["golden_full", "golden_required", "golden_long"] {
        let Footer { leaves, .. } = read_footer(&program.lake().join(table))?;
        ensure!(table == "golden_long" || leaves.len() > 200, "{table} has {} leaves", leaves.len());
        for (path, leaf) in leaves {
            let nulls = leaf.statistics.iter().map(|statistics| statistics["nulls"].as_u64()).sum::<Option<u64>>();
            assert_eq!(nulls, Some(leaf.nulls), "{table}: {path}");
        }
    }
    Ok(())
}

#[test]
fn the_embedded_engine_prints_the_same() -> Result<()> {
    let (database, program) = (golden()?, Program::new()?);
    program.run(&[&database.uri(), "--table=golden.full"])?.expect(0)?;
    let kinds = read_tables("pyarrow", &program.lake(), ["golden_full"])?.remove(0).columns;
    // Its forms of timestamps, floats and nested values are its own.
    let alike = |kind: &str| {
        ["integer", "smallint", "bigint", "date", "varchar"].contains(&kind) || kind.starts_with("decimal")
    };
    let alike: Vec<_> = columns().zip(&kinds[1..]).filter(|(_, found)| alike(&found.athena)).collect();
    ensure!(alike.len() > 50, "only {} columns are compared", alike.len());
    let casts: Vec<String> =
        alike.iter().map(|(column, _)| format!("CAST({0} AS VARCHAR) AS {0}", column.name)).collect();
    let sql = format!("SELECT {} FROM golden_full ORDER BY {KEY}", casts.join(", "));
    let rows: Vec<Value> = serde_json::from_str(&program.run(&["query", &sql, "--format=json"])?.expect(0)?.stdout)?;
    let expressions: Vec<String> = alike.iter().map(|(column, _)| column.expression()).collect();
    let query = format!("SELECT {} FROM golden.full ORDER BY {KEY}", expressions.join(", "));
    let expected = database.query_text(&query)?;
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(&expected) {
        for ((column, _), expected) in alike.iter().zip(expected) {
            assert_eq!(row[column.name].as_str(), expected.as_deref(), "{} ({})", column.name, column.sql_type);
        }
    }
    // The others it can at least print.
    let all = program.run(&["query", "SELECT * FROM golden_full", "--format=json"])?.expect(0)?.stdout;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&all)?.len(), expected.len());
    Ok(())
}
