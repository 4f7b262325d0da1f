//! Before anything is read: does the database hold what the task needs?

use crate::data_error::DataError;
use crate::drift::{Drift, drift};
use crate::partitions::position;
use crate::source_table::SourceTable;
use crate::task::Task;
use anyhow::Result;
use project_postgres::catalog::{Relation, relation};
use project_postgres::table_facts::{TableFacts, table_facts};
use project_postgres::{Choices, SourceError, SourceErrorKind, TablePlan};
use sqlx::PgConnection;

/// A table that a task reads, as the catalog has it.
#[derive(Debug, Clone)]
pub struct FoundTable {
    /// What the task wants of it.
    pub source: SourceTable,
    /// What there is.
    pub relation: Relation,
    /// Its rows and our rights.
    pub facts: TableFacts,
    /// Where the two differ.
    pub drift: Vec<Drift>,
    /// How it is read column by column; a task with a struct of its own has none.
    pub plan: Option<TablePlan>,
}

/// Compares the tables of a task with the live catalog; changes nothing and reads no row.
///
/// # Errors
/// A sentence that names the missing table or right, or every column that is not what the task needs.
pub async fn preflight(connection: &mut PgConnection, task: &Task, choices: &Choices) -> Result<Vec<FoundTable>> {
    let found = examine(connection, task, choices).await?;
    judge(task, &found)?;
    Ok(found)
}

/// The tables of a task, also where they have drifted: [`judge`] says whether it can run.
///
/// # Errors
/// [`SourceError`] that names the missing table or right.
pub async fn examine(
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

/// Refuses a task whose tables are not what it needs.
///
/// # Errors
/// [`DataError`] that names every such column.
pub fn judge(task: &Task, found: &[FoundTable]) -> Result<(), DataError> {
    let drifted = found.iter().flat_map(|table| &table.drift).filter(|drift| drift.fails);
    let sentences: Vec<String> = drifted.map(Drift::to_string).collect();
    if !sentences.is_empty() {
        return Err(DataError(sentences.join("; ")));
    }
    if let Task::Huge(huge) = task {
        let plans = found.iter().filter_map(|table| table.plan.as_ref());
        plans.map(|plan| position(plan, huge.partition_column())).try_for_each(|found| found.map(drop))?;
    }
    Ok(())
}

async fn find(
    connection: &mut PgConnection,
    task: &Task,
    source: SourceTable,
    choices: &Choices,
) -> Result<FoundTable, SourceError> {
    let table = &source.table;
    let Some(relation) = relation(connection, table).await? else {
        return Err(missing(format!(
            "{table} does not exist, or this role may not see it; names are taken exactly, without folding to lower case"
        )));
    };
    if !relation.storage.readable {
        return Err(denied(format!(
            "permission denied for {table}; GRANT SELECT (and USAGE on its schema) to this role"
        )));
    }
    let facts = table_facts(connection, &relation).await?;
    let plan = plan(task, &relation, choices)?;
    check_rights(&source, &relation, &facts, plan.as_ref())?;
    let drift = drift(task.name(), &source, &relation);
    Ok(FoundTable { source, relation, facts, drift, plan })
}

fn plan(task: &Task, relation: &Relation, choices: &Choices) -> Result<Option<TablePlan>, SourceError> {
    let table = &relation.name;
    match task {
        Task::Batch(_) | Task::Stream(_) if choices.tables.contains_key(table) => Err(missing(format!(
            "the file of --config chooses columns, rows or policies of {table}, but the task {} reads it by a struct of its own; choose --table={table} instead, or take the table out of that file",
            task.name()
        ))),
        Task::Batch(_) | Task::Stream(_) => Ok(None),
        Task::Huge(huge) => {
            let (plan, key) = (choices.plan(relation, task.policies())?, huge.partition_key());
            // A reader that takes the key from the folder finds it in the file as well, and refuses the table.
            match plan.columns.iter().find(|column| column.lake_name == key) {
                Some(column) => Err(missing(format!(
                    "{table}: the column \"{}\" would have the name of the folders' key, {key}=; rename it, or exclude it in the file of --config",
                    column.name
                ))),
                None => Ok(Some(plan)),
            }
        }
        Task::Table(_) => choices.plan(relation, task.policies()).map(Some),
    }
}

/// Everything that the server would refuse later.
fn check_rights(
    source: &SourceTable,
    relation: &Relation,
    facts: &TableFacts,
    plan: Option<&TablePlan>,
) -> Result<(), SourceError> {
    let table = &relation.name;
    if facts.row_security {
        return Err(denied(format!(
            "{table}: row security would hide rows from this role, and a part of a table is not the table; give the role BYPASSRLS, or read a view whose owner has it"
        )));
    }
    if relation.lockable && !facts.readable {
        return Err(denied(format!(
            "permission denied for {table} as a whole: a role that may read only some columns cannot lock it against changes while it is read; GRANT SELECT on the table, or read a view of these columns"
        )));
    }
    let needed = match plan {
        Some(plan) => plan.columns.iter().map(|column| column.name.clone()).collect(),
        None => source.needed_columns(),
    };
    match needed.iter().find(|name| facts.denied_columns.contains(name)) {
        Some(column) => Err(denied(format!(
            "permission denied for column \"{column}\" of {table}; GRANT SELECT on it to this role, or do not read it"
        ))),
        None => Ok(()),
    }
}

fn missing(message: String) -> SourceError {
    SourceError::new(SourceErrorKind::Missing, message)
}

fn denied(message: String) -> SourceError {
    SourceError::new(SourceErrorKind::Denied, message)
}
