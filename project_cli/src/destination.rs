//! Where a run publishes, and how what it has written becomes visible.

use crate::bucket::Bucket;
use crate::config::{self, RunConfig};
use crate::early_upload::{EarlyUpload, StagedTable};
use crate::progress::Progress;
use crate::publishing::{Arrived, Finished, arrived, columns_of, record, show};
use crate::report::RunReport;
use anyhow::{Context, Result};
use project_parquet::ParquetFile;
use project_publish::{DataFile, FolderLake, Gate, Lake, Mode, Objects, Run, RunId, check_mode};
use std::fs::create_dir_all;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The folder of a run in the scratch folder is called so, with its id.
pub(crate) const IN_SCRATCH: &str = "project-";

/// A lake, reached and found usable before anything is read.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Nothing is published: files stay in the folder of the run.
    Unpublished(FolderLake),
    /// A folder.
    Folder(FolderLake),
    /// A bucket.
    Bucket(Arc<Bucket>),
}

impl Destination {
    /// Checks that the lake can be written to; an unknown bucket or a missing right shows here and not after hours.
    pub(crate) async fn open(config: &RunConfig, run: &RunId) -> Result<Self> {
        match (&config.destination, &config.cataloguing) {
            (config::Location::S3(url), Some(cataloguing)) => {
                let bucket = Bucket::open(url, &config.aws, cataloguing.clone(), run, config.gate).await?;
                Ok(Self::Bucket(Arc::new(bucket)))
            }
            (config::Location::S3(_), None) => Ok(Self::Unpublished(FolderLake::new("lake"))),
            (config::Location::Local(folder), _) => {
                create_dir_all(folder).with_context(|| format!("cannot create the lake {}", folder.display()))?;
                let lake = FolderLake::new(folder);
                if !config.publish {
                    return Ok(Self::Unpublished(lake));
                }
                if !config.gate.force {
                    check_mode(&lake, &folder.display().to_string(), Mode::Folder).await?;
                }
                Ok(Self::Folder(lake))
            }
        }
    }

    /// Where the files of the run lie until they are published: in the lake itself, if that is a folder, so that
    /// publishing is a rename and not a copy.
    pub(crate) fn staging_folder(&self, run: &RunId, scratch: &Path) -> PathBuf {
        match self {
            Self::Folder(lake) | Self::Unpublished(lake) => lake.run_folder(run),
            Self::Bucket(_) => scratch.join(format!("{IN_SCRATCH}{run}")),
        }
    }

    /// The folder in which runs leave what they write, unless that is a bucket.
    pub(crate) fn folder(&self) -> Option<&FolderLake> {
        match self {
            Self::Folder(lake) | Self::Unpublished(lake) => Some(lake),
            Self::Bucket(_) => None,
        }
    }

    /// Refuses a table that cannot be published here, before it is read.
    pub(crate) async fn check_table(&self, table: &str, gate: Gate) -> Result<()> {
        match self {
            Self::Unpublished(_) => Ok(()),
            Self::Folder(lake) => lake.live(table).await.map(drop),
            Self::Bucket(bucket) => bucket.check_table(table, gate).await,
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
            bucket.abandon(staged).await;
        }
    }

    /// Makes what the tasks have written visible, and says in the report what came of it.
    pub(crate) async fn publish(
        &self,
        finished: Vec<Finished>,
        config: &RunConfig,
        report: &mut RunReport,
        progress: &Progress,
        cancel: &CancellationToken,
    ) {
        match self {
            Self::Unpublished(lake) => {
                let folder = lake.run_folder(&report.run_id).display().to_string();
                report.notes.push(format!("--no-upload: the files are in {folder}"));
            }
            Self::Folder(lake) => {
                let mut tables = Vec::with_capacity(finished.len());
                for table in finished {
                    let (task, start) = (table.task, Instant::now());
                    match described(lake, &report.run_id, table).await {
                        Ok(table) => tables.push(table),
                        Err(error) => record(report, task, start, Err(error)),
                    }
                }
                let run = run_facts(report, Mode::Folder, None);
                for table in show(lake, run, config.gate, tables, report, cancel).await.refused {
                    discard(lake, &report.run_id, &table).await;
                }
            }
            Self::Bucket(bucket) => bucket.publish(finished, config, report, progress, cancel).await,
        }
    }
}

/// What a manifest says of the run as a whole.
pub(crate) fn run_facts(report: &RunReport, mode: Mode, database: Option<String>) -> Run {
    Run {
        run_id: report.run_id.to_string(),
        tool: crate::args::VERSION.to_owned(),
        mode,
        database,
        snapshot: report.course.moment(),
    }
}

/// A table whose files lie in the run's folder of a lake, with the checksum of each.
async fn described(lake: &FolderLake, run: &RunId, table: Finished) -> Result<Arrived> {
    let columns = columns_of(&table.written.files, None).await?;
    let mut files = Vec::with_capacity(table.written.files.len());
    for file in &table.written.files {
        files.push(measured(lake, run, &table, file).await?);
    }
    arrived(table, columns, files)
}

/// Removes the files of a table that no manifest names.
async fn discard(lake: &FolderLake, run: &RunId, table: &str) {
    let folder = format!("{}/{table}", run.folder());
    let removed = match lake.list(&folder).await {
        Ok(files) => lake.delete(&files).await,
        Err(error) => Err(error),
    };
    if let Err(error) = removed {
        warn!(folder, %error, "files of a table that was not published are left; project gc removes them");
    }
}

async fn measured(lake: &FolderLake, run: &RunId, table: &Finished, file: &ParquetFile) -> Result<DataFile> {
    let below = file.path.strip_prefix(&table.folder).context("a file outside its task's folder")?;
    let key = format!("{}/{}/{}", run.folder(), table.table, below.display());
    let facts = lake.facts(&key).await?.filter(|facts| facts.bytes == file.bytes);
    let gone =
        || format!("{} changed after it was written; make sure that nobody else writes there", file.path.display());
    let crc32 = facts.and_then(|facts| facts.crc32).with_context(gone)?;
    let partition = file.partition.as_ref().map(|partition| partition.value.clone());
    Ok(DataFile { key, rows: file.rows, bytes: file.bytes, crc32, partition })
}
