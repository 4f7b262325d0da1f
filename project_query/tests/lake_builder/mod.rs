//! Small lakes in a temporary folder.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs::{self, File};
use std::future::pending;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use project_query::{Lake, QueryError, QuerySettings};
use tempfile::TempDir;

pub(crate) type Row = Vec<Option<String>>;

pub(crate) struct LakeFolder {
    pub(crate) folder: TempDir,
}

impl LakeFolder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, batch: &RecordBatch) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    }

    /// Switches the link of a table as publishing does: a new link, renamed over the old one.
    pub(crate) fn link(&self, table: &str, run: &str) {
        let fresh = self.path(&format!(".{table}.link"));
        symlink(Path::new(&format!("run={run}")).join(table), &fresh).unwrap();
        fs::rename(fresh, self.path(table)).unwrap();
    }

    pub(crate) fn open(&self) -> Lake {
        Lake::open(self.folder.path()).unwrap()
    }

    pub(crate) fn query(&self, sql: &str) -> Result<(Vec<String>, Vec<Row>), QueryError> {
        query_with(&self.open(), sql, &QuerySettings::default())
    }

    pub(crate) fn rows(&self, sql: &str) -> Vec<Row> {
        self.query(sql).unwrap().1
    }

    pub(crate) fn refusal(&self, sql: &str) -> QueryError {
        let error = self.query(sql).unwrap_err();
        let message = error.to_string();
        for noise in ["Error(", "ParserError", "Some(", "backtrace", "\n", "External"] {
            assert!(!message.contains(noise), "Rust noise in: {message}");
        }
        error
    }
}

pub(crate) fn query_with(
    lake: &Lake,
    sql: &str,
    settings: &QuerySettings,
) -> Result<(Vec<String>, Vec<Row>), QueryError> {
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    runtime().block_on(lake.query(sql, settings, pending(), &mut |page| {
        names = page.columns.iter().map(|column| column.name.clone()).collect();
        rows.extend(page.rows);
        Ok(ControlFlow::Continue(()))
    }))?;
    Ok((names, rows))
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) fn row<const N: usize>(values: [&str; N]) -> Row {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

pub(crate) fn ids(ids: &[i32]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int32Array::from(ids.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("id", ids, true)]).unwrap()
}

/// `id`, `name`, `amount DECIMAL(18,2)`.
pub(crate) fn orders(rows: &[(i32, Option<&str>, Option<i128>)]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int32Array>());
    let names: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>());
    let amounts = rows.iter().map(|row| row.2).collect::<Decimal128Array>();
    let amounts: ArrayRef = Arc::new(amounts.with_precision_and_scale(18, 2).unwrap());
    RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("name", names, true), ("amount", amounts, true)])
        .unwrap()
}
