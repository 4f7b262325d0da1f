//! The way back: rows of a Parquet or CSV file go into a Postgres table, all of them or none.
//!
//! Everything happens in one transaction. Rows are copied into a temporary table, are looked at there, and only then the
//! target is locked and changed. In one transaction the temporary table cannot outlive the run, whatever ends it, and
//! nothing depends on what a pooler does between two of them. It is READ COMMITTED, so that what is compared after the
//! lock was taken is what is there then.

mod apply;
mod calendar;
mod cell;
mod column_match;
mod column_type;
mod copy_binary;
mod copy_text;
mod csv_input;
mod digits;
mod error;
mod fit;
mod input;
mod parquet_input;
mod server_error;
mod session;
mod staging;
mod target_table;
mod type_matrix;

pub use error::{InsertError, InsertErrorKind};
pub use session::{check, insert};

use arrow::datatypes::DataType;
use project_postgres::TableName;
use std::fmt;
use std::path::PathBuf;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Insertion {
    /// One or more files of the same kind with the same columns.
    pub files: Vec<InputFile>,
    /// The table, which exists.
    pub table: TableName,
    /// The columns that tell rows apart; without them the primary key does.
    pub key: Option<Vec<String>>,
    /// What happens with rows whose key is in the table already, and with the others that are in it.
    pub mode: Mode,
    /// How many per cent of its rows a replaced table may lose.
    pub max_shrink: u32,
    /// Replaces all the same.
    pub force: bool,
}

/// A local file.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// Where it is.
    pub path: PathBuf,
    /// What the person at the keyboard calls it.
    pub name: String,
    /// For CSV: the types that its columns are known to have, by their names; nothing lets the server decide.
    pub declared: Option<Vec<(String, DataType)>>,
}

/// What happens with rows that are in the table already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Rows whose key is in the table stay as they are.
    Insert,
    /// They become what the file says.
    Upsert,
    /// The same, and all others go.
    Replace,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert",
            Self::Upsert => "upsert",
            Self::Replace => "replace",
        })
    }
}

/// What was done: `rows_read = inserted + updated + unchanged`, which is proven before the transaction is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Rows of the files.
    pub rows_read: u64,
    /// New rows.
    pub inserted: u64,
    /// Rows that have changed.
    pub updated: u64,
    /// Rows that were there and were left alone.
    pub unchanged: u64,
    /// Of those, the ones that differ from the file's; only `insert` leaves such rows.
    pub differing: u64,
    /// Rows that were not in the files, and are gone.
    pub deleted: u64,
    /// What the person at the keyboard may want to know.
    pub notes: Vec<String>,
}

impl Inserted {
    /// Rows of the files that have changed the table.
    pub fn applied(&self) -> u64 {
        self.inserted + self.updated
    }
}
