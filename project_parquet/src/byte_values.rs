//! Strings and bytes.

use crate::dictionary::{BytesDictionary, Dictionary, put_bytes};
use crate::page_encoding::PageEncoding;
use crate::page_values::{PageSummary, PageValues, valid_rows};
use crate::text_bounds::Bounds;
use arrow::array::ArrayData;
use parquet::file::statistics::Statistics;
use std::ops::Range;

/// A page is closed when its values have this many bytes, however few rows they are.
const PAGE_BYTES: usize = 1 << 20;

/// The open page of a column of strings, and the bounds of those before.
pub(crate) struct ByteValues {
    encoding: PageEncoding<BytesDictionary>,
    page_bytes: usize,
    page: Bounds,
    chunk: Bounds,
    /// For each value of the dictionary the last page that had it, so that bounds look at each value once.
    seen_in: Vec<u32>,
    page_number: u32,
}

impl ByteValues {
    /// Strings are cut at characters in bounds, bytes anywhere.
    pub(crate) fn new(utf8: bool) -> Self {
        Self {
            encoding: PageEncoding::new(BytesDictionary::default()),
            page_bytes: 0,
            page: Bounds::new(utf8),
            chunk: Bounds::new(utf8),
            seen_in: Vec::new(),
            page_number: 0,
        }
    }

    fn take<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        match self.encoding.indices() {
            Some((dictionary, indices)) => indices.extend(values.map(|value| dictionary.intern(value))),
            None => values.for_each(|value| {
                put_bytes(value, &mut self.encoding.plain);
                self.page.include(value);
            }),
        }
    }

    fn include_values_of_indices(&mut self) {
        let Some((dictionary, indices)) = self.encoding.indices() else { return };
        self.page_number += 1;
        self.seen_in.resize(dictionary.len(), 0);
        for index in indices {
            let seen_in = &mut self.seen_in[*index as usize];
            if *seen_in != self.page_number {
                *seen_in = self.page_number;
                self.page.include(dictionary.get(*index));
            }
        }
    }
}

impl PageValues for ByteValues {
    fn rows_that_fit(&self, data: &ArrayData, rows: &Range<usize>) -> usize {
        let offsets = &data.buffer::<i32>(0)[rows.start..=rows.end];
        let room = PAGE_BYTES.saturating_sub(self.page_bytes);
        let bytes_up_to = |row: usize| (offsets[row] - offsets[0]) as usize;
        if bytes_up_to(rows.len()) <= room {
            return rows.len();
        }
        offsets.partition_point(|offset| (offset - offsets[0]) as usize <= room).saturating_sub(1).max(1)
    }

    fn append(&mut self, data: &ArrayData, rows: Range<usize>) {
        let offsets = data.buffer::<i32>(0);
        let bytes = data.buffers()[1].as_slice();
        self.page_bytes += (offsets[rows.end] - offsets[rows.start]) as usize;
        let value = |row: usize| &bytes[offsets[row] as usize..offsets[row + 1] as usize];
        match valid_rows(data, &rows) {
            None => self.take(rows.map(value)),
            Some(valid) => self.take(valid.into_iter().map(value)),
        }
    }

    fn finish_page(&mut self, body: &mut Vec<u8>) -> PageSummary {
        self.include_values_of_indices();
        // Most values of the first page are alone in the dictionary.
        if self.encoding.undecided().is_some_and(|(values, distinct)| distinct * 2 > values) {
            self.encoding.give_dictionary_up();
            self.seen_in = Vec::new();
        }
        let encoding = self.encoding.finish_page(body);
        self.page_bytes = 0;
        self.chunk.join(&self.page);
        PageSummary { encoding, bounds: self.page.take() }
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        self.encoding.dictionary()
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        self.chunk.statistics(nulls)
    }

    fn memory_size(&self) -> usize {
        self.encoding.memory_size() + self.seen_in.capacity() * size_of::<u32>()
    }
}
