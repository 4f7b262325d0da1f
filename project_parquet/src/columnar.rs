//! Arrow batches, encoded as they come.

use crate::counters::Counters;
use crate::leaf_column::LeafColumn;
use crate::logical::SCHEMA_ROOT;
use crate::nested_levels::{is_nested, leaf_entries, leaf_types};
use crate::page_compressor::PageCompressor;
use crate::parquet_file::{ParquetFile, PartitionValue};
use crate::row_group_file::RowGroupFile;
use crate::settings::WriterSettings;
use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A file that is being written from Arrow batches.
pub struct ColumnarWriter {
    file: RowGroupFile,
    schema: SchemaRef,
    compressor: PageCompressor,
    /// The leaves of the row group that is being encoded; their finished pages wait in memory.
    columns: Vec<LeafColumn>,
    group_rows: usize,
    settings: WriterSettings,
    rows: u64,
    counters: Arc<Counters>,
}

impl fmt::Debug for ColumnarWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnarWriter").field("file", &self.file).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl ColumnarWriter {
    /// Creates the file, hidden until [`finish`](Self::finish).
    ///
    /// # Errors
    /// When the file cannot be created, or a column has a type that is not written.
    pub fn create(path: &Path, schema: SchemaRef, settings: &WriterSettings, counters: Arc<Counters>) -> Result<Self> {
        let props = settings.file_props();
        let converter = ArrowSchemaConverter::new().with_coerce_types(props.coerce_types()).schema_root(SCHEMA_ROOT);
        let parquet_schema = converter.convert(&schema)?;
        let file = RowGroupFile::create(path, parquet_schema.root_schema_ptr(), props, counters.clone())?;
        let compressor = PageCompressor::new(settings.gzip_level)?;
        let settings = settings.clone();
        let mut writer =
            Self { file, schema, compressor, columns: Vec::new(), group_rows: 0, settings, rows: 0, counters };
        writer.columns = writer.empty_columns()?;
        Ok(writer)
    }

    fn empty_columns(&self) -> Result<Vec<LeafColumn>> {
        let mut descriptors = self.file.writer().schema_descr().columns().iter();
        let mut columns = Vec::with_capacity(descriptors.len());
        for field in self.schema.fields() {
            let nested = is_nested(field.data_type());
            for (data_type, descriptor) in leaf_types(field).iter().zip(&mut descriptors) {
                columns.push(LeafColumn::new(Arc::clone(descriptor), data_type, nested)?);
            }
        }
        Ok(columns)
    }

    /// Encodes a batch; closes the row group when it holds enough rows or bytes.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.encode(batch).with_context(|| format!("cannot write {}", self.file.target().display()))?;
        self.group_rows += batch.num_rows();
        self.rows += batch.num_rows() as u64;
        self.counters.add_rows(batch.num_rows() as u64);
        if self.group_rows >= self.settings.row_group_rows || self.memory_size() >= self.settings.row_group_bytes {
            self.close_row_group()?;
        }
        Ok(())
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = self.columns.iter_mut();
        for (array, field) in batch.columns().iter().zip(self.schema.fields()) {
            if is_nested(field.data_type()) {
                for (entries, column) in leaf_entries(array, field.is_nullable())?.iter().zip(&mut columns) {
                    column.write_entries(entries, &mut self.compressor)?;
                }
            } else if let Some(column) = columns.next() {
                column.write(array, &mut self.compressor)?;
            }
        }
        Ok(())
    }

    /// Ends the row group that is open, if any, and sends it to the disk.
    pub fn close_row_group(&mut self) -> Result<()> {
        if self.group_rows == 0 {
            return Ok(());
        }
        self.group_rows = 0;
        let empty = self.empty_columns()?;
        let columns = std::mem::replace(&mut self.columns, empty);
        let compressor = &mut self.compressor;
        // One at a time: the pages of a column are freed when it is on the disk.
        self.file.append_from(columns.into_iter().map(|column| column.finish(compressor)))
    }

    /// Bytes that the row group under construction holds in memory.
    pub fn memory_size(&self) -> usize {
        self.columns.iter().map(LeafColumn::memory_size).sum()
    }

    /// Bytes the file would have if it were finished now, about.
    pub fn estimated_bytes(&self) -> u64 {
        let open: usize = self.columns.iter().map(LeafColumn::bytes).sum();
        (self.file.writer().bytes_written() + open) as u64
    }

    /// Closes the file, checks its footer and gives it its name.
    pub fn finish(mut self, partition: Option<PartitionValue>) -> Result<ParquetFile> {
        self.close_row_group()?;
        self.file.finish(self.rows, partition)
    }
}
