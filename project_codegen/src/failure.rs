//! Why nothing was written, in one sentence, and the exit code that goes with it.

use project_postgres::{SourceError, SourceErrorKind};
use std::fmt::Display;
use thiserror::Error;

/// A failure; the codes are those of the README.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    message: String,
}

impl Failure {
    /// The command line, or a variable of `make`, cannot be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// The table, or the code that is there, does not allow it.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { code: 65, message: message.into() }
    }

    /// A file cannot be read or written.
    pub(crate) fn disk(message: impl Into<String>) -> Self {
        Self { code: 74, message: message.into() }
    }

    /// Try again.
    pub(crate) fn temporary(message: impl Into<String>) -> Self {
        Self { code: 75, message: message.into() }
    }

    /// A right is missing.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self { code: 77, message: message.into() }
    }

    /// A setting or a program is missing.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self { code: 78, message: message.into() }
    }

    /// The machine does not let the program begin.
    pub fn runtime(error: std::io::Error) -> Self {
        Self::temporary(format!("cannot start: {error}"))
    }

    /// The same failure, told of a place.
    pub(crate) fn of(self, place: impl Display) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let code = match error.kind() {
            SourceErrorKind::Unreachable => 69,
            SourceErrorKind::Denied => 77,
            SourceErrorKind::Missing | SourceErrorKind::Data => 65,
            SourceErrorKind::Temporary => 75,
        };
        Self { code, message: error.to_string() }
    }
}
