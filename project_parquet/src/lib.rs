//! How a Parquet file is written and checked.
//!
//! A file is complete or absent: writers write under a hidden `.partial` name, and finishing consumes the
//! writer, syncs the bytes, reads the footer back and renames. Two writers share that path: [`ColumnarWriter`]
//! takes Arrow batches, [`TypedWriter`] takes records that derive `ParquetRecordWriter`. Both write the same
//! schema for the same table.

mod bool_values;
mod byte_values;
mod columnar;
mod compressed_column;
mod concatenate;
mod counters;
mod dictionary;
mod fixed_values;
mod footer;
mod hybrid;
mod lake_columns;
mod lake_name;
mod leaf_column;
mod logical;
mod nested_levels;
mod page_compressor;
mod page_encoding;
mod page_values;
mod parquet_file;
mod partial_file;
pub mod proof;
mod record_description;
mod row_group_file;
mod settings;
mod text_bounds;
mod typed;
mod typed_row_group;

pub use columnar::ColumnarWriter;
pub use concatenate::concatenate;
pub use counters::Counters;
pub use footer::{FileWriterRows, RowCountMismatch};
pub use lake_columns::{LakeColumn, lake_columns};
pub use lake_name::lake_name;
pub use logical::{Logical, record_columns, record_schema};
pub use parquet_file::{ParquetFile, PartitionValue};
pub use record_description::{RecordColumn, record_description};
pub use settings::WriterSettings;
pub use typed::{Record, TypedWriter};
