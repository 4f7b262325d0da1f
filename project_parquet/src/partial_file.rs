//! A file that is complete or absent.

use crate::footer::check_row_count;
use crate::parquet_file::{ParquetFile, PartitionValue};
use anyhow::{Context, Result};
use std::fs::{File, create_dir_all, remove_file, rename};
use std::path::{Path, PathBuf};
use tracing::warn;

/// Owner of an unfinished file; dropping it removes the file.
#[derive(Debug)]
pub(crate) struct PartialFile {
    partial: PathBuf,
    target: PathBuf,
    finished: bool,
}

impl PartialFile {
    /// Creates `.NAME.partial` beside `target`, and its folder if that is missing. The leading dot hides it from
    /// every engine that might read the folder meanwhile.
    pub(crate) fn create(target: &Path) -> Result<(Self, File)> {
        let folder = target.parent().with_context(|| format!("{} has no folder", target.display()))?;
        let name = target.file_name().with_context(|| format!("{} has no file name", target.display()))?;
        create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let partial = folder.join(format!(".{}.partial", name.to_string_lossy()));
        let file = File::create(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
        Ok((Self { partial, target: target.to_owned(), finished: false }, file))
    }

    /// Where the finished file will lie, for messages.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the bytes durable, reads the footer back, and only then gives the file its name.
    pub(crate) fn finish(mut self, file: File, rows: u64, partition: Option<PartitionValue>) -> Result<ParquetFile> {
        let writing = || format!("cannot finish {}", self.target.display());
        file.sync_all().with_context(writing)?;
        let bytes = file.metadata().with_context(writing)?.len();
        drop(file);
        let uncompressed_bytes = check_row_count(&self.partial, rows)?;
        rename(&self.partial, &self.target).with_context(writing)?;
        self.finished = true;
        Ok(ParquetFile { path: self.target.clone(), rows, bytes, uncompressed_bytes, partition })
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = remove_file(&self.partial)
        {
            warn!(file = %self.partial.display(), %error, "an unfinished file could not be removed");
        }
    }
}
