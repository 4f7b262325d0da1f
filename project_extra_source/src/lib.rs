//! How files that are no Postgres table become one of the lake.
//!
//! CSV, JSON lines and Parquet, plain or gzip, one file or several of one shape, become the Parquet files of one table.
//! Types are inferred over the whole input, therefore text is read twice, in windows of complete records whose size does
//! not grow with the file. A record that Arrow's readers would give a whole file up for is found before they see it (by
//! csv-core, which arrow-csv is made of; a line of JSON is a line) and put aside with its number, never dropped.

mod column_type;
mod csv_records;
mod csv_source;
mod error;
mod inference;
mod input;
mod json_line;
mod json_shape;
mod json_source;
mod lake_types;
mod loading;
mod parquet_leaves;
mod parquet_source;
mod part_writer;
mod rejects;
mod schema_file;
mod source_file;
mod table;
mod text_value;
mod typed_column;
mod windows;

pub use column_type::{ColumnType, Member};
pub use error::ExtraError;
pub use loading::{ExtraSource, Loaded};
pub use schema_file::SchemaFile;
pub use source_file::SourceFile;
pub use table::Column;
