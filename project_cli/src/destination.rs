//! Where a run publishes, and how what it has written becomes visible.

use crate::bucket::Bucket;
use crate::config::{self, RunConfig};
use crate::early_upload::{EarlyUpload, StagedTable};
use crate::local_lake;
use crate::progress::Progress;
use crate::report::{Failure, RunReport};
use anyhow::{Context, Result};
use project_partition_dates::DateWindow;
use project_tasks::Written;
use std::fs::create_dir_all;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// A lake, reached and found usable before anything is read.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Nothing is published: files stay in the folder of the run.
    Unpublished(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// A bucket.
    Bucket(Arc<Bucket>),
}

/// A task's files, ready to be published.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its place in the report.
    pub(crate) task: usize,
    /// The table's folder in the lake.
    pub(crate) table: String,
    /// Its folder on the local disk.
    pub(crate) folder: PathBuf,
    /// The files.
    pub(crate) written: Written,
    /// Those of them that are uploaded already.
    pub(crate) staged: StagedTable,
    /// The dates that the files replace; the whole table when there is none.
    pub(crate) window: Option<DateWindow>,
}

impl Destination {
    /// Checks that the lake can be written to; an unknown bucket or a missing right shows here and not after hours.
    pub(crate) async fn open(config: &RunConfig) -> Result<Self> {
        match &config.destination {
            config::Destination::S3(url) if config.publish => {
                let bucket = Bucket::open(url, &config.aws, config.crawler.clone()).await?;
                Ok(Self::Bucket(Arc::new(bucket)))
            }
            config::Destination::S3(_) => Ok(Self::Unpublished(PathBuf::from("lake"))),
            config::Destination::Local(folder) => {
                create_dir_all(folder).with_context(|| format!("cannot create the lake {}", folder.display()))?;
                Ok(if config.publish { Self::Folder(folder.clone()) } else { Self::Unpublished(folder.clone()) })
            }
        }
    }

    /// Where the files of the run lie until they are published: in the lake itself, if that is a folder, so that
    /// publishing is a rename and not a copy.
    pub(crate) fn staging_folder(&self, run_id: &str, scratch: &Path) -> PathBuf {
        match self {
            Self::Folder(lake) | Self::Unpublished(lake) => local_lake::run_folder(lake, run_id),
            Self::Bucket(_) => scratch.join(format!("project-{run_id}")),
        }
    }

    /// Refuses a table that cannot be published here, before it is read.
    pub(crate) fn check_table(&self, table: &str) -> Result<()> {
        match self {
            Self::Folder(lake) => local_lake::check(lake, table),
            Self::Unpublished(_) | Self::Bucket(_) => Ok(()),
        }
    }

    /// Whether the run's folder belongs to the lake and stays.
    pub(crate) fn keeps_staging(&self) -> bool {
        !matches!(self, Self::Bucket(_))
    }

    /// Takes finished files of a table while its task goes on; a folder has no use for that.
    pub(crate) fn early_upload(&self, table: &str, folder: &Path, cancel: &CancellationToken) -> Option<EarlyUpload> {
        match self {
            Self::Bucket(bucket) => Some(EarlyUpload::begin(bucket, table, folder, cancel)),
            Self::Unpublished(_) | Self::Folder(_) => None,
        }
    }

    /// Removes what was uploaded of a table that will not be published.
    pub(crate) async fn abandon(&self, staged: StagedTable) {
        if let Self::Bucket(bucket) = self {
            bucket.abandon(staged.files).await;
        }
    }

    /// Makes what the tasks have written visible, and says in the report what came of it.
    pub(crate) async fn publish(
        &self,
        finished: Vec<Finished>,
        report: &mut RunReport,
        progress: &Progress,
        cancel: &CancellationToken,
    ) {
        match self {
            Self::Unpublished(lake) => {
                let folder = local_lake::run_folder(lake, &report.run_id);
                report.notes.push(format!("--no-upload: the files are in {}", folder.display()));
            }
            Self::Folder(lake) => {
                for table in finished {
                    let start = Instant::now();
                    let switched = local_lake::switch(lake, &report.run_id, &table.table, table.window);
                    record(report, table.task, start, switched);
                }
            }
            Self::Bucket(bucket) => bucket.publish(finished, report, progress, cancel).await,
        }
    }
}

/// Notes in the report what came of publishing a table, which began at `start`.
pub(crate) fn record(report: &mut RunReport, task: usize, start: Instant, outcome: Result<()>) {
    let stage = report.course.clock.stage(start);
    let entry = &mut report.tasks[task];
    entry.publishing = Some(stage.after(entry.publishing));
    match outcome {
        Ok(()) => entry.published = true,
        Err(error) => entry.failure = Some(Failure::new(&error)),
    }
}
