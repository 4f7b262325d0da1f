//! Lakes whose tables have one folder each, for a crawler and for readers that know only paths: the files of a run
//! replace those of the one before.
//!
//! No single operation does that, so this is the mode with a window: new files become visible first, in the shortest
//! time, and what they replace goes afterwards. Readers may see rows twice in between, and never too few.

use crate::lake::{Committed, Lake, Live, Objects, Release, Replaced};
use crate::manifest::{Run, TableManifest, Window};
use crate::runs::{RUNS_FOLDER, Runs};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

/// Files of a table that are in the store and that nobody sees yet.
pub trait Reveal: Objects {
    /// Makes the staged files of a table visible, all of them in the shortest time, and returns that time.
    fn reveal(&self, table: &str) -> impl Future<Output = Result<Duration>> + Send;
}

/// Such a lake.
#[derive(Debug)]
pub struct InPlaceLake<O> {
    objects: O,
}

/// `_runs/live/<table>.json`: which run the files of a table belong to.
#[derive(Debug, Serialize, Deserialize)]
struct Pointer {
    run_id: String,
    /// False while its files are being replaced.
    complete: bool,
    /// What this run replaces, and what those before it did that died at it; whole tables have no window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<Option<Window>>,
}

impl<O: Reveal> InPlaceLake<O> {
    /// Over these objects.
    pub fn new(objects: O) -> Self {
        Self { objects }
    }

    async fn point(&self, table: &str, pointer: &Pointer, expected: Option<&str>) -> Result<Replaced> {
        let content = serde_json::to_vec(pointer).context("cannot write a pointer")?;
        self.objects.replace(&pointer_key(table), content, expected).await
    }

    async fn pointer(&self, table: &str) -> Result<Option<(Pointer, String)>> {
        let key = pointer_key(table);
        let Some(found) = self.objects.read(&key).await? else { return Ok(None) };
        let pointer = serde_json::from_slice(&found.content)
            .with_context(|| format!("{key} cannot be read; delete it, and the next run writes it anew"))?;
        Ok(Some((pointer, found.version)))
    }

    /// The data files in the table's folder that the release replaces, and those of runs that died at it.
    async fn stale(&self, table: &TableManifest, replaced: &[Option<Window>]) -> Result<Vec<String>> {
        let keep: HashSet<&str> = table.files.iter().map(|file| file.key.as_str()).collect();
        let keys = self.objects.list(&table.table).await?.into_iter();
        let lies_in = |key: &str, window: &Option<Window>| {
            window.as_ref().is_none_or(|window| partitions(key).any(|date| window.contains(date)))
        };
        let stale = |key: &str| {
            key.ends_with(".parquet") && !keep.contains(key) && replaced.iter().any(|window| lies_in(key, window))
        };
        Ok(keys.filter(|key| stale(key)).collect())
    }

    /// Takes the files of a release away that a run which took over does not have. Where its own are not visible yet, it
    /// will find ours; until then ours may be the table.
    async fn withdraw(&self, table: &TableManifest) -> Result<Committed> {
        if let Some((now, _)) = self.pointer(&table.table).await?
            && let Some(manifest) = Runs::of(&self.objects).find(&now.run_id).await?
            && let Some(winner) = manifest.table(&table.table)
        {
            let visible = self.objects.list(&table.table).await?;
            let theirs: HashSet<&str> = winner.files.iter().map(|file| file.key.as_str()).collect();
            if theirs.iter().all(|key| visible.iter().any(|visible| visible == key)) {
                let ours = table.files.iter().map(|file| &file.key).filter(|key| !theirs.contains(key.as_str()));
                self.objects.delete(&ours.cloned().collect::<Vec<_>>()).await?;
            }
        }
        Ok(Committed::Overtaken)
    }
}

impl<O: Reveal> Lake for InPlaceLake<O> {
    type Objects = O;

    fn objects(&self) -> &O {
        &self.objects
    }

    fn carried_key(&self, _run_id: &str, _table: &str, key: &str) -> String {
        key.to_owned()
    }

    async fn live(&self, table: &str) -> Result<Option<Live>> {
        let found = self.pointer(table).await?;
        Ok(found.map(|(pointer, version)| Live { run: Some(pointer.run_id), version }))
    }

    async fn live_runs(&self, _known: &[Run]) -> Result<BTreeSet<String>> {
        let mut runs = BTreeSet::new();
        for key in self.objects.list(&format!("{RUNS_FOLDER}/live")).await? {
            let table = key.rsplit('/').next().and_then(|name| name.strip_suffix(".json"));
            let live = self.live(table.unwrap_or_default()).await?;
            runs.extend(live.and_then(|live| live.run));
        }
        Ok(runs)
    }

    /// The pointer is claimed first: of two runs at the same time the later one stops before it has touched a file. A
    /// claim is taken over by the next run, because whoever made it may be dead. If not, it notices before it deletes
    /// anything: what it is about to delete was there before the other could show a file.
    async fn commit(&self, release: Release<'_>, expected: Option<&Live>) -> Result<Committed> {
        let table = release.table;
        let expected = expected.map(|live| live.version.as_str());
        let before = self.pointer(&table.table).await?;
        let unfinished = before.map(|(pointer, _)| pointer).filter(|pointer| !pointer.complete);
        let mut replaced = unfinished.map(|pointer| pointer.replaced).unwrap_or_default();
        replaced.push(table.window.clone());
        let pointer = Pointer { run_id: release.run.run_id.clone(), complete: false, replaced };
        let Replaced::Done(claim) = self.point(&table.table, &pointer, expected).await? else {
            return Ok(Committed::Overtaken);
        };
        let window = self.objects.reveal(&table.table).await?;
        // Only now: until the new files are there, the old ones are the table.
        let stale = self.stale(table, &pointer.replaced).await?;
        if self.pointer(&table.table).await?.is_none_or(|(_, version)| version != claim) {
            return self.withdraw(table).await;
        }
        if !stale.is_empty() {
            let deleted = self.objects.delete(&stale).await;
            deleted.with_context(|| {
                format!("readers of {} see old and new rows until its old files are gone", table.table)
            })?;
        }
        let complete = Pointer { complete: true, replaced: Vec::new(), ..pointer };
        match self.point(&table.table, &complete, Some(&claim)).await? {
            Replaced::Done(_) => Ok(Committed::Done(window)),
            // It has taken over after our files were visible, so that it replaces them like those of any run.
            Replaced::Overtaken => Ok(Committed::Overtaken),
        }
    }
}

fn pointer_key(table: &str) -> String {
    format!("{RUNS_FOLDER}/live/{table}.json")
}

/// The values of the `key=value` folders on the way to a file.
fn partitions(key: &str) -> impl Iterator<Item = &str> {
    key.split('/').filter_map(|folder| folder.split_once('=').map(|(_, value)| value))
}
