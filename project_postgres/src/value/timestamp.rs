//! Dates and timestamps: integers since 2000-01-01, with the extreme ones standing for the infinities.

use diesel::deserialize::FromSqlRow;
use std::ops::Range;
use thiserror::Error;

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
/// Milliseconds from 1970-01-01 to 2000-01-01.
const EPOCH_MILLIS: i64 = EPOCH_DAYS as i64 * 86_400_000;

/// The years 1 to 9999, which every reader of Parquet agrees on; beyond them some fail on the whole file.
const YEARS_DAYS: Range<i32> = -719_162..2_932_897;
const YEARS_MILLIS: Range<i64> = YEARS_DAYS.start as i64 * 86_400_000..YEARS_DAYS.end as i64 * 86_400_000;
const YEARS_MICROS: Range<i64> = YEARS_MILLIS.start * 1000..YEARS_MILLIS.end * 1000;

/// Why a date or a timestamp has no place on the time line.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum TimestampError {
    /// The value is `infinity` or `-infinity`.
    #[error("is infinite, which a Parquet date or timestamp cannot hold")]
    Infinite,
    /// The value lies before the year 1 or after the year 9999.
    #[error("lies outside the years 1 to 9999, which is what readers of Parquet agree on")]
    OutOfRange,
    /// The bytes are not a date or a timestamp.
    #[error("is not a well-formed date or timestamp")]
    Malformed,
}

/// A `timestamp` (wall clock) or `timestamptz` (UTC): microseconds since 2000-01-01 as Postgres sends them.
///
/// Infinite values are kept until somebody asks for a number, so that reading never panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromSqlRow)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Decodes the eight bytes of the binary form.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, TimestampError> {
        let bytes: [u8; 8] = bytes.try_into().map_err(|_| TimestampError::Malformed)?;
        Ok(Self(i64::from_be_bytes(bytes)))
    }

    /// Milliseconds since 1970-01-01; microseconds are cut off towards the past, as `date_trunc` does.
    #[inline]
    pub fn to_millis(self) -> Result<i64, TimestampError> {
        match self.0 {
            i64::MIN | i64::MAX => Err(TimestampError::Infinite),
            micros => {
                let millis = micros.div_euclid(1000) + EPOCH_MILLIS;
                if YEARS_MILLIS.contains(&millis) { Ok(millis) } else { Err(TimestampError::OutOfRange) }
            }
        }
    }

    /// Microseconds since 1970-01-01.
    #[inline]
    pub fn to_micros(self) -> Result<i64, TimestampError> {
        match self.0 {
            i64::MIN | i64::MAX => Err(TimestampError::Infinite),
            micros => {
                let micros = micros.checked_add(EPOCH_MILLIS * 1000).filter(|micros| YEARS_MICROS.contains(micros));
                micros.ok_or(TimestampError::OutOfRange)
            }
        }
    }

    /// For a value that has no place on the time line: the first or the last millisecond of the years 1 to 9999.
    pub fn nearest_millis(self) -> i64 {
        nearest(self.0 < 0, &YEARS_MILLIS)
    }

    /// The same in microseconds.
    pub fn nearest_micros(self) -> i64 {
        nearest(self.0 < 0, &YEARS_MICROS)
    }
}

fn nearest(before: bool, years: &Range<i64>) -> i64 {
    if before { years.start } else { years.end - 1 }
}

/// A `date`: days since 2000-01-01 as Postgres sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromSqlRow)]
pub struct Date(i32);

impl Date {
    /// Decodes the four bytes of the binary form.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, TimestampError> {
        let bytes: [u8; 4] = bytes.try_into().map_err(|_| TimestampError::Malformed)?;
        Ok(Self(i32::from_be_bytes(bytes)))
    }

    /// Days since 1970-01-01.
    #[inline]
    pub fn to_days(self) -> Result<i32, TimestampError> {
        match self.0 {
            i32::MIN | i32::MAX => Err(TimestampError::Infinite),
            days => {
                let days = days.checked_add(EPOCH_DAYS).filter(|days| YEARS_DAYS.contains(days));
                days.ok_or(TimestampError::OutOfRange)
            }
        }
    }

    /// For a date that has no place on the time line: the first or the last day of the years 1 to 9999.
    pub fn nearest_days(self) -> i32 {
        if self.0 < 0 { YEARS_DAYS.start } else { YEARS_DAYS.end - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, Timestamp, TimestampError};

    #[test]
    fn epochs_and_infinities() {
        assert_eq!(Timestamp(0).to_millis(), Ok(946_684_800_000));
        assert_eq!(Timestamp(i64::MAX).to_millis(), Err(TimestampError::Infinite));
        assert_eq!(Timestamp(i64::MIN).to_millis(), Err(TimestampError::Infinite));
        assert_eq!(Date(0).to_days(), Ok(10_957));
        assert_eq!(Date(i32::MIN).to_days(), Err(TimestampError::Infinite));
        assert_eq!(Date(i32::MAX - 1).to_days(), Err(TimestampError::OutOfRange));
        assert_eq!(Timestamp::from_wire(&[0; 7]), Err(TimestampError::Malformed));
    }

    #[test]
    fn microseconds_are_cut_towards_the_past() {
        assert_eq!(Timestamp(-1).to_millis(), Ok(946_684_799_999));
        assert_eq!(Timestamp(999).to_millis(), Ok(946_684_800_000));
    }

    #[test]
    fn only_the_years_1_to_9999_are_kept() {
        // Days from 2000-01-01: 0001-01-01 is -730,119 and 9999-12-31 is 2,921,939.
        for (days, kept) in [(-730_119, true), (-730_120, false), (2_921_939, true), (2_921_940, false)] {
            assert_eq!(Date(days).to_days().is_ok(), kept, "{days}");
            assert_eq!(Timestamp(i64::from(days) * 86_400_000_000).to_millis().is_ok(), kept, "{days}");
        }
        // The last timestamp that Postgres knows, 294276-12-31 23:59:59.999999.
        assert_eq!(Timestamp(9_223_371_331_199_999_999).to_millis(), Err(TimestampError::OutOfRange));
    }
}
