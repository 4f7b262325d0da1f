//! The file that says what the columns are: types, and how a text is written.

use crate::column_type::{ColumnType, WORDS};
use crate::error::ExtraError;
use crate::source_file::Format;
use toml::de::{DeTable, DeValue};

/// What somebody has chosen for a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// The file's name, for messages.
    pub(crate) name: String,
    /// The columns in the order of the file, as the source calls them; none when types are to be inferred.
    pub(crate) columns: Vec<(String, ColumnType)>,
    pub(crate) format: Option<Format>,
    pub(crate) delimiter: Option<u8>,
    /// Whether the first line names the columns.
    pub(crate) header: bool,
    /// What stands for NULL besides nothing.
    pub(crate) null: Option<String>,
}

const KEYS: &str = "columns, format, delimiter, header, null";

impl SchemaFile {
    /// Reads the text of the file that `name` names.
    ///
    /// # Errors
    /// [`ExtraError::Schema`] for what is not understood, with the key.
    pub fn parse(name: &str, text: &str) -> Result<Self, ExtraError> {
        let wrong = |what: String| ExtraError::Schema(format!("{name}: {what}"));
        let document = DeTable::parse(text).map_err(|error| wrong(format!("this is not TOML: {}", error.message())))?;
        let mut schema = Self {
            name: name.to_owned(),
            columns: Vec::new(),
            format: None,
            delimiter: None,
            header: true,
            null: None,
        };
        for (key, value) in document.get_ref() {
            let value = value.get_ref();
            match key.get_ref().as_ref() {
                "columns" => schema.columns = columns(value).map_err(wrong)?,
                "format" => {
                    let format = text_of(value).and_then(Format::parse);
                    schema.format = Some(format.ok_or_else(|| wrong(format!("format is one of {}", Format::WORDS)))?);
                }
                "delimiter" => {
                    let delimiter = match text_of(value).map(str::as_bytes) {
                        Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
                        _ => None,
                    };
                    let one = || wrong("delimiter is one ASCII character, as in \";\" or \"\\t\"".to_owned());
                    schema.delimiter = Some(delimiter.ok_or_else(one)?);
                }
                "header" => {
                    let DeValue::Boolean(header) = value else {
                        return Err(wrong("header is true or false".to_owned()));
                    };
                    schema.header = *header;
                }
                "null" => {
                    let null = text_of(value).ok_or_else(|| wrong("null is a text, as in \"\\\\N\"".to_owned()))?;
                    schema.null = Some(null.to_owned());
                }
                other => return Err(wrong(format!("the key {other:?} is not known; known are {KEYS}"))),
            }
        }
        Ok(schema)
    }
}

fn text_of<'a>(value: &'a DeValue<'_>) -> Option<&'a str> {
    match value {
        DeValue::String(text) => Some(text.as_ref()),
        _ => None,
    }
}

fn columns(value: &DeValue<'_>) -> Result<Vec<(String, ColumnType)>, String> {
    let DeValue::Table(table) = value else {
        return Err("columns is a table, as in [columns] and below it id = \"bigint\"".to_owned());
    };
    let mut columns = Vec::with_capacity(table.len());
    for (name, kind) in table {
        let column = name.get_ref().as_ref();
        let known = text_of(kind.get_ref()).and_then(ColumnType::parse);
        let kind = known.ok_or_else(|| format!("column {column:?} has no type that is known; known are {WORDS}"))?;
        columns.push((name.span().start, column.to_owned(), kind));
    }
    // The table is sorted by its keys, and the file is not.
    columns.sort_by_key(|(start, ..)| *start);
    if columns.is_empty() {
        return Err("columns is empty; name all columns, or leave it out and their types are inferred".to_owned());
    }
    Ok(columns.into_iter().map(|(_, name, kind)| (name, kind)).collect())
}

#[cfg(test)]
mod tests {
    use super::SchemaFile;
    use crate::source_file::Format;

    #[test]
    fn what_it_may_say() {
        let text = "format = \"csv\"\ndelimiter = \";\"\nheader = false\nnull = \"\\\\N\"\n\
                    [columns]\nzip = \"varchar\"\nid = \"bigint\"\n";
        let schema = SchemaFile::parse("s.toml", text).unwrap();
        let names: Vec<&str> = schema.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["zip", "id"]);
        assert_eq!((schema.format, schema.delimiter, schema.header), (Some(Format::Csv), Some(b';'), false));
        assert_eq!(schema.null.as_deref(), Some("\\N"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, told) in [
            ("colums = 1", "the key \"colums\" is not known"),
            ("columns = 1", "columns is a table"),
            ("[columns]", "columns is empty"),
            ("[columns]\nid = \"number\"", "column \"id\" has no type"),
            ("[columns]\nid = 5", "column \"id\" has no type"),
            ("format = \"xlsx\"", "format is one of"),
            ("delimiter = \"ab\"", "delimiter is one ASCII"),
            ("header = \"no\"", "header is true or false"),
            ("null = 1", "null is a text"),
            ("x", "this is not TOML"),
        ] {
            let error = SchemaFile::parse("s.toml", text).unwrap_err().to_string();
            assert!(error.starts_with("s.toml: ") && error.contains(told), "{text}: {error}");
        }
    }
}
