//! The developer's files of a task, and their lines that a change of the database concerns.

use crate::difference::{Change, Difference};
use crate::failure::Failure;
use crate::file_changes::FileChanges;
use crate::header::Header;
use crate::identifiers::{diesel_columns, fields, unraw};
use crate::kind::Kind;
use crate::model::{Column, Model};
use crate::record_file::lines_of;
use crate::source_text::literal;
use crate::workspace::{Workspace, record_file, task_file};

/// The files as they will be.
#[derive(Debug)]
pub(crate) struct OwnFiles {
    /// A huge task has none.
    record: Option<OwnFile>,
    task: OwnFile,
}

#[derive(Debug)]
struct OwnFile {
    name: String,
    text: String,
}

impl OwnFiles {
    pub(crate) fn read(workspace: &Workspace, changes: &FileChanges, model: &Model) -> Result<Self, Failure> {
        let read = |name: String| {
            let text = changes.read_existing(workspace, &name)?;
            Ok::<_, Failure>(OwnFile { name, text })
        };
        let record = if model.kind == Kind::Huge { None } else { Some(read(record_file(&model.task))?) };
        Ok(Self { record, task: read(task_file(&model.task))? })
    }

    /// What to do there, a line each and none twice.
    pub(crate) fn lines_to_look_at(&self, found: &[Difference], before: &Header, model: &Model) -> Vec<String> {
        let names: Vec<&str> = before.columns.iter().map(|column| column.name.as_str()).collect();
        let old_fields = fields(&names);
        let in_diesel = diesel_columns(&model.task, &old_fields);
        let mut lines: Vec<String> = Vec::new();
        for difference in found {
            let Some(name) = &difference.column else { continue };
            if difference.change == Change::Added {
                let new = model.columns.iter().find(|column| column.name == *name).zip(self.record.as_ref());
                lines.extend(new.map(|(column, record)| to_add(column, &record.name)));
                continue;
            }
            let at = names.iter().position(|known| known == name);
            let Some((field, diesel)) = at.and_then(|at| old_fields.get(at).zip(in_diesel.get(at))) else { continue };
            let record = self.record.as_ref().filter(|_| difference.change != Change::OnlyOnTheServer);
            lines.extend(record.iter().flat_map(|file| file.lines(|line| has_word(line, unraw(field)))));
            if difference.change == Change::Gone {
                let words = [unraw(field), unraw(diesel)];
                let mentions = |line: &str| uses_column(line, &words, &literal(name));
                lines.extend(self.task.lines(mentions));
            }
        }
        without_repetitions(lines)
    }
}

impl OwnFile {
    /// The lines of code of this sort, with their numbers.
    fn lines(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let code = |line: &str| !line.trim_start().starts_with("//");
        let numbered = self.text.lines().enumerate().filter(|(_, line)| code(line) && wanted(line));
        numbered.map(|(at, line)| format!("{}:{}: {}", self.name, at + 1, line.trim())).collect()
    }
}

fn without_repetitions(lines: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::with_capacity(lines.len());
    for line in lines {
        if !once.contains(&line) {
            once.push(line);
        }
    }
    once
}

fn to_add(column: &Column, file: &str) -> String {
    let [declared, value] = lines_of(column);
    format!("{file}: add `{declared}` to the record, and `{value}` to into_record, if the lake shall have it")
}

/// Whether a line has this word.
fn has_word(line: &str, word: &str) -> bool {
    words(line).any(|(_, found, _)| found == word)
}

/// Whether a line uses a column: `row.name`, `table::name` or `"name"`. A task has words of its own that are no columns.
fn uses_column(line: &str, names: &[&str], literal: &str) -> bool {
    let is_column = |(before, word, after): (&str, &str, &str)| {
        let before = before.strip_suffix("r#").unwrap_or(before);
        names.contains(&word) && (before.ends_with('.') || before.ends_with("::")) && !after.starts_with(['(', ':'])
    };
    line.contains(literal) || words(line).any(is_column)
}

/// Every word of a line with what stands before it and after it.
fn words(line: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let parts = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    parts.map(move |word| {
        let at = word.as_ptr().addr() - line.as_ptr().addr();
        (&line[..at], word, &line[at + word.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::{has_word, uses_column, without_repetitions};

    #[test]
    fn a_line_mentions_a_word_and_not_a_part_of_one() {
        assert!(has_word("    amount: at(\"amount\", self.amount)?,", "amount"));
        assert!(has_word("pub r#type: String,", "type"));
        assert!(!has_word("pub amount_usd: i64,", "amount"));
    }

    #[test]
    fn a_line_of_a_task_uses_a_column() {
        for line in ["query.order(t::name)", "row.name", "filter(\"name\", x)", "row.r#name,"] {
            assert!(uses_column(line, &["name"], "\"name\""), "{line}");
        }
        for line in ["fn name(&self) -> &'static str {", "task.name()", "let name = 1;", "name::Row", "t::names"] {
            assert!(!uses_column(line, &["name"], "\"name\""), "{line}");
        }
    }

    #[test]
    fn no_line_is_named_twice() {
        assert_eq!(without_repetitions(["a", "b", "a"].map(str::to_owned).into()), ["a", "b"]);
    }
}
