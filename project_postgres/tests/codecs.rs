//! The decoders against the server: random values arrive as the text that Postgres itself writes for them.
//!
//! The values are the same in every run, and there are thousands of each type.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, TimeDelta};
use futures::TryStreamExt;
use project_postgres::catalog::relation;
use project_postgres::{
    ConnectionDefaults, ConnectionSettings, CopyDecoder, Policies, Source, TableName, TableOptions, TablePlan,
    TimestampUnit, whole_table,
};
use project_test_servers::postgres::{Database, Postgres};
use proptest::char::range;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

const VALUES: usize = 3_000;

fn generate(strategy: impl Strategy<Value = String>) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    (0..VALUES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// The values of the type, decoded, and beside each what `shown` makes of it on the server.
fn read(of_type: &str, values: &[String], shown: &str) -> (ArrayRef, Vec<String>) {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    let literals: Vec<String> = values.iter().map(|value| format!("('{}')", value.replace('\'', "''"))).collect();
    let setup = format!(
        "CREATE EXTENSION hstore; SET timezone = 'UTC';
         CREATE TABLE t (id serial, v {of_type}, shown text);
         INSERT INTO t (v) SELECT value::{of_type} FROM (VALUES {}) AS given(value);
         UPDATE t SET shown = {shown}",
        literals.join(",")
    );
    database.execute(&setup).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let batch = runtime.block_on(decode(&database));
    let shown = batch.column(2).as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect();
    (batch.column(1).clone(), shown)
}

async fn decode(database: &Database<'_>) -> RecordBatch {
    let settings = ConnectionSettings::parse(&database.uri(), &ConnectionDefaults::default()).unwrap();
    let mut connection = Source::new(settings, "test").connect_plain().await.unwrap();
    let found = relation(&mut connection, &TableName::new("public", "t")).await.unwrap().unwrap();
    let policies = Policies { timestamp_unit: TimestampUnit::Micros, ..Policies::EXACT };
    let plan = TablePlan::of(&found, &TableOptions::default(), policies).unwrap();
    let mut decoder = CopyDecoder::new(&plan, usize::MAX);
    decoder.begin(&whole_table(std::slice::from_ref(&found.storage), 1)[0]);
    let copy = "COPY (SELECT * FROM public.t ORDER BY id) TO STDOUT (FORMAT binary)";
    let mut stream = connection.copy_out_raw(copy).await.unwrap();
    while let Some(message) = stream.try_next().await.unwrap() {
        decoder.push(&message).unwrap();
    }
    decoder.end_of_stream().unwrap();
    decoder.take_batch().unwrap()
}

fn assert_all(of_type: &str, values: &[String], found: impl Iterator<Item = String>, shown: Vec<String>) {
    let found: Vec<String> = found.collect();
    assert_eq!((found.len(), shown.len()), (values.len(), values.len()));
    for ((value, found), shown) in values.iter().zip(found).zip(shown) {
        assert_eq!(found, shown, "{value}::{of_type}");
    }
}

/// For the types that the lake holds as the server's own text.
fn assert_text(of_type: &str, values: &[String]) {
    let (column, shown) = read(of_type, values, "v::text");
    assert_all(of_type, values, column.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()), shown);
}

fn digits(count: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = String> {
    // Long runs of zeros are where groups of four digits go wrong.
    vec(prop_oneof![Just('0'), Just('0'), range('0', '9')], count).prop_map(String::from_iter)
}

#[test]
fn numeric() {
    let strategy = (prop_oneof![Just(""), Just("-")], digits(1..=20), digits(0..=18));
    let values = generate(strategy.prop_map(|(sign, whole, fraction)| format!("{sign}{whole}.{fraction}")));
    let (column, shown) = read("numeric", &values, "trim_scale(v)::text");
    let text = |number: i128| {
        let (sign, number) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
        let (whole, fraction) = (number / 10u128.pow(18), format!("{:018}", number % 10u128.pow(18)));
        format!("{sign}{whole}.{}", fraction.trim_end_matches('0')).trim_end_matches('.').to_owned()
    };
    assert_all("numeric", &values, column.as_primitive::<Decimal128Type>().values().iter().copied().map(text), shown);
}

/// Microseconds since 1970 of moments from the year 1 to 9999, many of them of whole seconds.
fn moments() -> impl Strategy<Value = i64> {
    let unit = prop_oneof![Just(1i64), Just(1000), Just(1_000_000)];
    (-62_135_596_800_000_000i64..253_402_300_800_000_000, unit).prop_map(|(micros, unit)| micros / unit * unit)
}

/// As Postgres shows it: a fraction without zeros at its end.
fn moment(micros: i64) -> String {
    let moment = DateTime::UNIX_EPOCH + TimeDelta::microseconds(micros);
    let text = moment.format("%Y-%m-%d %H:%M:%S.%6f").to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[test]
fn dates_and_timestamps() {
    let values = generate(moments().prop_map(moment_literal));
    for (of_type, zone) in [("timestamp", ""), ("timestamptz", "+00")] {
        let (column, shown) = read(of_type, &values, "v::text");
        let found = column.as_primitive::<TimestampMicrosecondType>().values().iter();
        // Whole seconds end in zeros of their own.
        let found = found.map(|micros| match micros % 1_000_000 {
            0 => moment_literal(*micros)[..19].to_owned() + zone,
            _ => moment(*micros) + zone,
        });
        assert_all(of_type, &values, found, shown);
    }
    let (column, shown) = read("date", &values, "v::text");
    let days = column.as_primitive::<Date32Type>().values().iter();
    let found = days.map(|days| moment_literal(i64::from(*days) * 86_400_000_000)[..10].to_owned());
    assert_all("date", &values, found, shown);
}

fn moment_literal(micros: i64) -> String {
    (DateTime::UNIX_EPOCH + TimeDelta::microseconds(micros)).format("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

#[test]
fn times() {
    let unit = prop_oneof![Just(1i64), Just(1000), Just(1_000_000)];
    let values = generate((0i64..=86_400_000_000, unit).prop_map(|(micros, unit)| {
        let (micros, second) = (micros / unit * unit, 1_000_000);
        let (minutes, seconds) = (micros / second / 60, micros / second % 60);
        format!("{:02}:{:02}:{seconds:02}.{:06}", minutes / 60, minutes % 60, micros % second)
    }));
    assert_text("time", &values);
    let unit = prop_oneof![Just(1), Just(60), Just(1800), Just(3600)];
    let offsets = generate((-57_540i32..57_541, unit).prop_map(|(seconds, unit)| {
        let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / unit * unit);
        format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }));
    let with_offset: Vec<String> = values.iter().zip(offsets).map(|(time, offset)| time.clone() + &offset).collect();
    assert_text("timetz", &with_offset);
}

#[test]
fn intervals() {
    let small = || prop_oneof![Just(0i64), -40i64..40, -2_000_000i64..2_000_000];
    let micros = prop_oneof![Just(0i64), -10_000_000i64..10_000_000, -9_000_000_000_000_000i64..9_000_000_000_000_000];
    let strategy = (small(), small(), micros);
    let values = generate(strategy.prop_map(|(months, days, micros)| {
        format!("{months} mons {days} days {}.{:06} seconds", micros / 1_000_000, micros.abs() % 1_000_000)
    }));
    assert_text("interval", &values);
}

/// What the server's JSON says of a value.
fn json(shown: Vec<String>) -> Vec<String> {
    shown.iter().map(|shown| serde_json::from_str::<Value>(shown).unwrap().to_string()).collect()
}

fn texts(list: &dyn Array) -> Vec<Value> {
    list.as_string::<i32>().iter().map(|text| text.map_or(Value::Null, Value::from)).collect()
}

/// In quotes, as arrays and hstore take it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[test]
fn arrays() {
    let element = prop_oneof![Just("NULL".to_owned()), "[ -~é\u{1f600}]{0,12}".prop_map(|text| quoted(&text))];
    let values = generate(vec(element, 0..6).prop_map(|elements| format!("{{{}}}", elements.join(","))));
    let (column, shown) = read("text[]", &values, "to_json(v)::text");
    let lists = column.as_list::<i32>().iter();
    let found = lists.map(|list| Value::from(texts(&list.unwrap())).to_string());
    assert_all("text[]", &values, found, json(shown));

    let literal = |numbers: Vec<Option<i64>>| {
        let numbers = numbers.iter().map(|number| number.map_or("NULL".to_owned(), |number| number.to_string()));
        format!("{{{}}}", numbers.collect::<Vec<_>>().join(","))
    };
    let values = generate(vec(option::of(any::<i64>()), 0..6).prop_map(literal));
    let (column, shown) = read("int8[]", &values, "v::text");
    let lists = column.as_list::<i32>().iter();
    let found = lists.map(|list| literal(list.unwrap().as_primitive::<Int64Type>().iter().collect()));
    assert_all("int8[]", &values, found, shown);
}

#[test]
fn ranges() {
    let bound = || option::of(-1000i64..1000);
    let text = |bound: Option<i64>| bound.map_or(String::new(), |number| number.to_string());
    let strategy = (prop_oneof![Just('['), Just('(')], bound(), bound(), prop_oneof![Just(']'), Just(')')]);
    let values = generate(strategy.prop_map(move |(open, from, to, close)| {
        let (from, to) = if from > to && to.is_some() { (to, from) } else { (from, to) };
        format!("{open}{},{}{close}", text(from), text(to))
    }));
    let (column, shown) = read("int8range", &values, "v::text");
    let group = column.as_struct();
    let bounds = [0, 1].map(|index| group.column(index).as_primitive::<Int64Type>().clone());
    let flags = [2, 3, 4].map(|index| group.column(index).as_boolean().clone());
    let found = (0..group.len()).map(|row| {
        let [from, to] = bounds.each_ref().map(|bound| text(bound.is_valid(row).then(|| bound.value(row))));
        let open = if flags[0].value(row) { '[' } else { '(' };
        let close = if flags[1].value(row) { ']' } else { ')' };
        if flags[2].value(row) { "empty".to_owned() } else { format!("{open}{from},{to}{close}") }
    });
    assert_all("int8range", &values, found, shown);
}

#[test]
fn hstores() {
    let text = || "[ -~é]{0,8}".prop_map(|text| quoted(&text));
    let value = prop_oneof![Just("NULL".to_owned()), text()];
    let pair = (text(), value).prop_map(|(key, value)| format!("{key}=>{value}"));
    let values = generate(vec(pair, 0..5).prop_map(|pairs| pairs.join(",")));
    let (column, shown) = read("hstore", &values, "hstore_to_json(v)::text");
    let maps = column.as_map();
    let found = (0..maps.len()).map(|row| {
        let entries = maps.value(row);
        let keys = texts(entries.column(0)).into_iter().map(|key| key.as_str().unwrap().to_owned());
        Value::Object(keys.zip(texts(entries.column(1))).collect()).to_string()
    });
    assert_all("hstore", &values, found, json(shown));
}
