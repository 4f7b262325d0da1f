//! Lower and upper bound of strings, short enough for headers and indexes.

use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};
use std::mem::replace;
use std::str::from_utf8;

/// A bound is cut to this many bytes; readers only need to know where values cannot be.
const MOST_BYTES: usize = 64;

/// The least and the greatest of some strings of bytes, of which only the first bytes are kept.
pub(crate) struct Bounds {
    utf8: bool,
    any: bool,
    min: Head,
    max: Head,
    /// The first eight bytes of each, which decide almost every comparison.
    prefixes: (u64, u64),
}

/// The first bytes of a value, and whether there are more.
#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Bounds {
    pub(crate) fn new(utf8: bool) -> Self {
        Self { utf8, any: false, min: Head::default(), max: Head::default(), prefixes: (u64::MAX, 0) }
    }

    #[inline]
    pub(crate) fn include(&mut self, value: &[u8]) {
        let prefix = prefix(value);
        if prefix <= self.prefixes.0 || prefix >= self.prefixes.1 {
            let head = &value[..value.len().min(MOST_BYTES)];
            self.include_head(head, head.len() < value.len(), prefix);
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        if other.any {
            for head in [&other.min, &other.max] {
                self.include_head(&head.bytes, head.is_cut, prefix(&head.bytes));
            }
        }
    }

    fn include_head(&mut self, head: &[u8], is_cut: bool, prefix: u64) {
        if !self.any || head < self.min.bytes.as_slice() {
            self.min.replace(head, is_cut);
            self.prefixes.0 = prefix;
        } else if head == self.min.bytes {
            // A whole value comes before those that begin with it.
            self.min.is_cut &= is_cut;
        }
        if !self.any || head > self.max.bytes.as_slice() {
            self.max.replace(head, is_cut);
            self.prefixes.1 = prefix;
        } else if head == self.max.bytes {
            self.max.is_cut |= is_cut;
        }
        self.any = true;
    }

    /// The bounds, and a new start.
    pub(crate) fn take(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let bounds = replace(self, Self::new(self.utf8));
        let upper = bounds.upper()?;
        bounds.any.then(|| (bounds.lower(), upper))
    }

    pub(crate) fn statistics(&self, nulls: u64) -> Statistics {
        let min = self.any.then(|| self.lower());
        let max = self.any.then(|| self.upper()).flatten();
        let statistics =
            ValueStatistics::new(min.map(ByteArray::from), max.map(ByteArray::from), None, Some(nulls), false);
        let exact = statistics.with_min_is_exact(self.any && !self.min.is_cut);
        Statistics::from(exact.with_max_is_exact(self.any && !self.max.is_cut))
    }

    /// At most as great as every value.
    fn lower(&self) -> Vec<u8> {
        self.whole_characters(&self.min).to_vec()
    }

    /// At least as great as every value; nothing when no short text is.
    fn upper(&self) -> Option<Vec<u8>> {
        let mut bound = self.whole_characters(&self.max).to_vec();
        if !self.max.is_cut {
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

    fn whole_characters<'a>(&self, head: &'a Head) -> &'a [u8] {
        match from_utf8(&head.bytes) {
            Err(error) if self.utf8 => &head.bytes[..error.valid_up_to()],
            _ => &head.bytes,
        }
    }
}

impl Head {
    fn replace(&mut self, bytes: &[u8], is_cut: bool) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.is_cut = is_cut;
    }
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
