//! Sentry: failures become events. Off without a DSN; a dead or slow Sentry changes nothing.

use crate::config::{ConfigError, Outputs, Sentry};
use crate::http_client;
use crate::report::{Failure, RunReport, TaskReport};
use anyhow::Result;
use sentry::protocol::{Event, Level, Map};
use sentry::transports::UreqHttpTransportOptions;
use sentry::{ClientInitGuard, ClientOptions, Transport, TransportFactory, TransportOptions, capture_event, init};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::spawn;
use std::time::Duration;
use tracing::warn;
use ureq::Agent;

mod breadcrumbs;

/// Longest wait for events to leave at the end of the program.
const FLUSH_DEADLINE: Duration = Duration::from_secs(3);
/// After a signal the program has seconds to end.
const FLUSH_IN_A_HURRY: Duration = Duration::from_secs(1);
/// A schema may have hundreds of tables, and when its server goes away they all fail.
const MOST_EVENTS: usize = 1000;

/// Starts the client; hold what it returns to the end of the program.
///
/// # Errors
/// A sentence when DSN or authorities cannot be read; it never repeats the DSN.
pub(crate) fn start(outputs: &Outputs) -> Result<Option<ClientInitGuard>> {
    let Some(Sentry { dsn, environment }) = &outputs.sentry else { return Ok(None) };
    let dsn = dsn.expose().parse().map_err(|_| {
        ConfigError::configuration("the variable SENTRY_DSN is not a DSN; write https://key@host/project")
    })?;
    let client = http_client::settings(outputs.root_certificates.as_deref())
        .map_err(|error| ConfigError::configuration(format!("{error:#}")))?
        .timeout_global(Some(FLUSH_DEADLINE));
    let mut options = ClientOptions::new()
        .release(concat!("project@", env!("CARGO_PKG_VERSION")))
        .environment(environment.clone())
        .send_default_pii(false)
        .shutdown_timeout(FLUSH_DEADLINE)
        .transport_channel_capacity(MOST_EVENTS)
        .transport(Post(client.build().new_agent()))
        .before_send(|mut event| {
            // The name of the pod or the laptop is nobody's business.
            event.server_name = None;
            Some(event)
        });
    options.dsn = Some(dsn);
    Ok(Some(init(options)))
}

/// Sends by a client of ours: with deadlines, and with the one TLS of this program.
struct Post(Agent);

impl TransportFactory for Post {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(UreqHttpTransportOptions::from(options).with_agent(self.0.clone()).build())
    }
}

/// Sends what is waiting, for a bounded time: a server that takes the connection and never answers would otherwise keep
/// the program from ending, since the transport joins its thread.
pub(crate) fn finish(client: Option<ClientInitGuard>, in_a_hurry: bool) {
    let Some(client) = client else { return };
    let (sender, sent) = sync_channel(1);
    spawn(move || {
        drop(client);
        let _ = sender.send(());
    });
    let deadline = if in_a_hurry { FLUSH_IN_A_HURRY } else { FLUSH_DEADLINE + Duration::from_secs(1) };
    if sent.recv_timeout(deadline).is_err() {
        warn!("Sentry took no events in time; the failures are only in this report");
    }
}

/// One event for each failure of the run. Messages name table, column and key, never a value.
pub(crate) fn report_failures(report: &RunReport) {
    for task in &report.tasks {
        if let Some(failure) = &task.failure {
            capture_event(event(report, task.stage(), Some(task), failure));
        }
    }
    for step in &report.steps {
        if let Some(failure) = &step.failure {
            capture_event(event(report, step.step, None, failure));
        }
    }
    if let Some(failure) = &report.failure {
        capture_event(event(report, report.stage(), None, failure));
    }
}

fn event(report: &RunReport, stage: &str, task: Option<&TaskReport>, failure: &Failure) -> Event<'static> {
    let exit_code = failure.exit_code.to_string();
    let name = task.map_or("", |task| &task.task);
    // What stands in a message may differ from night to night, such as a count, and it is the same fault.
    let fingerprint = [stage, name, &exit_code].map(|part| part.to_owned().into());
    let mut tags = Map::from_iter(
        [("run_id", report.run_id.to_string()), ("stage", stage.to_owned()), ("exit_code", exit_code)]
            .map(|(name, value)| (name.to_owned(), value)),
    );
    if let Some(task) = task {
        tags.extend([("task".to_owned(), task.task.clone()), ("table".to_owned(), task.table.clone())]);
    }
    Event {
        level: Level::Error,
        message: Some(failure.message.clone()),
        fingerprint: fingerprint.to_vec().into(),
        tags,
        breadcrumbs: breadcrumbs::until(report, task).into(),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests;
