//! How money and rates are held: as integers of a fixed number of decimals.

use project_parquet::Logical;
use project_postgres::value::{Decimal, NumericError};
use std::fmt;

/// The shape of a decimal column of at most 18 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    precision: u8,
    scale: u8,
}

/// Amounts of money: DECIMAL(18,2).
pub const MONEY: Digits = Digits { precision: 18, scale: 2 };
/// Rates: DECIMAL(18,8).
pub const RATE: Digits = Digits { precision: 18, scale: 8 };

impl Digits {
    /// DECIMAL(precision,scale), of at most 18 digits.
    pub const fn new(precision: u8, scale: u8) -> Self {
        Self { precision, scale }
    }

    /// The Parquet type.
    pub const fn logical(self) -> Logical {
        Logical::Decimal { precision: self.precision, scale: self.scale }
    }

    /// The value in units of the last digit, when nothing has to be rounded.
    ///
    /// # Errors
    /// [`NumericError`] that says which digits have no place.
    pub fn exact(self, value: Decimal) -> Result<i64, NumericError> {
        value.exact(self.precision, self.scale)
    }

    /// The value in units of the last digit, rounded half away from zero, or nothing when it does not fit.
    pub fn round(self, value: Decimal) -> Option<i64> {
        value.round(self.precision, self.scale)
    }

    /// The exact product, rounded once, or nothing when it does not fit.
    pub fn round_product(self, value: Decimal, factor: Decimal) -> Option<i64> {
        value.round_product(factor, self.precision, self.scale)
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DECIMAL({},{})", self.precision, self.scale)
    }
}
