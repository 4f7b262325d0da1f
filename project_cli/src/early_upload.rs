//! Finished files of a table go to S3 while its task goes on, where nobody sees them yet, and leave the scratch folder.

use crate::bucket::{Bucket, SentFile};
use anyhow::{Context, Result};
use project_parquet::{LakeColumn, ParquetFile, lake_columns};
use std::fs::remove_file;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// Files that may wait besides the one that is on its way; workers stop when there are more.
const QUEUE: usize = 1;

/// What of a table is in S3 already.
#[derive(Debug, Default)]
pub(crate) struct StagedTable {
    /// The files.
    pub(crate) files: Vec<SentFile>,
    /// The columns of the table, from the first file, which is not here any more.
    pub(crate) columns: Option<Vec<LakeColumn>>,
}

/// Uploads what it is handed, until nobody hands it anything any more.
#[derive(Debug)]
pub(crate) struct EarlyUpload {
    sender: SyncSender<ParquetFile>,
    uploading: JoinHandle<Result<StagedTable>>,
}

impl EarlyUpload {
    /// For the files of a table, which lie below `folder`.
    pub(crate) fn begin(bucket: &Arc<Bucket>, table: &str, folder: &Path, cancel: &CancellationToken) -> Self {
        let (sender, receiver) = sync_channel(QUEUE);
        let upload = Upload {
            bucket: Arc::clone(bucket),
            table: table.to_owned(),
            folder: folder.to_owned(),
            cancel: cancel.clone(),
        };
        let runtime = Handle::current();
        Self { sender, uploading: spawn_blocking(move || runtime.block_on(upload.all(receiver))) }
    }

    /// Where finished files go.
    pub(crate) fn sender(&self) -> SyncSender<ParquetFile> {
        self.sender.clone()
    }

    /// Waits for the last file. Call it when no other sender is left.
    pub(crate) async fn finish(self) -> Result<StagedTable> {
        drop(self.sender);
        self.uploading.await.context("uploading while the task went on has failed")?
    }
}

struct Upload {
    bucket: Arc<Bucket>,
    table: String,
    folder: PathBuf,
    cancel: CancellationToken,
}

impl Upload {
    /// Runs on a thread that may block.
    async fn all(self, files: Receiver<ParquetFile>) -> Result<StagedTable> {
        let mut staged = StagedTable::default();
        for file in files {
            if let Err(error) = self.one(&file, &mut staged).await {
                // From here on the workers cannot hand anything over, and stop.
                self.bucket.abandon(staged).await;
                return Err(error);
            }
        }
        Ok(staged)
    }

    async fn one(&self, file: &ParquetFile, staged: &mut StagedTable) -> Result<()> {
        if staged.columns.is_none() {
            staged.columns = Some(lake_columns(&file.path)?);
        }
        staged.files.push(self.bucket.send_early(file, &self.table, &self.folder, &self.cancel).await?);
        remove_file(&file.path).with_context(|| format!("cannot remove {}, which is uploaded", file.path.display()))
    }
}
