//! What a run does when its tables are published: rows go back into a database, and a Job is started.

use crate::config::RunConfig;
use crate::follow_up::JobToStart;
use crate::insert_data::RowsToInsert;
use crate::report::step::StepReport;
use crate::report::{Failure, RunReport};
use anyhow::Result;
use project_publish::RunId;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// The steps that were asked for. Each was looked at before anything was read, so that a wrong name or a missing right
/// does not show after hours.
pub(crate) struct Afterwards<'a> {
    insertion: Option<RowsToInsert<'a>>,
    follow_up: Option<JobToStart<'a>>,
}

impl<'a> Afterwards<'a> {
    /// Finds out whether the steps can be done.
    pub(crate) async fn prepare(config: &'a RunConfig, run: &RunId) -> Result<Self> {
        let mut afterwards = Self { insertion: None, follow_up: None };
        if let Some(insertion) = &config.insertion {
            afterwards.insertion = Some(RowsToInsert::prepare(insertion, config, run).await?);
        }
        if let Some(follow_up) = &config.follow_up {
            afterwards.follow_up = Some(JobToStart::prepare(follow_up, run).await?);
        }
        Ok(afterwards)
    }

    /// Does them one after another, each only when nothing has failed before, and says in the report what came of it.
    pub(crate) async fn carry_out(self, report: &mut RunReport, cancel: &CancellationToken) {
        if let Some(insertion) = self.insertion {
            let step = StepReport::new("file", insertion.about());
            carry_out(step, report, cancel, async |step| insertion.insert(step, cancel).await).await;
        }
        if let Some(follow_up) = self.follow_up {
            let step = StepReport::new("then", follow_up.about());
            // Of the attempt that has published, not of the one that began.
            let run = report.run_id.clone();
            carry_out(step, report, cancel, async |step| follow_up.start_and_wait(&run, step, cancel).await).await;
        }
    }
}

async fn carry_out(
    mut step: StepReport,
    report: &mut RunReport,
    cancel: &CancellationToken,
    work: impl AsyncFnOnce(&mut StepReport) -> Result<()>,
) {
    if cancel.is_cancelled() || !report.is_ok() {
        let why = if cancel.is_cancelled() { "the run was stopped" } else { "the run failed before" };
        step.outcome = Some(format!("not done, because {why}"));
    } else {
        let start = Instant::now();
        let done = work(&mut step).await;
        step.stage = Some(report.course.clock.stage(start));
        step.failure = done.err().map(|error| Failure::new(&error));
    }
    report.steps.push(step);
}
