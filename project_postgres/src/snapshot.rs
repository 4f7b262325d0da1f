//! One moment for the whole run: a holder transaction exports a snapshot and stays open while others read.

use crate::source::Source;
use crate::source_error::SourceError;
use crate::sql::TableName;
use sqlx::{PgConnection, Row};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::interval;
use tracing::{error, info};

/// How often the holder shows that it is still there.
const PING: Duration = Duration::from_secs(30);

/// Keeps the exported snapshot alive; dropping it ends the holder's transaction.
#[derive(Debug)]
pub struct SnapshotHolder {
    holder: JoinHandle<()>,
}

impl Source {
    /// Locks the tables against change of shape (ACCESS SHARE), then freezes the view of all data.
    ///
    /// The lock comes first: a table truncated between the snapshot and its first read would look empty.
    ///
    /// # Errors
    /// [`SourceError`]; when a lock is refused the message is the server's, which names the table.
    pub async fn hold_snapshot(&self, tables: &[TableName]) -> Result<(Self, SnapshotHolder), SourceError> {
        let mut connection = self.connect().await?;
        if !tables.is_empty() {
            let names: Vec<String> = tables.iter().map(TableName::quoted).collect();
            let lock = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
            self.execute(&mut connection, &lock, "cannot lock the tables against changes").await?;
        }
        let exporting = |error: sqlx::Error| SourceError::from_sqlx("cannot export a snapshot", &error);
        let row = sqlx::raw_sql("SELECT pg_export_snapshot()").fetch_one(&mut connection).await.map_err(exporting)?;
        let snapshot: String = row.try_get(0).map_err(exporting)?;
        info!(snapshot, tables = tables.len(), "snapshot taken");
        let holder = tokio::spawn(hold(connection));
        Ok((self.with_snapshot(&snapshot), SnapshotHolder { holder }))
    }
}

async fn hold(mut connection: PgConnection) {
    let mut ticks = interval(PING);
    loop {
        ticks.tick().await;
        if let Err(cause) = sqlx::raw_sql("SELECT 1").execute(&mut connection).await {
            error!(%cause, "the connection that holds the snapshot was lost; readers that begin now will fail");
            return;
        }
    }
}

impl Drop for SnapshotHolder {
    fn drop(&mut self) {
        self.holder.abort();
    }
}
