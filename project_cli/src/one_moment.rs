//! One moment for all tasks of a run: what can be locked is held, and reading ends when the moment has passed.

use crate::config::RunConfig;
use crate::exit_code::ExitCode;
use crate::report::{Failure, RunReport};
use crate::survey::{Fit, lockable, views};
use anyhow::Result;
use project_postgres::{HoldError, Snapshot, SnapshotHolder, SnapshotLost, Source, TableName, close};
use project_tasks::preflight;
use std::collections::BTreeSet;
use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// What `--no-snapshot` means, for everybody who looks at the result.
const NO_MOMENT: &str = "--no-snapshot: every connection has seen a moment of its own; the tables need not fit \
    together, and rows that were changed while a table was read can be missing or twice";

/// Reading took longer than `--max-snapshot-age` allows.
#[derive(Debug, Clone, Error)]
#[error(
    "the snapshot has reached its --max-snapshot-age of {} s, and reading was stopped so that the server can clean up \
     again; read less in one run (--table, --from, --to), give more --workers, or raise the limit", .limit.as_secs()
)]
pub(crate) struct TooOld {
    limit: Duration,
}

/// Why the moment has passed.
#[derive(Debug, Clone)]
enum Passed {
    Lost(SnapshotLost),
    TooOld(TooOld),
}

/// What all readers of a run share.
#[derive(Debug)]
pub(crate) struct OneMoment {
    /// Whose connections see it.
    pub(crate) source: Source,
    /// Set when reading is to stop: by whoever stops the run, or because the moment has passed.
    pub(crate) stop: CancellationToken,
    holder: Option<SnapshotHolder>,
    passed: Arc<OnceLock<Passed>>,
    watcher: Option<JoinHandle<()>>,
}

impl OneMoment {
    /// The snapshot, unless the run goes without.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.holder.as_ref().map(SnapshotHolder::snapshot)
    }

    /// Why no further task can be read.
    pub(crate) fn too_old(&self) -> Result<(), TooOld> {
        match self.passed.get() {
            Some(Passed::TooOld(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Why nothing of the run can be published.
    pub(crate) fn lost(&self) -> Result<(), SnapshotLost> {
        self.holder.as_ref().and_then(SnapshotHolder::lost).map_or(Ok(()), Err)
    }

    /// The error of a task; one that was stopped because the moment has passed, or could not begin any more, says so.
    pub(crate) fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let by_this = matches!(ExitCode::of(&error), ExitCode::Temporary | ExitCode::Unreachable);
        match self.passed.get().filter(|_| by_this) {
            Some(Passed::TooOld(cause)) => cause.clone().into(),
            Some(Passed::Lost(cause)) => cause.clone().into(),
            None => error,
        }
    }

    fn begin(
        (source, holder): (Source, Option<SnapshotHolder>),
        limit: Option<Duration>,
        cancel: &CancellationToken,
    ) -> Self {
        let (stop, passed) = (cancel.child_token(), Arc::new(OnceLock::new()));
        let watcher = holder.as_ref().map(|holder| {
            let (lost, end, stop, passed) = (holder.until_lost(), holder.end(), stop.clone(), Arc::clone(&passed));
            tokio::spawn(async move {
                let why = tokio::select! {
                    lost = lost => Some(Passed::Lost(lost)),
                    error = too_old(limit) => Some(Passed::TooOld(error)),
                    () = stop.cancelled() => None,
                };
                // It is only ever set here.
                why.map(|why| passed.set(why));
                stop.cancel();
                // Its connection may be the one by which statements are cancelled: a role may have no further one.
                end.abort();
            })
        });
        Self { source, stop, holder, passed, watcher }
    }
}

impl Drop for OneMoment {
    fn drop(&mut self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }
}

async fn too_old(limit: Option<Duration>) -> TooOld {
    match limit {
        Some(limit) => {
            sleep(limit).await;
            warn!(limit_s = limit.as_secs(), "the snapshot is too old");
            TooOld { limit }
        }
        None => pending().await,
    }
}

/// Takes the snapshot for the tasks that can be locked; the others are reported and dropped.
pub(crate) async fn hold(
    source: &Source,
    tasks: Vec<Fit>,
    config: &RunConfig,
    cancel: &CancellationToken,
    report: &mut RunReport,
) -> Result<(OneMoment, Vec<Fit>)> {
    if !config.snapshot {
        warn!("{NO_MOMENT}");
        report.notes.push(NO_MOMENT.to_owned());
        return Ok((OneMoment::begin((source.clone(), None), None, cancel), tasks));
    }
    let tables = all_of(&tasks, |fit| &fit.lockable);
    let (source, holder, tasks) = match source.hold_snapshot(&tables, &all_of(&tasks, |fit| &fit.views)).await {
        Ok((source, holder)) => (source, holder, tasks),
        Err(HoldError::Lock(error)) => {
            warn!(%error, "the tables are looked at once more, and locked task by task");
            hold_the_rest(source, tasks, config, report).await?
        }
        Err(HoldError::Source(error)) => return Err(error.into()),
    };
    let tasks = confirm(&source, tasks, config, report).await?;
    Ok((OneMoment::begin((source, Some(holder)), config.max_snapshot_age, cancel), tasks))
}

/// Each of them once.
fn all_of(tasks: &[Fit], names: fn(&Fit) -> &[TableName]) -> Vec<TableName> {
    let names: BTreeSet<&TableName> = tasks.iter().flat_map(names).collect();
    names.into_iter().cloned().collect()
}

/// Looks at all tables again, since something has changed, and leaves out the tasks that cannot be locked.
async fn hold_the_rest(
    source: &Source,
    tasks: Vec<Fit>,
    config: &RunConfig,
    report: &mut RunReport,
) -> Result<(Source, SnapshotHolder, Vec<Fit>)> {
    let mut connection = source.connect_plain().await?;
    let mut left = Vec::with_capacity(tasks.len());
    for fit in tasks {
        match preflight(&mut connection, &fit.task, &config.choices).await {
            Ok(found) => left.push(Fit { lockable: lockable(&found), views: views(&found), ..fit }),
            Err(error) => drop_task(report, &fit, error)?,
        }
    }
    close(connection).await;
    let groups: Vec<Vec<TableName>> = left.iter().map(|fit| fit.lockable.clone()).collect();
    let (source, holder, refusals) = source.hold_snapshot_of(&groups, &all_of(&left, |fit| &fit.views)).await?;
    let mut held = Vec::with_capacity(left.len());
    for (fit, refusal) in left.into_iter().zip(refusals) {
        match refusal {
            None => held.push(fit),
            Some(error) => drop_task(report, &fit, error.into())?,
        }
    }
    Ok((source, holder, held))
}

/// A table may have changed after it was looked at and before it was locked. Whoever reads it as it is looks again
/// anyway; what a struct expects is compared once more, at the moment of the run.
async fn confirm(source: &Source, tasks: Vec<Fit>, config: &RunConfig, report: &mut RunReport) -> Result<Vec<Fit>> {
    let mut confirmed = Vec::with_capacity(tasks.len());
    for fit in tasks {
        if !fit.task.is_columnar() {
            // One each: a failure would spoil the transaction for those that follow.
            let mut connection = source.connect().await?;
            let looked = preflight(&mut connection, &fit.task, &config.choices).await;
            close(connection).await;
            if let Err(error) = looked {
                drop_task(report, &fit, error)?;
                continue;
            }
        }
        confirmed.push(fit);
    }
    Ok(confirmed)
}

/// Reports the task as failed, unless the server has gone away, which is nobody's fault in particular.
fn drop_task(report: &mut RunReport, fit: &Fit, error: anyhow::Error) -> Result<()> {
    if ExitCode::of(&error) == ExitCode::Unreachable {
        return Err(error);
    }
    let failure = Failure::new(&error);
    warn!(task = fit.task.name(), exit_code = failure.exit_code, "task dropped: {}", failure.message);
    report.tasks[fit.entry].failure = Some(failure);
    Ok(())
}
