//! The files of the table, written by a thread of their own while the next rows are read.

use crate::error::ExtraError;
use anyhow::{Context, Result, anyhow};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use project_parquet::{ColumnarWriter, Counters, ParquetFile, WriterSettings};
use std::mem::replace;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// A part is closed at this size; readers are fastest between 128 and 512 MB.
const PART_BYTES: u64 = 448 << 20;
/// Batches that may wait.
const QUEUE: usize = 2;

/// Where batches go. Dropping it gives the files up.
pub(crate) struct PartWriter {
    /// Nothing is the end: a sender that goes without it has failed.
    sender: Option<SyncSender<Option<RecordBatch>>>,
    writing: Option<JoinHandle<Result<Vec<ParquetFile>>>>,
}

/// What a writer needs.
pub(crate) struct PartSettings {
    pub(crate) folder: PathBuf,
    pub(crate) schema: SchemaRef,
    pub(crate) settings: WriterSettings,
    pub(crate) counters: Arc<Counters>,
}

impl PartWriter {
    pub(crate) fn start(settings: PartSettings) -> Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE);
        let writing = Builder::new().name("extra writer".to_owned()).spawn(move || settings.write(&receiver))?;
        Ok(Self { sender: Some(sender), writing: Some(writing) })
    }

    /// Hands a batch over; whether somebody took it. When not, [`finish`](Self::finish) says why.
    pub(crate) fn write(&self, batch: RecordBatch) -> bool {
        batch.num_rows() == 0 || self.send(Some(batch))
    }

    /// Waits for the files; there is one also when there was no row.
    pub(crate) fn finish(mut self) -> Result<Vec<ParquetFile>> {
        self.send(None);
        self.ended().context("the files are finished once")?
    }

    fn send(&self, batch: Option<RecordBatch>) -> bool {
        self.sender.as_ref().is_some_and(|sender| sender.send(batch).is_ok())
    }

    fn ended(&mut self) -> Option<Result<Vec<ParquetFile>>> {
        self.sender = None;
        let ended = self.writing.take()?.join();
        Some(ended.unwrap_or_else(|_| Err(anyhow!("writing the files panicked"))))
    }
}

impl Drop for PartWriter {
    fn drop(&mut self) {
        // Why it is given up is known to whoever does.
        let _ = self.ended();
    }
}

impl PartSettings {
    fn write(&self, batches: &Receiver<Option<RecordBatch>>) -> Result<Vec<ParquetFile>> {
        let mut files = Vec::new();
        let mut part = self.part(0)?;
        while let Some(batch) = batches.recv().map_err(|_| ExtraError::Stopped)? {
            if part.estimated_bytes() >= PART_BYTES {
                let next = self.part(files.len() + 1)?;
                files.push(replace(&mut part, next).finish(None)?);
            }
            part.write(&batch)?;
        }
        files.push(part.finish(None)?);
        Ok(files)
    }

    fn part(&self, number: usize) -> Result<ColumnarWriter> {
        let path = self.folder.join(format!("part-{number:05}.parquet"));
        let writer = ColumnarWriter::create(&path, self.schema.clone(), &self.settings, Arc::clone(&self.counters));
        writer.with_context(|| format!("cannot begin {}", path.display()))
    }
}
