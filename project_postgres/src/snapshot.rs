//! One moment for the whole run: a holder transaction exports a snapshot and stays open while others read.

use crate::snapshot_facts::{Snapshot, facts};
use crate::source::Source;
use crate::source_error::SourceError;
use crate::sql::TableName;
use sqlx::PgConnection;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::interval;
use tracing::{error, info};

/// How often the holder shows that it is still there.
const PING: Duration = Duration::from_secs(30);

/// Keeps the exported snapshot alive; dropping it ends the holder's transaction.
#[derive(Debug)]
pub struct SnapshotHolder {
    snapshot: Snapshot,
    holder: JoinHandle<()>,
}

impl SnapshotHolder {
    /// What is held.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
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
        let snapshot = facts(&mut connection).await?;
        let place = snapshot.lsn.as_deref().unwrap_or("unknown");
        info!(snapshot = snapshot.id, lsn = place, standby = snapshot.standby, tables = tables.len(), "snapshot taken");
        let source = self.with_snapshot(&snapshot.id);
        let holder = tokio::spawn(hold(connection));
        Ok((source, SnapshotHolder { snapshot, holder }))
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
