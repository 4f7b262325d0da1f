//! How much memory a table takes when all its rows are loaded, by the server's statistics.

use crate::source_error::SourceError;
use crate::sql::TableName;
use sqlx::{PgConnection, Row};

/// Memory of a field besides its bytes: the length and capacity of a string, whether it is there at all.
const FIELD_OVERHEAD: u64 = 24;
/// A table that was never analysed is taken for this many times its size on the disk.
const UNKNOWN_ROWS_FACTOR: u64 = 3;

const STATISTICS: &str = "
    SELECT c.reltuples::float8, pg_catalog.pg_table_size(c.oid),
           coalesce((SELECT sum(s.avg_width) FROM pg_catalog.pg_stats s
                     WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = ANY ($3)), 0)::int8
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2";

/// About how many bytes the columns of all rows take as structs; 0 for what has no statistics, such as a view.
pub async fn loaded_bytes(
    connection: &mut PgConnection,
    table: &TableName,
    columns: &[String],
) -> Result<u64, SourceError> {
    let doing = format!("cannot estimate the size of {table}");
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    let query = sqlx::query(STATISTICS).bind(&table.schema).bind(&table.name).bind(columns).persistent(false);
    let Some(row) = query.fetch_optional(connection).await.map_err(failed)? else {
        return Ok(0);
    };
    let rows: f64 = row.try_get(0).map_err(failed)?;
    let on_disk: i64 = row.try_get(1).map_err(failed)?;
    let width: i64 = row.try_get(2).map_err(failed)?;
    if rows < 0.0 {
        return Ok(on_disk.unsigned_abs() * UNKNOWN_ROWS_FACTOR);
    }
    let row_bytes = width.unsigned_abs() + columns.len() as u64 * FIELD_OVERHEAD;
    Ok(rows as u64 * row_bytes)
}
