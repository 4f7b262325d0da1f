//! Removing runs that nobody needs any more, and what dead runs have left.

use crate::claims::{Claim, Claims, Purpose};
use crate::lake::{Lake, Objects};
use crate::manifest::{Manifest, Run};
use crate::run_id::RunId;
use crate::runs::{RUNS_FOLDER, Runs};
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// The newest runs of each table.
    pub runs: usize,
    /// Every run that began less than this ago, because it may still be written; and every run that readers saw less
    /// than this ago, because a query that began then may still read it.
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

/// Removes runs; never one that readers of any table see, nor one that they saw within the grace.
///
/// Each is claimed, then everything is looked at once more; the manifest goes first, so that nobody shows the run again,
/// and the data after it. A kill in between leaves a run without manifest, which the next collection removes.
pub async fn collect<L: Lake>(lake: &L, keep: Keep, now: DateTime<Utc>) -> Result<Collected> {
    let (runs, claims) = (Runs::of(lake.objects()), Claims::of(lake.objects()));
    let manifests = runs.all().await?;
    let view = View::new(lake, &manifests, keep.grace, now);
    let mut stay = newest_of_each_table(&manifests, keep.runs);
    stay.extend(view.in_use().await?);
    let mut candidates: BTreeSet<RunId> = runs_with_folder(lake.objects()).await?;
    let sealed: BTreeSet<RunId> = manifests.iter().filter_map(|one| RunId::parse(&one.run.run_id)).collect();
    candidates.extend(sealed.iter().cloned());
    let goes = |run: &RunId| !stay.contains(run.as_str()) && now - run.began() > keep.grace;
    let mut collected = Collected::default();
    for run in candidates.into_iter().filter(goes) {
        let claim = claims.make(Purpose::Remove, run.as_str()).await?;
        let was_sealed = sealed.contains(&run);
        // One that was not complete may have become so meanwhile.
        let new = !was_sealed && runs.find(run.as_str()).await?.is_some();
        if !new && !view.in_use().await?.contains(run.as_str()) {
            collected.objects += remove(lake.objects(), &run, was_sealed).await?;
            let gone = if was_sealed { &mut collected.runs } else { &mut collected.dead };
            gone.push(run.as_str().to_owned());
        }
        claims.withdraw(&[claim]).await?;
    }
    collected.kept = manifests.len() - collected.runs.len();
    let beside = lake.objects().list(RUNS_FOLDER).await?;
    let old: Vec<String> = beside.into_iter().filter(|key| is_forgotten(key, keep.grace, now)).collect();
    if !old.is_empty() {
        lake.objects().delete(&old).await?;
    }
    Ok(collected)
}

/// Whether an object beside the manifests is of somebody dead: a claim without force, or a hidden scrap with the id of
/// its maker, such as half a manifest on a disk or the probe of a store.
fn is_forgotten(key: &str, grace: TimeDelta, now: DateTime<Utc>) -> bool {
    if let Some(claim) = Claim::of_key(key) {
        return !claim.holds(now, grace);
    }
    let scrap = key.rsplit('/').next().and_then(|name| name.strip_prefix('.')).unwrap_or_default();
    let maker = scrap.strip_suffix(".partial").or_else(|| scrap.strip_prefix("probe-")).and_then(RunId::parse);
    maker.is_some_and(|maker| now - maker.began() > grace)
}

/// What a collection looks at again and again.
struct View<'a, L> {
    lake: &'a L,
    grace: TimeDelta,
    now: DateTime<Utc>,
    facts: Vec<Run>,
    known: &'a [Manifest],
}

impl<'a, L: Lake> View<'a, L> {
    fn new(lake: &'a L, known: &'a [Manifest], grace: TimeDelta, now: DateTime<Utc>) -> Self {
        let facts = known.iter().map(|manifest| manifest.run.clone()).collect();
        Self { lake, grace, now, facts, known }
    }

    /// The runs that readers see, saw within the grace, or are going to see. What is seen is looked at first: a run
    /// that is replaced after that is told by it, and one that was replaced before by the manifest of its successor.
    async fn in_use(&self) -> Result<BTreeSet<String>> {
        let mut used = self.lake.live_runs(&self.facts).await?;
        let claims = Claims::of(self.lake.objects()).all().await?;
        let held = claims.iter().filter(|claim| claim.holds(self.now, self.grace));
        used.extend(held.filter_map(|claim| claim.protected()).map(str::to_owned));
        let runs = Runs::of(self.lake.objects());
        let known = |id: &RunId| self.known.iter().any(|manifest| manifest.run.run_id == id.as_str());
        let mut new = Vec::new();
        for id in runs.ids().await?.into_iter().filter(|id| !known(id)) {
            new.extend(runs.find(id.as_str()).await?);
        }
        let young = self.known.iter().chain(&new).filter(|manifest| self.now - manifest.written_at <= self.grace);
        used.extend(young.flat_map(|manifest| &manifest.tables).filter_map(|table| table.replaces.clone()));
        Ok(used)
    }
}

async fn runs_with_folder<O: Objects>(objects: &O) -> Result<BTreeSet<RunId>> {
    Ok(objects.folders().await?.iter().filter_map(|name| RunId::of_folder(name)).collect())
}

/// Its objects, and how many they were.
async fn remove<O: Objects>(objects: &O, run: &RunId, sealed: bool) -> Result<usize> {
    if sealed {
        Runs::of(objects).delete(run.as_str()).await?;
    }
    let mut keys = objects.list(&run.folder()).await?;
    let count = keys.len();
    if keys.is_empty() && !sealed {
        // On a disk a folder may be there without a file.
        keys.push(run.folder());
    }
    objects.delete(&keys).await?;
    Ok(count)
}

/// The runs that are among the newest `count` of one table at least.
fn newest_of_each_table(manifests: &[Manifest], count: usize) -> BTreeSet<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut needed = BTreeSet::new();
    for manifest in manifests.iter().rev() {
        for table in &manifest.tables {
            let seen = seen.entry(&table.table).or_default();
            *seen += 1;
            if *seen <= count {
                needed.insert(manifest.run.run_id.clone());
            }
        }
    }
    needed
}
