//! A Parquet file, of whichever writer.

use crate::cell::{Reader, reader};
use crate::column_match::FileColumn;
use crate::copy_binary;
use crate::copy_text;
use crate::error::InsertError;
use crate::fit::Misfit;
use crate::input::{CopyFormat, PIECE, Pieces};
use crate::target_table::TargetColumn;
use crate::type_matrix::needs_text;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type;
use std::fmt::Display;
use std::fs::File;
use std::sync::Arc;

/// Bytes of the rows that are decoded at a time, by the file's own figures.
const BATCH_BYTES: u64 = 8 << 20;
const MOST_ROWS: u64 = 8192;

/// An open file.
pub(crate) struct ParquetInput {
    name: String,
    file: File,
    metadata: ArrowReaderMetadata,
    columns: Vec<FileColumn>,
}

impl ParquetInput {
    pub(crate) fn open(name: &str, file: File) -> Result<Self, InsertError> {
        // Types come from the Parquet schema alone: what a writer's Arrow had besides is not in the file.
        let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let damaged = |error: &dyn Display| damaged(name, error);
        let mut metadata = ArrowReaderMetadata::load(&file, options()).map_err(|error| damaged(&error))?;
        if let Some(schema) = with_legacy_timestamps(&metadata) {
            metadata =
                ArrowReaderMetadata::load(&file, options().with_schema(schema)).map_err(|error| damaged(&error))?;
        }
        let columns = metadata
            .schema()
            .fields()
            .iter()
            .map(|field| FileColumn { name: field.name().clone(), data_type: Some(field.data_type().clone()) });
        let columns = columns.collect();
        Ok(Self { name: name.to_owned(), file, metadata, columns })
    }

    pub(crate) fn columns(&self) -> &[FileColumn] {
        &self.columns
    }

    pub(crate) fn format(&self, targets: &[TargetColumn]) -> CopyFormat {
        let types = self.columns.iter().filter_map(|column| column.data_type.as_ref());
        let text = types.zip(targets).any(|(from, to)| needs_text(from, &to.column_type));
        if text { CopyFormat::Text } else { CopyFormat::Binary }
    }

    pub(crate) fn send(self, targets: &[TargetColumn], format: CopyFormat, to: &Pieces) -> Result<u64, InsertError> {
        let expected: i64 = self.metadata.metadata().file_metadata().num_rows();
        let batch_rows = self.batch_rows();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata);
        let batches = builder.with_batch_size(batch_rows).build().map_err(|error| damaged(&self.name, &error))?;
        let mut rows = Rows { name: &self.name, targets, format, count: 0, scratch: String::new() };
        let mut piece = Vec::with_capacity(PIECE + PIECE / 8);
        if format == CopyFormat::Binary {
            piece.extend_from_slice(copy_binary::HEADER);
        }
        for batch in batches {
            let batch = batch.map_err(|error| damaged(&self.name, &error))?;
            rows.encode(&batch, &mut piece, to)?;
        }
        if format == CopyFormat::Binary {
            piece.extend_from_slice(copy_binary::TRAILER);
        }
        to.send(piece)?;
        if i64::try_from(rows.count).ok() == Some(expected) {
            Ok(rows.count)
        } else {
            Err(damaged(&self.name, &format_args!("its footer counts {expected} rows, and it holds {}", rows.count)))
        }
    }

    fn batch_rows(&self) -> usize {
        let groups = self.metadata.metadata().row_groups();
        let widest = groups.iter().filter(|group| group.num_rows() > 0).map(|group| {
            let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
            bytes / u64::try_from(group.num_rows()).unwrap_or(1)
        });
        let rows = BATCH_BYTES / widest.max().unwrap_or(1).max(1);
        usize::try_from(rows.clamp(1, MOST_ROWS)).unwrap_or(1)
    }
}

/// The schema in which timestamps of 12 bytes are read as microseconds: as nanoseconds, the reader's own choice, a year
/// after 2262 would become another one in silence.
fn with_legacy_timestamps(metadata: &ArrowReaderMetadata) -> Option<Arc<Schema>> {
    let descriptor = metadata.metadata().file_metadata().schema_descr();
    let legacy = |at: usize| {
        let root = descriptor.root_schema().get_fields().get(at);
        root.is_some_and(|field| field.is_primitive() && field.get_physical_type() == Type::INT96)
    };
    let fields = metadata.schema().fields();
    (0..fields.len()).any(legacy).then(|| {
        let fields = fields.iter().enumerate().map(|(at, field)| match legacy(at) {
            true => Arc::new(Field::clone(field).with_data_type(DataType::Timestamp(TimeUnit::Microsecond, None))),
            false => Arc::clone(field),
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    })
}

/// Encodes rows and counts them.
struct Rows<'a> {
    name: &'a str,
    targets: &'a [TargetColumn],
    format: CopyFormat,
    count: u64,
    scratch: String,
}

impl Rows<'_> {
    fn encode(&mut self, batch: &RecordBatch, piece: &mut Vec<u8>, to: &Pieces) -> Result<(), InsertError> {
        let readers: Option<Vec<Reader<'_>>> = batch.columns().iter().map(|column| reader(column)).collect();
        let readers = readers.ok_or_else(|| damaged(self.name, &"it holds a type that has no place"))?;
        let fields = i16::try_from(readers.len()).map_err(|_| damaged(self.name, &"it has too many columns"))?;
        for row in 0..batch.num_rows() {
            self.count += 1;
            if self.format == CopyFormat::Binary {
                copy_binary::begin_row(fields, piece);
            }
            for (at, (read, target)) in readers.iter().zip(self.targets).enumerate() {
                let written = match self.format {
                    CopyFormat::Binary => copy_binary::write(read(row), &target.column_type, piece),
                    _ => copy_text::write(read(row), &target.column_type, at == 0, &mut self.scratch, piece),
                };
                written.map_err(|misfit| self.refused(target, misfit))?;
            }
            if self.format == CopyFormat::Text {
                piece.push(b'\n');
            }
            if piece.len() >= PIECE {
                to.send(std::mem::replace(piece, Vec::with_capacity(PIECE + PIECE / 8)))?;
            }
        }
        Ok(())
    }

    fn refused(&self, target: &TargetColumn, misfit: Misfit) -> InsertError {
        InsertError::data(format!(
            "row {} of {}, column \"{}\" ({}): a value {}; nothing was written",
            self.count,
            self.name,
            target.name,
            target.type_name,
            misfit.sentence()
        ))
    }
}

fn damaged(name: &str, error: &dyn Display) -> InsertError {
    InsertError::data(format!("{name} is not a Parquet file that can be read: {error}; write it again"))
}
