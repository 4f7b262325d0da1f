//! The root of a lake: which tables there are, and which one a name means.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use strsim::damerau_levenshtein;

use crate::error::QueryError;
use crate::query::SCHEMA;

/// A lake on the local disk.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
}

impl Lake {
    /// The lake in the folder `root`. Fails when there is no such folder or when it holds no table.
    pub fn open(root: &Path) -> Result<Self, QueryError> {
        let shown = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let root = root.canonicalize().map_err(|error| unreadable_root(&shown, &error))?;
        if !root.is_dir() {
            return Err(QueryError::NotFound(format!(
                "{} is not a folder; name the folder of the lake",
                shown.display()
            )));
        }
        let lake = Self { root };
        if lake.tables()?.is_empty() {
            return Err(QueryError::NotFound(format!(
                "there is no table in the lake {}; {HOW_TO_FILL}",
                shown.display()
            )));
        }
        Ok(lake)
    }

    /// The folder of the lake, absolute and without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The names of all tables, sorted.
    pub fn tables(&self) -> Result<Vec<String>, QueryError> {
        let entries = fs::read_dir(&self.root).map_err(|error| unreadable_root(&self.root, &error))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable_root(&self.root, &error))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            // A link counts even when its target is gone, so that the query can say so.
            let is_table =
                entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink() && !links_to_file(&entry.path()));
            if is_table && is_table_name(&name) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether the lake has a table of exactly this name.
    pub(crate) fn has(&self, table: &str) -> bool {
        is_table_name(table) && self.root.join(table).symlink_metadata().is_ok()
    }

    /// The folder of the run that the table's link leads to now, or the table's own folder.
    pub(crate) fn resolve(&self, table: &str) -> Result<PathBuf, QueryError> {
        let entry = self.root.join(table);
        entry.canonicalize().map_err(|error| {
            let target = fs::read_link(&entry).map(|target| format!(", a link to {},", target.display()));
            QueryError::Disk(format!(
                "the table \"{table}\" ({}{}) cannot be opened: {error}; run its task again",
                entry.display(),
                target.unwrap_or_default(),
            ))
        })
    }

    /// The sentence for a name that is no table: what tables there are, the nearest first.
    pub(crate) fn no_such_table(&self, name: &str) -> QueryError {
        let tables = match self.tables() {
            Ok(tables) => nearest_first(name, tables),
            Err(error) => return error,
        };
        let quoting = tables.iter().any(|table| table != name && table.to_lowercase() == name.to_lowercase());
        let hint = if quoting { "; a name with capital letters needs double quotes" } else { "" };
        QueryError::NotFound(format!(
            "there is no table \"{name}\" in the lake {}; there are: {}{hint}",
            self.root.display(),
            tables.join(", ")
        ))
    }
}

const HOW_TO_FILL: &str = "fill it with: project <POSTGRES-URI> --table=all --upload=<folder>";

/// Runs, manifests and hidden entries lie beside the tables.
fn is_table_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with("run=") && !name.starts_with(['_', '.']) && !name.contains(['/', '\0'])
}

fn links_to_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|target| target.is_file())
}

fn nearest_first(name: &str, mut tables: Vec<String>) -> Vec<String> {
    tables.sort();
    // "public.orders" is the folder "public_orders", and the planner drops the "public." that was written.
    let wanted = name.to_lowercase().replace('.', "_");
    let qualified = format!("{SCHEMA}_{wanted}");
    tables.sort_by_cached_key(|table| {
        let known = table.to_lowercase();
        let distance = damerau_levenshtein(&wanted, &known);
        (distance.min(damerau_levenshtein(&qualified, &known)), known)
    });
    tables
}

fn unreadable_root(root: &Path, error: &io::Error) -> QueryError {
    match error.kind() {
        io::ErrorKind::NotFound => {
            QueryError::NotFound(format!("there is no lake in {}; {HOW_TO_FILL}", root.display()))
        }
        _ => QueryError::Disk(format!("the lake {} cannot be read: {error}", root.display())),
    }
}

/// Whether an entry of a table's folder is data: writers keep their unfinished files under such names.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes().first(), Some(b'_' | b'.'))
}
