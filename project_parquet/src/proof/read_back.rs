//! A finished file, read back value by value.

use super::canonical_text::TextForm;
use super::column_tally::{ColumnTally, TableTally};
use anyhow::{Context, Result, ensure};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use std::fs::File;
use std::path::Path;

/// Values that are decoded at once, at most.
const MOST_ROWS: usize = 8192;

/// The figures of all rows of a file. Columns are read one after another, and about a page of them at a time: what is
/// held in memory is a few pages, whatever the file.
///
/// # Errors
/// When the file cannot be read, when a column holds what we do not write, or when `go_on`, which is asked now and
/// then, returns one.
pub fn tally_file(path: &Path, form: TextForm, go_on: &dyn Fn() -> Result<()>) -> Result<TableTally> {
    let reading = || format!("cannot read {} back", path.display());
    let file = File::open(path).with_context(reading)?;
    // The file's own columns are to be seen, and not what its writer says of them.
    let options =
        ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_offset_index_policy(PageIndexPolicy::Optional);
    let metadata = ArrowReaderMetadata::load(&file, options).with_context(reading)?;
    let mut tally = TableTally::empty(metadata.schema());
    let rows = metadata.metadata().file_metadata().num_rows();
    tally.rows = u64::try_from(rows).with_context(reading)?;
    for (position, column) in tally.columns.iter_mut().enumerate() {
        let name = metadata.schema().field(position).name();
        let found = tally_column(&file, &metadata, position, column, form, go_on)
            .with_context(|| format!("cannot read column \"{name}\" of {} back", path.display()))?;
        ensure!(found == tally.rows, "{}: column \"{name}\" has {found} rows of {rows}", path.display());
    }
    Ok(tally)
}

/// Returns how many rows it has. Row groups are read apart, so that small ones do not come together.
fn tally_column(
    file: &File,
    metadata: &ArrowReaderMetadata,
    position: usize,
    column: &mut ColumnTally,
    form: TextForm,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<u64> {
    let mut rows = 0;
    for group in 0..metadata.metadata().num_row_groups() {
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone()?, metadata.clone())
            .with_projection(ProjectionMask::roots(metadata.parquet_schema(), [position]))
            .with_row_groups(vec![group])
            .with_batch_size(rows_at_once(metadata.metadata(), group, position))
            .build()?;
        for batch in reader {
            go_on()?;
            let batch = batch?;
            column.take(batch.column(0), form)?;
            rows += batch.num_rows() as u64;
        }
    }
    Ok(rows)
}

/// As many rows as every page of the column has, the last one aside: so many come from two or three pages. A page is
/// closed when it has a megabyte, so that a page of few rows is one of wide rows.
fn rows_at_once(metadata: &ParquetMetaData, group: usize, position: usize) -> usize {
    let Some(index) = metadata.offset_index().and_then(|index| index.get(group)) else { return 1 };
    let schema = metadata.file_metadata().schema_descr();
    let leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == position);
    let pages = leaves.filter_map(|leaf| index.get(leaf)).map(|leaf| leaf.page_locations());
    let rows = pages.flat_map(|pages| pages.windows(2).map(|pair| pair[1].first_row_index - pair[0].first_row_index));
    let fewest = rows.min().and_then(|rows| usize::try_from(rows).ok());
    fewest.map_or(MOST_ROWS, |rows| rows.clamp(1, MOST_ROWS))
}
