//! The values of the page that a column is filling, in whatever encoding suits them.

use arrow::array::ArrayData;
use parquet::basic::Encoding;
use parquet::file::statistics::Statistics;
use std::ops::Range;

/// Gathers values into pages, and finds their bounds. Rows that are NULL are left out; the column counts them.
pub(crate) trait PageValues: Send {
    /// Of the rows from `rows.start`, how many the page should take; at least one.
    fn rows_that_fit(&self, data: &ArrayData, rows: &Range<usize>) -> usize {
        let _ = data;
        rows.len()
    }

    /// Takes the values of these rows.
    fn append(&mut self, data: &ArrayData, rows: Range<usize>);

    /// Appends the page's values to `body` and begins the next page.
    fn finish_page(&mut self, body: &mut Vec<u8>) -> PageSummary;

    /// The dictionary that pages refer to, if any does: its page, and the number of its values.
    fn dictionary(&self) -> Option<(Vec<u8>, usize)>;

    /// Bounds of all pages, with the number of rows that are NULL.
    fn statistics(&self, nulls: u64) -> Statistics;

    /// Bytes that are held for the open page and the dictionary.
    fn memory_size(&self) -> usize;
}

/// What the headers and indexes say of a page.
pub(crate) struct PageSummary {
    pub(crate) encoding: Encoding,
    /// Lower and upper bound, as PLAIN writes them; none when no value can be compared.
    pub(crate) bounds: Option<(Vec<u8>, Vec<u8>)>,
}

/// The rows that are not NULL.
pub(crate) fn valid_rows(data: &ArrayData, rows: &Range<usize>) -> Option<Vec<usize>> {
    let nulls = data.nulls().filter(|nulls| nulls.null_count() > 0)?;
    let valid = nulls.slice(rows.start, rows.len());
    let start = rows.start;
    Some(valid.valid_indices().map(|row| row + start).collect())
}
