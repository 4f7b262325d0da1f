//! Runs that read some dates of a table: the other dates come from the run that readers see.

use crate::error::PublishError;
use crate::lake::{Duplicate, Lake, Live, Objects};
use crate::manifest::{DataFile, TableManifest, Window};
use crate::runs::Runs;
use anyhow::Result;
use std::collections::HashSet;

/// Adds the files of the published run that lie outside of the window. Where files are kept by run they are copied, so
/// that every run is whole by itself: it can be shown again, and be removed, without a look at any other.
pub(crate) async fn carry_over<L: Lake>(
    lake: &L,
    run_id: &str,
    table: &mut TableManifest,
    window: &Window,
    live: &Live,
    previous: Option<&TableManifest>,
) -> Result<()> {
    let shown = live.run.clone().unwrap_or_default();
    let carried_key = |key: &str| lake.carried_key(run_id, &table.table, key);
    let in_place = previous.is_some_and(|table| table.files.iter().all(|file| carried_key(&file.key) == file.key));
    let from = match previous {
        Some(previous) if in_place => standing(lake, &shown, previous).await?,
        previous => previous.map(|table| (shown.clone(), table.clone())),
    };
    let Some((from, previous)) = from else {
        return Err(PublishError::NothingToCarry { table: table.table.clone(), run: shown }.into());
    };
    let in_window = |value: &Option<String>| value.as_ref().is_some_and(|value| window.contains(value));
    let (mut carried, mut copies) = (Vec::new(), Vec::new());
    for file in previous.files.iter().filter(|file| !in_window(&file.partition)) {
        let to = carried_key(&file.key);
        carried.push(DataFile { key: to.clone(), ..file.clone() });
        if to != file.key {
            copies.push(Duplicate { file: file.clone(), to });
        }
    }
    if !copies.is_empty() {
        lake.objects().copy(&copies).await?;
    }
    table.files.extend(carried);
    table.carried_from = Some(from);
    table.files.sort_by(|a, b| a.key.cmp(&b.key));
    table.rows = table.files.iter().map(|file| file.rows).sum();
    table.bytes = table.files.iter().map(|file| file.bytes).sum();
    Ok(())
}

/// The run whose files are all there, and what it says of the table: the one that is shown, or the one that it was going
/// to replace when it died before its files were visible. Nothing if that cannot be told.
async fn standing<L: Lake>(lake: &L, run: &str, newest: &TableManifest) -> Result<Option<(String, TableManifest)>> {
    let there: HashSet<String> = lake.objects().list(&newest.table).await?.into_iter().collect();
    let (mut run, mut table) = (run.to_owned(), newest.clone());
    while !table.files.iter().all(|file| there.contains(&file.key)) {
        let Some(replaced) = table.replaces.take() else {
            // It was the first, and nothing of it counts.
            table.files.clear();
            break;
        };
        let manifest = Runs::of(lake.objects()).find(&replaced).await?;
        let Some(found) = manifest.and_then(|manifest| manifest.table(&table.table).cloned()) else { return Ok(None) };
        (run, table) = (replaced, found);
    }
    Ok(Some((run, table)))
}
