//! The first lines of a generated file: what it was made from, and a checksum that shows whether somebody has edited it.

use crate::failure::Failure;
use crate::kind::Kind;
use crate::make_command::create_model;
use crate::source_text::quoted;
use project_postgres::TableName;
use serde_json::{Deserializer, Value, json};

/// What the generated file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) task: String,
    pub(crate) table: TableName,
    pub(crate) kind: Kind,
    pub(crate) primary_key: Vec<String>,
    pub(crate) columns: Vec<HeaderColumn>,
}

/// A column as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderColumn {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) not_null: bool,
}

const CHECKSUM: &str = "//! checksum ";
const NOT_NULL: &str = " NOT NULL";

impl Header {
    /// The column that cuts a huge table.
    pub(crate) fn partition_by(&self) -> Option<&str> {
        let column = self.columns.first().filter(|_| self.kind == Kind::Huge);
        column.map(|column| column.name.as_str())
    }

    /// The comment at the top of the file.
    pub(crate) fn text(&self) -> String {
        let Self { table, kind, task, .. } = self;
        let about = quoted(&table.to_string());
        let first = format!("//! {about}, as `make create-model` found it. That renews this file: do not edit it.");
        let made_from = json!({ "task": task, "kind": kind.word(), "schema": table.schema, "table": table.name });
        let key = json!({ "primary_key": self.primary_key });
        let columns = self.columns.iter().map(|column| {
            let not_null = if column.not_null { NOT_NULL } else { "" };
            format!("//! {} {}{not_null}\n", json!(column.name), one_line(&column.type_name))
        });
        let columns: String = columns.collect();
        format!("{first}\n//!\n//! ```text\n//! {made_from}\n//! {key}\n{columns}//! ```\n//!\n{CHECKSUM}00000000\n")
    }

    /// Reads the comment again.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim_start);
        let mut lines = lines.skip_while(|line| *line != "```text").skip(1).take_while(|line| *line != "```");
        let made_from: Value = serde_json::from_str(lines.next()?).ok()?;
        let text = |key: &str| made_from.get(key).and_then(Value::as_str).map(str::to_owned);
        let key: Value = serde_json::from_str(lines.next()?).ok()?;
        let primary_key = key.get("primary_key")?.as_array()?;
        Some(Self {
            task: text("task")?,
            table: TableName::new(text("schema")?, text("table")?),
            kind: Kind::of(&text("kind")?)?,
            primary_key: primary_key.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?,
            columns: lines.map(column).collect::<Option<_>>()?,
        })
    }
}

fn column(line: &str) -> Option<HeaderColumn> {
    let mut name = Deserializer::from_str(line).into_iter::<String>();
    let found = name.next()?.ok()?;
    let rest = line.get(name.byte_offset()..)?.trim_start();
    let (type_name, not_null) = match rest.strip_suffix(NOT_NULL) {
        Some(type_name) => (type_name, true),
        None => (rest, false),
    };
    Some(HeaderColumn { name: found, type_name: type_name.to_owned(), not_null })
}

/// A type may be called anything, but its name must not end the line.
pub(crate) fn one_line(type_name: &str) -> String {
    type_name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The file with the checksum of everything else in it.
pub(crate) fn sealed(text: &str) -> String {
    let sum = checksum(text);
    let seal = |line: &str| match line.starts_with(CHECKSUM) {
        true => format!("{CHECKSUM}{sum}\n"),
        false => format!("{line}\n"),
    };
    text.lines().map(seal).collect()
}

/// What a file says that nobody has edited.
///
/// # Errors
/// When it was edited, or is no generated file at all; `file` names it.
pub(crate) fn untouched(text: &str, file: &str) -> Result<Header, Failure> {
    let sum = text.lines().find_map(|line| line.strip_prefix(CHECKSUM)).unwrap_or_default();
    let header = Header::parse(text);
    let record = file.replace("/generated/", "/");
    let edited = |again: &str| {
        Failure::refused(format!(
            "{file} was changed by hand (its checksum is not that of its text), and it belongs to the generator: move the \
             change to {record} or to the task, delete {file}, and run {again}"
        ))
    };
    match header {
        Some(header) if sum == checksum(text) => Ok(header),
        Some(header) => Err(edited(&create_model(&header))),
        None => Err(edited(
            "make create-model again, with the TABLE, KIND, SCHEMA, PARTITION_BY and TASK of the first time",
        )),
    }
}

fn checksum(text: &str) -> String {
    let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with(CHECKSUM)).collect();
    format!("{:08x}", crc32fast::hash(rest.join("\n").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{Header, HeaderColumn, sealed, untouched};
    use crate::kind::Kind;
    use project_postgres::TableName;

    fn header() -> Header {
        let column = |name: &str, type_name: &str, not_null| HeaderColumn {
            name: name.into(),
            type_name: type_name.into(),
            not_null,
        };
        Header {
            task: "order_lines".into(),
            table: TableName::new("it's", "Order \"Lines\"\n```"),
            kind: Kind::Stream,
            primary_key: vec!["id".into(), "```".into()],
            columns: vec![
                column("id", "integer", true),
                column(" NOT NULL", "numeric(12,2)", false),
                column("a \"b\" \\ \n", "\"My Type\"[]", true),
                column("```", "text", false),
            ],
        }
    }

    #[test]
    fn a_header_says_again_what_it_was_told() {
        let text = format!("{}\npub struct X;\n", header().text());
        assert_eq!(Header::parse(&text), Some(header()));
    }

    #[test]
    fn any_change_by_hand_is_recognised() {
        let text = sealed(&format!("{}\npub struct X;\n", header().text()));
        assert_eq!(untouched(&text, "a.rs").unwrap(), header());
        for changed in [text.replace("struct X", "struct Y"), text.replace("integer", "bigint"), format!("{text}\n//x")]
        {
            let refused = untouched(&changed, "a/generated/x.rs").unwrap_err().to_string();
            let command =
                "run make create-model TABLE='Order \"Lines\"\n```' KIND=stream SCHEMA='it'\\''s' TASK=order_lines";
            for part in ["a/generated/x.rs was changed by hand", "a/x.rs", command] {
                assert!(refused.contains(part), "no {part} in {refused}");
            }
        }
        let refused = untouched("pub struct X;\n", "a/generated/x.rs").unwrap_err().to_string();
        assert!(refused.contains("KIND, SCHEMA, PARTITION_BY and TASK of the first time"), "{refused}");
    }
}
