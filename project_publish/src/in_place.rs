//! Lakes whose tables have one folder each, for a crawler and for readers that know only paths: the files of a run
//! replace those of the one before.
//!
//! No single operation does that, so this is the mode with a window: new files become visible first, in the shortest
//! time, and what they replace goes afterwards. Readers may see rows twice in between, and never too few.

use crate::lake::{Committed, Lake, Live, Objects, Release, Replaced};
use crate::manifest::Run;
use crate::runs::RUNS_FOLDER;
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
}

impl<O: Reveal> InPlaceLake<O> {
    /// Over these objects.
    pub fn new(objects: O) -> Self {
        Self { objects }
    }

    async fn point(&self, table: &str, run: &str, complete: bool, expected: Option<&str>) -> Result<Replaced> {
        let pointer = Pointer { run_id: run.to_owned(), complete };
        let content = serde_json::to_vec(&pointer).context("cannot write a pointer")?;
        self.objects.replace(&pointer_key(table), content, expected).await
    }

    /// The data files in the table's folder that the release replaces.
    async fn stale(&self, release: &Release<'_>) -> Result<Vec<String>> {
        let table = release.table;
        let keep: HashSet<&str> = table.files.iter().map(|file| file.key.as_str()).collect();
        let keys = self.objects.list(&table.table).await?.into_iter();
        let replaced =
            |key: &str| table.window.as_ref().is_none_or(|window| partitions(key).any(|date| window.contains(date)));
        Ok(keys.filter(|key| key.ends_with(".parquet") && !keep.contains(key.as_str()) && replaced(key)).collect())
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
        let key = pointer_key(table);
        let Some(found) = self.objects.read(&key).await? else { return Ok(None) };
        let pointer: Pointer = serde_json::from_slice(&found.content)
            .with_context(|| format!("{key} cannot be read; delete it, and the next run writes it anew"))?;
        Ok(Some(Live { run: Some(pointer.run_id), version: found.version }))
    }

    async fn live_runs(&self, _runs: &[Run], _tables: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut runs = BTreeSet::new();
        for key in self.objects.list(&format!("{RUNS_FOLDER}/live")).await? {
            let table = key.rsplit('/').next().and_then(|name| name.strip_suffix(".json"));
            let live = self.live(table.unwrap_or_default()).await?;
            runs.extend(live.and_then(|live| live.run));
        }
        Ok(runs)
    }

    /// The pointer is claimed first: of two runs at the same time the later one stops before it has touched a file.
    async fn commit(&self, release: Release<'_>, expected: Option<&Live>) -> Result<Committed> {
        let (run, table) = (&release.run.run_id, &release.table.table);
        let expected = expected.map(|live| live.version.as_str());
        let Replaced::Done(claim) = self.point(table, run, false, expected).await? else {
            return Ok(Committed::Overtaken);
        };
        let window = self.objects.reveal(table).await?;
        // Only now: until the new files are there, the old ones are the table.
        let stale = self.stale(&release).await?;
        if !stale.is_empty() {
            self.objects.delete(&stale).await?;
        }
        match self.point(table, run, true, Some(&claim)).await? {
            Replaced::Done(_) => Ok(Committed::Done(window)),
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
