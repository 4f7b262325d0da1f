//! The `make` command for a model, to be copied from a message into a shell.

use crate::header::Header;
use crate::identifiers::task_name;
use crate::kind::Kind;
use project_postgres::TableName;

/// The command that makes or renews it.
pub(crate) fn create_model(header: &Header) -> String {
    create_task(&header.task, &header.table, header.kind, header.partition_by())
}

/// The same, of a task that has no generated file.
pub(crate) fn create_task(task: &str, table: &TableName, kind: Kind, partition_by: Option<&str>) -> String {
    let mut command = format!("make create-model TABLE={}", word(&table.name));
    let mut add = |name: &str, value: &str| command += &format!(" {name}={}", word(value));
    if kind != Kind::Batch {
        add("KIND", kind.word());
    }
    if table.schema != "public" {
        add("SCHEMA", &table.schema);
    }
    if let Some(column) = partition_by {
        add("PARTITION_BY", column);
    }
    if task != task_name(table) {
        add("TASK", task);
    }
    command
}

/// As the shell takes it for one word.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_shell_takes_it_for_one_word() {
        assert_eq!(word("orders"), "orders");
        assert_eq!(word("Order Lines"), "'Order Lines'");
        assert_eq!(word("it's $x"), "'it'\\''s $x'");
    }
}
