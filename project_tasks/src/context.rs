//! Everything that a task may touch, and what it gives back.

use crate::memory_share::MemoryShare;
use project_parquet::{Counters, ParquetFile, WriterSettings};
use project_partition_dates::DateWindow;
use project_postgres::{Choices, ColumnChange, Reject, Source};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio_util::sync::CancellationToken;

/// Everything that a task may touch: no environment, no AWS.
#[derive(Debug, Clone)]
pub struct TaskContext {
    /// Where rows come from.
    pub source: Source,
    /// The task's own folder, empty at the start; whatever is left in it after a failure is removed.
    pub folder: PathBuf,
    /// Rows per request to the database.
    pub fetch_size: NonZeroU32,
    /// How files are written.
    pub writer: WriterSettings,
    /// Connections that read at the same time, at most.
    pub workers: usize,
    /// What each of them may hold in memory.
    pub memory: MemoryShare,
    /// The dates that a task which is cut by date reads; all of them when there is none.
    pub window: Option<DateWindow>,
    /// What somebody has chosen for this run: columns, rows, policies.
    pub choices: Arc<Choices>,
    /// How many rows of a table may be put aside that the lake cannot hold; without it the first one fails the table.
    pub rejects: Option<u64>,
    /// Whether the finished files of a table that is copied as it is are compared with it, column by column.
    pub verify: bool,
    /// Gets every file that will not change any more while the task goes on, if somebody wants it.
    pub finished: Option<SyncSender<ParquetFile>>,
    /// Where writers count rows and bytes, from zero.
    pub counters: Arc<Counters>,
    /// Set when the run is to stop.
    pub cancel: CancellationToken,
}

impl TaskContext {
    /// Where the only file of a task goes, or its first.
    pub fn first_file(&self) -> PathBuf {
        self.folder.join("part-00000.parquet")
    }
}

/// What a task has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The finished files, all below the task's folder.
    pub files: Vec<ParquetFile>,
    /// Values that have no exact place in the lake and were changed, as the policies say.
    pub changes: Vec<ColumnChange>,
    /// Rows that were read to be written. [`Task::run`](crate::Task::run) fails a task of whose rows any is missing.
    pub rows_read: u64,
    /// Rows of them that are in no file, because the lake cannot hold them.
    pub rejected_rows: u64,
    /// Their values that it cannot hold.
    pub rejects: Vec<Reject>,
    /// What was compared, when that was asked for and can be done.
    pub verified: Option<Verified>,
}

/// Columns that hold in the finished files what they hold in the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many were compared by null count, min, max, sum and hash.
    pub columns: usize,
    /// Those in which text was replaced, as Postgres calls them: only their NULLs could be compared.
    pub counted_only: Vec<String>,
}

impl Written {
    /// One file, of a task that changes nothing, and the number of rows that it was made of.
    pub fn one(file: ParquetFile, rows_read: u64) -> Self {
        Self { files: vec![file], rows_read, ..Self::default() }
    }

    /// Rows in all files, as their footers say.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Bytes of their encoded columns before they were compressed.
    pub fn uncompressed_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.uncompressed_bytes).sum()
    }
}
