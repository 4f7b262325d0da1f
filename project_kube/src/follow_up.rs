//! What is asked for.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where the Job comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobSource {
    /// A file that holds a Job, as YAML or JSON.
    Template(PathBuf),
    /// The name of a CronJob, whose Job is started once, as `kubectl create job --from` does.
    CronJob(String),
}

impl fmt::Display for JobSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(file) => file.display().fmt(f),
            Self::CronJob(name) => write!(f, "the CronJob {name}"),
        }
    }
}

/// A Job to be started, and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// Where the Job comes from.
    pub source: JobSource,
    /// From the moment it is started; the Job itself gets no longer deadline.
    pub timeout: Duration,
    /// Instead of what KUBECONFIG names, what lies in `~/.kube/config`, or the service account.
    pub kubeconfig: Option<PathBuf>,
    /// How many of the last lines of its log are taken over.
    pub log_lines: usize,
}
