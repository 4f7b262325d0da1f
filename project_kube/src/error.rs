//! What went wrong, for the person (a sentence) and for the program (which of these it is).

use thiserror::Error;

/// A failure on the way to a Job or of the API server. How the Job itself ended is no error but a
/// [`JobEnd`](crate::JobEnd).
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum KubeError {
    /// No credentials, a template that is no Job, a CronJob that does not exist, a Job that the server finds invalid.
    #[error("{0}")]
    Configuration(String),
    /// Unknown to the server, or without the right to do it.
    #[error("{0}")]
    Denied(String),
    /// The API server cannot be reached, or is not who it should be.
    #[error("{0}")]
    Unreachable(String),
    /// The same may succeed later: the server is overloaded, broken or silent.
    #[error("{0}")]
    Temporary(String),
    /// The caller's cancellation token was cancelled; the Job, if there was one, is removed.
    #[error("{0}")]
    Stopped(String),
}
