//! The connection of whoever writes: the same rules for TLS and login as for reading, its own settings, and statements
//! that can be cancelled.

use crate::connection_settings::ConnectionSettings;
use crate::session;
use crate::source::{CONNECT_DEADLINE, ConnectionEnd, Source};
use crate::source_error::SourceError;
use bytes::Bytes;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{CancelToken, Client, CopyInSink, Error, NoTls, SimpleQueryMessage, SimpleQueryRow};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A server that does not hear of a cancellation in this time notices that its client is gone soon after.
const CANCEL_DEADLINE: Duration = Duration::from_secs(3);

const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// An open connection outside any transaction; dropping it ends the session.
pub struct TargetConnection {
    client: Client,
    driver: Driver,
    cancelling: Cancelling,
}

/// What moves the bytes. A client that is dropped says goodbye only when its driver goes on, and that may wait for the
/// network: so dropping this ends it.
struct Driver(JoinHandle<ConnectionEnd>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends the statement of a [`TargetConnection`] that somebody else is waiting for.
#[derive(Clone)]
pub struct Cancelling {
    token: CancelToken,
    tls: Option<MakeRustlsConnect>,
}

/// What statements have answered.
#[derive(Debug)]
pub struct Answer {
    /// The rows of all of them, as text.
    pub rows: Vec<SimpleQueryRow>,
    /// How many rows the last of them has touched, as its command tag says.
    pub affected: u64,
}

impl TargetConnection {
    /// Connects; `run_id` shows in the server's list of sessions.
    ///
    /// # Errors
    /// [`SourceError`] that names host and port, and what to do.
    pub async fn open(settings: &ConnectionSettings, run_id: &str) -> Result<Self, SourceError> {
        let source = Source::new(settings.clone(), run_id);
        let connecting = async {
            let (client, driver) = source.open_client().await?;
            let driver = Driver(tokio::spawn(driver));
            let cancelling = Cancelling { token: client.cancel_token(), tls: source.tokio_tls()? };
            let connection = Self { client, driver, cancelling };
            let applied = connection.ask(&session::settings_for_writing()).await;
            applied.map_err(|error| SourceError::from_tokio_postgres("cannot apply the session settings", &error))?;
            Ok(connection)
        };
        timeout(CONNECT_DEADLINE, connecting).await.map_err(|_| source.too_slow())?
    }

    /// Runs statements.
    ///
    /// # Errors
    /// The driver's, with all fields that the server has sent.
    pub async fn ask(&self, sql: &str) -> Result<Answer, Error> {
        let mut answer = Answer { rows: Vec::new(), affected: 0 };
        for message in self.client.simple_query(sql).await? {
            match message {
                SimpleQueryMessage::Row(row) => answer.rows.push(row),
                SimpleQueryMessage::CommandComplete(rows) => answer.affected = rows,
                _ => {}
            }
        }
        Ok(answer)
    }

    /// Begins `COPY ... FROM STDIN`; dropping the sink before it is finished makes the server discard everything.
    ///
    /// # Errors
    /// The driver's.
    pub async fn copy_in(&self, sql: &str) -> Result<CopyInSink<Bytes>, Error> {
        self.client.copy_in(sql).await
    }

    /// Ends the session politely; a slow goodbye is not worth failing for.
    pub async fn close(self) {
        let Self { client, mut driver, .. } = self;
        drop(client);
        let _ = timeout(CLOSE_DEADLINE, &mut driver.0).await;
    }

    /// The way to end what the connection waits for.
    pub fn cancelling(&self) -> Cancelling {
        self.cancelling.clone()
    }
}

impl Cancelling {
    /// Asks the server to end the running statement. It may have ended by itself, and the server may not answer.
    pub async fn cancel(self) {
        let Self { token, tls } = self;
        let asking = async {
            match tls {
                None => token.cancel_query(NoTls).await,
                Some(tls) => token.cancel_query(tls).await,
            }
        };
        match timeout(CANCEL_DEADLINE, asking).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the statement at the target could not be cancelled"),
            Err(_) => tracing::debug!("the target does not answer the request to cancel"),
        }
    }
}
