//! What the server's catalog says about a table.

use crate::catalog_type::{CatalogType, CatalogTypes};
use crate::source_error::SourceError;
use crate::sql::TableName;
use sqlx::postgres::PgRow;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, PgConnection, Row};

/// A relation and its columns, in the catalog's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Schema and name.
    pub name: TableName,
    /// `pg_class.oid`.
    pub oid: u32,
    /// What kind of relation it is.
    pub kind: RelationKind,
    /// Where its rows lie; for a partitioned table see [`leaves`].
    pub storage: Storage,
    /// The columns that were not dropped.
    pub columns: Vec<CatalogColumn>,
    /// Whether it has to be locked while it is read: a table or a partitioned table.
    pub lockable: bool,
    /// Whether it is a view: locking it locks the tables behind it, which its owner must be able to read.
    pub view: bool,
}

/// A relation that holds rows itself: a table, a leaf of a partitioned table, or whatever hides behind a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Schema and name.
    pub name: TableName,
    /// Whether the server can read a range of its blocks without the rest.
    pub by_blocks: bool,
    /// Size of the heap in bytes; 0 for what has none of its own.
    pub bytes: u64,
    /// Size in bytes of what lies outside of the heap because it is wide; nothing when that is not known.
    pub toast_bytes: Option<u64>,
    /// Whether our role may read it.
    pub readable: bool,
}

/// The kinds of relation, as far as reading differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// The parent of declared partitions.
    Partitioned,
    /// Everything else: a table, a view, a materialized view, a foreign table.
    Single,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogColumn {
    /// Name, as the catalog spells it.
    pub name: String,
    /// Its type, with the parts that it is made of.
    pub data_type: CatalogType,
    /// The type as SQL writes it, for messages.
    pub type_name: String,
    /// Declared NOT NULL.
    pub not_null: bool,
}

/// The columns of a [`Storage`]. A server before 14 would read the whole heap for each range of blocks.
const STORAGE: &str = "
    n.nspname::text, c.relname::text,
    c.relkind = 'r' AND coalesce(a.amname = 'heap', false)
        AND pg_catalog.current_setting('server_version_num')::int >= 140000,
    CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END,
    CASE WHEN c.relkind NOT IN ('r', 'm') OR c.relhassubclass THEN NULL
         WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_catalog.pg_relation_size(c.reltoastrelid) END,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')";

const FROM_CLASS: &str = "
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam";

/// Whether our role reads of a leaf what it reads of it through the parent, whose rights and policies are its own.
const WHOLLY_READABLE: &str = "
    NOT pg_catalog.row_security_active(c.oid) AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))";

/// Whether the first column of the partition key is the column, and partitions are ranges of it.
const PARTITIONED_BY: &str = "
    SELECT EXISTS (
        SELECT FROM pg_catalog.pg_partitioned_table p
        JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = $1 AND p.partstrat = 'r' AND a.attname = $2)";

const COLUMNS: &str = "
    SELECT attname::text, atttypid, atttypmod, pg_catalog.format_type(atttypid, atttypmod), attnotnull
    FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum";

const PRIMARY_KEY: &str = "
    SELECT a.attname::text FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS key(attnum, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = key.attnum
    WHERE i.indrelid = $1 AND i.indisprimary ORDER BY key.place";

/// Whether an index that holds every row leads with the column.
const LEADING_INDEX: &str = "
    SELECT EXISTS (
        SELECT FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = $1 AND a.attname = $2 AND i.indisvalid AND i.indpred IS NULL)";

/// Whether the order of the rows on the disk follows the column, by the server's statistics; a few rows may have come
/// late.
const SORTED_BY: &str = "
    SELECT coalesce(max(abs(s.correlation)) > 0.99, false)
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
    WHERE c.oid = $1 AND s.attname = $2";

/// Looks a table up; nothing when there is none of that name.
pub async fn relation(connection: &mut PgConnection, name: &TableName) -> Result<Option<Relation>, SourceError> {
    let doing = format!("cannot look up {name} in the catalog");
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    let sql = format!(
        "SELECT {STORAGE}, c.oid, c.relkind::text {FROM_CLASS}
         WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(&name.schema).bind(&name.name).persistent(false);
    let Some(row) = query.fetch_optional(&mut *connection).await.map_err(failed)? else {
        return Ok(None);
    };
    let storage = storage(&row).map_err(failed)?;
    let Oid(oid) = row.try_get(6).map_err(failed)?;
    let kind: String = row.try_get(7).map_err(failed)?;
    let mut columns = Vec::new();
    let types = CatalogTypes::of_relation(connection, oid).await.map_err(failed)?;
    for row in sqlx::query(COLUMNS).bind(Oid(oid)).persistent(false).fetch_all(connection).await.map_err(failed)? {
        let Oid(type_oid) = row.try_get(1).map_err(failed)?;
        columns.push(CatalogColumn {
            name: row.try_get(0).map_err(failed)?,
            data_type: types.resolve(type_oid, row.try_get(2).map_err(failed)?),
            type_name: row.try_get(3).map_err(failed)?,
            not_null: row.try_get(4).map_err(failed)?,
        });
    }
    let lockable = matches!(kind.as_str(), "r" | "p");
    let view = kind == "v";
    let kind = if kind == "p" { RelationKind::Partitioned } else { RelationKind::Single };
    Ok(Some(Relation { name: name.clone(), oid, kind, storage, columns, lockable, view }))
}

fn storage(row: &PgRow) -> sqlx::Result<Storage> {
    let bytes: i64 = row.try_get(3)?;
    let toast_bytes: Option<i64> = row.try_get(4)?;
    Ok(Storage {
        name: TableName::new(row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?),
        by_blocks: row.try_get(2)?,
        bytes: bytes.unsigned_abs(),
        toast_bytes: toast_bytes.map(i64::unsigned_abs),
        readable: row.try_get(5)?,
    })
}

/// Where the rows of a relation lie: in its leaves when it is partitioned, else in itself.
///
/// A right on the parent is enough to read through it but not to read a leaf; a partitioned table with a leaf that our
/// role may not read is one storage, the parent.
pub async fn leaves(connection: &mut PgConnection, relation: &Relation) -> Result<Vec<Storage>, SourceError> {
    let itself = vec![relation.storage.clone()];
    if relation.kind != RelationKind::Partitioned {
        return Ok(itself);
    }
    let failed = |error: sqlx::Error| {
        SourceError::from_sqlx(&format!("cannot list the partitions of {}", relation.name), &error)
    };
    let sql = format!(
        "SELECT {STORAGE}, {WHOLLY_READABLE} {FROM_CLASS}
         JOIN pg_catalog.pg_partition_tree($1) tree ON tree.relid = c.oid AND tree.isleaf ORDER BY c.oid"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(Oid(relation.oid)).persistent(false);
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    let mut leaves = Vec::with_capacity(rows.len());
    for row in &rows {
        let leaf = storage(row).map_err(failed)?;
        if !leaf.readable || !row.try_get::<bool, _>(6).map_err(failed)? {
            return Ok(itself);
        }
        leaves.push(leaf);
    }
    Ok(if leaves.is_empty() { itself } else { leaves })
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

/// The columns of the primary key in its order; none for a table without one.
pub async fn primary_key(connection: &mut PgConnection, relation: &Relation) -> Result<Vec<String>, SourceError> {
    let doing = format!("cannot look up the primary key of {}", relation.name);
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    let query = sqlx::query(PRIMARY_KEY).bind(Oid(relation.oid)).persistent(false);
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(|row| row.try_get(0).map_err(failed)).collect()
}

/// Whether reading by ranges of the column can use an index.
pub async fn has_leading_index(
    connection: &mut PgConnection,
    relation: &Relation,
    column: &str,
) -> Result<bool, SourceError> {
    holds(connection, LEADING_INDEX, relation, column, "cannot list the indexes of").await
}

/// Whether reading by ranges of the column leaves out the partitions that cannot hold it.
pub async fn is_partitioned_by(
    connection: &mut PgConnection,
    relation: &Relation,
    column: &str,
) -> Result<bool, SourceError> {
    holds(connection, PARTITIONED_BY, relation, column, "cannot look up the partition key of").await
}

/// Whether the rows lie about in the order of the column.
pub async fn is_sorted_by(
    connection: &mut PgConnection,
    relation: &Relation,
    column: &str,
) -> Result<bool, SourceError> {
    holds(connection, SORTED_BY, relation, column, "cannot read the statistics of").await
}

async fn holds(
    connection: &mut PgConnection,
    question: &'static str,
    relation: &Relation,
    column: &str,
    doing: &str,
) -> Result<bool, SourceError> {
    let query = sqlx::query(question).bind(Oid(relation.oid)).bind(column).persistent(false);
    let answer = query.fetch_one(connection).await.and_then(|row| row.try_get(0));
    answer.map_err(|error| SourceError::from_sqlx(&format!("{doing} {}", relation.name), &error))
}
