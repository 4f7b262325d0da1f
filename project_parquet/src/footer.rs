//! What a footer says, read back from the disk before the file gets its name.

use anyhow::{Context, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use thiserror::Error;

/// The footer's count differs from the rows that were handed to the writer: the file must not be published.
#[derive(Debug, Error)]
#[error("{path}: the footer says {in_footer} rows but {written} were written; the file is not published")]
pub struct RowCountMismatch {
    pub(crate) path: String,
    pub(crate) in_footer: u64,
    pub(crate) written: u64,
}

/// The true number of rows in the row groups that a writer has closed.
pub trait FileWriterRows {
    /// Sums the counts of the closed row groups.
    fn total_num_rows(&self) -> u64;
}

impl<W: Write + Send> FileWriterRows for SerializedFileWriter<W> {
    fn total_num_rows(&self) -> u64 {
        self.flushed_row_groups().iter().map(|group| group.num_rows().unsigned_abs()).sum()
    }
}

/// Opens the file as any reader would and compares the count of its footer, and of its row groups, with `written`.
/// Returns the size of the encoded columns before they were compressed.
pub(crate) fn check_row_count(path: &Path, written: u64) -> Result<u64> {
    let reading = || format!("cannot read {} back", path.display());
    let reader = SerializedFileReader::new(File::open(path).with_context(reading)?).with_context(reading)?;
    let metadata = reader.metadata();
    let in_groups: i64 = metadata.row_groups().iter().map(|group| group.num_rows()).sum();
    for count in [metadata.file_metadata().num_rows(), in_groups] {
        if u64::try_from(count) != Ok(written) {
            let path = path.display().to_string();
            return Err(RowCountMismatch { path, in_footer: count.unsigned_abs(), written }.into());
        }
    }
    Ok(metadata.row_groups().iter().map(|group| group.total_byte_size().unsigned_abs()).sum())
}
