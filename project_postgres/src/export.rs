//! A table through COPY BINARY into Parquet files, by several workers.
//!
//! Each worker is a thread with a connection of its own. It takes slices of the table from a queue and decodes,
//! encodes and compresses them into a file that nobody else writes; no row ever crosses a thread.

use crate::catalog::RelationKind;
use crate::copy_decoder::CopyDecoder;
use crate::source::Source;
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sql::{Predicate, copy_out};
use crate::table_plan::TablePlan;
use anyhow::{Context, Result};
use futures::TryStreamExt;
use project_parquet::{ColumnarWriter, Counters, ParquetFile, PartitionValue, WriterSettings};
use sqlx::{Connection, PgConnection};
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime;
use tokio::select;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Heap bytes below which a table is read by one worker into one file.
const SPLIT_FROM: u64 = 64 << 20;
/// Ranges for each worker, so that all finish at about the same time.
const RANGES_PER_WORKER: u64 = 8;
/// A part is closed at this size; readers are fastest between 128 and 512 MB.
const PART_BYTES: u64 = 448 << 20;
/// Longest silence of the server in the middle of a read. A sparse filter over a huge table may be silent for long.
const SILENCE_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// The run was told to stop.
#[derive(Debug, Error)]
#[error("stopped before the end")]
pub struct Stopped;

/// A part of a table that one worker reads in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Which rows.
    pub predicate: Predicate,
    /// The partition folder they go to, if the table is partitioned in the lake.
    pub partition: Option<PartitionValue>,
}

/// Everything an export needs besides the slices.
#[derive(Debug, Clone)]
pub struct Export {
    /// Where the rows come from.
    pub source: Source,
    /// What is read.
    pub plan: TablePlan,
    /// The task's own folder.
    pub folder: PathBuf,
    /// How files are written.
    pub settings: WriterSettings,
    /// Workers at most.
    pub workers: usize,
    /// Progress.
    pub counters: Arc<Counters>,
    /// Stops all workers.
    pub cancel: CancellationToken,
}

impl Export {
    /// The whole table as slices: by block ranges where the server can read them, else in one.
    pub fn whole_table(&self) -> Vec<Slice> {
        let ranges = match self.plan.kind {
            RelationKind::Heap if self.workers > 1 && self.plan.bytes >= SPLIT_FROM => {
                block_ranges(self.plan.bytes, self.workers as u64 * RANGES_PER_WORKER)
            }
            _ => vec![Predicate::All],
        };
        ranges.into_iter().map(|predicate| Slice { predicate, partition: None }).collect()
    }

    /// Reads every slice and returns the finished files. Blocks until all workers have ended.
    ///
    /// # Errors
    /// The first failure of any worker; the others stop at their next batch. [`Stopped`] after a cancellation.
    pub fn run(&self, slices: Vec<Slice>) -> Result<Vec<ParquetFile>> {
        let workers = self.workers.clamp(1, slices.len().max(1));
        let shared =
            Shared { queue: Mutex::new(slices.into()), next_part: AtomicU32::new(0), stop: self.cancel.child_token() };
        let results: Vec<Result<Vec<ParquetFile>>> = thread::scope(|scope| {
            let work = || {
                let result = self.work(&shared);
                if result.is_err() {
                    shared.stop.cancel();
                }
                result
            };
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let mut files = Vec::new();
        let mut first_error = None;
        for result in results {
            match result {
                Ok(finished) => files.extend(finished),
                // A worker that was stopped by another's failure says nothing about the cause.
                Err(error) if error.is::<Stopped>() => drop(first_error.get_or_insert(error)),
                Err(error) if first_error.as_ref().is_none_or(|first: &anyhow::Error| first.is::<Stopped>()) => {
                    first_error = Some(error);
                }
                Err(_) => {}
            }
        }
        first_error.map_or(Ok(files), Err)
    }

    fn work(&self, shared: &Shared) -> Result<Vec<ParquetFile>> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().context("cannot start a worker")?;
        runtime.block_on(async {
            let mut connection = self.source.connect().await?;
            let mut output = WorkerOutput { export: self, shared, open: None, finished: Vec::new() };
            let mut decoder = CopyDecoder::new(&self.plan);
            while let Some(slice) = shared.next() {
                self.read(&slice, &mut connection, &mut decoder, &mut output).await?;
            }
            // The server ends an abandoned session by itself; a slow goodbye is not worth failing for.
            let _ = timeout(Duration::from_secs(5), connection.close()).await;
            output.close()?;
            Ok(output.finished)
        })
    }

    async fn read(
        &self,
        slice: &Slice,
        connection: &mut PgConnection,
        decoder: &mut CopyDecoder<'_>,
        output: &mut WorkerOutput<'_>,
    ) -> Result<()> {
        let table = &self.plan.table;
        let doing = format!("cannot read {table}");
        let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
        let sql = copy_out(&self.plan.expressions(), table, &slice.predicate);
        output.open(slice.partition.as_ref())?;
        let shared = output.shared;
        let messages = Cell::new(0u64);
        let reading = async {
            let mut stream = connection.copy_out_raw(&sql).await.map_err(failed)?;
            while let Some(message) = stream.try_next().await.map_err(failed)? {
                decoder.push(&message)?;
                messages.set(messages.get() + 1);
                if decoder.is_full() {
                    output.write(decoder)?;
                }
            }
            decoder.end_of_stream()?;
            output.write(decoder)
        };
        // The loop is polled first, so watching costs nothing while rows arrive.
        select! {
            biased;
            result = reading => result,
            () = silence(&messages) => {
                let message = format!("{table}: the server has sent nothing for {} minutes", SILENCE_DEADLINE.as_secs() / 60);
                Err(SourceError::new(SourceErrorKind::Unreachable, message).into())
            }
            () = shared.stop.cancelled() => Err(Stopped.into()),
        }
    }
}

/// Ends when no message has come for [`SILENCE_DEADLINE`].
async fn silence(messages: &Cell<u64>) {
    loop {
        let before = messages.get();
        sleep(SILENCE_DEADLINE).await;
        if messages.get() == before {
            return;
        }
    }
}

/// What all workers of one export have in common.
#[derive(Debug)]
struct Shared {
    queue: Mutex<VecDeque<Slice>>,
    next_part: AtomicU32,
    stop: CancellationToken,
}

impl Shared {
    fn next(&self) -> Option<Slice> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// The file that a worker is writing, and those that it has finished.
struct WorkerOutput<'a> {
    export: &'a Export,
    shared: &'a Shared,
    open: Option<OpenPart>,
    finished: Vec<ParquetFile>,
}

struct OpenPart {
    writer: ColumnarWriter,
    partition: Option<PartitionValue>,
    number: u32,
}

impl WorkerOutput<'_> {
    /// Makes sure that a file for the partition is open; rows of no partition share one file.
    fn open(&mut self, partition: Option<&PartitionValue>) -> Result<()> {
        if self.open.as_ref().is_some_and(|part| part.partition.as_ref() == partition) {
            return Ok(());
        }
        self.close()?;
        let number = if partition.is_some() { 0 } else { self.shared.next_part.fetch_add(1, Ordering::Relaxed) };
        self.create(partition.cloned(), number)
    }

    fn create(&mut self, partition: Option<PartitionValue>, number: u32) -> Result<()> {
        let export = self.export;
        let folder = match &partition {
            Some(PartitionValue { key, value }) => export.folder.join(format!("{key}={value}")),
            None => export.folder.clone(),
        };
        let path = folder.join(format!("part-{number:05}.parquet"));
        let counters = Arc::clone(&export.counters);
        let writer = ColumnarWriter::create(&path, export.plan.schema(), &export.settings, counters)?;
        self.open = Some(OpenPart { writer, partition, number });
        Ok(())
    }

    fn write(&mut self, decoder: &mut CopyDecoder<'_>) -> Result<()> {
        if self.shared.stop.is_cancelled() {
            return Err(Stopped.into());
        }
        let part = self.open.as_mut().context("a batch without a file to go to")?;
        part.writer.write(&decoder.take_batch()?)?;
        if part.writer.estimated_bytes() < PART_BYTES {
            return Ok(());
        }
        let (partition, number) = (part.partition.clone(), part.number);
        self.close()?;
        let number = match partition {
            Some(_) => number + 1,
            None => self.shared.next_part.fetch_add(1, Ordering::Relaxed),
        };
        self.create(partition, number)
    }

    fn close(&mut self) -> Result<()> {
        if let Some(part) = self.open.take() {
            let file = part.writer.finish(part.partition)?;
            debug!(file = %file.path.display(), rows = file.rows, bytes = file.bytes, "part finished");
            self.finished.push(file);
        }
        Ok(())
    }
}

/// Cuts a heap into about `count` ranges of whole blocks. The first and the last are open, so that a size that has
/// grown meanwhile loses no row.
fn block_ranges(bytes: u64, count: u64) -> Vec<Predicate> {
    const BLOCK: u64 = 8192;
    let blocks = u32::try_from(bytes.div_ceil(BLOCK)).unwrap_or(u32::MAX);
    let step = blocks.div_ceil(u32::try_from(count).unwrap_or(u32::MAX).max(1)).max(1);
    let cuts: Vec<u32> = (1..).map_while(|at: u32| at.checked_mul(step).filter(|cut| *cut < blocks)).collect();
    let starts = std::iter::once(None).chain(cuts.iter().copied().map(Some));
    let ends = cuts.iter().copied().map(Some).chain(std::iter::once(None));
    starts.zip(ends).map(|(from, to)| Predicate::Blocks { from, to }).collect()
}

#[cfg(test)]
mod tests {
    use super::block_ranges;
    use crate::sql::Predicate;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn ranges_cover_every_block_once(bytes in 0u64..1 << 36, count in 1u64..2000) {
            let mut expected = None;
            let ranges = block_ranges(bytes, count);
            prop_assert!(ranges.len() as u64 <= count.max(1));
            for (index, range) in ranges.iter().enumerate() {
                let Predicate::Blocks { from, to } = range else { panic!("{range:?}") };
                prop_assert_eq!(*from, expected);
                prop_assert!(to.is_some() == (index + 1 < ranges.len()));
                prop_assert!(to.is_none_or(|to| to > from.unwrap_or(0)));
                expected = *to;
            }
        }
    }
}
