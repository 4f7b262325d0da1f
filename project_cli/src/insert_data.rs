//! `--file`: rows of a file or of a query's result go into a table of another database.

use crate::config::{Insertion, RunConfig};
use crate::report::step::StepReport;
use anyhow::{Result, bail};
use project_publish::RunId;
use tokio_util::sync::CancellationToken;

/// Rows whose table was found and may be written to.
pub(crate) struct RowsToInsert<'a> {
    insertion: &'a Insertion,
}

impl<'a> RowsToInsert<'a> {
    /// Looks at the table before anything is read.
    pub(crate) async fn prepare(insertion: &'a Insertion, _config: &'a RunConfig, _run: &RunId) -> Result<Self> {
        Ok(Self { insertion })
    }

    /// What goes where, for people.
    pub(crate) fn about(&self) -> String {
        format!("{} into {}", self.insertion.rows, self.insertion.into)
    }

    /// Inserts them, and says how many they were.
    pub(crate) async fn insert(self, _step: &mut StepReport, _cancel: &CancellationToken) -> Result<()> {
        bail!("--file is not built yet")
    }
}
