//! `--then`: a Job in Kubernetes that is started after the run.

use crate::config::FollowUp;
use crate::report::step::StepReport;
use anyhow::{Result, bail};
use project_publish::RunId;
use tokio_util::sync::CancellationToken;

/// A Job that may be created.
pub(crate) struct JobToStart<'a> {
    follow_up: &'a FollowUp,
}

impl<'a> JobToStart<'a> {
    /// Finds the cluster and what the Job is made from before anything is read.
    pub(crate) async fn prepare(follow_up: &'a FollowUp, _run: &RunId) -> Result<Self> {
        Ok(Self { follow_up })
    }

    /// What is started, for people.
    pub(crate) fn about(&self) -> String {
        format!("a Job from {}", self.follow_up.job)
    }

    /// Starts it, waits for its end, and takes over how it ended.
    pub(crate) async fn start_and_wait(self, _step: &mut StepReport, _cancel: &CancellationToken) -> Result<()> {
        bail!("--then is not built yet")
    }
}
