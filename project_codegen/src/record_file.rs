//! The developer's file in `project_schemas`: the record, and how a row becomes one.

use crate::column_kind::ColumnKind;
use crate::identifiers::{is_snake_case, unraw};
use crate::model::{Column, Model};
use crate::source_text::{literal, quoted};
use std::collections::BTreeSet;

/// The whole text, not formatted yet.
pub(crate) fn text(model: &Model) -> String {
    let Model { table, task, .. } = model;
    let (row, record, about) = (model.row(), model.record(), quoted(&table.to_string()));
    let fields: String = model.columns.iter().map(field).collect();
    let values: String = model.columns.iter().map(value).collect();
    let eq = if model.columns.iter().any(|column| matches!(column.kind.record(), "f32" | "f64")) { "" } else { ", Eq" };
    let names = match model.columns.iter().all(|column| is_snake_case(unraw(&column.field))) {
        true => "",
        false => "#[allow(non_snake_case, reason = \"columns keep the names that they have in the lake\")]\n",
    };
    format!(
        "//! {about}, as it is. `make create-model` has made this file once; from here on it is yours.\n\n{}\n{}\
         /// A row of the lake's `{task}`.\n#[derive(Debug, Clone, PartialEq{eq}, ParquetRecordWriter)]\n{names}\
         pub struct {record} {{\n{fields}}}\n\n{}\nimpl {row} {{\n    \
         /// The record, or which value has no place in it.\n    \
         pub fn into_record(self) -> Result<{record}, NoPlace> {{\n        Ok({record} {{\n{values}        }})\n    }}\n}}\n",
        imports(model),
        constants(model),
        logical(model),
    )
}

fn imports(model: &Model) -> String {
    let kinds: Vec<ColumnKind> = model.columns.iter().map(|column| column.kind).collect();
    let any = |wanted: fn(&ColumnKind) -> bool| kinds.iter().any(wanted);
    let digits = if any(|kind| kind.digits().is_some()) { "use crate::money::Digits;\n" } else { "" };
    let at = if any(is_fallible) { "use crate::no_place::{NoPlace, at};\n" } else { "use crate::no_place::NoPlace;\n" };
    let logical = match any(|kind| kind.logical().is_some()) {
        true => "use project_parquet::{Logical, Record};\n",
        false => "use project_parquet::Record;\n",
    };
    // Where a value may be NULL, its conversion is called by the name of its type.
    let called = |column: &&Column| {
        !column.not_null
            && matches!(column.kind, ColumnKind::Date | ColumnKind::Timestamp { .. } | ColumnKind::DecimalText)
    };
    let types: BTreeSet<&str> =
        model.columns.iter().filter(called).filter_map(|column| column.kind.value_type()).collect();
    let types = match types.is_empty() {
        true => String::new(),
        false => format!("use project_postgres::value::{{{}}};\n", types.into_iter().collect::<Vec<_>>().join(", ")),
    };
    let (task, row) = (&model.task, model.row());
    format!(
        "use crate::generated::{task}::{row};\n{digits}{at}use parquet_derive::ParquetRecordWriter;\n{logical}{types}"
    )
}

fn is_fallible(kind: &ColumnKind) -> bool {
    matches!(kind, ColumnKind::Digits { .. } | ColumnKind::Date | ColumnKind::Timestamp { .. })
}

/// The digits of its numerics.
fn constants(model: &Model) -> String {
    let mut lines = BTreeSet::new();
    for column in &model.columns {
        if let (ColumnKind::Digits { precision, scale }, Some(name)) = (column.kind, column.kind.digits()) {
            lines.insert(format!("const {name}: Digits = Digits::new({precision}, {scale});\n"));
        }
    }
    let constants: String = lines.into_iter().collect();
    if constants.is_empty() { constants } else { format!("{constants}\n") }
}

fn field(column: &Column) -> String {
    let (name, type_name, meaning) = (quoted(&column.name), quoted(&column.type_name), column.kind.meaning());
    format!(
        "    /// {name}, {type_name}{meaning}.\n    pub {}: {},\n",
        column.field,
        column.optional(column.kind.record())
    )
}

fn logical(model: &Model) -> String {
    let entries = model.columns.iter().filter_map(|column| {
        let logical = column.kind.logical()?;
        Some(format!("({}, {logical})", literal(unraw(&column.field))))
    });
    let entries: Vec<String> = entries.collect();
    let record = model.record();
    if entries.is_empty() {
        return format!("impl Record for {record} {{}}\n");
    }
    format!(
        "impl Record for {record} {{\n    const LOGICAL: &'static [(&'static str, Logical)] = &[{}];\n}}\n",
        entries.join(", ")
    )
}

/// A field of the record from that of the row.
fn value(column: &Column) -> String {
    let field = &column.field;
    let given = format!("self.{field}");
    let name = literal(&column.name);
    let value = match (column.kind, column.not_null) {
        (ColumnKind::Same(..), _) => given,
        (ColumnKind::Oid, true) => format!("{given}.into()"),
        (ColumnKind::Oid, false) => format!("{given}.map(i64::from)"),
        (ColumnKind::Digits { .. }, true) => format!("at({name}, {}.exact({given}))?", constant(column)),
        (ColumnKind::Digits { .. }, false) => {
            format!("at({name}, {given}.map(|value| {}.exact(value)).transpose())?", constant(column))
        }
        (ColumnKind::DecimalText, true) => format!("{given}.to_text()"),
        (ColumnKind::DecimalText, false) => format!("{given}.map(Decimal::to_text)"),
        (ColumnKind::Date, true) => format!("at({name}, {given}.to_days())?"),
        (ColumnKind::Date, false) => format!("at({name}, {given}.map(Date::to_days).transpose())?"),
        (ColumnKind::Timestamp { .. }, true) => format!("at({name}, {given}.to_millis())?"),
        (ColumnKind::Timestamp { .. }, false) => {
            format!("at({name}, {given}.map(Timestamp::to_millis).transpose())?")
        }
        (ColumnKind::Wrapped(..) | ColumnKind::Cast, true) => format!("{given}.0"),
        (ColumnKind::Wrapped(..) | ColumnKind::Cast, false) => format!("{given}.map(|text| text.0)"),
    };
    format!("            {field}: {value},\n")
}

fn constant(column: &Column) -> String {
    column.kind.digits().unwrap_or_default()
}

/// The lines that a new column would have: in the struct, and in `into_record`.
pub(crate) fn lines_of(column: &Column) -> [String; 2] {
    let declared = format!("pub {}: {},", column.field, column.optional(column.kind.record()));
    [declared, value(column).trim().to_owned()]
}
