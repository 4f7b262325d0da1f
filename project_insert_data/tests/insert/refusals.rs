//! What the table refuses, and what keeps rows away from it: rolled back, and told without a value.

use crate::fixture::{Fixture, insertion};
use anyhow::Result;
use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use project_insert_data::InsertErrorKind::Data;
use project_insert_data::Mode;
use project_postgres::TableName;
use std::sync::Arc;

#[test]
fn constraints_and_triggers_are_named() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE other (id int PRIMARY KEY);
         CREATE TABLE t (id int PRIMARY KEY, u text CONSTRAINT only_one UNIQUE, n text NOT NULL DEFAULT '',
            o int CONSTRAINT needs_other REFERENCES other, c text CONSTRAINT never_that CHECK (c <> 'canary'));
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', NEW.u; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id = 7) EXECUTE FUNCTION refuse();
         INSERT INTO t (id, u) VALUES (1, 'canary')",
    )?;
    for (text, words) in [
        ("id,u\n2,canary\n", &["only_one", "\"t\"", "23505"][..]),
        ("id,n\n2,\n", &["NOT NULL column \"n\"", "23502"]),
        ("id,o\n2,5\n", &["needs_other", "23503"]),
        ("id,c\n2,canary\n", &["never_that", "23514"]),
        ("id,u\n7,canary2\n", &["trigger", "P0001"]),
    ] {
        fixture.refuses(&insertion(Mode::Upsert, fixture.csv("a.csv", text)?), Data, words)?;
    }
    Ok(())
}

#[test]
fn a_deferred_constraint_rolls_back_at_the_commit() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE t (id int PRIMARY KEY, parent int CONSTRAINT later REFERENCES t DEFERRABLE INITIALLY DEFERRED)",
    )?;
    fixture.refuses(&insertion(Mode::Insert, fixture.csv("a.csv", "id,parent\n2,1\n")?), Data, &["later", "23503"])?;
    let fits = fixture.csv("a.csv", "id,parent\n2,1\n1,2\n")?;
    assert_eq!(fixture.insert(Mode::Insert, fits)?.inserted, 2);
    Ok(())
}

#[test]
fn a_trigger_or_rule_that_keeps_rows_away_is_noticed() -> Result<()> {
    let swallow = "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF coalesce(NEW.id, 0) = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$;
        CREATE TRIGGER swallow BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION swallow();";
    let rule = "CREATE RULE nothing AS ON INSERT TO t DO INSTEAD NOTHING;";
    for hindrance in [swallow, rule] {
        let fixture = Fixture::new(&format!("CREATE TABLE t (id int PRIMARY KEY, n text); {hindrance}"))?;
        for mode in [Mode::Insert, Mode::Upsert, Mode::Replace] {
            let insertion = insertion(mode, fixture.csv("a.csv", "id,n\n1,a\n2,b\n")?);
            fixture.refuses(&insertion, Data, &["the input has 2 rows", "trigger or rule"])?;
        }
    }
    Ok(())
}

#[test]
fn only_tables_take_rows() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t;
        CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent)")?;
    for (name, word) in [("v", "a view"), ("m", "materialized"), ("parent", "inherit"), ("nothing", "no table")] {
        let mut insertion = insertion(Mode::Insert, fixture.csv("a.csv", "id\n1\n")?);
        insertion.table = TableName::new("public", name);
        let error = fixture.run(&insertion).unwrap_err();
        assert!(error.kind() == Data && error.to_string().contains(word), "{error}");
    }
    Ok(())
}

#[test]
fn the_key_must_be_in_both_and_comparable() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY, j json, i int GENERATED ALWAYS AS IDENTITY)")?;
    for (text, key, words) in [
        ("id,j\n1,{}\n", vec!["j"], &["cannot be compared"][..]),
        ("id,j\n1,{}\n", vec!["x"], &["no column \"x\"", "--key"]),
        ("id\n1\n", vec!["j"], &["lacks \"j\", a column of the key"]),
        ("id\n1\n", vec!["id", "id"], &["names \"id\" twice"]),
        ("id,i\n1,2\n", vec!["id"], &["GENERATED ALWAYS AS IDENTITY"]),
    ] {
        let mut insertion = insertion(Mode::Insert, fixture.csv("a.csv", text)?);
        insertion.key = Some(key.into_iter().map(str::to_owned).collect());
        fixture.refuses(&insertion, Data, words)?;
    }
    Ok(())
}

#[test]
fn a_value_that_does_not_fit_is_named_by_row_and_column() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(6,2), at timestamp, f float4, v varchar(3), j jsonb, u uuid, d date)",
    )?;
    let decimals =
        |value| Arc::new(Decimal128Array::from(vec![100, value]).with_precision_and_scale(20, 4).unwrap()) as ArrayRef;
    let texts = |value| Arc::new(StringArray::from(vec![None, Some(value)])) as ArrayRef;
    for (column, values, words) in [
        ("id", Arc::new(Int64Array::from(vec![1, 1 << 31])) as ArrayRef, "out of the range"),
        ("n", decimals(12_345), "more decimals"),
        ("n", decimals(100_000_000), "out of the range"),
        ("at", Arc::new(TimestampNanosecondArray::from(vec![1000, 1001])) as ArrayRef, "microsecond"),
        (
            "at",
            Arc::new(arrow::array::TimestampMillisecondArray::from(vec![0, i64::MAX])) as ArrayRef,
            "out of the range",
        ),
        ("f", Arc::new(Float64Array::from(vec![0.5, 0.1])) as ArrayRef, "not exact"),
        ("v", texts("canary"), "cut"),
        ("v", texts("abc "), "cut"),
        ("v", texts("a\0"), "NUL"),
        ("j", texts("{canary"), "does not take"),
        ("u", texts("canary"), "not a UUID"),
        ("d", texts("canary"), "does not take"),
    ] {
        let mut columns: Vec<(&str, ArrayRef)> = vec![(column, values)];
        if column != "id" {
            columns.push(("id", Arc::new(Int64Array::from(vec![1, 2]))));
        }
        let file = fixture.parquet("a.parquet", &[RecordBatch::try_from_iter(columns)?])?;
        let place = format!("column \"{column}\"");
        fixture.refuses(&insertion(Mode::Insert, file), Data, &["row 2", "a.parquet", &place, words])?;
    }
    Ok(())
}

/// Whatever the server would round or cut without a word, in both formats of COPY and in CSV.
#[test]
fn nothing_is_rounded_or_cut_to_the_bounds_of_a_column() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE DOMAIN short AS varchar(3);
         CREATE TABLE t (id int PRIMARY KEY, ts timestamp(0), tz timestamptz(3), tm time(0), iv interval(0), ym interval year,
            v varchar(3), c char(3), s short, va varchar(3)[], na numeric(4,1)[], ta timestamp(0)[], x inet)",
    )?;
    let moment = || Arc::new(TimestampMicrosecondArray::from(vec![None, Some(600_001)])) as ArrayRef;
    let texts = |value| Arc::new(StringArray::from(vec![None, Some(value)])) as ArrayRef;
    let by_text = ("x", Arc::new(StringArray::from(vec![None::<&str>; 2])) as ArrayRef);
    for (column, values) in [
        ("ts", moment()),
        ("tz", moment()),
        ("tm", Arc::new(Time64MicrosecondArray::from(vec![None, Some(600_000)])) as ArrayRef),
        ("iv", texts("0.6 s")),
        ("ym", texts("1 mon")),
        ("v", texts("abc ")),
        ("c", texts("canary")),
        ("s", texts("abc ")),
    ] {
        let id = || ("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef);
        for columns in [vec![id(), (column, values.clone())], vec![id(), (column, values), by_text.clone()]] {
            let file = fixture.parquet("a.parquet", &[RecordBatch::try_from_iter(columns)?])?;
            let place = format!("column \"{column}\"");
            let words = [&*place, "1 value, the first in row 2 of a.parquet"];
            fixture.refuses(&insertion(Mode::Insert, file), Data, &words)?;
        }
    }
    for (column, value) in [
        ("ts", "2026-01-01 00:00:00.6"),
        ("v", "abc "),
        ("va", "\"{ab,\"\"abc \"\"}\""),
        ("na", "\"{1,NULL,1.25}\""),
        ("na", "{1000}"),
        ("ta", "{2026-01-01 00:00:00.6}"),
    ] {
        let file = fixture.csv("a.csv", format!("id,{column}\n1,\n2,{value}\n"))?;
        let place = format!("column \"{column}\"");
        fixture.refuses(&insertion(Mode::Insert, file), Data, &[&place, "the first in row 2 of a.csv"])?;
    }
    let fits = "id,ts,tz,tm,iv,ym,v,c,s,va,na,ta\n\
                1,2026-01-01 00:00:01,infinity,24:00,1 mon -1 day,1 year,äöü,a,ab,\"{ab,NULL}\",\"{1,NaN,999.9}\",{}\n\
                2,,,,,,,,,,,\n";
    for unchanged in [0, 2] {
        let done = fixture.insert(Mode::Replace, fixture.csv("a.csv", fits)?)?;
        assert_eq!((done.rows_read, done.unchanged), (2, unchanged));
    }
    assert_eq!(
        fixture
            .rows("SELECT ts, tz, tm, iv, ym, v, c::text || '|', octet_length(c), s, va, na, ta FROM t WHERE id = 1")?,
        "2026-01-01 00:00:01,infinity,24:00:00,1 mon -1 days,1 year,äöü,a|,3,ab,{ab,NULL},{1.0,NaN,999.9},{}"
    );
    Ok(())
}

#[test]
fn a_damaged_file_is_refused() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id bigint PRIMARY KEY)")?;
    let batch = RecordBatch::try_from_iter([("id", Arc::new(Int64Array::from_iter_values(0..100_000)) as ArrayRef)])?;
    let file = fixture.parquet("a.parquet", &[batch])?;
    let mut bytes = std::fs::read(&file.path)?;
    std::fs::write(&file.path, &bytes[..bytes.len() / 2])?;
    fixture.refuses(&insertion(Mode::Insert, file.clone()), Data, &["a.parquet", "not a Parquet file"])?;
    let middle = bytes.len() / 4..bytes.len() / 3;
    bytes[middle].fill(0xAA);
    std::fs::write(&file.path, &bytes)?;
    let outcome = fixture.insert(Mode::Insert, file);
    // Whether the pages still decode is chance; that no half of them stays is not.
    let rows = fixture.rows("SELECT count(*) FROM t")?;
    assert!(rows == if outcome.is_ok() { "100000" } else { "0" }, "{outcome:?}: {rows}");
    Ok(())
}
