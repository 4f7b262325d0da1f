//! Whatever is written is read back: every type, with and without NULL, few and many distinct values, any batches, any
//! row groups; and statistics tell the truth.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal32Array, Decimal64Array, Decimal128Array,
    Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch, Scalar, StringArray,
    TimestampMillisecondArray,
};
use arrow::compute::kernels::cmp::{gt_eq, lt_eq};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::PageIndexPolicy;
use project_parquet::{ColumnarWriter, Counters, ParquetFile, WriterSettings, concatenate};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;

/// How the values of a column are spread.
#[derive(Debug, Clone, Copy)]
enum Spread {
    Constant,
    Few,
    Sorted,
    Unique,
    /// Unique at first, then few: the dictionary is given up or overflows.
    Changing,
}

impl Spread {
    fn number(self, row: i64) -> i64 {
        let scattered = row.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) >> 20;
        match self {
            Self::Constant => 7,
            Self::Few => scattered.rem_euclid(13) - 6,
            Self::Sorted => row / 3,
            Self::Unique => scattered,
            Self::Changing if row < 40_000 => scattered,
            Self::Changing => row % 5,
        }
    }
}

/// Every type that the writer takes, made of the same numbers; every `null_every`th row is NULL.
fn batch(spread: Spread, null_every: Option<i64>, rows: std::ops::Range<i64>, text_bytes: usize) -> RecordBatch {
    let numbers: Vec<Option<i64>> =
        rows.map(|row| (null_every.is_none_or(|every| row % every != 0)).then(|| spread.number(row))).collect();
    let of = |make: &dyn Fn(i64) -> i64| numbers.iter().map(|number| number.map(make)).collect::<Vec<_>>();
    let text = |number: i64| format!("{number:x}{}", "é".repeat(text_bytes / 2));
    let short = of(&|number| number % 30_000);
    let (int, large) = (of(&|number| number % (1 << 31)), of(&|number| number % 1_000_000_000));
    let days: Vec<Option<i32>> = of(&|number| number % 1_000_000).iter().map(|day| day.map(|day| day as i32)).collect();
    let instants = of(&|number| number % (1 << 45));
    let columns: [(&str, ArrayRef); 14] = [
        ("bool", Arc::new(numbers.iter().map(|n| n.map(|n| n % 2 == 0)).collect::<BooleanArray>())),
        ("int16", Arc::new(short.iter().map(|n| n.map(|n| n as i16)).collect::<Int16Array>())),
        ("int32", Arc::new(int.iter().map(|n| n.map(|n| n as i32)).collect::<Int32Array>())),
        ("int64", Arc::new(Int64Array::from(numbers.clone()))),
        ("float32", Arc::new(numbers.iter().map(|n| n.map(|n| n as f32 / 3.0)).collect::<Float32Array>())),
        ("float64", Arc::new(numbers.iter().map(|n| n.map(|n| n as f64 / 3.0)).collect::<Float64Array>())),
        ("decimal32", decimal32(&large)),
        ("decimal64", Arc::new(Decimal64Array::from(large.clone()).with_precision_and_scale(18, 2).unwrap())),
        ("decimal128", decimal128(&numbers)),
        ("date", Arc::new(Date32Array::from(days))),
        ("timestamp", Arc::new(TimestampMillisecondArray::from(instants.clone()))),
        ("instant", Arc::new(TimestampMillisecondArray::from(instants).with_timezone("UTC"))),
        ("text", Arc::new(numbers.iter().map(|n| n.map(text)).collect::<StringArray>())),
        ("bytes", Arc::new(numbers.iter().map(|n| n.map(|n| n.to_be_bytes().repeat(3))).collect::<BinaryArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, null_every.is_some()))).unwrap()
}

fn decimal32(numbers: &[Option<i64>]) -> ArrayRef {
    let values = numbers.iter().map(|number| number.map(|number| number as i32));
    Arc::new(values.collect::<Decimal32Array>().with_precision_and_scale(9, 2).unwrap())
}

fn decimal128(numbers: &[Option<i64>]) -> ArrayRef {
    let values = numbers.iter().map(|number| number.map(|number| i128::from(number) * 1_000_000_007));
    Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(38, 10).unwrap())
}

fn write(path: &Path, settings: &WriterSettings, batches: &[RecordBatch]) -> ParquetFile {
    let counters = Arc::new(Counters::default());
    let mut writer = ColumnarWriter::create(path, batches[0].schema(), settings, counters).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish(None).unwrap()
}

fn open(path: &Path) -> ParquetRecordBatchReaderBuilder<File> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    ParquetRecordBatchReaderBuilder::try_new_with_options(File::open(path).unwrap(), options).unwrap()
}

fn assert_same(path: &Path, schema: &SchemaRef, expected: &RecordBatch) {
    let read: Vec<RecordBatch> = open(path).with_batch_size(10_000).build().unwrap().map(Result::unwrap).collect();
    let types = read.first().map_or_else(|| schema.clone(), RecordBatch::schema);
    let read = concat_batches(&types, &read).unwrap();
    assert_eq!(read.num_rows(), expected.num_rows());
    for (index, field) in schema.fields().iter().enumerate() {
        let column = cast(read.column(index), field.data_type()).unwrap();
        assert_eq!(column.to_data(), expected.column(index).to_data(), "{}", field.name());
    }
}

/// Bounds and counts of NULL hold for each row group.
fn assert_statistics(path: &Path, expected: &RecordBatch) {
    let reader = open(path);
    let groups = reader.metadata().row_groups();
    let mut row = 0;
    for group in groups {
        let rows = group.num_rows() as usize;
        for (index, field) in reader.schema().fields().iter().enumerate() {
            let converter =
                StatisticsConverter::try_new(field.name(), reader.schema(), reader.parquet_schema()).unwrap();
            let values = cast(&expected.column(index).slice(row, rows), field.data_type()).unwrap();
            let nulls = converter.row_group_null_counts([group]).unwrap();
            assert_eq!(nulls.value(0), values.null_count() as u64, "{}", field.name());
            let (min, max) = (converter.row_group_mins([group]).unwrap(), converter.row_group_maxes([group]).unwrap());
            if values.null_count() < rows && !min.is_null(0) && !max.is_null(0) {
                let (below, above) = (gt_eq(&values, &Scalar::new(min)), lt_eq(&values, &Scalar::new(max)));
                assert_eq!(below.unwrap().false_count() + above.unwrap().false_count(), 0, "{}", field.name());
            } else {
                assert!(values.null_count() == rows || *field.data_type() == DataType::Utf8, "{}", field.name());
            }
        }
        row += rows;
    }
    assert_eq!(row, expected.num_rows());
}

fn spread() -> impl Strategy<Value = Spread> {
    use Spread::{Changing, Constant, Few, Sorted, Unique};
    prop_oneof![Just(Constant), Just(Few), Just(Sorted), Just(Unique), Just(Changing)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read(
        spread in spread(),
        null_every in prop_oneof![Just(None), (1i64..9).prop_map(Some)],
        batch_rows in proptest::collection::vec(0i64..30_000, 1..6),
        text_bytes in prop_oneof![Just(0usize), Just(90), Just(400)],
        row_group_rows in prop_oneof![Just(20_000usize), Just(1 << 20)],
        small_memory in any::<bool>(),
    ) {
        let mut from = 0;
        let batches: Vec<RecordBatch> = batch_rows.iter().map(|rows| {
            from += rows;
            batch(spread, null_every, from - rows..from, text_bytes)
        }).collect();
        let schema = batches[0].schema();
        let expected = concat_batches(&schema, &batches).unwrap();
        let row_group_bytes = if small_memory { 1 << 20 } else { 64 << 20 };
        let settings = WriterSettings { row_group_rows, row_group_bytes, ..WriterSettings::new(1) };
        let folder = tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let file = write(&path, &settings, &batches);
        assert_eq!(file.rows, expected.num_rows() as u64);
        assert_same(&path, &schema, &expected);
        assert_statistics(&path, &expected);
    }
}

#[test]
fn odd_floats_are_kept_and_never_bounds() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let values = [f64::NAN, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, -f64::NAN];
    let column: ArrayRef = Arc::new(Float64Array::from_iter_values(values));
    let zeros: ArrayRef = Arc::new(Float64Array::from_iter_values([0.0; 7]));
    let nothing: ArrayRef = Arc::new(Float64Array::from_iter_values([f64::NAN; 7]));
    let batch = RecordBatch::try_from_iter([("odd", column), ("zero", zeros), ("nan", nothing)]).unwrap();
    write(&path, &WriterSettings::new(1), std::slice::from_ref(&batch));
    let read = open(&path).build().unwrap().next().unwrap().unwrap();
    let bits = |batch: &RecordBatch| {
        let column = batch.column(0).as_any().downcast_ref::<Float64Array>().unwrap();
        column.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(bits(&read), bits(&batch));
    let reader = open(&path);
    let group = reader.metadata().row_group(0);
    let bounds = |column: usize| {
        let statistics = group.column(column).statistics().unwrap();
        let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap());
        (statistics.min_bytes_opt().map(number), statistics.max_bytes_opt().map(number))
    };
    assert_eq!(bounds(0), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
    let (min, max) = bounds(1);
    // A reader that looks for either zero must find this row group (parquet.thrift, ColumnOrder).
    assert!(min.unwrap().is_sign_negative() && max.unwrap().is_sign_positive());
    assert_eq!(bounds(2), (None, None));
}

#[test]
fn files_become_one_with_all_their_rows() {
    let folder = tempdir().unwrap();
    let settings = WriterSettings { row_group_rows: 20_000, ..WriterSettings::new(1) };
    let batches: Vec<RecordBatch> =
        (0..3).map(|index| batch(Spread::Changing, Some(4), index * 30_000..(index + 1) * 30_000, 10)).collect();
    let parts: Vec<ParquetFile> = (0..)
        .zip(&batches)
        .map(|(index, batch): (i32, _)| {
            write(&folder.path().join(format!("part-{index:05}.parquet")), &settings, std::slice::from_ref(batch))
        })
        .collect();
    let whole = concatenate(&parts, &settings).unwrap();
    let schema = batches[0].schema();
    let expected = concat_batches(&schema, &batches).unwrap();
    assert_eq!((whole.rows, &whole.path), (90_000, &parts[0].path));
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    assert_same(&whole.path, &schema, &expected);
    assert_statistics(&whole.path, &expected);
}
