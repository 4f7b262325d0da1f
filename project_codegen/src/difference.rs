//! What has changed in the database since a file was generated, and where the developer has to look.

use crate::header::{Header, HeaderColumn, one_line};
use crate::identifiers::{fields, unraw};
use crate::model::{Column, Model};
use crate::record_file::lines_of;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The column, or nothing for the primary key.
    column: Option<String>,
    /// With the column's name.
    pub(crate) sentence: String,
    added: bool,
}

/// What is different; empty when the columns are the same.
pub(crate) fn differences(before: &Header, after: &Header) -> Vec<Difference> {
    let find = |columns: &[HeaderColumn], name: &str| columns.iter().find(|column| column.name == name).cloned();
    let mut found = Vec::new();
    for column in &before.columns {
        let name = &column.name;
        let sentence = match find(&after.columns, name) {
            None => format!("column \"{name}\" ({}) is gone", column.type_name),
            Some(now) if one_line(&now.type_name) != column.type_name => {
                format!("column \"{name}\" is {}, and was {}", now.type_name, column.type_name)
            }
            Some(now) if now.not_null && !column.not_null => format!("column \"{name}\" is NOT NULL, and was not"),
            Some(now) if !now.not_null && column.not_null => format!("column \"{name}\" may be NULL, and was NOT NULL"),
            Some(_) => continue,
        };
        found.push(Difference { column: Some(name.clone()), sentence, added: false });
    }
    for column in after.columns.iter().filter(|column| find(&before.columns, &column.name).is_none()) {
        let sentence = format!("column \"{}\" ({}) is new", column.name, column.type_name);
        found.push(Difference { column: Some(column.name.clone()), sentence, added: true });
    }
    if before.primary_key != after.primary_key {
        let key =
            |names: &[String]| if names.is_empty() { "none".to_owned() } else { format!("({})", names.join(", ")) };
        let (now, was) = (key(&after.primary_key), key(&before.primary_key));
        let sentence = format!("the primary key is {now}, and was {was}");
        found.push(Difference { column: None, sentence, added: false });
    }
    found
}

/// What to do in the developer's file, a line each: `text` is that of `file`.
pub(crate) fn to_look_at(found: &[Difference], before: &Header, model: &Model, file: &str, text: &str) -> Vec<String> {
    let names: Vec<&str> = before.columns.iter().map(|column| column.name.as_str()).collect();
    let old_fields = fields(&names);
    let mut lines = Vec::new();
    for difference in found {
        let Some(name) = &difference.column else { continue };
        if difference.added {
            let new = model.columns.iter().find(|column| column.name == *name);
            lines.extend(new.map(|column| to_add(column, file)));
            continue;
        }
        let field = names.iter().position(|known| known == name).and_then(|at| old_fields.get(at));
        let mentions = |line: &str| field.is_some_and(|field| has_word(line, unraw(field)));
        let numbered = text.lines().enumerate().filter(|(_, line)| mentions(line));
        lines.extend(numbered.map(|(at, line)| format!("{file}:{}: {}", at + 1, line.trim())));
    }
    lines.dedup();
    lines
}

fn to_add(column: &Column, file: &str) -> String {
    let [declared, value] = lines_of(column);
    format!("{file}: add `{declared}` to the record, and `{value}` to into_record, if the lake shall have it")
}

/// Whether a line of code, not of documentation, has this word.
fn has_word(line: &str, word: &str) -> bool {
    let code = !line.trim_start().starts_with("//");
    code && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::{differences, has_word};
    use crate::header::{Header, HeaderColumn};
    use crate::kind::Kind;
    use project_postgres::TableName;

    fn header(columns: &[(&str, &str, bool)], key: &[&str]) -> Header {
        let columns = columns.iter().map(|(name, type_name, not_null)| HeaderColumn {
            name: (*name).into(),
            type_name: (*type_name).into(),
            not_null: *not_null,
        });
        Header {
            task: "t".into(),
            table: TableName::new("public", "t"),
            kind: Kind::Batch,
            primary_key: key.iter().map(|name| (*name).to_owned()).collect(),
            columns: columns.collect(),
        }
    }

    #[test]
    fn every_difference_names_its_column() {
        let before =
            header(&[("a", "int4", true), ("b", "int4", true), ("c", "int4", false), ("d", "text", true)], &["a"]);
        let after = header(&[("a", "int8", true), ("b", "int4", false), ("c", "int4", true), ("e", "text", true)], &[]);
        let found: Vec<String> = differences(&before, &after).into_iter().map(|found| found.sentence).collect();
        assert_eq!(
            found,
            [
                "column \"a\" is int8, and was int4",
                "column \"b\" may be NULL, and was NOT NULL",
                "column \"c\" is NOT NULL, and was not",
                "column \"d\" (text) is gone",
                "column \"e\" (text) is new",
                "the primary key is none, and was (a)",
            ]
        );
        assert_eq!(differences(&before, &before), []);
    }

    #[test]
    fn a_line_mentions_a_word_and_not_a_part_of_one() {
        assert!(has_word("    amount: at(\"amount\", self.amount)?,", "amount"));
        assert!(has_word("pub r#type: String,", "type"));
        assert!(!has_word("pub amount_usd: i64,", "amount") && !has_word("/// The amount.", "amount"));
    }
}
