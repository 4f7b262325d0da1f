//! NUMERIC on the wire: groups of four decimal digits, most significant first.
//!
//! Layout (postgres, `numeric_send`): `ndigits: i16, weight: i16, sign: u16, dscale: u16`, then `ndigits` groups
//! from 0 to 9999. The value is the sum of `group[i] × 10000^(weight - i)`.

use thiserror::Error;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const POSITIVE_INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Why a NUMERIC has no exact integer at the scale that was asked for.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum NumericError {
    /// The value is NaN.
    #[error("is NaN, which a decimal cannot hold")]
    NaN,
    /// The value is Infinity or -Infinity.
    #[error("is infinite, which a decimal cannot hold")]
    Infinite,
    /// More digits before the point than fit.
    #[error("has more digits than the decimal can hold")]
    TooLarge,
    /// Digits after the point that the scale would cut off.
    #[error("has more digits after the point than the decimal can hold")]
    TooPrecise,
    /// The bytes are not a NUMERIC.
    #[error("is not a well-formed numeric")]
    Malformed,
}

/// A NUMERIC as it lies in a message, its header checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WireNumeric<'a> {
    groups: &'a [u8],
    weight: i32,
    negative: bool,
}

impl<'a> WireNumeric<'a> {
    /// Checks the header; the digit groups are checked when they are read.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, NumericError> {
        let Some((header, groups)) = bytes.split_first_chunk::<8>() else {
            return Err(NumericError::Malformed);
        };
        let [n0, n1, w0, w1, s0, s1, _, _] = *header;
        let negative = match u16::from_be_bytes([s0, s1]) {
            POSITIVE => false,
            NEGATIVE => true,
            NAN => return Err(NumericError::NaN),
            POSITIVE_INFINITY | NEGATIVE_INFINITY => return Err(NumericError::Infinite),
            _ => return Err(NumericError::Malformed),
        };
        if usize::from(u16::from_be_bytes([n0, n1])) * 2 != groups.len() {
            return Err(NumericError::Malformed);
        }
        Ok(Self { groups, weight: i32::from(i16::from_be_bytes([w0, w1])), negative })
    }

    /// The groups with their exponents of ten thousand, without the zeros at either end.
    fn significant(&self) -> Result<(i32, impl DoubleEndedIterator<Item = i128> + Clone + 'a), NumericError> {
        let mut groups = self.groups;
        let mut weight = self.weight;
        while let [0, 0, rest @ ..] = groups {
            groups = rest;
            weight -= 1;
        }
        while let [rest @ .., 0, 0] = groups {
            groups = rest;
        }
        let value = |pair: &[u8]| pair.iter().fold(0i128, |value, byte| value << 8 | i128::from(*byte));
        if groups.chunks_exact(2).any(|pair| value(pair) > 9999) {
            return Err(NumericError::Malformed);
        }
        Ok((weight, groups.chunks_exact(2).map(value)))
    }

    /// The smallest scale at which the value is an integer, and that integer.
    pub(crate) fn minimal(&self) -> Result<(i128, u32), NumericError> {
        let (weight, groups) = self.significant()?;
        let Some(last) = groups.clone().next_back() else {
            return Ok((0, 0));
        };
        // Digits after the point: four for each group below the point, less the zeros that end the last one.
        let count = i32::try_from(groups.clone().count()).map_err(|_| NumericError::TooLarge)?;
        let below = (count - 1 - weight) * 4 - last_zeros(last);
        let scale = u32::try_from(below.max(0)).map_err(|_| NumericError::TooPrecise)?;
        Ok((self.to_scale(scale)?, scale))
    }

    /// The integer `value × 10^scale`, exact.
    pub(crate) fn to_scale(self, scale: u32) -> Result<i128, NumericError> {
        let (weight, groups) = self.significant()?;
        let scale = i32::try_from(scale).map_err(|_| NumericError::TooLarge)?;
        let mut unscaled: i128 = 0;
        for (index, group) in (0i32..).zip(groups) {
            // Decimal exponent of this group once the point has moved `scale` places.
            let exponent = (weight - index) * 4 + scale;
            let contribution = match u32::try_from(exponent) {
                Ok(exponent) => {
                    let power = 10i128.checked_pow(exponent).ok_or(NumericError::TooLarge)?;
                    group.checked_mul(power).ok_or(NumericError::TooLarge)?
                }
                Err(_) if exponent > -4 => {
                    let cut = 10i128.pow(exponent.unsigned_abs());
                    if group % cut != 0 {
                        return Err(NumericError::TooPrecise);
                    }
                    group / cut
                }
                Err(_) if group == 0 => 0,
                Err(_) => return Err(NumericError::TooPrecise),
            };
            unscaled = unscaled.checked_add(contribution).ok_or(NumericError::TooLarge)?;
        }
        Ok(if self.negative { -unscaled } else { unscaled })
    }
}

fn last_zeros(group: i128) -> i32 {
    (1..4).take_while(|zeros| group % 10i128.pow(*zeros) == 0).count() as i32
}

/// The integer `value × 10^scale`, for a column whose type fixes the scale.
///
/// Almost every value of such a column has few digits, so they are summed in 64 bits; the general path takes the
/// rest and every odd case.
pub(crate) fn numeric_to_scale(bytes: &[u8], scale: u32) -> Result<i128, NumericError> {
    match short_numeric(bytes, scale) {
        Some(value) => Ok(i128::from(value)),
        None => WireNumeric::parse(bytes)?.to_scale(scale),
    }
}

/// The smallest scale at which the value is an integer, and that integer.
pub(crate) fn numeric_minimal(bytes: &[u8]) -> Result<(i128, u32), NumericError> {
    match short_minimal(bytes) {
        Some((value, scale)) => Ok((i128::from(value), scale)),
        None => WireNumeric::parse(bytes)?.minimal(),
    }
}

/// By the number of decimals that the server shows, less the zeros at their end.
fn short_minimal(bytes: &[u8]) -> Option<(i64, u32)> {
    let shown = bytes.get(6..8)?;
    let mut scale = u32::from(u16::from_be_bytes([shown[0], shown[1]]));
    let mut value = short_numeric(bytes, scale)?;
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    Some((value, scale))
}

/// A finite value of at most four groups at a scale of at most eight digits, or nothing.
#[inline]
fn short_numeric(bytes: &[u8], scale: u32) -> Option<i64> {
    const POWERS: [i64; 13] = {
        let mut powers = [1i64; 13];
        let mut at = 1;
        while at < powers.len() {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    let (header, groups) = bytes.split_first_chunk::<8>()?;
    let [_, count, w0, w1, s0, s1, _, _] = *header;
    let count = usize::from(count);
    if count > 4 || header[0] != 0 || groups.len() != count * 2 || scale > 8 {
        return None;
    }
    let negative = match u16::from_be_bytes([s0, s1]) {
        POSITIVE => false,
        NEGATIVE => true,
        _ => return None,
    };
    let mut value: i64 = 0;
    for pair in groups.chunks_exact(2) {
        let group = i64::from(u16::from_be_bytes([pair[0], pair[1]]));
        if group > 9999 {
            return None;
        }
        value = value * 10_000 + group;
    }
    // `value` counts units of 10000^(weight - count + 1); move the point by the scale.
    let weight = i32::from(i16::from_be_bytes([w0, w1]));
    let exponent = (weight - count as i32 + 1) * 4 + scale as i32;
    let value = match exponent {
        0 => value,
        1..=12 => value.checked_mul(POWERS[exponent as usize])?,
        -12..=-1 => {
            let cut = POWERS[exponent.unsigned_abs() as usize];
            if value % cut != 0 {
                return None;
            }
            value / cut
        }
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::{NumericError, WireNumeric, numeric_minimal, numeric_to_scale};
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    /// Encodes as `numeric_send` does, from groups.
    pub(crate) fn wire(negative: bool, weight: i16, groups: &[u16]) -> Vec<u8> {
        let sign: u16 = if negative { 0x4000 } else { 0 };
        let mut bytes = Vec::new();
        for word in [groups.len() as u16, weight as u16, sign, 0] {
            bytes.extend(word.to_be_bytes());
        }
        for group in groups {
            bytes.extend(group.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn a_zero_group_in_the_fraction_keeps_its_place() {
        // 1.00000001: a decoder that drops the group of zeros reads 1.0001.
        assert_eq!(numeric_to_scale(&wire(false, 0, &[1, 0, 1]), 8), Ok(100_000_001));
        assert_eq!(WireNumeric::parse(&wire(false, 0, &[1, 0, 1])).unwrap().minimal(), Ok((100_000_001, 8)));
    }

    #[test]
    fn edges() {
        assert_eq!(numeric_to_scale(&wire(false, 0, &[]), 2), Ok(0));
        assert_eq!(numeric_to_scale(&wire(true, 0, &[12, 3400]), 2), Ok(-1234));
        assert_eq!(numeric_to_scale(&wire(false, 2, &[12]), 2), Ok(120_000_000_000));
        assert_eq!(numeric_to_scale(&wire(false, -1, &[50]), 2), Err(NumericError::TooPrecise));
        assert_eq!(numeric_to_scale(&wire(false, -5, &[1]), 20), Ok(1));
        assert_eq!(numeric_to_scale(&wire(false, 9, &[1]), 3), Err(NumericError::TooLarge));
        assert_eq!(numeric_to_scale(&[0, 0, 0, 0, 0xC0, 0, 0, 0], 2), Err(NumericError::NaN));
        assert_eq!(numeric_to_scale(&[0, 0, 0, 0, 0xD0, 0, 0, 0x20], 2), Err(NumericError::Infinite));
        assert_eq!(numeric_to_scale(&wire(false, 0, &[10_000]), 2), Err(NumericError::Malformed));
        assert_eq!(numeric_to_scale(&[0, 1, 0, 0], 2), Err(NumericError::Malformed));
        assert_eq!(numeric_to_scale(&[0, 9, 0, 0, 0, 0, 0, 0, 0, 1], 2), Err(NumericError::Malformed));
    }

    proptest! {
        #[test]
        fn the_short_path_agrees_with_the_long_one(
            negative in any::<bool>(), weight in -4i16..5, groups in vec(0u16..10_000, 0..6), scale in 0u32..10,
        ) {
            let bytes = wire(negative, weight, &groups);
            prop_assert_eq!(numeric_to_scale(&bytes, scale), WireNumeric::parse(&bytes).unwrap().to_scale(scale));
        }

        #[test]
        fn the_short_form_is_the_minimal_one(
            negative in any::<bool>(), weight in -4i16..5, groups in vec(0u16..10_000, 0..6), shown in 0u8..12,
        ) {
            let mut bytes = wire(negative, weight, &groups);
            bytes[7] = shown;
            prop_assert_eq!(numeric_minimal(&bytes), WireNumeric::parse(&bytes).unwrap().minimal());
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in vec(any::<u8>(), 0..64), scale in 0u32..40) {
            let _ = (numeric_to_scale(&bytes, scale), numeric_minimal(&bytes));
            if let Ok(numeric) = WireNumeric::parse(&bytes) {
                let _ = numeric.minimal();
            }
        }
    }
}
