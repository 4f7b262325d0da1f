//! Where files lie until they are published.

use crate::folder_owner::{FolderOwner, disown, remove_owned};
use anyhow::{Context, Result};
use std::fs::{create_dir_all, remove_dir, remove_dir_all};
use std::io::ErrorKind;
use std::path::PathBuf;
use tracing::warn;

/// The folder of one run. What is not kept is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct StagingFolder {
    path: PathBuf,
    keep: bool,
    /// Until the end, also of publishing.
    _owner: Option<FolderOwner>,
}

impl StagingFolder {
    /// Creates the folder.
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        let owner = FolderOwner::of_new(&path);
        let owner = owner.with_context(|| format!("cannot create the folder {}", path.display()))?;
        Ok(Self { path, keep: false, _owner: owner })
    }

    /// An empty folder for one task.
    pub(crate) fn task(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        create_dir_all(&path).with_context(|| format!("cannot create the folder {}", path.display()))?;
        Ok(path)
    }

    /// Removes what a failed task has left.
    pub(crate) fn discard(&self, name: &str) {
        let path = self.path.join(name);
        if let Err(error) = remove_dir_all(&path)
            && error.kind() != ErrorKind::NotFound
        {
            warn!(folder = %path.display(), %error, "what a failed task has left could not be removed");
        }
    }

    /// Leaves the folder where it is in the end, unless it is empty.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for StagingFolder {
    fn drop(&mut self) {
        let leave = || disown(&self.path).and_then(|()| remove_dir(&self.path));
        let removed = if self.keep { leave() } else { remove_owned(&self.path) };
        match removed {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && self.keep => {}
            Err(error) if error.kind() != ErrorKind::NotFound => {
                warn!(folder = %self.path.display(), %error, "the folder of the run could not be removed");
            }
            _ => {}
        }
    }
}
