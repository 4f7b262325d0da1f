//! What lies in a lake on the local disk.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs::{read_dir, read_link};
use std::path::{Path, PathBuf};

/// Everything below a folder, by its path there: `folder`, `file of 7 bytes`, `link to x/y`.
pub(crate) fn listing(folder: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(place) = waiting.pop() {
        for entry in read_dir(&place).with_context(|| format!("cannot list {}", place.display()))? {
            let path = entry?.path();
            let metadata = path.symlink_metadata()?;
            let what = if metadata.is_symlink() {
                format!("link to {}", read_link(&path)?.display())
            } else if metadata.is_dir() {
                waiting.push(path.clone());
                "folder".to_owned()
            } else {
                format!("file of {} bytes", metadata.len())
            };
            found.insert(path.strip_prefix(folder)?.to_owned(), what);
        }
    }
    Ok(found)
}

/// The tables of a lake and where their links lead.
pub(crate) fn links(lake: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut links = BTreeMap::new();
    for entry in read_dir(lake)? {
        let entry = entry?;
        if entry.file_type()?.is_symlink() {
            links.insert(entry.file_name().to_string_lossy().into_owned(), read_link(entry.path())?);
        }
    }
    Ok(links)
}

/// The names of the folders of runs, oldest first.
pub(crate) fn runs(lake: &Path) -> Result<Vec<String>> {
    let names = read_dir(lake)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut runs = names.collect::<Result<Vec<String>>>()?;
    runs.retain(|name| name.starts_with("run="));
    runs.sort();
    Ok(runs)
}
