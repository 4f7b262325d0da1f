//! The table beside a table: what the lake cannot hold of it.

use anyhow::Result;
use project_parquet::{Counters, ParquetFile, TypedWriter, WriterSettings};
use project_postgres::Reject;
use project_schemas::rejects::RejectedValue;
use std::path::Path;
use std::sync::Arc;

/// What follows the name of a table in that of the table of its rejects.
pub const REJECTS_SUFFIX: &str = "__rejects";

/// Writes the only file of the table, also when nothing was rejected: what an earlier run has rejected gives way.
pub fn write_rejects(path: &Path, rejects: Vec<Reject>, settings: &WriterSettings) -> Result<ParquetFile> {
    let mut writer = TypedWriter::create(path, settings, Arc::new(Counters::default()))?;
    writer.extend(rejects.into_iter().map(|reject| RejectedValue {
        row_key: reject.key,
        column_name: reject.column,
        raw_text: reject.value,
        reason: reject.reason,
    }))?;
    writer.finish()
}
