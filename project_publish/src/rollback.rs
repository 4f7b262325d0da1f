//! Showing an earlier run of a table again.

use crate::claims::{Claims, Purpose};
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
    claim(&runs, lake.objects(), &manifest.run.run_id, live.as_ref().and_then(|live| live.run.as_deref())).await?;
    let release = Release { run: &manifest.run, table: found };
    if lake.commit(release, live.as_ref()).await? == Committed::Overtaken {
        return Err(PublishError::Overtaken { table: table.to_owned(), by: String::new() }.into());
    }
    Ok(RolledBack { from: live.and_then(|live| live.run), to: manifest })
}

/// Claims both runs, so that gc leaves them alone: the one that will be seen, and the one that queries still read.
async fn claim<O: Objects>(runs: &Runs<'_, O>, objects: &O, to: &str, from: Option<&str>) -> Result<()> {
    let claims = Claims::of(objects);
    let mut made = vec![claims.make(Purpose::Show, to).await?];
    if let Some(from) = from {
        made.push(claims.make(Purpose::Leave, from).await?);
    }
    // In this order: gc gives its claim up when the manifest is gone.
    if claims.is_removed(to).await? || runs.find(to).await?.is_none() {
        claims.withdraw(&made).await?;
        let message = format!("run {to} is being removed by project gc; choose another run, see project runs");
        return Err(PublishError::NoSuchRun(message).into());
    }
    Ok(())
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
    let than = live.map(|live| format!(" than {live}, which is shown,")).unwrap_or_default();
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
