//! The fields of a row struct of sqlx, and what their types say.

use super::column::{ExpectedColumn, Place, Types};
use super::declaration::Declaration;
use project_postgres::value::FromPostgres;

/// A row that sqlx reads by the names of its fields; `source_row!` implements it.
pub trait SourceRow {
    /// The file that declares it.
    const FILE: &'static str;
    /// What its fields say, in their order.
    fn columns() -> Vec<ExpectedColumn>;
}

impl ExpectedColumn {
    /// A field, as `source_row!` finds it; `field` and `declared` are its visibility and identifier, and its type, as the
    /// code writes them.
    pub fn of_field<T: FromPostgres>(name: &str, field: &str, declared: &str) -> Self {
        let place = Place::Line { declaration: Declaration::Struct, identifier: field.trim().to_owned() };
        let identifier = field.rsplit(' ').next().unwrap_or(field);
        // A column may be called so itself.
        let name = if name == identifier { name.trim_start_matches("r#") } else { name }.to_owned();
        let types = if T::BY_CAST { Types::Any } else { Types::Oids(T::oids()) };
        let type_name = declared.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(declared);
        let (declared, type_name) = (declared.to_owned(), type_name.to_owned());
        Self { name, nullable: T::NULLABLE, declared, type_name, types, place }
    }
}

/// Declares a row struct that is read by sqlx: each column once, with its name and its type.
#[macro_export]
macro_rules! source_row {
    (
        $(#[$about:meta])*
        $visible:vis struct $row:ident {
            $(
                $(#[doc = $field_about:literal])*
                $(#[sqlx(rename = $name:literal)])?
                $field_visible:vis $field:ident: $type:ty
            ),* $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(sqlx::FromRow)]
        $visible struct $row {
            $(
                $(#[doc = $field_about])*
                $(#[sqlx(rename = $name)])?
                $field_visible $field: $type,
            )*
        }

        impl $crate::expected::SourceRow for $row {
            const FILE: &'static str = file!();

            fn columns() -> Vec<$crate::expected::ExpectedColumn> {
                vec![$(
                    $crate::expected::ExpectedColumn::of_field::<$type>(
                        // The first of what there is.
                        [$($name,)? stringify!($field)][0],
                        stringify!($field_visible $field),
                        stringify!($type),
                    )
                ),*]
            }
        }
    };
}

pub use source_row;

#[cfg(test)]
mod tests {
    use super::SourceRow;
    use crate::products::ProductRow;
    use project_postgres::value::{CastText, Decimal, JsonText};

    source_row! {
        /// Every way to declare a column.
        #[allow(dead_code, reason = "only its declaration is looked at")]
        struct OddRow {
            /// Two lines
            /// of text.
            id: i64,
            #[sqlx(rename = "we ird")]
            weird: Option<JsonText>,
            /// A keyword.
            #[sqlx(rename = "type")]
            pub(crate) kind: String,
            r#where: Option<Decimal>,
            #[sqlx(rename = "r#async")]
            r_async: Option<CastText>,
        }
    }

    #[test]
    fn every_field_is_a_column() {
        let columns = OddRow::columns();
        let found: Vec<_> =
            columns.iter().map(|column| (column.name.as_str(), column.nullable, column.declared.as_str())).collect();
        assert_eq!(
            found,
            [
                ("id", false, "i64"),
                ("we ird", true, "Option<JsonText>"),
                ("type", false, "String"),
                ("where", true, "Option<Decimal>"),
                ("r#async", true, "Option<CastText>"),
            ]
        );
        assert!(columns[0].reads(20, "bigint") && !columns[0].reads(23, "integer"));
        assert!(columns[1].reads(114, "json") && columns[1].reads(3802, "jsonb"));
        assert_eq!(
            columns[1].line(25, "text", true).as_deref(),
            Some("#[sqlx(rename = \"we ird\")] weird: Option<String>,")
        );
        assert_eq!(columns[3].line(20, "bigint", false).as_deref(), Some("r#where: i64,"));
        assert_eq!(columns[2].current_line().as_deref(), Some("#[sqlx(rename = \"type\")] pub(crate) kind: String,"));
        assert!(columns[4].is_cast_to_text() && columns[4].reads(70_000, "odd.mood") && !columns[3].is_cast_to_text());
    }

    #[test]
    fn a_row_knows_its_file() {
        assert_eq!(ProductRow::FILE, "project_schemas/src/products.rs");
    }
}
