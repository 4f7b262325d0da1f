//! Whose a folder of unfinished files is: its process keeps a file in it locked. The lock ends with the process, however
//! that ends, so a folder with such a file that nobody has locked is what a killed run has left.

use std::fs::{File, TryLockError, create_dir_all, read_dir, remove_dir_all, remove_file, symlink_metadata};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tracing::debug;

/// Hidden, so that nobody takes it for data.
const OWNER: &str = ".owner";

/// Keeps a folder for this process.
#[derive(Debug)]
pub(crate) struct FolderOwner {
    lock: File,
}

impl FolderOwner {
    /// Creates the folder and owns it. Nobody owns it where the file system knows no locks; then it is never taken for
    /// what a killed run has left.
    pub(crate) fn of_new(folder: &Path) -> Result<Option<Self>> {
        let path = owner_file(folder);
        loop {
            create_dir_all(folder)?;
            let lock = match File::options().create(true).truncate(false).write(true).open(&path) {
                // Somebody has taken the empty folder for a left one.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                file => file?,
            };
            if let Err(error) = lock.lock() {
                debug!(file = %path.display(), %error, "cannot be locked");
                remove_file(&path)?;
                return Ok(None);
            }
            let owner = Self { lock };
            if owner.is_in(folder)? {
                return Ok(Some(owner));
            }
        }
    }

    /// Owns a folder whose owner has died. There is none if the owner lives, or has never been.
    pub(crate) fn of_left(folder: &Path) -> Result<Option<Self>> {
        let path = owner_file(folder);
        match symlink_metadata(&path) {
            Ok(file) if file.is_file() => {}
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => return Ok(None),
        }
        let lock = match File::options().write(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let owner = Self { lock };
        Ok(owner.is_in(folder)?.then_some(owner))
    }

    /// Whether the locked file is the one in the folder, and not one that was removed before it could be locked.
    fn is_in(&self, folder: &Path) -> Result<bool> {
        let ours = self.lock.metadata()?;
        match symlink_metadata(owner_file(folder)) {
            Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Leaves the folder to whoever uses what is in it.
pub(crate) fn disown(folder: &Path) -> Result<()> {
    match remove_file(owner_file(folder)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a folder; its owner's file goes last, so that what is left by a kill in between is still known as left.
pub(crate) fn remove_owned(folder: &Path) -> Result<()> {
    for entry in read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == OWNER {
            continue;
        }
        let removed =
            if entry.file_type()?.is_dir() { remove_dir_all(entry.path()) } else { remove_file(entry.path()) };
        removed.or_else(|error: Error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    remove_dir_all(folder)
}

fn owner_file(folder: &Path) -> PathBuf {
    folder.join(OWNER)
}

#[cfg(test)]
mod tests {
    use super::{FolderOwner, disown, owner_file, remove_owned};
    use std::fs::{create_dir, create_dir_all, remove_file, write};
    use std::path::PathBuf;
    use std::thread;
    use std::time::Duration;
    use tempfile::{TempDir, tempdir};

    fn folder() -> (TempDir, PathBuf) {
        let root = tempdir().unwrap();
        let folder = root.path().join("run");
        (root, folder)
    }

    #[test]
    fn a_folder_is_left_when_its_owner_is_gone_and_not_before() {
        let (_root, folder) = folder();
        let owner = FolderOwner::of_new(&folder).unwrap().unwrap();
        assert!(FolderOwner::of_left(&folder).unwrap().is_none());
        drop(owner);
        let heir = FolderOwner::of_left(&folder).unwrap().unwrap();
        assert!(FolderOwner::of_left(&folder).unwrap().is_none());
        create_dir_all(folder.join("table")).unwrap();
        write(folder.join("table/part"), "x").unwrap();
        remove_owned(&folder).unwrap();
        drop(heir);
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_that_never_had_an_owner_or_was_left_to_others_is_not_taken() {
        let (_root, folder) = folder();
        assert!(FolderOwner::of_left(&folder).unwrap().is_none());
        create_dir(&folder).unwrap();
        assert!(FolderOwner::of_left(&folder).unwrap().is_none());
        let owner = FolderOwner::of_new(&folder).unwrap();
        disown(&folder).unwrap();
        drop(owner);
        assert!(FolderOwner::of_left(&folder).unwrap().is_none());
        create_dir(owner_file(&folder)).unwrap();
        assert!(FolderOwner::of_left(&folder).unwrap().is_none());
    }

    /// Between the creation of the file and its lock somebody may take the folder for a left one.
    #[test]
    fn whoever_locks_a_file_that_was_removed_meanwhile_begins_again() {
        let (_root, folder) = folder();
        drop(FolderOwner::of_new(&folder).unwrap());
        let heir = FolderOwner::of_left(&folder).unwrap().unwrap();
        let begins = folder.clone();
        let beginner = thread::spawn(move || FolderOwner::of_new(&begins).unwrap().unwrap());
        thread::sleep(Duration::from_millis(50));
        assert!(!beginner.is_finished());
        remove_owned(&folder).unwrap();
        drop(heir);
        let owner = beginner.join().unwrap();
        assert!(owner.is_in(&folder).unwrap());
        remove_file(owner_file(&folder)).unwrap();
        assert!(!owner.is_in(&folder).unwrap());
        write(owner_file(&folder), "").unwrap();
        assert!(!owner.is_in(&folder).unwrap());
    }
}
