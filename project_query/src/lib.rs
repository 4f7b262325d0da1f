//! The embedded engine: SQL on a lake of Parquet files on the local disk.
//!
//! A table of the lake is a folder under its root, or a symbolic link to a folder of one run. Every link is resolved
//! once for each query, so that a query sees one run of a table even when a new run is published meanwhile. The engine
//! only reads: it writes no file but the one that it is told to write a result to, and its memory has a bound.

mod catalog;
mod engine_error;
mod error;
mod footer;
mod lake;
mod page;
mod partition_filter;
mod query;
mod result_file;
mod table;
mod table_files;

pub use error::QueryError;
pub use lake::Lake;
pub use page::{Column, ColumnKind, Page};
pub use query::{DEFAULT_MEMORY_LIMIT, QuerySettings};
