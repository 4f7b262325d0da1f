//! Removing runs that nobody needs any more, and what dead runs have left.

use crate::lake::{Lake, Objects};
use crate::manifest::{Manifest, Run};
use crate::run_id::RunId;
use crate::runs::Runs;
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// The newest runs of each table.
    pub runs: usize,
    /// Every run that began less than this ago: it may still be written, or be read by a query that began before the
    /// next run was shown.
    pub grace: TimeDelta,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Runs with a manifest.
    pub runs: Vec<String>,
    /// Runs that had none: they died before they were complete.
    pub dead: Vec<String>,
    /// Their objects.
    pub objects: usize,
    /// Runs that stay.
    pub kept: usize,
}

/// Removes runs; never one that readers of any table see.
///
/// The manifest of a run goes first, so that nobody shows the run again; then what is shown is looked at once more; the
/// data goes last. A kill in between leaves a run without manifest, which the next collection removes.
pub async fn collect<L: Lake>(lake: &L, keep: Keep, now: DateTime<Utc>) -> Result<Collected> {
    let runs = Runs::of(lake.objects());
    let manifests = runs.all().await?;
    let facts: Vec<Run> = manifests.iter().map(|manifest| manifest.run.clone()).collect();
    let tables: BTreeSet<String> =
        manifests.iter().flat_map(|manifest| &manifest.tables).map(|table| table.table.clone()).collect();
    let live = lake.live_runs(&facts, &tables).await?;
    let needed = newest_of_each_table(&manifests, keep.runs);
    let may_go = |run: &RunId| !live.contains(run.as_str()) && now - run.began() > keep.grace;
    let mut collected = Collected::default();
    for manifest in &manifests {
        let id = &manifest.run.run_id;
        let goes = !needed.contains(id.as_str()) && RunId::parse(id).is_some_and(|id| may_go(&id));
        if !goes {
            collected.kept += 1;
            continue;
        }
        runs.delete(id).await?;
        if lake.live_runs(&facts, &tables).await?.contains(id) {
            // Somebody took it back meanwhile.
            runs.create(manifest).await?;
            collected.kept += 1;
            continue;
        }
        collected.runs.push(id.clone());
    }
    let known: BTreeSet<&str> = facts
        .iter()
        .map(|run| run.run_id.as_str())
        .filter(|id| !collected.runs.iter().any(|gone| gone == id))
        .collect();
    let mut folders: Vec<RunId> =
        lake.objects().folders().await?.iter().filter_map(|name| RunId::of_folder(name)).collect();
    folders.sort();
    for run in folders.into_iter().filter(|run| !known.contains(run.as_str()) && may_go(run)) {
        let keys = lake.objects().list(&run.folder()).await?;
        lake.objects().delete(&keys).await?;
        collected.objects += keys.len();
        if !collected.runs.iter().any(|gone| gone == run.as_str()) {
            collected.dead.push(run.as_str().to_owned());
        }
    }
    Ok(collected)
}

/// The runs that are among the newest `count` of one table at least.
fn newest_of_each_table(manifests: &[Manifest], count: usize) -> BTreeSet<&str> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut needed = BTreeSet::new();
    for manifest in manifests.iter().rev() {
        for table in &manifest.tables {
            let seen = seen.entry(&table.table).or_default();
            *seen += 1;
            if *seen <= count {
                needed.insert(manifest.run.run_id.as_str());
            }
        }
    }
    needed
}
