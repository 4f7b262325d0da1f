//! The file that belongs to the generator: the `table!` of a batch task, and the row.

use crate::column_kind::ColumnKind;
use crate::identifiers::{is_snake_case, unraw};
use crate::kind::Kind;
use crate::model::{Column, Model};
use crate::source_text::{literal, quoted};
use std::collections::BTreeSet;

/// The whole text, not formatted yet.
pub(crate) fn text(model: &Model) -> String {
    let header = model.header().text();
    match model.kind {
        // It reads whatever columns there are.
        Kind::Huge => header,
        Kind::Stream => format!("{header}{}\n{}", allowed(model, false), stream(model)),
        Kind::Batch => format!("{header}{}\n{}", allowed(model, true), batch(model)),
    }
}

/// Lints that names of the database, or of Diesel's macro, would run into.
fn allowed(model: &Model, has_table: bool) -> String {
    let mut lines = String::new();
    if has_table {
        lines += "#![allow(missing_docs, reason = \"the macro's columns are documented by the database\")]\n";
    }
    if model.columns.iter().any(|column| !is_snake_case(unraw(&column.field))) {
        lines += "#![allow(non_snake_case, reason = \"columns keep the names that they have in the lake\")]\n";
    }
    lines
}

fn stream(model: &Model) -> String {
    let values = value_types(model);
    let fields = model.columns.iter().map(|column| {
        let rename = match unraw(&column.field) == column.name {
            true => String::new(),
            false => format!("        #[sqlx(rename = {})]\n", literal(&column.name)),
        };
        format!("{}{rename}        pub {}: {},\n", about(column, 8), column.field, row_type(column))
    });
    let fields: String = fields.collect();
    let (row, table) = (model.row(), quoted(&model.table.to_string()));
    format!(
        "use crate::expected::source_row;\n{values}\nsource_row! {{\n    /// A row of {table}.\n    #[derive(Debug)]\n    \
         pub struct {row} {{\n{fields}    }}\n}}\n"
    )
}

fn batch(model: &Model) -> String {
    let cast = model.columns.iter().any(|column| column.kind == ColumnKind::Cast);
    let as_text = if cast { "use crate::as_text::{AsText, as_text};\n" } else { "" };
    let fields = model.columns.iter().map(|column| {
        format!("{}{}    pub {}: {},\n", about(column, 4), attribute(model, column), column.field, row_type(column))
    });
    let fields: String = fields.collect();
    let (row, table, module) = (model.row(), quoted(&model.table.to_string()), &model.task);
    format!(
        "{as_text}use diesel::{{Queryable, Selectable}};\n{}\n{}\n/// A row of {table}.\n\
         #[derive(Debug, Queryable, Selectable)]\n#[diesel(table_name = {module})]\npub struct {row} {{\n{fields}}}\n",
        value_types(model),
        diesel_table(model, cast)
    )
}

/// What Diesel has to know of a field beside its name.
fn attribute(model: &Model, column: &Column) -> String {
    let path = format!("{}::{}", model.task, column.diesel_name);
    match column.kind {
        ColumnKind::Cast => format!(
            "    #[diesel(select_expression = as_text({path}))]\n    #[diesel(select_expression_type = AsText<{path}>)]\n"
        ),
        _ if column.diesel_name == column.field => String::new(),
        _ => format!("    #[diesel(column_name = {})]\n", column.diesel_name),
    }
}

/// In the form of the hand-written ones, which rustfmt leaves as it is.
fn diesel_table(model: &Model, cast: bool) -> String {
    let mut names: BTreeSet<&str> = model.columns.iter().map(|column| column.kind.diesel()).collect();
    names.remove("AnyType");
    if model.columns.iter().any(|column| !column.not_null) {
        names.insert("Nullable");
    }
    let names: Vec<&str> = names.into_iter().collect();
    let mut uses = String::new();
    if cast {
        uses += "    use crate::as_text::AnyType;\n";
    }
    match names.as_slice() {
        [] => {}
        [one] => uses += &format!("    use diesel::sql_types::{one};\n"),
        several => uses += &format!("    use diesel::sql_types::{{{}}};\n", several.join(", ")),
    }
    let columns = model.columns.iter().map(|column| {
        let diesel_type = column.kind.diesel();
        let declared = if column.not_null { diesel_type.to_owned() } else { format!("Nullable<{diesel_type}>") };
        let rename = sql_name(&column.diesel_name, &column.name, 8);
        format!("{rename}        {} -> {declared},\n", column.diesel_name)
    });
    let columns: String = columns.collect();
    let key: Vec<&str> = model.diesel_key().into_iter().map(|column| column.diesel_name.as_str()).collect();
    let rename = sql_name(&model.task, &model.table.name, 4);
    let note = match model.primary_key.is_empty() {
        true => "    // It has no primary key, and Diesel wants one; nothing here depends on it.\n",
        false => "",
    };
    format!(
        "diesel::table! {{\n{uses}\n{note}{rename}    {}.{} ({}) {{\n{columns}    }}\n}}\n",
        model.table.schema,
        model.task,
        key.join(", ")
    )
}

/// The attribute for a name that is not the identifier's.
fn sql_name(identifier: &str, name: &str, indent: usize) -> String {
    if unraw(identifier) == name {
        return String::new();
    }
    // Diesel takes a first `r#` off.
    let kept = if name.starts_with("r#") { "r#" } else { "" };
    format!("{:indent$}#[sql_name = {}]\n", "", literal(&format!("{kept}{name}")))
}

fn row_type(column: &Column) -> String {
    column.optional(column.kind.row())
}

fn value_types(model: &Model) -> String {
    let types: BTreeSet<&str> = model.columns.iter().filter_map(|column| column.kind.value_type()).collect();
    if types.is_empty() {
        return String::new();
    }
    format!("use project_postgres::value::{{{}}};\n", types.into_iter().collect::<Vec<_>>().join(", "))
}

/// Name and type of the column.
fn about(column: &Column, indent: usize) -> String {
    let read = if column.kind == ColumnKind::Cast { ", read as text: no field can hold it" } else { "" };
    let (name, type_name) = (quoted(&column.name), quoted(&column.type_name));
    format!("{:indent$}/// {name}, {type_name}{read}.\n", "")
}
