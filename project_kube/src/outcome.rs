//! What came of a Job.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// What came of a Job that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutcome {
    /// Where it ran.
    pub namespace: String,
    /// Its name.
    pub job: String,
    /// How it ended.
    pub end: JobEnd,
    /// The tail of its log, if there is one that may be read. It may hold what others keep secret.
    pub log: Option<LogTail>,
    /// What else there is to know: rights that are missing, a Job that could not be removed.
    pub notes: Vec<String>,
    /// From its start until its end was seen.
    pub duration: Duration,
}

/// How a Job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// As it should.
    Succeeded,
    /// Kubernetes has given it up.
    Failed {
        /// As Kubernetes names it: `BackoffLimitExceeded`, `PodFailurePolicy`.
        reason: String,
        /// Its sentence.
        message: String,
        /// That of the container which failed last.
        exit_code: Option<i32>,
    },
    /// It was not done in time; it is removed, or was ended by its own deadline.
    TimedOut {
        /// How long it was given.
        after: Duration,
    },
    /// Somebody removed it before it ended.
    Deleted,
}

/// The last lines of a pod's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    /// Whose they are.
    pub pod: String,
    /// Printable characters and line ends only.
    pub text: String,
}

impl JobOutcome {
    /// Whether the Job did what it should.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.end == JobEnd::Succeeded
    }
}

impl Display for JobOutcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "the Job {} in the namespace {} ", self.job, self.namespace)?;
        match &self.end {
            JobEnd::Succeeded => write!(f, "succeeded"),
            JobEnd::Failed { reason, message, exit_code } => {
                write!(f, "failed: {reason}")?;
                if !message.is_empty() {
                    write!(f, ", {message}")?;
                }
                exit_code.map_or(Ok(()), |code| write!(f, "; its container ended with {code}"))
            }
            JobEnd::TimedOut { after } => write!(f, "was not done within {} seconds", after.as_secs()),
            JobEnd::Deleted => write!(f, "was deleted by somebody before it ended"),
        }
    }
}
