//! From files to the files of a table: which format, which columns, and what has to be told of them.

use crate::column_type::ColumnType;
use crate::csv_source::CsvSource;
use crate::error::ExtraError;
use crate::inference::SeenTexts;
use crate::json_source::{JsonPlan, JsonSource};
use crate::parquet_source::ParquetSource;
use crate::part_writer::PartSettings;
use crate::rejects::Rejects;
use crate::schema_file::SchemaFile;
use crate::source_file::{Format, SourceFile};
use crate::table::{Column, Made, Rows, Table, named_columns, put_faults};
use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_schema::{SchemaRef, TimeUnit};
use project_parquet::{Counters, ParquetFile, WriterSettings};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Files that become a table.
pub struct ExtraSource<'a> {
    /// The files, in the order of their rows.
    pub files: &'a [SourceFile],
    /// What somebody has chosen for them.
    pub schema: Option<&'a SchemaFile>,
    /// The folder that the table's files go to.
    pub folder: PathBuf,
    /// The file of the table of rejects.
    pub rejects: PathBuf,
    /// How many lines may be put aside; one more fails the table. When nobody has chosen that, it may be many, but not
    /// more than half.
    pub most_rejects: Option<u64>,
    /// Whether timestamps keep their microseconds.
    pub micros: bool,
    /// How files are written.
    pub writer: WriterSettings,
    /// Where the writer counts rows and bytes.
    pub counters: Arc<Counters>,
    /// Whether somebody wants the end.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl fmt::Debug for ExtraSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtraSource").field("files", &self.files).field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// What came of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The finished files of the table.
    pub files: Vec<ParquetFile>,
    /// The table of the lines that were put aside; nothing for Parquet, which has no lines.
    pub rejects: Option<ParquetFile>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Rows that were read.
    pub rows_read: u64,
    /// Rows of them that were put aside.
    pub rows_rejected: u64,
    /// What the reader of the summary should know.
    pub notes: Vec<String>,
}

impl ExtraSource<'_> {
    /// Reads the files and writes the table. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`ExtraError`] for what is wrong with the files, and those of the disk.
    pub fn load(&self) -> Result<Loaded> {
        let chosen = self.schema.and_then(|schema| schema.format);
        let format = chosen.map_or_else(|| Format::of_all(self.files), Ok)?;
        let (made, mut notes) = match format {
            Format::Csv => self.load_csv(b',')?,
            Format::Tsv => self.load_csv(b'\t')?,
            Format::JsonLines => self.load_json()?,
            Format::Parquet => self.load_parquet()?,
        };
        let written: u64 = made.files.iter().map(|file| file.rows).sum();
        if made.rows_read != written + made.rows_rejected {
            return Err(ExtraError::data(format!(
                "{} rows were read, {} were rejected and {written} are in the finished files; nothing of it is \
                 published; this is a fault of the program, please report it",
                made.rows_read, made.rows_rejected
            )));
        }
        notes.extend(made.columns.iter().zip(&made.cut).filter(|(_, cut)| **cut > 0).map(|(column, cut)| {
            let what = if self.micros {
                "timestamps were cut to microseconds"
            } else {
                "timestamps were cut to milliseconds; --timestamp-unit=micros keeps microseconds"
            };
            format!("column \"{}\": {cut} {what}", column.name)
        }));
        let Made { columns, files, rows_read, rows_rejected, rejects, .. } = made;
        Ok(Loaded { files, rejects, columns, rows_read, rows_rejected, notes })
    }

    fn load_csv(&self, delimiter: u8) -> Result<(Made, Vec<String>)> {
        let schema = self.schema;
        let source = CsvSource {
            files: self.files,
            delimiter: schema.and_then(|schema| schema.delimiter).unwrap_or(delimiter),
            header: schema.is_none_or(|schema| schema.header),
            null: schema.and_then(|schema| schema.null.as_deref()),
            stop: self.stop,
        };
        let chosen = self.chosen();
        let named: Vec<String> = chosen.iter().map(|(name, _)| name.clone()).collect();
        let names = source.column_names(&named)?;
        let kinds = if chosen.is_empty() { self.infer_csv(&source, names.len())? } else { self.kinds_of(&names)? };
        let notes = other_delimiter(&names).into_iter().collect();
        let columns = named_columns(names.into_iter().zip(kinds), self.first()?)?;
        let count = columns.len();
        let mut table = self.begin(columns)?;
        source.read(count, &mut |file, window, arrays| {
            let records = window.good().collect();
            table.take(file, Rows { window, records, arrays })
        })?;
        Ok((table.finish()?, notes))
    }

    fn infer_csv(&self, source: &CsvSource<'_>, columns: usize) -> Result<Vec<ColumnType>> {
        let mut seen = vec![SeenTexts::default(); columns];
        let mut rejects = Rejects::counted(self.most_rejects);
        let mut rows = 0;
        source.read(columns, &mut |file, window, arrays| {
            rows += window.records.len() as u64;
            put_faults(&mut rejects, file, window)?;
            seen.iter_mut().zip(&arrays).for_each(|(seen, array)| seen.take_all(array.as_string::<i32>()));
            Ok(true)
        })?;
        rejects.check_mostly_good(rows)?;
        Ok(seen.iter().map(SeenTexts::column_type).collect())
    }

    fn load_json(&self) -> Result<(Made, Vec<String>)> {
        let source = JsonSource { files: self.files, stop: self.stop };
        let mut rejects = Rejects::counted(self.most_rejects);
        let (shapes, lines) = source.shapes(&mut rejects)?;
        rejects.check_mostly_good(lines)?;
        let chosen = self.chosen();
        let (columns, notes) = if chosen.is_empty() {
            let kinds: Vec<_> = shapes.iter().map(|(name, shape)| (name, shape.column_type(), shape)).collect();
            let notes = kinds.iter().filter_map(|(name, kind, shape)| shape.told(name, kind)).collect();
            (kinds.into_iter().map(|(name, kind, _)| (name.clone(), kind)).collect(), notes)
        } else {
            let missing = chosen.iter().find(|(name, _)| !shapes.iter().any(|(key, _)| key == name));
            if let (Some((name, _)), true) = (missing, lines > 0) {
                return Err(ExtraError::file(
                    self.first()?,
                    format!("no line has the key \"{name}\", which the schema file names"),
                ));
            }
            (chosen.to_vec(), Vec::new())
        };
        if columns.is_empty() {
            return Err(ExtraError::file(self.first()?, "no line has a key; a table needs at least one column"));
        }
        let columns = named_columns(columns, self.first()?)?;
        let plan_columns = columns.clone();
        let plan = JsonPlan::new(&plan_columns, self.unit(), !chosen.is_empty());
        let mut table = self.begin(columns)?;
        source.read(&plan, &mut |file, window, arrays| {
            let records = window.good().collect();
            table.take(file, Rows { window, records, arrays })
        })?;
        Ok((table.finish()?, notes))
    }

    fn load_parquet(&self) -> Result<(Made, Vec<String>)> {
        if !self.chosen().is_empty() {
            let name = self.schema.map(|schema| schema.name.as_str()).unwrap_or_default();
            let what = format!("{name}: Parquet files have types of their own; leave [columns] out");
            return Err(ExtraError::Schema(what).into());
        }
        let source = ParquetSource { files: self.files, unit: self.unit(), stop: self.stop };
        Ok((source.load(|schema| self.parts(schema), &self.folder)?, Vec::new()))
    }

    fn chosen(&self) -> &[(String, ColumnType)] {
        self.schema.map(|schema| schema.columns.as_slice()).unwrap_or_default()
    }

    /// The chosen types of the columns of a header.
    fn kinds_of(&self, names: &[String]) -> Result<Vec<ColumnType>> {
        let (chosen, file) = (self.chosen(), self.first()?);
        if let Some((missing, _)) = chosen.iter().find(|(name, _)| !names.contains(name)) {
            let what = format!("there is no column \"{missing}\", which the schema file names");
            return Err(ExtraError::file(file, what));
        }
        let kind = |name: &String| {
            let known = chosen.iter().find(|(other, _)| other == name).map(|(_, kind)| kind.clone());
            let what = || ExtraError::file(file, format!("the schema file does not name the column \"{name}\""));
            known.ok_or_else(what)
        };
        names.iter().map(kind).collect()
    }

    fn begin(&self, columns: Vec<Column>) -> Result<Table> {
        let rejects = Rejects::kept(self.most_rejects, &self.rejects, &self.writer)?;
        Table::begin(columns, self.unit(), rejects, |schema| self.parts(schema))
    }

    fn parts(&self, schema: SchemaRef) -> PartSettings {
        let (folder, settings) = (self.folder.clone(), self.writer.clone());
        PartSettings { folder, schema, settings, counters: Arc::clone(&self.counters) }
    }

    fn unit(&self) -> TimeUnit {
        if self.micros { TimeUnit::Microsecond } else { TimeUnit::Millisecond }
    }

    /// The file that a message names which is about all of them.
    fn first(&self) -> Result<&SourceFile> {
        self.files.first().context("there is a file")
    }
}

/// A file that is divided by something else has one column, of which every value is text.
fn other_delimiter(names: &[String]) -> Option<String> {
    let [name] = names else { return None };
    let divided = name.contains([';', '\t', '|', ',']);
    divided.then(|| format!("there is only one column, \"{name}\"; another delimiter is named in --extra-schema"))
}
