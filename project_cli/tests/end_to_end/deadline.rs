//! Waiting for something that is seen by looking.

use anyhow::{Result, bail};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);

/// Looks again and again until there is something, or the deadline has passed.
pub(crate) fn wait_for<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > end {
            bail!("waited {deadline:?} in vain for {what}");
        }
        sleep(PAUSE);
    }
}
