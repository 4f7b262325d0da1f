//! Dates and timestamps: integers since 2000-01-01, with the extreme ones standing for the infinities.

use diesel::deserialize::FromSqlRow;
use thiserror::Error;

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
/// Milliseconds from 1970-01-01 to 2000-01-01.
const EPOCH_MILLIS: i64 = EPOCH_DAYS as i64 * 86_400_000;

/// Why a date or a timestamp has no place on the time line.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum TimestampError {
    /// The value is `infinity` or `-infinity`.
    #[error("is infinite, which a Parquet date or timestamp cannot hold")]
    Infinite,
    /// The value is beyond what the target can hold.
    #[error("lies outside the years that a Parquet date or timestamp can hold")]
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
            micros => Ok(micros.div_euclid(1000) + EPOCH_MILLIS),
        }
    }
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
            days => days.checked_add(EPOCH_DAYS).ok_or(TimestampError::OutOfRange),
        }
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
        // The last timestamp that Postgres knows, 294276-12-31 23:59:59.999999.
        assert_eq!(Timestamp(9_223_371_331_199_999_999).to_millis(), Ok(9_224_318_015_999_999));
    }
}
