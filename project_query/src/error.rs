//! What can go wrong with a query, by who can mend it.

use thiserror::Error;

/// Why a query gave no result, or only part of one. The text is a sentence for the person who asked.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The statement is wrong, not allowed, or fails on the values it meets (exit code 65).
    #[error("{0}")]
    Sql(String),
    /// There is no such lake or table (exit code 65).
    #[error("{0}")]
    NotFound(String),
    /// A folder or file of the lake cannot be read or is not what it should be (exit code 74).
    #[error("{0}")]
    Disk(String),
    /// The query needs more memory than it was given (exit code 65: the same query fails again).
    #[error("{0}")]
    Memory(String),
    /// The caller asked to stop.
    #[error("the query was stopped before it ended")]
    Cancelled,
    /// The caller could not take a page; its own error, unchanged.
    #[error("{0:#}")]
    Output(anyhow::Error),
    /// A fault in the engine (exit code 70).
    #[error("{0}")]
    Internal(String),
}
