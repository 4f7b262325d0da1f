//! COPY BINARY to Arrow, one column of each type: how long a batch of rows takes.
#![allow(missing_docs, reason = "criterion's macros write functions without documentation")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use project_postgres::catalog_type::CatalogType;
use project_postgres::{ColumnPlan, CopyDecoder, Decoding, Policies, TableName, TablePlan, TimestampUnit};
use std::hint::black_box;

const ROWS: i64 = 16_384;

/// A type, and the bytes that the server sends for the `number`th of a series of values.
type Column = (&'static str, Decoding, fn(i64) -> Vec<u8>);

const COLUMNS: [Column; 13] = [
    ("bool", Decoding::Bool, |number| vec![(number % 2) as u8]),
    ("int2", Decoding::Int16, |number| (number as i16).to_be_bytes().into()),
    ("int4", Decoding::Int32, |number| (number as i32).to_be_bytes().into()),
    ("int8", Decoding::Int64, |number| number.to_be_bytes().into()),
    ("float4", Decoding::Float32, |number| (number as f32 / 7.0).to_be_bytes().into()),
    ("float8", Decoding::Float64, |number| (number as f64 / 7.0).to_be_bytes().into()),
    ("numeric(15,2)", Decoding::Decimal { precision: 15, scale: 2 }, |number| numeric(&[number as u16 % 10_000, 2500])),
    ("numeric(38,8)", Decoding::Decimal { precision: 38, scale: 8 }, |number| {
        numeric(&[7, number as u16 % 10_000, 1234, 5678, 9])
    }),
    ("date", Decoding::Date, |number| (number as i32 % 9_000).to_be_bytes().into()),
    ("timestamptz", Decoding::Timestamp { utc: true, unit: TimestampUnit::Millis }, |number| {
        (number * 1_234_567).to_be_bytes().into()
    }),
    ("uuid", Decoding::Uuid, |number| (number as u128 * 0x9e37_79b9_7f4a_7c15).to_be_bytes().into()),
    ("text", Decoding::Text, |number| format!("carefully {number:x} ironic").into_bytes()),
    ("jsonb", Decoding::Jsonb, |number| [b"\x01", format!("{{\"number\": {number}}}").as_bytes()].concat()),
];

/// Groups of four digits, the last two of them behind the point.
fn numeric(groups: &[u16]) -> Vec<u8> {
    let header = [groups.len() as u16, groups.len().saturating_sub(2) as u16, 0, 2];
    header.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect()
}

/// The messages of a COPY: a header, a row each, the trailer.
fn messages(value: fn(i64) -> Vec<u8>) -> Vec<Vec<u8>> {
    let header = [b"PGCOPY\n\xff\r\n\0".as_slice(), &[0; 8]].concat();
    let row = |number| {
        let value = value(number);
        [&1i16.to_be_bytes()[..], &(value.len() as i32).to_be_bytes(), &value].concat()
    };
    let mut messages: Vec<Vec<u8>> = (0..ROWS).map(row).collect();
    messages[0].splice(0..0, header);
    messages.push((-1i16).to_be_bytes().into());
    messages
}

fn decoder(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, decoding, value) in COLUMNS {
        let column = ColumnPlan {
            name: "c".into(),
            lake_name: "c".into(),
            type_name: name.into(),
            data_type: CatalogType::Enum,
            decoding,
            not_null: true,
            policies: Policies::EXACT,
        };
        let plan = TablePlan { table: TableName::new("public", "t"), columns: vec![column], filter: None };
        let messages = messages(value);
        let mut decoder = CopyDecoder::new(&plan, usize::MAX);
        let mut read = || {
            for message in &messages {
                decoder.push(message)?;
            }
            decoder.end_of_stream()?;
            decoder.take_batch()
        };
        assert!(read().is_ok_and(|batch| batch.num_rows() as i64 == ROWS), "{name} is not decoded");
        group.bench_function(name, |bencher| bencher.iter(|| black_box(read().is_ok())));
    }
    group.finish();
}

criterion_group!(benches, decoder);
criterion_main!(benches);
