//! A lake in a folder: `<lake>/<table>` is a symbolic link to the run's folder, switched by one rename, so that a reader
//! finds the old run or the new one and nothing in between.

use crate::error::PublishError;
use crate::lake::{Committed, Created, Duplicate, Facts, Lake, Live, Object, Objects, Release, Replaced};
use crate::manifest::Run;
use crate::run_id::RunId;
use crate::runs::{RUNS_FOLDER, manifest_key};
use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc32fast::Hasher;
use std::collections::BTreeSet;
use std::fs::{
    File, create_dir_all, hard_link, read, read_dir, read_link, remove_dir, remove_file, rename, symlink_metadata,
};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Bytes that are read at once for a checksum.
const CHUNK: usize = 1 << 20;

/// A folder that holds a lake. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FolderLake {
    root: PathBuf,
}

impl FolderLake {
    /// The lake in this folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of a run.
    pub fn run_folder(&self, run: &RunId) -> PathBuf {
        self.root.join(run.folder())
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a run has said what belongs to it, and with that may be shown.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn has_manifest(&self, run: &RunId) -> std::io::Result<bool> {
        self.root.join(manifest_key(run.as_str())).try_exists()
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T> + Send + 'static) -> Result<T> {
        let lake = self.clone();
        spawn_blocking(move || work(&lake))
            .await
            .map_err(|error| anyhow!("work on the lake's folder has failed: {error}"))?
    }

    fn link(&self, table: &str) -> PathBuf {
        self.root.join(table)
    }

    /// The run that a table's link leads to. What is no such link belongs to somebody else.
    fn linked(&self, table: &str) -> Result<Option<Live>> {
        let link = self.link(table);
        match symlink_metadata(&link) {
            Ok(found) if found.is_symlink() => {
                let target = read_link(&link).with_context(|| format!("cannot read the link {}", link.display()))?;
                let run = run_of(&target).ok_or_else(|| occupied(&link))?;
                Ok(Some(Live { run: Some(run), version: target.display().to_string() }))
            }
            Ok(_) => Err(occupied(&link)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot look at {}", link.display())),
        }
    }

    /// Under a lock, because a rename replaces whatever is there; the lock ends with the process, however that ends.
    fn switch(&self, table: &str, run: &str, expected: Option<&Live>) -> Result<Committed> {
        let link = self.link(table);
        let switching = || format!("cannot switch {} to the new run", link.display());
        let lock = self.lock()?;
        if self.linked(table)?.as_ref() != expected {
            return Ok(Committed::Overtaken);
        }
        // The run's files are durable before anybody can see them, and so is the link before we say that it is there.
        let target = Path::new(&format!("run={run}")).join(table);
        sync_folder(&self.root.join(&target)).with_context(switching)?;
        sync_folder(&self.root.join(format!("run={run}"))).with_context(switching)?;
        // One name for all runs: who dies before the rename leaves a link that the next one replaces.
        let fresh = self.root.join(format!(".{table}.link"));
        let _ = remove_file(&fresh);
        symlink(&target, &fresh).with_context(switching)?;
        if let Err(error) = rename(&fresh, &link) {
            let _ = remove_file(&fresh);
            return Err(error).with_context(switching);
        }
        sync_folder(&self.root).with_context(switching)?;
        drop(lock);
        Ok(Committed::Done(Duration::ZERO))
    }

    fn lock(&self) -> Result<File> {
        let path = self.root.join(RUNS_FOLDER).join(".lock");
        let locking = || format!("cannot lock {}", path.display());
        create_dir_all(self.root.join(RUNS_FOLDER)).with_context(locking)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path).with_context(locking)?;
        file.lock().with_context(locking)?;
        Ok(file)
    }

    /// A complete file appears under its name, or nothing does.
    fn create_file(&self, key: &str, content: &[u8]) -> Result<Created> {
        let path = self.root.join(key);
        let writing = || format!("cannot write {}", path.display());
        let folder = path.parent().unwrap_or(&self.root);
        create_dir_all(folder).with_context(writing)?;
        let mut fresh = tempfile_in(folder).with_context(writing)?;
        fresh.1.write_all(content).and_then(|()| fresh.1.sync_all()).with_context(writing)?;
        let linked = hard_link(&fresh.0, &path);
        let _ = remove_file(&fresh.0);
        match linked {
            Ok(()) => sync_folder(folder).with_context(writing).map(|()| Created::Done),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let same = read(&path).with_context(writing)? == content;
                Ok(if same { Created::Done } else { Created::Exists })
            }
            Err(error) => Err(error).with_context(writing),
        }
    }

    fn keys_below(&self, folder: &Path, keys: &mut Vec<String>) -> Result<()> {
        let listing = || format!("cannot list {}", folder.display());
        let entries = match read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.with_context(listing)?,
        };
        for entry in entries {
            let entry = entry.with_context(listing)?;
            if entry.file_type().with_context(listing)?.is_dir() {
                self.keys_below(&entry.path(), keys)?;
            } else {
                let path = entry.path();
                let below = path.strip_prefix(&self.root).with_context(listing)?;
                keys.push(below.display().to_string());
            }
        }
        Ok(())
    }

    fn delete_file(&self, key: &str) -> Result<()> {
        let path = self.root.join(key);
        match remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn remove_empty_folders(&self, folder: &Path) {
        for entry in read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.remove_empty_folders(&entry.path());
            }
        }
        // One that is not empty stays.
        let _ = remove_dir(folder);
    }
}

impl Objects for FolderLake {
    async fn read(&self, key: &str) -> Result<Option<Object>> {
        let path = self.root.join(key);
        self.blocking(move |_| match read(&path) {
            Ok(content) => {
                let version = crc32fast::hash(&content).to_string();
                Ok(Some(Object { content, version }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        })
        .await
    }

    async fn create(&self, key: &str, content: Vec<u8>) -> Result<Created> {
        let key = key.to_owned();
        self.blocking(move |lake| lake.create_file(&key, &content)).await
    }

    async fn replace(&self, _key: &str, _content: Vec<u8>, _expected: Option<&str>) -> Result<Replaced> {
        Err(anyhow!("a folder has links and replaces no object; this is a fault of the program, please report it"))
    }

    async fn folders(&self) -> Result<Vec<String>> {
        self.blocking(|lake| {
            let listing = || format!("cannot list {}", lake.root.display());
            let entries = match read_dir(&lake.root) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries.with_context(listing)?,
            };
            let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            Ok(folders.filter_map(|entry| entry.file_name().into_string().ok()).collect())
        })
        .await
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>> {
        let folder = self.root.join(folder);
        self.blocking(move |lake| {
            let mut keys = Vec::new();
            lake.keys_below(&folder, &mut keys)?;
            keys.sort();
            Ok(keys)
        })
        .await
    }

    async fn facts(&self, key: &str) -> Result<Option<Facts>> {
        let path = self.root.join(key);
        self.blocking(move |_| facts(&path)).await
    }

    async fn copy(&self, copies: &[Duplicate]) -> Result<()> {
        let copies = copies.to_vec();
        self.blocking(move |lake| {
            let mut folders = BTreeSet::new();
            for Duplicate { file, to } in copies {
                let (from, path) = (lake.root.join(&file.key), lake.root.join(&to));
                let linking = || format!("cannot give {} the further name {}", from.display(), path.display());
                let folder = path.parent().context("a file has a folder")?;
                create_dir_all(folder).with_context(linking)?;
                hard_link(&from, &path).with_context(linking)?;
                folders.insert(folder.to_owned());
            }
            let syncing = |folder: &Path| format!("cannot sync {}", folder.display());
            folders.iter().try_for_each(|folder| sync_folder(folder).with_context(|| syncing(folder)))
        })
        .await
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        let keys = keys.to_vec();
        self.blocking(move |lake| {
            // A run's folder without files goes by its own name.
            let files = keys.iter().filter(|key| RunId::of_folder(key).is_none());
            files.map(String::as_str).try_for_each(|key| lake.delete_file(key))?;
            let tops: BTreeSet<&str> = keys.iter().filter_map(|key| key.split('/').next()).collect();
            tops.into_iter().filter(|top| RunId::of_folder(top).is_some()).for_each(|top| {
                lake.remove_empty_folders(&lake.root.join(top));
            });
            Ok(())
        })
        .await
    }
}

impl Lake for FolderLake {
    type Objects = Self;

    fn objects(&self) -> &Self {
        self
    }

    fn carried_key(&self, run_id: &str, table: &str, key: &str) -> String {
        carried_key(run_id, table, key)
    }

    async fn live(&self, table: &str) -> Result<Option<Live>> {
        let table = table.to_owned();
        self.blocking(move |lake| lake.linked(&table)).await
    }

    async fn live_runs(&self, _known: &[Run]) -> Result<BTreeSet<String>> {
        self.blocking(|lake| {
            let listing = || format!("cannot list {}", lake.root.display());
            let mut runs = BTreeSet::new();
            for entry in read_dir(&lake.root).with_context(listing)? {
                let entry = entry.with_context(listing)?;
                let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                if !is_hidden && entry.file_type().with_context(listing)?.is_symlink() {
                    runs.extend(read_link(entry.path()).ok().as_deref().and_then(run_of));
                }
            }
            Ok(runs)
        })
        .await
    }

    async fn commit(&self, release: Release<'_>, expected: Option<&Live>) -> Result<Committed> {
        let (table, run) = (release.table.table.clone(), release.run.run_id.clone());
        let expected = expected.cloned();
        self.blocking(move |lake| lake.switch(&table, &run, expected.as_ref())).await
    }
}

/// `run=<new>/<table>/…` for `run=<old>/<table>/…`: where files are kept by run.
pub fn carried_key(run_id: &str, table: &str, key: &str) -> String {
    let below = key.split_once('/').and_then(|(_, rest)| rest.strip_prefix(table)).unwrap_or(key);
    format!("run={run_id}/{table}/{}", below.trim_start_matches('/'))
}

fn occupied(link: &Path) -> anyhow::Error {
    PublishError::Occupied(link.display().to_string()).into()
}

/// The run in the target of a table's link.
fn run_of(target: &Path) -> Option<String> {
    let first = target.components().next()?;
    first.as_os_str().to_str()?.strip_prefix("run=").map(str::to_owned)
}

fn facts(path: &Path) -> Result<Option<Facts>> {
    let reading = || format!("cannot read {}", path.display());
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(reading)?,
    };
    let (mut hasher, mut chunk, mut bytes) = (Hasher::new(), vec![0; CHUNK], 0);
    loop {
        let read = file.read(&mut chunk).with_context(reading)?;
        if read == 0 {
            break;
        }
        hasher.update(&chunk[..read]);
        bytes += read as u64;
    }
    Ok(Some(Facts { bytes, crc32: Some(STANDARD.encode(hasher.finalize().to_be_bytes())) }))
}

fn tempfile_in(folder: &Path) -> std::io::Result<(PathBuf, File)> {
    let path = folder.join(format!(".{}.partial", RunId::now()));
    let file = File::options().create_new(true).write(true).open(&path)?;
    Ok((path, file))
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
