//! A task that loses a row fails, wherever it loses it.

use crate::task_run::run;
use anyhow::Result;
use project_parquet::{RecordColumn, TypedWriter};
use project_schemas::users::User;
use project_tasks::{DataError, ProjectTask, SourceTable, Task, TaskContext, Written};
use project_test_servers::postgres::{Database, Postgres};

/// Writes two rows, and hands on what it is told to.
#[derive(Debug)]
struct Careless {
    rows_read: u64,
    loses_its_file: bool,
}

impl ProjectTask for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }

    fn about(&self) -> &'static str {
        "loses rows"
    }

    fn reads(&self) -> Vec<SourceTable> {
        Vec::new()
    }

    fn writes(&self) -> Result<Vec<RecordColumn>> {
        Ok(Vec::new())
    }

    fn run(&self, context: &TaskContext) -> Result<Written> {
        let user = |id| User { id, name: None, country: None, created_at: None, email: None };
        let mut writer = TypedWriter::create(&context.first_file(), &context.writer, context.counters.clone())?;
        writer.extend([user(1), user(2)])?;
        let mut written = Written::one(writer.finish()?, self.rows_read);
        if self.loses_its_file {
            std::fs::remove_file(written.files.remove(0).path)?;
        }
        Ok(written)
    }
}

#[test]
fn rows_read_written_and_found_must_agree() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    static LOSES_A_ROW: Careless = Careless { rows_read: 3, loses_its_file: false };
    static LOSES_A_FILE: Careless = Careless { rows_read: 2, loses_its_file: true };
    for (task, counts) in [
        (&LOSES_A_ROW, "careless: 3 rows were read, 0 were rejected, 2 were written and 2 are in the finished files"),
        (&LOSES_A_FILE, "careless: 2 rows were read, 0 were rejected, 2 were written and 0 are in the finished files"),
    ] {
        let error = run(&database, &Task::Batch(task)).map(|_| ()).unwrap_err();
        assert!(error.is::<DataError>(), "{error}");
        assert!(error.to_string().starts_with(counts), "{error}");
    }
    static CAREFUL: Careless = Careless { rows_read: 2, loses_its_file: false };
    assert!(run(&database, &Task::Batch(&CAREFUL)).is_ok());
}
