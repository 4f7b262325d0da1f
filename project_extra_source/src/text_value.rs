//! What a text can be besides text: the narrowest type that gives the same value back.

use arrow_array::types::Date32Type;
use arrow_cast::parse::{Parser, string_to_datetime};
use chrono::{Datelike, Utc};

/// The class of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextValue {
    Boolean,
    /// Fits 64 bits.
    Integer {
        digits: u32,
    },
    /// Plain digits, with or without a point.
    Decimal(Digits),
    /// With an exponent, or whatever else only a double can hold.
    Exponent {
        exact: bool,
    },
    Date,
    Timestamp {
        utc: bool,
    },
    Text,
}

/// Digits before and after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digits {
    pub(crate) whole: u32,
    pub(crate) fraction: u32,
}

/// A double gives so many digits back, whichever they are.
const DIGITS_OF_A_DOUBLE: usize = 15;

impl TextValue {
    /// Zeros before the number and a plus sign belong to codes, not to numbers; spaces to texts.
    pub(crate) fn of(text: &str) -> Self {
        match text.as_bytes() {
            b"true" | b"false" => Self::Boolean,
            [b'-', rest @ ..] => number(text, rest).unwrap_or(Self::Text),
            [b'0'..=b'9', ..] => point_in_time(text).or_else(|| number(text, text.as_bytes())).unwrap_or(Self::Text),
            _ => Self::Text,
        }
    }
}

fn leading_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn number(text: &str, unsigned: &[u8]) -> Option<TextValue> {
    let whole = leading_digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
        return None;
    }
    let (point, fraction) = match &unsigned[whole..] {
        [b'.', rest @ ..] => (1, leading_digits(rest)),
        _ => (0, 0),
    };
    if point == 1 && fraction == 0 {
        return None;
    }
    let digits = Digits { whole: u32::try_from(whole).ok()?, fraction: u32::try_from(fraction).ok()? };
    match &unsigned[whole + point + fraction..] {
        [] if fraction == 0 && fits_bigint(text) => Some(TextValue::Integer { digits: digits.whole }),
        [] => Some(TextValue::Decimal(digits)),
        [b'e' | b'E', exponent @ ..] => {
            let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
            let valid = !exponent.is_empty() && leading_digits(exponent) == exponent.len();
            valid.then(|| TextValue::Exponent { exact: double_is_exact(text) })
        }
        _ => None,
    }
}

fn fits_bigint(text: &str) -> bool {
    text.len() <= 18 || text.parse::<i64>().is_ok()
}

/// Whether the number comes back from a double as it was.
pub(crate) fn double_is_exact(text: &str) -> bool {
    let Ok(double) = text.parse::<f64>() else { return false };
    let significant = |text: &str| {
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        digits.trim_start_matches('0').trim_end_matches('0').to_owned()
    };
    let digits = significant(text);
    if double == 0.0 || !double.is_normal() {
        // Nothing but zeros is zero; all else is too small or too large for a double.
        return digits.is_empty();
    }
    digits.len() <= DIGITS_OF_A_DOUBLE || significant(&format!("{double:e}")) == digits
}

fn point_in_time(text: &str) -> Option<TextValue> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || !matches(&bytes[..10], b"0000-00-00") {
        return None;
    }
    if bytes.len() == 10 {
        return (bytes[..4] != *b"0000" && Date32Type::parse(text).is_some()).then_some(TextValue::Date);
    }
    let utc = zone_of(bytes)?;
    let instant = string_to_datetime(&Utc, text).ok()?.naive_utc();
    (1..=9999).contains(&instant.year()).then_some(TextValue::Timestamp { utc })
}

/// The shape of a timestamp: whether it has a zone.
fn zone_of(bytes: &[u8]) -> Option<bool> {
    let time = bytes.get(11..19)?;
    let separated = matches!(bytes[10], b'T' | b' ');
    // A leap second has no place.
    if !separated || !matches(time, b"00:00:00") || bytes[17] > b'5' {
        return None;
    }
    let rest = match &bytes[19..] {
        [b'.', rest @ ..] => match leading_digits(rest) {
            digits @ 1..=9 => &rest[digits..],
            _ => return None,
        },
        rest => rest,
    };
    match rest {
        [] => Some(false),
        b"Z" => Some(true),
        [b'+' | b'-', offset @ ..] => {
            (matches(offset, b"00:00") || matches(offset, b"0000") || matches(offset, b"00")).then_some(true)
        }
        _ => None,
    }
}

/// Whether there are digits where the pattern has zeros, and else the same.
fn matches(bytes: &[u8], pattern: &[u8]) -> bool {
    let same = |(byte, wanted): (&u8, &u8)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
    bytes.len() == pattern.len() && bytes.iter().zip(pattern).all(same)
}

/// Whether a timestamp says more of a second than so many digits.
pub(crate) fn is_finer_than(digits: usize, text: &str) -> bool {
    let fraction = text.get(19..).and_then(|rest| rest.strip_prefix('.'));
    fraction.is_some_and(|rest| rest.bytes().take_while(u8::is_ascii_digit).skip(digits).any(|digit| digit != b'0'))
}

#[cfg(test)]
mod tests {
    use super::{Digits, TextValue, is_finer_than};

    #[test]
    fn the_narrowest_type_that_gives_the_value_back() {
        let decimal = |whole, fraction| TextValue::Decimal(Digits { whole, fraction });
        for (text, expected) in [
            ("true", TextValue::Boolean),
            ("True", TextValue::Text),
            ("t", TextValue::Text),
            ("0", TextValue::Integer { digits: 1 }),
            ("-17", TextValue::Integer { digits: 2 }),
            ("007", TextValue::Text),
            ("+7", TextValue::Text),
            (" 7", TextValue::Text),
            ("7 ", TextValue::Text),
            ("1_000", TextValue::Text),
            ("-", TextValue::Text),
            ("9223372036854775807", TextValue::Integer { digits: 19 }),
            ("-9223372036854775808", TextValue::Integer { digits: 19 }),
            ("9223372036854775808", decimal(19, 0)),
            ("12.50", decimal(2, 2)),
            ("-0.05", decimal(1, 2)),
            ("00.5", TextValue::Text),
            (".5", TextValue::Text),
            ("5.", TextValue::Text),
            ("1.2.3", TextValue::Text),
            ("1e5", TextValue::Exponent { exact: true }),
            ("-1.5E-07", TextValue::Exponent { exact: true }),
            ("3.0000000000000004e-01", TextValue::Exponent { exact: true }),
            ("3.0000000000000005e-01", TextValue::Exponent { exact: false }),
            ("1.23456789012345678901e5", TextValue::Exponent { exact: false }),
            ("1e999", TextValue::Exponent { exact: false }),
            ("0e999", TextValue::Exponent { exact: true }),
            ("1e", TextValue::Text),
            ("NaN", TextValue::Text),
            ("2026-02-28", TextValue::Date),
            ("2026-02-30", TextValue::Text),
            ("0000-00-00", TextValue::Text),
            ("0000-01-01", TextValue::Text),
            ("20260228", TextValue::Integer { digits: 8 }),
            ("2026-02-28T10:00:00", TextValue::Timestamp { utc: false }),
            ("2026-02-28 10:00:00.123456", TextValue::Timestamp { utc: false }),
            ("2026-02-28 10:00:00Z", TextValue::Timestamp { utc: true }),
            ("2026-02-28 10:00:00.5+05:30", TextValue::Timestamp { utc: true }),
            ("2026-02-28 10:00:00+00", TextValue::Timestamp { utc: true }),
            ("2026-02-28 10:00:00-0800", TextValue::Timestamp { utc: true }),
            ("2026-02-28 24:00:00", TextValue::Text),
            ("2026-02-28 10:00:60", TextValue::Text),
            ("2026-02-28 10:00", TextValue::Text),
            ("2026-02-28 10:00:00 UTC", TextValue::Text),
            ("10:00:00", TextValue::Text),
            ("1.5.2026", TextValue::Text),
        ] {
            assert_eq!(TextValue::of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_cut_is_seen() {
        assert!(is_finer_than(3, "2026-02-28 10:00:00.1234Z"));
        assert!(!is_finer_than(3, "2026-02-28 10:00:00.123000"));
        assert!(!is_finer_than(3, "2026-02-28 10:00:00"));
        assert!(is_finer_than(6, "2026-02-28 10:00:00.1234567") && !is_finer_than(6, "2026-02-28 10:00:00.123456"));
    }
}
