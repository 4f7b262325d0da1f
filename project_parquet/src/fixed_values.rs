//! Values of fixed size: integers, floats, decimals, dates, times.

use crate::dictionary::{Bits, FixedDictionary, MOST_DICTIONARY_BYTES};
use crate::hybrid::{bit_width, encode};
use crate::page_values::{PageSummary, PageValues, valid_rows};
use arrow::array::ArrayData;
use arrow::datatypes::ArrowNativeType;
use parquet::basic::Encoding;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::statistics::Statistics;
use std::ops::Range;

/// A value that Parquet stores in a fixed number of bytes.
pub(crate) trait FixedValue: Bits + ArrowNativeType + PartialOrd + Send {
    /// As PLAIN writes it, in `width` bytes.
    fn put(self, width: usize, out: &mut Vec<u8>);
    /// The statistics of a column.
    fn statistics(bounds: Option<(Self, Self)>, width: usize, nulls: u64) -> Statistics;
    /// Whether it takes part in bounds; NaN does not.
    fn is_ordered(self) -> bool {
        true
    }
    /// The bounds as they are stored: for floats zero has a sign there.
    fn stored(bounds: (Self, Self)) -> (Self, Self) {
        bounds
    }
    /// How many different values lie within the bounds, for integers.
    fn span(bounds: (Self, Self)) -> Option<u64>;
}

macro_rules! fixed_value {
    ($type:ty, $statistics:ident, $($rest:tt)*) => {
        impl FixedValue for $type {
            #[inline]
            fn put(self, _: usize, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn statistics(bounds: Option<(Self, Self)>, _: usize, nulls: u64) -> Statistics {
                let (min, max) = bounds.unzip();
                Statistics::$statistics(min, max, None, Some(nulls), false)
            }

            $($rest)*
        }
    };
}

macro_rules! integer {
    ($type:ty, $statistics:ident) => {
        fixed_value! { $type, $statistics,
            fn span((min, max): (Self, Self)) -> Option<u64> {
                u64::try_from(i128::from(max) - i128::from(min) + 1).ok()
            }
        }
    };
}

macro_rules! float {
    ($type:ty, $statistics:ident) => {
        fixed_value! { $type, $statistics,
            fn is_ordered(self) -> bool {
                !self.is_nan()
            }

            fn stored((min, max): (Self, Self)) -> (Self, Self) {
                (if min == 0.0 { -0.0 } else { min }, if max == 0.0 { 0.0 } else { max })
            }

            fn span(_: (Self, Self)) -> Option<u64> {
                None
            }
        }
    };
}

integer!(i32, int32);
integer!(i64, int64);
float!(f32, float);
float!(f64, double);

/// A decimal beyond 18 digits: the lowest `width` bytes, most significant first.
impl FixedValue for i128 {
    fn put(self, width: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes()[size_of::<Self>() - width..]);
    }

    fn statistics(bounds: Option<(Self, Self)>, width: usize, nulls: u64) -> Statistics {
        let stored = |value: Self| {
            let mut bytes = Vec::with_capacity(width);
            value.put(width, &mut bytes);
            FixedLenByteArray::from(ByteArray::from(bytes))
        };
        let (min, max) = bounds.unzip();
        Statistics::fixed_len_byte_array(min.map(stored), max.map(stored), None, Some(nulls), false)
    }

    fn span((min, max): (Self, Self)) -> Option<u64> {
        max.checked_sub(min).and_then(|difference| u64::try_from(difference).ok())?.checked_add(1)
    }
}

/// The open page of a column of fixed size, and the dictionary of those before.
pub(crate) struct FixedValues<T> {
    /// Bytes of a value in the file.
    width: usize,
    /// Until the first page with a value has shown whether a dictionary is worth it, the page is kept as indices.
    decided: bool,
    dictionary: Option<FixedDictionary<T>>,
    indices: Option<Vec<u32>>,
    plain: Vec<u8>,
    page: Option<(T, T)>,
    chunk: Option<(T, T)>,
    sorted: bool,
    last: Option<T>,
}

impl<T: FixedValue> FixedValues<T> {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            decided: false,
            dictionary: Some(FixedDictionary::new()),
            indices: Some(Vec::new()),
            plain: Vec::new(),
            page: None,
            chunk: None,
            sorted: true,
            last: None,
        }
    }

    fn take(&mut self, values: &[T]) {
        self.page = join(self.page, bounds(values));
        match (&mut self.indices, &mut self.dictionary) {
            (Some(indices), Some(dictionary)) => {
                if !self.decided && self.sorted {
                    self.sorted = values.is_sorted() && self.last.is_none_or(|last| values.first() >= Some(&last));
                    self.last = values.last().copied().or(self.last);
                }
                indices.extend(values.iter().map(|value| dictionary.intern(*value)));
            }
            _ => {
                self.plain.reserve(values.len() * self.width);
                values.iter().for_each(|value| value.put(self.width, &mut self.plain));
            }
        }
    }

    /// Whether indices into the dictionary take much less than the values, also once compressed.
    fn dictionary_is_worth_it(&self, rows: usize, distinct: usize) -> bool {
        if distinct * 16 <= rows {
            return true;
        }
        // Each value is near the one before it, which GZIP sees in the values and not in the indices.
        if self.sorted {
            return false;
        }
        if distinct * 2 <= rows {
            return true;
        }
        // Many different values at first, but never more than this.
        let span = self.page.and_then(T::span).and_then(|span| u32::try_from(span).ok());
        span.is_some_and(|span| {
            let bits = bit_width(span) as usize;
            span as usize * self.width <= MOST_DICTIONARY_BYTES && bits * 10 <= self.width * 8 * 6
        })
    }

    /// After the first page: a dictionary that is not worth it is given up.
    fn decide(&mut self) {
        let (Some(indices), Some(dictionary)) = (&self.indices, &self.dictionary) else { return };
        self.decided = true;
        if self.dictionary_is_worth_it(indices.len(), dictionary.values().len()) {
            return;
        }
        for index in indices {
            dictionary.values()[*index as usize].put(self.width, &mut self.plain);
        }
        (self.indices, self.dictionary) = (None, None);
    }
}

impl<T: FixedValue> PageValues for FixedValues<T> {
    fn append(&mut self, data: &ArrayData, rows: Range<usize>) {
        let values = data.buffer::<T>(0);
        match valid_rows(data, &rows) {
            None => self.take(&values[rows]),
            Some(valid) => {
                let values: Vec<T> = valid.into_iter().map(|row| values[row]).collect();
                self.take(&values);
            }
        }
    }

    fn finish_page(&mut self, body: &mut Vec<u8>) -> PageSummary {
        if !self.decided && self.indices.as_ref().is_some_and(|indices| !indices.is_empty()) {
            self.decide();
        }
        self.chunk = join(self.chunk, self.page);
        let bounds = self.page.take().map(T::stored).map(|(min, max)| {
            let plain = |value: T| {
                let mut bytes = Vec::with_capacity(self.width);
                value.put(self.width, &mut bytes);
                bytes
            };
            (plain(min), plain(max))
        });
        let encoding = match (&mut self.indices, &self.dictionary) {
            (Some(indices), Some(dictionary)) if !indices.is_empty() => {
                let distinct = dictionary.values().len();
                let width = bit_width(u32::try_from(distinct).unwrap_or(u32::MAX).saturating_sub(1));
                body.push(width as u8);
                encode(indices, width, body);
                indices.clear();
                if distinct * self.width > MOST_DICTIONARY_BYTES {
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
        PageSummary { encoding, bounds }
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        let values = self.dictionary.as_ref()?.values();
        let mut page = Vec::with_capacity(values.len() * self.width);
        values.iter().for_each(|value| value.put(self.width, &mut page));
        (!values.is_empty()).then_some((page, values.len()))
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        T::statistics(self.chunk.map(T::stored), self.width, nulls)
    }

    fn memory_size(&self) -> usize {
        let indices = self.indices.as_ref().map_or(0, |indices| indices.capacity() * size_of::<u32>());
        let dictionary = self.dictionary.as_ref().map_or(0, FixedDictionary::memory_size);
        self.plain.capacity() + indices + dictionary
    }
}

fn bounds<T: FixedValue>(values: &[T]) -> Option<(T, T)> {
    let first = *values.iter().find(|value| value.is_ordered())?;
    // A comparison with NaN is false, so NaN never becomes a bound.
    let min = values.iter().fold(first, |min, value| if *value < min { *value } else { min });
    let max = values.iter().fold(first, |max, value| if *value > max { *value } else { max });
    Some((min, max))
}

fn join<T: FixedValue>(a: Option<(T, T)>, b: Option<(T, T)>) -> Option<(T, T)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((if b.0 < a.0 { b.0 } else { a.0 }, if b.1 > a.1 { b.1 } else { a.1 })),
        (a, b) => a.or(b),
    }
}
