//! Parquet's RLE / bit-packing hybrid (Encodings.md), for dictionary indices and definition levels.
//!
//! A run is a varint header and its values. Header `count << 1`: one value, repeated, in whole bytes. Header
//! `groups << 1 | 1`: groups of eight values, `width` bits each, the lowest bit first.

use std::iter::repeat_n;

const GROUP: usize = 8;
/// A repetition pays when its packed form would have at least this many bits more than a header and a value.
const LEAST_RUN_BITS: usize = 64;

/// The bits that hold every value up to `largest`.
pub(crate) fn bit_width(largest: u32) -> u32 {
    u32::BITS - largest.leading_zeros()
}

/// Appends the values; each fits into `width` bits.
pub(crate) fn encode(values: &[u32], width: u32, out: &mut Vec<u8>) {
    out.reserve(values.len() * width as usize / 8 + 16);
    // Values from here on wait to be packed.
    let mut waiting = 0;
    let mut at = 0;
    while at + GROUP <= values.len() {
        let run = run_length(&values[at..]);
        if run >= GROUP && run * width.max(1) as usize >= LEAST_RUN_BITS {
            pack(&values[waiting..at], width, out);
            repeat(values[at], run, width, out);
            at += run;
            waiting = at;
        } else {
            at += GROUP;
        }
    }
    pack(&values[waiting..], width, out);
}

/// Appends definition levels of a column that may be NULL: 1 for a value, 0 for NULL. `bits` has a bit for each of
/// `rows`, the lowest first.
pub(crate) fn encode_validity(bits: &[u8], rows: usize, nulls: usize, out: &mut Vec<u8>) {
    if nulls == 0 || nulls == rows {
        return repeat(u32::from(nulls == 0), rows, 1, out);
    }
    let groups = rows.div_ceil(GROUP);
    varint(groups << 1 | 1, out);
    out.extend_from_slice(&bits[..groups]);
}

/// How often the first value stands at the beginning, or a number below [`GROUP`] when that is less.
#[inline]
fn run_length(values: &[u32]) -> usize {
    let first = values[0];
    if values[..GROUP].iter().any(|value| *value != first) {
        return 1;
    }
    values.iter().position(|value| *value != first).unwrap_or(values.len())
}

fn repeat(value: u32, count: usize, width: u32, out: &mut Vec<u8>) {
    varint(count << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

fn pack(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(GROUP);
    varint(groups << 1 | 1, out);
    let mut bits: u64 = 0;
    let mut count = 0;
    let padding = groups * GROUP - values.len();
    for value in values.iter().copied().chain(repeat_n(0, padding)) {
        bits |= u64::from(value) << count;
        count += width;
        if count >= 32 {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= 32;
            count -= 32;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..count.div_ceil(8) as usize]);
}

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::{bit_width, encode, encode_validity};
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, prop_assert_eq, proptest};

    /// Reads runs back, as Encodings.md describes them.
    fn decode(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let mut header = 0usize;
            for shift in (0..).step_by(7) {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= usize::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let (value, rest) = bytes.split_at(width.div_ceil(8) as usize);
                let value = value.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
                values.extend(std::iter::repeat_n(value, header >> 1));
                bytes = rest;
            } else {
                let (packed, rest) = bytes.split_at((header >> 1) * width as usize);
                let bit = |at: usize| u32::from(packed[at / 8] >> (at % 8) & 1);
                let value = |index: usize| {
                    (0..width as usize).fold(0, |value, at| value | bit(index * width as usize + at) << at)
                };
                values.extend((0..(header >> 1) * 8).map(value));
                bytes = rest;
            }
        }
        assert!(bytes.is_empty() && values.len() < count + 8);
        values.truncate(count);
        values
    }

    #[test]
    fn a_constant_is_one_run() {
        let mut out = Vec::new();
        encode(&[5; 1000], 3, &mut out);
        assert_eq!(out, [0xd0, 0x0f, 5]);
        let mut out = Vec::new();
        encode(&[0; 1000], 0, &mut out);
        assert_eq!(out, [0xd0, 0x0f]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            width in 1u32..=32,
            runs in vec((0u32..=u32::MAX, 1usize..40), 0..60),
        ) {
            let mask = u32::MAX >> (32 - width);
            let values: Vec<u32> =
                runs.iter().flat_map(|(value, count)| std::iter::repeat_n(value & mask, *count)).collect();
            let mut out = Vec::new();
            encode(&values, width, &mut out);
            prop_assert_eq!(decode(&out, width, values.len()), values);
        }

        #[test]
        fn validity_is_one_bit_for_each_row(valid in vec(proptest::bool::ANY, 1..100).prop_filter("", |v| !v.is_empty())) {
            let mut bits = vec![0u8; valid.len().div_ceil(8)];
            valid.iter().enumerate().for_each(|(at, valid)| bits[at / 8] |= u8::from(*valid) << (at % 8));
            let nulls = valid.iter().filter(|valid| !**valid).count();
            let mut out = Vec::new();
            encode_validity(&bits, valid.len(), nulls, &mut out);
            let levels: Vec<u32> = valid.iter().map(|valid| u32::from(*valid)).collect();
            prop_assert_eq!(decode(&out, 1, valid.len()), levels);
        }

        #[test]
        fn the_width_holds_the_largest(value in 0u32..=u32::MAX) {
            let width = bit_width(value);
            prop_assert_eq!(u64::from(value) >> width, 0);
            prop_assert_eq!(value == 0, width == 0);
        }
    }
}
