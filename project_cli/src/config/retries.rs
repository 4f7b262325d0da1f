//! How often a run begins, and how long it waits before it begins again.

use super::time;
use crate::config::ConfigError;
use crate::setting::Settings;
use std::time::Duration;

/// A failover takes a minute or two; a replica that cancels twice will cancel again.
const DEFAULT_ATTEMPTS: u32 = 3;

/// A server that restarts in good order is back after some seconds.
const DEFAULT_DELAY: Duration = Duration::from_secs(5);

/// More would load the database once more and help nobody.
const MOST_ATTEMPTS: u32 = 10;

/// What is done about a snapshot that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retries {
    /// How often the run begins at most.
    pub(crate) attempts: u32,
    /// The pause before the second attempt.
    pub(crate) delay: Duration,
}

pub(super) fn retries(settings: &Settings<'_>) -> Result<Retries, ConfigError> {
    let attempts = settings.number("attempts", 1, MOST_ATTEMPTS)?.unwrap_or(DEFAULT_ATTEMPTS);
    let delay = match settings.value("retry-delay")?.as_deref() {
        Some("0") => Duration::ZERO,
        _ => time(settings, "retry-delay")?.unwrap_or(DEFAULT_DELAY),
    };
    Ok(Retries { attempts, delay })
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_ATTEMPTS, DEFAULT_DELAY};
    use crate::args::USAGE;

    #[test]
    fn the_help_tells_the_defaults() {
        assert!(USAGE.contains(&format!("({DEFAULT_ATTEMPTS} when not given)")));
        assert!(USAGE.contains(&format!("({}s when not given)", DEFAULT_DELAY.as_secs())));
    }
}
