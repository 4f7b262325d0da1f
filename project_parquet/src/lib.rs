//! How a Parquet file is written and checked.
//!
//! A file is complete or absent: writers write under a hidden `.partial` name, and finishing consumes the
//! writer, syncs the bytes, reads the footer back and renames. Two writers share that path: [`ColumnarWriter`]
//! takes Arrow batches, [`TypedWriter`] takes records that derive `ParquetRecordWriter`. Both write the same
//! schema for the same table.

mod columnar;
mod compressed_column;
mod counters;
mod footer;
mod gzip_pages;
mod lake_columns;
mod logical;
mod parquet_file;
mod partial_file;
mod row_group_file;
mod settings;
mod typed;
mod typed_row_group;

pub use columnar::ColumnarWriter;
pub use counters::Counters;
pub use footer::{FileWriterRows, RowCountMismatch};
pub use lake_columns::{LakeColumn, lake_columns};
pub use logical::{Logical, record_columns, record_schema};
pub use parquet_file::{ParquetFile, PartitionValue};
pub use settings::WriterSettings;
pub use typed::{Record, TypedWriter};
