//! Whatever is changed in a finished file is found, and the order of its rows is not.

use crate::task_run::run;
use arrow::array::{
    Array, ArrayRef, AsArray, Decimal64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
    UInt32Array,
};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMillisecondType};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use project_parquet::proof::{TableProof, tally_file};
use project_postgres::catalog::relation;
use project_postgres::{Choices, ConnectionDefaults, ConnectionSettings, Policies, ServerProver, Source, TableName};
use project_tasks::Task;
use project_tasks::tasks::table::TableTask;
use project_test_servers::postgres::{Database, Postgres};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;

const ROWS: usize = 1000;
const COLUMNS: [&str; 4] = ["id", "amount", "note", "at"];

/// What the server says of the table.
fn expected(database: &Database<'_>, table: &TableName) -> TableProof {
    let settings = ConnectionSettings::parse(&database.uri(), &ConnectionDefaults::default()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut connection = Source::new(settings, "test").connect().await.unwrap();
        let relation = relation(&mut connection, table).await.unwrap().unwrap();
        let plan = Choices::default().plan(&relation, Policies::TOLERANT).unwrap();
        let prover = ServerProver::new(&mut connection).await.unwrap();
        prover.prove(&mut connection, &plan, None).await.unwrap()
    })
}

fn found(path: &Path) -> TableProof {
    tally_file(path, project_parquet::proof::TextForm::Plain, &|| Ok(())).unwrap().proof()
}

/// What is found when parquet-rs writes the rows.
fn written(rows: &RecordBatch) -> TableProof {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), rows.schema(), None).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    found(&path)
}

/// The rows with one column made anew.
fn changed(rows: &RecordBatch, column: usize, values: ArrayRef) -> RecordBatch {
    let mut columns = rows.columns().to_vec();
    columns[column] = values;
    RecordBatch::try_new(rows.schema(), columns).unwrap()
}

/// Integers with some of them changed, by their position.
fn integers(rows: &RecordBatch, changes: &[(usize, i64)]) -> RecordBatch {
    let mut ids = rows.column(0).as_primitive::<Int64Type>().values().to_vec();
    changes.iter().for_each(|(row, by)| ids[*row] += by);
    changed(rows, 0, Arc::new(Int64Array::from(ids)))
}

fn notes(rows: &RecordBatch, row: usize, note: Option<&str>) -> RecordBatch {
    let notes = rows.column(2).as_string::<i32>();
    let note = |(at, old)| if at == row { note } else { old };
    changed(rows, 2, Arc::new(notes.iter().enumerate().map(note).collect::<StringArray>()))
}

#[test]
fn every_change_is_found_with_its_column_and_its_kind() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database
        .execute(&format!(
            "CREATE TABLE t AS SELECT i::int8 AS id, (i / 4.0)::numeric(12,2) AS amount,
                 CASE WHEN i % 10 > 0 THEN 'note ' || i END AS note, timestamptz '2026-01-01Z' + i * interval '1 min' AS at
             FROM generate_series(1, {ROWS}) AS i"
        ))
        .unwrap();
    let table = TableName::new("public", "t");
    let expected = expected(&database, &table);
    let finished = run(&database, &Task::Table(Arc::new(TableTask::new(table)))).unwrap();
    let path = &finished.written.files[0].path;
    assert!(expected == found(path));
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let rows = concat_batches(&schema, &batches).unwrap();
    let backwards = UInt32Array::from_iter_values((0..ROWS as u32).rev());
    for same in [rows.clone(), take_record_batch(&rows, &backwards).unwrap()] {
        assert!(expected == written(&same));
    }
    assert_eq!(written(&rows.slice(1, ROWS - 1)).rows, ROWS as u64 - 1);

    let amounts = rows.column(1).as_any().downcast_ref::<Decimal64Array>().map(|amounts| amounts.values().to_vec());
    let mut amounts = amounts.unwrap_or_else(|| {
        rows.column(1).as_primitive::<Decimal128Type>().values().iter().map(|amount| *amount as i64).collect()
    });
    amounts[500] += 1;
    let amounts = Decimal64Array::from(amounts).with_precision_and_scale(12, 2).unwrap();
    let amounts = arrow::compute::cast(&amounts, rows.column(1).data_type()).unwrap();
    let mut moments = rows.column(3).as_primitive::<TimestampMillisecondType>().values().to_vec();
    moments[500] += 1;
    let moments: ArrayRef = Arc::new(TimestampMillisecondArray::from(moments).with_timezone("UTC"));

    for (changed, column, figures) in [
        (notes(&rows, 501, None), 2, &["null count", "hash"][..]),
        (notes(&rows, 509, Some("")), 2, &["null count", "min", "hash"]),
        (notes(&rows, 501, Some("~")), 2, &["max", "hash"]),
        (notes(&rows, 501, Some("note 501 ")), 2, &["hash"]),
        (notes(&rows, 501, Some("Note 502")), 2, &["min", "hash"]),
        (integers(&rows, &[(0, -1)]), 0, &["min", "sum", "hash"]),
        (integers(&rows, &[(ROWS - 1, 1)]), 0, &["max", "sum", "hash"]),
        (integers(&rows, &[(500, 1)]), 0, &["sum", "hash"]),
        (integers(&rows, &[(500, 1), (600, -1)]), 0, &["hash"]),
        (changed(&rows, 1, amounts), 1, &["sum", "hash"]),
        (changed(&rows, 3, moments), 3, &["hash"]),
    ] {
        let found = written(&changed);
        for (position, name) in COLUMNS.iter().enumerate() {
            let differences = expected.columns[position].differences(&found.columns[position]);
            let expected = if position == column { figures } else { &[] };
            assert_eq!(differences, expected, "column {name}, {figures:?} in {}", COLUMNS[column]);
        }
    }
}
