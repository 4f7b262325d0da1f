//! Removes what killed runs have left on the disk; whoever stopped in any other way has done it himself.

use crate::destination::IN_SCRATCH;
use crate::folder_owner::{FolderOwner, disown, remove_owned};
use project_publish::{FolderLake, RunId};
use std::fs::read_dir;
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;
use tracing::{debug, info, warn};

/// Removes the folders of killed runs in the scratch folder and in the lake. What cannot be removed is a warning.
pub(crate) async fn remove_left_folders(scratch: &Path, lake: Option<&FolderLake>) {
    let (scratch, lake) = (scratch.to_owned(), lake.cloned());
    let removing = spawn_blocking(move || {
        for (folder, _) in folders(&scratch, |name| RunId::parse(name.strip_prefix(IN_SCRATCH)?)) {
            remove_if_left(&folder, || Ok(false));
        }
        let Some(lake) = lake else { return };
        for (folder, run) in folders(lake.root(), RunId::of_folder) {
            remove_if_left(&folder, || lake.has_manifest(&run));
        }
    });
    if let Err(error) = removing.await {
        warn!(%error, "what killed runs have left was not removed");
    }
}

/// The folders whose names tell a run.
fn folders(place: &Path, run_of: fn(&str) -> Option<RunId>) -> Vec<(PathBuf, RunId)> {
    // Whoever needs the place says that it cannot be read.
    let entries = read_dir(place).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| Some((entry.path(), run_of(entry.file_name().to_str()?)?))).collect()
}

fn remove_if_left(folder: &Path, is_complete: impl FnOnce() -> Result<bool>) {
    let removing = || {
        // Held while the folder is removed.
        let Some(_owner) = FolderOwner::of_left(folder)? else { return Ok(()) };
        // A run that was killed while it was shown stays, as its manifest says.
        if is_complete()? {
            return disown(folder);
        }
        remove_owned(folder)?;
        info!(folder = %folder.display(), "removed what a killed run has left");
        Ok(())
    };
    match removing() {
        Ok(()) => {}
        // In a scratch folder for everybody there are the folders of others.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            debug!(folder = %folder.display(), %error, "belongs to somebody else");
        }
        Err(error) => {
            warn!(folder = %folder.display(), %error, "what a killed run has left could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::remove_left_folders;
    use crate::folder_owner::FolderOwner;
    use project_publish::FolderLake;
    use std::fs::{create_dir_all, write};
    use std::path::{Path, PathBuf};
    use tempfile::tempdir;

    const KILLED: &str = "20260131T000000000Z-0001";
    const RUNNING: &str = "20260131T000000000Z-0002";
    const KEPT: &str = "20260131T000000000Z-0003";
    const SHOWN: &str = "20260131T000000000Z-0004";

    fn folder(place: &Path, name: String) -> PathBuf {
        let folder = place.join(name);
        create_dir_all(folder.join("orders")).unwrap();
        write(folder.join("orders/part-00000.parquet"), "x").unwrap();
        folder
    }

    #[tokio::test]
    async fn only_the_folder_of_a_killed_run_goes() {
        for (prefix, in_lake) in [("project-", false), ("run=", true)] {
            let (scratch, lake) = (tempdir().unwrap(), tempdir().unwrap());
            let place = if in_lake { lake.path() } else { scratch.path() };
            let [killed, running, kept] = [KILLED, RUNNING, KEPT].map(|run| folder(place, format!("{prefix}{run}")));
            let others = ["project-postgres-1", "run=x", "orders"].map(|name| folder(place, name.to_owned()));
            for other in &others {
                drop(FolderOwner::of_new(other).unwrap());
            }
            drop(FolderOwner::of_new(&killed).unwrap());
            let _owner = FolderOwner::of_new(&running).unwrap().unwrap();
            remove_left_folders(scratch.path(), Some(&FolderLake::new(lake.path()))).await;
            assert!(!killed.exists());
            for stays in [&running, &kept].into_iter().chain(&others) {
                assert!(stays.join("orders/part-00000.parquet").exists(), "{}", stays.display());
            }
        }
    }

    #[tokio::test]
    async fn a_run_that_was_killed_while_it_was_shown_stays() {
        let lake = tempdir().unwrap();
        let shown = folder(lake.path(), format!("run={SHOWN}"));
        drop(FolderOwner::of_new(&shown).unwrap());
        create_dir_all(lake.path().join("_runs")).unwrap();
        write(lake.path().join(format!("_runs/{SHOWN}.json")), "{}").unwrap();
        remove_left_folders(lake.path(), Some(&FolderLake::new(lake.path()))).await;
        assert!(shown.join("orders").exists() && !shown.join(".owner").exists());
    }
}
