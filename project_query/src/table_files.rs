//! The files of one table, and the partition each of them belongs to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::QueryError;
use crate::lake::is_hidden;

/// What Hive and Athena call the partition of the rows whose key is NULL.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A deeper nesting is a loop of links, not a table.
const MAX_PARTITION_KEYS: usize = 16;

/// One Parquet file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// One value for each partition key, in the order of the keys.
    pub(crate) partition: Vec<Option<String>>,
}

/// The partition keys of a table, outermost first, and its files in a stable order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableFiles {
    pub(crate) keys: Vec<String>,
    pub(crate) files: Vec<TableFile>,
}

/// Lists the files below the folder of a table.
pub(crate) fn list(table: &str, folder: &Path) -> Result<TableFiles, QueryError> {
    let mut walk = Walk { table, keys: None, files: Vec::new() };
    walk.folder(folder, &[])?;
    if walk.files.is_empty() {
        return Err(QueryError::Disk(format!(
            "the table \"{table}\" has no Parquet file in {}; run its task again",
            folder.display()
        )));
    }
    Ok(TableFiles { keys: walk.keys.unwrap_or_default(), files: walk.files })
}

/// One `key=value` folder on the way to a file.
type Step = (String, Option<String>);

struct Walk<'a> {
    table: &'a str,
    /// The keys of the first file; every other file must have the same.
    keys: Option<Vec<String>>,
    files: Vec<TableFile>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, steps: &[Step]) -> Result<(), QueryError> {
        for path in sorted_entries(folder).map_err(|error| self.unreadable(folder, &error))? {
            let metadata = path.metadata().map_err(|error| self.unreadable(&path, &error))?;
            if metadata.is_dir() {
                let mut steps = steps.to_vec();
                steps.push(self.step(&path)?);
                if steps.len() > MAX_PARTITION_KEYS {
                    return Err(self.wrong(&path, "is nested too deeply"));
                }
                self.folder(&path, &steps)?;
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                self.file(path, metadata.len(), steps)?;
            } else {
                tracing::warn!(table = self.table, file = %path.display(), "not a Parquet file; it is not read");
            }
        }
        Ok(())
    }

    fn step(&self, folder: &Path) -> Result<Step, QueryError> {
        let step = folder.file_name().and_then(|name| name.to_str());
        let (key, value) = step
            .and_then(|step| step.split_once('='))
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| self.wrong(folder, "is not a partition folder (key=value)"))?;
        let value = (value != NULL_PARTITION).then(|| value.to_owned());
        Ok((key.to_owned(), value))
    }

    fn file(&mut self, path: PathBuf, bytes: u64, steps: &[Step]) -> Result<(), QueryError> {
        let (keys, partition): (Vec<String>, Vec<_>) = steps.iter().cloned().unzip();
        match &self.keys {
            None => self.keys = Some(keys),
            Some(expected) if *expected == keys => {}
            Some(expected) => {
                let expected = format!(
                    "lies under the partition keys ({}), other files of the table under ({})",
                    keys.join(", "),
                    expected.join(", ")
                );
                return Err(self.wrong(&path, &expected));
            }
        }
        self.files.push(TableFile { path, bytes, partition });
        Ok(())
    }

    fn unreadable(&self, path: &Path, error: &io::Error) -> QueryError {
        self.wrong(path, &format!("cannot be read: {error}"))
    }

    fn wrong(&self, path: &Path, what: &str) -> QueryError {
        QueryError::Disk(format!("the table \"{}\" cannot be queried: {} {what}", self.table, path.display()))
    }
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !is_hidden(&entry.file_name()) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::{QueryError, list};
    use std::fs;
    use std::path::Path;

    fn touch(root: &Path, path: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }

    #[test]
    fn partition_values_come_from_the_folder_names() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "dt=2026-01-31/a.parquet");
        touch(root.path(), "dt=__HIVE_DEFAULT_PARTITION__/b.parquet");
        touch(root.path(), "dt=/c.parquet");
        let table = list("events", root.path()).unwrap();
        assert_eq!(table.keys, ["dt"]);
        let values: Vec<_> = table.files.iter().map(|file| file.partition[0].as_deref()).collect();
        assert_eq!(values, [Some(""), Some("2026-01-31"), None]);
    }

    #[test]
    fn unfinished_and_foreign_files_are_not_read() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "a.parquet");
        touch(root.path(), ".b.parquet");
        touch(root.path(), "_c.parquet");
        touch(root.path(), "d.parquet.partial");
        touch(root.path(), "_tmp/e.parquet");
        assert_eq!(list("t", root.path()).unwrap().files.len(), 1);
    }

    #[test]
    fn mixed_keys_and_foreign_folders_are_refused() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "a.parquet");
        touch(root.path(), "dt=2026-01-31/a.parquet");
        let Err(QueryError::Disk(message)) = list("t", root.path()) else { unreachable!("two layouts in one table") };
        assert!(message.contains("(dt)") && message.contains("2026-01-31"), "{message}");

        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "old/a.parquet");
        assert!(list("t", root.path()).unwrap_err().to_string().contains("key=value"));
    }

    #[test]
    fn a_folder_without_files_says_so() {
        let root = tempfile::tempdir().unwrap();
        let message = list("orders", root.path()).unwrap_err().to_string();
        assert!(message.contains("\"orders\"") && message.contains("no Parquet file"), "{message}");
    }
}
