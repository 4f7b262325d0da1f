//! Sentry: failures become events. Off without a DSN; a dead or slow Sentry changes nothing.

use crate::config::ConfigError;
use crate::report::{RunReport, TaskReport};
use sentry::protocol::{Event, Level};
use sentry::{ClientInitGuard, ClientOptions, capture_event, init, with_scope};
use std::sync::mpsc::sync_channel;
use std::thread::spawn;
use std::time::Duration;
use tracing::warn;

/// Longest wait for events to leave at the end of the program.
const FLUSH_DEADLINE: Duration = Duration::from_secs(3);

/// Starts the client; hold what it returns to the end of the program.
///
/// # Errors
/// A sentence when the DSN cannot be read; it never repeats the DSN.
pub(crate) fn start(dsn: Option<&str>) -> Result<Option<ClientInitGuard>, ConfigError> {
    let Some(dsn) = dsn else { return Ok(None) };
    let dsn = dsn.parse().map_err(|_| {
        ConfigError::configuration("the variable SENTRY_DSN is not a DSN; write https://key@host/project")
    })?;
    let mut options = ClientOptions::new()
        .release(concat!("project@", env!("CARGO_PKG_VERSION")))
        .send_default_pii(false)
        .shutdown_timeout(FLUSH_DEADLINE)
        .before_send(|mut event| {
            // The name of the pod or the laptop is nobody's business.
            event.server_name = None;
            Some(event)
        });
    options.dsn = Some(dsn);
    Ok(Some(init(options)))
}

/// Sends what is waiting, for a bounded time: a server that takes the connection and never answers would otherwise keep
/// the program from ending, since the transport joins its thread.
pub(crate) fn finish(client: Option<ClientInitGuard>) {
    let Some(client) = client else { return };
    let (sender, sent) = sync_channel(1);
    spawn(move || {
        drop(client);
        let _ = sender.send(());
    });
    if sent.recv_timeout(FLUSH_DEADLINE + Duration::from_secs(1)).is_err() {
        warn!("Sentry took no events in time; the failures are only in this report");
    }
}

/// One event for each failure of the run. Messages name table, column and key, never a value.
pub(crate) fn report_failures(report: &RunReport) {
    for task in &report.tasks {
        if let Some(failure) = &task.failure {
            capture(report, Some(task), &failure.message, failure.exit_code);
        }
    }
    if let Some(failure) = &report.failure {
        capture(report, None, &failure.message, failure.exit_code);
    }
}

fn capture(report: &RunReport, task: Option<&TaskReport>, message: &str, exit_code: u8) {
    let tags = |scope: &mut sentry::Scope| {
        scope.set_tag("run_id", &report.run_id);
        scope.set_tag("exit_code", exit_code);
        if let Some(task) = task {
            scope.set_tag("task", &task.task);
            scope.set_tag("table", &task.table);
        }
    };
    let event = Event { level: Level::Error, message: Some(message.to_owned()), ..Event::default() };
    with_scope(tags, || capture_event(event));
}
