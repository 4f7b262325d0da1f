//! One run, in order: check, take files in, take the snapshot, run the tasks, publish, do what comes afterwards, report.

use crate::afterwards::Afterwards;
use crate::config::RunConfig;
use crate::destination::Destination;
use crate::extra_source::ExtraTable;
use crate::left_folders::remove_left_folders;
use crate::log;
use crate::one_moment::hold;
use crate::progress::Progress;
use crate::provenance::provenance;
use crate::publishing::Finished;
use crate::reading::Reader;
use crate::report::{Failure, RunReport, milliseconds};
use crate::retry::Attempts;
use crate::selection::Selected;
use crate::signals::stoppable;
use crate::staging::StagingFolder;
use crate::survey::{Fit, publishable, survey};
use anyhow::Result;
use futures::FutureExt;
use project_parquet::WriterSettings;
use project_postgres::{Snapshot, Source, Stopped};
use project_publish::RunId;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Runs what was selected and says what came of it; never panics and never leaves half a table behind.
pub(crate) async fn run(
    config: &RunConfig,
    selected: Vec<Selected>,
    progress: &Progress,
    cancel: &CancellationToken,
) -> RunReport {
    let start = Instant::now();
    let mut report = begin(config);
    match stoppable(cancel, Box::pin(Afterwards::prepare(config, &report.run_id))).await {
        Ok(afterwards) => {
            publish_tables(config, &selected, progress, cancel, &mut report).await;
            Box::pin(afterwards.carry_out(&mut report, cancel)).await;
        }
        Err(error) => report.failure = Some(Failure::new(&error)),
    }
    report.duration_ms = milliseconds(start.elapsed());
    report
}

/// Reads and publishes whatever becomes a table of the lake, in as many attempts as it takes.
async fn publish_tables(
    config: &RunConfig,
    selected: &[Selected],
    progress: &Progress,
    cancel: &CancellationToken,
    report: &mut RunReport,
) {
    let mut attempts = Attempts::first(config.retries);
    loop {
        let attempt = Attempt { config, progress, cancel, attempts: &attempts };
        let Err(error) = Box::pin(attempt.run(selected, report)).await else { break };
        if error.is::<Stopped>() || !attempts.next(report, error, new_id, cancel).await {
            break;
        }
    }
}

/// The report of a run of which nothing is known yet.
pub(crate) fn begin(config: &RunConfig) -> RunReport {
    RunReport::begin(new_id(), config.destination.to_string())
}

/// Every message from now on belongs to this attempt.
fn new_id() -> RunId {
    let id = RunId::now();
    log::name_run(id.as_str());
    id
}

/// One of the attempts of a run, which knows nothing of those before it.
struct Attempt<'a> {
    config: &'a RunConfig,
    progress: &'a Progress,
    cancel: &'a CancellationToken,
    attempts: &'a Attempts,
}

impl Attempt<'_> {
    async fn run(&self, selected: &[Selected], report: &mut RunReport) -> Result<()> {
        let source = self.config.source.as_ref().filter(|_| !selected.is_empty()).map(|settings| {
            Source::new(settings.clone(), report.run_id.as_str()).with_read_timeout(self.config.read_timeout)
        });
        let tasks = match &source {
            Some(source) => self.survey(source, selected, report).await?,
            None => Vec::new(),
        };
        // Not before: a report with tasks means that the database was reached.
        let extra = self.config.extra.as_ref().map(|extra| ExtraTable::announce(extra, report));
        if let Some(extra) = &extra {
            extra.check_folder(&tasks)?;
        } else if tasks.is_empty() {
            return Ok(());
        }
        let destination = self.stoppable(Box::pin(Destination::open(self.config, &report.run_id))).await?;
        let tasks = self.stoppable(publishable(&destination, tasks, self.config, report)).await?;
        let extra = match extra {
            Some(extra) => self.stoppable(extra.publishable(&destination, self.config, report).map(Ok)).await?,
            None => None,
        };
        let scratch = &self.config.scratch;
        self.stoppable(remove_left_folders(scratch, destination.folder()).map(Ok)).await?;
        let folder = destination.staging_folder(&report.run_id, scratch);
        let mut staging = StagingFolder::create(folder)?;
        let mut finished = Vec::new();
        if let Some(extra) = extra {
            let writer = self.writer(None, report);
            let reading = extra.read(self.config, writer, &staging, self.progress, self.cancel, report);
            finished.extend(Box::pin(reading).await);
            if self.cancel.is_cancelled() {
                return Err(Stopped.into());
            }
        }
        if let Some(source) = source.filter(|_| !tasks.is_empty()) {
            finished.extend(self.read(&source, tasks, &destination, &staging, report).await?);
        }
        // Whatever happens from here on, a folder of the lake holds only finished files.
        if destination.keeps_staging() {
            staging.keep();
        }
        destination.publish(finished, self.config, report, self.progress, self.cancel).await;
        Ok(())
    }

    /// Finds out what can be read.
    async fn survey(&self, source: &Source, selected: &[Selected], report: &mut RunReport) -> Result<Vec<Fit>> {
        let looking = Box::pin(survey(source, selected.to_vec(), self.config, report));
        let tasks = self.stoppable(source.answered("cannot look the tables up", looking)).await?;
        self.attempts.check(report)?;
        Ok(tasks)
    }

    /// How files are written that show this moment, if they show one.
    fn writer(&self, snapshot: Option<&Snapshot>, report: &RunReport) -> WriterSettings {
        let key_values = provenance(report.run_id.as_str(), snapshot);
        WriterSettings { key_values, ..WriterSettings::new(self.config.gzip_level) }
    }

    /// Reads all tasks at one moment. Afterwards the server may clean up again, however long publishing takes.
    async fn read(
        &self,
        source: &Source,
        tasks: Vec<Fit>,
        destination: &Destination,
        staging: &StagingFolder,
        report: &mut RunReport,
    ) -> Result<Vec<Finished>> {
        let Self { config, progress, cancel, attempts } = *self;
        let holding = Box::pin(hold(source, tasks, config, cancel, report));
        let (moment, tasks) = self.stoppable(source.answered("cannot take the snapshot", holding)).await?;
        attempts.check(report)?;
        if let Some(snapshot) = moment.snapshot() {
            report.course.snapshot_taken(snapshot);
        }
        let writer = self.writer(moment.snapshot(), report);
        let reader = Reader { config, moment: &moment, writer, destination, staging, progress, attempts, cancel };
        let read = reader.read(&tasks, report).await;
        report.course.reading_ended();
        read
    }

    async fn stoppable<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        stoppable(self.cancel, work).await
    }
}
