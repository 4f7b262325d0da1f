//! Truth values: one bit each.

use crate::page_values::{PageSummary, PageValues, valid_rows};
use arrow::array::{ArrayData, BooleanArray, BooleanBufferBuilder};
use parquet::basic::Encoding;
use parquet::file::statistics::Statistics;
use std::ops::Range;

/// The open page of a column of truth values.
pub(crate) struct BoolValues {
    bits: BooleanBufferBuilder,
    chunk: Option<(bool, bool)>,
}

impl BoolValues {
    pub(crate) fn new() -> Self {
        Self { bits: BooleanBufferBuilder::new(0), chunk: None }
    }
}

impl PageValues for BoolValues {
    fn append(&mut self, data: &ArrayData, rows: Range<usize>) {
        let values = BooleanArray::from(data.clone());
        let values = values.values();
        match valid_rows(data, &rows) {
            None => self.bits.append_buffer(&values.slice(rows.start, rows.len())),
            Some(valid) => valid.into_iter().for_each(|row| self.bits.append(values.value(row))),
        }
    }

    fn finish_page(&mut self, body: &mut Vec<u8>) -> PageSummary {
        let bits = self.bits.finish();
        let (any, all) = (bits.count_set_bits() > 0, bits.count_set_bits() == bits.len());
        let bounds = (!bits.is_empty()).then_some((all, any));
        if let Some((min, max)) = bounds {
            let (least, greatest) = self.chunk.unwrap_or((true, false));
            self.chunk = Some((least && min, greatest || max));
        }
        body.extend_from_slice(&bits.values()[..bits.len().div_ceil(8)]);
        PageSummary { encoding: Encoding::PLAIN, bounds: bounds.map(|(min, max)| (vec![min.into()], vec![max.into()])) }
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        None
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        let (min, max) = self.chunk.unzip();
        Statistics::boolean(min, max, None, Some(nulls), false)
    }

    fn memory_size(&self) -> usize {
        self.bits.as_slice().len()
    }
}
