//! From names in Postgres to names in Rust and in the lake.

use crate::house_names::{DIESEL, KEYWORDS, MODULES, NEVER_RAW, TYPES};
use project_parquet::lake_name;
use project_postgres::TableName;
use std::collections::HashSet;

/// The name of the task, its module and its folder: snake case, as Rust understands it.
pub(crate) fn task_name(table: &TableName) -> String {
    let name = match table.schema.as_str() {
        "public" => lake_name(&table.name),
        schema => format!("{}_{}", lake_name(schema), lake_name(&table.name)),
    };
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    let name = parts.join("_");
    match name.as_str() {
        "" => "table_unnamed".to_owned(),
        name if is_task_name(name) => name.to_owned(),
        name => format!("table_{name}"),
    }
}

/// Whether a task and its module can have this name.
pub(crate) fn is_task_name(name: &str) -> bool {
    let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(snake)
        && is_snake_case(name)
        && !KEYWORDS.contains(&name)
        && !MODULES.contains(&name)
}

/// What the compiler's lint takes for snake case; the characters are right already.
pub(crate) fn is_snake_case(name: &str) -> bool {
    !name.trim_matches('_').contains("__")
}

/// `order_lines` as `OrderLines`.
pub(crate) fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
    };
    name.split('_').map(word).collect()
}

/// The struct of a task.
pub(crate) fn task_struct(task: &str) -> String {
    let name = camel_case(task);
    if TYPES.contains(&name.as_str()) { name + "Table" } else { name }
}

/// The fields for some columns: their names in the lake, as far as Rust allows, each another one.
pub(crate) fn fields(columns: &[&str]) -> Vec<String> {
    let mut seen = HashSet::new();
    columns
        .iter()
        .map(|column| {
            let plain = plain_field(column);
            let numbered = (2..).map(|number| format!("{plain}_{number}"));
            let mut candidates = std::iter::once(plain.clone()).chain(numbered);
            // There are always more numbers than columns.
            let field = candidates.find(|field| seen.insert(field.clone())).unwrap_or(plain);
            raw(field)
        })
        .collect()
}

fn plain_field(column: &str) -> String {
    let name = lake_name(column);
    if name.chars().all(|c| c == '_') {
        return "column".to_owned();
    }
    if NEVER_RAW.contains(&name.as_str()) {
        return format!("{name}_");
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// As it must be written: keywords get their prefix.
fn raw(field: String) -> String {
    if KEYWORDS.contains(&field.as_str()) { format!("r#{field}") } else { field }
}

/// The name of a column in the lake: that of its field, without the prefix.
pub(crate) fn unraw(field: &str) -> &str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// The columns' names in Diesel's `table!`: those of the fields, where it leaves them free.
pub(crate) fn diesel_columns(table: &str, fields: &[String]) -> Vec<String> {
    let taken = |name: &str| name == table || DIESEL.contains(&name) || name.starts_with("__") && !name.ends_with('_');
    let mut seen: HashSet<String> = fields.iter().cloned().collect();
    let free = |field: &String| {
        if !taken(unraw(field)) {
            return field.clone();
        }
        let mut name = format!("{}_", unraw(field));
        while !seen.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    fields.iter().map(free).collect()
}

#[cfg(test)]
mod tests {
    use super::{camel_case, diesel_columns, fields, is_task_name, task_name, task_struct};
    use project_postgres::TableName;

    #[test]
    fn a_task_is_called_like_its_table() {
        for (schema, table, expected) in [
            ("public", "orders", "orders"),
            ("public", "Order Lines", "order_lines"),
            ("public", "a.b\"c", "a_b_c"),
            ("public", "a__b", "a_b"),
            ("public", "été", "t"),
            ("public", "\"", "table_unnamed"),
            ("public", "2024", "table_2024"),
            ("public", "type", "table_type"),
            ("public", "all", "table_all"),
            ("public", "money", "table_money"),
            ("public", "diesel", "table_diesel"),
            ("sales", "orders", "sales_orders"),
            ("Sales EU", "type", "sales_eu_type"),
        ] {
            let name = task_name(&TableName::new(schema, table));
            assert_eq!(name, expected, "{schema}.{table}");
            assert!(is_task_name(&name), "{name}");
        }
    }

    #[test]
    fn a_struct_takes_no_name_that_is_taken() {
        assert_eq!(camel_case("order_lines_2"), "OrderLines2");
        assert_eq!(task_struct("order_lines"), "OrderLines");
        assert_eq!(task_struct("result"), "ResultTable");
    }

    #[test]
    fn every_column_has_a_field_of_its_own() {
        let names = ["id", "OrderId", "a b", "a_b", "a.b", "type", "self", "r#async", "async", "2b", "é", "ü", "a__b"];
        let expected = [
            "id", "orderid", "a_b", "a_b_2", "a_b_3", "r#type", "self_", "r_async", "r#async", "_2b", "column",
            "column_2", "a__b",
        ];
        assert_eq!(fields(&names), expected);
        assert_eq!(fields(&["a_b", "a_b_2", "a b"]), ["a_b", "a_b_2", "a_b_3"]);
        assert_eq!(fields(&["self", "self_"]), ["self_", "self__2"]);
    }

    #[test]
    fn diesel_keeps_some_names() {
        let fields = ["orders", "table", "table_", "r#type", "__x"].map(str::to_owned);
        assert_eq!(diesel_columns("orders", &fields), ["orders_", "table__", "table_", "r#type", "__x_"]);
    }
}
