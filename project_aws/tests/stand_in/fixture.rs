//! What every test needs: a stand-in of its own for the time it runs, clients of it, files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use parquet::arrow::ArrowWriter;
use project_aws::{Aws, LocalFile, PublishedTable, S3Url};
use project_test_servers::aws_stand_in::{AwsStandIn, Call};
use tokio::sync::{Mutex, MutexGuard};

pub(crate) const BUCKET: &str = "lake";

/// One stand-in serves all the tests of a module, one after the other: starting it costs seconds, resetting it nothing.
pub(crate) struct Shared(Mutex<Option<AwsStandIn>>);

impl Shared {
    pub(crate) const fn new() -> Self {
        Self(Mutex::const_new(None))
    }

    /// Waits for its turn; the stand-in is then empty but for the bucket.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>> {
        let mut stand_in = self.0.lock().await;
        match stand_in.as_ref() {
            Some(running) => running.reset()?,
            None => *stand_in = Some(AwsStandIn::start()?),
        }
        let turn = Turn { stand_in };
        turn.server()?.create_bucket(BUCKET)?;
        turn.server()?.set_crawl(Duration::from_millis(600), Duration::from_millis(200), None)?;
        Ok(turn)
    }
}

pub(crate) struct Turn<'a> {
    stand_in: MutexGuard<'a, Option<AwsStandIn>>,
}

impl Turn<'_> {
    pub(crate) fn server(&self) -> Result<&AwsStandIn> {
        self.stand_in.as_ref().context("the stand-in was started")
    }

    pub(crate) fn aws(&self) -> Result<Aws> {
        Ok(Aws::from_config(&config(self.server()?.endpoint()), true))
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> Result<Vec<Call>> {
        let mut calls = self.server()?.log()?;
        calls.retain(|call| call.operation == operation);
        Ok(calls)
    }
}

/// What `aws_config` would find, without looking into this machine's environment.
pub(crate) fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        // As many attempts as always, with short pauses between them: the server is our own.
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(5)))
        .build()
}

pub(crate) fn lake() -> Result<S3Url> {
    Ok(format!("s3://{BUCKET}/team/shop").parse()?)
}

/// A file of `bytes` bytes in which no two blocks are alike, so that parts in a wrong order are seen.
pub(crate) fn local_file(folder: &Path, key: &str, bytes: usize) -> Result<LocalFile> {
    const BLOCK: usize = 1 << 16;
    let mut content = vec![0x5a; bytes];
    for (number, block) in content.chunks_mut(BLOCK).enumerate() {
        let stamp = number.to_le_bytes();
        let length = stamp.len().min(block.len());
        block[..length].copy_from_slice(&stamp[..length]);
    }
    save(folder, key, &content)
}

/// A Parquet file with the columns `id` (1 to `rows`) and `name` (NULL for every third).
pub(crate) fn parquet_file(folder: &Path, key: &str, rows: i64) -> Result<LocalFile> {
    let name = |id: i64| (id % 3 != 0).then(|| format!("name {id}"));
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=rows));
    let names: ArrayRef = Arc::new(StringArray::from_iter((1..=rows).map(name)));
    let batch = RecordBatch::try_from_iter([("id", ids), ("name", names)])?;
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
    writer.write(&batch)?;
    save(folder, key, &writer.into_inner()?)
}

/// What `parquet_file` writes, published in this folder without partitions.
pub(crate) fn published(folder: &str) -> PublishedTable {
    let columns = [("id", "bigint"), ("name", "string")];
    PublishedTable {
        folder: folder.to_owned(),
        columns: columns.map(|(name, glue_type)| (name.to_owned(), glue_type.to_owned())).to_vec(),
        partition_key: None,
        partitions: Vec::new(),
    }
}

fn save(folder: &Path, key: &str, content: &[u8]) -> Result<LocalFile> {
    let path = folder.join(key.replace('/', "_"));
    std::fs::write(&path, content)?;
    Ok(LocalFile { path, key: key.to_owned(), bytes: content.len() as u64 })
}

pub(crate) fn no_progress(_bytes: u64) {}

/// The future itself; compiles only if a caller may give it to `tokio::spawn`.
pub(crate) fn spawnable<F: Future + Send>(future: F) -> F {
    future
}
