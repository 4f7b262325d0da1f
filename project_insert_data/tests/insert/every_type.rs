//! Values of every type of the matrix arrive as what they are, in both formats of COPY.

use crate::fixture::{Fixture, insertion};
use anyhow::Result;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, ListArray, RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, UInt64Array,
};
use arrow::datatypes::Int32Type;
use project_insert_data::Mode;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Strategy, any, prop_assert_eq};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::sync::Arc;

const TABLE: &str = "CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE t (id int PRIMARY KEY, b bool, i2 int2, i4 int4, i8 int8, u numeric, f4 float4, f8 float8,
        n numeric, p numeric(38,10), d date, ts timestamp, tz timestamptz, tm time, s text, bin bytea, l int4[], m mood";
/// One more column makes the whole file go as text.
const COLUMNS: &str = "id, b, i2, i4, i8, u, f4, f8, n, p, d, ts, tz, tm, s, bin, l, m";

/// A row of random values.
#[derive(Debug, Clone)]
struct Values {
    integers: Option<(i16, i32, i64, u64)>,
    floats: Option<(f32, f64)>,
    decimal: Option<i128>,
    scale_10: Option<i128>,
    day: Option<i32>,
    moment: Option<i64>,
    text: Option<String>,
    bytes: Option<Vec<u8>>,
    list: Option<Vec<Option<i32>>>,
    flag: Option<bool>,
}

fn values() -> impl Strategy<Value = Values> {
    const MICROS: i64 = 200_000_000_000_000_000;
    let digits = 10i128.pow(38) - 1;
    // Of every length, and not almost always of the greatest.
    let decimal = || (-digits..=digits, 0u32..127).prop_map(|(value, shift)| value >> shift);
    let numbers = (
        weighted(0.9, any::<(i16, i32, i64, u64)>()),
        weighted(0.9, any::<(f32, f64)>()),
        weighted(0.9, decimal()),
        weighted(0.9, decimal()),
    );
    let others = (
        weighted(0.9, -2_440_000..100_000_000),
        weighted(0.9, -MICROS..MICROS * 40),
        weighted(0.9, "[^\\x00]{0,12}"),
        weighted(0.9, vec(any::<u8>(), 0..8)),
        weighted(0.9, vec(weighted(0.8, any::<i32>()), 0..5)),
        weighted(0.9, any::<bool>()),
    );
    (numbers, others).prop_map(|((integers, floats, decimal, scale_10), (day, moment, text, bytes, list, flag))| {
        Values { integers, floats, decimal, scale_10, day, moment, text, bytes, list, flag }
    })
}

fn batch(rows: &[Values], by_text: bool) -> Result<RecordBatch> {
    fn column<T>(rows: &[Values], of: impl Fn(&Values) -> Option<T>) -> Vec<Option<T>> {
        rows.iter().map(of).collect()
    }
    let id = i32::try_from(rows.len())?;
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int32Array::from_iter_values(0..id))),
        ("b", Arc::new(BooleanArray::from(column(rows, |row| row.flag)))),
        ("i2", Arc::new(Int16Array::from(column(rows, |row| Some(row.integers?.0))))),
        ("i4", Arc::new(Int32Array::from(column(rows, |row| Some(row.integers?.1))))),
        ("i8", Arc::new(Int64Array::from(column(rows, |row| Some(row.integers?.2))))),
        ("u", Arc::new(UInt64Array::from(column(rows, |row| Some(row.integers?.3))))),
        ("f4", Arc::new(Float32Array::from(column(rows, |row| Some(row.floats?.0))))),
        ("f8", Arc::new(Float64Array::from(column(rows, |row| Some(row.floats?.1))))),
        ("n", Arc::new(Decimal128Array::from(column(rows, |row| row.decimal)).with_precision_and_scale(38, 17)?)),
        ("p", Arc::new(Decimal128Array::from(column(rows, |row| row.scale_10)).with_precision_and_scale(38, 10)?)),
        ("d", Arc::new(Date32Array::from(column(rows, |row| row.day)))),
        ("ts", Arc::new(TimestampMicrosecondArray::from(column(rows, |row| row.moment)))),
        (
            "tz",
            Arc::new(
                TimestampMillisecondArray::from(column(rows, |row| Some(row.moment? / 1000))).with_timezone("UTC"),
            ),
        ),
        (
            "tm",
            Arc::new(Time64MicrosecondArray::from(column(rows, |row| Some(row.moment?.rem_euclid(86_400_000_001))))),
        ),
        ("s", Arc::new(StringArray::from(column(rows, |row| row.text.clone())))),
        ("bin", Arc::new(BinaryArray::from(rows.iter().map(|row| row.bytes.as_deref()).collect::<Vec<_>>()))),
        ("l", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(column(rows, |row| row.list.clone())))),
        ("m", Arc::new(StringArray::from(column(rows, |row| Some(if row.flag? { "ok" } else { "sad" }))))),
    ];
    if by_text {
        columns.push(("x", Arc::new(StringArray::from(column(rows, |row| row.flag.map(|_| "10.0.0.1/8"))))));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))?)
}

/// What Postgres must print, made by SQL from literals that share no code with the encoder.
fn expected(fixture: &Fixture, rows: &[Values]) -> Result<Vec<Vec<Option<String>>>> {
    fn literal(value: Option<impl std::fmt::Display>, of: impl Fn(String) -> String) -> String {
        value.map_or("NULL".to_owned(), |value| of(value.to_string()))
    }
    let quoted = |text: String| format!("'{}'", text.replace('\'', "''"));
    let micros = |zone: &'static str| {
        move |text: String| {
            format!(
                "(timestamp '1970-01-01' + ({text}::numeric / 86400000000)::bigint * interval '1 day'
            + ({text} - ({text}::numeric / 86400000000)::bigint * 86400000000) * interval '1 microsecond'){zone}"
            )
        }
    };
    let lines = rows.iter().enumerate().map(|(id, row)| {
        let list = row.list.as_ref().map(|list| {
            list.iter().map(|item| item.map_or("NULL".to_owned(), |item| item.to_string())).collect::<Vec<_>>().join(",")
        });
        format!(
            "({id}, {}::bool, {}::int2, {}::int4, {}::int8, {}::numeric, {}::float4, {}::float8, {}::numeric, {}::numeric(38,10),
              {}, {}, {}, {}, {}::text, {}::bytea, {}::int4[], {}::mood)",
            literal(row.flag, |text| text),
            literal(row.integers.map(|all| all.0), quoted),
            literal(row.integers.map(|all| all.1), quoted),
            literal(row.integers.map(|all| all.2), quoted),
            literal(row.integers.map(|all| all.3), |text| text),
            literal(row.floats.map(|all| all.0), |text| quoted(text.replace("inf", "Infinity"))),
            literal(row.floats.map(|all| all.1), |text| quoted(text.replace("inf", "Infinity"))),
            literal(row.decimal, |text| format!("({text}::numeric * 0.00000000000000001)")),
            literal(row.scale_10, |text| format!("({text}::numeric * 0.0000000001)")),
            literal(row.day, |text| format!("(date '1970-01-01' + ({text}))")),
            literal(row.moment, micros("")),
            literal(row.moment.map(|moment| moment / 1000 * 1000), micros(" AT TIME ZONE 'UTC'")),
            literal(row.moment.map(|moment| moment.rem_euclid(86_400_000_001)), |text| {
                if text == "86400000000" { "time '24:00'".to_owned() } else { format!("(time '0:00' + {text} * interval '1 microsecond')") }
            }),
            literal(row.text.clone(), quoted),
            literal(row.bytes.as_ref().map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()), |text| quoted(format!("\\x{text}"))),
            literal(list, |text| quoted(format!("{{{text}}}"))),
            literal(row.flag, |text| quoted(if text == "true" { "ok".to_owned() } else { "sad".to_owned() })),
        )
    });
    let all = lines.collect::<Vec<_>>().join(",\n");
    fixture.database.query_text(&format!("SELECT * FROM (VALUES {all}) AS v({COLUMNS}) ORDER BY id"))
}

fn any_values_arrive(by_text: bool) -> Result<()> {
    let extra = if by_text { ", x inet" } else { "" };
    let fixture = Fixture::new(&format!("{TABLE}{extra})"))?;
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&vec(values(), 1..80), |rows| {
        let check = || -> Result<_> {
            fixture.database.execute("DELETE FROM t")?;
            let file = fixture.parquet("a.parquet", &[batch(&rows, by_text)?])?;
            let done = fixture.run(&insertion(Mode::Insert, file))?;
            let found = fixture.database.query_text(&format!("SELECT {COLUMNS} FROM t ORDER BY id"))?;
            Ok((done.inserted, found, expected(&fixture, &rows)?))
        };
        let (inserted, found, expected) = check().map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        prop_assert_eq!(inserted, rows.len() as u64);
        prop_assert_eq!(found, expected);
        Ok(())
    });
    outcome.map_err(|error| anyhow::anyhow!("{error}"))
}

#[test]
fn any_values_arrive_in_the_binary_format() -> Result<()> {
    any_values_arrive(false)
}

#[test]
fn any_values_arrive_in_the_text_format() -> Result<()> {
    any_values_arrive(true)
}
