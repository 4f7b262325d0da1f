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
pub(crate) fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal; the session runs with `standard_conforming_strings`, so only quotes need doubling.
pub(crate) fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Which rows of a table one query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// Every row.
    All,
    /// The rows in heap blocks `from` (or the first) up to, not including, `to` (or beyond the last).
    Blocks {
        /// First block, or open at the start.
        from: Option<u32>,
        /// Block after the last, or open at the end.
        to: Option<u32>,
    },
    /// The rows whose column is in `[from, to)`; both are Postgres literals without quotes.
    Between {
        /// The column.
        column: String,
        /// First value.
        from: String,
        /// First value that no longer belongs.
        to: String,
    },
    /// The rows whose column is NULL.
    Null {
        /// The column.
        column: String,
    },
}

impl Predicate {
    fn condition(&self) -> Option<String> {
        let block = |block: &u32| format!("'({block},0)'::tid");
        let conditions: Vec<String> = match self {
            Self::All => Vec::new(),
            Self::Blocks { from, to } => {
                let from = from.as_ref().map(|from| format!("ctid >= {}", block(from)));
                let to = to.as_ref().map(|to| format!("ctid < {}", block(to)));
                from.into_iter().chain(to).collect()
            }
            Self::Between { column, from, to } => {
                let column = quote_identifier(column);
                vec![format!("{column} >= {}", quote_literal(from)), format!("{column} < {}", quote_literal(to))]
            }
            Self::Null { column } => vec![format!("{} IS NULL", quote_identifier(column))],
        };
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    }
}

/// `COPY (SELECT ...) TO STDOUT (FORMAT binary)`; `columns` are expressions that are quoted already.
pub(crate) fn copy_out(columns: &[String], table: &TableName, predicate: &Predicate) -> String {
    let columns = columns.join(", ");
    let condition = predicate.condition().map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    format!("COPY (SELECT {columns} FROM {}{condition}) TO STDOUT (FORMAT binary)", table.quoted())
}

/// `SELECT "a", "b" FROM "s"."t"`.
pub(crate) fn select(columns: &[String], table: &TableName) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quote_identifier(column)).collect();
    format!("SELECT {} FROM {}", columns.join(", "), table.quoted())
}

#[cfg(test)]
mod tests {
    use super::{Predicate, TableName, copy_out};

    #[test]
    fn hostile_names_stay_names() {
        let table = TableName::new("a.b", r#"x"; DROP TABLE y; --"#);
        assert_eq!(table.quoted(), r#""a.b"."x""; DROP TABLE y; --""#);
        let predicate = Predicate::Null { column: "it's".into() };
        assert_eq!(
            copy_out(&["1".into()], &TableName::new("s", "t"), &predicate),
            r#"COPY (SELECT 1 FROM "s"."t" WHERE "it's" IS NULL) TO STDOUT (FORMAT binary)"#
        );
    }

    #[test]
    fn block_ranges_may_be_open() {
        let condition = |from, to| Predicate::Blocks { from, to }.condition();
        assert_eq!(condition(None, None), None);
        assert_eq!(condition(None, Some(8)).as_deref(), Some("ctid < '(8,0)'::tid"));
        assert_eq!(condition(Some(8), Some(9)).as_deref(), Some("ctid >= '(8,0)'::tid AND ctid < '(9,0)'::tid"));
    }
}
