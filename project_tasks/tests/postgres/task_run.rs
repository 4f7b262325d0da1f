//! Runs a task against a test's database into a temporary folder.

use anyhow::Result;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Row;
use parquet::schema::types::Type;
use project_parquet::{Counters, WriterSettings};
use project_postgres::{Choices, ConnectionDefaults, ConnectionSettings, Source};
use project_tasks::{MemoryShare, Task, TaskContext, Written};
use project_test_servers::postgres::Database;
use std::ffi::OsStr;
use std::fs::File;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use tempfile::{TempDir, tempdir};
use tokio_util::sync::CancellationToken;

/// What a task has written, and the folder that holds it.
pub(crate) struct Finished {
    pub(crate) written: Written,
    folder: TempDir,
}

impl Finished {
    /// Paths below the task's folder.
    pub(crate) fn paths(&self) -> Vec<String> {
        let relative = |path: &Path| path.strip_prefix(self.folder.path()).unwrap().display().to_string();
        let mut paths: Vec<String> = self.written.files.iter().map(|file| relative(&file.path)).collect();
        paths.sort();
        paths
    }

    /// The Parquet schema of the first file.
    pub(crate) fn schema(&self) -> Type {
        reader(&self.written.files[0].path).metadata().file_metadata().schema().clone()
    }

    /// All rows, file by file.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let files = self.written.files.iter();
        files.flat_map(|file| reader(&file.path).into_iter().map(Result::unwrap)).collect()
    }
}

fn reader(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

/// Runs the task with two workers; whatever a failed task leaves in its folder is an error of its own.
pub(crate) fn run(database: &Database<'_>, task: &Task) -> Result<Finished> {
    run_with(database, task, Choices::default())
}

/// The same where somebody has chosen something.
pub(crate) fn run_with(database: &Database<'_>, task: &Task, choices: Choices) -> Result<Finished> {
    run_changed(&database.uri(), task, |context| context.choices = Arc::new(choices))
}

/// The same as whoever the URI names.
pub(crate) fn run_as(uri: &str, task: &Task, choices: Choices) -> Result<Finished> {
    run_changed(uri, task, |context| context.choices = Arc::new(choices))
}

/// The same in a context that is changed before.
pub(crate) fn run_changed(uri: &str, task: &Task, change: impl FnOnce(&mut TaskContext)) -> Result<Finished> {
    let settings = ConnectionSettings::parse(uri, &ConnectionDefaults::default())?;
    let folder = tempdir()?;
    let mut context = TaskContext {
        source: Source::new(settings, "test"),
        folder: folder.path().to_owned(),
        fetch_size: NonZeroU32::new(7).unwrap(),
        writer: WriterSettings::new(1),
        workers: 2,
        memory: MemoryShare::of(192 << 20, 2),
        window: None,
        choices: Arc::new(Choices::default()),
        rejects: None,
        verify: false,
        finished: None,
        counters: Arc::new(Counters::default()),
        cancel: CancellationToken::new(),
    };
    change(&mut context);
    let runtime = tokio::runtime::Runtime::new()?;
    let written = runtime.block_on(task.run(context.clone()));
    if written.is_err() {
        let unfinished = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
        let left =
            folder.path().read_dir()?.filter(|entry| entry.as_ref().is_ok_and(|entry| unfinished(&entry.file_name())));
        assert_eq!(left.count(), 0, "a failed task left unfinished files");
    }
    let written = written?;
    assert_eq!(context.counters.rows(), written.rows(), "the counters disagree with the footers");
    Ok(Finished { written, folder })
}
