//! What a task that is there already says of itself; a new model must be of the same kind.

use crate::failure::Failure;
use crate::file_changes::FileChanges;
use crate::kind::Kind;
use crate::make_command::create_task;
use crate::registry::registered;
use crate::workspace::{REGISTRY, Workspace, generated_file, record_file, task_file};
use project_postgres::TableName;

/// A task's file, or its entry in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptTask {
    pub(crate) kind: Kind,
    /// The struct.
    pub(crate) name: String,
    /// The column that cuts a huge table, where the file says it plainly.
    partition_by: Option<String>,
}

impl KeptTask {
    /// What is there of a task, if anything is.
    pub(crate) fn find(workspace: &Workspace, changes: &FileChanges, task: &str) -> Result<Option<Self>, Failure> {
        let entry = registered(&changes.read_existing(workspace, REGISTRY)?, task);
        let text = changes.read(workspace, &task_file(task))?.unwrap_or_default();
        let found = entry.or_else(|| implemented(&text));
        Ok(found.map(|(kind, name)| Self { kind, name, partition_by: partition_column(&text) }))
    }

    /// Refuses another kind than the task's.
    pub(crate) fn allow_kind(&self, task: &str, table: &TableName, kind: Kind) -> Result<(), Failure> {
        if kind == self.kind {
            return Ok(());
        }
        let partition_by = self.partition_by.as_deref().filter(|_| self.kind == Kind::Huge);
        let record = if self.kind == Kind::Huge { String::new() } else { format!("{}, ", record_file(task)) };
        Err(Failure::refused(format!(
            "{0} is a task of KIND={1}, and its generated file would be one of KIND={kind}; run {2}, or remove the task first \
             ({record}{0}, and its lines in mod.rs, lib.rs and registry.rs)",
            task_file(task),
            self.kind,
            create_task(task, table, self.kind, partition_by),
        )))
    }

    /// Refuses to check another column than the one by which the task cuts its table.
    pub(crate) fn allow_partition_by(
        &self,
        task: &str,
        table: &TableName,
        column: Option<&str>,
    ) -> Result<(), Failure> {
        match (&self.partition_by, column) {
            (Some(kept), Some(column)) if kept != column => Err(Failure::refused(format!(
                "{0} cuts {table} by \"{kept}\", and {1} would be for \"{column}\"; say \"{column}\" in {0}, or delete {1} if \
                 it is there and run {2}",
                task_file(task),
                generated_file(task),
                create_task(task, table, Kind::Huge, Some(kept)),
            ))),
            _ => Ok(()),
        }
    }
}

/// The struct of the file that is a task, and of which kind.
fn implemented(text: &str) -> Option<(Kind, String)> {
    text.lines().find_map(|line| {
        let (task_trait, name) = line.strip_prefix("impl ")?.split_once(" for ")?;
        let kind = Kind::EVERY.into_iter().find(|kind| kind.task_trait() == task_trait)?;
        let end = name.find(|character: char| !(character.is_alphanumeric() || character == '_'))?;
        Some((kind, name[..end].to_owned()))
    })
}

/// The literal that `partition_column` returns.
fn partition_column(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with("fn partition_column(&self)"));
    let returned = lines.nth(1)?.trim();
    let inside = returned.strip_prefix('"')?.strip_suffix('"')?;
    // With an escape it may be Rust's or JSON's: only those that are the same in both are understood.
    if inside.contains('\\') { serde_json::from_str(returned).ok() } else { Some(inside.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::{KeptTask, implemented, partition_column};
    use crate::kind::Kind;
    use project_postgres::TableName;

    #[test]
    fn a_file_says_its_kind_and_its_column() {
        let huge = include_str!("../../project_tasks/src/tasks/events.rs");
        assert_eq!(implemented(huge), Some((Kind::Huge, "Events".to_owned())));
        assert_eq!(partition_column(huge).as_deref(), Some("created_at"));
        let stream = include_str!("../../project_tasks/src/tasks/products.rs");
        assert_eq!(implemented(stream), Some((Kind::Stream, "Products".to_owned())));
        assert_eq!(partition_column(stream), None);
        let odd = "fn partition_column(&self) -> &'static str {\n    \"a \\\"b\\\"\"\n}\n";
        assert_eq!(partition_column(odd).as_deref(), Some("a \"b\""));
        assert_eq!(partition_column("fn partition_column(&self) -> &'static str {\n    COLUMN\n}\n"), None);
    }

    #[test]
    fn another_kind_or_column_is_refused_with_the_command_for_the_kept_one() {
        let table = TableName::new("shop", "a b");
        let kept = KeptTask { kind: Kind::Huge, name: "AB".into(), partition_by: Some("at".into()) };
        kept.allow_kind("x", &table, Kind::Huge).unwrap();
        kept.allow_partition_by("x", &table, Some("at")).unwrap();
        let command = "make create-model TABLE='a b' KIND=huge SCHEMA=shop PARTITION_BY=at TASK=x";
        let kind = kept.allow_kind("x", &table, Kind::Batch).unwrap_err();
        let column = kept.allow_partition_by("x", &table, Some("at2")).unwrap_err();
        for refused in [kind, column] {
            assert_eq!(refused.code, 65);
            assert!(refused.to_string().contains(command), "{refused}");
        }
    }
}
