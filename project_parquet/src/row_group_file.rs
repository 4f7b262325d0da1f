//! A hidden file that grows by finished row groups: the end of both writers.

use crate::compressed_column::FinishedColumn;
use crate::counters::Counters;
use crate::footer::{FileWriterRows, RowCountMismatch};
use crate::parquet_file::{ParquetFile, PartitionValue};
use crate::partial_file::PartialFile;
use anyhow::{Context, Result};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// An unfinished file; its bytes are counted as they go to disk.
#[derive(Debug)]
pub(crate) struct RowGroupFile {
    file: PartialFile,
    writer: SerializedFileWriter<File>,
    counters: Arc<Counters>,
    bytes_counted: u64,
}

impl RowGroupFile {
    /// Creates the file, hidden until [`finish`](Self::finish).
    pub(crate) fn create(
        path: &Path,
        schema: TypePtr,
        props: WriterPropertiesPtr,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        let (file, handle) = PartialFile::create(path)?;
        let writer = SerializedFileWriter::new(handle, schema, props)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, writer, counters, bytes_counted: 0 })
    }

    /// Where the finished file will lie, for messages.
    pub(crate) fn target(&self) -> &Path {
        self.file.target()
    }

    /// The writer, for what has to know its schema.
    pub(crate) fn writer(&self) -> &SerializedFileWriter<File> {
        &self.writer
    }

    /// Appends a row group.
    pub(crate) fn append(&mut self, columns: impl IntoIterator<Item = FinishedColumn>) -> Result<()> {
        let columns = columns.into_iter().map(Ok);
        self.append_from(columns)
    }

    /// Appends a row group whose columns lie in a file or in memory; offsets in their metadata count from its start.
    pub(crate) fn append_from<R: ChunkReader>(
        &mut self,
        columns: impl Iterator<Item = Result<(R, ColumnCloseResult)>>,
    ) -> Result<()> {
        let target = self.file.target();
        let writing = || format!("cannot write a row group of {}", target.display());
        let mut group = self.writer.next_row_group().with_context(writing)?;
        for column in columns {
            let (reader, close) = column?;
            group.append_column(&reader, close).with_context(writing)?;
        }
        group.close().with_context(writing)?;
        let written = self.writer.bytes_written() as u64;
        self.counters.add_bytes(written - self.bytes_counted);
        self.bytes_counted = written;
        Ok(())
    }

    /// Closes the file, compares its rows with those that were `taken`, and gives it its name.
    pub(crate) fn finish(self, taken: u64, partition: Option<PartitionValue>) -> Result<ParquetFile> {
        let target = self.file.target().display().to_string();
        let in_groups = self.writer.total_num_rows();
        if in_groups != taken {
            return Err(RowCountMismatch { path: target, in_footer: in_groups, written: taken }.into());
        }
        let handle = self.writer.into_inner().with_context(|| format!("cannot close {target}"))?;
        let file = self.file.finish(handle, taken, partition)?;
        self.counters.add_bytes(file.bytes.saturating_sub(self.bytes_counted));
        Ok(file)
    }
}
