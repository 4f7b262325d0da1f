//! Arrow batches and records to a Parquet file: how long the rows of one row group take.
#![allow(missing_docs, reason = "criterion's macros write functions without documentation")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot write has nothing to measure")]

use arrow::array::{ArrayRef, Date32Array, Decimal64Array, Int64Array, RecordBatch, StringArray};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use project_bench::{LineItem, sample};
use project_parquet::{ColumnarWriter, Counters, TypedWriter, WriterSettings};
use std::path::Path;
use std::sync::Arc;

const BATCH_ROWS: i64 = 16_384;
const BATCHES: i64 = 8;

/// Columns of each kind: few and many distinct values, sorted and scattered, with and without NULL.
fn batch(from: i64) -> RecordBatch {
    let numbers = from..from + BATCH_ROWS;
    let scattered = |number: i64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).unsigned_abs();
    let text = |make: fn(u64) -> Option<String>| -> ArrayRef {
        Arc::new(numbers.clone().map(|number| make(scattered(number))).collect::<StringArray>())
    };
    let cents = numbers.clone().map(|number| (scattered(number) % 10_000_000) as i64);
    let days = numbers.clone().map(|number| (scattered(number) % 2_526) as i32);
    RecordBatch::try_from_iter_with_nullable([
        ("key", Arc::new(Int64Array::from_iter_values(numbers.clone())) as ArrayRef, false),
        ("cents", Arc::new(Decimal64Array::from_iter_values(cents).with_precision_and_scale(15, 2).unwrap()), false),
        ("day", Arc::new(Date32Array::from_iter_values(days)), false),
        ("few", text(|value| Some(["AIR", "RAIL", "SHIP"][value as usize % 3].to_owned())), false),
        ("some", text(|value| (value % 3 != 0).then(|| format!("value {}", value % 1000))), true),
        ("unique", text(|value| Some(format!("carefully {value:x} ironic deposits"))), false),
    ])
    .unwrap()
}

fn write_batches(path: &Path, batches: &[RecordBatch]) {
    let counters = Arc::new(Counters::default());
    let mut writer = ColumnarWriter::create(path, batches[0].schema(), &WriterSettings::new(2), counters).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish(None).unwrap();
}

fn write_records(path: &Path, records: Vec<LineItem>) {
    let mut writer = TypedWriter::create(path, &WriterSettings::new(2), Arc::new(Counters::default())).unwrap();
    writer.extend(records).unwrap();
    writer.finish().unwrap();
}

fn writers(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let rows = BATCHES * BATCH_ROWS;
    let mut group = criterion.benchmark_group("write");
    group.throughput(Throughput::Elements(rows as u64)).sample_size(20);
    let batches: Vec<RecordBatch> = (0..BATCHES).map(|index| batch(index * BATCH_ROWS)).collect();
    group.bench_function("batches of 6 columns", |bencher| bencher.iter(|| write_batches(&path, &batches)));
    for (index, name) in [(0, "key"), (1, "cents"), (2, "day"), (3, "few"), (4, "some"), (5, "unique")] {
        let column: Vec<RecordBatch> = batches.iter().map(|batch| batch.project(&[index]).unwrap()).collect();
        group.bench_function(name, |bencher| bencher.iter(|| write_batches(&path, &column)));
    }
    group.bench_function("records of 16 fields", |bencher| {
        let records = || (0..rows).map(sample).collect();
        bencher.iter_batched(records, |records| write_records(&path, records), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, writers);
criterion_main!(benches);
