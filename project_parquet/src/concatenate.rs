//! Several files of one schema become one: their row groups are copied as they are.

use crate::counters::Counters;
use crate::parquet_file::ParquetFile;
use crate::row_group_file::RowGroupFile;
use crate::settings::WriterSettings;
use anyhow::{Context, Result};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use std::fs::{File, remove_file};
use std::sync::Arc;

/// Replaces the files by one, which gets the place of the first. They were written with the same schema into the same
/// partition; the rows of the new footer are compared with theirs.
pub fn concatenate(parts: &[ParquetFile], settings: &WriterSettings) -> Result<ParquetFile> {
    let first = parts.first().context("nothing to put together")?;
    let opened: Vec<(File, ParquetMetaData)> = parts.iter().map(open).collect::<Result<_>>()?;
    let schema = opened[0].1.file_metadata().schema_descr().root_schema_ptr();
    // These bytes were counted when they were first written.
    let uncounted = Arc::new(Counters::default());
    let mut target = RowGroupFile::create(&first.path, schema, settings.file_props(), uncounted)?;
    for (file, metadata) in &opened {
        for group in 0..metadata.num_row_groups() {
            let columns = 0..metadata.row_group(group).num_columns();
            target.append_from(columns.map(|column| Ok((file.try_clone()?, closed(metadata, group, column)))))?;
        }
    }
    let rows = parts.iter().map(|part| part.rows).sum();
    let whole = target.finish(rows, first.partition.clone())?;
    for part in &parts[1..] {
        remove_file(&part.path).with_context(|| format!("cannot remove {}", part.path.display()))?;
    }
    Ok(whole)
}

fn open(part: &ParquetFile) -> Result<(File, ParquetMetaData)> {
    let reading = || format!("cannot read {} back", part.path.display());
    let file = File::open(&part.path).with_context(reading)?;
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader.try_parse(&file).with_context(reading)?;
    Ok((file, reader.finish().with_context(reading)?))
}

/// A column of a finished file, as its writer once closed it.
fn closed(metadata: &ParquetMetaData, group: usize, column: usize) -> ColumnCloseResult {
    let chunk = metadata.row_group(group).column(column);
    ColumnCloseResult {
        bytes_written: chunk.compressed_size().unsigned_abs(),
        rows_written: metadata.row_group(group).num_rows().unsigned_abs(),
        metadata: chunk.clone(),
        bloom_filter: None,
        column_index: metadata.column_index().map(|index| index[group][column].clone()),
        offset_index: metadata.offset_index().map(|index| index[group][column].clone()),
    }
}
