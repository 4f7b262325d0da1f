//! Where a run publishes, and how what it has written becomes visible.

use crate::config::{self, RunConfig};
use crate::local_lake;
use crate::progress::Progress;
use crate::report::{Failure, RunReport, milliseconds, seconds};
use anyhow::{Context, Result};
use project_aws::{Aws, CrawlOutcome, CrawlerSettings, LocalFile, PublishedTable, S3Url};
use project_parquet::lake_columns;
use project_tasks::Written;
use std::collections::{BTreeSet, HashSet};
use std::fs::create_dir_all;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// A lake, reached and found usable before anything is read.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Nothing is published: files stay in the folder of the run.
    Unpublished(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// A bucket and the crawler that catalogues it.
    Bucket(Box<Bucket>),
}

/// Everything that publishing to S3 needs.
#[derive(Debug)]
pub(crate) struct Bucket {
    aws: Aws,
    url: S3Url,
    crawler: Option<config::CrawlerSettings>,
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
}

impl Destination {
    /// Checks that the lake can be written to; an unknown bucket or a missing right shows here and not after hours.
    pub(crate) async fn open(config: &RunConfig) -> Result<Self> {
        match &config.destination {
            config::Destination::S3(url) if config.publish => {
                let url: S3Url = url.parse()?;
                let aws = Aws::connect(&config.aws).await?;
                aws.check_bucket(&url).await?;
                Ok(Self::Bucket(Box::new(Bucket { aws, url, crawler: config.crawler.clone() })))
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

    /// Makes what the tasks have written visible, and says in the report what came of it.
    pub(crate) async fn publish(
        &self,
        finished: &[Finished],
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
                    let switched = local_lake::switch(lake, &report.run_id, &table.table);
                    record(report, table.task, switched);
                }
            }
            Self::Bucket(bucket) => bucket.publish(finished, report, progress, cancel).await,
        }
    }
}

fn record(report: &mut RunReport, task: usize, outcome: Result<()>) {
    let entry = &mut report.tasks[task];
    match outcome {
        Ok(()) => entry.published = true,
        Err(error) => entry.failure = Some(Failure::new(&error)),
    }
}

impl Bucket {
    /// Uploads table by table; the crawler starts when every upload has been confirmed, and not at all otherwise.
    async fn publish(
        &self,
        finished: &[Finished],
        report: &mut RunReport,
        progress: &Progress,
        cancel: &CancellationToken,
    ) {
        let mut tables = Vec::with_capacity(finished.len());
        for table in finished {
            let (sent, rows) = (Arc::new(AtomicU64::new(0)), table.written.rows());
            let sample = Arc::clone(&sent);
            let line =
                progress.task(&format!("upload {}", table.table), move || (rows, sample.load(Ordering::Relaxed)));
            let uploaded = self
                .upload(
                    table,
                    &|bytes| {
                        sent.fetch_add(bytes, Ordering::Relaxed);
                    },
                    cancel,
                )
                .await;
            match &uploaded {
                Ok(_) => line.finished(),
                Err(_) => line.failed(),
            }
            record(report, table.task, uploaded.map(|published| tables.push(published)));
        }
        let Some(crawler) = &self.crawler else { return };
        if tables.len() < finished.len() {
            report
                .notes
                .push(format!("the crawler {} was not started, because a table was not uploaded", crawler.name));
        } else if !tables.is_empty()
            && let Err(error) = self.crawl(crawler, tables, report, cancel).await
        {
            report.failure = Some(Failure::new(&error));
        }
    }

    async fn upload(
        &self,
        table: &Finished,
        sent: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<PublishedTable> {
        // First, so that a column that the lake has no type for stops the table while nothing of it is visible.
        let published = published_table(table).await?;
        let mut files = Vec::with_capacity(table.written.files.len());
        for file in &table.written.files {
            let below = file.path.strip_prefix(&table.folder).context("a file outside its task's folder")?;
            let key = format!("{}/{}", table.table, below.display());
            files.push(LocalFile { path: file.path.clone(), key, bytes: file.bytes });
        }
        self.aws.upload_all(&self.url, &files, sent, cancel).await?;
        let keep: HashSet<String> = files.into_iter().map(|file| file.key).collect();
        // Only now: until the new files are there, the old ones are the table.
        let removed = self.aws.remove_stale(&self.url, &table.table, &keep).await?;
        info!(table = table.table, files = keep.len(), stale = removed.len(), "uploaded");
        Ok(published)
    }

    async fn crawl(
        &self,
        crawler: &config::CrawlerSettings,
        tables: Vec<PublishedTable>,
        report: &mut RunReport,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let settings = CrawlerSettings {
            name: crawler.name.clone(),
            database: crawler.database.clone(),
            role: crawler.role.clone(),
            target: self.url.clone(),
            tables,
            timeout: crawler.wait.unwrap_or(START_DEADLINE),
            wait: crawler.wait.is_some(),
        };
        let note = match self.aws.crawl(&settings, cancel).await? {
            CrawlOutcome::Started => format!("crawler {} started; it is not waited for", crawler.name),
            CrawlOutcome::Finished { tables_seen, took } => {
                let (name, tables) = (&crawler.name, tables_seen.join(", "));
                format!("crawler {name} catalogued {tables} in {}", seconds(milliseconds(took)))
            }
        };
        report.notes.push(note);
        Ok(())
    }
}

/// What the catalog should say about a table. All its files were written with one schema: the first one tells it.
async fn published_table(table: &Finished) -> Result<PublishedTable> {
    let files = &table.written.files;
    let first = files.first().context("a task that wrote no file")?.path.clone();
    let columns = spawn_blocking(move || lake_columns(&first)).await??;
    let partitions: Vec<_> = files.iter().filter_map(|file| file.partition.as_ref()).collect();
    Ok(PublishedTable {
        folder: table.table.clone(),
        columns: columns.into_iter().map(|column| (column.name, column.glue_type)).collect(),
        partition_key: partitions.first().map(|partition| partition.key.clone()),
        partitions: partitions
            .iter()
            .map(|partition| partition.value.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    })
}

/// Longest wait for a crawler to take the order, when its end is not waited for.
const START_DEADLINE: Duration = Duration::from_secs(10 * 60);
