//! The two lines of a task in `registry.rs`.

use crate::failure::Failure;
use crate::kind::Kind;

const FILE: &str = "project_tasks/src/registry.rs";
const IMPORT: &str = "use crate::tasks::";
const LIST: &str = "pub static REGISTRY: &[Task] =";

/// The struct that the registry imports from the module of a task.
pub(crate) fn registered(text: &str, task: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{IMPORT}{task}::")))?;
    line.strip_suffix(';').map(str::to_owned)
}

/// The structs that it imports from anywhere.
pub(crate) fn imported(text: &str) -> Vec<String> {
    let imports = text.lines().filter_map(|line| line.strip_prefix("use ")?.strip_suffix(';'));
    imports.filter_map(|path| path.rsplit("::").next().map(str::to_owned)).collect()
}

/// The file with the task in it, not formatted yet.
///
/// # Errors
/// When the list is not where it always was.
pub(crate) fn with_task(text: &str, task: &str, name: &str, kind: Kind) -> Result<String, Failure> {
    with_entry(&with_import(text, &format!("{IMPORT}{task}::{name};"))?, &format!("Task::{}(&{name})", kind.variant()))
}

fn with_import(text: &str, line: &str) -> Result<String, Failure> {
    let mut lines: Vec<&str> = text.lines().collect();
    let is_import = |line: &&str| line.starts_with("use crate::") && line.ends_with(';');
    let last = lines.iter().rposition(is_import).ok_or_else(|| anchor("a line `use crate::...;`"))?;
    // Where it belongs by its name; rustfmt would put it there as well.
    let at = lines.iter().position(|existing| is_import(existing) && *existing > line).unwrap_or(last + 1);
    lines.insert(at, line);
    Ok(lines.join("\n") + "\n")
}

fn with_entry(text: &str, entry: &str) -> Result<String, Failure> {
    let missing = || anchor(&format!("the line `{LIST}` with its list"));
    let list = text.find(LIST).ok_or_else(missing)? + LIST.len();
    let end = list + text[list..].find("];").ok_or_else(missing)?;
    let entries = text[..end].trim_end();
    let comma = if entries.ends_with(',') || entries.ends_with('[') { "" } else { "," };
    Ok(format!("{entries}{comma} {entry}{}", &text[end..]))
}

fn anchor(what: &str) -> Failure {
    Failure::refused(format!(
        "{FILE} has no {what}, beside which the task would be registered; put it back, or write the task by hand \
         (docs/writing-a-task.md)"
    ))
}

#[cfg(test)]
mod tests {
    use super::{imported, registered, with_task};
    use crate::kind::Kind;
    use std::fs::read_to_string;
    use std::path::Path;

    fn real() -> String {
        read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../project_tasks/src/registry.rs")).unwrap()
    }

    /// Without the places where lines break.
    fn flat(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn the_real_registry_takes_a_task_and_keeps_everything_else() {
        let text = real();
        let changed = with_task(&text, "my_new_orders", "MyNewOrders", Kind::Stream).unwrap();
        assert_eq!(registered(&changed, "my_new_orders").as_deref(), Some("MyNewOrders"));
        assert_eq!(registered(&text, "my_new_orders"), None);
        let entry = ",Task::Stream(&MyNewOrders)";
        let flat_changed = flat(&changed);
        assert!(flat_changed.contains(&format!("{entry}];")), "{changed}");
        let without = flat_changed.replace(entry, "").replace("usecrate::tasks::my_new_orders::MyNewOrders;", "");
        assert_eq!(without, flat(&text).replace(",];", "];"));
    }

    #[test]
    fn an_empty_list_and_a_long_one_take_a_task() {
        for (list, expected) in
            [("&[]", "&[Task::Huge(&A)]"), ("&[\n    Task::Batch(&B),\n]", "&[Task::Batch(&B),Task::Huge(&A)]")]
        {
            let text = format!("use crate::task::Task;\n\npub static REGISTRY: &[Task] = {list};\n");
            let changed = with_task(&text, "a", "A", Kind::Huge).unwrap();
            assert!(flat(&changed).contains(&flat(expected)), "{changed}");
            assert_eq!(imported(&changed), ["Task", "A"]);
        }
    }

    #[test]
    fn a_lost_anchor_is_named() {
        for (text, word) in
            [("use crate::task::Task;\n", "REGISTRY"), ("pub static REGISTRY: &[Task] = &[];", "use crate::")]
        {
            let refused = with_task(text, "a", "A", Kind::Batch).unwrap_err();
            assert_eq!(refused.code, 65);
            assert!(refused.to_string().contains(word), "{refused}");
        }
    }
}
