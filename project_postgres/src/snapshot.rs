//! One moment for the whole run: a holder transaction exports a snapshot and stays open while others read.

use crate::held_connection::HeldConnection;
use crate::moment::Moment;
use crate::snapshot_facts::{Snapshot, freeze};
use crate::source::Source;
use crate::source_error::{CONFLICT_REMEDY, SourceError, SourceErrorKind};
use crate::sql::TableName;
use crate::sqlstates::is_recovery_conflict;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{interval, timeout};
use tracing::{debug, error, info};

/// How often the holder shows that it is still there.
const PING: Duration = Duration::from_secs(30);
/// A server that does not answer for so long is gone.
const PING_DEADLINE: Duration = Duration::from_secs(60);

/// In REPEATABLE READ the first query freezes the view, and LOCK is none.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Whoever has just shown that its table cannot be locked is not waited for once more at full length.
const SHORT_PATIENCE: &str = "SET LOCAL lock_timeout = '2s'";

const LOCKING: &str = "cannot lock the tables against changes";

/// Why no snapshot is held.
#[derive(Debug, Error)]
pub enum HoldError {
    /// A table could not be locked: it is gone, changed or taken.
    #[error(transparent)]
    Lock(SourceError),
    /// Anything else.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// The transaction that held the snapshot ended while it was needed: whoever begins to read now sees another moment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the snapshot of the run was lost: {reason}; the tables can no longer be read at one moment{}", self.remedy())]
pub struct SnapshotLost {
    reason: String,
}

impl SnapshotLost {
    /// The class of the failure. Whatever it is, the run may start over.
    pub fn kind(&self) -> SourceErrorKind {
        if self.by_recovery() { SourceErrorKind::Temporary } else { SourceErrorKind::Unreachable }
    }

    fn by_recovery(&self) -> bool {
        is_recovery_conflict("", &self.reason)
    }

    fn remedy(&self) -> &'static str {
        if self.by_recovery() { CONFLICT_REMEDY } else { "; try again" }
    }
}

/// Keeps the exported snapshot alive; dropping it ends the holder's transaction.
#[derive(Debug)]
pub struct SnapshotHolder {
    snapshot: Snapshot,
    lost: watch::Receiver<Option<SnapshotLost>>,
    holder: JoinHandle<()>,
}

impl SnapshotHolder {
    /// What is held.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Why it is held no more, if that is so.
    pub fn lost(&self) -> Option<SnapshotLost> {
        self.lost.borrow().clone()
    }

    /// Ends the transaction before the holder is dropped: for whoever sees first that nobody needs it any more.
    pub fn end(&self) -> AbortHandle {
        self.holder.abort_handle()
    }

    /// Whoever waits for this learns of the loss at once. It does not keep the snapshot.
    pub fn until_lost(&self) -> impl Future<Output = SnapshotLost> + Send + use<> {
        let mut lost = self.lost.clone();
        async move {
            match lost.wait_for(Option::is_some).await.ok().and_then(|lost| lost.clone()) {
                Some(lost) => lost,
                // It was dropped, because nobody needs it any more.
                None => std::future::pending().await,
            }
        }
    }
}

impl Source {
    /// Locks the tables against change of shape (ACCESS SHARE), then freezes the view of all data.
    ///
    /// The lock comes first: a table truncated between the snapshot and its first read would look empty. The tables
    /// behind `views` are locked as far as the server allows it: not everybody who may read a view may do that.
    ///
    /// # Errors
    /// [`HoldError`]; when a lock is refused the message is the server's, which names the table.
    pub async fn hold_snapshot(
        &self,
        tables: &[TableName],
        views: &[TableName],
    ) -> Result<(Self, SnapshotHolder), HoldError> {
        let connection = HeldConnection::open(self).await?;
        connection.ask(BEGIN, LOCKING).await?;
        if !tables.is_empty() {
            connection.ask(&lock(tables), LOCKING).await.map_err(HoldError::Lock)?;
        }
        lock_views(&connection, views).await?;
        Ok(self.freeze(connection).await?)
    }

    /// The same where a table was refused: each group is locked on its own, and left out if that fails, for the reason
    /// that stands at its place in the answer.
    ///
    /// # Errors
    /// [`SourceError`] when the server does not answer, or exports no snapshot.
    pub async fn hold_snapshot_of(
        &self,
        groups: &[Vec<TableName>],
        views: &[TableName],
    ) -> Result<(Self, SnapshotHolder, Vec<Option<SourceError>>), SourceError> {
        let connection = HeldConnection::open(self).await?;
        connection.ask(&format!("{BEGIN}; {SHORT_PATIENCE}"), LOCKING).await?;
        let mut refusals = Vec::with_capacity(groups.len());
        for tables in groups {
            refusals.push(try_lock(&connection, tables).await?);
        }
        lock_views(&connection, views).await?;
        let (source, holder) = self.freeze(connection).await?;
        Ok((source, holder, refusals))
    }

    async fn freeze(&self, connection: HeldConnection) -> Result<(Self, SnapshotHolder), SourceError> {
        let (snapshot, server) = freeze(&connection).await?;
        let place = snapshot.lsn.as_deref().unwrap_or("unknown");
        info!(snapshot = snapshot.id, lsn = place, %server, "snapshot taken");
        let source = self.at(Moment { snapshot: snapshot.id.clone(), server });
        let (losing, lost) = watch::channel(None);
        let holder = tokio::spawn(hold(connection, losing));
        Ok((source, SnapshotHolder { snapshot, lost, holder }))
    }
}

fn lock(tables: &[TableName]) -> String {
    let names: Vec<String> = tables.iter().map(TableName::quoted).collect();
    format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "))
}

async fn lock_views(connection: &HeldConnection, views: &[TableName]) -> Result<(), SourceError> {
    for view in views {
        if let Some(refusal) = try_lock(connection, std::slice::from_ref(view)).await? {
            debug!(%view, %refusal, "the tables behind a view are not locked");
        }
    }
    Ok(())
}

/// Why the tables cannot be locked, if they cannot; the transaction goes on.
async fn try_lock(connection: &HeldConnection, tables: &[TableName]) -> Result<Option<SourceError>, SourceError> {
    if tables.is_empty() {
        return Ok(None);
    }
    connection.ask("SAVEPOINT lock", LOCKING).await?;
    let refusal = connection.ask(&lock(tables), LOCKING).await.err();
    let end = if refusal.is_some() { "ROLLBACK TO SAVEPOINT lock; " } else { "" };
    // Of a connection that was lost, this fails as well.
    connection.ask(&format!("{end}RELEASE SAVEPOINT lock"), LOCKING).await?;
    Ok(refusal)
}

/// Waits for the end of the connection, and asks now and then so that no balancer on the way forgets it.
async fn hold(mut connection: HeldConnection, losing: watch::Sender<Option<SnapshotLost>>) {
    let mut ticks = interval(PING);
    let reason = loop {
        tokio::select! {
            reason = connection.ended() => break reason,
            _ = ticks.tick() => {}
        }
        match timeout(PING_DEADLINE, connection.ask("SELECT 1", "the transaction that holds it has failed")).await {
            Ok(Ok(_)) => {}
            // Why is said by the end of the connection; one that goes on has lost its transaction.
            Ok(Err(error)) => {
                let ended = timeout(Duration::from_secs(1), connection.ended()).await;
                break ended.unwrap_or_else(|_| error.to_string());
            }
            Err(_) => break format!("the server has not answered for {} seconds", PING_DEADLINE.as_secs()),
        }
    };
    error!(reason, "the snapshot was lost");
    let _ = losing.send(Some(SnapshotLost { reason }));
}

impl Drop for SnapshotHolder {
    fn drop(&mut self) {
        self.holder.abort();
    }
}
