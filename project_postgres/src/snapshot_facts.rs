//! What is known of a snapshot: its name, and when and where in the server's log it was taken.

use crate::held_connection::HeldConnection;
use crate::moment::{IDENTITY, ServerIdentity};
use crate::source_error::{SourceError, SourceErrorKind};
use chrono::{DateTime, Utc};
use tracing::debug;

/// The one moment that all tables of a run show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// By which other transactions import it.
    pub id: String,
    /// Where the server's log stood directly after it was taken; nothing where the server does not tell.
    pub lsn: Option<String>,
    /// By the server's clock.
    pub taken_at: DateTime<Utc>,
    /// Whether the server is a standby, which shows what it has replayed and not what its primary holds by now.
    pub standby: bool,
    /// On a standby, when the last transaction that it had replayed was committed on the primary.
    pub replayed_at: Option<DateTime<Utc>>,
    /// The same for a primary and all its standbys, and different for every other server; nothing where the server
    /// does not tell.
    pub system_identifier: Option<String>,
}

const LSN_OF_PRIMARY: &str = "SELECT pg_catalog.pg_current_wal_lsn()";
const LSN_OF_STANDBY: &str = "SELECT pg_catalog.pg_last_wal_replay_lsn()";
const REPLAYED_AT: &str = "SELECT (extract(epoch FROM pg_catalog.pg_last_xact_replay_timestamp()) * 1000000)::int8";
const SYSTEM_IDENTIFIER: &str = "SELECT system_identifier FROM pg_catalog.pg_control_system()";

const DOING: &str = "cannot export a snapshot";

/// Freezes the view of the connection's transaction, exports it, and asks what there is to know of it and its server.
pub(crate) async fn freeze(connection: &HeldConnection) -> Result<(Snapshot, ServerIdentity), SourceError> {
    let export = format!(
        "SELECT pg_catalog.pg_export_snapshot(), (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::int8, {}",
        IDENTITY.join(", ")
    );
    let rows = connection.ask(&export, DOING).await?;
    let value = |column: usize| rows.first().and_then(|row| row.get(column)).map(str::to_owned).unwrap_or_default();
    let (id, taken_at) = (value(0), moment(&value(1)));
    let server = ServerIdentity { started_at: value(2), standby: value(3) == "t", address: value(4) };
    let standby = server.standby;
    // The place in the log first: it moves on.
    let lsn = if_told(connection, if standby { LSN_OF_STANDBY } else { LSN_OF_PRIMARY }).await?;
    let replayed_at = if standby { if_told(connection, REPLAYED_AT).await? } else { None };
    let replayed_at = replayed_at.and_then(|micros| moment(&micros));
    let system_identifier = if_told(connection, SYSTEM_IDENTIFIER).await?;
    let no_clock = || SourceError::new(SourceErrorKind::Data, format!("{DOING}: the server's clock is not set"));
    let taken_at = taken_at.ok_or_else(no_clock)?;
    Ok((Snapshot { id, lsn, taken_at, standby, replayed_at, system_identifier }, server))
}

/// The answer to a question that some managed servers refuse; their refusal must not spoil the transaction.
async fn if_told(connection: &HeldConnection, sql: &str) -> Result<Option<String>, SourceError> {
    connection.ask("SAVEPOINT question", DOING).await?;
    match connection.ask(sql, DOING).await {
        Ok(rows) => {
            connection.ask("RELEASE SAVEPOINT question", DOING).await?;
            Ok(rows.first().and_then(|row| row.get(0)).map(str::to_owned))
        }
        Err(refusal) => {
            debug!(sql, %refusal, "the server does not tell");
            // Of a connection that was lost, this fails as well.
            connection.ask("ROLLBACK TO SAVEPOINT question; RELEASE SAVEPOINT question", DOING).await?;
            Ok(None)
        }
    }
}

fn moment(micros: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros.parse().ok()?)
}
