//! A table through COPY BINARY into Parquet files, by several workers.
//!
//! Each worker is a thread with a connection of its own. It takes slices of the table from a queue and decodes,
//! encodes and compresses them into files that nobody else writes; no row ever crosses a thread.

use crate::catalog::Storage;
use crate::copy_decoder::CopyDecoder;
use crate::file_tallies;
use crate::part_files::{FinishedParts, PartFiles, PartNumbers, Routing};
use crate::rejects::{Aside, ROW_ID, Reject, RejectLimit, look_up};
use crate::slices::Slice;
use crate::source::{Source, close};
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sql::{Predicate, copy_out};
use crate::table_plan::{ColumnPlan, TablePlan};
use crate::worker_threads::on_threads;
use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use futures::TryStreamExt;
use project_parquet::proof::{TableTally, TextForm};
use project_parquet::{ColumnarWriter, Counters, ParquetFile, PartitionValue, WriterSettings, concatenate};
use sqlx::PgConnection;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::runtime;
use tokio::select;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The run was told to stop.
#[derive(Debug, Error)]
#[error("stopped before the end")]
pub struct Stopped;

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
    /// What a worker may hold in memory besides its row groups.
    pub limits: ReadLimits,
    /// Whether the table may hold rows beyond [`ReadLimits::row_bytes`].
    pub wide_rows: bool,
    /// Workers at most.
    pub workers: usize,
    /// Sorts the rows of slices that belong to no partition.
    pub routing: Option<Routing>,
    /// How many rows may be put aside that the lake cannot hold; without it the first one fails the table.
    pub rejects: Option<RejectLimit>,
    /// Has every finished file read back, with its texts in this form.
    pub verify: Option<TextForm>,
    /// Gets every part that will not change any more, as soon as it is finished. Blocks while it is full.
    pub finished: Option<SyncSender<ParquetFile>>,
    /// Progress.
    pub counters: Arc<Counters>,
    /// Stops all workers.
    pub cancel: CancellationToken,
}

/// What an export has written.
#[derive(Debug, Default)]
pub struct Exported {
    /// The finished files.
    pub files: Vec<ParquetFile>,
    /// What policies have changed.
    pub changes: Vec<ColumnChange>,
    /// Rows that are in no file, because the lake cannot hold them.
    pub rejected_rows: u64,
    /// Their values that it cannot hold, one or more of each row.
    pub rejects: Vec<Reject>,
    /// Rows that the server has sent.
    pub rows: u64,
    /// What the files hold, when they were read back.
    pub tally: Option<TableTally>,
}

impl Exported {
    /// Takes in what another pass over the same table has written.
    ///
    /// # Errors
    /// When that has other columns.
    pub fn add(&mut self, other: Self) -> Result<()> {
        self.files.extend(other.files);
        self.rows += other.rows;
        self.rejected_rows += other.rejected_rows;
        self.rejects.extend(other.rejects);
        for change in other.changes {
            match self.changes.iter_mut().find(|known| known.column == change.column) {
                Some(known) => known.values += change.values,
                None => self.changes.push(change),
            }
        }
        file_tallies::add(&mut self.tally, other.tally)
    }
}

/// Values of a column that have no exact place in the lake, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    /// The column, as Postgres calls it.
    pub column: String,
    /// The choice that did it, as a flag writes it: `infinity=clamp`.
    pub policy: String,
    /// What they were and what they are now.
    pub change: String,
    /// How many they are.
    pub values: u64,
}

/// Memory of one worker between the socket and the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of rows that are decoded before they are encoded.
    pub batch_bytes: usize,
    /// Bytes of the widest row that is read; a wider one fails its table.
    pub row_bytes: u64,
}

impl ReadLimits {
    /// Whether rows wider than allowed can exist: what is not in the TOAST table is smaller than a block.
    pub fn can_be_exceeded_in(&self, storages: &[Storage]) -> bool {
        storages.iter().any(|storage| storage.toast_bytes.is_none_or(|bytes| bytes >= self.row_bytes / 256))
    }
}

impl Export {
    /// Reads every slice. Blocks until all workers have ended.
    ///
    /// # Errors
    /// The first failure of any worker; the others stop at their next batch. [`Stopped`] after a cancellation.
    pub fn run(&self, slices: Vec<Slice>) -> Result<Exported> {
        let workers = self.workers.clamp(1, slices.len().max(1));
        let shared = Shared {
            queue: Mutex::new(slices.into()),
            numbers: PartNumbers::default(),
            rejected: AtomicU64::new(0),
            stop: self.cancel.child_token(),
        };
        let mut parts = FinishedParts::default();
        for finished in on_threads(workers, &shared.stop, || self.work(&shared))? {
            parts.add(finished)?;
        }
        let changes = self.changes(&parts.changed);
        let FinishedParts { handed_over: mut files, kept, rows, mut tally, rejects, .. } = parts;
        let others = self.join_small_files(kept, &files)?;
        file_tallies::add(&mut tally, self.tally_all(&others, &shared.stop)?)?;
        files.extend(others);
        Ok(Exported { files, changes, rejected_rows: shared.rejected.into_inner(), rejects, rows, tally })
    }

    /// The columns in which values were changed.
    fn changes(&self, counts: &[u64]) -> Vec<ColumnChange> {
        let columns = self.plan.columns.iter().zip(counts).filter(|(_, values)| **values > 0);
        let change = |(column, values): (&ColumnPlan, &u64)| {
            let (policy, change) = column.changed_by();
            ColumnChange { column: column.name.clone(), policy, change, values: *values }
        };
        columns.map(change).collect()
    }

    /// An empty file, so that the columns of a table without rows are known.
    pub fn write_empty(&self, partition: Option<PartitionValue>) -> Result<Exported> {
        let file = self.part_writer(partition.as_ref(), 0)?.finish(partition)?;
        let tally = self.tally(&file, &self.cancel)?;
        Ok(Exported { files: vec![file], tally, ..Exported::default() })
    }

    /// A writer for the part of that number.
    pub(crate) fn part_writer(&self, partition: Option<&PartitionValue>, number: u32) -> Result<ColumnarWriter> {
        let folder = match partition {
            Some(PartitionValue { key, value }) => self.folder.join(format!("{key}={value}")),
            None => self.folder.clone(),
        };
        let path = folder.join(format!("part-{number:05}.parquet"));
        ColumnarWriter::create(&path, self.plan.schema(), &self.settings, Arc::clone(&self.counters))
    }

    /// Tells whoever waits for finished parts; one that has gone away has a better error than this.
    pub(crate) fn hand_over(&self, file: &ParquetFile) -> Result<()> {
        match &self.finished {
            Some(finished) => finished.send(file.clone()).map_err(|_| Stopped.into()),
            None => Ok(()),
        }
    }

    /// Makes one file of the parts of a partition that are small together, where none was handed over.
    fn join_small_files(&self, kept: Vec<ParquetFile>, handed_over: &[ParquetFile]) -> Result<Vec<ParquetFile>> {
        let mut files = Vec::with_capacity(kept.len());
        let mut by_partition: BTreeMap<Option<PartitionValue>, Vec<ParquetFile>> = BTreeMap::new();
        for file in kept {
            by_partition.entry(file.partition.clone()).or_default().push(file);
        }
        for (partition, mut parts) in by_partition {
            parts.sort_by(|a, b| a.path.cmp(&b.path));
            let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
            let alone = handed_over.iter().all(|file| file.partition != partition);
            if alone && parts.len() > 1 && bytes < self.settings.small_file_bytes {
                files.push(concatenate(&parts, &self.settings)?);
            } else {
                files.extend(parts);
            }
        }
        Ok(files)
    }

    fn work(&self, shared: &Shared) -> Result<FinishedParts> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().context("cannot start a worker")?;
        runtime.block_on(async {
            let mut connection = self.source.connect().await?;
            let mut parts = PartFiles::new(self, &shared.numbers, &shared.stop);
            let mut decoder = CopyDecoder::new(&self.plan, self.limits.batch_bytes).putting_aside(self.rejects);
            while let Some(slice) = shared.next() {
                self.read(&slice, &mut connection, &mut decoder, &mut parts, shared).await?;
                parts.complete(slice.partition.as_ref())?;
            }
            close(connection).await;
            parts.finish(&decoder)
        })
    }

    async fn read(
        &self,
        slice: &Slice,
        connection: &mut PgConnection,
        decoder: &mut CopyDecoder<'_>,
        parts: &mut PartFiles<'_>,
        shared: &Shared,
    ) -> Result<()> {
        let stop = &shared.stop;
        let read_timeout = self.source.read_timeout();
        let failed = |error: sqlx::Error| self.explain(slice, &error);
        let sql = self.sql(slice);
        decoder.begin(slice);
        let messages = Cell::new(0u64);
        let reading = async {
            let mut stream = connection.copy_out_raw(&sql).await.map_err(failed)?;
            while let Some(message) = stream.try_next().await.map_err(failed)? {
                decoder.push(&message)?;
                messages.set(messages.get() + 1);
                if decoder.is_full() {
                    if stop.is_cancelled() {
                        return Err(Stopped.into());
                    }
                    parts.write(slice.partition.as_ref(), &self.batch(decoder, shared)?)?;
                }
            }
            decoder.end_of_stream()?;
            drop(stream);
            parts.write(slice.partition.as_ref(), &self.batch(decoder, shared)?)?;
            match decoder.aside().map(Aside::found) {
                Some(found) if !found.is_empty() => {
                    parts.reject(look_up(connection, &self.plan, &slice.relation, found).await?);
                }
                _ => {}
            }
            Ok(())
        };
        // The loop is polled first, so watching costs nothing while rows arrive.
        select! {
            biased;
            result = reading => result,
            () = silence(&messages, read_timeout) => {
                Err(SourceError::silent(&format!("cannot read {}, {slice}", self.plan.table), read_timeout).into())
            }
            () = stop.cancelled() => Err(Stopped.into()),
        }
    }

    /// The next batch, unless too many rows had to be put aside.
    fn batch(&self, decoder: &mut CopyDecoder<'_>, shared: &Shared) -> Result<RecordBatch, SourceError> {
        let before = decoder.aside().map_or(0, |aside| aside.rows());
        let batch = decoder.take_batch()?;
        if let (Some(limit), Some(aside)) = (self.rejects, decoder.aside()) {
            let more = aside.rows() - before;
            let rejected = shared.rejected.fetch_add(more, Ordering::Relaxed) + more;
            if rejected > limit.most {
                return Err(aside.too_many(&self.plan, limit));
            }
        }
        Ok(batch)
    }

    fn sql(&self, slice: &Slice) -> String {
        let columns = self.plan.unbounded_columns();
        let guarded = self.wide_rows && !columns.is_empty();
        let guard = guarded.then_some(Predicate::NoWiderThan { columns, bytes: self.limits.row_bytes });
        let predicates: Vec<&Predicate> = slice.rows.iter().chain(&self.plan.filter).collect();
        let mut names: Vec<String> = self.plan.columns.iter().map(|column| column.name.clone()).collect();
        let mut expressions = self.plan.expressions();
        if self.rejects.is_some_and(|limit| limit.by_row_id) {
            names.extend(ROW_ID.map(str::to_owned));
            expressions.extend(ROW_ID.map(str::to_owned));
        }
        let guard = guard.as_ref().map(|guard| (guard, names.as_slice()));
        copy_out(&expressions, &slice.relation, &predicates, guard)
    }

    /// The error with its place; the complaint about a row that is too wide becomes a sentence.
    fn explain(&self, slice: &Slice, error: &sqlx::Error) -> SourceError {
        let table = &self.plan.table;
        let message = error.as_database_error().map(|server| server.message());
        let Some(widths) = message.and_then(Predicate::too_wide) else {
            return SourceError::from_sqlx(&format!("cannot read {table}, {slice}"), error);
        };
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let columns = self.plan.unbounded_columns();
        let widest = widths.iter().zip(&columns).max_by_key(|(width, _)| **width);
        let column = widest.map(|(_, (column, _))| column.as_str()).unwrap_or_default();
        let message = format!(
            "{table}, {slice}: a row takes {} MiB, most of it in column \"{column}\", and {} MiB are allowed; raise --memory, lower --workers, or read a view without it",
            megabytes(widths.iter().sum()),
            megabytes(self.limits.row_bytes)
        );
        SourceError::new(SourceErrorKind::Data, message)
    }
}

/// Ends when no message has come for so long.
async fn silence(messages: &Cell<u64>, deadline: Duration) {
    loop {
        let before = messages.get();
        sleep(deadline).await;
        if messages.get() == before {
            return;
        }
    }
}

/// What all workers of one export have in common.
#[derive(Debug)]
struct Shared {
    queue: Mutex<VecDeque<Slice>>,
    numbers: PartNumbers,
    /// Rows that were put aside.
    rejected: AtomicU64,
    stop: CancellationToken,
}

impl Shared {
    fn next(&self) -> Option<Slice> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
