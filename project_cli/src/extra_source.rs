//! `--extra`: files that become a table of the lake, as if it had been read from the database.

use crate::config::{Extra, RunConfig};
use crate::destination::Destination;
use crate::inputs::inputs;
use crate::publishing::Finished;
use crate::report::{RunReport, TaskReport};
use crate::selection::same_table;
use crate::staging::StagingFolder;
use crate::survey::{Fit, refuse};
use anyhow::{Result, bail};
use project_parquet::WriterSettings;

/// The table, which has its place in the report.
pub(crate) struct ExtraTable<'a> {
    extra: &'a Extra,
    entry: usize,
}

impl<'a> ExtraTable<'a> {
    /// Gives it a place in the report.
    pub(crate) fn announce(extra: &'a Extra, report: &mut RunReport) -> Self {
        let entry = report.tasks.len();
        report.tasks.push(TaskReport::new(&extra.table, &extra.table));
        Self { extra, entry }
    }

    /// Refuses a table that a task of the run writes as well.
    pub(crate) fn check_folder(&self, tasks: &[Fit]) -> Result<()> {
        let table = &self.extra.table;
        match tasks.iter().find(|fit| fit.task.folder() == table) {
            Some(fit) => {
                Err(same_table("--extra", fit.task.name(), table, "give --extra another one with --as").into())
            }
            None => Ok(()),
        }
    }

    /// Refuses a table that cannot be published, before it is read.
    pub(crate) async fn publishable(
        self,
        destination: &Destination,
        config: &RunConfig,
        report: &mut RunReport,
    ) -> Option<Self> {
        let checked = Box::pin(destination.check_table(&self.extra.table, config.gate)).await;
        refuse(report, self.entry, checked).map(|()| self)
    }

    /// Reads the files into files of the lake: the table, and before it that of its rejects, if there are some.
    pub(crate) async fn read(
        self,
        config: &RunConfig,
        _writer: WriterSettings,
        _staging: &StagingFolder,
        report: &mut RunReport,
    ) -> Vec<Finished> {
        let read: Result<Vec<Finished>> = async {
            let inputs = inputs("extra", &self.extra.input, &config.aws, &config.scratch).await?;
            bail!("--extra is not built yet: {:?}", inputs.files)
        }
        .await;
        refuse(report, self.entry, read).unwrap_or_default()
    }
}
