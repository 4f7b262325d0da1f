//! Work on a thread that may block, as part of an asynchronous task.

use anyhow::Result;
use std::panic::resume_unwind;
use tokio::task::JoinError;

/// What the thread returned; a panic there goes on here, where the run catches it.
pub(crate) fn joined<T>(ended: Result<Result<T>, JoinError>) -> Result<T> {
    ended.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => Err(error.into()),
    })
}
