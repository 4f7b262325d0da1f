//! One run, in order: check, take the snapshot, run the tasks, publish, report.

use crate::config::{ConfigError, RunConfig};
use crate::course::Clock;
use crate::destination::Destination;
use crate::early_upload::{EarlyUpload, StagedTable};
use crate::exit_code::ExitCode;
use crate::isolation::isolate;
use crate::log;
use crate::one_moment::{OneMoment, hold};
use crate::progress::Progress;
use crate::provenance::provenance;
use crate::publishing::Finished;
use crate::report::{Change, Failure, RunReport, TaskReport, VerifiedColumns, milliseconds};
use crate::retry::Attempts;
use crate::selection::{Selected, check_folder, expand};
use crate::staging::StagingFolder;
use anyhow::Result;
use project_parquet::{Counters, WriterSettings};
use project_postgres::load_estimate::loaded_bytes;
use project_postgres::{ColumnChange, Source, Stopped, TableName, close};
use project_publish::RunId;
use project_tasks::{FoundTable, MemoryShare, REJECTS_SUFFIX, Task, TaskContext, Written, preflight, write_rejects};
use sqlx::PgConnection;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Runs what was selected and says what came of it; never panics and never leaves half a table behind.
pub(crate) async fn run(
    config: &RunConfig,
    selected: Vec<Selected>,
    progress: &Progress,
    cancel: &CancellationToken,
) -> RunReport {
    let start = Instant::now();
    let mut report = begin(config);
    let mut attempts = Attempts::first(config.retries);
    while let Err(error) = Box::pin(attempt(config, selected.clone(), progress, cancel, &attempts, &mut report)).await
        && !error.is::<Stopped>()
        && attempts.next(&mut report, error, RunId::now, cancel).await
    {}
    report.duration_ms = milliseconds(start.elapsed());
    report
}

/// The report of a run of which nothing is known yet.
pub(crate) fn begin(config: &RunConfig) -> RunReport {
    let id = RunId::now();
    log::name_run(id.as_str());
    RunReport::begin(id, config.destination.to_string())
}

async fn attempt(
    config: &RunConfig,
    selected: Vec<Selected>,
    progress: &Progress,
    cancel: &CancellationToken,
    attempts: &Attempts,
    report: &mut RunReport,
) -> Result<()> {
    let source = Source::new(config.source.clone(), report.run_id.as_str()).with_read_timeout(config.read_timeout);
    let looking = Box::pin(survey(&source, selected, config, report));
    let tasks = stoppable(cancel, source.answered("cannot look the tables up", looking)).await?;
    attempts.check(report)?;
    let destination = stoppable(cancel, Box::pin(Destination::open(config, &report.run_id))).await?;
    let tasks = stoppable(cancel, publishable(&destination, tasks, config, report)).await?;
    if tasks.is_empty() {
        return Ok(());
    }
    let holding = Box::pin(hold(&source, tasks, config, cancel, report));
    let (moment, tasks) = stoppable(cancel, source.answered("cannot take the snapshot", holding)).await?;
    attempts.check(report)?;
    if let Some(snapshot) = moment.snapshot() {
        report.course.snapshot_taken(snapshot);
    }
    let key_values = provenance(report.run_id.as_str(), moment.snapshot());
    let writer = WriterSettings { key_values, ..WriterSettings::new(config.gzip_level) };
    let mut staging = StagingFolder::create(destination.staging_folder(&report.run_id, &config.scratch))?;
    let mut finished = Vec::with_capacity(tasks.len());
    let (mut made_in_rust, mut with_rejects) = (Vec::new(), Vec::new());
    for fit in tasks {
        let clock = report.course.clock;
        let runner = Runner { config, moment: &moment, writer: &writer, destination: &destination, progress, clock };
        if refuse(report, fit.entry, moment.too_old().map_err(Into::into)).is_none() {
            continue;
        }
        let Some(folder) = refuse(report, fit.entry, staging.task(fit.task.folder())) else { continue };
        match runner.run(&fit, folder, &mut report.tasks[fit.entry]).await {
            Some(mut done) => {
                let rejects = write_rejected(config, &fit, &mut done.written, &staging, &writer);
                let Some(rejects) = refuse(report, fit.entry, rejects) else {
                    staging.discard(fit.task.folder());
                    destination.abandon(done.staged).await;
                    continue;
                };
                if config.verify && done.written.verified.is_none() {
                    let why = if fit.task.is_columnar() { &mut with_rejects } else { &mut made_in_rust };
                    why.push(fit.task.name().to_owned());
                }
                // The rejects first, so that nobody sees the table without what is missing there.
                finished.extend(rejects);
                finished.push(done);
            }
            None => staging.discard(fit.task.folder()),
        }
        if let Err(over) = goes_on(cancel, &moment, attempts, report) {
            report.course.reading_ended();
            for table in finished {
                destination.abandon(table.staged).await;
            }
            return Err(over);
        }
    }
    report.course.reading_ended();
    // From here on the server may clean up again, however long publishing takes.
    drop(moment);
    for (tasks, why) in [(made_in_rust, "rows are made in Rust"), (with_rejects, "rejected rows are not in the files")]
    {
        report.notes.extend(not_compared(&tasks, why));
    }
    // Whatever happens from here on, a folder of the lake holds only finished files.
    if destination.keeps_staging() {
        staging.keep();
    }
    destination.publish(finished, config, report, progress, cancel).await;
    Ok(())
}

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

/// Refuses tables that cannot be published, before anything is read.
async fn publishable(
    destination: &Destination,
    tasks: Vec<Fit>,
    config: &RunConfig,
    report: &mut RunReport,
) -> Result<Vec<Fit>> {
    let mut publishable = Vec::with_capacity(tasks.len());
    for fit in tasks {
        let checked = destination.check_table(fit.task.folder(), config.gate).await;
        if refuse(report, fit.entry, checked).is_some() {
            publishable.push(fit);
        }
    }
    Ok(publishable)
}

/// Looks at every selected table in the catalog. A task that cannot run is reported and dropped; the others go on.
async fn survey(
    source: &Source,
    selected: Vec<Selected>,
    config: &RunConfig,
    report: &mut RunReport,
) -> Result<Vec<Fit>> {
    let mut connection = source.connect_plain().await?;
    let tasks = expand(selected, &mut connection).await?;
    report.tasks = tasks.iter().map(|task| TaskReport::new(task.name(), task.folder())).collect();
    let mut fit = Vec::with_capacity(tasks.len());
    for (entry, task) in tasks.iter().enumerate() {
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
        found.iter().flat_map(|table| &table.drift).for_each(|drift| debug!(task = task.name(), "{drift}"));
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

/// The tables that can be locked against a change of shape while the run reads: not views and foreign tables.
pub(crate) fn lockable(found: &[FoundTable]) -> Vec<TableName> {
    let lockable = found.iter().filter(|table| table.relation.lockable);
    lockable.map(|table| table.source.table.clone()).collect()
}

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

/// Notes a failure in the report; what went well is handed on.
fn refuse<T>(report: &mut RunReport, entry: usize, outcome: Result<T>) -> Option<T> {
    outcome.map_err(|error| report.tasks[entry].failure = Some(Failure::new(&error))).ok()
}

/// The table of the rows that a task had to put aside, if it may do that.
fn write_rejected(
    config: &RunConfig,
    fit: &Fit,
    written: &mut Written,
    staging: &StagingFolder,
    settings: &WriterSettings,
) -> Result<Option<Finished>> {
    if config.rejects.is_none() || !fit.task.is_columnar() {
        return Ok(None);
    }
    let table = format!("{}{REJECTS_SUFFIX}", fit.task.folder());
    let folder = staging.task(&table)?;
    let rejects = take(&mut written.rejects);
    let rows = rejects.len() as u64;
    let file = write_rejects(&folder.join("part-00000.parquet"), rejects, settings)?;
    let (written, staged) = (Written::one(file, rows), StagedTable::default());
    let name = fit.task.name().to_owned();
    let (window, condition) = (None, None);
    Ok(Some(Finished { task: fit.entry, name, table, folder, written, staged, window, condition, gated: false }))
}

/// What every task of a run needs.
struct Runner<'a> {
    config: &'a RunConfig,
    moment: &'a OneMoment,
    writer: &'a WriterSettings,
    destination: &'a Destination,
    progress: &'a Progress,
    clock: Clock,
}

impl Runner<'_> {
    /// Runs a task into its folder and notes in the report what came of it.
    async fn run(&self, fit: &Fit, folder: PathBuf, entry: &mut TaskReport) -> Option<Finished> {
        let start = Instant::now();
        let counters = Arc::new(Counters::default());
        let watched = Arc::clone(&counters);
        let line = self.progress.task(fit.task.name(), move || (watched.rows(), watched.bytes()));
        let outcome = self.attempt(&fit.task, &folder, counters).await;
        entry.duration_ms = milliseconds(start.elapsed());
        entry.reading = Some(self.clock.stage(start));
        match outcome {
            Ok((written, staged)) => {
                (entry.rows, entry.bytes, entry.files) = (written.rows(), written.bytes(), written.files.len());
                entry.uncompressed_bytes = written.uncompressed_bytes();
                entry.rejected = written.rejected_rows;
                entry.changes = written.changes.iter().map(|change| told(&fit.task, change)).collect();
                entry.verified = written.verified.as_ref().map(VerifiedColumns::from);
                line.finished();
                let (name, table) = (fit.task.name().to_owned(), fit.task.folder().to_owned());
                let (window, condition) = (self.config.window, condition(&fit.task, self.config));
                let task = fit.entry;
                Some(Finished { task, name, table, folder, written, staged, window, condition, gated: true })
            }
            Err(error) => {
                line.failed();
                let failure = Failure::new(&self.moment.explain(error));
                // Why it failed is told once, at the end, where it is looked for.
                warn!(task = fit.task.name(), exit_code = failure.exit_code, "task failed");
                entry.failure = Some(failure);
                None
            }
        }
    }

    async fn attempt(&self, task: &Task, folder: &Path, counters: Arc<Counters>) -> Result<(Written, StagedTable)> {
        let config = self.config;
        let memory = MemoryShare::of(config.memory, config.workers);
        let stop = &self.moment.stop;
        let early = task.is_columnar().then(|| self.destination.early_upload(task.folder(), folder, stop)).flatten();
        let context = TaskContext {
            source: self.moment.source.clone(),
            folder: folder.to_owned(),
            fetch_size: config.fetch_size,
            writer: WriterSettings { row_group_bytes: memory.row_group_bytes(), ..self.writer.clone() },
            workers: config.workers,
            memory,
            window: config.window,
            choices: Arc::clone(&config.choices),
            rejects: config.rejects,
            verify: config.verify,
            finished: early.as_ref().map(EarlyUpload::sender),
            counters,
            cancel: stop.clone(),
        };
        let written = isolate(task.name(), task.run(context)).await;
        let staged = match early {
            // A task whose files could not be handed over only says that it was stopped.
            Some(early) => early.finish().await?,
            None => StagedTable::default(),
        };
        match written {
            Ok(written) => Ok((written, staged)),
            Err(error) => {
                self.destination.abandon(staged).await;
                Err(error)
            }
        }
    }
}

/// A lossy choice is always visible: in the log, where an alert can find it, and in the report.
fn told(task: &Task, change: &ColumnChange) -> Change {
    let ColumnChange { column, policy, change, values } = change;
    warn!(task = task.name(), column, policy, values, "values were {change}");
    Change { column: column.clone(), policy: policy.clone(), change: change.clone(), values: *values }
}

/// Under which condition the rows of a task were read, if under one.
fn condition(task: &Task, config: &RunConfig) -> Option<String> {
    let tables = task.reads().into_iter().map(|source| source.table);
    let filter = |table: TableName| config.choices.tables.get(&table)?.filter.clone();
    let conditions: Vec<String> = tables.filter_map(filter).collect();
    (!conditions.is_empty()).then(|| conditions.join(" AND "))
}

/// What `--verify` has not done, and why.
fn not_compared(tasks: &[String], why: &str) -> Option<String> {
    let whose = if tasks.len() == 1 { "its" } else { "their" };
    let note = || format!("{}: counted, not compared by column: {whose} {why}", tasks.join(", "));
    (!tasks.is_empty()).then(note)
}

/// Why nothing more is read, if so.
fn goes_on(cancel: &CancellationToken, moment: &OneMoment, attempts: &Attempts, report: &RunReport) -> Result<()> {
    if cancel.is_cancelled() {
        return Err(Stopped.into());
    }
    // Without the moment that they share, tables that were read before do not belong together with later ones.
    moment.lost()?;
    attempts.check(report)?;
    Ok(())
}

async fn stoppable<T>(cancel: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = work => done,
        () = cancel.cancelled() => Err(Stopped.into()),
    }
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
