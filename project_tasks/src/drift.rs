//! The difference between what the code expects of a table and what the database has.

use crate::source_table::{SourceColumn, SourceTable, Usage};
use project_postgres::TableName;
use project_postgres::catalog::{CatalogColumn, Relation};
use std::fmt;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The column in Postgres.
    pub column: String,
    /// What has happened to it.
    pub kind: DriftKind,
    /// Whether the task would fail, or read something else than it was written for.
    pub fails: bool,
    /// The line that the code should have instead, where there is one.
    pub line: Option<String>,
    sentence: String,
}

/// What can happen to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftKind {
    /// The database has none of that name.
    Missing,
    /// The database has another type.
    Retyped,
    /// It may be NULL, and the code has no place for that.
    Nullable,
    /// It cannot be NULL, and the code provides for that.
    NotNull,
    /// The code does not know it.
    Added,
}

impl DriftKind {
    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Retyped => "retyped",
            Self::Nullable => "may be NULL",
            Self::NotNull => "NOT NULL",
            Self::Added => "added",
        }
    }
}

/// The whole sentence: table, column, what the code says, what the database says, what to do.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// Compares a table with what the task `task` expects of it: the declared columns in their order, then the others.
pub(crate) fn drift(task: &str, source: &SourceTable, relation: &Relation) -> Vec<Drift> {
    let comparison = Comparison { task, source, table: &source.table };
    let known = source.columns.iter().filter_map(|column| {
        let existing = relation.columns.iter().find(|existing| existing.name == column.expected.name);
        match existing {
            None => Some(comparison.missing(column)),
            Some(existing) if !column.expected.reads(existing.data_type.oid(), &existing.type_name) => {
                Some(comparison.retyped(column, existing))
            }
            // The catalog does not say of a view's columns whether they can be NULL.
            Some(_) if !relation.lockable => None,
            Some(existing) => comparison.nullability(column, existing),
        }
    });
    let added = relation.columns.iter().filter_map(|column| comparison.added(column));
    known.chain(added).collect()
}

struct Comparison<'a> {
    task: &'a str,
    source: &'a SourceTable,
    table: &'a TableName,
}

impl Comparison<'_> {
    fn missing(&self, column: &SourceColumn) -> Drift {
        let (table, task, file) = (self.table, self.task, &self.source.file);
        let name = &column.expected.name;
        let remedy = match column.expected.current_line() {
            Some(line) => format!("correct `{line}` in {file}"),
            None => format!("correct {file}"),
        };
        let sentence = match column.usage {
            Usage::Read | Usage::Filter | Usage::Cut => {
                format!("{table} has no column \"{name}\", which the task {task} reads; {remedy}, or add the column")
            }
            Usage::Unused => format!("{table} has no column \"{name}\"; {remedy}"),
        };
        let fails = column.usage != Usage::Unused;
        Drift { column: name.clone(), kind: DriftKind::Missing, fails, line: None, sentence }
    }

    fn retyped(&self, column: &SourceColumn, existing: &CatalogColumn) -> Drift {
        let (table, file) = (self.table, &self.source.file);
        let name = &column.expected.name;
        let line = column.expected.line(existing.data_type.oid(), &existing.type_name, !existing.not_null);
        let remedy = match (&line, self.source.declaration) {
            (Some(line), _) => format!("write `{line}` there, or change the column back"),
            (None, Some(_)) => {
                format!("no row can hold that type: change the column back, or copy the table by --table={table}")
            }
            (None, None) => "change the column, or the task".to_owned(),
        };
        let sentence = format!(
            "{table}: column \"{name}\" is {} in the database, but {file} says {}; {remedy}",
            existing.type_name, column.expected.declared
        );
        let fails = column.usage != Usage::Unused;
        Drift { column: name.clone(), kind: DriftKind::Retyped, fails, line, sentence }
    }

    /// Only a value that is read has to have a place.
    fn nullability(&self, column: &SourceColumn, existing: &CatalogColumn) -> Option<Drift> {
        self.source.declaration?;
        let (table, file) = (self.table, &self.source.file);
        let expected = &column.expected;
        let name = &expected.name;
        let line = expected.line(existing.data_type.oid(), &existing.type_name, !existing.not_null);
        let shown = line.as_deref().unwrap_or_default();
        let (kind, sentence) = match (expected.nullable, existing.not_null) {
            (false, false) => (
                DriftKind::Nullable,
                format!(
                    "{table}: column \"{name}\" may be NULL in the database, but {file} says {}; write `{shown}` there, or set the column NOT NULL",
                    expected.declared
                ),
            ),
            (true, true) => (
                DriftKind::NotNull,
                format!("{table}: column \"{name}\" is NOT NULL in the database; {file} could say `{shown}`"),
            ),
            (false, true) | (true, false) => return None,
        };
        let fails = kind == DriftKind::Nullable && column.usage == Usage::Read;
        Some(Drift { column: name.clone(), kind, fails, line, sentence })
    }

    fn added(&self, existing: &CatalogColumn) -> Option<Drift> {
        let declaration = self.source.declaration?;
        let CatalogColumn { name, type_name, data_type, not_null } = existing;
        if self.source.columns.iter().any(|column| column.expected.name == *name) {
            return None;
        }
        let line = declaration.line(name, data_type.oid(), !not_null);
        let (table, file) = (self.table, &self.source.file);
        let sentence = format!("{table} has a column \"{name}\" ({type_name}) that {file} does not declare");
        Some(Drift { column: name.clone(), kind: DriftKind::Added, fails: false, line, sentence })
    }
}

#[cfg(test)]
mod tests {
    use super::{Drift, DriftKind, drift};
    use crate::source_table::SourceTable;
    use project_postgres::TableName;
    use project_postgres::catalog::{CatalogColumn, Relation, RelationKind, Storage};
    use project_postgres::catalog_type::CatalogType;
    use project_schemas::combined_orders::OrderRow;
    use project_schemas::products::ProductRow;
    use project_schemas::tables::orders;

    /// Name, OID, type, NOT NULL.
    type Column = (&'static str, u32, &'static str, bool);

    const ORDERS: [Column; 6] = [
        ("id", 23, "integer", true),
        ("user_id", 23, "integer", false),
        ("amount", 1700, "numeric", false),
        ("active", 16, "boolean", true),
        ("created_at", 1114, "timestamp without time zone", false),
        ("uuid", 2950, "uuid", true),
    ];

    fn relation(columns: &[Column]) -> Relation {
        let name = TableName::new("public", "orders");
        let storage = Storage { name: name.clone(), by_blocks: true, bytes: 0, toast_bytes: Some(0), readable: true };
        let columns = columns.iter().map(|(name, type_oid, type_name, not_null)| CatalogColumn {
            name: (*name).to_owned(),
            data_type: CatalogType::Scalar { oid: *type_oid, modifier: -1 },
            type_name: (*type_name).to_owned(),
            not_null: *not_null,
        });
        Relation {
            name,
            oid: 1,
            kind: RelationKind::Single,
            storage,
            columns: columns.collect(),
            lockable: true,
            view: false,
        }
    }

    fn orders_with(column: Column) -> Vec<Drift> {
        let columns = ORDERS.map(|known| if known.0 == column.0 { column } else { known });
        let source = SourceTable::selected_by::<OrderRow>().filtered_by::<orders::active>();
        drift("combined_orders", &source, &relation(&columns))
    }

    #[test]
    fn what_is_as_declared_has_not_drifted() {
        assert_eq!(orders_with(ORDERS[0]), []);
    }

    #[test]
    fn each_drift_names_table_column_both_sides_and_the_line() {
        for (column, kind, sentence) in [
            (
                ("amount", 20, "bigint", true),
                DriftKind::Retyped,
                "public.orders: column \"amount\" is bigint in the database, but project_schemas/src/tables.rs says Nullable<Numeric>; write `amount -> Int8,` there, or change the column back",
            ),
            (
                ("amount", 3614, "tsvector", false),
                DriftKind::Retyped,
                "public.orders: column \"amount\" is tsvector in the database, but project_schemas/src/tables.rs says Nullable<Numeric>; no row can hold that type: change the column back, or copy the table by --table=public.orders",
            ),
            (
                ("id", 23, "integer", false),
                DriftKind::Nullable,
                "public.orders: column \"id\" may be NULL in the database, but project_schemas/src/tables.rs says Int4; write `id -> Nullable<Int4>,` there, or set the column NOT NULL",
            ),
        ] {
            let found = orders_with(column);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].kind, found[0].fails, found[0].to_string().as_str()), (kind, true, sentence));
        }
    }

    #[test]
    fn what_breaks_nothing_is_a_remark() {
        for (column, kind) in [
            (("user_id", 23, "integer", true), DriftKind::NotNull),
            // Filtered by: NULL selects nothing.
            (("active", 16, "boolean", false), DriftKind::Nullable),
            // Declared, but not read by this task.
            (("uuid", 25, "text", true), DriftKind::Retyped),
            (("uuid", 2950, "uuid", false), DriftKind::Nullable),
        ] {
            let found = orders_with(column);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].kind, found[0].fails), (kind, false), "{found:?}");
        }
        assert!(orders_with(("active", 23, "integer", true))[0].fails, "a filter needs its type");
    }

    #[test]
    fn columns_come_and_go() {
        let mut columns = ORDERS.to_vec();
        columns.retain(|column| column.0 != "amount" && column.0 != "uuid");
        columns.push(("type", 1043, "character varying(9)", false));
        let source = SourceTable::selected_by::<OrderRow>();
        let found = drift("combined_orders", &source, &relation(&columns));
        let [amount, uuid, added] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            amount.to_string(),
            "public.orders has no column \"amount\", which the task combined_orders reads; correct `amount -> Nullable<Numeric>,` in project_schemas/src/tables.rs, or add the column"
        );
        assert!(amount.fails && !uuid.fails && !added.fails);
        assert_eq!((uuid.kind, added.kind), (DriftKind::Missing, DriftKind::Added));
        assert_eq!(added.line.as_deref(), Some("#[sql_name = \"type\"] type_ -> Nullable<Varchar>,"));
    }

    #[test]
    fn a_row_struct_is_corrected_in_its_own_file() {
        let source = SourceTable::read_into::<ProductRow>(TableName::new("public", "products"));
        let found = drift("products", &source, &relation(&[("quantity", 20, "bigint", false)]));
        let quantity = found.iter().find(|drift| drift.column == "quantity").unwrap();
        let says = "but project_schemas/src/products.rs says Option<i32>; write `pub quantity: Option<i64>,` there";
        assert!(quantity.to_string().contains(says), "{quantity}");
        let id = found.iter().find(|drift| drift.column == "id").unwrap();
        assert!(id.to_string().contains("correct `pub id: i32,` in project_schemas/src/products.rs"), "{id}");
    }

    #[test]
    fn nobody_knows_whether_a_view_holds_null() {
        let source = SourceTable::selected_by::<OrderRow>();
        let columns = ORDERS.map(|(name, oid, type_name, _)| (name, oid, type_name, false));
        let view = Relation { lockable: false, ..relation(&columns) };
        assert_eq!(drift("combined_orders", &source, &view), []);
    }

    #[test]
    fn what_takes_everything_needs_only_its_date() {
        let source = SourceTable::cut_by_date(TableName::new("public", "orders"), "amount", "task.rs".into());
        let found = drift("orders", &source, &relation(&ORDERS));
        let [amount] = &found[..] else { panic!("{found:?}") };
        let says = "\"amount\" is numeric in the database, but task.rs says a date, timestamp or timestamptz; change";
        assert!(amount.fails && amount.to_string().contains(says), "{amount}");
        let source = SourceTable::cut_by_date(TableName::new("public", "orders"), "created_at", "task.rs".into());
        assert_eq!(drift("orders", &source, &relation(&ORDERS)), []);
    }
}
