//! Before anything is read: does the database hold what the task needs?

use crate::task::{SourceTable, Task};
use project_postgres::catalog::{Relation, relation};
use project_postgres::{Choices, SourceError, SourceErrorKind, TablePlan};
use sqlx::PgConnection;

/// A table that a task reads, as the catalog has it.
#[derive(Debug, Clone)]
pub struct FoundTable {
    /// What the task wants of it.
    pub source: SourceTable,
    /// What there is.
    pub relation: Relation,
    /// How it is read column by column; a task with a struct of its own has none.
    pub plan: Option<TablePlan>,
}

/// Compares the tables of a task with the live catalog; changes nothing and reads no row.
///
/// # Errors
/// [`SourceError`] that names the missing table, column or right.
pub async fn preflight(
    connection: &mut PgConnection,
    task: &Task,
    choices: &Choices,
) -> Result<Vec<FoundTable>, SourceError> {
    let mut tables = Vec::new();
    for source in task.reads() {
        tables.push(find(connection, task, source, choices).await?);
    }
    Ok(tables)
}

async fn find(
    connection: &mut PgConnection,
    task: &Task,
    source: SourceTable,
    choices: &Choices,
) -> Result<FoundTable, SourceError> {
    let table = &source.table;
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
    for column in &source.columns {
        if !found.columns.iter().any(|existing| existing.name == *column) {
            return Err(missing(format!("{table} has no column \"{column}\", which the task {} reads", task.name())));
        }
    }
    let plan = match task {
        Task::Batch(_) | Task::Stream(_) if choices.tables.contains_key(table) => {
            return Err(missing(format!(
                "the file of --config chooses columns, rows or policies of {table}, but the task {} reads it by a struct of its own; choose --table={table} instead, or take the table out of that file",
                task.name()
            )));
        }
        Task::Batch(_) | Task::Stream(_) => None,
        Task::Huge(_) | Task::Table(_) => Some(choices.plan(&found, task.policies())?),
    };
    Ok(FoundTable { source, relation: found, plan })
}
