//! What went wrong, in the classes that a caller must tell apart.

use project_postgres::{SourceError, SourceErrorKind};

/// What the caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertErrorKind {
    /// A file, a value or the target table is not as it must be.
    Data,
    /// Login or a right is missing.
    Denied,
    /// What was asked for cannot be done at this server.
    Configuration,
    /// A local file cannot be read.
    Disk,
    /// The server does not answer.
    Unreachable,
    /// Try again later: nothing was changed, or all of it, and a rerun is harmless.
    Temporary,
    /// The caller asked to stop.
    Stopped,
    /// A fault of this program.
    Internal,
}

/// A failure: one sentence with the place and the remedy, without row values and secrets.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct InsertError {
    kind: InsertErrorKind,
    message: String,
}

impl InsertError {
    pub(crate) fn new(kind: InsertErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::new(InsertErrorKind::Data, message)
    }

    pub(crate) fn stopped() -> Self {
        Self::new(InsertErrorKind::Stopped, "stopped; nothing in the target was changed")
    }

    /// The class of the failure.
    pub fn kind(&self) -> InsertErrorKind {
        self.kind
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

impl From<SourceError> for InsertError {
    fn from(error: SourceError) -> Self {
        let kind = match error.kind() {
            SourceErrorKind::Unreachable => InsertErrorKind::Unreachable,
            SourceErrorKind::Denied => InsertErrorKind::Denied,
            SourceErrorKind::Missing | SourceErrorKind::Data => InsertErrorKind::Data,
            SourceErrorKind::Temporary => InsertErrorKind::Temporary,
        };
        Self::new(kind, format!("the target: {error}"))
    }
}
