//! What a table could not take into the lake.

use parquet_derive::ParquetRecordWriter;
use project_parquet::Record;

/// A row of the lake's `<table>__rejects`: a value that has no place there. Its row is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, ParquetRecordWriter)]
pub struct RejectedValue {
    /// The primary key of the row as a JSON object, if it has one.
    pub row_key: Option<String>,
    /// The column in Postgres.
    pub column_name: String,
    /// The value as Postgres writes it, its first 10,000 characters.
    pub raw_text: Option<String>,
    /// Why it has no place.
    pub reason: String,
}

impl Record for RejectedValue {}
