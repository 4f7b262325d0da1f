//! What else the catalog says of a table: how many rows it may have, and what our role may do with it.

use crate::catalog::Relation;
use crate::source_error::SourceError;
use sqlx::postgres::types::Oid;
use sqlx::{PgConnection, Row};

/// What a reader should know of a table before it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// How many rows there may be.
    pub rows: EstimatedRows,
    /// Whether all or some of its rows lie on another server, which no snapshot of this one covers.
    pub foreign: bool,
    /// Whether all or some of its rows are in no log, so that no standby has them.
    pub unlogged: bool,
    /// Whether policies decide which rows our role sees; every session has `row_security=off`, so reading fails.
    pub row_security: bool,
    /// Whether our role may read the table as such, which locking it takes, and not only columns of it.
    pub readable: bool,
    /// The columns that our role may not read.
    pub denied_columns: Vec<String>,
    /// Whether our role may change rows, or remove them.
    pub writable: bool,
}

/// The server's own estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EstimatedRows {
    /// As many as the last ANALYZE or VACUUM has counted, over all partitions.
    About(u64),
    /// Nobody has counted, at least in one partition.
    NeverAnalysed,
    /// A view is never counted.
    Unknown,
}

/// `reltuples` is -1 where nobody has counted; before Postgres 14 it was 0. Where nothing takes any room there is nothing
/// to count.
const FACTS: &str = "
    WITH storage AS (
        SELECT s.reltuples, s.relpages, s.relkind, s.relpersistence, s.oid FROM pg_catalog.pg_class s
        WHERE s.oid = $1 AND s.relkind <> 'p'
           OR s.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1) WHERE isleaf)
    )
    SELECT c.relkind::text,
           (SELECT coalesce(sum(greatest(reltuples, 0)), 0)::float8 FROM storage),
           (SELECT coalesce(bool_or(CASE WHEN relkind IN ('r', 'm')
                                         THEN reltuples <= 0 AND relpages = 0 AND pg_catalog.pg_relation_size(oid) > 0
                                         ELSE reltuples < 0 END), false) FROM storage),
           EXISTS (SELECT FROM storage WHERE relkind = 'f'),
           EXISTS (SELECT FROM storage WHERE relpersistence = 'u'),
           pg_catalog.row_security_active(c.oid),
           pg_catalog.has_table_privilege(c.oid, 'SELECT'),
           ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY a.attnum),
           pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
               OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE')
    FROM pg_catalog.pg_class c WHERE c.oid = $1";

/// Asks the catalog about a table.
///
/// # Errors
/// [`SourceError`] that names the table.
pub async fn table_facts(connection: &mut PgConnection, relation: &Relation) -> Result<TableFacts, SourceError> {
    let doing = format!("cannot look up rights and statistics of {}", relation.name);
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    let row = sqlx::query(FACTS).bind(Oid(relation.oid)).persistent(false).fetch_one(connection).await;
    let row = row.map_err(failed)?;
    let kind: String = row.try_get(0).map_err(failed)?;
    let counted: f64 = row.try_get(1).map_err(failed)?;
    let rows = match (kind.as_str(), row.try_get(2).map_err(failed)?) {
        ("v", _) => EstimatedRows::Unknown,
        (_, true) => EstimatedRows::NeverAnalysed,
        (_, false) => EstimatedRows::About(counted as u64),
    };
    Ok(TableFacts {
        rows,
        foreign: row.try_get(3).map_err(failed)?,
        unlogged: row.try_get(4).map_err(failed)?,
        row_security: row.try_get(5).map_err(failed)?,
        readable: row.try_get(6).map_err(failed)?,
        denied_columns: row.try_get(7).map_err(failed)?,
        writable: row.try_get(8).map_err(failed)?,
    })
}
