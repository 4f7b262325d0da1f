//! Values of fixed size: integers, floats, decimals, dates, times.

use crate::dictionary::{Bits, FixedDictionary, MOST_DICTIONARY_BYTES};
use crate::hybrid::bit_width;
use crate::page_encoding::PageEncoding;
use crate::page_values::{PageSummary, PageValues, valid_rows};
use arrow::array::ArrayData;
use arrow::datatypes::ArrowNativeType;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::statistics::Statistics;
use std::ops::Range;

/// A value that Parquet stores in a fixed number of bytes.
pub(crate) trait FixedValue: Bits + ArrowNativeType + PartialOrd + Send {
    /// As PLAIN writes it.
    fn plain(self, width: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(width);
        self.put(width, &mut bytes);
        bytes
    }
    /// The statistics of a column.
    fn statistics(bounds: Option<(Self, Self)>, width: usize, nulls: u64) -> Statistics;
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

impl FixedValue for i128 {
    fn statistics(bounds: Option<(Self, Self)>, width: usize, nulls: u64) -> Statistics {
        let stored = |value: Self| FixedLenByteArray::from(ByteArray::from(value.plain(width)));
        let (min, max) = bounds.unzip();
        Statistics::fixed_len_byte_array(min.map(stored), max.map(stored), None, Some(nulls), false)
    }

    fn span((min, max): (Self, Self)) -> Option<u64> {
        max.checked_sub(min).and_then(|difference| u64::try_from(difference).ok())?.checked_add(1)
    }
}

/// The open page of a column of fixed size, and the bounds of those before.
pub(crate) struct FixedValues<T> {
    /// Bytes of a value in the file.
    width: usize,
    encoding: PageEncoding<FixedDictionary<T>>,
    page: Option<(T, T)>,
    chunk: Option<(T, T)>,
    sorted: bool,
    last: Option<T>,
}

impl<T: FixedValue> FixedValues<T> {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            encoding: PageEncoding::new(FixedDictionary::new(width)),
            page: None,
            chunk: None,
            sorted: true,
            last: None,
        }
    }

    fn take(&mut self, values: &[T]) {
        let Some(last) = values.last() else { return };
        self.page = join(self.page, bounds(values));
        if self.sorted && self.encoding.undecided().is_some() {
            self.sorted = values.is_sorted() && self.last.is_none_or(|before| values.first() >= Some(&before));
            self.last = Some(*last);
        }
        match self.encoding.indices() {
            Some((dictionary, indices)) => indices.extend(values.iter().map(|value| dictionary.intern(*value))),
            None => {
                let plain = &mut self.encoding.plain;
                plain.reserve(values.len() * self.width);
                values.iter().for_each(|value| value.put(self.width, plain));
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
        if self.encoding.undecided().is_some_and(|(rows, distinct)| !self.dictionary_is_worth_it(rows, distinct)) {
            self.encoding.give_dictionary_up();
        }
        let encoding = self.encoding.finish_page(body);
        self.chunk = join(self.chunk, self.page);
        let bounds = self.page.take().map(T::stored);
        PageSummary { encoding, bounds: bounds.map(|(min, max)| (min.plain(self.width), max.plain(self.width))) }
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        self.encoding.dictionary()
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        T::statistics(self.chunk.map(T::stored), self.width, nulls)
    }

    fn memory_size(&self) -> usize {
        self.encoding.memory_size()
    }
}

fn bounds<T: FixedValue>(values: &[T]) -> Option<(T, T)> {
    // NaN does not compare, not even with itself, so it never becomes a bound.
    let first = *values.iter().find(|value| value.partial_cmp(value).is_some())?;
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
