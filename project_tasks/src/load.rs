//! Loading a small table by Diesel.

use anyhow::Result;
use diesel::query_dsl::LoadQuery;
use project_postgres::{DieselConnection, SourceError};
use std::time::Instant;
use tracing::trace;

/// Runs a Diesel query; an error names the table, and the time it took is traced.
pub(crate) fn load<'query, Row>(
    table: &str,
    query: impl LoadQuery<'query, DieselConnection, Row>,
    connection: &mut DieselConnection,
) -> Result<Vec<Row>> {
    let start = Instant::now();
    let rows: diesel::QueryResult<Vec<Row>> = query.internal_load(connection).and_then(Iterator::collect);
    let rows = rows.map_err(|error| SourceError::from_diesel(&format!("cannot read {table}"), &error))?;
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    trace!(table, rows = rows.len(), duration_ms, "loaded");
    Ok(rows)
}
