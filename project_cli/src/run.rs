//! One run, in order: check, take the snapshot, run the tasks, publish, report.

use crate::config::RunConfig;
use crate::destination::{Destination, Finished};
use crate::exit_code::ExitCode;
use crate::isolation::isolate;
use crate::progress::Progress;
use crate::report::{Failure, RunReport, TaskReport, milliseconds};
use crate::selection::{Selected, expand, same_folder};
use crate::staging::StagingFolder;
use anyhow::Result;
use chrono::Utc;
use project_parquet::{Counters, WriterSettings};
use project_postgres::{SnapshotHolder, Source, Stopped, TableName};
use project_tasks::{DataError, Task, TaskContext, Written, preflight};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Bytes that the row groups under construction of all workers may hold together.
const WRITER_MEMORY: usize = 128 << 20;

/// Runs what was selected and says what came of it; never panics and never leaves half a table behind.
pub(crate) async fn run(
    config: &RunConfig,
    selected: Vec<Selected>,
    progress: &Progress,
    cancel: &CancellationToken,
) -> RunReport {
    let start = Instant::now();
    let mut report = RunReport {
        run_id: run_id(),
        destination: config.destination.to_string(),
        tasks: Vec::new(),
        failure: None,
        notes: Vec::new(),
        duration_ms: 0,
        stopped: None,
    };
    if let Err(error) = Box::pin(attempt(config, selected, progress, cancel, &mut report)).await
        && !error.is::<Stopped>()
    {
        report.failure = Some(Failure::new(&error));
    }
    report.duration_ms = milliseconds(start.elapsed());
    report
}

async fn attempt(
    config: &RunConfig,
    selected: Vec<Selected>,
    progress: &Progress,
    cancel: &CancellationToken,
    report: &mut RunReport,
) -> Result<()> {
    let source = Source::new(config.source.clone(), &report.run_id);
    let tasks = stoppable(cancel, survey(&source, selected, report)).await?;
    let destination = stoppable(cancel, Box::pin(Destination::open(config))).await?;
    let tasks: Vec<Fit> = tasks
        .into_iter()
        .filter(|fit| refuse(report, fit.entry, destination.check_table(fit.task.folder())).is_some())
        .collect();
    if tasks.is_empty() {
        return Ok(());
    }
    let (source, _holder) = stoppable(cancel, hold(&source, &tasks)).await?;
    let mut staging = StagingFolder::create(destination.staging_folder(&report.run_id, &config.scratch))?;
    let mut finished = Vec::with_capacity(tasks.len());
    for Fit { entry, task, .. } in tasks {
        let folder = staging.task(task.folder())?;
        let context = TaskContext {
            source: source.clone(),
            folder: folder.clone(),
            fetch_size: config.fetch_size,
            writer: WriterSettings {
                row_group_bytes: WRITER_MEMORY / config.workers,
                ..WriterSettings::new(config.gzip_level)
            },
            workers: config.workers,
            counters: Arc::new(Counters::default()),
            cancel: cancel.clone(),
        };
        match run_task(&task, context, progress, &mut report.tasks[entry]).await {
            Some(written) => finished.push(Finished { task: entry, table: task.folder().to_owned(), folder, written }),
            None => staging.discard(task.folder()),
        }
        if cancel.is_cancelled() {
            return Err(Stopped.into());
        }
    }
    // Whatever happens from here on, a folder of the lake holds only finished files.
    if destination.keeps_staging() {
        staging.keep();
    }
    destination.publish(&finished, report, progress, cancel).await;
    Ok(())
}

/// A task that passed the preflight.
struct Fit {
    /// Its place in the report.
    entry: usize,
    task: Task,
    /// Its tables that can be locked.
    lockable: Vec<TableName>,
}

/// Looks at every selected table in the catalog. A task that cannot run is reported and dropped; the others go on.
async fn survey(source: &Source, selected: Vec<Selected>, report: &mut RunReport) -> Result<Vec<Fit>> {
    let mut connection = source.connect_plain().await?;
    let tasks = expand(selected, &mut connection).await?;
    report.tasks = tasks.iter().map(|task| TaskReport::new(task.name(), task.folder())).collect();
    let mut fit = Vec::with_capacity(tasks.len());
    for (entry, task) in tasks.iter().enumerate() {
        let looked = match same_folder(task, &tasks) {
            Some(other) => Err(DataError(format!(
                "{} and {} would both be the table \"{}\" in the lake; select one of them",
                task.name(),
                other.name(),
                task.folder()
            ))
            .into()),
            None => preflight(&mut connection, task).await.map_err(anyhow::Error::from),
        };
        let looked = match looked {
            // A server that has gone away is nobody's fault in particular.
            Err(error) if ExitCode::of(&error) == ExitCode::Unreachable => return Err(error),
            looked => looked,
        };
        if let Some(lockable) = refuse(report, entry, looked) {
            let tables: Vec<String> = task.reads().iter().map(|read| read.table.to_string()).collect();
            info!(task = task.name(), reads = tables.join(", "), writes = task.folder(), "will run");
            fit.push(Fit { entry, task: task.clone(), lockable });
        }
    }
    Ok(fit)
}

/// Notes a failure in the report; what went well is handed on.
fn refuse<T>(report: &mut RunReport, entry: usize, outcome: Result<T>) -> Option<T> {
    outcome.map_err(|error| report.tasks[entry].failure = Some(Failure::new(&error))).ok()
}

async fn hold(source: &Source, tasks: &[Fit]) -> Result<(Source, SnapshotHolder)> {
    let mut tables: Vec<TableName> = tasks.iter().flat_map(|fit| fit.lockable.clone()).collect();
    tables.sort();
    tables.dedup();
    Ok(source.hold_snapshot(&tables).await?)
}

async fn run_task(task: &Task, context: TaskContext, progress: &Progress, entry: &mut TaskReport) -> Option<Written> {
    let start = Instant::now();
    let counters = Arc::clone(&context.counters);
    let line = progress.task(task.name(), move || (counters.rows(), counters.bytes()));
    let outcome = isolate(task.name(), task.run(context)).await;
    entry.duration_ms = milliseconds(start.elapsed());
    match outcome {
        Ok(written) => {
            (entry.rows, entry.bytes, entry.files) = (written.rows(), written.bytes(), written.files.len());
            line.finished();
            Some(written)
        }
        Err(error) => {
            line.failed();
            let failure = Failure::new(&error);
            warn!(task = task.name(), exit_code = failure.exit_code, "task failed: {}", failure.message);
            entry.failure = Some(failure);
            None
        }
    }
}

async fn stoppable<T>(cancel: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = work => done,
        () = cancel.cancelled() => Err(Stopped.into()),
    }
}

/// Sorts by time, and does not repeat when two runs begin in the same millisecond on different machines.
fn run_id() -> String {
    let now = Utc::now();
    let salt = std::process::id().wrapping_mul(0x9e37_79b9) ^ now.timestamp_subsec_nanos();
    format!("{}-{:04x}", now.format("%Y%m%dT%H%M%S%3fZ"), salt & 0xffff)
}
