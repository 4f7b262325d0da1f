//! A text file that is replaced as a whole: whoever reads it finds the old text or the new one.

use anyhow::{Context, Result, bail};
use std::fs::{File, Permissions, create_dir_all, remove_file, rename};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;

/// Writes beside the file and renames. With a mode the file gets it; without one the process's umask decides.
pub(crate) fn replace(path: &Path, text: &str, mode: Option<u32>) -> Result<()> {
    let replacing = || format!("cannot write {}", path.display());
    let path = &target(path).with_context(replacing)?;
    let name = path.file_name().context("it has no file name").with_context(replacing)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    create_dir_all(folder).with_context(replacing)?;
    let partial = folder.join(format!(".{}.{}.partial", name.to_string_lossy(), process::id()));
    let written = write(&partial, text, mode).and_then(|()| Ok(rename(&partial, path)?));
    if written.is_err() {
        // It may never have been there.
        let _ = remove_file(&partial);
    }
    written.with_context(replacing)
}

/// The file that a link leads to. A device stays what it is.
fn target(path: &Path) -> Result<PathBuf> {
    if !path.exists() {
        return Ok(path.to_owned());
    }
    let path = path.canonicalize()?;
    if !path.is_file() {
        bail!("it is there and is not a file");
    }
    Ok(path)
}

fn write(path: &Path, text: &str, mode: Option<u32>) -> Result<()> {
    let mut file = File::create(path)?;
    if let Some(mode) = mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::replace;
    use std::fs::{create_dir, metadata, read_dir, read_to_string, write};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use tempfile::tempdir;

    #[test]
    fn the_new_text_takes_the_place_of_the_old_one_and_nothing_else_is_left() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("new/project.prom");
        for text in ["first, and longer", "second"] {
            replace(&path, text, Some(0o644)).unwrap();
            assert_eq!(read_to_string(&path).unwrap(), text);
        }
        assert_eq!(metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "new", None).unwrap();
        assert_eq!(read_to_string(&file).unwrap(), "new");
        assert!(link.is_symlink());
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempdir().unwrap();
        create_dir(folder.path().join("taken")).unwrap();
        for path in [folder.path().join("taken").as_path(), Path::new("/dev/null"), Path::new("/")] {
            let message = format!("{:#}", replace(path, "", None).unwrap_err());
            assert!(message.contains(&format!("cannot write {}", path.display())), "{message}");
        }
        let below_a_file = folder.path().join("file/below");
        write(folder.path().join("file"), "").unwrap();
        assert!(replace(&below_a_file, "", None).is_err());
        assert_eq!(read_dir(folder.path()).unwrap().count(), 2);
    }
}
