//! The figures of finished files: canonical texts as the documentation says, whatever the pages and row groups.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal32Array, Decimal128Array, Float32Array,
    Float64Array, Int16Array, Int32Array, Int64Array, ListArray, MapBuilder, RecordBatch, StringArray, StringBuilder,
    StructArray, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema};
use project_parquet::proof::{ColumnProof, TableTally, TextForm, hash_text, tally_file};
use project_parquet::{ColumnarWriter, Counters, WriterSettings};
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;

fn write(path: &Path, batches: &[RecordBatch], settings: &WriterSettings) {
    let counters = Arc::new(Counters::default());
    let mut writer = ColumnarWriter::create(path, batches[0].schema(), settings, counters).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish(None).unwrap();
}

fn tally(path: &Path, form: TextForm) -> TableTally {
    tally_file(path, form, &|| Ok(())).unwrap()
}

/// The figures of one column, in a file of its own.
fn proof(values: ArrayRef, form: TextForm) -> ColumnProof {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let batch = RecordBatch::try_from_iter_with_nullable([("c", values, true)]).unwrap();
    write(&path, &[batch], &WriterSettings::new(1));
    tally(&path, form).proof().columns.remove(0)
}

fn hashes(texts: &[&str]) -> i128 {
    texts.iter().map(|text| i128::from(hash_text(text.as_bytes()))).sum()
}

/// Entries of a map; the reader of the file gives these names.
fn map() -> ArrayRef {
    let names = arrow::array::MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for (key, value) in [("b", Some("1")), ("a\"", Some("\\")), ("c", None)] {
        map.keys().append_value(key);
        map.values().append_option(value);
    }
    map.append(true).unwrap();
    map.append(true).unwrap();
    Arc::new(map.finish())
}

#[test]
fn canonical_texts() {
    let group = StructArray::new(
        Fields::from(vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8, true)]),
        vec![Arc::new(Int32Array::from(vec![Some(-1), None])), Arc::new(StringArray::from(vec![Some("é"), None]))],
        None,
    );
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(10), None]), Some(vec![]), None]);
    let field = Arc::new(Field::new("element", DataType::Int32, true));
    let list = ListArray::new(field, list.offsets().clone(), list.values().clone(), list.nulls().cloned());
    let decimals = Decimal128Array::from(vec![5, -1_234_567]).with_precision_and_scale(38, 3).unwrap();
    let small_decimals = Decimal32Array::from(vec![-5, 100]).with_precision_and_scale(9, 2).unwrap();
    let millis = TimestampMillisecondArray::from(vec![0, -62_135_596_800_000, 1_767_225_600_120]);
    let columns: Vec<(ArrayRef, &[&str])> = vec![
        (Arc::new(BooleanArray::from(vec![true, false])), &["true", "false"]),
        (Arc::new(Int16Array::from(vec![-7])), &["-7"]),
        (Arc::new(Int32Array::from(vec![None, Some(7)])), &["7"]),
        (Arc::new(Int64Array::from(vec![i64::MIN])), &["-9223372036854775808"]),
        (Arc::new(Float32Array::from(vec![-0.0])), &["80000000"]),
        (Arc::new(Float64Array::from(vec![1.0])), &["3ff0000000000000"]),
        (Arc::new(decimals), &["0.005", "-1234.567"]),
        (Arc::new(small_decimals), &["-0.05", "1.00"]),
        (Arc::new(Date32Array::from(vec![0, -719_162])), &["1970-01-01", "0001-01-01"]),
        (Arc::new(millis.clone()), &["1970-01-01 00:00:00", "0001-01-01 00:00:00", "2026-01-01 00:00:00.12"]),
        (Arc::new(millis.slice(2, 1).with_timezone("UTC")), &["2026-01-01 00:00:00.12+00"]),
        (Arc::new(TimestampMicrosecondArray::from(vec![-1])), &["1969-12-31 23:59:59.999999"]),
        // What is no date has a text, too, and not that of a date.
        (Arc::new(TimestampMillisecondArray::from(vec![i64::MAX])), &["no date: 9223372036854775807"]),
        (Arc::new(BinaryArray::from(vec![&[0u8, 0xfe][..], b""])), &["00fe", ""]),
        (Arc::new(list), &["2:10-", ""]),
        (map(), &["\"b\"=>\"1\", \"a\\\"\"=>\"\\\\\", \"c\"=>NULL", ""]),
    ];
    for (values, texts) in columns {
        let data_type = values.data_type().clone();
        let nulls = values.null_count() as u64;
        let proof = proof(values, TextForm::Plain);
        assert_eq!((proof.hash, proof.nulls), (hashes(texts), nulls), "{data_type}");
    }
    let group: ArrayRef = Arc::new(group);
    assert_eq!(proof(Arc::clone(&group), TextForm::Plain).hash, hashes(&["2:-12:é", "--"]));
    assert_eq!(proof(group, TextForm::Hex).hash, hashes(&["2:-14:c3a9", "--"]));
}

#[test]
fn least_greatest_and_sum_are_exact() {
    let most = 10i128.pow(38) - 1;
    let decimals = Decimal128Array::from(vec![most, most, -5]).with_precision_and_scale(38, 2).unwrap();
    let proof = |values: ArrayRef| {
        let ColumnProof { min, max, sum, .. } = proof(values, TextForm::Plain);
        [min, max, sum].map(Option::unwrap_or_default)
    };
    let (nines, twice) = ("9".repeat(36), "9".repeat(35));
    let expected = ["-0.05".to_owned(), format!("{nines}.99"), format!("1{twice}9.93")];
    assert_eq!(proof(Arc::new(decimals)), expected);
    assert_eq!(
        proof(Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX, -1]))),
        ["-1", "9223372036854775807", "18446744073709551613"]
    );
    assert_eq!(proof(Arc::new(Int64Array::from(vec![None::<i64>]))), [""; 3]);
    let texts = ["b", "", "ab"].map(|text| hash_text(text.as_bytes()).to_string());
    assert_eq!(proof(Arc::new(StringArray::from(vec!["ab", "b", ""]))), [&texts[1], &texts[0], ""]);
}

/// Values from a few bytes to half a megabyte, in row groups of a few rows and of many.
#[test]
fn pages_and_row_groups_do_not_matter() {
    let folder = tempdir().unwrap();
    let text = |row: usize| if row.is_multiple_of(50) { "wide ".repeat(100_000 + row) } else { format!("row {row}") };
    let texts: Vec<String> = (0..400).map(text).collect();
    let numbers = Int64Array::from_iter_values(0..400);
    let schema = Arc::new(Schema::new(vec![
        Field::new("text", DataType::Utf8, false),
        Field::new("number", DataType::Int64, false),
    ]));
    let all =
        RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(texts.clone())), Arc::new(numbers)]).unwrap();
    let expected = hashes(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    for row_group_rows in [7, 90, 1 << 20] {
        let path = folder.path().join(format!("{row_group_rows}.parquet"));
        let batches: Vec<RecordBatch> = (0..400).step_by(10).map(|row| all.slice(row, 10)).collect();
        write(&path, &batches, &WriterSettings { row_group_rows, ..WriterSettings::new(1) });
        let proof = tally(&path, TextForm::Plain).proof();
        assert_eq!((proof.rows, proof.columns[0].hash), (400, expected), "{row_group_rows}");
        assert_eq!(proof.columns[1].sum.as_deref(), Some("79800"), "{row_group_rows}");
    }
    // The figures of files add up, and a file with other columns is not one of them.
    let (one, other) = (folder.path().join("one.parquet"), folder.path().join("other.parquet"));
    write(&one, &[all.slice(0, 123)], &WriterSettings::new(1));
    write(&other, &[all.slice(123, 277)], &WriterSettings::new(1));
    let mut sum = TableTally::empty(&all.schema());
    for file in [&one, &other] {
        sum.add(tally(file, TextForm::Plain)).unwrap();
    }
    assert!(sum.proof() == tally(&folder.path().join("90.parquet"), TextForm::Plain).proof());
    let renamed = all.project(&[1]).unwrap();
    write(&other, &[renamed], &WriterSettings::new(1));
    assert!(sum.add(tally(&other, TextForm::Plain)).is_err());
}

#[test]
fn reading_back_ends_when_it_is_told_to() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let batch = RecordBatch::try_from_iter([("c", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]).unwrap();
    write(&path, &[batch], &WriterSettings::new(1));
    let error = tally_file(&path, TextForm::Plain, &|| anyhow::bail!("told to")).unwrap_err();
    assert!(format!("{error:#}").ends_with("told to"), "{error:#}");
    assert!(tally_file(&folder.path().join("none.parquet"), TextForm::Plain, &|| Ok(())).is_err());
}
