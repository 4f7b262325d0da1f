//! What went wrong, for the person (a sentence) and for the program (a kind).

use std::error::Error;
use std::fmt::Display;

/// What a failure means for the run: the caller chooses the exit code by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AwsErrorKind {
    /// The service did not answer: name resolution, connection, timeout.
    Unreachable,
    /// The same request may succeed later: throttling, a fault of the service, a deadline.
    Temporary,
    /// No credentials, wrong ones, or not the right to do it.
    Denied,
    /// Something that a setting names does not exist or does not fit: bucket, region, role, database.
    Configuration,
    /// The data was refused: a failed crawl or query, an object that is not what was sent.
    Data,
    /// The caller's cancellation token was cancelled.
    Interrupted,
    /// A local file could not be read, or is not what it was when it was written.
    LocalDisk,
}

/// A failure of S3, Glue, Athena or of the way to them. Its text says what failed, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AwsError {
    kind: AwsErrorKind,
    retry: bool,
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AwsError {
    pub(crate) fn new(kind: AwsErrorKind, message: impl Into<String>) -> Self {
        let retry = matches!(kind, AwsErrorKind::Temporary | AwsErrorKind::Unreachable);
        Self { kind, retry, message: message.into(), source: None }
    }

    /// The same, with what is known of whether the same request may succeed later.
    pub(crate) fn with_retry(self, retry: bool) -> Self {
        Self { retry, ..self }
    }

    pub(crate) fn interrupted(while_doing: impl Display) -> Self {
        Self::new(AwsErrorKind::Interrupted, format!("stopped while {while_doing}"))
    }

    pub(crate) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Adds what else there is to know.
    pub(crate) fn with_remark(mut self, remark: impl Display) -> Self {
        self.message = format!("{}; {remark}", self.message);
        self
    }

    /// What the failure means for the run.
    pub fn kind(&self) -> AwsErrorKind {
        self.kind
    }

    /// Whether asking again, after a pause, is reasonable.
    pub(crate) fn may_pass(&self) -> bool {
        self.retry
    }
}
