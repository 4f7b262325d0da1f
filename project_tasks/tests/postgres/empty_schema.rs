//! Every registered task runs on empty tables and writes a valid, empty file.

use crate::task_run::run;
use project_tasks::REGISTRY;
use project_test_servers::postgres::{Database, Postgres};

#[test]
fn every_task_writes_a_valid_empty_file() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    for task in REGISTRY {
        let finished = run(&database, task).unwrap_or_else(|error| panic!("{}: {error:#}", task.name()));
        assert_eq!(finished.written.files.len(), 1, "{}", task.name());
        assert_eq!(finished.written.rows(), 0, "{}", task.name());
        assert!(!finished.schema().get_fields().is_empty(), "{}", task.name());
    }
}
