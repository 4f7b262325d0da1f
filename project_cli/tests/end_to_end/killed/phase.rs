//! How far a run had come when it was killed.

use super::store::{Kind, Store};
use crate::lake_folder::links;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::read_dir;
use std::path::{Path, PathBuf};

/// The steps of a run, as its lake shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    BeforeManifest,
    Manifest,
    Commit,
    CleanUp,
    Ended,
}

/// What the lake looked like when the run began.
pub(super) enum Beginning {
    Folder { manifests: usize, links: BTreeMap<String, PathBuf> },
    Bucket { calls: usize },
}

impl Beginning {
    pub(super) fn of(store: &Store) -> Result<Self> {
        Ok(match store.kind {
            Kind::Folder => {
                let lake = store.program.lake();
                Self::Folder { manifests: manifests(&lake)?, links: links(&lake)? }
            }
            _ => Self::Bucket { calls: store.calls()?.len() },
        })
    }

    pub(super) fn phase(&self, store: &Store) -> Result<Phase> {
        match self {
            Self::Folder { manifests: before, links: old } => {
                let lake = store.program.lake();
                let switched = links(&lake)?.iter().filter(|(table, run)| old.get(*table) != Some(run)).count();
                Ok(match switched {
                    0 if manifests(&lake)? == *before => Phase::BeforeManifest,
                    0 => Phase::Manifest,
                    some if some < old.len() => Phase::Commit,
                    _ => Phase::CleanUp,
                })
            }
            Self::Bucket { calls } => phase_in_bucket(store, *calls),
        }
    }
}

fn manifests(lake: &Path) -> Result<usize> {
    let names = read_dir(lake.join("_runs"))?.map(|entry| Ok(entry?.path()));
    let names: BTreeSet<PathBuf> = names.collect::<Result<_>>()?;
    Ok(names.iter().filter(|name| name.extension() == Some("json".as_ref())).count())
}

/// By the requests of the run, of which the last one decides.
fn phase_in_bucket(store: &Store, before: usize) -> Result<Phase> {
    let mut phase = Phase::BeforeManifest;
    for call in store.calls()?.into_iter().skip(before).filter(|call| call.service != "athena") {
        let reached = match call.operation.as_str() {
            "PutObject" if call.name.contains("/_runs/2") => Phase::Manifest,
            "PutObject" if call.name.contains("/_runs/live/") => Phase::Commit,
            "CreateTable" | "UpdateTable" => Phase::Commit,
            // What the new files replace.
            "DeleteObjects" if phase == Phase::Commit => Phase::CleanUp,
            "StartCrawler" => Phase::CleanUp,
            _ => phase,
        };
        phase = phase.max(reached);
        // The next table.
        if reached == Phase::Commit && phase == Phase::CleanUp {
            phase = Phase::Commit;
        }
    }
    Ok(phase)
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeManifest => "before the manifest",
            Self::Manifest => "between manifest and commit",
            Self::Commit => "between the first and the last commit",
            Self::CleanUp => "at the cleaning up",
            Self::Ended => "after the end",
        })
    }
}
