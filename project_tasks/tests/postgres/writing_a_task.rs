//! The worked example of docs/writing-a-task.md: three tasks, each in one file as it would stand in `src/tasks/`, and
//! against rows whose right answer is known by hand.

pub mod order_totals;
pub mod orders_by_date;
pub mod user_actions;

use crate::task_run::{Finished, run};
use order_totals::OrderTotals;
use orders_by_date::OrdersByDate;
use parquet::file::reader::SerializedFileReader;
use parquet::record::RowAccessor;
use parquet::schema::printer::print_schema;
use parquet_derive::ParquetRecordWriter;
use project_parquet::{Counters, Record, TypedWriter, WriterSettings};
use project_postgres::{Choices, ConnectionDefaults, ConnectionSettings, Source};
use project_tasks::{Task, examine};
use project_test_servers::postgres::{Database, Postgres};
use std::fs::{File, read_to_string};
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;
use user_actions::UserActions;

const EXAMPLES: [Task; 3] = [Task::Batch(&OrderTotals), Task::Stream(&UserActions), Task::Huge(&OrdersByDate)];

/// The tables of the shop with these rows.
fn shop(rows: &str) -> Database<'static> {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    database.execute(rows).unwrap();
    database
}

/// Every row as `{column: value, ...}`.
fn lines(finished: &Finished) -> Vec<String> {
    finished.rows().iter().map(ToString::to_string).collect()
}

/// Every column as Parquet prints its type.
fn columns(finished: &Finished) -> Vec<String> {
    let mut text = Vec::new();
    print_schema(&mut text, &finished.schema());
    let text = String::from_utf8(text).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

#[test]
fn totals_are_exact_to_the_cent() {
    let database = shop(
        "INSERT INTO users (id, country) VALUES (1, 'DE'), (2, NULL);
         INSERT INTO orders SELECT id, user_id, amount, true, at::timestamp, gen_random_uuid() FROM (VALUES
             (1, 1, 0.35, '2025-12-31 23:59:59.999999'),
             (2, 1, -0.35, '2026-01-01 00:00:00'),
             (3, 2, 1.005, '1969-12-31 23:59:59.9995'),
             (4, 99, NULL, NULL),
             (5, NULL, 90071992547409.93, '2026-01-01 12:00:00'),
             (6, 1, 200, '2026-01-01 12:00:00')) AS v(id, user_id, amount, at);
         INSERT INTO taxes VALUES (1, 1, 0.1), (2, 2, 0.1), (3, 6, 0.07), (4, 6, 0.005), (5, NULL, 9)",
    );
    let finished = run(&database, &Task::Batch(&OrderTotals)).unwrap();
    assert_eq!(
        lines(&finished),
        [
            r#"{order_id: 1, country: "DE", amount: 0.35, tax: 0.04, total: 0.39, created_at: 2025-12-31 23:59:59.999 +00:00}"#,
            r#"{order_id: 2, country: "DE", amount: -0.35, tax: -0.04, total: -0.39, created_at: 2026-01-01 00:00:00.000 +00:00}"#,
            r#"{order_id: 3, country: null, amount: 1.01, tax: 0.00, total: 1.01, created_at: 1969-12-31 23:59:59.999 +00:00}"#,
            r#"{order_id: 4, country: null, amount: null, tax: null, total: null, created_at: null}"#,
            r#"{order_id: 5, country: null, amount: 90071992547409.93, tax: 0.00, total: 90071992547409.93, created_at: 2026-01-01 12:00:00.000 +00:00}"#,
            r#"{order_id: 6, country: "DE", amount: 200.00, tax: 15.00, total: 215.00, created_at: 2026-01-01 12:00:00.000 +00:00}"#,
        ]
    );
    assert_eq!(
        columns(&finished),
        [
            "REQUIRED INT32 order_id;",
            "OPTIONAL BYTE_ARRAY country (STRING);",
            "OPTIONAL INT64 amount (DECIMAL(18,2));",
            "OPTIONAL INT64 tax (DECIMAL(18,2));",
            "OPTIONAL INT64 total (DECIMAL(18,2));",
            "OPTIONAL INT64 created_at (TIMESTAMP(MILLIS,false));",
        ]
    );
}

/// What the test above would find if money passed through f64.
#[test]
fn f64_would_give_other_amounts() {
    assert_eq!((1.005 * 100.0_f64).round(), 100.0);
    assert_eq!((90_071_992_547_409.93 * 100.0_f64).round() as i64, 9_007_199_254_740_994);
}

#[test]
fn a_refusal_names_the_row_and_no_value() {
    for (rows, message) in [
        ("INSERT INTO taxes VALUES (7, 1, NULL)", "public.taxes: rate of tax 7 is NULL"),
        ("UPDATE orders SET amount = 10000000000000000", "order 1: amount, tax or total does not fit DECIMAL(18,2)"),
        (
            "UPDATE orders SET created_at = 'infinity'",
            "order 1: public.orders.created_at is infinite, which a Parquet date or timestamp cannot hold",
        ),
    ] {
        let database = shop("INSERT INTO orders VALUES (1, 1, 1, true, now(), gen_random_uuid())");
        database.execute(rows).unwrap();
        let error = run(&database, &Task::Batch(&OrderTotals)).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn an_instant_is_written_in_utc() {
    let database = shop(
        r#"INSERT INTO events VALUES (1, 7, 'view', '{"page": 1}', '2026-01-02 01:59:59.9999+02'),
                                     (2, NULL, NULL, NULL, NULL)"#,
    );
    database.execute(&format!("ALTER DATABASE \"{}\" SET timezone = 'Asia/Tokyo'", database.name())).unwrap();
    let finished = run(&database, &Task::Stream(&UserActions)).unwrap();
    assert_eq!(
        lines(&finished),
        [
            r#"{event_id: 1, user_id: 7, kind: "view", payload: "{"page": 1}", created_at: 2026-01-01 23:59:59.999 +00:00}"#,
            r#"{event_id: 2, user_id: null, kind: null, payload: null, created_at: null}"#,
        ]
    );
    assert_eq!(columns(&finished)[4], "OPTIONAL INT64 created_at (TIMESTAMP(MILLIS,true));");
    database.execute("UPDATE events SET created_at = '-infinity' WHERE id = 2").unwrap();
    let message = run(&database, &Task::Stream(&UserActions)).map(|_| ()).unwrap_err().to_string();
    assert!(message.starts_with("public.events: created_at of event 2 is infinite"), "{message}");
}

#[test]
fn midnight_begins_the_next_folder() {
    let database = shop(
        "INSERT INTO orders SELECT id, NULL, NULL, true, at::timestamp, gen_random_uuid() FROM (VALUES
             (1, '2025-12-31 23:59:59.999999'), (2, '2026-01-01 00:00:00'), (3, '2026-01-01 23:59:59'), (4, NULL))
             AS v(id, at)",
    );
    let finished = run(&database, &Task::Huge(&OrdersByDate)).unwrap();
    let mut rows = finished.rows().into_iter();
    let mut folders: Vec<(String, Vec<i32>)> = Vec::new();
    for file in &finished.written.files {
        let mut ids: Vec<i32> = rows.by_ref().take(file.rows as usize).map(|row| row.get_int(0).unwrap()).collect();
        ids.sort_unstable();
        folders.push((file.partition.clone().unwrap().value, ids));
    }
    folders.sort();
    let expected = [("2025-12-31", vec![1]), ("2026-01-01", vec![2, 3]), ("__HIVE_DEFAULT_PARTITION__", vec![4])];
    assert_eq!(folders, expected.map(|(date, ids)| (date.to_owned(), ids)));
}

/// Where the tables of a database differ from what the task expects.
fn drift(database: &Database<'_>, task: &Task) -> Vec<String> {
    let settings = ConnectionSettings::parse(&database.uri(), &ConnectionDefaults::default()).unwrap();
    let found = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut connection = Source::new(settings, "test").connect_plain().await.unwrap();
        examine(&mut connection, task, &Choices::default()).await.unwrap()
    });
    found.iter().flat_map(|table| &table.drift).map(ToString::to_string).collect()
}

#[test]
fn a_drifted_column_is_named_with_the_line_to_write() {
    let database = shop("");
    for task in &EXAMPLES {
        assert_eq!(drift(&database, task), Vec::<String>::new(), "{}", task.name());
    }
    database.execute("ALTER TABLE orders ALTER amount TYPE float8").unwrap();
    let batch = &EXAMPLES[0];
    let file = &batch.reads()[0].file;
    let sentence = format!(
        "public.orders: column \"amount\" is double precision in the database, but {file} says Nullable<Numeric>; \
         write `amount -> Nullable<Float8>,` there, or change the column back"
    );
    assert_eq!(drift(&database, batch), [sentence]);
}

/// The same that the registry's tests ask of every registered task.
#[test]
fn what_is_expected_is_declared_in_the_tasks_own_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/writing_a_task");
    for task in &EXAMPLES {
        let code = read_to_string(folder.join(task.name()).with_extension("rs")).unwrap();
        for table in task.reads() {
            assert!(table.file.ends_with(&format!("writing_a_task/{}.rs", task.name())), "{}", table.file);
            for column in &table.columns {
                let line = column.expected.current_line().unwrap_or_else(|| format!("{:?}", column.expected.name));
                let declaration = line.split_inclusive([':', '>']).next().unwrap();
                assert!(code.contains(declaration), "{declaration:?} is not in {}", table.file);
            }
        }
    }
}

/// Every type that the guide's table has for a field of a record, beside those of the tasks above.
#[derive(Debug, ParquetRecordWriter)]
struct EveryType {
    truth: bool,
    small: i16,
    single: f32,
    double: Option<f64>,
    bytes: Vec<u8>,
    more_bytes: Option<Vec<u8>>,
}

impl Record for EveryType {}

#[test]
fn a_record_holds_every_type_of_the_guide() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("every_type.parquet");
    let mut writer = TypedWriter::create(&path, &WriterSettings::new(1), Arc::new(Counters::default())).unwrap();
    let full = EveryType {
        truth: true,
        small: -7,
        single: 0.5,
        double: Some(0.25),
        bytes: b"a".to_vec(),
        more_bytes: Some(b"bc".to_vec()),
    };
    let empty = EveryType { truth: false, small: 0, single: 1.5, double: None, bytes: Vec::new(), more_bytes: None };
    writer.extend([full, empty]).unwrap();
    writer.finish().unwrap();
    let rows = SerializedFileReader::new(File::open(&path).unwrap()).unwrap().into_iter().map(Result::unwrap);
    let rows: Vec<String> = rows.map(|row| row.to_string()).collect();
    assert_eq!(
        rows,
        [
            "{truth: true, small: -7, single: 0.5, double: 0.25, bytes: [97], more_bytes: [98, 99]}",
            "{truth: false, small: 0, single: 1.5, double: null, bytes: [], more_bytes: null}",
        ]
    );
}
