//! A Diesel connection that knows why it ended, and that does not wait for ever.
//!
//! Diesel gives neither: it tells only that the connection is closed, and a thread that waits in it cannot be called
//! back. So the task that moves the bytes is ours, keeps what it ended with, and is ended when nothing moves.

use crate::source::ConnectionEnd;
use crate::source_error::{SourceError, SourceErrorKind};
use diesel::query_dsl::LoadQuery;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// What Diesel's queries run on; a synchronous connection.
pub type DieselClient = AsyncConnectionWrapper<AsyncPgConnection>;

/// How long the end of a connection may lag behind the message that announces it.
const FAREWELL: Duration = Duration::from_secs(1);

/// A synchronous Diesel connection; use it on a thread that may block, within a Tokio runtime.
pub struct DieselConnection {
    client: DieselClient,
    driver: Driver,
    silence: Duration,
}

impl DieselConnection {
    /// `silence` is how long the server may send nothing while rows are waited for.
    pub(crate) fn new(client: AsyncPgConnection, driver: Driver, silence: Duration) -> Self {
        Self { client: client.into(), driver, silence }
    }

    /// All rows of a query; `doing` begins the sentence of a failure: "cannot read public.users".
    ///
    /// # Errors
    /// [`SourceError`]; a connection that ends or falls silent before the last row is one.
    pub fn load<'query, Row>(
        &mut self,
        doing: &str,
        query: impl LoadQuery<'query, DieselClient, Row>,
    ) -> Result<Vec<Row>, SourceError> {
        let watch = Watch::begin(&self.driver, self.silence);
        let count = |row| {
            watch.rows.fetch_add(1, Ordering::Relaxed);
            row
        };
        let rows = query.internal_load(&mut self.client).and_then(|rows| rows.map(count).collect::<Result<_, Error>>());
        let silent = watch.ended_it.load(Ordering::SeqCst);
        drop(watch);
        rows.map_err(
            |error| if silent { SourceError::silent(doing, self.silence) } else { self.explain(doing, &error) },
        )
    }

    /// The error of Diesel, with what is known of the connection.
    fn explain(&mut self, doing: &str, error: &Error) -> SourceError {
        let Error::DatabaseError(kind, _) = error else { return SourceError::from_diesel(doing, error) };
        let said = SourceError::from_diesel(doing, error);
        match kind {
            // What the connection ended with says more than that it is closed.
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection => {
                self.driver.ended_with(doing).unwrap_or(said)
            }
            DatabaseErrorKind::Unknown if !said.is_classified() && self.driver.has_ended() => {
                SourceError::new(SourceErrorKind::Unreachable, format!("{said}; the server has ended the connection"))
            }
            _ => said,
        }
    }
}

/// The task that moves the bytes of a connection; dropping it ends the connection.
pub(crate) struct Driver {
    task: JoinHandle<()>,
    /// What it ended with, kept before those who wait for rows learn that it has.
    end: Arc<Mutex<Option<tokio_postgres::Error>>>,
}

impl Driver {
    /// Begins to drive, within a runtime. `connection` must not let go of those who wait for rows before it is dropped.
    pub(crate) fn start(mut connection: BoxFuture<'static, ConnectionEnd>) -> Self {
        let end = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&end);
        let task = tokio::spawn(async move {
            let outcome = (&mut connection).await;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = outcome.err();
        });
        Self { task, end }
    }

    fn ended_with(&self, doing: &str) -> Option<SourceError> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.as_ref().map(|error| SourceError::from_tokio_postgres(doing, error))
    }

    fn has_ended(&mut self) -> bool {
        let Ok(runtime) = Handle::try_current() else { return self.task.is_finished() };
        runtime.block_on(async { timeout(FAREWELL, &mut self.task).await.is_ok() })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends a connection on which nothing comes; dropping it ends the watching.
struct Watch {
    rows: Arc<AtomicU64>,
    ended_it: Arc<AtomicBool>,
    task: Option<JoinHandle<()>>,
}

impl Watch {
    fn begin(driver: &Driver, silence: Duration) -> Self {
        let (rows, ended_it) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (watched, ends, driver) = (Arc::clone(&rows), Arc::clone(&ended_it), driver.task.abort_handle());
        let watching = async move {
            loop {
                let before = watched.load(Ordering::Relaxed);
                sleep(silence).await;
                if watched.load(Ordering::Relaxed) == before {
                    ends.store(true, Ordering::SeqCst);
                    driver.abort();
                    return;
                }
            }
        };
        // Without a runtime nothing can be loaded either.
        let task = Handle::try_current().ok().map(|runtime| runtime.spawn(watching));
        Self { rows, ended_it, task }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
