//! Lower and upper bound of strings, short enough for headers and indexes.

use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};
use std::mem::take;
use std::str::from_utf8;

/// A bound is cut to this many bytes; readers only need to know where values cannot be.
const MOST_BYTES: usize = 64;

/// The least and the greatest of some strings of bytes.
pub(crate) struct Bounds {
    utf8: bool,
    any: bool,
    min: Vec<u8>,
    max: Vec<u8>,
    /// The first eight bytes of each, which decide almost every comparison.
    prefixes: (u64, u64),
}

impl Bounds {
    pub(crate) fn new(utf8: bool) -> Self {
        Self { utf8, any: false, min: Vec::new(), max: Vec::new(), prefixes: (u64::MAX, 0) }
    }

    #[inline]
    pub(crate) fn include(&mut self, value: &[u8]) {
        let prefix = prefix(value);
        if prefix <= self.prefixes.0 && (!self.any || value < self.min.as_slice()) {
            replace(&mut self.min, value);
            self.prefixes.0 = prefix;
        }
        if prefix >= self.prefixes.1 && (!self.any || value > self.max.as_slice()) {
            replace(&mut self.max, value);
            self.prefixes.1 = prefix;
        }
        self.any = true;
    }

    pub(crate) fn join(&mut self, other: &Self) {
        if other.any {
            self.include(&other.min);
            self.include(&other.max);
        }
    }

    /// The bounds, cut, and a new start.
    pub(crate) fn take(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (min, max) = (take(&mut self.min), take(&mut self.max));
        let any = take(&mut self.any);
        self.prefixes = (u64::MAX, 0);
        let (min, max) = (self.lower(&min), self.upper(&max)?);
        any.then_some((min, max))
    }

    pub(crate) fn statistics(&self, nulls: u64) -> Statistics {
        let min = self.any.then(|| self.lower(&self.min));
        let max = self.any.then(|| self.upper(&self.max)).flatten();
        let exact = |bound: &Option<Vec<u8>>, value: &[u8]| bound.as_deref().is_some_and(|bound| bound == value);
        let (min_exact, max_exact) = (exact(&min, &self.min), exact(&max, &self.max));
        let statistics =
            ValueStatistics::new(min.map(ByteArray::from), max.map(ByteArray::from), None, Some(nulls), false);
        Statistics::from(statistics.with_min_is_exact(min_exact).with_max_is_exact(max_exact))
    }

    /// At most as great as the value.
    fn lower(&self, value: &[u8]) -> Vec<u8> {
        value[..self.cut(value)].to_vec()
    }

    /// At least as great as the value; nothing when no short text is.
    fn upper(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut bound = value[..self.cut(value)].to_vec();
        if bound.len() == value.len() {
            return Some(bound);
        }
        // The last byte that can be raised without becoming another kind of character.
        let limit = if self.utf8 { 0x7f } else { 0xff };
        while let Some(last) = bound.pop() {
            if last < limit {
                bound.push(last + 1);
                return Some(bound);
            }
        }
        None
    }

    fn cut(&self, value: &[u8]) -> usize {
        if value.len() <= MOST_BYTES {
            return value.len();
        }
        match from_utf8(&value[..MOST_BYTES]) {
            Err(error) if self.utf8 => error.valid_up_to(),
            _ => MOST_BYTES,
        }
    }
}

fn replace(bound: &mut Vec<u8>, value: &[u8]) {
    bound.clear();
    bound.extend_from_slice(value);
}

/// The first eight bytes, as a number that orders like them.
#[inline]
fn prefix(value: &[u8]) -> u64 {
    match value.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut padded = [0; 8];
            padded[..value.len()].copy_from_slice(value);
            u64::from_be_bytes(padded)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, MOST_BYTES};
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    fn bounds<T: AsRef<[u8]>>(values: &[T], utf8: bool) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut bounds = Bounds::new(utf8);
        values.iter().for_each(|value| bounds.include(value.as_ref()));
        bounds.take()
    }

    #[test]
    fn no_value_no_bounds_and_the_empty_string_is_a_value() {
        assert_eq!(bounds::<&str>(&[], true), None);
        assert_eq!(bounds(&[""], true), Some((vec![], vec![])));
        assert_eq!(bounds(&["a\0", "a"], true), Some((b"a".to_vec(), b"a\0".to_vec())));
    }

    #[test]
    fn an_upper_bound_that_no_short_text_has_is_left_out() {
        assert_eq!(bounds(&["é".repeat(100)], true), None);
        assert_eq!(bounds(&[vec![0xff; 100]], false), None);
    }

    proptest! {
        #[test]
        fn bounds_hold_all_values(values in vec(vec(any::<u8>(), 0..100), 1..30)) {
            if let Some((min, max)) = bounds(&values, false) {
                prop_assert!(min.len() <= MOST_BYTES && max.len() <= MOST_BYTES);
                prop_assert!(values.iter().all(|value| min <= *value && *value <= max));
                let least = values.iter().min().unwrap();
                prop_assert_eq!(&min[..], &least[..least.len().min(MOST_BYTES)]);
            }
        }

        #[test]
        fn bounds_of_text_are_text(values in vec("[aé\u{7f}z😀]{0,40}", 1..30)) {
            if let Some((min, max)) = bounds(&values, true) {
                let (min, max) = (String::from_utf8(min).unwrap(), String::from_utf8(max).unwrap());
                prop_assert!(values.iter().all(|value| min <= *value && *value <= max));
            }
        }
    }
}
