//! The files of the workspace that a task is made of.

use crate::failure::Failure;
use std::fs::read_to_string;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder with the workspace's `Cargo.toml`.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

/// The modules of the generated files.
pub(crate) const GENERATED_MODULES: &str = "project_schemas/src/generated/mod.rs";
/// The modules of the schemas.
pub(crate) const SCHEMA_MODULES: &str = "project_schemas/src/lib.rs";
/// The modules of the tasks.
pub(crate) const TASK_MODULES: &str = "project_tasks/src/tasks/mod.rs";
/// The list of all tasks.
pub(crate) const REGISTRY: &str = "project_tasks/src/registry.rs";

impl Workspace {
    /// The workspace in this folder.
    ///
    /// # Errors
    /// When it is another folder.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        let workspace = Self { root: root.to_owned() };
        for file in [GENERATED_MODULES, SCHEMA_MODULES, TASK_MODULES, REGISTRY] {
            if workspace.read(file)?.is_none() {
                let message = format!("{} has no {file}; run this in the folder of the workspace", root.display());
                return Err(Failure::configuration(message));
            }
        }
        Ok(workspace)
    }

    /// The whole path of a file.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// A file's text; nothing when there is none.
    pub(crate) fn read(&self, file: &str) -> Result<Option<String>, Failure> {
        match read_to_string(self.path(file)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::disk(format!("cannot read {file}: {error}"))),
        }
    }

    /// A file that the workspace cannot be without.
    pub(crate) fn read_existing(&self, file: &str) -> Result<String, Failure> {
        self.read(file)?.ok_or_else(|| Failure::refused(format!("{file} is missing; put it back")))
    }

    /// The Rust files of a folder but its `mod.rs`, by name: module and path.
    pub(crate) fn modules_in(&self, folder: &str) -> Result<Vec<(String, String)>, Failure> {
        let failed = |error: std::io::Error| Failure::disk(format!("cannot read the folder {folder}: {error}"));
        let mut modules = Vec::new();
        for entry in self.path(folder).read_dir().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let module = name.to_str().and_then(|name| name.strip_suffix(".rs"));
            if let Some(module) = module.filter(|module| *module != "mod" && !module.starts_with('.')) {
                modules.push((module.to_owned(), format!("{folder}/{module}.rs")));
            }
        }
        modules.sort();
        Ok(modules)
    }
}

/// The generator's file of a task.
pub(crate) fn generated_file(task: &str) -> String {
    format!("project_schemas/src/generated/{task}.rs")
}

/// The developer's file with the record.
pub(crate) fn record_file(task: &str) -> String {
    format!("project_schemas/src/{task}.rs")
}

/// The developer's file with the task.
pub(crate) fn task_file(task: &str) -> String {
    format!("project_tasks/src/tasks/{task}.rs")
}
