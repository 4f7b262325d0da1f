//! Publishing to S3: everything is uploaded and proven, then made visible, then what it replaces is removed, then crawled.

use crate::config;
use crate::destination::{Finished, record};
use crate::early_upload::local_file;
use crate::progress::Progress;
use crate::report::{Failure, RunReport, milliseconds, seconds};
use anyhow::{Result, bail};
use project_aws::{Aws, AwsError, CrawlOutcome, CrawlerSettings, LocalFile, PublishedTable, S3Url, StagedFile};
use project_parquet::{LakeColumn, ParquetFile, lake_columns};
use project_partition_dates::DateWindow;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Longest wait for a crawler to take the order, when its end is not waited for.
const START_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Is told the number of bytes of every request that is through.
type Sent<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// A bucket, and the crawler that catalogues it.
#[derive(Debug)]
pub(crate) struct Bucket {
    aws: Aws,
    url: S3Url,
    crawler: Option<config::CrawlerSettings>,
}

impl Bucket {
    /// Connects, and makes sure that the bucket is there.
    pub(crate) async fn open(
        url: &str,
        aws: &project_aws::AwsSettings,
        crawler: Option<config::CrawlerSettings>,
    ) -> Result<Self> {
        let url: S3Url = url.parse()?;
        let aws = Aws::connect(aws).await?;
        aws.check_bucket(&url).await?;
        Ok(Self { aws, url, crawler })
    }

    /// Uploads a file to where nobody sees it yet.
    pub(crate) async fn stage(
        &self,
        file: &LocalFile,
        sent: Sent<'_>,
        cancel: &CancellationToken,
    ) -> Result<StagedFile, AwsError> {
        self.aws.stage(&self.url, file, sent, cancel).await
    }

    /// Removes what was uploaded and will not be seen.
    pub(crate) async fn abandon(&self, staged: Vec<StagedFile>) {
        self.aws.abandon(&self.url, staged).await;
    }

    /// Publishes table by table; the crawler starts when every one is complete, and not at all otherwise.
    pub(crate) async fn publish(
        &self,
        finished: Vec<Finished>,
        report: &mut RunReport,
        progress: &Progress,
        cancel: &CancellationToken,
    ) {
        let wanted = finished.len();
        let mut tables = Vec::with_capacity(wanted);
        for table in finished {
            let (entry, name, rows) = (table.task, table.table.clone(), table.written.rows());
            let sent = Arc::new(AtomicU64::new(0));
            let sample = Arc::clone(&sent);
            let line = progress.task(&format!("upload {name}"), move || (rows, sample.load(Ordering::Relaxed)));
            let count = |bytes| {
                sent.fetch_add(bytes, Ordering::Relaxed);
            };
            let start = Instant::now();
            let published = self.publish_table(table, &count, cancel).await;
            match &published {
                Ok(_) => line.finished(),
                Err(_) => line.failed(),
            }
            let done = published.map(|published| {
                report.notes.extend(published.note);
                tables.push(published.table);
            });
            record(report, entry, start, done);
        }
        let Some(crawler) = &self.crawler else { return };
        let complete = tables.len() == wanted;
        let tables: Vec<PublishedTable> = tables.into_iter().flatten().collect();
        if !complete {
            report
                .notes
                .push(format!("the crawler {} was not started, because a table was not uploaded", crawler.name));
        } else if !tables.is_empty() {
            let start = Instant::now();
            if let Err(error) = self.crawl(crawler, tables, report, cancel).await {
                report.failure = Some(Failure::new(&error));
            }
            report.course.crawling = Some(report.course.clock.stage(start));
        }
    }

    async fn publish_table(&self, table: Finished, sent: Sent<'_>, cancel: &CancellationToken) -> Result<Published> {
        let Finished { table: name, folder, written, staged, window, .. } = table;
        if written.files.is_empty() && window.is_none() {
            // Everything that is published now would go.
            bail!("{name}: the task wrote no file; this is a fault of the program, please report it");
        }
        let staged_keys: HashSet<&str> = staged.files.iter().map(|file| file.key.as_str()).collect();
        let mut keep = HashSet::new();
        let mut rest = Vec::new();
        for file in &written.files {
            let file = local_file(file, &name, &folder)?;
            keep.insert(file.key.clone());
            if !staged_keys.contains(file.key.as_str()) {
                rest.push(file);
            }
        }
        // First, so that a column that the lake has no type for stops the table while nothing of it is visible.
        let table = match describe(&name, &written.files, staged.columns).await {
            Ok(table) => table,
            Err(error) => {
                self.abandon(staged.files).await;
                return Err(error);
            }
        };
        let note = match rest.as_slice() {
            [] if keep.is_empty() => None,
            // One request replaces a single file as a whole.
            [only] if staged.files.is_empty() => {
                self.aws.upload(&self.url, only, sent, cancel).await?;
                None
            }
            _ => {
                let files = self.aws.stage_all(&self.url, staged.files, &rest, sent, cancel).await?;
                let visible = self.aws.make_visible(&self.url, files, cancel).await?;
                let window = seconds(milliseconds(visible.window));
                Some(format!("the {} files of {name} became visible within {window}", visible.files.len()))
            }
        };
        // Only now: until the new files are there, the old ones are the table.
        let stale = |key: &str| !keep.contains(key) && window.is_none_or(|window| is_in(&window, key));
        let removed = self.aws.remove_stale(&self.url, &name, &stale).await?;
        info!(table = name, files = keep.len(), stale = removed.len(), "published");
        Ok(Published { table, note: note.filter(|_| keep.len() > 1) })
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

/// A table that readers see, and what to say about it.
struct Published {
    /// What the catalog should say of it; nothing new when no row was in the window.
    table: Option<PublishedTable>,
    note: Option<String>,
}

/// Whether the key lies in a partition of the window.
fn is_in(window: &DateWindow, key: &str) -> bool {
    let date = key.split('/').find_map(|folder| folder.split_once('=')?.1.parse().ok());
    date.is_some_and(|date| window.contains(date))
}

/// What the catalog should say about a table. All its files were written with one schema: the first one tells it.
async fn describe(
    table: &str,
    files: &[ParquetFile],
    columns: Option<Vec<LakeColumn>>,
) -> Result<Option<PublishedTable>> {
    let Some(first) = files.first() else { return Ok(None) };
    let columns = match columns {
        Some(columns) => columns,
        None => {
            let first = first.path.clone();
            spawn_blocking(move || lake_columns(&first)).await??
        }
    };
    let partitions: Vec<_> = files.iter().filter_map(|file| file.partition.as_ref()).collect();
    let values: BTreeSet<String> = partitions.iter().map(|partition| partition.value.clone()).collect();
    Ok(Some(PublishedTable {
        folder: table.to_owned(),
        columns: columns.into_iter().map(|column| (column.name, column.glue_type)).collect(),
        partition_key: partitions.first().map(|partition| partition.key.clone()),
        partitions: values.into_iter().collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::is_in;
    use project_partition_dates::{DateWindow, NULL_PARTITION};

    #[test]
    fn only_keys_of_the_window_are_replaced() {
        let date = |text: &str| text.parse().ok();
        let window = DateWindow::new(date("2026-01-01"), date("2026-01-31")).unwrap();
        assert!(is_in(&window, "events/dt=2026-01-31/part-00000.parquet"));
        for key in ["events/dt=2026-02-01/part-00000.parquet", "events/part-00000.parquet"] {
            assert!(!is_in(&window, key), "{key}");
        }
        assert!(!is_in(&window, &format!("events/dt={NULL_PARTITION}/part-00000.parquet")));
    }
}
