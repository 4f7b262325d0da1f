//! Columns of types that no field can hold: Diesel reads them as the server writes them, through a cast to text.

use crate::expected::Nullability;
use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_source::Column;
use diesel::result::QueryResult;
use diesel::sql_types::SqlType;

/// In `table!`, a type that only the server knows: an enum, an array, an extension's.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(name = "any type"))]
pub struct AnyType;

/// What [`AnyType`] is called where Diesel wants a name.
pub(crate) const ANY_TYPE: &str = "any type";

/// A column cast to text.
#[derive(Debug, Clone, Copy, Default, QueryId)]
pub struct AsText<C>(C);

/// The column, to be read as the server writes it.
pub fn as_text<C: Column>(column: C) -> AsText<C> {
    AsText(column)
}

impl<C> Expression for AsText<C>
where
    C: Column + Expression<SqlType: SqlType<IsNull: Nullability>>,
{
    type SqlType = <<C::SqlType as SqlType>::IsNull as Nullability>::Text;
}

impl<C: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for AsText<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("CAST(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" AS pg_catalog.text)");
        Ok(())
    }
}

impl<C: AppearsOnTable<Source>, Source> AppearsOnTable<Source> for AsText<C> where Self: Expression {}
impl<C: SelectableExpression<Source>, Source> SelectableExpression<Source> for AsText<C> where
    Self: AppearsOnTable<Source>
{
}

impl<C> ValidGrouping<()> for AsText<C> {
    type IsAggregate = is_aggregate::No;
}

#[cfg(test)]
mod tests {
    use super::{AnyType, AsText, as_text};
    use crate::expected::{ColumnList, DeclaredTable};
    use diesel::pg::Pg;
    use diesel::{QueryDsl, Queryable, Selectable, SelectableHelper, debug_query};
    use project_postgres::value::CastText;

    diesel::table! {
        use diesel::sql_types::{Int4, Nullable};
        use super::AnyType;

        public.people (id) {
            id -> Int4,
            r#type -> AnyType,
            moods -> Nullable<AnyType>,
        }
    }

    #[derive(Queryable, Selectable)]
    #[diesel(table_name = people)]
    #[allow(dead_code, reason = "only what it selects is looked at")]
    struct PersonRow {
        id: i32,
        #[diesel(select_expression = as_text(people::r#type), select_expression_type = AsText<people::r#type>)]
        r#type: CastText,
        #[diesel(select_expression = as_text(people::moods), select_expression_type = AsText<people::moods>)]
        moods: Option<CastText>,
    }

    #[test]
    fn the_query_has_the_casts() {
        let sql = debug_query::<Pg, _>(&people::table.select(PersonRow::as_select())).to_string();
        let expected = r#"SELECT "public"."people"."id", CAST("public"."people"."type" AS pg_catalog.text), CAST("public"."people"."moods" AS pg_catalog.text) FROM "public"."people""#;
        assert!(sql.starts_with(expected), "{sql}");
    }

    #[test]
    fn a_cast_column_is_expected_as_the_table_declares_it() {
        let selected = <PersonRow as Selectable<Pg>>::SelectExpression::expected();
        assert_eq!(selected, people::table::columns());
        let [id, kind, moods] = &selected[..] else { panic!("three columns") };
        assert!(!id.is_cast_to_text() && kind.is_cast_to_text() && moods.is_cast_to_text());
        assert!(kind.reads(70_000, "mood") && kind.reads(1007, "integer[]") && !id.reads(70_000, "mood"));
        assert_eq!((kind.name.as_str(), kind.nullable, moods.nullable), ("type", false, true));
        assert_eq!(moods.declared, "Nullable<AnyType>");
    }
}
