//! The columns of Diesel's `table!`, and what their types say.

use super::column::{ExpectedColumn, Place, Types};
use super::declaration::{Declaration, source_file};
use crate::as_text::{ANY_TYPE, AsText};
use diesel::associations::HasTable;
use diesel::expression::Expression;
use diesel::pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata};
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::query_source::{Column, QuerySource, Table};
use diesel::sql_types::is_nullable::{IsNullable, NotNull};
use diesel::sql_types::{HasSqlType, Nullable, SingleValue, SqlType, Text};
use project_postgres::TableName;
use project_postgres::value::TEXT_TYPES;
use std::any::type_name;

/// A column of a `table!`, read as it is or cast to text.
pub trait DeclaredColumn {
    /// The table.
    type Table;
    /// What its type says.
    fn expected() -> ExpectedColumn;
}

impl<C> DeclaredColumn for C
where
    C: Column + Expression<SqlType: SqlType<IsNull: Nullability>>,
    Pg: HasSqlType<C::SqlType>,
{
    type Table = C::Table;

    fn expected() -> ExpectedColumn {
        let nullable = <C::SqlType as SqlType>::IsNull::NULLABLE;
        let mut lookup = NameOnly(None);
        let oid = <Pg as HasSqlType<C::SqlType>>::metadata(&mut lookup).oid().unwrap_or_default();
        let types = match lookup.0 {
            Some(name) if name == ANY_TYPE => Types::Any,
            Some(name) => Types::Named(name),
            None if TEXT_TYPES.contains(&oid) => Types::Oids(TEXT_TYPES.to_vec()),
            None => Types::Oids(vec![oid]),
        };
        let plain = match Declaration::Table.type_name(oid) {
            Some(name) => name.to_owned(),
            None => of_not_null(without_paths(type_name::<C::SqlType>())),
        };
        let declared = Declaration::Table.declared(&plain, nullable);
        let identifier = type_name::<C>().rsplit("::").next().unwrap_or(C::NAME).to_owned();
        let place = Place::Line { declaration: Declaration::Table, identifier };
        ExpectedColumn { name: C::NAME.to_owned(), nullable, declared, type_name: plain, types, place }
    }
}

/// What is expected is the column; the cast is how it is read.
impl<C: DeclaredColumn> DeclaredColumn for AsText<C> {
    type Table = C::Table;

    fn expected() -> ExpectedColumn {
        C::expected()
    }
}

/// Several columns of one table.
pub trait ColumnList {
    /// The table.
    type Table;
    /// What their types say.
    fn expected() -> Vec<ExpectedColumn>;
}

macro_rules! column_lists {
    ($first:ident $($other:ident)*) => {
        impl<$first: DeclaredColumn, $($other: DeclaredColumn<Table = $first::Table>),*> ColumnList
            for ($first, $($other,)*)
        {
            type Table = $first::Table;

            fn expected() -> Vec<ExpectedColumn> {
                vec![$first::expected(), $($other::expected()),*]
            }
        }

        column_lists!($($other)*);
    };
    () => {};
}

// As many as Diesel's feature `32-column-tables` allows.
column_lists!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A1 B1 C1 D1 E1 F1);

/// A `table!`.
pub trait DeclaredTable {
    /// Schema and name; the schema is empty where the macro names none.
    fn name() -> TableName;
    /// The file that declares it.
    fn file() -> String;
    /// All its columns.
    fn columns() -> Vec<ExpectedColumn>;
}

impl<T> DeclaredTable for T
where
    T: Table<AllColumns: ColumnList> + HasTable<Table = T> + QuerySource<FromClause: QueryFragment<Pg>>,
{
    fn name() -> TableName {
        let mut sql = PgQueryBuilder::default();
        // Only an expression that cannot be written for Postgres fails, and a table's name can.
        let _ = T::table().from_clause().to_sql(&mut sql, &Pg);
        let mut parts = unquoted(&sql.finish()).into_iter().rev();
        let name = parts.next().unwrap_or_default();
        TableName::new(parts.next().unwrap_or_default(), name)
    }

    fn file() -> String {
        // <module>::<table>::table
        source_file(type_name::<T>(), 2)
    }

    fn columns() -> Vec<ExpectedColumn> {
        T::AllColumns::expected()
    }
}

/// What Diesel's answer to "can it be NULL?" means.
pub trait Nullability {
    /// Whether it can.
    const NULLABLE: bool;
    /// The type of such a text.
    type Text: SqlType + SingleValue;
}

impl Nullability for NotNull {
    const NULLABLE: bool = false;
    type Text = Text;
}

impl Nullability for IsNullable {
    const NULLABLE: bool = true;
    type Text = Nullable<Text>;
}

/// Remembers the name of a type whose OID only a database knows.
struct NameOnly(Option<String>);

impl PgMetadataLookup for NameOnly {
    fn lookup_type(&mut self, type_name: &str, _schema: Option<&str>) -> PgTypeMetadata {
        self.0 = Some(type_name.to_owned());
        PgTypeMetadata::new(0, 0)
    }
}

/// `a::b::Nullable<c::Mood>` as `Nullable<Mood>`.
fn without_paths(type_name: &str) -> String {
    let parts = type_name.split_inclusive(['<', '>', ',', ' ']);
    parts.map(|part| part.rsplit("::").next().unwrap_or(part)).collect()
}

/// `Nullable<Mood>` as `Mood`.
fn of_not_null(type_name: String) -> String {
    let inner = type_name.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
    inner.map(str::to_owned).unwrap_or(type_name)
}

/// The parts of `"a"."b"`.
fn unquoted(sql: &str) -> Vec<String> {
    let inner = sql.strip_prefix('"').and_then(|sql| sql.strip_suffix('"')).unwrap_or(sql);
    inner.split("\".\"").map(|part| part.replace("\"\"", "\"")).collect()
}

#[cfg(test)]
mod tests {
    use super::{ColumnList, DeclaredTable};
    use crate::combined_orders::{CurrencyRow, OrderRow};
    use crate::tables::{currencies, orders};
    use diesel::expression::Selectable;
    use diesel::pg::Pg;
    use project_postgres::TableName;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "mood"))]
    pub struct Mood;

    diesel::table! {
        use diesel::sql_types::{Array, Int4, Nullable};
        use super::Mood;

        #[sql_name = "we.i\"rd"]
        odd.weird (id) {
            id -> Int4,
            feels -> Nullable<Mood>,
            tags -> Array<Nullable<Int4>>,
        }
    }

    fn selected<Row: Selectable<Pg, SelectExpression: ColumnList>>() -> Vec<(String, bool, String)> {
        let columns = Row::SelectExpression::expected();
        columns.into_iter().map(|column| (column.name, column.nullable, column.declared)).collect()
    }

    #[test]
    fn a_row_selects_columns_of_its_table() {
        let column = |name: &str, nullable, declared: &str| (name.to_owned(), nullable, declared.to_owned());
        assert_eq!(
            selected::<OrderRow>(),
            [
                column("id", false, "Int4"),
                column("user_id", true, "Nullable<Int4>"),
                column("amount", true, "Nullable<Numeric>"),
                column("created_at", true, "Nullable<Timestamp>"),
            ]
        );
        assert_eq!(selected::<CurrencyRow>()[1], column("currency", true, "Nullable<Text>"));
    }

    #[test]
    fn a_table_knows_its_name_and_its_file() {
        assert_eq!(orders::table::name(), TableName::new("public", "orders"));
        assert_eq!(orders::table::file(), "project_schemas/src/tables.rs");
        assert_eq!(weird::table::name(), TableName::new("odd", "we.i\"rd"));
    }

    #[test]
    fn a_column_may_have_another_name_in_the_code() {
        let columns = currencies::table::columns();
        let named = columns.iter().find(|column| column.name == "type").unwrap();
        assert_eq!(named.line(23, "integer", true).as_deref(), Some("#[sql_name = \"type\"] type_ -> Nullable<Int4>,"));
    }

    #[test]
    fn types_without_a_fixed_oid_go_by_their_name() {
        let [id, feels, tags] = &weird::table::columns()[..] else { panic!("three columns") };
        assert!(id.reads(23, "integer") && !id.reads(20, "bigint"));
        assert!(feels.nullable && feels.reads(70_000, "odd.mood") && !feels.reads(25, "text"));
        assert_eq!(feels.declared, "Nullable<Mood>");
        assert_eq!(feels.line(70_000, "odd.mood", false).as_deref(), Some("feels -> Mood,"));
        assert!(tags.reads(1007, "integer[]") && !tags.reads(23, "integer"));
        assert_eq!(tags.declared, "Array<Nullable<Integer>>");
    }

    #[test]
    fn every_form_of_text_is_text() {
        let columns = currencies::table::columns();
        let text = columns.iter().find(|column| column.name == "currency").unwrap();
        assert!([25, 1043, 1042].iter().all(|oid| text.reads(*oid, "")));
        assert!(!text.reads(23, "integer") && !text.reads(3802, "jsonb"));
    }
}
