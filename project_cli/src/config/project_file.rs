//! The file that `--config` names: which columns and rows of a table are read, and the policies of tables and columns.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use project_postgres::{PolicyOverrides, TableName, TableOptions};
use toml::de::{DeTable, DeValue};

use crate::config::{ConfigError, policies, sql_condition};
use crate::setting::Setting;
use crate::table_names::{self, TableSelector, nearest};

const TABLE_EXAMPLE: &str = "[tables.\"public.users\"]";
const COLUMN_EXAMPLE: &str = "[columns.\"public.users\".valid_to]";

/// Reads the file that the setting names.
pub(super) fn read(setting: &Setting) -> Result<BTreeMap<TableName, TableOptions>, ConfigError> {
    // The command line is right, but there is something to mend in this place; therefore 78 even for a flag.
    let text = fs::read_to_string(&setting.value)
        .map_err(|error| ConfigError::configuration(format!("{} cannot be read: {error}", setting.as_given())))?;
    File { name: &setting.value, text: &text }.tables()
}

/// The file, with its text for the lines in messages.
struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn tables(&self) -> Result<BTreeMap<TableName, TableOptions>, ConfigError> {
        let document = DeTable::parse(self.text).map_err(|error| self.is_not_toml(&error))?;
        let top = Section { file: self, path: Vec::new(), start: 0, entries: document.get_ref() };
        top.allow_only(&["tables", "columns"])?;
        let mut tables = BTreeMap::new();
        for table in top.sections_below("tables")? {
            if tables.insert(table.table_name()?, table_options(&table)?).is_some() {
                return Err(table.is_there_twice());
            }
        }
        for table in top.sections_below("columns")? {
            let options = tables.entry(table.table_name()?).or_default();
            for column in table.sections()? {
                let policies = column_policies(&column)?;
                if options.column_policies.insert(column.name().to_owned(), policies).is_some() {
                    return Err(column.is_there_twice());
                }
            }
        }
        Ok(tables)
    }

    fn is_not_toml(&self, error: &toml::de::Error) -> ConfigError {
        let place = error.span().map_or_else(|| self.name.to_owned(), |span| self.place(span.start));
        ConfigError::configuration(format!("{place}: this is not TOML: {}", error.message()))
    }

    /// The line in which a byte stands.
    fn place(&self, at: usize) -> String {
        let before = self.text.bytes().take(at);
        format!("{}, line {}", self.name, before.filter(|byte| *byte == b'\n').count() + 1)
    }
}

fn table_options(table: &Section<'_>) -> Result<TableOptions, ConfigError> {
    table.allow_only(&[&["columns", "exclude", "where"][..], &policies::NAMES].concat())?;
    let columns = table.names("columns")?;
    if columns.as_ref().is_some_and(Vec::is_empty) {
        return Err(table.wrong("columns", "columns is empty; name at least one, or leave it out to read all of them"));
    }
    let exclude = table.names("exclude")?.unwrap_or_default();
    if let Some(both) = columns.iter().flatten().find(|column| exclude.contains(column)) {
        let what = format!("{both:?} is in columns and in exclude; take it out of one of them");
        return Err(table.wrong("exclude", what));
    }
    let filter = table.text("where")?.map(|setting| setting.value);
    if let Some(condition) = &filter {
        sql_condition::check(condition).map_err(|what| table.wrong("where", format!("where {what}")))?;
    }
    let policies = policies::policies(|name| table.text(name))?;
    Ok(TableOptions { columns, exclude, filter, policies, column_policies: BTreeMap::new() })
}

fn column_policies(column: &Section<'_>) -> Result<PolicyOverrides, ConfigError> {
    column.allow_only(&policies::NAMES)?;
    policies::policies(|name| column.text(name))
}

/// What stands under one heading.
struct Section<'a> {
    file: &'a File<'a>,
    /// The keys of the heading; none for the file as a whole.
    path: Vec<&'a str>,
    /// The byte at which the heading's last key stands.
    start: usize,
    entries: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// The last key of the heading.
    fn name(&self) -> &'a str {
        self.path.last().copied().unwrap_or_default()
    }

    /// The table that the heading's last key names, in the language of `--table`.
    fn table_name(&self) -> Result<TableName, ConfigError> {
        let why = match table_names::parse(self.name()).as_deref() {
            Ok([TableSelector::Table { schema, table }]) => return Ok(TableName::new(schema, table)),
            Ok(_) => String::new(),
            Err(error) => format!(": {error}"),
        };
        let what = format!("{:?} is not one table{why}; write schema.table in quotes, as in", self.name());
        Err(self.wrong_at(self.start, format!("{what} {}", self.example())))
    }

    /// A heading of the same kind as this one or, at the top of the file, of any kind.
    fn example(&self) -> &'static str {
        if self.path.first() == Some(&"columns") { COLUMN_EXAMPLE } else { TABLE_EXAMPLE }
    }

    /// The sections whose headings have one key more than this one.
    fn sections(&self) -> Result<Vec<Section<'a>>, ConfigError> {
        let mut sections = Vec::with_capacity(self.entries.len());
        for (key, value) in self.entries {
            let name: &str = key.get_ref();
            let DeValue::Table(entries) = value.get_ref() else {
                let what = format!("{name} must be part of a heading, as in {}", self.example());
                return Err(self.wrong_at(key.span().start, what));
            };
            let path = self.path.iter().copied().chain([name]).collect();
            sections.push(Section { file: self.file, path, start: key.span().start, entries });
        }
        Ok(sections)
    }

    /// The sections below one of this one's; none when it is not there.
    fn sections_below(&self, name: &str) -> Result<Vec<Section<'a>>, ConfigError> {
        let section = self.sections()?.into_iter().find(|section| section.name() == name);
        section.map_or_else(|| Ok(Vec::new()), |section| section.sections())
    }

    /// Refuses every other key.
    fn allow_only(&self, known: &[&str]) -> Result<(), ConfigError> {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let hint = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("the keys here are {}", known.join(", ")),
                };
                return Err(self.wrong_at(key.span().start, format!("there is no key {name:?}; {hint}")));
            }
        }
        Ok(())
    }

    /// The value of a key that holds text.
    fn text(&self, key: &str) -> Result<Option<Setting>, ConfigError> {
        let Some(value) = self.entries.get(key) else {
            return Ok(None);
        };
        let place = format!("{}: {key}", self.place(value.span().start));
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(Setting::in_file(place, text))),
            None => Err(self.wrong(key, format!("{key} must be text in quotes, as in {key} = \"...\""))),
        }
    }

    /// The value of a key that holds a list of names, each of them once.
    fn names(&self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(value) = self.entries.get(key) else {
            return Ok(None);
        };
        let wrong = || self.wrong(key, format!("{key} must be a list of names, as in {key} = [\"id\", \"name\"]"));
        let mut names: Vec<String> = Vec::new();
        for entry in value.get_ref().as_array().ok_or_else(wrong)?.iter() {
            let name = entry.get_ref().as_str().ok_or_else(wrong)?;
            if names.iter().any(|known| known == name) {
                return Err(self.wrong_at(entry.span().start, format!("{key} names {name:?} twice")));
            }
            names.push(name.to_owned());
        }
        Ok(Some(names))
    }

    fn is_there_twice(&self) -> ConfigError {
        self.wrong_at(self.start, "another heading means the same; write all of it under one of them")
    }

    /// The error about the value of a key.
    fn wrong(&self, key: &str, what: impl fmt::Display) -> ConfigError {
        self.wrong_at(self.entries.get(key).map_or(self.start, |value| value.span().start), what)
    }

    /// The error about what stands at a byte.
    fn wrong_at(&self, at: usize, what: impl fmt::Display) -> ConfigError {
        ConfigError::configuration(format!("{}: {what}", self.place(at)))
    }

    /// File, line and heading: `project.toml, line 7, [tables."public.users"]`.
    fn place(&self, at: usize) -> String {
        let place = self.file.place(at);
        if self.path.is_empty() {
            return place;
        }
        let in_bare_key = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        let keys = self.path.iter().map(|key| match !key.is_empty() && key.chars().all(in_bare_key) {
            true => (*key).to_owned(),
            false => format!("{key:?}"),
        });
        format!("{place}, [{}]", keys.collect::<Vec<_>>().join("."))
    }
}

#[cfg(test)]
mod tests;
