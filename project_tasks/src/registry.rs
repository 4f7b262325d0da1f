//! The list of all tasks: its order is the order of `project list`.

use crate::task::Task;
use crate::tasks::combined_orders::CombinedOrders;
use crate::tasks::events::Events;
use crate::tasks::products::Products;
use crate::tasks::users::Users;

/// Every registered task. A new one is a file below `tasks/`, its line there, and its line here.
pub static REGISTRY: &[Task] =
    &[Task::Batch(&CombinedOrders), Task::Batch(&Users), Task::Stream(&Products::ALL), Task::Huge(&Events)];

#[cfg(test)]
mod tests {
    use super::REGISTRY;
    use crate::task::Group;
    use std::collections::HashSet;

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

    #[test]
    fn every_group_has_a_task() {
        for group in Group::EVERY {
            assert!(REGISTRY.iter().any(|task| task.group() == Some(group)), "{} is empty", group.name());
        }
    }
}
