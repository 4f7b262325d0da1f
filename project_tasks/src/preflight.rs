//! Before anything is read: does the database hold what the task needs?

use crate::task::Task;
use project_postgres::catalog::relation;
use project_postgres::{Choices, SourceError, SourceErrorKind, TableName};
use sqlx::PgConnection;

/// Compares the tables of a task with the live catalog; changes nothing and reads no row. Returns the tables that can
/// be locked against a change of shape while the run reads: not views and foreign tables.
///
/// # Errors
/// [`SourceError`] that names the missing table, column or right.
pub async fn preflight(
    connection: &mut PgConnection,
    task: &Task,
    choices: &Choices,
) -> Result<Vec<TableName>, SourceError> {
    let mut lockable = Vec::new();
    for read in task.reads() {
        let table = &read.table;
        let missing = |what: String| SourceError::new(SourceErrorKind::Missing, what);
        let Some(found) = relation(connection, table).await? else {
            return Err(missing(format!(
                "{table} does not exist, or this role may not see it; names are taken exactly, without folding to lower case"
            )));
        };
        if !found.storage.readable {
            let message = format!("permission denied for {table}; GRANT SELECT (and USAGE on its schema) to this role");
            return Err(SourceError::new(SourceErrorKind::Denied, message));
        }
        for column in &read.columns {
            if !found.columns.iter().any(|existing| existing.name == *column) {
                return Err(missing(format!(
                    "{table} has no column \"{column}\", which the task {} reads",
                    task.name()
                )));
            }
        }
        match task {
            Task::Batch(_) | Task::Stream(_) if choices.tables.contains_key(table) => {
                return Err(missing(format!(
                    "the file of --config chooses columns, rows or policies of {table}, but the task {} reads it by a struct of its own; choose --table={table} instead, or take the table out of that file",
                    task.name()
                )));
            }
            Task::Batch(_) | Task::Stream(_) => {}
            Task::Huge(_) | Task::Table(_) => drop(choices.plan(&found, task.policies())?),
        }
        if found.lockable {
            lockable.push(read.table);
        }
    }
    Ok(lockable)
}
