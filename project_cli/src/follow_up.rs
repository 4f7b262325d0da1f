//! `--then`: a Job in Kubernetes that is started after the run.

use crate::config::FollowUp;
use crate::report::step::{JobFigures, StepFigures, StepReport};
use anyhow::Result;
use project_kube::{JobEnd, JobOutcome, Prepared, prepare, start_and_wait};
use project_publish::RunId;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// What is taken over of the Job's log: enough for the line that says why, and the ones before it.
const LOG_LINES: usize = 20;

/// A Job that may be created.
pub(crate) struct JobToStart<'a> {
    follow_up: &'a FollowUp,
    prepared: Prepared,
}

/// A Job that was started and did not do what it should.
#[derive(Debug, Error)]
#[error("{sentence}")]
pub(crate) struct JobFailed {
    sentence: String,
    end: JobEnd,
}

impl<'a> JobToStart<'a> {
    /// Finds the cluster and what the Job is made from before anything is read.
    pub(crate) async fn prepare(follow_up: &'a FollowUp, run: &RunId) -> Result<Self> {
        let (source, timeout) = (follow_up.job.clone(), follow_up.timeout);
        let wanted = project_kube::FollowUp { source, timeout, log_lines: LOG_LINES, kubeconfig: None };
        Ok(Self { follow_up, prepared: prepare(&wanted, run.as_str()).await? })
    }

    /// What is started, for people.
    pub(crate) fn about(&self) -> String {
        format!("a Job from {}", self.follow_up.job)
    }

    /// Starts it, waits for its end, and takes over how it ended.
    pub(crate) async fn start_and_wait(
        self,
        run: &RunId,
        step: &mut StepReport,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let outcome = start_and_wait(&self.prepared, run.as_str(), cancel).await?;
        let sentence = sentence(&outcome);
        let succeeded = outcome.succeeded();
        step.log = outcome.log.iter().flat_map(|log| log.text.lines().map(str::to_owned)).collect();
        let exit_code = match outcome.end {
            JobEnd::Failed { exit_code, .. } => exit_code,
            _ => None,
        };
        let (namespace, name) = (outcome.namespace, outcome.job);
        step.figures = Some(StepFigures::Job(JobFigures { namespace, name, succeeded, exit_code }));
        if !succeeded {
            return Err(JobFailed { sentence, end: outcome.end }.into());
        }
        step.outcome = Some(sentence);
        Ok(())
    }
}

fn sentence(outcome: &JobOutcome) -> String {
    let seconds = format!("{outcome}, after {:.1} s", outcome.duration.as_secs_f64());
    outcome.notes.iter().fold(seconds, |sentence, note| format!("{sentence}; {note}"))
}

impl JobFailed {
    /// How the Job ended.
    pub(crate) fn end(&self) -> &JobEnd {
        &self.end
    }
}
