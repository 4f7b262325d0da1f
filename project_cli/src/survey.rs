//! What a run is going to do: every selected table is looked at before the first is read.

use crate::config::{ConfigError, RunConfig};
use crate::destination::Destination;
use crate::exit_code::ExitCode;
use crate::report::{Failure, RunReport, TaskReport};
use crate::selection::{Selected, check_folder, expand};
use anyhow::Result;
use project_postgres::load_estimate::loaded_bytes;
use project_postgres::{Source, TableName, close};
use project_tasks::{FoundTable, Task, preflight};
use sqlx::PgConnection;
use tracing::{debug, info};

/// A task that passed the preflight.
pub(crate) struct Fit {
    /// Its place in the report.
    pub(crate) entry: usize,
    pub(crate) task: Task,
    /// Its tables that can be locked.
    pub(crate) lockable: Vec<TableName>,
    /// Its views, behind which there are tables.
    pub(crate) views: Vec<TableName>,
}

/// Looks at every selected table in the catalog. A task that cannot run is reported and dropped; the others go on.
pub(crate) async fn survey(
    source: &Source,
    selected: Vec<Selected>,
    config: &RunConfig,
    report: &mut RunReport,
) -> Result<Vec<Fit>> {
    let mut connection = source.connect_plain().await?;
    let tasks = expand(selected, &mut connection).await?;
    let first = report.tasks.len();
    report.tasks.extend(tasks.iter().map(|task| TaskReport::new(task.name(), task.folder())));
    let mut fit = Vec::with_capacity(tasks.len());
    for (entry, task) in (first..).zip(&tasks) {
        let looked = match check_folder(task, &tasks) {
            Ok(()) => preflight(&mut connection, task, &config.choices).await,
            Err(error) => Err(error.into()),
        };
        let looked = match looked {
            // A server that has gone away is nobody's fault in particular.
            Err(error) if ExitCode::of(&error) == ExitCode::Unreachable => return Err(error),
            looked => looked,
        };
        let Some(found) = refuse(report, entry, looked) else { continue };
        let drift: Vec<String> = found.iter().flat_map(|table| &table.drift).map(ToString::to_string).collect();
        drift.iter().for_each(|drift| debug!(task = task.name(), "{drift}"));
        report.tasks[entry].drift = drift;
        let tables: Vec<String> = found.iter().map(|table| table.source.table.to_string()).collect();
        info!(task = task.name(), reads = tables.join(", "), writes = task.folder(), "will run");
        let checked = check_memory(&mut connection, task, &found, config.memory_limit).await;
        if refuse(report, entry, checked).is_some() {
            fit.push(Fit { entry, task: task.clone(), lockable: lockable(&found), views: views(&found) });
        }
    }
    close(connection).await;
    Ok(fit)
}

/// Refuses tables that cannot be published, before anything is read.
pub(crate) async fn publishable(
    destination: &Destination,
    tasks: Vec<Fit>,
    config: &RunConfig,
    report: &mut RunReport,
) -> Result<Vec<Fit>> {
    let mut publishable = Vec::with_capacity(tasks.len());
    for fit in tasks {
        let checked = Box::pin(destination.check_table(fit.task.folder(), config.gate)).await;
        if refuse(report, fit.entry, checked).is_some() {
            publishable.push(fit);
        }
    }
    Ok(publishable)
}

/// Notes a failure in the report; what went well is handed on.
pub(crate) fn refuse<T>(report: &mut RunReport, entry: usize, outcome: Result<T>) -> Option<T> {
    outcome.map_err(|error| report.tasks[entry].failure = Some(Failure::new(&error))).ok()
}

/// The tables that can be locked against a change of shape while the run reads: not views and foreign tables.
pub(crate) fn lockable(found: &[FoundTable]) -> Vec<TableName> {
    let lockable = found.iter().filter(|table| table.relation.lockable);
    lockable.map(|table| table.source.table.clone()).collect()
}

/// The views, behind which there are tables.
pub(crate) fn views(found: &[FoundTable]) -> Vec<TableName> {
    found.iter().filter(|table| table.relation.view).map(|table| table.source.table.clone()).collect()
}

/// Says how much a task will load into memory, and refuses one for which there is not enough.
async fn check_memory(
    connection: &mut PgConnection,
    task: &Task,
    found: &[FoundTable],
    limit: Option<u64>,
) -> Result<()> {
    let Task::Batch(_) = task else { return Ok(()) };
    let mut bytes = 0;
    for FoundTable { source, .. } in found {
        bytes += loaded_bytes(connection, &source.table, &source.read_columns()).await?;
    }
    info!(task = task.name(), estimate_mib = mebibytes(bytes), "loads its tables into memory");
    Ok(fits(task.name(), bytes, limit)?)
}

/// Refuses a task that needs more memory than there is.
fn fits(task: &str, bytes: u64, limit: Option<u64>) -> Result<(), ConfigError> {
    match limit {
        Some(limit) if bytes > limit => Err(ConfigError::configuration(format!(
            "{task} loads about {} MiB into memory and this container may use {} MiB; give it more, or make it a stream task",
            mebibytes(bytes),
            mebibytes(limit)
        ))),
        _ => Ok(()),
    }
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_task_that_needs_more_memory_than_the_container_has_is_refused_with_both_figures() {
        const LIMIT: u64 = 512 << 20;
        assert_eq!(fits("users", LIMIT, Some(LIMIT)), Ok(()));
        assert_eq!(fits("users", u64::MAX, None), Ok(()));
        let error = fits("users", LIMIT + 1, Some(LIMIT)).unwrap_err();
        assert_eq!(error.exit, 78);
        for text in ["users loads about 513 MiB", "this container may use 512 MiB", "give it more"] {
            assert!(error.message.contains(text), "{error}");
        }
    }
}
