//! Dates and times at the ends of calendars, and without any end.

use super::source::Source;
use crate::every_value::read_footer;
use crate::program::Program;
use anyhow::{Result, ensure};

const ENDLESS: &str = "
CREATE TYPE stay AS (day date, at timestamptz);
CREATE TABLE t (id int, days date[], stay stay, span daterange, instants tstzrange, spans tsmultirange, stays stay[]);
INSERT INTO t VALUES
    (1, '{infinity,2026-01-01,-infinity}', '(infinity,-infinity)', '[2026-01-01,infinity]', '[-infinity,infinity]',
        '{[-infinity,\"2026-01-01 00:00\"),[\"2026-02-01 00:00\",)}', '{\"(infinity,)\",NULL}'),
    (2, '{NULL}', '(,)', '(,)', '(,)', '{}', '{}'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL)";

#[test]
fn n09_infinity_inside_arrays_composites_and_ranges_obeys_the_policy() -> Result<()> {
    let source = Source::new(ENDLESS)?;
    source.run("public.t", &[])?.expect(0)?.says(&[
        "column \"days\": 2 values were infinite or out of range, clamped",
        "column \"stay\": 2 values were infinite or out of range, clamped",
        "column \"span\": 1 values were infinite or out of range, clamped",
        "column \"instants\": 2 values were infinite or out of range, clamped",
        "column \"spans\": 1 values were infinite or out of range, clamped",
        "column \"stays\": 1 values were infinite or out of range, clamped",
    ])?;
    let read = source.read("public_t")?;
    assert_eq!(read.column("days")?, ["{9999-12-31,2026-01-01,0001-01-01}", "{NULL}", "NULL"]);
    assert_eq!(read.column("stay")?, ["(9999-12-31,\"0001-01-01 00:00:00+00\")", "(,)", "NULL"]);
    assert_eq!(read.column("span")?, ["[2026-01-01,9999-12-31]", "(,)", "NULL"]);
    let instants = "[\"0001-01-01 00:00:00+00\",\"9999-12-31 23:59:59.999+00\"]";
    assert_eq!(read.column("instants")?, [instants, "(,)", "NULL"]);
    let first = r#"\"0001-01-01 00:00:00\",\"2026-01-01 00:00:00\""#;
    let spans = format!(r#"{{"[{first})","[\"2026-02-01 00:00:00\",)"}}"#);
    assert_eq!(read.column("spans")?, [&spans, "{}", "NULL"]);
    assert_eq!(read.column("stays")?, ["{\"(9999-12-31,)\",NULL}", "{}", "NULL"]);

    source.run("public.t", &["--infinity=null"])?.expect(0)?.says(&["column \"stay\": 2 values", "now NULL"])?;
    let read = source.read("public_t")?;
    assert_eq!(read.column("days")?, ["{NULL,2026-01-01,NULL}", "{NULL}", "NULL"]);
    assert_eq!(read.column("stay")?, ["(,)", "(,)", "NULL"]);
    assert_eq!(read.column("span")?, ["[2026-01-01,]", "(,)", "NULL"]);
    assert_eq!(read.column("instants")?, ["[,]", "(,)", "NULL"]);
    for column in ["days", "stay", "span", "instants", "spans", "stays"] {
        source.database.execute(&format!("CREATE VIEW only_{column} AS SELECT id, {column} FROM t"))?;
        let ended = source.run(&format!("public.only_{column}"), &["--infinity=error"])?.expect(65)?;
        ended.says(&[&format!("column \"{column}\""), "--infinity=clamp"])?;
    }
    Ok(())
}

#[test]
fn n10_the_years_1_and_9999_are_kept_and_others_obey_the_policy() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, day date, at timestamp, instant timestamptz);
         INSERT INTO t VALUES (1, '0001-01-01', '0001-01-01', '0001-01-01Z'),
             (2, '9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999Z'),
             (3, '0001-12-31 BC', '0001-12-31 23:59:59.999999 BC', '0001-12-31 23:59:59.999999Z BC'),
             (4, '10000-01-01', '10000-01-01', '10000-01-01Z'),
             (5, '4713-01-01 BC', '4713-01-01 BC', '4713-01-01Z BC'),
             (6, '5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999Z')",
    )?;
    for (unit, last) in [("millis", ".999"), ("micros", ".999999")] {
        let ended = source.run("public.t", &[&format!("--timestamp-unit={unit}")])?.expect(0)?;
        ended.says(&["column \"day\": 4 values", "column \"at\": 4 values", "column \"instant\": 4 values"])?;
        let read = source.read("public_t")?;
        let days = ["0001-01-01", "9999-12-31"];
        let pattern = |first: &str, last: &str| [first, last, first, last, first, last].map(str::to_owned).to_vec();
        assert_eq!(read.column("day")?, pattern(days[0], days[1]));
        let last = format!("9999-12-31 23:59:59{last}");
        assert_eq!(read.column("at")?, pattern("0001-01-01 00:00:00", &last));
        assert_eq!(read.column("instant")?, pattern("0001-01-01 00:00:00+00", &format!("{last}+00")));
    }
    source.run("public.t", &["--infinity=null"])?.expect(0)?;
    assert_eq!(source.read("public_t")?.column("at")?[2..], ["NULL"; 4]);
    source.run("public.t", &["--infinity=error"])?.expect(65)?.says(&["outside the years 1 to 9999"])?;
    Ok(())
}

#[test]
fn n11_dates_before_1582_are_those_of_the_gregorian_calendar_and_never_int96() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, day date, at timestamp, instant timestamptz, days date[]);
         INSERT INTO t SELECT row_number() OVER (), day, day, day::timestamp AT TIME ZONE 'UTC', ARRAY[day]
             FROM unnest(ARRAY[date '0001-01-01', '0004-02-29', '1066-10-14', '1500-03-01', '1582-10-04', '1582-10-15']) AS day",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    for column in ["day", "at", "instant", "days"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    let leaves = read_footer(&source.program.lake().join("public_t"))?.leaves;
    let physical: Vec<&str> = leaves.values().map(|leaf| leaf.physical.as_str()).collect();
    assert_eq!(physical, ["INT64", "INT32", "INT32", "INT32", "INT64"], "{:?}", leaves.keys());
    Ok(())
}

#[test]
fn n12_a_timestamp_is_never_shifted_and_a_timestamptz_is_utc() -> Result<()> {
    let mut source = Source::new(
        "CREATE TABLE t (id int, at timestamp, instant timestamptz, stay tstzrange, day date, span interval, bytes bytea,
             real float4, clock timetz, note text);
         INSERT INTO t VALUES (1, '2026-03-29 02:30', '2026-03-29 02:30+01', '[2026-03-29 02:30+01,)', '2026-03-29',
             '1 day', '\\x00', 0.1, '02:30+01', timestamptz '2026-03-29 02:30+01'::text)",
    )?;
    let columns = ["at", "instant", "stay", "day", "span", "bytes", "real", "clock", "note"];
    let expected = columns.map(|column| source.printed("t", column)).into_iter().collect::<Result<Vec<_>>>()?;
    // Whatever the server, the database or the role prefers.
    let name = source.database.name();
    for setting in [
        "TimeZone = 'Pacific/Chatham'",
        "DateStyle = 'German, DMY'",
        "IntervalStyle = 'iso_8601'",
        "bytea_output = 'escape'",
        "extra_float_digits = -15",
    ] {
        source.database.execute(&format!("ALTER DATABASE {name} SET {setting}"))?;
    }
    ensure!(source.printed("t", "instant")? != expected[1], "the settings have no effect");
    source.program = Program::new()?.with_environment([("TZ", "America/New_York".to_owned())]);
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    for (column, expected) in columns.iter().zip(&expected) {
        assert_eq!(&read.column(column)?, expected, "{column}");
    }
    let leaves = read_footer(&source.program.lake().join("public_t"))?.leaves;
    for (path, utc) in
        [("at", "isAdjustedToUTC=false"), ("instant", "isAdjustedToUTC=true"), ("stay.lower", "isAdjustedToUTC=true")]
    {
        ensure!(leaves[path].logical.contains(utc), "{path}: {}", leaves[path].logical);
    }
    Ok(())
}

#[test]
fn n14_midnight_at_the_end_of_a_day_and_offsets_are_kept_as_text() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, at time, zoned timetz, list timetz[]);
         INSERT INTO t VALUES (1, '24:00', '24:00+02', '{24:00+02,00:00-15:59:59,NULL}'),
             (2, '00:00', '00:00:00.000001-00:00:01', '{}'), (3, '23:59:59.999999', '2026-01-01 12:00 Asia/Kolkata', NULL)",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "at varchar, zoned varchar, list array(varchar)");
    assert_eq!(read.column("at")?, ["24:00:00", "00:00:00", "23:59:59.999999"]);
    for column in ["zoned", "list"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    Ok(())
}

#[test]
fn n15_the_parts_of_an_interval_keep_their_signs() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, span interval, list interval[]);
         INSERT INTO t SELECT row_number() OVER (), span, ARRAY[span, NULL, -span] FROM unnest(ARRAY[
             interval '1 mon -1 day', '-1 mon 1 day', '-1 year 1 mon -1 day 00:00:00.5', '1 year -1 mon 1 day -24:00',
             '30 days', '1 mon', '24:00', '0', '-1 us', '11 mons 100 days 1000:00:00.000001']) AS span",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    for column in ["span", "list"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    Ok(())
}
