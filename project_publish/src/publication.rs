//! Making the tables of a run visible: look, stage, seal, commit.

use crate::carry_over::carry_over;
use crate::claims::{Claims, Purpose};
use crate::error::PublishError;
use crate::gate::Gate;
use crate::lake::{Committed, Lake, Live, Objects, Release};
use crate::manifest::{Column, DataFile, Manifest, Run, TableManifest, Window};
use crate::runs::Runs;
use anyhow::{Result, anyhow, bail};
use std::collections::BTreeSet;
use std::time::Duration;

/// A run on its way to its readers. Its data is in the lake already, where nobody reads it.
///
/// First every table is [staged](Self::stage), then the manifest is written ([`seal`](Self::seal)), then tables are
/// [committed](Self::commit) one by one. Until its commit nothing of a table has changed for its readers.
#[derive(Debug)]
pub struct Publication<'a, L> {
    lake: &'a L,
    run: Run,
    gate: Gate,
    staged: Vec<Staged>,
}

/// A table whose data is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its folder in the lake.
    pub table: String,
    /// The task that made it.
    pub task: String,
    /// The columns of its files.
    pub columns: Vec<Column>,
    /// The key of its `key=value` folders.
    pub partition_key: Option<String>,
    /// The condition under which rows were read.
    pub condition: Option<String>,
    /// The dates that were read, if not all.
    pub window: Option<Window>,
    /// Its files.
    pub files: Vec<DataFile>,
    /// Whether a fall of its rows is suspicious.
    pub gated: bool,
}

/// A table that readers see now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Files of the table, those that were carried over included.
    pub files: usize,
    /// How many of them were carried over.
    pub carried: usize,
    /// How long readers may have seen old and new files together.
    pub window: Duration,
}

/// A table that may be committed, and what its readers see until then.
#[derive(Debug)]
struct Staged {
    table: TableManifest,
    live: Option<Live>,
    carried: usize,
}

impl<'a, L: Lake> Publication<'a, L> {
    /// For a run whose files are in the lake.
    pub fn begin(lake: &'a L, run: Run, gate: Gate) -> Self {
        Self { lake, run, gate, staged: Vec::new() }
    }

    /// Compares a table with what its readers see, and completes it with the dates that were not read.
    ///
    /// # Errors
    /// [`PublishError`] when it must not be published; a failure of the store. It is not part of the run then.
    ///
    /// # Returns
    /// False when there is nothing to publish: no row in its dates, and no run before. It is not part of the run then.
    pub async fn stage(&mut self, candidate: Candidate) -> Result<bool> {
        let gated = candidate.gated;
        let mut table = complete(candidate);
        let live = self.lake.live(&table.table).await?;
        if live.is_none() && table.files.is_empty() {
            return Ok(false);
        }
        table.replaces = live.as_ref().and_then(|live| live.run.clone());
        let mut carried = 0;
        if let Some(live) = &live {
            let previous = self.published_table(&table.table, live).await?;
            if let Some(previous) = &previous
                && previous.task != table.task
                && !self.gate.force
            {
                let (theirs, ours) = (previous.task.clone(), table.task);
                return Err(PublishError::OtherSource { table: table.table, theirs, ours }.into());
            }
            if gated && let (Some(previous), Some(run)) = (&previous, &live.run) {
                self.gate.check(&table, run, previous)?;
            }
            if let Some(window) = table.window.clone() {
                let read = table.files.len();
                carry_over(self.lake, &self.run.run_id, &mut table, &window, live, previous.as_ref()).await?;
                carried = table.files.len() - read;
            }
        }
        self.staged.push(Staged { table, live, carried });
        Ok(true)
    }

    /// Takes a staged table out of the run again: nothing of it is shown.
    pub fn unstage(&mut self, table: &str) {
        self.staged.retain(|staged| staged.table.table != table);
    }

    /// Writes the manifest. Without it no table is committed. A run that took longer than the grace of gc may have lost
    /// files, or be about to.
    pub async fn seal(&self) -> Result<()> {
        let (objects, run) = (self.lake.objects(), &self.run.run_id);
        let (runs, claims) = (Runs::of(objects), Claims::of(objects));
        let tables = self.staged.iter().map(|staged| staged.table.clone()).collect();
        let claim = claims.make(Purpose::Show, run).await?;
        runs.create(&Manifest::new(self.run.clone(), tables)).await?;
        // In this order: gc gives its claim up when the files are gone.
        if !claims.is_removed(run).await? && self.has_its_files().await? {
            return Ok(());
        }
        runs.delete(run).await?;
        claims.withdraw(&[claim]).await?;
        bail!(
            "project gc has removed run {run} before it was complete, because its --grace is shorter than this run; \
             nothing was published: run it again, and gc with a longer --grace"
        )
    }

    /// Whether everything is there that belongs to this run alone.
    async fn has_its_files(&self) -> Result<bool> {
        let folder = format!("run={}", self.run.run_id);
        let below = format!("{folder}/");
        let files = self.tables().flat_map(|table| &table.files);
        let own: BTreeSet<&str> = files.map(|file| file.key.as_str()).filter(|key| key.starts_with(&below)).collect();
        if own.is_empty() {
            return Ok(true);
        }
        let there: BTreeSet<String> = self.lake.objects().list(&folder).await?.into_iter().collect();
        Ok(own.iter().all(|key| there.contains(*key)))
    }

    /// Shows a staged table to its readers.
    ///
    /// # Errors
    /// [`PublishError::Overtaken`] when they see something else than when it was staged; a failure of the store, after
    /// which they may see either.
    pub async fn commit(&self, table: &str) -> Result<Published> {
        let staged = self.staged.iter().find(|staged| staged.table.table == table);
        let staged =
            staged.ok_or_else(|| anyhow!("{table} is not staged; this is a fault of the program, please report it"))?;
        let release = Release { run: &self.run, table: &staged.table };
        match self.lake.commit(release, staged.live.as_ref()).await? {
            Committed::Done(window) => {
                Ok(Published { files: staged.table.files.len(), carried: staged.carried, window })
            }
            Committed::Overtaken => {
                let by = self.lake.live(table).await.ok().flatten().and_then(|live| live.run);
                let by = by.map(|run| format!(" (run {run})")).unwrap_or_default();
                Err(PublishError::Overtaken { table: table.to_owned(), by }.into())
            }
        }
    }

    /// The files of every staged table, for whoever cleans up after one that was not committed.
    pub fn tables(&self) -> impl Iterator<Item = &TableManifest> {
        self.staged.iter().map(|staged| &staged.table)
    }

    /// What the run that readers see says of the table. A newer one must not be replaced.
    async fn published_table(&self, table: &str, live: &Live) -> Result<Option<TableManifest>> {
        let Some(run) = &live.run else {
            let foreign = || PublishError::Foreign { table: table.to_owned() };
            return if self.gate.force { Ok(None) } else { Err(foreign().into()) };
        };
        let Some(published) = Runs::of(self.lake.objects()).find(run).await? else { return Ok(None) };
        let (theirs, ours) = (&published.run.snapshot, &self.run.snapshot);
        if theirs.is_later_than(ours) {
            return Err(PublishError::Older {
                table: table.to_owned(),
                published: run.clone(),
                published_at: theirs.to_string(),
                taken_at: ours.to_string(),
            }
            .into());
        }
        Ok(published.table(table).cloned())
    }
}

fn complete(candidate: Candidate) -> TableManifest {
    let Candidate { table, task, columns, partition_key, condition, window, mut files, gated: _ } = candidate;
    files.sort_by(|a, b| a.key.cmp(&b.key));
    let (rows, bytes) = files.iter().fold((0, 0), |(rows, bytes), file| (rows + file.rows, bytes + file.bytes));
    TableManifest {
        table,
        task,
        rows,
        bytes,
        columns,
        partition_key,
        condition,
        window,
        carried_from: None,
        replaces: None,
        files,
    }
}
