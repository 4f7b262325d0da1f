//! What compiled code expects of the columns that it reads, derived from the code itself, so that no second list can
//! disagree with it: from the `table!` columns that a Diesel row selects, from the fields of a row struct of sqlx.

mod column;
mod declaration;
mod diesel_table;
mod row_struct;
mod type_names;

pub use column::ExpectedColumn;
pub use declaration::{Declaration, source_file};
pub use diesel_table::{ColumnList, DeclaredColumn, DeclaredTable, Nullability};
pub use row_struct::{SourceRow, source_row};
