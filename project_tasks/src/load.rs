//! Loading a small table by Diesel.

use crate::context::TaskContext;
use anyhow::{Context, Result};
use diesel::query_dsl::LoadQuery;
use project_postgres::{DieselClient, DieselConnection};
use std::panic::resume_unwind;
use std::thread;
use std::time::Instant;
use tokio::runtime::Handle;
use tracing::trace;

/// Runs a Diesel query; an error names the table, and the time it took is traced.
///
/// # Errors
/// Those of the server and of values that have no place in the row.
pub fn load<'query, Row>(
    table: &str,
    query: impl LoadQuery<'query, DieselClient, Row>,
    connection: &mut DieselConnection,
) -> Result<Vec<Row>> {
    let start = Instant::now();
    let rows = connection.load(&format!("cannot read {table}"), query)?;
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    trace!(table, rows = rows.len(), duration_ms, "loaded");
    Ok(rows)
}

/// Loads what does not depend on each other, on two connections at the same time where the run may have two.
///
/// # Errors
/// Those of either, and of the connections.
pub fn load_both<A: Send, B>(
    context: &TaskContext,
    first: impl FnOnce(&mut DieselConnection) -> Result<A> + Send,
    second: impl FnOnce(&mut DieselConnection) -> Result<B>,
) -> Result<(A, B)> {
    if context.workers < 2 {
        let connection = &mut context.source.connect_diesel()?;
        return Ok((first(connection)?, second(connection)?));
    }
    let runtime = Handle::try_current().context("Diesel connections need a Tokio runtime")?;
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            let _entered = runtime.enter();
            first(&mut context.source.connect_diesel()?)
        });
        let second =
            context.source.connect_diesel().map_err(Into::into).and_then(|mut connection| second(&mut connection));
        let first = first.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((first?, second?))
    })
}
