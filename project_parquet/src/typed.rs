//! Records that derive `ParquetRecordWriter`, gathered into row groups.

use crate::counters::Counters;
use crate::footer::{FileWriterRows, RowCountMismatch};
use crate::logical::{Logical, record_schema};
use crate::parquet_file::ParquetFile;
use crate::partial_file::PartialFile;
use crate::settings::WriterSettings;
use anyhow::{Context, Result};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RecordWriter;
use std::fs::File;
use std::mem::size_of;
use std::path::Path;
use std::sync::Arc;

/// A struct of one Parquet row that derives `ParquetRecordWriter`.
pub trait Record: Send + Sync + 'static {
    /// Columns whose integers mean more than `parquet_derive` can say.
    const LOGICAL: &'static [(&'static str, Logical)] = &[];
}

/// Rows that one row group holds at most on this path: its records lie in memory until it is written.
const ROW_GROUP_RECORDS: usize = 1 << 17;

/// A file that is being written from records.
#[derive(Debug)]
pub struct TypedWriter<R> {
    file: PartialFile,
    writer: SerializedFileWriter<File>,
    pending: Vec<R>,
    row_group_rows: usize,
    taken: u64,
    counters: Arc<Counters>,
    bytes_counted: u64,
}

impl<R: Record> TypedWriter<R>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    /// Creates the file, hidden until [`finish`](Self::finish).
    pub fn create(path: &Path, settings: &WriterSettings, counters: Arc<Counters>) -> Result<Self> {
        let schema = record_schema::<R>()?;
        let (file, handle) = PartialFile::create(path)?;
        let writer = SerializedFileWriter::new(handle, schema, settings.props()?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let by_memory = settings.row_group_bytes / size_of::<R>().max(1);
        let row_group_rows = settings.row_group_rows.min(ROW_GROUP_RECORDS).min(by_memory.max(1));
        Ok(Self {
            file,
            writer,
            pending: Vec::new(),
            row_group_rows,
            taken: 0,
            counters,
            bytes_counted: 0,
        })
    }

    /// Takes records, in order; writes a row group whenever enough have come together.
    pub fn extend(&mut self, records: impl IntoIterator<Item = R>) -> Result<()> {
        for record in records {
            self.pending.push(record);
            self.taken += 1;
            if self.pending.len() >= self.row_group_rows {
                self.write_row_group()?;
            }
        }
        Ok(())
    }

    /// Writes what is left, closes the file, checks its footer and gives it its name.
    pub fn finish(mut self) -> Result<ParquetFile> {
        if !self.pending.is_empty() {
            self.write_row_group()?;
        }
        let in_groups = self.writer.total_num_rows();
        if in_groups != self.taken {
            let path = self.file.target().display().to_string();
            return Err(RowCountMismatch {
                path,
                in_footer: in_groups,
                written: self.taken,
            }
            .into());
        }
        let target = self.file.target().display().to_string();
        let handle = self
            .writer
            .into_inner()
            .with_context(|| format!("cannot close {target}"))?;
        let file = self.file.finish(handle, self.taken, None)?;
        self.counters.add_bytes(file.bytes.saturating_sub(self.bytes_counted));
        Ok(file)
    }

    fn write_row_group(&mut self) -> Result<()> {
        let target = self.file.target();
        let writing = || format!("cannot write a row group of {}", target.display());
        let records = self.pending.as_slice();
        let mut group = self.writer.next_row_group().with_context(writing)?;
        records.write_to_row_group(&mut group).with_context(writing)?;
        group.close().with_context(writing)?;
        self.counters.add_rows(records.len() as u64);
        self.pending.clear();
        let written = self.writer.bytes_written() as u64;
        self.counters.add_bytes(written - self.bytes_counted);
        self.bytes_counted = written;
        Ok(())
    }
}
