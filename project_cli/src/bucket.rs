//! Publishing to S3: everything is uploaded and proven, then made visible as the mode says.

use crate::bucket_objects::{BucketObjects, StagedObjects};
use crate::catalog_lake::CatalogLake;
use crate::config::{Cataloguing, RunConfig};
use crate::crawl::{crawl, crawled};
use crate::destination::run_facts;
use crate::early_upload::StagedTable;
use crate::progress::Progress;
use crate::publishing::{Arrived, Finished, arrived, columns_of, record, show};
use crate::report::RunReport;
use crate::side_by_side::side_by_side;
use anyhow::{Context, Result};
use futures::future::FutureExt;
use project_aws::{Aws, AwsSettings, LocalFile, S3Url, StagedFile};
use project_parquet::ParquetFile;
use project_publish::{Column, DataFile, Gate, InPlaceLake, Lake, Mode, PublishError, RUNS_FOLDER, RunId, check_mode};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Is told the number of bytes of every request that is through.
type Sent<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// A bucket, and how its tables become known to Glue.
#[derive(Debug)]
pub(crate) struct Bucket {
    aws: Aws,
    url: S3Url,
    cataloguing: Cataloguing,
    run: RunId,
}

/// A file that is in S3 and that no reader of the table sees.
#[derive(Debug)]
pub(crate) struct SentFile {
    file: DataFile,
    /// Set when not even the key is there yet.
    invisible: Option<StagedFile>,
}

/// How files are named where a table has one folder for all runs.
#[derive(Debug, Clone, Copy)]
enum Naming {
    /// `part-00000.parquet`: the one file of a table, which a single request replaces.
    Fixed,
    /// `part-00000-<run>.parquet`: the old and the new files of a table stand side by side until the old ones go. Were
    /// they overwritten one by one, readers would see some of each.
    ByRun,
}

/// The files that are not at their keys yet, by table.
type Invisible = BTreeMap<String, Vec<StagedFile>>;

impl Bucket {
    /// Connects, and makes sure that bucket and database are there and are published to in the same way as before.
    pub(crate) async fn open(
        url: &str,
        aws: &AwsSettings,
        cataloguing: Cataloguing,
        run: &RunId,
        gate: Gate,
    ) -> Result<Self> {
        let url: S3Url = url.parse()?;
        let aws = Aws::connect(aws).await?;
        aws.check_bucket(&url).await?;
        let bucket = Self { aws, url, cataloguing, run: run.clone() };
        let mode = match &bucket.cataloguing {
            Cataloguing::Crawler(_) => Mode::Crawler,
            Cataloguing::Catalog { database } => {
                bucket.aws.check_database(database).await?;
                Mode::Catalog
            }
        };
        let probe = bucket.url.join(&format!("{RUNS_FOLDER}/.probe-{run}"));
        bucket.aws.has_conditional_writes(&probe).await?;
        if !gate.force {
            check_mode(&bucket.objects(), &bucket.url.to_string(), mode).await?;
        }
        Ok(bucket)
    }

    /// Refuses a table that somebody else made, before it is read.
    pub(crate) async fn check_table(&self, table: &str, gate: Gate) -> Result<()> {
        let Cataloguing::Catalog { database } = &self.cataloguing else { return Ok(()) };
        match self.catalog_lake(database).live(table).await? {
            Some(live) if live.run.is_none() && !gate.force => {
                Err(PublishError::Foreign { table: table.to_owned() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Uploads a file while its task goes on.
    pub(crate) async fn send_early(
        &self,
        file: &ParquetFile,
        table: &str,
        folder: &Path,
        cancel: &CancellationToken,
    ) -> Result<SentFile> {
        self.send(file, self.key(file, table, folder, Naming::ByRun)?, &|_| {}, cancel).await
    }

    /// Uploads a file to where nobody sees it yet.
    async fn send(
        &self,
        file: &ParquetFile,
        key: String,
        sent: Sent<'_>,
        cancel: &CancellationToken,
    ) -> Result<SentFile> {
        let local = LocalFile { path: file.path.clone(), key: key.clone(), bytes: file.bytes };
        let (crc32, invisible) = match &self.cataloguing {
            Cataloguing::Crawler(_) => {
                let staged = self.aws.stage(&self.url, &local, sent, cancel).await?;
                (staged.crc32(), Some(staged))
            }
            Cataloguing::Catalog { .. } => (self.aws.upload_new(&self.url, &local, sent, cancel).await?.crc32, None),
        };
        let partition = file.partition.as_ref().map(|partition| partition.value.clone());
        let file = DataFile { key, rows: file.rows, bytes: file.bytes, crc32, partition };
        Ok(SentFile { file, invisible })
    }

    /// Removes what was uploaded and will not be seen; warns of what is left.
    pub(crate) async fn abandon(&self, staged: StagedTable) {
        let (files, invisible) = taken_apart(staged.files);
        if let Cataloguing::Crawler(_) = self.cataloguing {
            self.aws.abandon(&self.url, invisible).await;
        } else {
            self.remove(files.into_iter().map(|file| file.key).collect()).await;
        }
    }

    async fn remove(&self, keys: Vec<String>) {
        if !keys.is_empty()
            && let Err(error) = self.aws.delete_objects_below(&self.url, &keys).await
        {
            warn!(%error, "files of a table that was not published are left; project gc removes them");
        }
    }

    /// Publishes table by table; a crawler starts when every one is complete, and not at all otherwise.
    pub(crate) async fn publish(
        &self,
        finished: Vec<Finished>,
        config: &RunConfig,
        report: &mut RunReport,
        progress: &Progress,
        cancel: &CancellationToken,
    ) {
        let wanted = finished.len();
        let (mut tables, mut invisible) = (Vec::with_capacity(wanted), Invisible::new());
        for table in finished {
            let (task, name, start) = (table.task, table.table.clone(), Instant::now());
            match self.send_rest(table, progress, cancel).await {
                Ok((table, files)) => {
                    tables.push(table);
                    invisible.insert(name, files);
                }
                Err(error) => record(report, task, start, Err(error)),
            }
        }
        match &self.cataloguing {
            Cataloguing::Crawler(crawler) => {
                let mut published: Vec<_> = tables.iter().filter_map(crawled).collect();
                let committed = self.show_in_place(&crawler.database, tables, invisible, config, report, cancel).await;
                published.retain(|table| committed.contains(&table.folder));
                let complete = committed.len() == wanted;
                crawl(&self.aws, &self.url, crawler, complete, published, report, cancel).await;
            }
            Cataloguing::Catalog { database } => self.switch(database, tables, config, report, cancel).await,
        }
    }

    /// Uploads what was not uploaded while the task went on.
    async fn send_rest(
        &self,
        mut table: Finished,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<(Arrived, Vec<StagedFile>)> {
        let (name, rows) = (&table.table, table.written.rows());
        let sent = Arc::new(AtomicU64::new(0));
        let sample = Arc::clone(&sent);
        let line = progress.task(&format!("upload {name}"), move || (rows, sample.load(Ordering::Relaxed)));
        let staged = std::mem::take(&mut table.staged);
        match self.send_files(&table, staged, &sent, cancel).await {
            Ok((columns, files)) => {
                line.finished();
                let (files, invisible) = taken_apart(files);
                Ok((arrived(table, columns, files)?, invisible))
            }
            Err(error) => {
                line.failed();
                Err(error)
            }
        }
    }

    /// The first failure stops the others, and nothing is left of any file, nor of those sent before. The same after a
    /// cancellation.
    async fn send_files(
        &self,
        table: &Finished,
        mut staged: StagedTable,
        sent: &AtomicU64,
        cancel: &CancellationToken,
    ) -> Result<(Vec<Column>, Vec<SentFile>)> {
        let count = |bytes| {
            sent.fetch_add(bytes, Ordering::Relaxed);
        };
        let stop = &cancel.child_token();
        // First, so that a column that the lake has no type for stops the table before anything is sent.
        let columns = match columns_of(&table.written.files, staged.columns.take()).await {
            Ok(columns) => columns,
            Err(error) => {
                self.abandon(staged).await;
                return Err(error);
            }
        };
        let rest = match self.rest(table, &staged) {
            Ok(rest) => rest,
            Err(error) => {
                self.abandon(staged).await;
                return Err(error);
            }
        };
        // In boxes, because the compiler cannot see that a stream of borrowing futures may change threads.
        let sends: Vec<_> = rest.into_iter().map(|(file, key)| self.send(file, key, &count, stop).boxed()).collect();
        let (sent, failure) = side_by_side(sends, stop).await;
        staged.files.extend(sent);
        match failure {
            None => Ok((columns, staged.files)),
            Some(error) => {
                self.abandon(staged).await;
                Err(error)
            }
        }
    }

    /// The files that were not sent yet, with their keys.
    fn rest<'a>(&self, table: &'a Finished, staged: &StagedTable) -> Result<Vec<(&'a ParquetFile, String)>> {
        let files = &table.written.files;
        let is_single = staged.files.is_empty() && files.len() == 1 && files[0].partition.is_none();
        let naming = if is_single && table.window.is_none() { Naming::Fixed } else { Naming::ByRun };
        let sent: HashSet<&str> = staged.files.iter().map(|sent| sent.file.key.as_str()).collect();
        let mut rest = Vec::with_capacity(files.len());
        for file in files {
            let key = self.key(file, &table.table, &table.folder, naming)?;
            if !sent.contains(key.as_str()) {
                rest.push((file, key));
            }
        }
        Ok(rest)
    }

    /// The key that a file of the table gets.
    fn key(&self, file: &ParquetFile, table: &str, folder: &Path, naming: Naming) -> Result<String> {
        let below = file.path.strip_prefix(folder).context("a file outside its task's folder")?;
        Ok(match (&self.cataloguing, naming) {
            (Cataloguing::Catalog { .. }, _) => format!("{}/{table}/{}", self.run.folder(), below.display()),
            (Cataloguing::Crawler(_), Naming::Fixed) => format!("{table}/{}", below.display()),
            (Cataloguing::Crawler(_), Naming::ByRun) => {
                format!("{table}/{}-{}.parquet", below.with_extension("").display(), self.run)
            }
        })
    }

    async fn show_in_place(
        &self,
        database: &str,
        tables: Vec<Arrived>,
        invisible: Invisible,
        config: &RunConfig,
        report: &mut RunReport,
        cancel: &CancellationToken,
    ) -> Vec<String> {
        let lake = InPlaceLake::new(StagedObjects::new(self.objects(), invisible, cancel));
        let run = run_facts(report, Mode::Crawler, Some(database.to_owned()));
        let shown = Box::pin(show(&lake, run, config.gate, tables, report, cancel)).await;
        lake.objects().abandon_rest().await;
        shown.committed
    }

    async fn switch(
        &self,
        database: &str,
        tables: Vec<Arrived>,
        config: &RunConfig,
        report: &mut RunReport,
        cancel: &CancellationToken,
    ) {
        let keys: Vec<(String, Vec<String>)> = tables
            .iter()
            .map(|arrived| {
                (arrived.table.table.clone(), arrived.table.files.iter().map(|file| file.key.clone()).collect())
            })
            .collect();
        let run = run_facts(report, Mode::Catalog, Some(database.to_owned()));
        let lake = self.catalog_lake(database);
        let shown = Box::pin(show(&lake, run, config.gate, tables, report, cancel)).await;
        let refused = keys.into_iter().filter(|(table, _)| shown.refused.contains(table));
        self.remove(refused.flat_map(|(_, keys)| keys).collect()).await;
    }

    fn objects(&self) -> BucketObjects {
        BucketObjects::new(self.aws.clone(), self.url.clone())
    }

    fn catalog_lake(&self, database: &str) -> CatalogLake {
        CatalogLake::new(self.objects(), database.to_owned())
    }
}

fn taken_apart(files: Vec<SentFile>) -> (Vec<DataFile>, Vec<StagedFile>) {
    let (files, invisible): (Vec<_>, Vec<_>) = files.into_iter().map(|sent| (sent.file, sent.invisible)).unzip();
    (files, invisible.into_iter().flatten().collect())
}
