//! Parquet files of others: their rows as they are, in the types of the lake.

use crate::column_type::ColumnType;
use crate::error::ExtraError;
use crate::input::Input;
use crate::lake_types::{lake_type, lake_values};
use crate::parquet_leaves::{schema_of_values, schema_to_read};
use crate::part_writer::{PartSettings, PartWriter};
use crate::source_file::SourceFile;
use crate::table::{Made, named_columns};
use anyhow::{Context, Result};
use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::fmt::Display;
use std::fs::{File, create_dir_all, remove_file};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are decoded at once.
const ROWS: usize = 4096;
const UNPACKED_AT_ONCE: usize = 1 << 20;

/// Files of one schema.
pub(crate) struct ParquetSource<'a> {
    pub(crate) files: &'a [SourceFile],
    pub(crate) unit: TimeUnit,
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
}

/// A file that can be read by position; what was unpacked for that goes with it.
struct Opened {
    file: File,
    metadata: ArrowReaderMetadata,
    schema: SchemaRef,
    unpacked: Option<PathBuf>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(path) = &self.unpacked {
            // Its folder is removed with the run's.
            let _ = remove_file(path);
        }
    }
}

impl ParquetSource<'_> {
    /// Looks at the schemas of all files, then copies their rows.
    pub(crate) fn load(&self, parts: impl FnOnce(SchemaRef) -> PartSettings, scratch: &Path) -> Result<Made> {
        let first = self.files.first().context("there is a file")?;
        let source = Arc::clone(&self.open(first, scratch)?.schema);
        if source.fields().is_empty() {
            return Err(ExtraError::file(first, "the file has no columns; a table needs at least one"));
        }
        for file in &self.files[1..] {
            check_same(file, &self.open(file, scratch)?.schema, first, &source)?;
        }
        let names = source.fields().iter().map(|field| (field.name().clone(), ColumnType::Text));
        let mut columns = named_columns(names, first)?;
        let mut fields = Vec::with_capacity(columns.len());
        for (column, field) in columns.iter_mut().zip(source.fields()) {
            let kind = lake_type(field.data_type(), self.unit).ok_or_else(|| {
                let what =
                    format!("column \"{}\" is {}, which the lake has no type for", column.name, field.data_type());
                ExtraError::file(first, what)
            })?;
            column.kind = ColumnType::of(&kind);
            fields.push(Field::new(&column.lake_name, kind, true));
        }
        let schema = Arc::new(Schema::new(fields));
        let writer = PartWriter::start(parts(Arc::clone(&schema)))?;
        let (mut rows_read, mut cut) = (0, vec![0; columns.len()]);
        for file in self.files {
            let rows = self.copy(file, scratch, &schema, &writer, &mut cut)?;
            let Some(rows) = rows else { break };
            rows_read += rows;
        }
        Ok(Made { columns, files: writer.finish()?, rows_read, rows_rejected: 0, rejects: None, cut })
    }

    /// Returns how many rows the file has; nothing when nobody takes them any more.
    fn copy(
        &self,
        file: &SourceFile,
        scratch: &Path,
        schema: &SchemaRef,
        writer: &PartWriter,
        cut: &mut [u64],
    ) -> Result<Option<u64>> {
        let opened = self.open(file, scratch)?;
        let rows = u64::try_from(opened.metadata.metadata().file_metadata().num_rows())?;
        let damaged = |error: &dyn Display| ExtraError::file(file, format!("cannot be read: {error}"));
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(opened.file.try_clone()?, opened.metadata.clone());
        let mut read = 0;
        for batch in builder.with_batch_size(ROWS).build().map_err(|error| damaged(&error))? {
            if (self.stop)() {
                return Err(ExtraError::Stopped.into());
            }
            let batch = batch.map_err(|error| damaged(&error))?;
            let mut arrays = Vec::with_capacity(batch.num_columns());
            for (position, (array, field)) in batch.columns().iter().zip(schema.fields()).enumerate() {
                let (values, cuts) = lake_values(array, field.data_type()).map_err(|error| {
                    let name = batch.schema().field(position).name().clone();
                    ExtraError::file(file, format!("column \"{name}\": {error}"))
                })?;
                cut[position] += cuts;
                arrays.push(values);
            }
            read += batch.num_rows() as u64;
            if !writer.write(RecordBatch::try_new(Arc::clone(schema), arrays)?) {
                return Ok(None);
            }
        }
        if read != rows {
            return Err(damaged(&format!("its footer says {rows} rows, there are {read}")));
        }
        Ok(Some(rows))
    }

    fn open(&self, source: &SourceFile, scratch: &Path) -> Result<Opened> {
        let (file, unpacked) = match Input::open(source)? {
            Input::Plain(file) => (file, None),
            packed => {
                let (file, path) = self.unpack(source, packed, scratch)?;
                (file, Some(path))
            }
        };
        // The file's own columns are to be seen, and not what its writer says of them.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let unreadable = |error| ExtraError::file(source, format!("is no Parquet file that can be read: {error}"));
        let metadata = ArrowReaderMetadata::load(&file, options.clone()).map_err(unreadable)?;
        let columns = metadata.metadata().file_metadata().schema_descr();
        let to_read = schema_to_read(metadata.schema(), columns)?;
        let schema = schema_of_values(&to_read, columns)?;
        let metadata = if to_read.fields() == metadata.schema().fields() {
            metadata
        } else {
            ArrowReaderMetadata::load(&file, options.with_schema(to_read)).map_err(unreadable)?
        };
        Ok(Opened { file, metadata, schema, unpacked })
    }

    /// A footer is at the end, and nobody can jump there in a gzip file.
    fn unpack(&self, source: &SourceFile, mut packed: Input, scratch: &Path) -> Result<(File, PathBuf)> {
        create_dir_all(scratch).with_context(|| format!("cannot create the folder {}", scratch.display()))?;
        let path = scratch.join(".unpacked.parquet");
        let writing = || format!("cannot unpack {} into {}", source.name, path.display());
        let mut file = File::create(&path).with_context(writing)?;
        let mut buffer = vec![0; UNPACKED_AT_ONCE];
        loop {
            if (self.stop)() {
                return Err(ExtraError::Stopped.into());
            }
            match packed.fill(source, &mut buffer)? {
                0 => break,
                filled => file.write_all(&buffer[..filled]).with_context(writing)?,
            }
        }
        drop(file);
        Ok((File::open(&path).with_context(writing)?, path))
    }
}

/// The columns may stand in no other order either: a missing one is more likely a mistake than a NULL.
fn check_same(file: &SourceFile, schema: &SchemaRef, first: &SourceFile, known: &SchemaRef) -> Result<()> {
    let names = |schema: &SchemaRef| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<String>>();
    if names(schema) != names(known) {
        let what = format!("its columns are not those of {}; all files of one table have the same columns", first.name);
        return Err(ExtraError::file(file, what));
    }
    for (field, expected) in schema.fields().iter().zip(known.fields()) {
        if field.data_type() != expected.data_type() {
            let (name, here, there) = (field.name(), field.data_type(), expected.data_type());
            let what = format!("column \"{name}\" is {here}, in {} it is {there}", first.name);
            return Err(ExtraError::file(file, what));
        }
    }
    Ok(())
}
