//! Finished files of an export, read back before anybody else may have them.

use crate::export::{Export, Stopped};
use crate::worker_threads::on_threads;
use anyhow::Result;
use project_parquet::ParquetFile;
use project_parquet::proof::{TableTally, tally_file};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

impl Export {
    /// What a file holds, if anybody wants to know.
    pub(crate) fn tally(&self, file: &ParquetFile, stop: &CancellationToken) -> Result<Option<TableTally>> {
        let go_on = || if stop.is_cancelled() { Err(Stopped.into()) } else { Ok(()) };
        self.verify.map(|form| tally_file(&file.path, form, &go_on)).transpose()
    }

    /// The same of several, by the export's workers.
    pub(crate) fn tally_all(&self, files: &[ParquetFile], stop: &CancellationToken) -> Result<Option<TableTally>> {
        let workers = if self.verify.is_some() { self.workers.min(files.len()) } else { 0 };
        let next = AtomicUsize::new(0);
        let tallies = on_threads(workers, stop, || {
            let mut all = None;
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                add(&mut all, self.tally(file, stop)?)?;
            }
            Ok(all)
        })?;
        let mut all = None;
        tallies.into_iter().try_for_each(|tally| add(&mut all, tally))?;
        Ok(all)
    }
}

/// Adds a tally to those before it, if there are any.
pub(crate) fn add(all: &mut Option<TableTally>, more: Option<TableTally>) -> Result<()> {
    match (all.as_mut(), more) {
        (Some(all), Some(more)) => all.add(more)?,
        (None, more) => *all = more,
        (Some(_), None) => {}
    }
    Ok(())
}
