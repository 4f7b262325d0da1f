//! Writes files into a folder of its own, has them loaded, and reads what came of it.

use anyhow::{Context, Result};
use project_extra_source::{ExtraError, ExtraSource, Loaded, SchemaFile, SourceFile};
use project_parquet::{Counters, WriterSettings};
use project_test_servers::python::run_python;
use serde_json::Value;
use std::fs::{read_dir, write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The values of a row as texts.
pub(crate) type TextRow = Vec<Option<String>>;

/// A folder with files.
pub(crate) struct Loader {
    folder: TempDir,
    files: Vec<SourceFile>,
    schema: Option<SchemaFile>,
    most_rejects: Option<u64>,
    micros: bool,
}

impl Loader {
    /// With one file.
    pub(crate) fn of(name: &str, bytes: impl AsRef<[u8]>) -> Result<Self> {
        let loader =
            Self { folder: TempDir::new()?, files: Vec::new(), schema: None, most_rejects: None, micros: false };
        loader.with(name, bytes)
    }

    /// With one more.
    pub(crate) fn with(mut self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Self> {
        let path = self.path(name);
        write(&path, bytes)?;
        self.files.push(SourceFile { path, name: name.to_owned() });
        Ok(self)
    }

    /// With a schema file.
    pub(crate) fn schema(mut self, text: &str) -> Result<Self> {
        self.schema = Some(SchemaFile::parse("schema.toml", text)?);
        Ok(self)
    }

    pub(crate) fn most_rejects(mut self, most: u64) -> Self {
        self.most_rejects = Some(most);
        self
    }

    /// Timestamps in microseconds.
    pub(crate) fn micros(mut self) -> Self {
        self.micros = true;
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn load(&self) -> Result<Loaded> {
        let source = ExtraSource {
            files: &self.files,
            schema: self.schema.as_ref(),
            folder: self.path("table"),
            rejects: self.path("rejects/part-00000.parquet"),
            most_rejects: self.most_rejects,
            micros: self.micros,
            writer: WriterSettings::new(1),
            counters: Arc::new(Counters::default()),
            stop: &|| false,
        };
        source.load()
    }

    /// The message of data that are refused; then no file may be left.
    pub(crate) fn refused(&self) -> Result<String> {
        let error = self.load().err().context("it is refused")?;
        assert!(error.chain().any(|cause| cause.is::<ExtraError>()), "{error:?}");
        for folder in ["table", "rejects"] {
            let left = read_dir(self.path(folder)).map(Iterator::count).unwrap_or_default();
            assert_eq!(left, 0, "files in {folder} after: {error}");
        }
        Ok(format!("{error:#}"))
    }

    /// `name:type` of each column, and the rows as texts, by the order of a column.
    pub(crate) fn table(&self, order: &str) -> Result<(Vec<String>, Vec<TextRow>)> {
        rows(&self.path("table"), order)
    }

    /// The rejects: line, column, text and reason.
    pub(crate) fn rejects(&self) -> Result<Vec<TextRow>> {
        let (columns, rows) = rows(&self.path("rejects"), "line_number")?;
        assert_eq!(columns.len(), 5);
        Ok(rows.into_iter().map(|row| row[1..].to_vec()).collect())
    }
}

fn rows(place: &Path, order: &str) -> Result<(Vec<String>, Vec<TextRow>)> {
    let place = place.to_str().context("a path in UTF-8")?;
    let answer = run_python("tests/read_parquet.py", ["--engine", "pyarrow", place, "--rows", order])?;
    let answer: Value = serde_json::from_str(&answer)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let column = |column: &Value| format!("{}:{}", text(&column["name"]), text(&column["type"]));
    let columns = answer["columns"].as_array().context("columns")?.iter().map(column).collect();
    Ok((columns, serde_json::from_value(answer["values"].clone())?))
}

/// A row of texts.
pub(crate) fn row<const N: usize>(texts: [&str; N]) -> TextRow {
    texts.iter().map(|text| (*text != "NULL").then(|| (*text).to_owned())).collect()
}
