//! The line of a task in `registry.rs`.

use crate::failure::Failure;
use crate::kind::Kind;

const FILE: &str = "project_tasks/src/registry.rs";
const LIST: &str = "pub static REGISTRY: &[Task] =";

/// The struct of this module that is in the list, and as which kind.
pub(crate) fn registered(text: &str, task: &str) -> Option<(Kind, String)> {
    // A long entry has its path on a line of its own.
    let (before, rest) = text.split_once(&format!("&tasks::{task}::"))?;
    let before = before.trim_end().strip_suffix('(')?;
    let kind = Kind::EVERY.into_iter().find(|kind| before.ends_with(&format!("Task::{}", kind.variant())))?;
    let end = rest.find(|character: char| !(character.is_alphanumeric() || character == '_'))?;
    Some((kind, rest[..end].to_owned()))
}

/// Whether the file speaks of the task's module at all, however the entry is written.
pub(crate) fn mentions(text: &str, task: &str) -> bool {
    text.contains(&format!("tasks::{task}::"))
}

/// The file with the task in it, not formatted yet.
///
/// # Errors
/// When the list is not where it always was.
pub(crate) fn with_task(text: &str, task: &str, name: &str, kind: Kind) -> Result<String, Failure> {
    let list = text.find(LIST).ok_or_else(missing)? + LIST.len();
    let end = list + text[list..].find("];").ok_or_else(missing)?;
    let entries = text[..end].trim_end();
    let comma = if entries.ends_with([',', '[']) { "" } else { "," };
    Ok(format!("{entries}{comma}\n    Task::{}(&tasks::{task}::{name}),\n{}", kind.variant(), &text[end..]))
}

fn missing() -> Failure {
    Failure::refused(format!(
        "{FILE} has no line `{LIST}` with its list, in which the task would be registered; put it back, or write the task by \
         hand (docs/writing-a-task.md)"
    ))
}

#[cfg(test)]
mod tests {
    use super::{registered, with_task};
    use crate::kind::Kind;
    use std::fs::read_to_string;
    use std::path::Path;

    fn real() -> String {
        read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../project_tasks/src/registry.rs")).unwrap()
    }

    #[test]
    fn the_real_registry_takes_a_task_in_a_line_and_keeps_everything_else() {
        let text = real();
        assert_eq!(registered(&text, "products"), Some((Kind::Stream, "Products".to_owned())));
        assert_eq!(registered(&text, "my_new_orders"), None);
        let changed = with_task(&text, "my_new_orders", "MyNewOrders", Kind::Stream).unwrap();
        assert_eq!(registered(&changed, "my_new_orders"), Some((Kind::Stream, "MyNewOrders".to_owned())));
        let line = "    Task::Stream(&tasks::my_new_orders::MyNewOrders),\n";
        assert!(changed.contains(&format!("{line}];")), "{changed}");
        assert_eq!(changed.replace(line, ""), text);
    }

    #[test]
    fn an_empty_list_and_one_in_a_line_take_a_task() {
        for list in ["&[]", "&[Task::Batch(&tasks::b::B)]"] {
            let changed =
                with_task(&format!("pub static REGISTRY: &[Task] = {list};\n"), "a", "A", Kind::Huge).unwrap();
            assert!(changed.ends_with("\n    Task::Huge(&tasks::a::A),\n];\n"), "{changed}");
            assert_eq!(changed.contains("B),\n"), list.contains("B)"), "{changed}");
        }
    }

    #[test]
    fn an_entry_of_several_lines_is_found() {
        let text = "&[\n    Task::Huge(\n        &tasks::a::A,\n    ),\n];\n";
        assert_eq!(registered(text, "a"), Some((Kind::Huge, "A".to_owned())));
    }

    #[test]
    fn a_lost_list_is_named() {
        for text in ["use crate::task::Task;\n", "pub static REGISTRY: &[Task] = &TASKS;\n"] {
            let refused = with_task(text, "a", "A", Kind::Batch).unwrap_err();
            assert_eq!(refused.code, 65);
            assert!(refused.to_string().contains("REGISTRY"), "{refused}");
        }
    }
}
