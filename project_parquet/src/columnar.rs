//! Arrow batches, encoded as they come.

use crate::counters::Counters;
use crate::logical::SCHEMA_ROOT;
use crate::parquet_file::{ParquetFile, PartitionValue};
use crate::partial_file::PartialFile;
use crate::settings::WriterSettings;
use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A file that is being written from Arrow batches.
#[derive(Debug)]
pub struct ColumnarWriter {
    file: PartialFile,
    writer: ArrowWriter<File>,
    row_group_bytes: usize,
    rows: u64,
    counters: Arc<Counters>,
    bytes_counted: u64,
}

impl ColumnarWriter {
    /// Creates the file, hidden until [`finish`](Self::finish).
    pub fn create(path: &Path, schema: SchemaRef, settings: &WriterSettings, counters: Arc<Counters>) -> Result<Self> {
        let (file, handle) = PartialFile::create(path)?;
        let options = ArrowWriterOptions::new()
            .with_properties((*settings.props()?).clone())
            .with_schema_root(SCHEMA_ROOT.to_owned())
            // The Arrow schema in the footer would make the same table differ by the path that wrote it.
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(handle, schema, options)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            file,
            writer,
            row_group_bytes: settings.row_group_bytes,
            rows: 0,
            counters,
            bytes_counted: 0,
        })
    }

    /// Encodes a batch; closes the row group when it holds enough rows or bytes.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let target = self.file.target();
        let writing = || format!("cannot write {}", target.display());
        self.writer.write(batch).with_context(writing)?;
        if self.writer.memory_size() >= self.row_group_bytes {
            self.writer.flush().with_context(writing)?;
        }
        self.rows += batch.num_rows() as u64;
        self.counters.add_rows(batch.num_rows() as u64);
        let written = self.writer.bytes_written() as u64;
        self.counters.add_bytes(written - self.bytes_counted);
        self.bytes_counted = written;
        Ok(())
    }

    /// Bytes the file would have if it were finished now, about.
    pub fn estimated_bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Closes the file, checks its footer and gives it its name.
    pub fn finish(self, partition: Option<PartitionValue>) -> Result<ParquetFile> {
        let target = self.file.target().display().to_string();
        let handle = self
            .writer
            .into_inner()
            .with_context(|| format!("cannot close {target}"))?;
        let file = self.file.finish(handle, self.rows, partition)?;
        self.counters.add_bytes(file.bytes.saturating_sub(self.bytes_counted));
        Ok(file)
    }
}
