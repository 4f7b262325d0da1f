//! The distinct values of a column, numbered in the order of their first appearance.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// A dictionary page grows to about this many bytes; a column with more goes on without a dictionary.
pub(crate) const MOST_DICTIONARY_BYTES: usize = 1 << 20;

/// A value of fixed size; two are the same when their bits are.
pub(crate) trait Bits: Copy {
    /// All bits, mixed into 64.
    fn bits(self) -> u64;
    /// Whether all bits are the same.
    fn same(self, other: Self) -> bool;
}

macro_rules! bits {
    ($($type:ty, $value:ident => $bits:expr;)*) => {$(
        impl Bits for $type {
            #[inline]
            fn bits(self) -> u64 {
                let $value = self;
                $bits
            }

            #[inline]
            fn same(self, other: Self) -> bool {
                self.to_ne_bytes() == other.to_ne_bytes()
            }
        }
    )*};
}

bits! {
    i32, value => value as u64;
    i64, value => value as u64;
    f32, value => u64::from(value.to_bits());
    f64, value => value.to_bits();
    i128, value => (value >> 64) as u64 ^ (value as u64).rotate_left(32);
}

const EMPTY: u32 = u32::MAX;
const LEAST_SLOTS: usize = 256;

/// Distinct values of fixed size. Open addressing; at most half of the slots are taken.
pub(crate) struct FixedDictionary<T> {
    values: Vec<T>,
    slots: Vec<u32>,
}

impl<T: Bits> FixedDictionary<T> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), slots: vec![EMPTY; LEAST_SLOTS] }
    }

    /// The number of the value.
    #[inline]
    pub(crate) fn intern(&mut self, value: T) -> u32 {
        let mut slot = self.slot(value);
        loop {
            match self.slots[slot] {
                EMPTY => return self.insert(value, slot),
                index if self.values[index as usize].same(value) => return index,
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// All values in the order of their numbers.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    pub(crate) fn memory_size(&self) -> usize {
        self.values.capacity() * size_of::<T>() + self.slots.capacity() * size_of::<u32>()
    }

    /// The high bits of a product depend on all bits of the value (Knuth's multiplicative hashing).
    #[inline]
    fn slot(&self, value: T) -> usize {
        let bits = value.bits();
        let mixed = (bits ^ bits >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (u64::BITS - self.slots.len().trailing_zeros())) as usize
    }

    #[cold]
    fn insert(&mut self, value: T, slot: usize) -> u32 {
        let index = self.values.len() as u32;
        self.values.push(value);
        self.slots[slot] = index;
        if self.values.len() * 2 > self.slots.len() {
            self.grow();
        }
        index
    }

    fn grow(&mut self) {
        self.slots = vec![EMPTY; self.slots.len() * 2];
        for index in 0..self.values.len() {
            let mut slot = self.slot(self.values[index]);
            while self.slots[slot] != EMPTY {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = index as u32;
        }
    }
}

/// Distinct strings of bytes.
pub(crate) struct BytesDictionary {
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl BytesDictionary {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), table: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }

    /// The number of the value.
    #[inline]
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        let Self { bytes, ends, table, hasher } = self;
        let hash = hasher.hash_one(value);
        if let Some(index) = table.find(hash, |index| entry(bytes, ends, *index as usize) == value) {
            return *index;
        }
        let index = ends.len() as u32;
        bytes.extend_from_slice(value);
        ends.push(bytes.len());
        table.insert_unique(hash, index, |index| hasher.hash_one(entry(bytes, ends, *index as usize)));
        index
    }

    /// The value of that number.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> &[u8] {
        entry(&self.bytes, &self.ends, index as usize)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all values together.
    pub(crate) fn value_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn memory_size(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + self.table.allocation_size()
    }
}

#[inline]
fn entry<'a>(bytes: &'a [u8], ends: &[usize], index: usize) -> &'a [u8] {
    let start = if index == 0 { 0 } else { ends[index - 1] };
    &bytes[start..ends[index]]
}

#[cfg(test)]
mod tests {
    use super::{BytesDictionary, FixedDictionary};
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn a_float_is_its_bits() {
        let mut dictionary = FixedDictionary::new();
        let indices: Vec<u32> = [0.0, -0.0, f64::NAN, 0.0, f64::NAN].map(|value| dictionary.intern(value)).into();
        assert_eq!(indices, [0, 1, 2, 0, 2]);
    }

    proptest! {
        #[test]
        fn a_number_leads_back_to_its_value(values in vec(-3000i64..3000, 0..5000)) {
            let mut dictionary = FixedDictionary::new();
            let indices: Vec<u32> = values.iter().map(|value| dictionary.intern(value << 40)).collect();
            for (value, index) in values.iter().zip(&indices) {
                prop_assert_eq!(dictionary.values()[*index as usize], value << 40);
            }
            let mut distinct = values.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(dictionary.values().len(), distinct.len());
        }

        #[test]
        fn bytes_too(values in vec(vec(any::<u8>(), 0..3), 0..2000)) {
            let mut dictionary = BytesDictionary::new();
            let indices: Vec<u32> = values.iter().map(|value| dictionary.intern(value)).collect();
            for (value, index) in values.iter().zip(&indices) {
                prop_assert_eq!(dictionary.get(*index), value.as_slice());
            }
            let mut distinct: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(dictionary.len(), distinct.len());
            prop_assert!(dictionary.value_bytes() <= values.iter().map(Vec::len).sum());
        }
    }
}
