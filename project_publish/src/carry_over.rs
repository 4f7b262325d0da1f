//! Runs that read some dates of a table: the other dates come from the run that readers see.

use crate::error::PublishError;
use crate::lake::{Lake, Live, Objects};
use crate::manifest::{TableManifest, Window};
use anyhow::Result;

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
    let from = live.run.clone().unwrap_or_default();
    let Some(previous) = previous else {
        return Err(PublishError::NothingToCarry { table: table.table.clone(), run: from }.into());
    };
    let in_window = |value: &Option<String>| value.as_ref().is_some_and(|value| window.contains(value));
    for file in previous.files.iter().filter(|file| !in_window(&file.partition)) {
        let mut carried = file.clone();
        carried.key = lake.carried_key(run_id, &table.table, &file.key);
        if carried.key != file.key {
            lake.objects().copy(file, &carried.key).await?;
        }
        table.files.push(carried);
    }
    table.carried_from = Some(from);
    table.files.sort_by(|a, b| a.key.cmp(&b.key));
    table.rows = table.files.iter().map(|file| file.rows).sum();
    table.bytes = table.files.iter().map(|file| file.bytes).sum();
    Ok(())
}
