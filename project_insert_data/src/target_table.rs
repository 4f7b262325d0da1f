//! What the catalog says of the table that rows go into.

use crate::column_type::ColumnType;
use crate::error::{InsertError, InsertErrorKind};
use crate::server_error::{Place, explain};
use project_postgres::{TableName, TargetConnection, quote_literal};
use tokio_postgres::SimpleQueryRow;

/// The table, complete and looked at by our role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetTable {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<TargetColumn>,
    /// Empty when there is none.
    pub(crate) primary_key: Vec<String>,
    /// The columns of each unique index that holds every row.
    pub(crate) unique_indexes: Vec<Vec<String>>,
    /// Whether a trigger or rule may make other rows of those that it is given.
    pub(crate) may_change_rows: bool,
    pub(crate) rights: Rights,
}

/// What our role may do besides with single columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) delete: bool,
    /// Locking takes UPDATE, DELETE or TRUNCATE on the table itself.
    pub(crate) lock: bool,
    pub(crate) temporary: bool,
    pub(crate) role: String,
    pub(crate) database: String,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetColumn {
    pub(crate) name: String,
    pub(crate) column_type: ColumnType,
    /// As SQL writes it.
    pub(crate) type_name: String,
    /// When the type below all domains keeps only so many digits or characters, and the server rounds or cuts the rest.
    pub(crate) bounds: Option<Bounds>,
    pub(crate) not_null: bool,
    /// Whether a row that leaves it out gets a value.
    pub(crate) has_default: bool,
    pub(crate) origin: Origin,
    /// The operator that tells whether two values are equal, qualified; the type's own, whatever the search_path.
    pub(crate) equality: String,
    pub(crate) may_select: bool,
    pub(crate) may_insert: bool,
    pub(crate) may_update: bool,
}

/// A type with a modifier: `varchar(3)`, `timestamp(0)[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The type with it, as SQL writes it.
    pub(crate) bounded: String,
    /// The type without it.
    pub(crate) unbounded: String,
}

/// Who gives the column its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Whoever,
    Generated,
    IdentityAlways,
}

fn facts(table: &TableName) -> String {
    format!(
        "SELECT c.oid, c.relkind, pg_catalog.pg_is_in_recovery(), pg_catalog.row_security_active(c.oid),
            c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid),
            pg_catalog.has_table_privilege(c.oid, 'DELETE'),
            pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'),
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'),
            current_user, pg_catalog.current_database(), pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
            c.relhasrules OR EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal AND g.tgrelid IN
                (SELECT c.oid UNION ALL SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p))
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = {} AND c.relname = {}",
        quote_literal(&table.schema),
        quote_literal(&table.name)
    )
}

/// Domains are resolved to the type below them. Equality is that of the default operator class, as for a unique index;
/// types without one of their own (arrays, enums, ranges, varchar) share that of the catalog.
fn columns(oid: &str) -> String {
    // char, varchar, time, timestamp, timestamptz, interval, timetz, numeric, and arrays of them. Other types refuse what
    // does not fit.
    let bounded = "b.modifier <> -1 AND CASE WHEN t.typsend = 'pg_catalog.array_send'::pg_catalog.regproc
                THEN t.typelem ELSE t.oid END IN (1042, 1043, 1083, 1114, 1184, 1186, 1266, 1700)";
    format!(
        "WITH RECURSIVE base(attnum, oid, modifier) AS (
            SELECT attnum, atttypid, atttypmod FROM pg_catalog.pg_attribute
            WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped
            UNION ALL
            SELECT b.attnum, t.typbasetype, CASE WHEN b.modifier = -1 THEN t.typtypmod ELSE b.modifier END
            FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd'
         )
         SELECT a.attname, t.oid, t.typtype, b.modifier,
            CASE WHEN t.typsend = 'pg_catalog.array_send'::pg_catalog.regproc THEN t.typelem END, e.typtype,
            pg_catalog.format_type(a.atttypid, a.atttypmod),
            a.attnotnull OR (d.typtype = 'd' AND d.typnotnull),
            a.atthasdef OR a.attidentity <> '' OR d.typdefault IS NOT NULL,
            a.attgenerated, a.attidentity,
            (SELECT pg_catalog.quote_ident(n.nspname) || '.' || o.oprname
             FROM pg_catalog.pg_opclass k
             JOIN pg_catalog.pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
             JOIN pg_catalog.pg_amop p ON p.amopfamily = k.opcfamily AND p.amopstrategy = 3
                AND p.amoplefttype = k.opcintype AND p.amoprighttype = k.opcintype
             JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
             JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
             WHERE k.opcdefault AND k.opcintype = t.oid LIMIT 1),
            pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
            pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'INSERT'),
            pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE'),
            CASE WHEN {bounded} THEN pg_catalog.format_type(t.oid, b.modifier) END,
            CASE WHEN {bounded} THEN pg_catalog.format_type(t.oid, -1) END
         FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
         JOIN base b ON b.attnum = a.attnum
         JOIN pg_catalog.pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
         LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
         WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
}

/// A row for each column of each unique index that holds every row and counts at once, in their order.
fn unique_indexes(oid: &str) -> String {
    format!(
        "SELECT i.indexrelid, i.indisprimary, a.attname
         FROM pg_catalog.pg_index i
         CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE i.indrelid = {oid} AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
            AND k.place <= i.indnkeyatts
         ORDER BY i.indisprimary DESC, i.indexrelid, k.place"
    )
}

/// Looks the table up.
///
/// # Errors
/// When there is none, or it is of a kind that takes no rows this way.
pub(crate) async fn look_up(connection: &TargetConnection, name: &TableName) -> Result<TargetTable, InsertError> {
    let doing = format!("cannot look up {name} in the catalog of the target");
    let ask = async |sql: String| {
        let answer = connection.ask(&sql).await;
        answer.map(|answer| answer.rows).map_err(|error| explain(&Place::of(&doing), &error))
    };
    let found = ask(facts(name)).await?;
    let facts = found.first().ok_or_else(|| {
        InsertError::data(format!(
            "the target has no table {name}; names are exact, create the table or correct --into"
        ))
    })?;
    check_kind(name, facts)?;
    let oid = text(facts, 0);
    Ok(TargetTable {
        name: name.clone(),
        columns: ask(columns(&oid)).await?.iter().map(column).collect(),
        primary_key: indexes(&ask(unique_indexes(&oid)).await?, true).into_iter().next().unwrap_or_default(),
        unique_indexes: indexes(&ask(unique_indexes(&oid)).await?, false),
        may_change_rows: is_true(facts, 11),
        rights: Rights {
            delete: is_true(facts, 5),
            lock: is_true(facts, 6),
            temporary: is_true(facts, 7),
            role: text(facts, 8),
            database: text(facts, 9),
        },
    })
}

fn check_kind(name: &TableName, facts: &SimpleQueryRow) -> Result<(), InsertError> {
    let what = match text(facts, 1).as_str() {
        "r" | "p" => None,
        "v" => Some("a view"),
        "m" => Some("a materialized view"),
        "f" => Some("a foreign table, which a transaction here does not roll back"),
        _ => Some("no table"),
    };
    if let Some(what) = what {
        return Err(InsertError::data(format!("{name} is {what}; name the table itself with --into")));
    }
    if is_true(facts, 2) {
        let message = "the target is a standby, which takes no writes; let TARGET_DATABASE_URL name the primary";
        return Err(InsertError::new(InsertErrorKind::Configuration, message));
    }
    if is_true(facts, 4) {
        return Err(InsertError::data(format!(
            "{name} has children that inherit from it; name one of them with --into"
        )));
    }
    let role = text(facts, 8);
    if !is_true(facts, 10) {
        let message = format!("the role {role} may not use the schema of {name}; GRANT USAGE ON SCHEMA to it");
        return Err(InsertError::new(InsertErrorKind::Denied, message));
    }
    if is_true(facts, 3) {
        let message = format!(
            "row security hides rows of {name} from the role {role}, so nobody could say what is there; use a role with BYPASSRLS or the owner"
        );
        return Err(InsertError::new(InsertErrorKind::Denied, message));
    }
    Ok(())
}

fn column(row: &SimpleQueryRow) -> TargetColumn {
    let number = |at: usize| row.get(at).and_then(|text| text.parse().ok());
    let modifier = row.get(3).and_then(|text| text.parse().ok()).unwrap_or(-1);
    let column_type = match number(4) {
        Some(element_oid) => {
            let element = ColumnType::of(element_oid, &text(row, 5), modifier);
            ColumnType::Array { element: Box::new(element), element_oid }
        }
        None => ColumnType::of(number(1).unwrap_or_default(), &text(row, 2), modifier),
    };
    let generated = row.get(9).is_some_and(|kind| !kind.is_empty());
    TargetColumn {
        name: text(row, 0),
        column_type,
        type_name: text(row, 6),
        bounds: row
            .get(15)
            .zip(row.get(16))
            .map(|(bounded, unbounded)| Bounds { bounded: bounded.to_owned(), unbounded: unbounded.to_owned() }),
        not_null: is_true(row, 7),
        has_default: is_true(row, 8),
        origin: match row.get(10) {
            _ if generated => Origin::Generated,
            Some("a") => Origin::IdentityAlways,
            _ => Origin::Whoever,
        },
        equality: row.get(11).unwrap_or("pg_catalog.=").to_owned(),
        may_select: is_true(row, 12),
        may_insert: is_true(row, 13),
        may_update: is_true(row, 14),
    }
}

fn indexes(rows: &[SimpleQueryRow], only_primary: bool) -> Vec<Vec<String>> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows.iter().filter(|row| !only_primary || is_true(row, 1)) {
        let (index, column) = (text(row, 0), text(row, 2));
        match found.last_mut() {
            Some((last, columns)) if *last == index => columns.push(column),
            _ => found.push((index, vec![column])),
        }
    }
    found.into_iter().map(|(_, columns)| columns).collect()
}

fn text(row: &SimpleQueryRow, at: usize) -> String {
    row.get(at).unwrap_or_default().to_owned()
}

fn is_true(row: &SimpleQueryRow, at: usize) -> bool {
    row.get(at) == Some("t")
}
