//! A database with a table, files for it, and the insertion.

use anyhow::{Context, Result, ensure};
use arrow::array::RecordBatch;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use project_insert_data::{InputFile, InsertError, InsertErrorKind, Inserted, Insertion, Mode, insert};
use project_postgres::{ConnectionDefaults, ConnectionSettings, TableName};
use project_test_servers::postgres::{Database, Postgres};
use std::fs::{File, write};
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A database of its own and a folder for files.
pub(crate) struct Fixture {
    pub(crate) database: Database<'static>,
    folder: TempDir,
}

impl Fixture {
    /// Runs `sql` first.
    pub(crate) fn new(sql: &str) -> Result<Self> {
        let database = Database::create(Postgres::shared()?)?;
        database.execute(sql)?;
        Ok(Self { database, folder: TempDir::new()? })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A CSV file; `.gz` in its name compresses it.
    pub(crate) fn csv(&self, name: &str, text: impl AsRef<[u8]>) -> Result<InputFile> {
        if name.ends_with(".gz") {
            let mut encoder = GzEncoder::new(File::create(self.path(name))?, Compression::fast());
            encoder.write_all(text.as_ref())?;
            encoder.finish()?;
        } else {
            write(self.path(name), text)?;
        }
        Ok(self.file(name))
    }

    /// A Parquet file.
    pub(crate) fn parquet(&self, name: &str, batches: &[RecordBatch]) -> Result<InputFile> {
        let schema = batches.first().context("a batch")?.schema();
        let mut writer = ArrowWriter::try_new(File::create(self.path(name))?, schema, None)?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.close()?;
        Ok(self.file(name))
    }

    /// A file that is there.
    pub(crate) fn file(&self, name: &str) -> InputFile {
        InputFile { path: self.path(name), name: name.to_owned(), declared: None }
    }

    /// Inserts into `public.t`.
    pub(crate) fn insert(&self, mode: Mode, file: InputFile) -> Result<Inserted, InsertError> {
        self.run(&insertion(mode, file))
    }

    /// Inserts as the superuser.
    pub(crate) fn run(&self, insertion: &Insertion) -> Result<Inserted, InsertError> {
        self.run_as(&self.database.uri(), insertion, &CancellationToken::new())
    }

    /// Inserts as whom the URI names.
    #[expect(
        clippy::unwrap_used,
        reason = "a test that cannot begin fails by panicking, and errors are what it looks at"
    )]
    pub(crate) fn run_as(
        &self,
        uri: &str,
        insertion: &Insertion,
        cancel: &CancellationToken,
    ) -> Result<Inserted, InsertError> {
        let settings = ConnectionSettings::parse(uri, &ConnectionDefaults::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(insert(&settings, "run", insertion, cancel))
    }

    /// The rows of a query, columns with commas and rows with semicolons between them; NULL is `~`.
    pub(crate) fn rows(&self, sql: &str) -> Result<String> {
        let value = |value: Option<String>| value.unwrap_or_else(|| "~".to_owned());
        let rows = self.database.query_text(sql)?.into_iter();
        let rows: Vec<String> = rows.map(|row| row.into_iter().map(value).collect::<Vec<_>>().join(",")).collect();
        Ok(rows.join(";"))
    }

    /// Fails unless the insertion is refused so, with all of these words, and the table is what it was.
    pub(crate) fn refuses(&self, insertion: &Insertion, kind: InsertErrorKind, words: &[&str]) -> Result<String> {
        let all = format!("SELECT t::text FROM {} AS t ORDER BY t::text", insertion.table.quoted());
        let before = self.database.query_text(&all)?;
        let error = self.run(insertion).err().context("it should have been refused")?;
        let message = error.to_string();
        ensure!(error.kind() == kind, "{:?}: {message}", error.kind());
        for word in words {
            ensure!(message.contains(word), "{word:?} is not in: {message}");
        }
        ensure!(!message.contains("canary"), "a value is in: {message}");
        ensure!(before == self.database.query_text(&all)?, "the table has changed");
        ensure!(
            self.rows("SELECT count(*) FROM pg_class WHERE relname = 'project_staging'")? == "0",
            "staging is left"
        );
        Ok(message)
    }
}

/// Into `public.t`, by its primary key.
pub(crate) fn insertion(mode: Mode, file: InputFile) -> Insertion {
    Insertion { files: vec![file], table: TableName::new("public", "t"), key: None, mode, max_shrink: 50, force: false }
}

/// Read, inserted, updated, unchanged, differing, deleted.
pub(crate) fn figures(done: &Inserted) -> [u64; 6] {
    [done.rows_read, done.inserted, done.updated, done.unchanged, done.differing, done.deleted]
}
