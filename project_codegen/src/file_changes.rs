//! New texts of files: written all, or none.

use crate::failure::Failure;
use crate::workspace::Workspace;
use std::collections::BTreeMap;
use std::fs::{remove_file, rename, write};
use std::path::PathBuf;

/// Files and the texts that they shall have.
#[derive(Debug, Default)]
pub(crate) struct FileChanges(BTreeMap<String, Change>);

#[derive(Debug)]
struct Change {
    before: Option<String>,
    after: String,
}

impl FileChanges {
    /// A file as it will be.
    pub(crate) fn read(&self, workspace: &Workspace, file: &str) -> Result<Option<String>, Failure> {
        match self.0.get(file) {
            Some(change) => Ok(Some(change.after.clone())),
            None => workspace.read(file),
        }
    }

    /// The same of a file that there must be.
    pub(crate) fn read_existing(&self, workspace: &Workspace, file: &str) -> Result<String, Failure> {
        match self.0.get(file) {
            Some(change) => Ok(change.after.clone()),
            None => workspace.read_existing(file),
        }
    }

    /// Notes a text; whether it differs from what there is.
    pub(crate) fn set(&mut self, workspace: &Workspace, file: &str, after: String) -> Result<bool, Failure> {
        if self.read(workspace, file)?.as_deref() == Some(after.as_str()) {
            return Ok(false);
        }
        match self.0.get_mut(file) {
            Some(change) => change.after = after,
            None => {
                let before = workspace.read(file)?;
                self.0.insert(file.to_owned(), Change { before, after });
            }
        }
        Ok(true)
    }

    /// Writes everything under hidden names, then gives each file its own. After a failure everything is as it was.
    pub(crate) fn write(&self, workspace: &Workspace) -> Result<(), Failure> {
        for (file, change) in &self.0 {
            if workspace.read(file)? != change.before {
                return Err(Failure::temporary(format!("{file} was changed by somebody else meanwhile; run it again")));
            }
        }
        self.put(workspace)
    }

    fn put(&self, workspace: &Workspace) -> Result<(), Failure> {
        let hidden: Vec<(&String, &Change, PathBuf)> =
            self.0.iter().map(|(file, change)| (file, change, hidden(workspace, file))).collect();
        let mut renamed = 0;
        let written = hidden.iter().try_for_each(|(file, change, hidden)| {
            write(hidden, &change.after).map_err(|error| Failure::disk(format!("cannot write {file}: {error}")))
        });
        let done = written.and_then(|()| {
            hidden.iter().try_for_each(|(file, _, hidden)| {
                rename(hidden, workspace.path(file))
                    .map_err(|error| Failure::disk(format!("cannot write {file}: {error}")))?;
                renamed += 1;
                Ok(())
            })
        });
        if done.is_err() {
            hidden.iter().for_each(|(.., hidden)| drop(remove_file(hidden)));
            hidden.iter().take(renamed).for_each(|(file, change, _)| take_back(workspace, file, change));
        }
        done
    }
}

fn hidden(workspace: &Workspace, file: &str) -> PathBuf {
    let path = workspace.path(file);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// As far as the disk lets it.
fn take_back(workspace: &Workspace, file: &str, change: &Change) {
    let path = workspace.path(file);
    drop(match &change.before {
        Some(before) => write(path, before),
        None => remove_file(path),
    });
}

#[cfg(test)]
mod tests {
    use super::FileChanges;
    use crate::workspace::{GENERATED_MODULES, REGISTRY, SCHEMA_MODULES, TASK_MODULES, Workspace, task_file};
    use std::fs::{create_dir_all, read_to_string, write};
    use tempfile::{TempDir, tempdir};

    fn workspace() -> (TempDir, Workspace) {
        let folder = tempdir().unwrap();
        for file in [GENERATED_MODULES, SCHEMA_MODULES, TASK_MODULES, REGISTRY] {
            let path = folder.path().join(file);
            create_dir_all(path.parent().unwrap()).unwrap();
            write(path, file).unwrap();
        }
        let workspace = Workspace::open(folder.path()).unwrap();
        (folder, workspace)
    }

    /// Every file below a folder with its text.
    fn texts(workspace: &Workspace) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut folders = vec![workspace.path("")];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push((path.display().to_string(), read_to_string(&path).unwrap())),
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn all_is_written() {
        let (_folder, workspace) = workspace();
        let mut changes = FileChanges::default();
        assert!(changes.set(&workspace, &task_file("a"), "task".into()).unwrap());
        assert!(!changes.set(&workspace, REGISTRY, REGISTRY.into()).unwrap(), "as it is");
        assert!(changes.set(&workspace, REGISTRY, "new".into()).unwrap());
        changes.write(&workspace).unwrap();
        assert_eq!(workspace.read_existing(&task_file("a")).unwrap(), "task");
        assert_eq!(workspace.read_existing(REGISTRY).unwrap(), "new");
        assert_eq!(texts(&workspace).len(), 5, "nothing hidden is left");
    }

    #[test]
    fn what_somebody_else_has_written_meanwhile_stays() {
        let (_folder, workspace) = workspace();
        let mut changes = FileChanges::default();
        changes.set(&workspace, REGISTRY, "new".into()).unwrap();
        write(workspace.path(REGISTRY), "his").unwrap();
        assert_eq!(changes.write(&workspace).unwrap_err().code, 75);
        assert_eq!(workspace.read_existing(REGISTRY).unwrap(), "his");
    }

    #[test]
    fn or_none() {
        let (_folder, workspace) = workspace();
        // A folder in the place of the last file: renaming fails after the others have their names.
        create_dir_all(workspace.path("project_tasks/src/tasks/z.rs/x")).unwrap();
        let before = texts(&workspace);
        let mut changes = FileChanges::default();
        for file in [SCHEMA_MODULES, REGISTRY] {
            changes.set(&workspace, file, "new".into()).unwrap();
        }
        changes.set(&workspace, &task_file("a"), "task".into()).unwrap();
        changes.0.insert(task_file("z"), super::Change { before: None, after: "task".into() });
        assert_eq!(changes.put(&workspace).unwrap_err().code, 74);
        assert_eq!(texts(&workspace), before);
    }
}
