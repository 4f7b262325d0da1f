//! Ctrl-C, SIGTERM and a closed terminal: the first asks the run to stop in good order, the second ends the program at once.

use crate::exit_code::ExitCode;
use anyhow::Result;
use project_postgres::Stopped;
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Listens for as long as the runtime lives.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Cancelled by the first signal.
    pub(crate) cancel: CancellationToken,
    first: Arc<OnceLock<ExitCode>>,
}

impl Signals {
    /// Starts to listen; call it within a runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let cancel = CancellationToken::new();
        let first = Arc::new(OnceLock::new());
        let (token, received) = (cancel.clone(), Arc::clone(&first));
        tokio::spawn(async move {
            loop {
                let code = tokio::select! {
                    _ = interrupt.recv() => ExitCode::Interrupted,
                    _ = terminate.recv() => ExitCode::Terminated,
                    _ = hang_up.recv() => ExitCode::Terminated,
                };
                if received.set(code).is_err() {
                    end_at_once(code);
                }
                warn!("stopping; a second signal ends the program at once");
                token.cancel();
            }
        });
        Ok(Self { cancel, first })
    }

    /// The exit code of the signal that came first, if one came.
    pub(crate) fn received(&self) -> Option<ExitCode> {
        self.first.get().copied()
    }
}

/// Work that is given up when the first signal comes.
pub(crate) async fn stoppable<T>(cancel: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = work => done,
        () = cancel.cancelled() => Err(Stopped.into()),
    }
}

#[expect(clippy::exit, reason = "whoever sends a second signal does not want to wait for anything")]
fn end_at_once(code: ExitCode) {
    std::process::exit(code.number().into());
}
