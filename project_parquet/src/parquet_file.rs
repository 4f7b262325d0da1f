//! What a task hands on for every file it finished.

use std::path::PathBuf;

/// A finished, checked file on the local disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetFile {
    /// Where the file lies.
    pub path: PathBuf,
    /// Rows, as its footer says.
    pub rows: u64,
    /// Size on disk in bytes.
    pub bytes: u64,
    /// Size of its encoded columns before they were compressed.
    pub uncompressed_bytes: u64,
    /// The partition folder it belongs to, if the table is partitioned.
    pub partition: Option<PartitionValue>,
}

/// One `key=value` folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionValue {
    /// The partition column, for example `dt`.
    pub key: String,
    /// Its value as it stands in the folder name.
    pub value: String,
}
