//! Records that derive `ParquetRecordWriter`, gathered into row groups that are encoded on all cores.

use crate::counters::Counters;
use crate::logical::{Logical, record_schema};
use crate::parquet_file::ParquetFile;
use crate::row_group_file::RowGroupFile;
use crate::settings::WriterSettings;
use crate::typed_row_group::{EncodedRowGroup, encode};
use anyhow::{Context, Result, anyhow};
use parquet::file::properties::WriterPropertiesPtr;
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

/// Rows that one row group holds at most on this path: its records lie in memory until it is encoded.
const ROW_GROUP_RECORDS: usize = 1 << 17;

/// A file that is being written from records.
#[derive(Debug)]
pub struct TypedWriter<R> {
    file: RowGroupFile,
    schema: TypePtr,
    props: WriterPropertiesPtr,
    gzip_level: u32,
    row_group_rows: usize,
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
        let props = settings.uncompressed_props();
        let file = RowGroupFile::create(path, schema.clone(), props.clone(), counters.clone())?;
        let by_memory = settings.row_group_bytes / size_of::<R>().max(1);
        Ok(Self {
            file,
            schema,
            props,
            gzip_level: settings.gzip_level,
            row_group_rows: settings.row_group_rows.min(ROW_GROUP_RECORDS).min(by_memory.max(1)),
            pending: Vec::new(),
            encoding: VecDeque::new(),
            taken: 0,
            counters,
        })
    }

    /// Takes records, in order; has a row group encoded whenever enough have come together.
    pub fn extend(&mut self, records: impl IntoIterator<Item = R>) -> Result<()> {
        for record in records {
            self.pending.push(record);
            if self.pending.len() >= self.row_group_rows {
                self.encode_pending()?;
            }
        }
        Ok(())
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
        let records = replace(&mut self.pending, Vec::with_capacity(self.row_group_rows));
        self.taken += records.len() as u64;
        self.counters.add_rows(records.len() as u64);
        let (schema, props, level) = (self.schema.clone(), self.props.clone(), self.gzip_level);
        let (sender, receiver) = sync_channel(1);
        rayon::spawn(move || {
            // A panic in a task of rayon's ends the whole program; here it must only fail this file.
            let encoded = catch_unwind(AssertUnwindSafe(|| encode(&records, schema, props, level)));
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
        self.file.append(encoded.columns)
    }
}
