//! The files that one worker writes: open parts, one for each partition that rows are arriving for.

use crate::copy_decoder::CopyDecoder;
use crate::export::Export;
use crate::file_tallies;
use crate::rejects::Reject;
use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayRef, Date32Array, RecordBatch, TimestampMicrosecondArray, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::take_record_batch;
use project_parquet::proof::TableTally;
use project_parquet::{ColumnarWriter, ParquetFile, PartitionValue};
use std::collections::HashMap;
use std::fmt;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// A part is closed at this size; readers are fastest between 128 and 512 MB.
const PART_BYTES: u64 = 448 << 20;
/// Parts that a worker keeps open while rows are sorted into partitions. When there are more, the one that has waited
/// longest is closed, and later rows of its partition begin another part.
pub const OPEN_PARTS: usize = 64;
const MILLISECONDS_PER_DAY: i64 = 86_400_000;

/// Sorts rows into partitions by the date of a column.
#[derive(Clone)]
pub struct Routing {
    /// Index of the column, a date or a timestamp.
    pub column: usize,
    /// The partition of a day, counted from 1970-01-01 in UTC, or of NULL.
    pub partition: Arc<dyn Fn(Option<i32>) -> Result<PartitionValue> + Send + Sync>,
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routing").field("column", &self.column).finish_non_exhaustive()
    }
}

impl Routing {
    /// The rows of each day that the batch holds, in the order of the days; NULL comes first.
    fn split(&self, batch: &RecordBatch) -> Result<Vec<(PartitionValue, RecordBatch)>> {
        let days = days(batch.column(self.column))?;
        let mut order: Vec<u32> = (0..).take(days.len()).collect();
        if !days.is_sorted() {
            order.sort_by_key(|row| days[*row as usize]);
        }
        let sorted = take_record_batch(batch, &UInt32Array::from(order.clone()))?;
        let mut parts = Vec::new();
        let mut from = 0;
        for group in order.chunk_by(|a, b| days[*a as usize] == days[*b as usize]) {
            let partition = (self.partition)(days[group[0] as usize])?;
            parts.push((partition, sorted.slice(from, group.len())));
            from += group.len();
        }
        Ok(parts)
    }
}

fn days(column: &ArrayRef) -> Result<Vec<Option<i32>>> {
    let any = column.as_any();
    if let Some(dates) = any.downcast_ref::<Date32Array>() {
        return Ok(dates.iter().collect());
    }
    if let Some(instants) = any.downcast_ref::<TimestampMicrosecondArray>() {
        return instants.iter().map(|instant| day(instant, MILLISECONDS_PER_DAY * 1000)).collect();
    }
    let instants = any.downcast_ref::<TimestampMillisecondArray>();
    let instants = instants.context("a table is cut by a column of type date, timestamp or timestamptz")?;
    instants.iter().map(|instant| day(instant, MILLISECONDS_PER_DAY)).collect()
}

fn day(instant: Option<i64>, units_per_day: i64) -> Result<Option<i32>> {
    Ok(instant.map(|instant| i32::try_from(instant.div_euclid(units_per_day))).transpose()?)
}

/// Numbers the parts of each partition, for all workers of one export.
#[derive(Debug, Default)]
pub(crate) struct PartNumbers(Mutex<HashMap<Option<PartitionValue>, u32>>);

impl PartNumbers {
    fn next(&self, partition: Option<&PartitionValue>) -> u32 {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.entry(partition.cloned()).or_default();
        let number = *next;
        *next += 1;
        number
    }
}

/// What a worker has finished.
#[derive(Debug, Default)]
pub(crate) struct FinishedParts {
    /// Parts that were handed over: they are on their way to the lake and stay as they are.
    pub(crate) handed_over: Vec<ParquetFile>,
    /// Parts that may still become one with others.
    pub(crate) kept: Vec<ParquetFile>,
    /// Values of each column that a policy has changed.
    pub(crate) changed: Vec<u64>,
    /// Values that are in no part.
    pub(crate) rejects: Vec<Reject>,
    /// Rows that the server has sent.
    pub(crate) rows: u64,
    /// What the parts hold that were handed over, when they were read back.
    pub(crate) tally: Option<TableTally>,
}

impl FinishedParts {
    /// Takes in what another worker has finished.
    pub(crate) fn add(&mut self, other: Self) -> Result<()> {
        self.handed_over.extend(other.handed_over);
        self.kept.extend(other.kept);
        self.rejects.extend(other.rejects);
        self.changed.resize(other.changed.len(), 0);
        self.changed.iter_mut().zip(other.changed).for_each(|(all, more)| *all += more);
        self.rows += other.rows;
        file_tallies::add(&mut self.tally, other.tally)
    }
}

/// The open and the finished parts of one worker.
pub(crate) struct PartFiles<'a> {
    export: &'a Export,
    numbers: &'a PartNumbers,
    stop: &'a CancellationToken,
    /// The one that was written to last is the last.
    open: Vec<OpenPart>,
    finished: FinishedParts,
}

struct OpenPart {
    writer: ColumnarWriter,
    partition: Option<PartitionValue>,
}

impl<'a> PartFiles<'a> {
    pub(crate) fn new(export: &'a Export, numbers: &'a PartNumbers, stop: &'a CancellationToken) -> Self {
        Self { export, numbers, stop, open: Vec::new(), finished: FinishedParts::default() }
    }

    /// Writes rows of one partition, or sorts them when the table is cut by a column.
    pub(crate) fn write(&mut self, partition: Option<&PartitionValue>, batch: &RecordBatch) -> Result<()> {
        match (&self.export.routing, partition) {
            (Some(routing), None) => {
                for (partition, rows) in routing.split(batch)? {
                    self.write_part(Some(&partition), &rows)?;
                }
                Ok(())
            }
            _ => self.write_part(partition, batch),
        }
    }

    /// Call when no more rows of this partition will come, from this worker or from another.
    pub(crate) fn complete(&mut self, partition: Option<&PartitionValue>) -> Result<()> {
        match self.open.iter().position(|part| part.partition.as_ref() == partition) {
            Some(at) if partition.is_some() => {
                let part = self.open.remove(at);
                self.close(part, true)
            }
            _ => Ok(()),
        }
    }

    /// Takes values that are in no part.
    pub(crate) fn reject(&mut self, rejects: Vec<Reject>) {
        self.finished.rejects.extend(rejects);
    }

    /// Closes everything. The decoder knows how many rows came, and what was changed in them.
    pub(crate) fn finish(mut self, decoder: &CopyDecoder<'_>) -> Result<FinishedParts> {
        for part in take(&mut self.open) {
            self.close(part, false)?;
        }
        Ok(FinishedParts { changed: decoder.changed().collect(), rows: decoder.rows_read(), ..self.finished })
    }

    fn write_part(&mut self, partition: Option<&PartitionValue>, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut part = self.part(partition)?;
        part.writer.write(batch)?;
        if part.writer.estimated_bytes() >= PART_BYTES {
            return self.close(part, true);
        }
        self.open.push(part);
        self.stay_within_memory()
    }

    /// Takes the partition's part out of the open ones, or begins one.
    fn part(&mut self, partition: Option<&PartitionValue>) -> Result<OpenPart> {
        if let Some(at) = self.open.iter().position(|part| part.partition.as_ref() == partition) {
            return Ok(self.open.remove(at));
        }
        if self.open.len() >= OPEN_PARTS {
            let longest_unused = self.open.remove(0);
            self.close(longest_unused, false)?;
        }
        let writer = self.export.part_writer(partition, self.numbers.next(partition))?;
        Ok(OpenPart { writer, partition: partition.cloned() })
    }

    /// All row groups under construction share what one may have.
    fn stay_within_memory(&mut self) -> Result<()> {
        let memory: usize = self.open.iter().map(|part| part.writer.memory_size()).sum();
        if memory >= self.export.settings.row_group_bytes
            && let Some(largest) = self.open.iter_mut().max_by_key(|part| part.writer.memory_size())
        {
            largest.writer.close_row_group()?;
        }
        Ok(())
    }

    fn close(&mut self, part: OpenPart, complete: bool) -> Result<()> {
        let file = part.writer.finish(part.partition)?;
        debug!(file = %file.path.display(), rows = file.rows, bytes = file.bytes, "part finished");
        if complete || file.bytes >= self.export.settings.small_file_bytes {
            // Whoever takes it may remove it.
            file_tallies::add(&mut self.finished.tally, self.export.tally(&file, self.stop)?)?;
            self.export.hand_over(&file)?;
            self.finished.handed_over.push(file);
        } else {
            self.finished.kept.push(file);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Routing;
    use arrow::array::{AsArray, Date32Array, Int64Array, RecordBatch, TimestampMillisecondArray};
    use arrow::datatypes::Int64Type;
    use project_parquet::PartitionValue;
    use std::sync::Arc;

    fn routing() -> Routing {
        let partition = |day: Option<i32>| {
            let value = day.map_or_else(|| "none".to_owned(), |day| day.to_string());
            Ok(PartitionValue { key: "dt".into(), value })
        };
        Routing { column: 0, partition: Arc::new(partition) }
    }

    fn split(column: arrow::array::ArrayRef) -> Vec<(String, Vec<i64>)> {
        let rows = Int64Array::from_iter_values(0..column.len() as i64);
        let batch = RecordBatch::try_from_iter_with_nullable([("at", column, true), ("row", Arc::new(rows), false)]);
        let parts = routing().split(&batch.unwrap()).unwrap();
        let rows = |batch: &RecordBatch| batch.column(1).as_primitive::<Int64Type>().values().to_vec();
        parts.into_iter().map(|(partition, batch)| (partition.value, rows(&batch))).collect()
    }

    #[test]
    fn rows_go_to_their_day_in_their_order() {
        let dates = Date32Array::from(vec![Some(2), Some(1), None, Some(2), Some(1)]);
        let expected = [("none".into(), vec![2]), ("1".into(), vec![1, 4]), ("2".into(), vec![0, 3])];
        assert_eq!(split(Arc::new(dates)), expected);
    }

    #[test]
    fn a_day_begins_at_midnight_also_before_1970() {
        let day = 86_400_000;
        let instants = TimestampMillisecondArray::from(vec![-day - 1, -day, -1, 0, day - 1, day]);
        let expected =
            [("-2".into(), vec![0]), ("-1".into(), vec![1, 2]), ("0".into(), vec![3, 4]), ("1".into(), vec![5])];
        assert_eq!(split(Arc::new(instants)), expected);
    }
}
