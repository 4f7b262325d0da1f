//! Several threads at the same piece of work, and what came of all of them.

use crate::export::Stopped;
use anyhow::Result;
use std::panic::resume_unwind;
use std::thread;
use tokio_util::sync::CancellationToken;

/// Does the work on `count` threads; the first failure stops the others by `stop`.
///
/// # Errors
/// The failure that stopped the others: a worker that was stopped by another's failure says nothing about the cause.
pub(crate) fn on_threads<T: Send>(
    count: usize,
    stop: &CancellationToken,
    work: impl Fn() -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let results: Vec<Result<T>> = thread::scope(|scope| {
        let work = || {
            let result = work();
            if result.is_err() {
                stop.cancel();
            }
            result
        };
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut all = Vec::with_capacity(results.len());
    let mut stopped = None;
    for result in results {
        match result {
            Ok(done) => all.push(done),
            Err(error) if error.is::<Stopped>() => stopped = Some(error),
            Err(cause) => return Err(cause),
        }
    }
    stopped.map_or(Ok(all), Err)
}
