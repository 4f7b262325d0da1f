//! What is known of a snapshot: its name, and when and where in the server's log it was taken.

use crate::source_error::{SourceError, SourceErrorKind};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
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

/// The first query of the transaction, which freezes its view.
const EXPORT: &str = "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_is_in_recovery(), \
     (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::int8";
const LSN_OF_PRIMARY: &str = "SELECT pg_catalog.pg_current_wal_lsn()::text";
const LSN_OF_STANDBY: &str = "SELECT pg_catalog.pg_last_wal_replay_lsn()::text";
const REPLAYED_AT: &str =
    "SELECT (extract(epoch FROM pg_catalog.pg_last_xact_replay_timestamp()) * 1000000)::int8::text";
const SYSTEM_IDENTIFIER: &str = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";

const DOING: &str = "cannot export a snapshot";

/// Freezes the view of the connection's transaction, exports it, and asks what there is to know of it.
pub(crate) async fn facts(connection: &mut PgConnection) -> Result<Snapshot, SourceError> {
    let failed = |error: sqlx::Error| SourceError::from_sqlx(DOING, &error);
    let row = sqlx::raw_sql(EXPORT).fetch_one(&mut *connection).await.map_err(failed)?;
    let standby: bool = row.try_get(1).map_err(failed)?;
    let taken_at = moment(row.try_get(2).map_err(failed)?)?;
    let id = row.try_get(0).map_err(failed)?;
    // The place in the log first: it moves on.
    let lsn = if_told(connection, if standby { LSN_OF_STANDBY } else { LSN_OF_PRIMARY }).await?;
    let replayed_at = if standby { if_told(connection, REPLAYED_AT).await? } else { None };
    let replayed_at = replayed_at.and_then(|micros| moment(micros.parse().ok()?).ok());
    let system_identifier = if_told(connection, SYSTEM_IDENTIFIER).await?;
    Ok(Snapshot { id, lsn, taken_at, standby, replayed_at, system_identifier })
}

/// The answer to a question that some managed servers refuse; their refusal must not spoil the transaction.
async fn if_told(connection: &mut PgConnection, sql: &'static str) -> Result<Option<String>, SourceError> {
    let failed = |error: sqlx::Error| SourceError::from_sqlx(DOING, &error);
    let asked = format!("SAVEPOINT question; {sql}; RELEASE SAVEPOINT question");
    match sqlx::raw_sql(AssertSqlSafe(asked)).fetch_all(&mut *connection).await {
        Ok(rows) => rows.first().map(|row: &PgRow| row.try_get(0)).transpose().map(Option::flatten).map_err(failed),
        Err(sqlx::Error::Database(refusal)) => {
            debug!(sql, reason = refusal.message(), "the server does not tell");
            sqlx::raw_sql("ROLLBACK TO SAVEPOINT question").execute(connection).await.map_err(failed)?;
            Ok(None)
        }
        Err(error) => Err(failed(error)),
    }
}

fn moment(micros: i64) -> Result<DateTime<Utc>, SourceError> {
    let out_of_range = || SourceError::new(SourceErrorKind::Data, format!("{DOING}: the server's clock is not set"));
    DateTime::from_timestamp_micros(micros).ok_or_else(out_of_range)
}
