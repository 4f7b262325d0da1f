//! One run, in order: check, take the snapshot, run the tasks, publish, report.

use crate::config::RunConfig;
use crate::destination::Destination;
use crate::left_folders::remove_left_folders;
use crate::log;
use crate::one_moment::hold;
use crate::progress::Progress;
use crate::provenance::provenance;
use crate::publishing::Finished;
use crate::reading::Reader;
use crate::report::{RunReport, milliseconds};
use crate::retry::Attempts;
use crate::selection::Selected;
use crate::staging::StagingFolder;
use crate::survey::{Fit, publishable, survey};
use anyhow::Result;
use futures::FutureExt;
use project_parquet::WriterSettings;
use project_postgres::{Source, Stopped};
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
    let mut attempts = Attempts::first(config.retries);
    loop {
        let attempt = Attempt { config, progress, cancel, attempts: &attempts };
        let Err(error) = Box::pin(attempt.run(selected.clone(), &mut report)).await else { break };
        if error.is::<Stopped>() || !attempts.next(&mut report, error, new_id, cancel).await {
            break;
        }
    }
    report.duration_ms = milliseconds(start.elapsed());
    report
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
    async fn run(&self, selected: Vec<Selected>, report: &mut RunReport) -> Result<()> {
        let source = Source::new(self.config.source.clone(), report.run_id.as_str());
        let source = source.with_read_timeout(self.config.read_timeout);
        let (destination, tasks) = self.prepare(&source, selected, report).await?;
        if tasks.is_empty() {
            return Ok(());
        }
        let scratch = &self.config.scratch;
        self.stoppable(remove_left_folders(scratch, destination.folder()).map(Ok)).await?;
        let folder = destination.staging_folder(&report.run_id, scratch);
        let mut staging = StagingFolder::create(folder)?;
        let finished = self.read(&source, tasks, &destination, &staging, report).await?;
        // Whatever happens from here on, a folder of the lake holds only finished files.
        if destination.keeps_staging() {
            staging.keep();
        }
        destination.publish(finished, self.config, report, self.progress, self.cancel).await;
        Ok(())
    }

    /// Finds out what can be read, and where it can be published.
    async fn prepare(
        &self,
        source: &Source,
        selected: Vec<Selected>,
        report: &mut RunReport,
    ) -> Result<(Destination, Vec<Fit>)> {
        let looking = Box::pin(survey(source, selected, self.config, report));
        let tasks = self.stoppable(source.answered("cannot look the tables up", looking)).await?;
        self.attempts.check(report)?;
        let destination = self.stoppable(Box::pin(Destination::open(self.config, &report.run_id))).await?;
        let tasks = self.stoppable(publishable(&destination, tasks, self.config, report)).await?;
        Ok((destination, tasks))
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
        let key_values = provenance(report.run_id.as_str(), moment.snapshot());
        let writer = WriterSettings { key_values, ..WriterSettings::new(config.gzip_level) };
        let reader = Reader { config, moment: &moment, writer, destination, staging, progress, attempts, cancel };
        let read = reader.read(&tasks, report).await;
        report.course.reading_ended();
        read
    }

    async fn stoppable<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.cancel.cancelled() => Err(Stopped.into()),
        }
    }
}
