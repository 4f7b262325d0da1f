//! The list of all tasks: its order is the order of `project list`.

use crate::task::Task;
use crate::tasks;

/// Every registered task. A new one is a file below `tasks/`, its line there, and its line here.
pub static REGISTRY: &[Task] = &[
    Task::Batch(&tasks::combined_orders::CombinedOrders),
    Task::Batch(&tasks::users::Users),
    Task::Stream(&tasks::products::Products::ALL),
    Task::Huge(&tasks::events::Events),
];

#[cfg(test)]
mod tests {
    use super::REGISTRY;
    use crate::source_table::Usage;
    use crate::task::{Group, Task};
    use std::collections::HashSet;
    use std::fs::read_to_string;
    use std::path::Path;

    #[test]
    fn names_are_unique_snake_case_and_no_group() {
        let mut seen = HashSet::new();
        for task in REGISTRY {
            let name = task.name();
            assert!(seen.insert(name), "two tasks are called {name}");
            assert!(Group::EVERY.iter().all(|group| group.name() != name), "{name} is the name of a group");
            let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(snake), "{name}");
        }
    }

    #[test]
    fn every_task_has_one_short_line_and_reads_something() {
        for task in REGISTRY {
            let about = task.about();
            assert!((10..=100).contains(&about.len()) && !about.contains('\n'), "{}: {about}", task.name());
            assert!(!about.ends_with('.'), "{}: no full stop in a list", task.name());
            assert!(!task.reads().is_empty(), "{} reads nothing", task.name());
        }
    }

    /// The text of a file of this repository.
    fn source(file: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn every_task_says_of_each_column_what_it_expects_and_where_that_is_written() {
        for task in REGISTRY {
            for table in task.reads() {
                let name = task.name();
                assert!(!table.table.schema.is_empty(), "{name}: write the schema in table!");
                assert!(!table.needed_columns().is_empty(), "{name} reads nothing of {}", table.table);
                let code = source(&table.file);
                for column in &table.columns {
                    let column = &column.expected;
                    assert!(!column.declared.is_empty(), "{name}: {}", column.name);
                    let line = column.current_line();
                    // Without its type, which may have another name there, and without an attribute, which has a line
                    // of its own.
                    let declaration = line.as_ref().and_then(|line| line.rsplit("] ").next());
                    let declaration = declaration.and_then(|line| line.split_inclusive([':', '>']).next());
                    let found = code.contains(declaration.unwrap_or(&column.name));
                    assert!(found, "{name}: {declaration:?} is not in {}", table.file);
                }
                let typed = matches!(task, Task::Batch(_) | Task::Stream(_));
                assert_eq!(typed, table.declaration.is_some(), "{name}");
                assert_eq!(typed, !task.writes().unwrap().is_empty(), "{name}");
            }
        }
    }

    /// As the code of the sample shop stands today; a change of the derivation shows here.
    #[test]
    fn what_the_tasks_of_the_shop_expect() {
        let read = |task: &Task| -> Vec<String> {
            let tables = task.reads();
            let columns = tables.iter().flat_map(|table| {
                let used = table.columns.iter().filter(|column| column.usage != Usage::Unused);
                used.map(move |column| {
                    format!("{}.{}: {}", table.table.name, column.expected.name, column.expected.declared)
                })
            });
            columns.collect()
        };
        let task = |name| REGISTRY.iter().find(|task| task.name() == name).unwrap();
        assert_eq!(
            read(task("combined_orders")),
            [
                "orders.id: Int4",
                "orders.user_id: Nullable<Int4>",
                "orders.amount: Nullable<Numeric>",
                "orders.active: Bool",
                "orders.created_at: Nullable<Timestamp>",
                "users.id: Int4",
                "users.country: Nullable<Text>",
                "users.email: Nullable<Text>",
                "currencies.type: Nullable<Text>",
                "currencies.type_id: Nullable<Int4>",
                "currencies.currency: Nullable<Text>",
                "currencies.conversion_rate: Nullable<Numeric>",
                "taxes.order_id: Nullable<Int4>",
                "taxes.rate: Nullable<Numeric>",
            ]
        );
        assert_eq!(
            read(task("users")),
            [
                "users.id: Int4",
                "users.name: Nullable<Text>",
                "users.country: Nullable<Text>",
                "users.created_at: Nullable<Timestamp>",
                "users.email: Nullable<Text>",
            ]
        );
        assert_eq!(
            read(task("products")),
            [
                "products.id: i32",
                "products.name: Option<String>",
                "products.quantity: Option<i32>",
                "products.created_at: Option<Timestamp>",
                "products.approved: Option<bool>",
                "products.price: Option<Decimal>",
                "products.uuid: Option<UuidText>",
            ]
        );
        assert_eq!(read(task("events")), ["events.created_at: a date, timestamp or timestamptz"]);
    }

    #[test]
    fn every_group_has_a_task() {
        for group in Group::EVERY {
            assert!(REGISTRY.iter().any(|task| task.group() == Some(group)), "{} is empty", group.name());
        }
    }
}
