//! What the columnar writer writes, the Parquet reader reads: values, pages found by the page index, sizes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use arrow::array::{ArrayRef, Decimal64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use parquet::basic::Compression;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::reader::{FileReader, SerializedFileReader};
use project_parquet::{ColumnarWriter, Counters, ParquetFile, WriterSettings};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;

/// Columns with a dictionary, without one, with one that overflows, and with nulls.
fn batch(from: i64, rows: i64) -> RecordBatch {
    let keys = from..from + rows;
    let text = keys.clone().map(|key| (key % 5 != 0).then(|| format!("value {}", key % 7)));
    let unique = keys.clone().map(|key| format!("{key:036x}"));
    let cents = keys.clone().map(|key| key * 7919 % 1_000_003);
    let columns: [(&str, ArrayRef); 5] = [
        ("key", Arc::new(Int64Array::from_iter_values(keys.clone()))),
        ("few", Arc::new(text.collect::<StringArray>())),
        ("unique", Arc::new(StringArray::from_iter_values(unique))),
        ("cents", Arc::new(Decimal64Array::from_iter_values(cents).with_precision_and_scale(15, 2).unwrap())),
        ("none", Arc::new(Int32Array::from(vec![None; rows as usize]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn write(path: &Path, settings: &WriterSettings, batches: &[RecordBatch]) -> ParquetFile {
    let counters = Arc::new(Counters::default());
    let mut writer = ColumnarWriter::create(path, batches[0].schema(), settings, counters.clone()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    let file = writer.finish(None).unwrap();
    assert_eq!(file.bytes, path.metadata().unwrap().len());
    assert_eq!((file.rows, file.bytes), (counters.rows(), counters.bytes()));
    file
}

#[test]
fn values_come_back_from_every_row_group_and_page() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let settings = WriterSettings { row_group_rows: 60_000, row_group_bytes: usize::MAX, ..WriterSettings::new(1) };
    let batches: Vec<RecordBatch> = (0..10).map(|index| batch(index * 16_384, 16_384)).collect();
    write(&path, &settings, &batches);
    let expected = concat_batches(&batches[0].schema(), &batches).unwrap();

    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap().build().unwrap();
    let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let read = concat_batches(&read[0].schema(), &read).unwrap();
    for (column, expected) in read.columns().iter().zip(expected.columns()) {
        let column = arrow::compute::cast(column, expected.data_type()).unwrap();
        assert_eq!(&column, expected);
    }
}

#[test]
fn the_page_index_leads_to_the_right_page() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let settings = WriterSettings { row_group_rows: 100_000, row_group_bytes: usize::MAX, ..WriterSettings::new(6) };
    write(&path, &settings, &[batch(0, 150_000), batch(150_000, 30_000)]);
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    for at in [0, 19_999, 20_000, 99_999, 149_999, 150_000, 179_999] {
        let file = File::open(&path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options.clone()).unwrap();
        let selection = RowSelection::from(vec![RowSelector::skip(at), RowSelector::select(1)]);
        let mut rows = reader.with_row_selection(selection).build().unwrap();
        let row = rows.next().unwrap().unwrap();
        assert_eq!(row.num_rows(), 1);
        assert_eq!(row.slice(0, 1).column(0).to_data(), batch(at as i64, 1).column(0).to_data(), "row {at}");
        assert_eq!(row.column(2).to_data(), batch(at as i64, 1).column(2).to_data(), "row {at}");
    }
}

#[test]
fn the_footer_says_what_is_there() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let settings = WriterSettings { row_group_bytes: 1 << 20, ..WriterSettings::new(4) };
    let batches: Vec<RecordBatch> = (0..12).map(|index| batch(index * 16_384, 16_384)).collect();
    let file = write(&path, &settings, &batches);
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    assert!(reader.num_row_groups() > 1, "the limit in bytes was not kept");
    let (mut end, mut uncompressed) = (4, 0);
    for group in reader.metadata().row_groups() {
        for column in group.columns() {
            assert!(matches!(column.compression(), Compression::GZIP(_)));
            // Chunks lie one behind the other: their sizes are true.
            let (start, length) = column.byte_range();
            assert_eq!(start, end);
            end = start + length;
            assert!(column.uncompressed_size() > 0 && column.statistics().is_some());
            uncompressed += column.uncompressed_size();
        }
    }
    assert_eq!(file.uncompressed_bytes, uncompressed as u64);
}

#[test]
fn a_batch_of_nulls_does_not_hide_that_a_column_is_sorted() {
    let folder = tempdir().unwrap();
    let bytes = |name: &str, keys: &[Option<i64>]| {
        let batch = |keys: &[Option<i64>]| {
            let column: ArrayRef = Arc::new(Int64Array::from(keys.to_vec()));
            RecordBatch::try_from_iter_with_nullable([("key", column, true)]).unwrap()
        };
        let path = folder.path().join(name);
        write(&path, &WriterSettings::new(1), &[batch(&keys[..8]), batch(&keys[8..16]), batch(&keys[16..])]);
        path.metadata().unwrap().len()
    };
    // Every key twice: a dictionary would be worth it for any other order.
    let keys: Vec<Option<i64>> = (0..200_000).map(|row| Some(row / 2)).collect();
    let with_nulls = [&keys[..8], &[None; 8], &keys[8..]].concat();
    let (whole, with_nulls) = (bytes("whole", &keys), bytes("nulls", &with_nulls));
    assert!(with_nulls < whole + whole / 10, "{with_nulls} bytes instead of {whole}");
}
