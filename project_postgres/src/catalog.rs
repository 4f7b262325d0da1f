//! What the server's catalog says about a table.

use crate::source_error::SourceError;
use crate::sql::TableName;
use sqlx::postgres::types::Oid;
use sqlx::{PgConnection, Row};

/// A relation and its columns, in the catalog's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Schema and name.
    pub name: TableName,
    /// `pg_class.oid`.
    pub oid: u32,
    /// What kind of relation it is.
    pub kind: RelationKind,
    /// Size of the heap in bytes; 0 for what has none of its own.
    pub bytes: u64,
    /// The columns that were not dropped.
    pub columns: Vec<CatalogColumn>,
    /// Whether our role may read it.
    pub readable: bool,
    /// Whether `LOCK TABLE` takes it: a table or a partitioned table.
    pub lockable: bool,
}

/// The kinds of relation, as far as reading differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// A heap table on a server from 14 on, which reads a range of blocks without the rest.
    Heap,
    /// The parent of declared partitions.
    Partitioned,
    /// A view, a materialized view, a foreign table, a table of another access method or on an older server.
    Other,
}

/// One column; domains are resolved to the type below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogColumn {
    /// Name, as the catalog spells it.
    pub name: String,
    /// OID of the base type.
    pub type_oid: u32,
    /// Type modifier, -1 for none.
    pub type_modifier: i32,
    /// The type as SQL writes it, for messages.
    pub type_name: String,
    /// Declared NOT NULL.
    pub not_null: bool,
}

const RELATION: &str = "
    SELECT c.oid, c.relkind::text,
           coalesce(a.amname = 'heap', false) AND pg_catalog.current_setting('server_version_num')::int >= 140000,
           CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END,
           pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// A domain is followed to its base type; the outermost modifier that is set counts.
const COLUMNS: &str = "
    WITH RECURSIVE base(attnum, type, modifier) AS (
        SELECT attnum, atttypid, atttypmod FROM pg_catalog.pg_attribute
        WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT b.attnum, t.typbasetype, CASE WHEN b.modifier = -1 THEN t.typtypmod ELSE b.modifier END
        FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
    )
    SELECT a.attname::text, b.type, b.modifier, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM base b
    JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = $1 AND a.attnum = b.attnum
    ORDER BY a.attnum";

/// Whether an index that holds every row leads with the column.
const LEADING_INDEX: &str = "
    SELECT EXISTS (
        SELECT FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = $1 AND a.attname = $2 AND i.indisvalid AND i.indpred IS NULL)";

/// Looks a table up; nothing when there is none of that name.
pub async fn relation(connection: &mut PgConnection, name: &TableName) -> Result<Option<Relation>, SourceError> {
    let doing = format!("cannot look up {name} in the catalog");
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    let query = sqlx::query(RELATION).bind(&name.schema).bind(&name.name).persistent(false);
    let Some(row) = query.fetch_optional(&mut *connection).await.map_err(failed)? else {
        return Ok(None);
    };
    let Oid(oid) = row.try_get(0).map_err(failed)?;
    let kind: String = row.try_get(1).map_err(failed)?;
    let heap: bool = row.try_get(2).map_err(failed)?;
    let bytes: i64 = row.try_get(3).map_err(failed)?;
    let mut columns = Vec::new();
    for row in sqlx::query(COLUMNS).bind(Oid(oid)).persistent(false).fetch_all(connection).await.map_err(failed)? {
        let Oid(type_oid) = row.try_get(1).map_err(failed)?;
        columns.push(CatalogColumn {
            name: row.try_get(0).map_err(failed)?,
            type_oid,
            type_modifier: row.try_get(2).map_err(failed)?,
            type_name: row.try_get(3).map_err(failed)?,
            not_null: row.try_get(4).map_err(failed)?,
        });
    }
    let lockable = matches!(kind.as_str(), "r" | "p");
    let kind = match kind.as_str() {
        "r" if heap => RelationKind::Heap,
        "p" => RelationKind::Partitioned,
        _ => RelationKind::Other,
    };
    let readable = row.try_get(4).map_err(failed)?;
    Ok(Some(Relation { name: name.clone(), oid, kind, bytes: bytes.unsigned_abs(), columns, readable, lockable }))
}

/// Every table, view and foreign table of a schema, in the order of their names.
pub async fn tables_of_schema(connection: &mut PgConnection, schema: &str) -> Result<Vec<TableName>, SourceError> {
    let doing = format!("cannot list the tables of schema \"{schema}\"");
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    // A partition is read through its parent.
    let query = sqlx::query(
        "SELECT c.relname::text FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
         ORDER BY c.relname",
    );
    let rows = query.bind(schema).persistent(false).fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(|row| Ok(TableName::new(schema, row.try_get::<String, _>(0).map_err(failed)?))).collect()
}

/// Whether reading by ranges of the column can use an index.
pub async fn has_leading_index(
    connection: &mut PgConnection,
    relation: &Relation,
    column: &str,
) -> Result<bool, SourceError> {
    let failed =
        |error: sqlx::Error| SourceError::from_sqlx(&format!("cannot list the indexes of {}", relation.name), &error);
    let query = sqlx::query(LEADING_INDEX).bind(Oid(relation.oid)).bind(column).persistent(false);
    query.fetch_one(connection).await.and_then(|row| row.try_get(0)).map_err(failed)
}
