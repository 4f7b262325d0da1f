//! Showing an earlier run of a table again.

use crate::error::PublishError;
use crate::lake::{Committed, Lake, Live, Objects, Release};
use crate::manifest::{Manifest, TableManifest};
use crate::runs::Runs;
use anyhow::Result;

/// What a rollback did.
#[derive(Debug, Clone, PartialEq)]
pub struct RolledBack {
    /// The run that readers saw.
    pub from: Option<String>,
    /// The run that they see now.
    pub to: Manifest,
}

/// Shows `table` as it was in the run `to`, or else in the last one before the run that readers see now.
///
/// # Errors
/// [`PublishError`] when there is no such run or its files are not what they were; nothing has changed then.
pub async fn roll_back<L: Lake>(lake: &L, table: &str, to: Option<&str>) -> Result<RolledBack> {
    let runs = Runs::of(lake.objects());
    let live = lake.live(table).await?;
    let manifest = match to {
        Some(run) => named(runs.find(run).await?, table, run)?,
        None => the_one_before(&runs, table, live.as_ref()).await?,
    };
    let found = manifest.table(table).ok_or_else(|| absent(table, &manifest.run.run_id))?;
    check_files(lake, &manifest.run.run_id, found).await?;
    let release = Release { run: &manifest.run, table: found };
    if lake.commit(release, live.as_ref()).await? == Committed::Overtaken {
        return Err(PublishError::Overtaken { table: table.to_owned(), by: String::new() }.into());
    }
    keep_or_undo(lake, &runs, &manifest, table, live.as_ref()).await?;
    Ok(RolledBack { from: live.and_then(|live| live.run), to: manifest })
}

/// gc removes a manifest, then looks what is shown, then removes the data. We show, then look for the manifest. So of
/// two at the same time at least one sees the other.
async fn keep_or_undo<L: Lake>(
    lake: &L,
    runs: &Runs<'_, L::Objects>,
    shown: &Manifest,
    table: &str,
    before: Option<&Live>,
) -> Result<()> {
    let run = &shown.run.run_id;
    if runs.find(run).await?.is_some() {
        return Ok(());
    }
    let gone = || {
        PublishError::NoSuchRun(format!(
            "run {run} was removed by project gc meanwhile; {table} shows what it did before"
        ))
    };
    let previous = match before.and_then(|live| live.run.as_deref()) {
        Some(previous) => runs.find(previous).await?,
        None => None,
    };
    let (Some(now), Some(previous)) = (lake.live(table).await?, previous) else { return Err(gone().into()) };
    if now.run.as_ref() == Some(run)
        && let Some(found) = previous.table(table)
    {
        lake.commit(Release { run: &previous.run, table: found }, Some(&now)).await?;
    }
    Err(gone().into())
}

/// The newest run with this table that is older than the one that readers see.
async fn the_one_before<O: Objects>(runs: &Runs<'_, O>, table: &str, live: Option<&Live>) -> Result<Manifest> {
    let live = live.and_then(|live| live.run.as_deref());
    for id in runs.ids().await?.iter().rev().filter(|id| live.is_none_or(|live| id.as_str() < live)) {
        if let Some(manifest) = runs.find(id.as_str()).await?
            && manifest.table(table).is_some()
        {
            return Ok(manifest);
        }
    }
    let than = live.map(|live| format!(" than {live}, which is shown")).unwrap_or_default();
    let message = format!("no run that is older{than} holds a table {table}; see project runs");
    Err(PublishError::NoSuchRun(message).into())
}

fn named(found: Option<Manifest>, table: &str, run: &str) -> Result<Manifest, PublishError> {
    let found = found
        .ok_or_else(|| PublishError::NoSuchRun(format!("there is no run {run} in this lake; see project runs")))?;
    if found.table(table).is_some() { Ok(found) } else { Err(absent(table, run)) }
}

fn absent(table: &str, run: &str) -> PublishError {
    PublishError::NoSuchRun(format!("run {run} holds no table {table}; see project runs"))
}

async fn check_files<L: Lake>(lake: &L, run: &str, table: &TableManifest) -> Result<()> {
    for file in &table.files {
        let facts = lake.objects().facts(&file.key).await?;
        if let Some(fault) = file.fault(facts.as_ref()) {
            return Err(PublishError::Damaged { run: run.to_owned(), object: file.key.clone(), fault }.into());
        }
    }
    Ok(())
}
