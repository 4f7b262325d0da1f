//! The only place that builds SQL text: names and literals are quoted here and nowhere else.

use std::fmt;

/// A table's schema and name, exactly as the catalog spells them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The schema, for example `public`.
    pub schema: String,
    /// The table itself.
    pub name: String,
}

impl TableName {
    /// Both parts, unquoted.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// As it must stand in SQL.
    pub fn quoted(&self) -> String {
        format!("{}.{}", quote_identifier(&self.schema), quote_identifier(&self.name))
    }
}

/// As a person would type it: quotes only where a part would be misread without them.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &str| match part.contains(['.', ',', '"']) {
            true => quote_identifier(part),
            false => part.to_owned(),
        };
        write!(f, "{}.{}", part(&self.schema), part(&self.name))
    }
}

/// An identifier in double quotes.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal; the session runs with `standard_conforming_strings`, so only quotes need doubling.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A condition on the rows that one query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// The rows in heap blocks `from` (or the first) up to, not including, `to` (or beyond the last).
    Blocks {
        /// First block, or open at the start.
        from: Option<u32>,
        /// Block after the last, or open at the end.
        to: Option<u32>,
    },
    /// The rows whose column is in `[from, to)`, either end of which may be open; both are Postgres literals without
    /// quotes.
    Between {
        /// The column.
        column: String,
        /// First value.
        from: Option<String>,
        /// First value that no longer belongs.
        to: Option<String>,
    },
    /// The rows whose column is NULL.
    Null {
        /// The column.
        column: String,
    },
    /// The rows for which a condition is true that the person at the keyboard has written in SQL.
    Written(String),
    /// No condition, but the server stops with an error at a row with more than `bytes` in these columns. A value
    /// that is stored in fewer than 1/256 of that is not looked at: no compression of the server's is stronger.
    NoWiderThan {
        /// Columns that can be wide, each with the expression that is read.
        columns: Vec<(String, String)>,
        /// Bytes of text or bytes of all these columns.
        bytes: u64,
    },
}

/// What the server's complaint about a row that is too wide holds; the bytes of each column follow, with commas
/// between them.
const TOO_WIDE: &str = "row too wide: ";

impl Predicate {
    /// As it stands after WHERE.
    pub(crate) fn condition(&self) -> String {
        let block = |block: &u32| format!("'({block},0)'::tid");
        match self {
            Self::Blocks { from, to } => bounds("ctid", from.as_ref().map(block), to.as_ref().map(block)),
            Self::Between { column, from, to } => {
                let literal = |text: &String| quote_literal(text);
                bounds(&quote_identifier(column), from.as_ref().map(literal), to.as_ref().map(literal))
            }
            Self::Null { column } => format!("{} IS NULL", quote_identifier(column)),
            Self::Written(sql) => format!("({sql})"),
            Self::NoWiderThan { columns, bytes } => no_wider_than(columns, *bytes),
        }
    }

    /// The bytes of each column, when a server's message is the one that [`NoWiderThan`](Self::NoWiderThan) provokes.
    pub(crate) fn too_wide(message: &str) -> Option<Vec<u64>> {
        let (_, widths) = message.split_once(TOO_WIDE)?;
        let digits = |c: char| c.is_ascii_digit() || c == ',';
        let end = widths.find(|c| !digits(c)).unwrap_or(widths.len());
        widths[..end].split(',').map(|width| width.parse().ok()).collect()
    }
}

fn bounds(what: &str, from: Option<String>, to: Option<String>) -> String {
    let from = from.map(|from| format!("{what} >= {from}"));
    let to = to.map(|to| format!("{what} < {to}"));
    let both: Vec<String> = from.into_iter().chain(to).collect();
    if both.is_empty() { "true".to_owned() } else { both.join(" AND ") }
}

/// A cast that cannot succeed is the one way in plain SQL to stop with a message made of values.
fn no_wider_than(columns: &[(String, String)], bytes: u64) -> String {
    let width = |(column, expression): &(String, String)| {
        let column = quote_identifier(column);
        format!(
            "coalesce(CASE WHEN pg_catalog.pg_column_size({column}) < {} THEN 0 \
             ELSE pg_catalog.octet_length({expression})::int8 END, 0)",
            bytes / 256
        )
    };
    let widths: Vec<String> = columns.iter().map(width).collect();
    let message = widths.join(" || ',' || ");
    format!("CASE WHEN {} <= {bytes} THEN true ELSE ('{TOO_WIDE}' || {message})::bool END", widths.join(" + "))
}

/// `COPY (SELECT ...) TO STDOUT (FORMAT binary)`; `columns` are expressions that are quoted already. A guard, with
/// the names of the columns that they are made of, looks at the rows that would be sent and at no other: a view or a
/// condition may leave out the very rows that it would refuse, and without OFFSET the server may look at them first.
pub(crate) fn copy_out(
    columns: &[String],
    table: &TableName,
    predicates: &[&Predicate],
    guard: Option<(&Predicate, &[String])>,
) -> String {
    let columns = columns.join(", ");
    let rows = table_where(table, predicates);
    let rows = match guard {
        Some((guard, names)) => {
            let names: Vec<String> = names.iter().map(|name| quote_identifier(name)).collect();
            format!("(SELECT {} FROM {rows} OFFSET 0) AS rows WHERE {}", names.join(", "), guard.condition())
        }
        None => rows,
    };
    format!("COPY (SELECT {columns} FROM {rows}) TO STDOUT (FORMAT binary)")
}

/// What stands after FROM.
fn table_where(table: &TableName, predicates: &[&Predicate]) -> String {
    let conditions: Vec<String> = predicates.iter().map(|predicate| predicate.condition()).collect();
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    format!("{}{filter}", table.quoted())
}

/// The number of rows, and `figures` over the `values` of each, which have names. OFFSET keeps the server from working
/// out a value for each figure again; it does not keep it from doing so on several cores.
pub(crate) fn aggregate(figures: &[String], values: &[String], table: &TableName, predicates: &[&Predicate]) -> String {
    let (figures, values) = (figures.join(", "), values.join(", "));
    let rows = table_where(table, predicates);
    format!("SELECT pg_catalog.count(*), {figures} FROM (SELECT {values} FROM {rows} OFFSET 0) AS rows")
}

/// `SELECT "a", "b" FROM "s"."t"`, with a cast for the columns in `as_text`.
pub(crate) fn select(columns: &[String], as_text: &[String], table: &TableName) -> String {
    let read = |column: &String| match (quote_identifier(column), as_text.contains(column)) {
        (column, true) => format!("{column}::pg_catalog.text AS {column}"),
        (column, false) => column,
    };
    let columns: Vec<String> = columns.iter().map(read).collect();
    format!("SELECT {} FROM {}", columns.join(", "), table.quoted())
}

/// A look at one column of a few rows that are known by `tableoid` and `ctid`.
pub(crate) struct ColumnOfRows<'a> {
    /// What was read.
    pub(crate) relation: &'a TableName,
    /// Its column.
    pub(crate) column: &'a str,
    /// Of the column's text.
    pub(crate) most_characters: usize,
}

impl ColumnOfRows<'_> {
    /// Takes arrays of both; for each row that is found: its place in them, its primary key as a JSON object or NULL,
    /// and the column's text as bytes, since it need not be valid in any encoding.
    pub(crate) fn sql(&self) -> String {
        format!(
            "SELECT id.place,
                (SELECT pg_catalog.jsonb_object_agg(a.attname, pg_catalog.to_jsonb(rows) -> a.attname::text)::text
                 FROM pg_catalog.pg_index i
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                 WHERE i.indrelid = rows.tableoid AND i.indisprimary),
                pg_catalog.textsend(pg_catalog.left(rows.{}::pg_catalog.text, {}))
             FROM ROWS FROM (pg_catalog.unnest($1::int8[]::oid[]), pg_catalog.unnest($2::text[]::tid[]))
                 WITH ORDINALITY AS id(tableoid, ctid, place)
             JOIN {} AS rows ON rows.tableoid = id.tableoid AND rows.ctid = id.ctid",
            quote_identifier(self.column),
            self.most_characters,
            self.relation.quoted(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Predicate, TableName, copy_out, select};

    #[test]
    fn hostile_names_stay_names() {
        let table = TableName::new("a.b", r#"x"; DROP TABLE y; --"#);
        assert_eq!(table.quoted(), r#""a.b"."x""; DROP TABLE y; --""#);
        let predicate = Predicate::Null { column: "it's".into() };
        assert_eq!(
            copy_out(&["1".into()], &TableName::new("s", "t"), &[&predicate], None),
            r#"COPY (SELECT 1 FROM "s"."t" WHERE "it's" IS NULL) TO STDOUT (FORMAT binary)"#
        );
    }

    #[test]
    fn a_cast_keeps_the_name_of_its_column() {
        let columns = ["id".to_owned(), "a\"b".to_owned()];
        assert_eq!(
            select(&columns, &columns[1..], &TableName::new("s", "t")),
            r#"SELECT "id", "a""b"::pg_catalog.text AS "a""b" FROM "s"."t""#
        );
    }

    #[test]
    fn ranges_may_be_open() {
        let blocks = |from, to| Predicate::Blocks { from, to }.condition();
        assert_eq!(blocks(None, None), "true");
        assert_eq!(blocks(None, Some(8)), "ctid < '(8,0)'::tid");
        assert_eq!(blocks(Some(8), Some(9)), "ctid >= '(8,0)'::tid AND ctid < '(9,0)'::tid");
        let between = Predicate::Between { column: "at".into(), from: Some("2026-01-01".into()), to: None };
        let all = [&Predicate::Blocks { from: Some(8), to: None }, &between];
        assert_eq!(
            copy_out(&["1".into()], &TableName::new("s", "t"), &all, None),
            r#"COPY (SELECT 1 FROM "s"."t" WHERE ctid >= '(8,0)'::tid AND "at" >= '2026-01-01') TO STDOUT (FORMAT binary)"#
        );
    }
}
