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

/// What trying again helps with comes last.
const GRAVEST_FIRST: [u8; 6] = [65, 77, 78, 69, 74, 75];

/// The code of a server that does not answer.
pub(crate) const UNREACHABLE: u8 = 69;

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

    /// Several at once, a line each, with the gravest code; nothing when there are none.
    pub(crate) fn all(failures: &[Self]) -> Option<Self> {
        let rank = |code: u8| GRAVEST_FIRST.iter().position(|known| *known == code).unwrap_or(GRAVEST_FIRST.len());
        let code = failures.iter().map(|failure| failure.code).min_by_key(|code| rank(*code))?;
        let lines: Vec<&str> = failures.iter().map(|failure| failure.message.as_str()).collect();
        Some(Self { code, message: lines.join("\n") })
    }

    /// The same failure, told of a place.
    pub(crate) fn of(self, place: impl Display) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let code = match error.kind() {
            SourceErrorKind::Unreachable => UNREACHABLE,
            SourceErrorKind::Denied => 77,
            SourceErrorKind::Missing | SourceErrorKind::Data => 65,
            SourceErrorKind::Temporary => 75,
        };
        Self { code, message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn several_failures_have_the_gravest_code_and_every_line() {
        let several = [Failure::temporary("a"), Failure::denied("b"), Failure::configuration("c")];
        let all = Failure::all(&several).unwrap();
        assert_eq!((all.code, all.to_string().as_str()), (77, "a\nb\nc"));
        assert_eq!(Failure::all(&[Failure::denied("a"), Failure::refused("b")]).unwrap().code, 65);
        assert_eq!(Failure::all(&[]), None);
    }
}
