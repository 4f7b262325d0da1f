//! A task that panics is a task that failed: the others go on.

use anyhow::Result;
use futures::FutureExt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, set_hook};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;
use tracing::error;

/// Where the last panic happened; its message may quote data and is not kept.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// A task panicked.
#[derive(Debug, Error)]
#[error("the task {task} panicked at {place}; this is a fault of the program, please report it")]
pub(crate) struct Panicked {
    task: String,
    place: String,
}

impl Panicked {
    pub(crate) fn new(task: &str) -> Self {
        let place = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        Self { task: task.to_owned(), place: place.unwrap_or_else(|| "an unknown place".to_owned()) }
    }
}

/// Logs the place of every panic and keeps it for [`isolate`].
pub(crate) fn install_panic_hook() {
    set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        error!(place, "panic");
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }));
}

/// Runs a task so that a panic in it is an error of that task and of nothing else.
pub(crate) async fn isolate<T>(task: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    // A task shares nothing that a panic could leave half-changed: it has its own folder and its own connections.
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(Panicked::new(task).into()))
}

#[cfg(test)]
mod tests {
    use super::isolate;

    #[tokio::test]
    async fn a_panic_is_an_error_with_the_name_of_the_task() {
        async fn fails() -> anyhow::Result<()> {
            panic!("canary")
        }
        let message = isolate("users", fails()).await.map_err(|error| format!("{error:#}"));
        let message = message.err().unwrap_or_default();
        assert!(message.contains("users") && !message.contains("canary"), "{message}");
    }
}
