//! Arrow batches, encoded as they come.

use crate::counters::Counters;
use crate::gzip_pages::GzipPages;
use crate::logical::SCHEMA_ROOT;
use crate::parquet_file::{ParquetFile, PartitionValue};
use crate::row_group_file::RowGroupFile;
use crate::settings::WriterSettings;
use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use std::path::Path;
use std::sync::Arc;

/// A file that is being written from Arrow batches.
#[derive(Debug)]
pub struct ColumnarWriter {
    file: RowGroupFile,
    columns: ArrowRowGroupWriterFactory,
    pages: Arc<GzipPages>,
    schema: SchemaRef,
    open: Option<OpenRowGroup>,
    settings: WriterSettings,
    rows: u64,
    counters: Arc<Counters>,
}

/// The row group that is being encoded; its finished pages wait in memory.
struct OpenRowGroup {
    writers: Vec<ArrowColumnWriter>,
    rows: usize,
}

impl std::fmt::Debug for OpenRowGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenRowGroup").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl ColumnarWriter {
    /// Creates the file, hidden until [`finish`](Self::finish).
    pub fn create(path: &Path, schema: SchemaRef, settings: &WriterSettings, counters: Arc<Counters>) -> Result<Self> {
        let props = settings.uncompressed_props();
        let converter = ArrowSchemaConverter::new().with_coerce_types(props.coerce_types()).schema_root(SCHEMA_ROOT);
        let parquet_schema = converter.convert(&schema)?;
        let pages = GzipPages::new(settings.gzip_level)?;
        let file = RowGroupFile::create(path, parquet_schema.root_schema_ptr(), props, counters.clone())?;
        let columns =
            ArrowRowGroupWriterFactory::new(file.writer(), schema.clone()).with_page_store_factory(pages.clone());
        let settings = settings.clone();
        Ok(Self { file, columns, pages, schema, open: None, settings, rows: 0, counters })
    }

    /// Encodes a batch; closes the row group when it holds enough rows or bytes.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let target = self.file.target();
        let writing = || format!("cannot write {}", target.display());
        let mut group = match self.open.take() {
            Some(group) => group,
            None => {
                let index = self.file.writer().flushed_row_groups().len();
                OpenRowGroup { writers: self.columns.create_column_writers(index).with_context(writing)?, rows: 0 }
            }
        };
        let mut writers = group.writers.iter_mut();
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array).with_context(writing)? {
                writers.next().with_context(writing)?.write(&leaf).with_context(writing)?;
            }
        }
        group.rows += batch.num_rows();
        let bytes: usize = group.writers.iter().map(ArrowColumnWriter::memory_size).sum();
        let full = group.rows >= self.settings.row_group_rows || bytes >= self.settings.row_group_bytes;
        self.open = Some(group);
        self.rows += batch.num_rows() as u64;
        self.counters.add_rows(batch.num_rows() as u64);
        if full { self.close_row_group() } else { Ok(()) }
    }

    fn close_row_group(&mut self) -> Result<()> {
        let Some(group) = self.open.take() else { return Ok(()) };
        let target = self.file.target();
        let writing = || format!("cannot write a row group of {}", target.display());
        let chunks = group.writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>();
        let finished = self.pages.finish(chunks.with_context(writing)?).with_context(writing)?;
        self.file.append(finished)
    }

    /// Bytes the file would have if it were finished now, about.
    pub fn estimated_bytes(&self) -> u64 {
        (self.file.writer().bytes_written() + self.pages.memory_size()) as u64
    }

    /// Closes the file, checks its footer and gives it its name.
    pub fn finish(mut self, partition: Option<PartitionValue>) -> Result<ParquetFile> {
        self.close_row_group()?;
        self.file.finish(self.rows, partition)
    }
}
