//! A copy of this workspace's sources, in which the tool may write.

use project_test_servers::postgres::Database;
use std::collections::BTreeMap;
use std::fs::{File, FileTimes, copy, create_dir_all, read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Folders whose names are no crate's, and what no build needs.
const WITHOUT: [&str; 4] = ["target", ".git", "lake", "node_modules"];

/// A folder with the sources.
pub(crate) struct WorkspaceCopy {
    root: PathBuf,
    _temporary: Option<TempDir>,
}

impl WorkspaceCopy {
    /// A copy of what the tool writes to, for a test that builds nothing.
    pub(crate) fn new() -> Self {
        let folder = tempdir().unwrap();
        for part in ["project_schemas/src", "project_tasks/src"] {
            copy_folder(&Path::new(REPOSITORY).join(part), &folder.path().join(part));
        }
        copy(Path::new(REPOSITORY).join("rustfmt.toml"), folder.path().join("rustfmt.toml")).unwrap();
        Self { root: folder.path().to_owned(), _temporary: Some(folder) }
    }

    /// A copy of everything in a folder of this name below `target`, so that a second run builds only what has changed.
    pub(crate) fn to_build(root: PathBuf) -> Self {
        for part in read_dir(REPOSITORY).unwrap() {
            let (path, name) = (part.as_ref().unwrap().path(), part.unwrap().file_name());
            let name = name.to_str().unwrap();
            if path.is_dir() && name.starts_with("project_") {
                copy_folder(&path, &root.join(name));
            } else if name.starts_with("Cargo.") || name == "rustfmt.toml" {
                copy_file(&path, &root.join(name));
            }
        }
        Self { root, _temporary: None }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    pub(crate) fn text(&self, file: &str) -> String {
        read_to_string(self.path(file)).unwrap()
    }

    /// Runs the tool on the database.
    pub(crate) fn run(&self, database: &Database<'_>, verb: &str, variables: &[(&str, &str)]) -> Ran {
        let uri = database.uri();
        let variables = [&[("DATABASE_URL", uri.as_str())], variables].concat();
        self.run_with(verb, &variables)
    }

    /// Runs the tool with these variables and no others of ours.
    pub(crate) fn run_with(&self, verb: &str, variables: &[(&str, &str)]) -> Ran {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_project_codegen"));
        tool.arg(verb).current_dir(&self.root);
        for name in ["TABLE", "TABLES", "KIND", "SCHEMA", "PARTITION_BY", "TASK", "DATABASE_URL", "PGUSER"] {
            tool.env_remove(name);
        }
        Ran::of(tool.envs(variables.iter().copied()).output().unwrap())
    }

    /// Every file with its text.
    pub(crate) fn texts(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        collect(&self.root, &mut found);
        found
    }
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails unless this is the exit code.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Fails unless it has printed each of these.
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        let said = format!("{}{}", self.stdout, self.stderr);
        texts.iter().for_each(|text| assert!(said.contains(text), "no {text:?} in {said}"));
        self
    }
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, found),
            false => drop(found.insert(path.clone(), read_to_string(&path).unwrap())),
        }
    }
}

/// Makes the folder what the other one is: files that are there no more go.
fn copy_folder(from: &Path, to: &Path) {
    create_dir_all(to).unwrap();
    for old in read_dir(to).unwrap() {
        let old = old.unwrap().path();
        if !from.join(old.file_name().unwrap()).exists() {
            let _ = std::fs::remove_file(&old).or_else(|_| std::fs::remove_dir_all(&old));
        }
    }
    for entry in read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match path.is_dir() {
            true if WITHOUT.contains(&name) => {}
            true => copy_folder(&path, &to.join(name)),
            false => copy_file(&path, &to.join(name)),
        }
    }
}

/// With its time: cargo builds again what is newer than the last build.
fn copy_file(from: &Path, to: &Path) {
    copy(from, to).unwrap();
    let modified = from.metadata().unwrap().modified().unwrap();
    File::options().write(true).open(to).unwrap().set_times(FileTimes::new().set_modified(modified)).unwrap();
}
