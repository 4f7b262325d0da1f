//! A value of a file becomes one of the column's type, exactly or not at all.

use crate::cell::{Cell, Reader};
use crate::column_type::{ColumnType, NumericLimits};
use crate::digits::Digits;
use arrow::datatypes::TimeUnit;
use std::ops::Range;

/// A value as the server counts: days and microseconds since 2000-01-01.
pub(crate) enum Fitted<'a> {
    Null,
    Bool(bool),
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Oid(u32),
    Float4(f32),
    Float8(f64),
    Numeric(Digits),
    Date(i32),
    Timestamp(i64),
    Time(i64),
    Text(&'a str),
    Jsonb(&'a str),
    Bytea(&'a [u8]),
    Uuid([u8; 16]),
    List(Reader<'a>, Range<usize>),
}

/// Why a value has no place in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    OutOfRange,
    TooManyDecimals,
    FinerThanMicroseconds,
    NotExactInFloat,
    NotAUuid,
    /// A pair of types that the matrix does not have; it is refused before the first value.
    WrongType,
}

impl Misfit {
    /// What is wrong with `a value`.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::OutOfRange => "is out of the range of the column's type",
            Self::TooManyDecimals => "has more decimals than the column keeps; round it in a query",
            Self::FinerThanMicroseconds => {
                "is finer than a microsecond, which Postgres does not keep; round it in a query"
            }
            Self::NotExactInFloat => "is not exact in the column's floating-point type",
            Self::NotAUuid => "is not a UUID",
            Self::WrongType => "is of a type that the column does not take",
        }
    }
}

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 4713-11-24 BC and 5874897-12-31, the ends of the server's calendar, in its days.
const DATES: std::ops::RangeInclusive<i32> = -2_451_545..=2_145_031_948;
/// 4713-11-24 BC and the end of 294276, in its microseconds.
const TIMESTAMPS: Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// The value for a column of this type.
pub(crate) fn fit<'a>(cell: Cell<'a>, to: &ColumnType) -> Result<Fitted<'a>, Misfit> {
    Ok(match (cell, to) {
        (Cell::Null, _) => Fitted::Null,
        (Cell::Bool(value), ColumnType::Bool) => Fitted::Bool(value),
        (Cell::Integer(value), _) => integer(value, to)?,
        (Cell::Float(value), ColumnType::Float4) => Fitted::Float4(narrow(value)?),
        (Cell::Float(value), ColumnType::Float8) => Fitted::Float8(value),
        (Cell::Decimal(value, scale), ColumnType::Numeric(limits)) => {
            numeric(Digits::of(value, u32::try_from(scale).map_err(|_| Misfit::WrongType)?), *limits)?
        }
        (Cell::WideDecimal(value, scale), ColumnType::Numeric(limits)) => {
            numeric(Digits::of_wide(value, u32::try_from(scale).map_err(|_| Misfit::WrongType)?), *limits)?
        }
        (Cell::Decimal(value, scale), _) => integer(whole(value, scale)?, to)?,
        (Cell::WideDecimal(value, scale), _) => integer(whole(value.to_i128().ok_or(Misfit::OutOfRange)?, scale)?, to)?,
        (Cell::Date(days), ColumnType::Date) => Fitted::Date(date(days)?),
        (Cell::Timestamp(value, unit), ColumnType::Timestamp) => Fitted::Timestamp(timestamp(value, unit)?),
        (Cell::Time(value, unit), ColumnType::Time) => {
            let micros = micros(value, unit)?;
            Fitted::Time(Some(micros).filter(|micros| (0..=MICROS_PER_DAY).contains(micros)).ok_or(Misfit::OutOfRange)?)
        }
        (Cell::Text(text), ColumnType::Text | ColumnType::ByText) => Fitted::Text(text),
        (Cell::Text(text), ColumnType::Jsonb) => Fitted::Jsonb(text),
        (Cell::Text(text), ColumnType::Uuid) => Fitted::Uuid(uuid(text).ok_or(Misfit::NotAUuid)?),
        // The other types by their text form, which the server reads: only in its text format.
        (Cell::Text(text), to) if !matches!(to, ColumnType::Bytea | ColumnType::Array { .. }) => Fitted::Text(text),
        (Cell::Bytes(bytes), ColumnType::Bytea) => Fitted::Bytea(bytes),
        (Cell::Bytes(bytes), ColumnType::Uuid) => Fitted::Uuid(bytes.try_into().map_err(|_| Misfit::NotAUuid)?),
        (Cell::List(elements, range), ColumnType::Array { .. }) => Fitted::List(elements, range),
        _ => return Err(Misfit::WrongType),
    })
}

fn integer<'a>(value: i128, to: &ColumnType) -> Result<Fitted<'a>, Misfit> {
    let range = Misfit::OutOfRange;
    Ok(match to {
        ColumnType::Int2 => Fitted::Int2(value.try_into().map_err(|_| range)?),
        ColumnType::Int4 => Fitted::Int4(value.try_into().map_err(|_| range)?),
        ColumnType::Int8 => Fitted::Int8(value.try_into().map_err(|_| range)?),
        ColumnType::Oid => Fitted::Oid(value.try_into().map_err(|_| range)?),
        ColumnType::Float4 | ColumnType::Float8 => {
            let float = value as f64;
            // Every integer that a file holds is far below the point where the cast would saturate.
            let exact = Some(float).filter(|float| *float as i128 == value).ok_or(Misfit::NotExactInFloat)?;
            if matches!(to, ColumnType::Float4) { Fitted::Float4(narrow(exact)?) } else { Fitted::Float8(exact) }
        }
        ColumnType::Numeric(limits) => numeric(Digits::of(value, 0), *limits)?,
        _ => return Err(Misfit::WrongType),
    })
}

fn narrow(value: f64) -> Result<f32, Misfit> {
    let narrow = value as f32;
    let exact = value.is_nan() || f64::from(narrow).to_bits() == value.to_bits();
    exact.then_some(narrow).ok_or(Misfit::NotExactInFloat)
}

fn whole(value: i128, scale: i8) -> Result<i128, Misfit> {
    let divisor = u32::try_from(scale).ok().and_then(|scale| 10i128.checked_pow(scale)).ok_or(Misfit::WrongType)?;
    if value % divisor == 0 { Ok(value / divisor) } else { Err(Misfit::TooManyDecimals) }
}

/// The server would round.
fn numeric<'a>(digits: Digits, limits: Option<NumericLimits>) -> Result<Fitted<'a>, Misfit> {
    let Some(NumericLimits { precision, scale }) = limits else { return Ok(Fitted::Numeric(digits)) };
    if digits.has_more_decimals_than(scale) {
        return Err(Misfit::TooManyDecimals);
    }
    let before_point = i64::from(precision) - i64::from(scale);
    if i64::from(digits.integer_digits()) > before_point {
        Err(Misfit::OutOfRange)
    } else {
        Ok(Fitted::Numeric(digits))
    }
}

fn date(days: i32) -> Result<i32, Misfit> {
    days.checked_sub(EPOCH_DAYS).filter(|days| DATES.contains(days)).ok_or(Misfit::OutOfRange)
}

fn timestamp(value: i64, unit: TimeUnit) -> Result<i64, Misfit> {
    let since_2000 = micros(value, unit)?.checked_sub(i64::from(EPOCH_DAYS) * MICROS_PER_DAY);
    since_2000.filter(|micros| TIMESTAMPS.contains(micros)).ok_or(Misfit::OutOfRange)
}

fn micros(value: i64, unit: TimeUnit) -> Result<i64, Misfit> {
    match unit {
        TimeUnit::Second => value.checked_mul(1_000_000).ok_or(Misfit::OutOfRange),
        TimeUnit::Millisecond => value.checked_mul(1000).ok_or(Misfit::OutOfRange),
        TimeUnit::Microsecond => Ok(value),
        TimeUnit::Nanosecond if value % 1000 == 0 => Ok(value / 1000),
        TimeUnit::Nanosecond => Err(Misfit::FinerThanMicroseconds),
    }
}

/// 32 hexadecimal digits, with hyphens where the standard has them, or none.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let hyphens_fit = match text.len() {
        36 => [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-'),
        32 => true,
        _ => false,
    };
    let mut digits = text.bytes().filter(|byte| *byte != b'-').map(|byte| char::from(byte).to_digit(16));
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        *byte = u8::try_from(digits.next()?? * 16 + digits.next()??).ok()?;
    }
    (hyphens_fit && digits.next().is_none()).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use super::{Misfit, date, narrow, timestamp, uuid};
    use arrow::datatypes::TimeUnit::{Microsecond, Millisecond, Nanosecond};

    #[test]
    fn moments_are_counted_from_2000_and_never_become_an_infinity() {
        assert_eq!(timestamp(946_684_800_000, Millisecond), Ok(0));
        assert_eq!(timestamp(946_684_800_000_001_000, Nanosecond), Ok(1));
        assert_eq!(timestamp(1, Nanosecond), Err(Misfit::FinerThanMicroseconds));
        for end in [i64::MIN, i64::MIN + 946_684_800_000_000] {
            assert_eq!(timestamp(end, Microsecond), Err(Misfit::OutOfRange), "{end}");
        }
        assert_eq!(
            (date(10_957), date(i32::MIN), date(i32::MAX)),
            (Ok(0), Err(Misfit::OutOfRange), Err(Misfit::OutOfRange))
        );
    }

    #[test]
    fn floats_are_narrowed_only_exactly() {
        assert_eq!(narrow(0.5), Ok(0.5));
        assert_eq!((narrow(0.1), narrow(1e300)), (Err(Misfit::NotExactInFloat), Err(Misfit::NotExactInFloat)));
        assert!(narrow(f64::NAN).is_ok_and(f32::is_nan));
        assert_eq!(narrow(f64::NEG_INFINITY), Ok(f32::NEG_INFINITY));
    }

    #[test]
    fn uuids_in_both_forms() {
        let bytes = Some([0x12; 16]);
        assert_eq!(uuid("12121212-1212-1212-1212-121212121212"), bytes);
        assert_eq!(uuid("12121212121212121212121212121212"), bytes);
        for wrong in [
            "",
            "12121212-1212-1212-1212-12121212121",
            "1212121-21212-1212-1212-121212121212",
            "é2121212121212121212121212121212",
        ] {
            assert_eq!(uuid(wrong), None, "{wrong}");
        }
    }
}
