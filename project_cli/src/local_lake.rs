//! Publishing into a folder: `<lake>/<table>` is a symbolic link to the run's folder, switched by one rename, so
//! that a reader finds the old run or the new one and nothing in between.

use anyhow::{Context, Result};
use project_partition_dates::DateWindow;
use std::fs::{File, create_dir_all, hard_link, read_link, remove_file, rename, symlink_metadata};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Something that this program did not make stands where the link should be.
#[derive(Debug, Error)]
#[error("{0} exists and is not a link made by project; move it away, or choose another --upload folder")]
pub(crate) struct Occupied(String);

/// The folder of a run inside a lake.
pub(crate) fn run_folder(lake: &Path, run_id: &str) -> PathBuf {
    lake.join(format!("run={run_id}"))
}

/// Refuses a table whose place is taken by something else; nothing is changed.
pub(crate) fn check(lake: &Path, table: &str) -> Result<()> {
    let place = lake.join(table);
    match symlink_metadata(&place) {
        Ok(found) if found.is_symlink() && read_link(&place).is_ok_and(|target| is_run(&target)) => Ok(()),
        Ok(_) => Err(Occupied(place.display().to_string()).into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", place.display())),
    }
}

fn is_run(target: &Path) -> bool {
    let first = target.components().next();
    first.is_some_and(|folder| folder.as_os_str().to_string_lossy().starts_with("run="))
}

/// Makes a table of the run visible. With a window the run holds only its dates; the other partitions stay as they
/// are in the run that is visible now.
pub(crate) fn switch(lake: &Path, run_id: &str, table: &str, window: Option<DateWindow>) -> Result<()> {
    check(lake, table)?;
    let link = lake.join(table);
    let switching = || format!("cannot switch {} to the new run", link.display());
    if let Some(window) = window
        && link.exists()
    {
        carry_over(&link, &run_folder(lake, run_id).join(table), &window).with_context(switching)?;
    }
    // The run's files are durable before anybody can see them, and so is the link before we say that it is there.
    sync_folder(&run_folder(lake, run_id).join(table)).with_context(switching)?;
    sync_folder(&run_folder(lake, run_id)).with_context(switching)?;
    let fresh = lake.join(format!(".{table}.{run_id}"));
    symlink(Path::new(&format!("run={run_id}")).join(table), &fresh).with_context(switching)?;
    if let Err(error) = rename(&fresh, &link) {
        let _ = remove_file(&fresh);
        return Err(error).with_context(switching);
    }
    sync_folder(lake).with_context(switching)
}

/// Gives the new run the partitions of the old one that lie outside of the window, as further names of the same files.
fn carry_over(from: &Path, to: &Path, window: &DateWindow) -> Result<()> {
    for partition in from.read_dir()? {
        let partition = partition?;
        let name = partition.file_name();
        let date = name.to_str().and_then(|name| name.split_once('=')?.1.parse().ok());
        if date.is_some_and(|date| window.contains(date)) || !partition.path().is_dir() {
            continue;
        }
        let folder = to.join(&name);
        create_dir_all(&folder)?;
        for file in partition.path().read_dir()? {
            let file = file?;
            hard_link(file.path(), folder.join(file.file_name()))?;
        }
        sync_folder(&folder)?;
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::{check, switch};
    use project_partition_dates::DateWindow;
    use std::fs::{create_dir_all, read_link, read_to_string, write};
    use std::path::Path;
    use tempfile::tempdir;

    fn stage(lake: &Path, run: &str) {
        let folder = lake.join(format!("run={run}/users"));
        create_dir_all(&folder).unwrap();
        write(folder.join("part-00000.parquet"), run).unwrap();
    }

    #[test]
    fn a_switch_replaces_the_link_and_keeps_the_old_run() {
        let lake = tempdir().unwrap();
        for run in ["a", "b"] {
            stage(lake.path(), run);
            switch(lake.path(), run, "users", None).unwrap();
            assert_eq!(read_to_string(lake.path().join("users/part-00000.parquet")).unwrap(), run);
        }
        assert_eq!(read_link(lake.path().join("users")).unwrap(), Path::new("run=b/users"));
        assert!(lake.path().join("run=a/users/part-00000.parquet").exists());
    }

    #[test]
    fn a_window_replaces_its_dates_and_keeps_the_others() {
        let lake = tempdir().unwrap();
        let write = |run: &str, partition: &str| {
            let folder = lake.path().join(format!("run={run}/events/dt={partition}"));
            create_dir_all(&folder).unwrap();
            write(folder.join("part-00000.parquet"), run).unwrap();
        };
        let null = "__HIVE_DEFAULT_PARTITION__";
        ["2026-01-01", "2026-01-02", "2026-01-03", null].iter().for_each(|partition| write("a", partition));
        switch(lake.path(), "a", "events", None).unwrap();
        // The second of January has no rows any more.
        write("b", "2026-01-03");
        let window = DateWindow::new("2026-01-02".parse().ok(), "2026-01-03".parse().ok()).unwrap();
        switch(lake.path(), "b", "events", Some(window)).unwrap();
        let run =
            |partition| read_to_string(lake.path().join(format!("events/dt={partition}/part-00000.parquet"))).ok();
        assert_eq!(run("2026-01-01").as_deref(), Some("a"));
        assert_eq!(run("2026-01-02"), None);
        assert_eq!(run("2026-01-03").as_deref(), Some("b"));
        assert_eq!(run(null).as_deref(), Some("a"));
    }

    #[test]
    fn what_somebody_else_made_is_left_alone() {
        let lake = tempdir().unwrap();
        create_dir_all(lake.path().join("users")).unwrap();
        stage(lake.path(), "a");
        let message = switch(lake.path(), "a", "users", None).unwrap_err().to_string();
        assert!(message.contains("is not a link made by project"), "{message}");
        assert!(check(lake.path(), "orders").is_ok());
        std::os::unix::fs::symlink("/etc", lake.path().join("orders")).unwrap();
        assert!(check(lake.path(), "orders").is_err());
    }
}
