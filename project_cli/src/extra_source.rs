//! `--extra`: files that become a table of the lake, as if it had been read from the database.

use crate::config::{ConfigError, Extra, RunConfig};
use crate::destination::Destination;
use crate::early_upload::StagedTable;
use crate::inputs::inputs;
use crate::isolation::{Panicked, isolate};
use crate::progress::Progress;
use crate::publishing::Finished;
use crate::report::{Failure, RunReport, TaskReport, milliseconds};
use crate::selection::same_table;
use crate::signals::stoppable;
use crate::staging::StagingFolder;
use crate::survey::{Fit, refuse};
use anyhow::Result;
use project_extra_source::{ExtraSource, Loaded, SchemaFile, SourceFile};
use project_parquet::{Counters, WriterSettings};
use project_postgres::{Stopped, TimestampUnit};
use project_tasks::{MemoryShare, REJECTS_SUFFIX, Written};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

const FIRST_FILE: &str = "part-00000.parquet";

/// The table, which has its place in the report.
pub(crate) struct ExtraTable<'a> {
    extra: &'a Extra,
    entry: usize,
}

impl<'a> ExtraTable<'a> {
    /// Gives it a place in the report.
    pub(crate) fn announce(extra: &'a Extra, report: &mut RunReport) -> Self {
        let entry = report.tasks.len();
        report.tasks.push(TaskReport::new(&extra.table, &extra.table));
        Self { extra, entry }
    }

    /// Refuses a table that a task of the run writes as well.
    pub(crate) fn check_folder(&self, tasks: &[Fit]) -> Result<()> {
        let (table, rejects) = self.folders();
        let taken = |fit: &&Fit| {
            let folder = fit.task.folder();
            folder == table || folder == rejects || format!("{folder}{REJECTS_SUFFIX}") == table
        };
        match tasks.iter().find(taken) {
            Some(fit) => {
                Err(same_table("--extra", fit.task.name(), &table, "give --extra another one with --as").into())
            }
            None => Ok(()),
        }
    }

    /// Refuses a table that cannot be published, before it is read.
    pub(crate) async fn publishable(
        self,
        destination: &Destination,
        config: &RunConfig,
        report: &mut RunReport,
    ) -> Option<Self> {
        let checked = Box::pin(destination.check_table(&self.extra.table, config.gate)).await;
        refuse(report, self.entry, checked).map(|()| self)
    }

    /// Reads the files into files of the lake: the table, and before it that of the lines that were put aside.
    pub(crate) async fn read(
        self,
        config: &RunConfig,
        writer: WriterSettings,
        staging: &StagingFolder,
        progress: &Progress,
        cancel: &CancellationToken,
        report: &mut RunReport,
    ) -> Vec<Finished> {
        let (table, start) = (&self.extra.table, Instant::now());
        let counters = Arc::new(Counters::default());
        let watched = Arc::clone(&counters);
        let line = progress.task(table, move || (watched.rows(), watched.bytes()));
        let read = isolate(table, Box::pin(self.load(config, writer, staging, counters, cancel))).await;
        let entry = &mut report.tasks[self.entry];
        entry.duration_ms = milliseconds(start.elapsed());
        entry.reading = Some(report.course.clock.stage(start));
        match read {
            Ok((folders, loaded)) => {
                line.finished();
                let columns: Vec<String> =
                    loaded.columns.iter().map(|column| format!("{} {}", column.lake_name, column.kind)).collect();
                if config.verify {
                    report.notes.push(format!("{table}: counted, not compared by column: its rows come from files"));
                }
                info!(task = table, columns = columns.join(", "), "columns found");
                report.notes.extend(loaded.notes.iter().map(|note| format!("{table}: {note}")));
                self.finished(folders, loaded, &mut report.tasks[self.entry])
            }
            Err(error) => {
                line.failed();
                let failure = Failure::new(&error);
                // Why it failed is told once, at the end, where it is looked for.
                warn!(task = table, exit_code = failure.exit_code, "task failed");
                entry.failure = Some(failure);
                [self.folders().0, self.folders().1].iter().for_each(|folder| staging.discard(folder));
                Vec::new()
            }
        }
    }

    /// The folders of the table and of its rejects.
    fn folders(&self) -> (String, String) {
        (self.extra.table.clone(), format!("{}{REJECTS_SUFFIX}", self.extra.table))
    }

    async fn load(
        &self,
        config: &RunConfig,
        writer: WriterSettings,
        staging: &StagingFolder,
        counters: Arc<Counters>,
        cancel: &CancellationToken,
    ) -> Result<((PathBuf, PathBuf), Loaded)> {
        let schema = self.extra.schema.as_deref().map(schema_file).transpose()?;
        let inputs =
            stoppable(cancel, Box::pin(inputs("extra", &self.extra.input, &config.aws, &config.scratch))).await?;
        let (table, rejects) = self.folders();
        let folders = (staging.task(&table)?, staging.task(&rejects)?);
        let (folder, rejects) = (folders.0.clone(), folders.1.join(FIRST_FILE));
        let most_rejects = config.rejects;
        let micros = config.choices.policies.timestamp_unit == Some(TimestampUnit::Micros);
        let memory = MemoryShare::of(config.memory, config.workers).row_group_bytes();
        let writer = WriterSettings { row_group_bytes: memory, ..writer };
        let stopped = cancel.clone();
        let loading = move || {
            let files = inputs.files.iter();
            let files: Vec<SourceFile> =
                files.map(|file| SourceFile { path: file.path.clone(), name: file.name.clone() }).collect();
            let stop = || stopped.is_cancelled();
            let (files, schema, stop) = (&files, schema.as_ref(), &stop);
            ExtraSource { files, schema, folder, rejects, most_rejects, micros, writer, counters, stop }.load()
        };
        // It is waited for also when the run is stopped, which it notices: nobody else may remove its files meanwhile.
        let loaded = spawn_blocking(loading).await.map_err(|_| Panicked::new(&table))?;
        match loaded {
            Err(_) if cancel.is_cancelled() => Err(Stopped.into()),
            loaded => Ok((folders, loaded?)),
        }
    }

    /// What is published: the rejects first, so that nobody sees the table without what is missing there.
    fn finished(&self, folders: (PathBuf, PathBuf), loaded: Loaded, entry: &mut TaskReport) -> Vec<Finished> {
        let Loaded { files, rejects, rows_read, rows_rejected, .. } = loaded;
        let written = Written { files, rows_read, rejected_rows: rows_rejected, ..Written::default() };
        (entry.rows, entry.bytes, entry.files) = (written.rows(), written.bytes(), written.files.len());
        (entry.uncompressed_bytes, entry.rejected) = (written.uncompressed_bytes(), rows_rejected);
        let (table, rejects_table) = self.folders();
        let finished = |table: String, folder: PathBuf, written: Written, gated: bool| Finished {
            task: self.entry,
            // Not the table's: a manifest tells by it where a table comes from.
            name: "--extra".to_owned(),
            table,
            folder,
            written,
            staged: StagedTable::default(),
            window: None,
            condition: None,
            gated,
        };
        let rejects = rejects.map(|file| {
            let rows = file.rows;
            finished(rejects_table, folders.1, Written::one(file, rows), false)
        });
        rejects.into_iter().chain([finished(table, folders.0, written, true)]).collect()
    }
}

/// What the file of `--extra-schema` says.
fn schema_file(path: &Path) -> Result<SchemaFile> {
    let name = path.display().to_string();
    let text = read_to_string(path)
        .map_err(|error| ConfigError::configuration(format!("--extra-schema={name} cannot be read: {error}")))?;
    Ok(SchemaFile::parse(&name, &text)?)
}
