//! Data that a task refuses.

use thiserror::Error;

/// A rule of a task that the data breaks: one sentence that names table, column and key, and never a value.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct DataError(pub String);
