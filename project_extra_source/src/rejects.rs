//! Lines that are not what they should be, put aside with their numbers.

use crate::error::ExtraError;
use crate::source_file::SourceFile;
use anyhow::Result;
use parquet_derive::ParquetRecordWriter;
use project_parquet::{Counters, ParquetFile, Record, TypedWriter, WriterSettings};
use std::path::Path;
use std::sync::Arc;

/// Lines that may be put aside when nobody has said how many, as long as most lines are good.
const MOST_REJECTS: u64 = 1000;

/// A row of the lake's `<table>__rejects`: a line of a file that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, ParquetRecordWriter)]
struct RejectedLine {
    /// The file, as it was named.
    file_name: String,
    /// The line in which it begins, from 1.
    line_number: i64,
    /// The column, when the line could be read but for a value.
    column_name: Option<String>,
    /// The line as it was, its first 10,000 characters.
    raw_text: String,
    /// Why it was put aside.
    reason: String,
}

impl Record for RejectedLine {}

/// A line that is put aside.
pub(crate) struct BadLine {
    pub(crate) line: u64,
    pub(crate) column: Option<String>,
    pub(crate) text: String,
    pub(crate) reason: String,
}

/// Counts them, and keeps them when somebody wants that.
pub(crate) struct Rejects {
    most: Option<u64>,
    count: u64,
    first: Option<String>,
    writer: Option<TypedWriter<RejectedLine>>,
}

impl Rejects {
    /// Only counts.
    pub(crate) fn counted(most: Option<u64>) -> Self {
        Self { most, count: 0, first: None, writer: None }
    }

    /// Writes them into a table of their own, also when there are none: those of an earlier run give way.
    pub(crate) fn kept(most: Option<u64>, file: &Path, settings: &WriterSettings) -> Result<Self> {
        let writer = TypedWriter::create(file, settings, Arc::new(Counters::default()))?;
        Ok(Self { writer: Some(writer), ..Self::counted(most) })
    }

    /// Lines so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Puts a line aside.
    pub(crate) fn put(&mut self, file: &SourceFile, bad: BadLine) -> Result<()> {
        self.count += 1;
        let column = bad.column.as_ref().map(|column| format!(", column \"{column}\"")).unwrap_or_default();
        let place = format!("{}, line {}{column}: {}", file.name, bad.line, bad.reason);
        let most = self.most.unwrap_or(MOST_REJECTS);
        if self.count > most {
            let lines = if most == 1 { "line is" } else { "lines are" };
            return Err(ExtraError::data(format!(
                "{place}; more than {most} {lines} not what they should be: mend the file, give the column another \
                 type (--extra-schema), or raise --rejects"
            )));
        }
        self.first.get_or_insert(place);
        if let Some(writer) = &mut self.writer {
            writer.push(RejectedLine {
                file_name: file.name.clone(),
                line_number: i64::try_from(bad.line)?,
                column_name: bad.column,
                raw_text: bad.text,
                reason: bad.reason,
            })?;
        }
        Ok(())
    }

    /// Fails when no line was good, or, unless somebody has allowed it, when most were bad: then it is not the lines that
    /// are wrong.
    pub(crate) fn check_mostly_good(&self, rows_read: u64) -> Result<()> {
        let (bad, good) = (self.count, rows_read.saturating_sub(self.count));
        let (how_many, allowed) = match good {
            0 => ("every line is bad".to_owned(), ""),
            _ => (format!("{bad} of {rows_read} lines are bad"), "; --rejects allows that many bad lines"),
        };
        match &self.first {
            Some(first) if good == 0 || (self.most.is_none() && bad > good) => Err(ExtraError::data(format!(
                "{how_many}, the first is {first}; the file is probably of another format, or has another \
                 delimiter{allowed}"
            ))),
            _ => Ok(()),
        }
    }

    /// The table of what was kept.
    pub(crate) fn finish(self) -> Result<Option<ParquetFile>> {
        self.writer.map(TypedWriter::finish).transpose()
    }
}
