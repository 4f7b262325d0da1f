//! From the entries of `--table` to the tasks of the run.

use crate::table_names::{TableSelector, nearest};
use project_postgres::catalog::tables_of_schema;
use project_postgres::{SourceError, SourceErrorKind, TableName};
use project_tasks::tasks::table::TableTask;
use project_tasks::{DataError, Group, REGISTRY, Task};
use sqlx::PgConnection;
use std::collections::HashSet;
use std::sync::Arc;
use thiserror::Error;

/// A name in `--table` that is neither a task nor a group.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "there is no task \"{name}\"{}; `project list` shows them all, and a table of the database is written schema.table",
    .meant.map(|meant| format!("; did you mean \"{meant}\"?")).unwrap_or_default()
)]
pub(crate) struct UnknownTask {
    name: String,
    meant: Option<&'static str>,
}

/// Dates were given, and a task that has none was selected.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "--from and --to are for tasks that are cut by date, and {0} is not; select only huge_tasks, or leave the dates out"
)]
pub(crate) struct NotCutByDate(String);

/// Refuses dates for anything that is not cut by date: it would be read whole, which nobody expects.
pub(crate) fn check_dates(selected: &[Selected]) -> Result<(), NotCutByDate> {
    let other = selected.iter().find_map(|selected| match selected {
        Selected::Task(Task::Huge(_)) => None,
        Selected::Task(task) => Some(task.name().to_owned()),
        Selected::Schema(schema) => Some(format!("{schema}.*")),
    });
    other.map_or(Ok(()), |other| Err(NotCutByDate(other)))
}

/// What was selected; a schema is known only once the database has been asked.
#[derive(Debug, Clone)]
pub(crate) enum Selected {
    Task(Task),
    Schema(String),
}

/// Resolves names and groups, in the order of the command line.
pub(crate) fn select(selectors: &[TableSelector]) -> Result<Vec<Selected>, UnknownTask> {
    let mut selected = Vec::new();
    for selector in selectors {
        match selector {
            TableSelector::Schema(schema) => selected.push(Selected::Schema(schema.clone())),
            TableSelector::Table { schema, table } => selected.push(Selected::Task(any_table(schema, table))),
            TableSelector::Name(name) => selected.extend(named(name)?.into_iter().map(Selected::Task)),
        }
    }
    Ok(selected)
}

fn any_table(schema: &str, table: &str) -> Task {
    Task::Table(Arc::new(TableTask::new(TableName::new(schema, table))))
}

fn named(name: &str) -> Result<Vec<Task>, UnknownTask> {
    if let Some(group) = Group::EVERY.into_iter().find(|group| group.name() == name) {
        return Ok(REGISTRY.iter().filter(|task| task.group() == Some(group)).cloned().collect());
    }
    let groups = Group::EVERY.into_iter().map(Group::name);
    match REGISTRY.iter().find(|task| task.name() == name) {
        Some(task) => Ok(vec![task.clone()]),
        None => Err(UnknownTask {
            name: name.to_owned(),
            meant: nearest(name, REGISTRY.iter().map(Task::name).chain(groups)),
        }),
    }
}

/// The tasks of the run, each once: a schema gives one task for each of its tables.
///
/// # Errors
/// A schema that does not exist, or has no tables that could be read.
pub(crate) async fn expand(selected: Vec<Selected>, connection: &mut PgConnection) -> Result<Vec<Task>, SourceError> {
    let mut tasks = Vec::new();
    for entry in selected {
        match entry {
            Selected::Task(task) => tasks.push(task),
            Selected::Schema(schema) => {
                let tables = tables_of_schema(connection, &schema).await?;
                if tables.is_empty() {
                    let message =
                        format!("schema \"{schema}\" does not exist or holds no tables that this role may see");
                    return Err(SourceError::new(SourceErrorKind::Missing, message));
                }
                tasks.extend(tables.iter().map(|table| any_table(&table.schema, &table.name)));
            }
        }
    }
    let mut seen = HashSet::new();
    tasks.retain(|task| seen.insert(task.name().to_owned()));
    Ok(tasks)
}

/// Refuses a task that would write to the same folder as another.
pub(crate) fn check_folder(task: &Task, tasks: &[Task]) -> Result<(), DataError> {
    same_folder(task, tasks)
        .map_or(Ok(()), |other| Err(same_table(task.name(), other.name(), task.folder(), "select one of them")))
}

/// The error for two sources of one table.
pub(crate) fn same_table(one: &str, other: &str, table: &str, remedy: &str) -> DataError {
    DataError(format!("{one} and {other} would both be the table \"{table}\" in the lake; {remedy}"))
}

/// The other task that would write to the same folder, if there is one.
fn same_folder<'a>(task: &Task, tasks: &'a [Task]) -> Option<&'a Task> {
    tasks.iter().find(|other| other.folder() == task.folder() && other.name() != task.name())
}

#[cfg(test)]
mod tests {
    use super::{Selected, same_folder, select};
    use crate::table_names::parse;
    use project_tasks::Task;

    fn tasks(text: &str) -> Result<Vec<Task>, String> {
        let selected = select(&parse(text).unwrap()).map_err(|error| error.to_string())?;
        let task = |entry| match entry {
            Selected::Task(task) => task,
            Selected::Schema(schema) => panic!("a schema {schema}"),
        };
        Ok(selected.into_iter().map(task).collect())
    }

    #[test]
    fn groups_and_names() {
        let names = |text| tasks(text).map(|tasks| tasks.iter().map(|task| task.name().to_owned()).collect::<Vec<_>>());
        assert_eq!(names("all").unwrap(), ["combined_orders", "users"]);
        assert_eq!(names("huge_tasks,products,public.t").unwrap(), ["events", "products", "public.t"]);
    }

    #[test]
    fn a_slip_of_the_fingers_is_answered_with_the_nearest_name() {
        let message = tasks("combined_order").unwrap_err();
        assert!(message.contains("did you mean \"combined_orders\""), "{message}");
        assert!(!tasks("zzzzzzzz").unwrap_err().contains("did you mean"));
    }

    #[test]
    fn two_tables_may_not_share_a_folder() {
        let tasks = tasks("\"a b\".c,a_b.c,users").unwrap();
        assert_eq!(same_folder(&tasks[0], &tasks).map(Task::name), Some("a_b.c"));
        assert!(same_folder(&tasks[2], &tasks).is_none());
    }
}
