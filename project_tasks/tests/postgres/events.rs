//! The huge task: one folder for each UTC date, every row in exactly one.

use crate::task_run::run;
use project_tasks::{REGISTRY, Task};
use project_test_servers::postgres::{Database, Postgres};

fn events() -> &'static Task {
    REGISTRY.iter().find(|task| task.name() == "events").unwrap()
}

#[test]
fn dates_are_cut_in_utc() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    database
        .execute(
            "INSERT INTO events SELECT row_number() OVER (), 1, 'k', '{}', at::timestamptz FROM (VALUES
                 ('2026-01-01 23:59:59.999999+00'), ('2026-01-02 00:00:00+00'), ('2026-01-02 01:00:00+02'),
                 ('2026-01-04 12:00:00+00'), (NULL)) AS v(at)",
        )
        .unwrap();
    // The role's own zone must not move a row to another day.
    database.execute(&format!("ALTER DATABASE \"{}\" SET timezone = 'Asia/Tokyo'", database.name())).unwrap();
    let finished = run(&database, events()).unwrap();
    assert_eq!(
        finished.paths(),
        [
            "dt=2026-01-01/part-00000.parquet",
            "dt=2026-01-02/part-00000.parquet",
            "dt=2026-01-04/part-00000.parquet",
            "dt=__HIVE_DEFAULT_PARTITION__/part-00000.parquet",
        ]
    );
    let mut rows: Vec<(String, u64)> =
        finished.written.files.iter().map(|file| (file.partition.clone().unwrap().value, file.rows)).collect();
    rows.sort();
    let rows: Vec<u64> = rows.into_iter().map(|(_, rows)| rows).collect();
    assert_eq!(rows, [2, 1, 1, 1]);
}

#[test]
fn without_its_index_the_result_is_the_same() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.load_shop_sample().unwrap();
    let with_index = run(&database, events()).unwrap();
    let indexes = database
        .query_text(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'events'::regclass AND NOT indisprimary",
        )
        .unwrap();
    for index in indexes.iter().flatten().flatten() {
        database.execute(&format!("DROP INDEX {index}")).unwrap();
    }
    let without = run(&database, events()).unwrap();
    assert_eq!(with_index.paths(), without.paths());
    let expected = database.query_text("SELECT count(*)::text FROM events").unwrap();
    assert_eq!(expected[0][0], Some(with_index.written.rows().to_string()));
    assert_eq!(with_index.written.rows(), without.written.rows());
}

#[test]
fn an_infinite_date_belongs_to_no_folder() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    for at in ["infinity", "-infinity"] {
        database.execute(&format!("TRUNCATE events; INSERT INTO events VALUES (1, 1, 'k', '{{}}', '{at}')")).unwrap();
        let message = run(&database, events()).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("created_at") && message.contains("infinite"), "{message}");
    }
}
