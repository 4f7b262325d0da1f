//! Strings and bytes.

use crate::dictionary::{BytesDictionary, MOST_DICTIONARY_BYTES};
use crate::hybrid::{bit_width, encode};
use crate::page_values::{PageSummary, PageValues, valid_rows};
use crate::text_bounds::Bounds;
use arrow::array::ArrayData;
use parquet::basic::Encoding;
use parquet::file::statistics::Statistics;
use std::ops::Range;

/// A page is closed when its values have this many bytes, however few rows they are.
const PAGE_BYTES: usize = 1 << 20;
/// PLAIN writes the length before each value.
const LENGTH_BYTES: usize = 4;

/// The open page of a column of strings, and the dictionary of those before.
pub(crate) struct ByteValues {
    /// Until the first page with a value has shown whether a dictionary is worth it, the page is kept as indices.
    decided: bool,
    dictionary: Option<BytesDictionary>,
    indices: Option<Vec<u32>>,
    plain: Vec<u8>,
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
            decided: false,
            dictionary: Some(BytesDictionary::new()),
            indices: Some(Vec::new()),
            plain: Vec::new(),
            page_bytes: 0,
            page: Bounds::new(utf8),
            chunk: Bounds::new(utf8),
            seen_in: Vec::new(),
            page_number: 0,
        }
    }

    fn take<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        let Self { dictionary, indices, plain, page, .. } = self;
        match (indices, dictionary) {
            (Some(indices), Some(dictionary)) => indices.extend(values.map(|value| dictionary.intern(value))),
            _ => values.for_each(|value| {
                put(value, plain);
                page.include(value);
            }),
        }
    }

    /// Gives a dictionary up that most values of the first page are alone in.
    fn decide(&mut self) {
        let (Some(indices), Some(dictionary)) = (&self.indices, &self.dictionary) else { return };
        self.decided = true;
        if dictionary.len() * 2 <= indices.len() {
            return;
        }
        for index in indices {
            let value = dictionary.get(*index);
            put(value, &mut self.plain);
            self.page.include(value);
        }
        (self.indices, self.dictionary) = (None, None);
    }
}

fn put(value: &[u8], out: &mut Vec<u8>) {
    // Postgres has no value of 4 GB.
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
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
        if !self.decided && self.indices.as_ref().is_some_and(|indices| !indices.is_empty()) {
            self.decide();
        }
        let encoding = match (&mut self.indices, &self.dictionary) {
            (Some(indices), Some(dictionary)) if !indices.is_empty() => {
                self.page_number += 1;
                self.seen_in.resize(dictionary.len(), 0);
                for index in indices.iter() {
                    let seen_in = &mut self.seen_in[*index as usize];
                    if *seen_in != self.page_number {
                        *seen_in = self.page_number;
                        self.page.include(dictionary.get(*index));
                    }
                }
                let width = bit_width(u32::try_from(dictionary.len()).unwrap_or(u32::MAX).saturating_sub(1));
                body.push(width as u8);
                encode(indices, width, body);
                indices.clear();
                if dictionary.value_bytes() + dictionary.len() * LENGTH_BYTES > MOST_DICTIONARY_BYTES {
                    self.indices = None;
                }
                Encoding::RLE_DICTIONARY
            }
            _ => {
                body.extend_from_slice(&self.plain);
                self.plain.clear();
                Encoding::PLAIN
            }
        };
        self.page_bytes = 0;
        self.chunk.join(&self.page);
        PageSummary { encoding, bounds: self.page.take() }
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        let dictionary = self.dictionary.as_ref().filter(|dictionary| dictionary.len() > 0)?;
        let mut page = Vec::with_capacity(dictionary.value_bytes() + dictionary.len() * LENGTH_BYTES);
        (0..dictionary.len() as u32).for_each(|index| put(dictionary.get(index), &mut page));
        Some((page, dictionary.len()))
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        self.chunk.statistics(nulls)
    }

    fn memory_size(&self) -> usize {
        let indices = self.indices.as_ref().map_or(0, |indices| indices.capacity() * size_of::<u32>());
        let dictionary = self.dictionary.as_ref().map_or(0, BytesDictionary::memory_size);
        self.plain.capacity() + indices + dictionary + self.seen_in.capacity() * size_of::<u32>()
    }
}
