//! The connection that holds the snapshot: what it is told while it is idle, such as that the server ends it, is heard.

use crate::session;
use crate::source::{CONNECT_DEADLINE, ConnectionEnd, Source};
use crate::source_error::SourceError;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

/// An open connection, and the task that drives it.
#[derive(Debug)]
pub(crate) struct HeldConnection {
    client: Client,
    driver: JoinHandle<ConnectionEnd>,
}

impl HeldConnection {
    /// With the settings of every session.
    pub(crate) async fn open(source: &Source) -> Result<Self, SourceError> {
        let connecting = async {
            let (client, driver) = source.open_client().await?;
            let connection = Self { client, driver: tokio::spawn(driver) };
            connection.ask(&session::settings(), "cannot apply the session settings").await?;
            Ok(connection)
        };
        timeout(CONNECT_DEADLINE, connecting).await.map_err(|_| source.too_slow())?
    }

    /// Runs statements; the rows of all of them, as text.
    pub(crate) async fn ask(&self, sql: &str, doing: &str) -> Result<Vec<SimpleQueryRow>, SourceError> {
        let messages =
            self.client.simple_query(sql).await.map_err(|error| SourceError::from_tokio_postgres(doing, &error))?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Waits for its end, and says why.
    pub(crate) async fn ended(&mut self) -> String {
        match (&mut self.driver).await {
            Ok(Ok(())) => "the server has closed the connection".to_owned(),
            Ok(Err(error)) => reason(&error),
            Err(_) => "the connection was given up".to_owned(),
        }
    }
}

/// The server's words; the driver's own say only that there is a cause.
fn reason(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(server), _) => server.message().to_owned(),
        (None, Some(cause)) => cause.to_string(),
        (None, None) => error.to_string(),
    }
}
