//! Records that derive `ParquetRecordWriter`, gathered into row groups that are encoded on all cores.

use crate::counters::Counters;
use crate::logical::{Logical, record_schema};
use crate::parquet_file::ParquetFile;
use crate::row_group_file::RowGroupFile;
use crate::settings::WriterSettings;
use crate::typed_row_group::{EncodedRowGroup, encode};
use anyhow::{Context, Result, anyhow};
use parquet::record::RecordWriter;
use parquet::schema::types::TypePtr;
use std::collections::VecDeque;
use std::mem::{replace, size_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

/// A struct of one Parquet row that derives `ParquetRecordWriter`.
pub trait Record: Send + Sync + 'static {
    /// Columns whose integers mean more than `parquet_derive` can say.
    const LOGICAL: &'static [(&'static str, Logical)] = &[];
}

/// Records of one row group at most: more would hardly make the file smaller.
const MOST_RECORDS: usize = 1 << 17;
/// Bytes that the strings of a record take beside it, before the first row group has shown how many they are.
const UNKNOWN_BYTES: usize = 2048;
/// Of the memory of a worker, what the records that are gathered may take: as many again are on their way through the
/// encoder, as records, as plain values, as pages.
const GATHERED_SHARE: usize = 4;

/// A file that is being written from records.
#[derive(Debug)]
pub struct TypedWriter<R> {
    file: RowGroupFile,
    schema: TypePtr,
    settings: WriterSettings,
    /// Bytes that a record takes, strings included.
    record_bytes: usize,
    pending: Vec<R>,
    /// Row groups that are being encoded, in the order of the file.
    encoding: VecDeque<Receiver<Result<EncodedRowGroup>>>,
    taken: u64,
    counters: Arc<Counters>,
}

impl<R: Record> TypedWriter<R>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    /// Creates the file, hidden until [`finish`](Self::finish).
    pub fn create(path: &Path, settings: &WriterSettings, counters: Arc<Counters>) -> Result<Self> {
        let schema = record_schema::<R>()?;
        let file = RowGroupFile::create(path, schema.clone(), settings.file_props(), counters.clone())?;
        let record_bytes = size_of::<R>() + UNKNOWN_BYTES;
        let (pending, encoding, settings) = (Vec::new(), VecDeque::new(), settings.clone());
        Ok(Self { file, schema, settings, record_bytes, pending, encoding, taken: 0, counters })
    }

    /// Takes records, in order; has a row group encoded whenever enough have come together.
    pub fn extend(&mut self, records: impl IntoIterator<Item = R>) -> Result<()> {
        records.into_iter().try_for_each(|record| self.push(record))
    }

    /// Takes one record.
    pub fn push(&mut self, record: R) -> Result<()> {
        self.pending.push(record);
        if self.pending.len() >= self.row_group_records() { self.encode_pending() } else { Ok(()) }
    }

    fn row_group_records(&self) -> usize {
        let by_memory = self.settings.row_group_bytes / GATHERED_SHARE / self.record_bytes.max(1);
        self.settings.row_group_rows.min(MOST_RECORDS).min(by_memory.max(1))
    }

    /// Writes what is left, closes the file, checks its footer and gives it its name.
    pub fn finish(mut self) -> Result<ParquetFile> {
        if !self.pending.is_empty() {
            self.encode_pending()?;
        }
        while let Some(encoded) = self.encoding.pop_front() {
            self.append(&encoded)?;
        }
        self.file.finish(self.taken, None)
    }

    /// Hands the records that have come together to rayon; waits for the oldest row group when every core has one.
    fn encode_pending(&mut self) -> Result<()> {
        if self.encoding.len() >= rayon::current_num_threads()
            && let Some(oldest) = self.encoding.pop_front()
        {
            self.append(&oldest)?;
        }
        let room = self.row_group_records();
        let records = replace(&mut self.pending, Vec::with_capacity(room));
        self.taken += records.len() as u64;
        self.counters.add_rows(records.len() as u64);
        let (schema, level) = (self.schema.clone(), self.settings.gzip_level);
        let (sender, receiver) = sync_channel(1);
        rayon::spawn(move || {
            // A panic in a task of rayon's ends the whole program; here it must only fail this file.
            let encoded = catch_unwind(AssertUnwindSafe(|| encode(records, &schema, level)));
            // Nobody waits any more when the file was given up.
            let _ = sender.send(encoded.unwrap_or_else(|_| Err(anyhow!("encoding a row group panicked"))));
        });
        self.encoding.push_back(receiver);
        Ok(())
    }

    fn append(&mut self, encoded: &Receiver<Result<EncodedRowGroup>>) -> Result<()> {
        let target = self.file.target();
        let writing = || format!("cannot write a row group of {}", target.display());
        let encoded = encoded.recv().with_context(writing)?.with_context(writing)?;
        self.record_bytes = size_of::<R>() + encoded.bytes_for_each_record;
        self.file.append(encoded.columns)
    }
}
