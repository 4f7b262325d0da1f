//! Reads the tasks of a run one after another, each into a folder of its own.

use crate::config::RunConfig;
use crate::destination::Destination;
use crate::early_upload::{EarlyUpload, StagedTable};
use crate::isolation::isolate;
use crate::one_moment::OneMoment;
use crate::progress::Progress;
use crate::publishing::Finished;
use crate::report::{Change, Failure, RunReport, VerifiedColumns, milliseconds};
use crate::retry::Attempts;
use crate::staging::StagingFolder;
use crate::survey::{Fit, refuse};
use anyhow::Result;
use project_parquet::{Counters, WriterSettings};
use project_postgres::{ColumnChange, Stopped, TableName};
use project_tasks::{MemoryShare, REJECTS_SUFFIX, Task, TaskContext, Written, write_rejects};
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// What every task of a run needs.
pub(crate) struct Reader<'a> {
    pub(crate) config: &'a RunConfig,
    pub(crate) moment: &'a OneMoment,
    pub(crate) writer: WriterSettings,
    pub(crate) destination: &'a Destination,
    pub(crate) staging: &'a StagingFolder,
    pub(crate) progress: &'a Progress,
    pub(crate) attempts: &'a Attempts,
    pub(crate) cancel: &'a CancellationToken,
}

impl Reader<'_> {
    /// Reads what can be read and says in the report what came of it. Fails when the whole attempt is over; then nothing
    /// of it is left.
    pub(crate) async fn read(&self, tasks: &[Fit], report: &mut RunReport) -> Result<Vec<Finished>> {
        let (mut finished, mut uncompared) = (Vec::with_capacity(tasks.len()), Vec::new());
        for fit in tasks {
            if let Some((rejects, done)) = self.read_one(fit, report).await {
                if self.config.verify && done.written.verified.is_none() {
                    uncompared.push(fit);
                }
                // The rejects first, so that nobody sees the table without what is missing there.
                finished.extend(rejects);
                finished.push(done);
            }
            if let Err(over) = self.goes_on(report) {
                for table in finished {
                    self.destination.abandon(table.staged).await;
                }
                return Err(over);
            }
        }
        report.notes.extend(not_compared(&uncompared));
        Ok(finished)
    }

    /// Why nothing more is read, if so.
    fn goes_on(&self, report: &RunReport) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Stopped.into());
        }
        // Without the moment that they share, tables that were read before do not belong together with later ones.
        self.moment.lost()?;
        self.attempts.check(report)?;
        Ok(())
    }

    /// The table of a task, and before it that of its rejects if it may have some.
    async fn read_one(&self, fit: &Fit, report: &mut RunReport) -> Option<(Option<Finished>, Finished)> {
        refuse(report, fit.entry, self.moment.too_old().map_err(Into::into))?;
        let folder = refuse(report, fit.entry, self.staging.task(fit.task.folder()))?;
        let Some(mut done) = self.run_task(fit, folder, report).await else {
            self.staging.discard(fit.task.folder());
            return None;
        };
        let rejects = self.write_rejected(fit, &mut done.written);
        let Some(rejects) = refuse(report, fit.entry, rejects) else {
            self.staging.discard(fit.task.folder());
            self.destination.abandon(done.staged).await;
            return None;
        };
        Some((rejects, done))
    }

    /// Runs a task into its folder and notes in the report what came of it.
    async fn run_task(&self, fit: &Fit, folder: PathBuf, report: &mut RunReport) -> Option<Finished> {
        let (clock, entry) = (report.course.clock, &mut report.tasks[fit.entry]);
        let start = Instant::now();
        let counters = Arc::new(Counters::default());
        let watched = Arc::clone(&counters);
        let line = self.progress.task(fit.task.name(), move || (watched.rows(), watched.bytes()));
        let outcome = self.write_files(&fit.task, &folder, counters).await;
        entry.duration_ms = milliseconds(start.elapsed());
        entry.reading = Some(clock.stage(start));
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

    async fn write_files(&self, task: &Task, folder: &Path, counters: Arc<Counters>) -> Result<(Written, StagedTable)> {
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

    /// The table of the rows that a task had to put aside, if it may do that.
    fn write_rejected(&self, fit: &Fit, written: &mut Written) -> Result<Option<Finished>> {
        if self.config.rejects.is_none() || !fit.task.is_columnar() {
            return Ok(None);
        }
        let table = format!("{}{REJECTS_SUFFIX}", fit.task.folder());
        let folder = self.staging.task(&table)?;
        let rejects = take(&mut written.rejects);
        let rows = rejects.len() as u64;
        let file = write_rejects(&folder.join("part-00000.parquet"), rejects, &self.writer)?;
        let (written, staged) = (Written::one(file, rows), StagedTable::default());
        let name = fit.task.name().to_owned();
        let (window, condition) = (None, None);
        Ok(Some(Finished { task: fit.entry, name, table, folder, written, staged, window, condition, gated: false }))
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
fn not_compared(tasks: &[&Fit]) -> impl Iterator<Item = String> {
    let (with_rejects, made_in_rust) = tasks.iter().partition::<Vec<&Fit>, _>(|fit| fit.task.is_columnar());
    let groups = [(made_in_rust, "rows are made in Rust"), (with_rejects, "rejected rows are not in the files")];
    groups.into_iter().filter(|(tasks, _)| !tasks.is_empty()).map(|(tasks, why)| {
        let names: Vec<&str> = tasks.iter().map(|fit| fit.task.name()).collect();
        let whose = if names.len() == 1 { "its" } else { "their" };
        format!("{}: counted, not compared by column: {whose} {why}", names.join(", "))
    })
}
