//! Every registered task runs on empty tables and writes a valid, empty file.

use crate::source_tables::database_for;
use crate::task_run::run;
use project_tasks::REGISTRY;

#[test]
fn every_task_writes_a_valid_empty_file() {
    for task in REGISTRY {
        let database = database_for(task);
        let finished = run(&database, task).unwrap_or_else(|error| panic!("{}: {error:#}", task.name()));
        assert_eq!(finished.written.files.len(), 1, "{}", task.name());
        assert_eq!(finished.written.rows(), 0, "{}", task.name());
        assert!(!finished.schema().get_fields().is_empty(), "{}", task.name());
    }
}
