//! Files of writers that share no code with ours: pyarrow and DuckDB.

use crate::fixture::{Fixture, insertion};
use anyhow::{Context, Result};
use project_insert_data::InsertErrorKind::Data;
use project_insert_data::Mode;
use project_test_servers::python::run_python;

fn write(fixture: &Fixture, kind: &str) -> Result<project_insert_data::InputFile> {
    let path = fixture.path(&format!("{kind}.parquet"));
    run_python("tests/write_foreign_parquet.py", [kind, path.to_str().context("a path in UTF-8")?])?;
    Ok(fixture.file(&format!("{kind}.parquet")))
}

#[test]
fn pyarrows_types_arrive() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE t (id int PRIMARY KEY, big numeric(20), half float4, dictionary text, large text, day date,
            second timestamp, zoned timestamptz, wide numeric, list text[], fixed uuid, nothing inet, clock time, small int2)",
    )?;
    let done = fixture.run(&insertion(Mode::Insert, write(&fixture, "pyarrow")?))?;
    assert_eq!(done.inserted, 3);
    let rows = fixture.rows("SELECT * FROM t ORDER BY id")?;
    assert_eq!(
        rows,
        "1,18446744073709551615,0.5,a,große,1582-10-14,1970-01-01 00:00:01,2026-01-02 02:04:05.123457+00,\
         -1234567890123456789012345678901234567890.12345,{a,NULL,\"b \\\\\\\"\"},00010203-0405-0607-0809-0a0b0c0d0e0f,~,12:34:56.000001,-7;\
         2,0,NaN,b,,0001-01-01,9999-12-31 23:59:59,0001-01-01 00:00:00+00,0.00000,{},~,~,00:00:00,32767;\
         3,~,~,~,~,~,~,~,~,~,~,~,~,~"
    );
    Ok(())
}

#[test]
fn legacy_timestamps_keep_their_year() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY, at timestamp)")?;
    fixture.run(&insertion(Mode::Insert, write(&fixture, "int96")?))?;
    assert_eq!(fixture.rows("SELECT at FROM t ORDER BY id")?, "2026-01-02 03:04:05.678901;9999-12-31 23:59:59");
    Ok(())
}

#[test]
fn duckdbs_types_arrive() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE t (id bigint PRIMARY KEY, total bigint, amount numeric(18,3), u uuid, at timestamptz, ts timestamp, tags text[], j json)",
    )?;
    fixture.run(&insertion(Mode::Insert, write(&fixture, "duckdb")?))?;
    assert_eq!(
        fixture.rows("SELECT * FROM t ORDER BY id")?,
        "1,170141183460469231,1.500,12345678-1234-1234-1234-123456789abc,2026-01-02 03:04:05+00,2026-01-02 03:04:05.6,{a,b},{\"a\": 1}"
    );
    Ok(())
}

#[test]
fn what_has_no_place_is_refused_by_its_type() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY, s jsonb, m jsonb, f numeric, b text, l int[])")?;
    let file = write(&fixture, "nested")?;
    let words = ["\"s\" is a group", "\"m\" is a map", "\"f\" is FLOAT64", "\"b\" is BINARY", "\"l\" is LIST of LIST"];
    fixture.refuses(&insertion(Mode::Insert, file), Data, &words)?;
    let empty = insertion(Mode::Insert, write(&fixture, "no_columns")?);
    fixture.refuses(&empty, Data, &["no columns"])?;
    assert_eq!(fixture.run(&insertion(Mode::Insert, write(&fixture, "no_rows")?))?.rows_read, 0);
    Ok(())
}
