//! Nested columns are read back as they were written: lists, groups, maps, and each inside the other.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use arrow::array::{ArrayRef, Int32Array, Int64Array, ListArray, MapArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use parquet::file::metadata::PageIndexPolicy;
use project_parquet::{ColumnarWriter, Counters, WriterSettings};
use proptest::prelude::{Just, ProptestConfig, any, prop_oneof, proptest};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;

/// A small generator: the shape of the data matters, not its distribution.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % below
    }

    /// One in five is NULL.
    fn validity(&mut self, rows: usize) -> NullBuffer {
        (0..rows).map(|_| self.next(5) > 0).collect::<Vec<bool>>().into()
    }

    /// Some lists are empty, and now and then one is longer than a page.
    fn lengths(&mut self, rows: usize, long: bool) -> OffsetBuffer<i32> {
        let mut length = || match self.next(200) {
            0 if long => 40_000,
            number => number as usize % 4,
        };
        OffsetBuffer::from_lengths((0..rows).map(|_| length()))
    }
}

fn element(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", data_type, true))
}

fn last(offsets: &OffsetBuffer<i32>) -> usize {
    offsets[offsets.len() - 1] as usize
}

fn integers(numbers: &mut Numbers, rows: usize) -> ArrayRef {
    let valid = numbers.validity(rows);
    Arc::new((0..rows).map(|row| valid.is_valid(row).then(|| numbers.next(1000) as i64)).collect::<Int64Array>())
}

fn texts(numbers: &mut Numbers, rows: usize, bytes: usize) -> ArrayRef {
    let valid = numbers.validity(rows);
    let text = |number: u64| format!("{number:x}{}", "é".repeat(bytes / 2));
    Arc::new((0..rows).map(|row| valid.is_valid(row).then(|| text(numbers.next(50)))).collect::<StringArray>())
}

fn list(numbers: &mut Numbers, rows: usize, long: bool, values: &dyn Fn(&mut Numbers, usize) -> ArrayRef) -> ArrayRef {
    let offsets = numbers.lengths(rows, long);
    let values = values(numbers, last(&offsets));
    let nulls = numbers.validity(rows);
    Arc::new(ListArray::new(element(values.data_type().clone()), offsets, values, Some(nulls)))
}

fn group(numbers: &mut Numbers, rows: usize) -> ArrayRef {
    let required: ArrayRef = Arc::new(Int32Array::from_iter_values((0..rows).map(|_| numbers.next(9) as i32)));
    let columns = [integers(numbers, rows), required, list(numbers, rows, false, &|n, rows| texts(n, rows, 3))];
    let names = ["number", "flag", "words"];
    let fields: Fields = (names.iter().zip(&columns))
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), *name != "flag"))
        .collect();
    Arc::new(StructArray::new(fields, columns.to_vec(), Some(numbers.validity(rows))))
}

fn map(numbers: &mut Numbers, rows: usize) -> ArrayRef {
    let offsets = numbers.lengths(rows, false);
    let entries = last(&offsets);
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values((0..entries).map(|_| format!("k{}", numbers.next(9)))));
    let fields: Fields =
        vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)].into();
    let entries = StructArray::new(fields.clone(), vec![keys, texts(numbers, entries, 3)], None);
    let field = Arc::new(Field::new("key_value", DataType::Struct(fields), false));
    Arc::new(MapArray::new(field, offsets, entries, Some(numbers.validity(rows)), false))
}

fn batch(numbers: &mut Numbers, rows: usize, text_bytes: usize) -> RecordBatch {
    let columns = [
        ("flat", integers(numbers, rows)),
        ("integers", list(numbers, rows, true, &integers)),
        ("texts", list(numbers, rows, false, &|numbers, rows| texts(numbers, rows, text_bytes))),
        ("lists", list(numbers, rows, false, &|numbers, rows| list(numbers, rows, false, &integers))),
        ("group", group(numbers, rows)),
        ("groups", list(numbers, rows, false, &group)),
        ("map", map(numbers, rows)),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn write(path: &Path, settings: &WriterSettings, batches: &[RecordBatch]) {
    let counters = Arc::new(Counters::default());
    let mut writer = ColumnarWriter::create(path, batches[0].schema(), settings, counters).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish(None).unwrap();
}

/// All rows, or those of the selection, which the reader finds by the page index.
fn read(path: &Path, selection: Option<RowSelection>) -> Vec<RecordBatch> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(File::open(path).unwrap(), options).unwrap();
    let reader = match selection {
        Some(selection) => reader.with_row_selection(selection),
        None => reader,
    };
    reader.build().unwrap().map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read(
        seed in any::<u64>(),
        batch_rows in proptest::collection::vec(0usize..3_000, 1..5),
        text_bytes in prop_oneof![Just(0usize), Just(900)],
        row_group_rows in prop_oneof![Just(1_500usize), Just(1 << 20)],
    ) {
        let mut numbers = Numbers(seed);
        let batches: Vec<RecordBatch> =
            batch_rows.iter().map(|rows| batch(&mut numbers, *rows, text_bytes)).collect();
        let folder = tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        write(&path, &WriterSettings { row_group_rows, ..WriterSettings::new(1) }, &batches);
        let expected = concat_batches(&batches[0].schema(), &batches).unwrap();
        let found = concat_batches(&batches[0].schema(), &read(&path, None)).unwrap();
        assert_eq!(found.num_rows(), expected.num_rows());
        for (index, field) in expected.schema().fields().iter().enumerate() {
            assert_eq!(found.column(index), expected.column(index), "{}", field.name());
        }
        if expected.num_rows() > 0 {
            let row = numbers.next(expected.num_rows() as u64) as usize;
            let selection = RowSelection::from(vec![RowSelector::skip(row), RowSelector::select(1)]);
            let found = concat_batches(&expected.schema(), &read(&path, Some(selection))).unwrap();
            assert_eq!(found, expected.slice(row, 1), "row {row}");
        }
    }
}
