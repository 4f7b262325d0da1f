//! The distinct values of a column, numbered in the order of their first appearance.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// A dictionary page grows to about this many bytes; a column with more goes on without a dictionary.
pub(crate) const MOST_DICTIONARY_BYTES: usize = 1 << 20;

/// The distinct values of a column.
pub(crate) trait Dictionary {
    /// How many there are.
    fn len(&self) -> usize;
    /// Bytes of all values together, as PLAIN writes them.
    fn plain_bytes(&self) -> usize;
    /// Appends the value of that number, as PLAIN writes it.
    fn put(&self, index: u32, out: &mut Vec<u8>);
    /// Bytes that are held in memory.
    fn memory_size(&self) -> usize;
}

/// A value of fixed size; two are the same when their bits are.
pub(crate) trait Bits: Copy {
    fn bits(self) -> u128;
    /// Appends them as PLAIN writes them, in `width` bytes.
    fn put(self, width: usize, out: &mut Vec<u8>);
}

macro_rules! bits {
    ($($type:ty, $value:ident, $width:pat => $bits:expr, $plain:expr;)*) => {$(
        impl Bits for $type {
            #[inline]
            fn bits(self) -> u128 {
                let $value = self;
                $bits as u128
            }

            #[inline]
            fn put(self, $width: usize, out: &mut Vec<u8>) {
                let $value = self;
                out.extend_from_slice(&$plain);
            }
        }
    )*};
}

bits! {
    i32, value, _ => value as u64, value.to_le_bytes();
    i64, value, _ => value as u64, value.to_le_bytes();
    f32, value, _ => value.to_bits(), value.to_le_bytes();
    f64, value, _ => value.to_bits(), value.to_le_bytes();
    // A decimal beyond 18 digits: the lowest bytes, most significant first.
    i128, value, width => value, value.to_be_bytes()[16 - width..];
}

const EMPTY: u32 = u32::MAX;
const LEAST_SLOTS: usize = 256;

/// Distinct values of fixed size. Open addressing; at most half of the slots are taken.
pub(crate) struct FixedDictionary<T> {
    /// Bytes of a value in the file.
    width: usize,
    values: Vec<T>,
    slots: Vec<u32>,
}

impl<T: Bits> FixedDictionary<T> {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, values: Vec::new(), slots: vec![EMPTY; LEAST_SLOTS] }
    }

    /// The number of the value.
    #[inline]
    pub(crate) fn intern(&mut self, value: T) -> u32 {
        let mut slot = self.slot(value);
        loop {
            match self.slots[slot] {
                EMPTY => return self.insert(value, slot),
                index if self.values[index as usize].bits() == value.bits() => return index,
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// The high bits of a product depend on all bits of the value (Knuth's multiplicative hashing).
    #[inline]
    fn slot(&self, value: T) -> usize {
        let bits = ((value.bits() >> 64) as u64).rotate_left(32) ^ value.bits() as u64;
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

impl<T: Bits> Dictionary for FixedDictionary<T> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn plain_bytes(&self) -> usize {
        self.values.len() * self.width
    }

    fn put(&self, index: u32, out: &mut Vec<u8>) {
        self.values[index as usize].put(self.width, out);
    }

    fn memory_size(&self) -> usize {
        self.values.capacity() * size_of::<T>() + self.slots.capacity() * size_of::<u32>()
    }
}

/// Appends a string of bytes as PLAIN writes it, its length first.
#[inline]
pub(crate) fn put_bytes(value: &[u8], out: &mut Vec<u8>) {
    // Postgres has no value of 4 GB.
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}

/// Distinct strings of bytes.
#[derive(Default)]
pub(crate) struct BytesDictionary {
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl BytesDictionary {
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
}

impl Dictionary for BytesDictionary {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn plain_bytes(&self) -> usize {
        self.bytes.len() + self.len() * size_of::<u32>()
    }

    fn put(&self, index: u32, out: &mut Vec<u8>) {
        put_bytes(self.get(index), out);
    }

    fn memory_size(&self) -> usize {
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
    use super::{BytesDictionary, Dictionary, FixedDictionary};
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn a_float_is_its_bits() {
        let mut dictionary = FixedDictionary::new(8);
        let indices: Vec<u32> = [0.0, -0.0, f64::NAN, 0.0, f64::NAN].map(|value| dictionary.intern(value)).into();
        assert_eq!(indices, [0, 1, 2, 0, 2]);
    }

    proptest! {
        #[test]
        fn a_number_leads_back_to_its_value(values in vec(-3000i64..3000, 0..5000)) {
            let mut dictionary = FixedDictionary::new(8);
            let indices: Vec<u32> = values.iter().map(|value| dictionary.intern(value << 40)).collect();
            for (value, index) in values.iter().zip(&indices) {
                prop_assert_eq!(dictionary.values[*index as usize], value << 40);
            }
            let mut distinct = values.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(dictionary.len(), distinct.len());
        }

        #[test]
        fn bytes_too(values in vec(vec(any::<u8>(), 0..3), 0..2000)) {
            let mut dictionary = BytesDictionary::default();
            let indices: Vec<u32> = values.iter().map(|value| dictionary.intern(value)).collect();
            for (value, index) in values.iter().zip(&indices) {
                prop_assert_eq!(dictionary.get(*index), value.as_slice());
            }
            let mut distinct: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(dictionary.len(), distinct.len());
            prop_assert!(dictionary.bytes.len() <= values.iter().map(Vec::len).sum());
        }
    }
}
