//! The huge task without an index: blocks are read whole, and every row is put into the folder of its date.

use crate::task_run::{Finished, run};
use parquet::file::reader::{FileReader, SerializedFileReader};
use project_tasks::{REGISTRY, Task};
use project_test_servers::postgres::{Database, Postgres};
use std::collections::BTreeSet;
use std::fs::File;

/// The folder that each event belongs to, by SQL on the source.
const FOLDERS: &str = "
    SELECT coalesce(to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '__HIVE_DEFAULT_PARTITION__'), id::text
    FROM events";

fn events() -> &'static Task {
    REGISTRY.iter().find(|task| task.name() == "events").unwrap()
}

/// The table of the shop without the index on its date, filled by `sql`.
fn not_indexed(sql: &str) -> Database<'static> {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    database.execute(&format!("DROP INDEX events_created_at; {sql}")).unwrap();
    database
}

/// Every row of every file as text, with the folder that it lies in.
fn rows(finished: &Finished) -> BTreeSet<(String, String)> {
    let mut rows = BTreeSet::new();
    for file in &finished.written.files {
        let folder = &file.partition.as_ref().unwrap().value;
        let reader = SerializedFileReader::new(File::open(&file.path).unwrap()).unwrap();
        rows.extend(reader.get_row_iter(None).unwrap().map(|row| (folder.clone(), row.unwrap().to_string())));
    }
    assert_eq!(rows.len() as u64, finished.written.rows(), "a row was written twice");
    rows
}

/// Fails unless every event lies in the folder of its date and nowhere else.
fn check_folders(database: &Database<'_>, finished: &Finished) {
    let expected = database.query_text(FOLDERS).unwrap().into_iter();
    let expected: BTreeSet<(String, String)> =
        expected.map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap())).collect();
    let id = |row: &str| row.trim_start_matches("{id: ").split(',').next().unwrap().to_owned();
    let found: BTreeSet<(String, String)> =
        rows(finished).into_iter().map(|(folder, row)| (folder, id(&row))).collect();
    assert_eq!(found.len(), expected.len());
    assert!(found == expected, "{:?}", found.symmetric_difference(&expected).take(4).collect::<Vec<_>>());
}

fn check_one_file_for_each_date(finished: &Finished) {
    let folders: BTreeSet<&str> =
        finished.written.files.iter().map(|file| file.partition.as_ref().unwrap().value.as_str()).collect();
    let expected: Vec<String> = folders.iter().map(|folder| format!("dt={folder}/part-00000.parquet")).collect();
    assert_eq!(finished.paths(), expected);
}

#[test]
fn every_value_lies_where_the_index_would_have_put_it() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.load_shop_sample().unwrap();
    database.execute("INSERT INTO events VALUES (-1, NULL, NULL, NULL, NULL), (-2, 1, 'k', '[]', NULL)").unwrap();
    let by_date = run(&database, events()).unwrap();
    database.execute("DROP INDEX events_created_at").unwrap();
    let one_pass = run(&database, events()).unwrap();
    assert_eq!(one_pass.paths(), by_date.paths());
    assert_eq!(rows(&one_pass), rows(&by_date));
    check_folders(&database, &one_pass);
}

#[test]
fn more_dates_than_files_may_be_open_are_one_file_each_whatever_the_order_of_the_rows() {
    // 16,384 rows are sorted at a time: each date comes in both of the two batches, and some lie before 1970.
    let database = not_indexed(
        "INSERT INTO events SELECT id, id % 7, 'kind ' || id % 3, jsonb_build_object('n', id),
             timestamptz '1969-09-01 00:00Z' + make_interval(days => id * 7919 % 210, secs => id * 11 % 86400)
         FROM generate_series(1, 18000) AS id;
         INSERT INTO events SELECT -id, 1, NULL, NULL, NULL FROM generate_series(1, 40) AS id;
         INSERT INTO events VALUES (-41, 1, '', NULL, '1969-12-31 23:59:59.999999Z'), (-42, 1, '', NULL, '1970-01-01 00:00Z'),
             (-43, 1, '', NULL, '0001-01-01 00:00Z'), (-44, 1, '', NULL, '9999-12-31 23:59:59.999999Z')",
    );
    let finished = run(&database, events()).unwrap();
    check_folders(&database, &finished);
    check_one_file_for_each_date(&finished);
    assert_eq!(finished.written.files.len(), 210 + 1 + 2);
}

#[test]
fn rows_that_come_late_in_a_table_that_is_sorted_by_date_are_in_the_file_of_their_date() {
    // The server says that the table is sorted; a hundred dates later some rows belong to those at its beginning.
    let database = not_indexed(
        "INSERT INTO events SELECT id, 1, 'k', '{}', timestamptz '2025-01-01 00:00Z' + make_interval(mins => id * 8)
             FROM generate_series(1, 18000) AS id;
         INSERT INTO events SELECT -id, 1, 'late', '{}', timestamptz '2025-01-02 12:00Z' + make_interval(days => id)
             FROM generate_series(1, 5) AS id;
         ANALYZE events",
    );
    let sorted = "SELECT correlation > 0.99 FROM pg_stats WHERE tablename = 'events' AND attname = 'created_at'";
    assert_eq!(database.query_text(sorted).unwrap(), [[Some("t".to_owned())]]);
    let finished = run(&database, events()).unwrap();
    check_folders(&database, &finished);
    check_one_file_for_each_date(&finished);
    assert_eq!(finished.written.files.len(), 101);
}

#[test]
fn what_several_workers_find_of_a_date_becomes_one_file() {
    // More than 64 MiB of blocks with little in them: both workers meet every date in every range.
    let database = not_indexed(
        "ALTER TABLE events SET (fillfactor = 10);
         INSERT INTO events SELECT id, id % 7, repeat('-', 600), '{}',
             timestamptz '2026-01-01 00:00Z' + make_interval(days => id * 7919 % 12, secs => id % 86400)
         FROM generate_series(1, 9000) AS id",
    );
    let blocks = database.query_text("SELECT pg_relation_size('events') > 64 * 1024 * 1024").unwrap();
    assert_eq!(blocks, [[Some("t".to_owned())]]);
    let finished = run(&database, events()).unwrap();
    check_folders(&database, &finished);
    check_one_file_for_each_date(&finished);
}

#[test]
fn dates_and_times_without_a_zone_are_sorted_as_they_stand() {
    for kind in ["date", "timestamp"] {
        let database = not_indexed(&format!(
            "ALTER TABLE events ALTER COLUMN created_at TYPE {kind};
             INSERT INTO events SELECT id, 1, 'k', '{{}}', timestamp '1969-12-20 22:00' + make_interval(hours => id * 5)
                 FROM generate_series(1, 100) AS id;
             INSERT INTO events VALUES (0, 1, 'k', '{{}}', NULL)"
        ));
        let one_pass = run(&database, events()).unwrap();
        check_one_file_for_each_date(&one_pass);
        database.execute("CREATE INDEX ON events (created_at)").unwrap();
        let by_date = run(&database, events()).unwrap();
        assert_eq!(rows(&one_pass), rows(&by_date), "{kind}");
        assert_eq!(one_pass.written.files.len(), 22, "{kind}");
    }
}

#[test]
fn without_rows_there_is_one_empty_file() {
    let finished = run(&not_indexed(""), events()).unwrap();
    assert_eq!(finished.paths(), ["dt=__HIVE_DEFAULT_PARTITION__/part-00000.parquet"]);
    assert_eq!(finished.written.rows(), 0);
}

#[test]
fn a_date_that_no_folder_can_have_is_refused() {
    for at in ["infinity", "-infinity", "10000-01-01 00:00Z", "0044-03-15 BC"] {
        let database = not_indexed(&format!("INSERT INTO events VALUES (1, 1, 'k', '{{}}', '{at}')"));
        let message = run(&database, events()).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("public.events") && message.contains("\"created_at\""), "{at}: {message}");
    }
}
