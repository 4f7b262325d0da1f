//! Exact decimal arithmetic for money: an integer and a scale, rounded only where somebody asks for it.

use super::numeric::{NumericError, numeric_minimal};
use arrow::datatypes::i256;
use diesel::deserialize::FromSqlRow;
use std::fmt;

/// The number `unscaled / 10^scale`, exact, with at most 38 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, FromSqlRow)]
pub struct Decimal {
    unscaled: i128,
    scale: u32,
}

/// The largest power of ten that an [`i256`] holds.
const MAX_POWER: u32 = 76;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { unscaled: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { unscaled: 1, scale: 0 };

    /// `unscaled / 10^scale`.
    pub const fn new(unscaled: i128, scale: u32) -> Self {
        Self { unscaled, scale }
    }

    /// Decodes Postgres's binary NUMERIC, keeping no more decimals than the value needs.
    ///
    /// # Errors
    /// NaN, infinities and values of more than 38 digits have no `Decimal`.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, NumericError> {
        let (unscaled, scale) = numeric_minimal(bytes)?;
        Ok(Self { unscaled, scale })
    }

    /// The exact sum, or nothing when it has too many digits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let lift = |value: Self| value.unscaled.checked_mul(10i128.checked_pow(scale - value.scale)?);
        Some(Self { unscaled: lift(self)?.checked_add(lift(other)?)?, scale })
    }

    /// The integer `self × 10^scale`, rounded half away from zero as Postgres's `round()` does, or nothing when it
    /// needs more than `precision` digits.
    pub fn round(self, precision: u8, scale: u8) -> Option<i64> {
        // Almost every amount has no more decimals than its column, and is short.
        let exact = u32::from(scale)
            .checked_sub(self.scale)
            .and_then(|lift| i64::try_from(self.unscaled).ok()?.checked_mul(10i64.checked_pow(lift)?));
        match exact {
            Some(exact) => fits(exact, precision),
            None => self.round_product(Self::ONE, precision, scale),
        }
    }

    /// The integer `self × 10^scale`, when that has no more than `precision` digits and nothing is rounded.
    ///
    /// # Errors
    /// [`NumericError::TooPrecise`] and [`NumericError::TooLarge`].
    pub fn exact(self, precision: u8, scale: u8) -> Result<i64, NumericError> {
        if self.scale > u32::from(scale) {
            return Err(NumericError::TooPrecise);
        }
        self.round(precision, scale).ok_or(NumericError::TooLarge)
    }

    /// All its digits, without zeros at the end of a fraction.
    pub fn to_text(self) -> String {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let scale = self.scale as usize;
        let digits = format!("{:0>width$}", self.unscaled.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// `round(self × other, scale)` as [`round`](Self::round) gives it: the product is exact before it is rounded.
    pub fn round_product(self, other: Self, precision: u8, scale: u8) -> Option<i64> {
        // Two factors of 38 digits have at most 76, which is what an i256 holds.
        let product = i256::from_i128(self.unscaled).checked_mul(i256::from_i128(other.unscaled))?;
        let have = self.scale + other.scale;
        let want = u32::from(scale);
        let rounded = if have <= want {
            product.checked_mul(power(want - have)?)?
        } else {
            match power(have - want) {
                Some(divisor) => divide_half_away(product, divisor)?,
                // The divisor alone is larger than any product can be: the quotient rounds to nothing.
                None => i256::ZERO,
            }
        };
        fits(i64::try_from(rounded.to_i128()?).ok()?, precision)
    }
}

fn fits(rounded: i64, precision: u8) -> Option<i64> {
    let limit = 10u64.checked_pow(u32::from(precision))?;
    (rounded.unsigned_abs() < limit).then_some(rounded)
}

fn power(exponent: u32) -> Option<i256> {
    (exponent <= MAX_POWER).then(|| i256::from_i128(10).checked_pow(exponent)).flatten()
}

fn divide_half_away(value: i256, divisor: i256) -> Option<i256> {
    let quotient = value.checked_div(divisor)?;
    let rest = value.checked_rem(divisor)?.checked_abs()?;
    // rest >= divisor - rest says the same as 2 × rest >= divisor, and cannot overflow.
    if rest >= divisor.checked_sub(rest)? {
        quotient.checked_add(if value < i256::ZERO { i256::MINUS_ONE } else { i256::ONE })
    } else {
        Some(quotient)
    }
}

/// Shows the size only: a row's value has no place in a message.
impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decimal").field("scale", &self.scale).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, NumericError};
    use proptest::prelude::{prop_assert_eq, proptest};

    #[test]
    fn rounds_half_away_from_zero() {
        for (unscaled, scale, expected) in
            [(1005, 3, 101), (-1005, 3, -101), (10049, 4, 100), (-10051, 4, -101), (5, 3, 1), (-5, 3, -1), (4, 3, 0)]
        {
            assert_eq!(Decimal::new(unscaled, scale).round(18, 2), Some(expected), "{unscaled} at scale {scale}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_nothing() {
        assert_eq!(Decimal::new(999_999_999_999_999_999, 2).round(18, 2), Some(999_999_999_999_999_999));
        assert_eq!(Decimal::new(1_000_000_000_000_000_000, 2).round(18, 2), None);
        assert_eq!(Decimal::new(9_999_999_999_999_999_995, 3).round(18, 2), None);
        assert_eq!(Decimal::new(i128::MAX, 0).round_product(Decimal::new(i128::MAX, 0), 18, 2), None);
        assert_eq!(Decimal::new(1, 200).round(18, 2), Some(0));
    }

    #[test]
    fn nothing_is_rounded_in_silence() {
        assert_eq!(Decimal::new(15, 1).exact(4, 2), Ok(150));
        assert_eq!(Decimal::new(1001, 3).exact(4, 2), Err(NumericError::TooPrecise));
        assert_eq!(Decimal::new(100, 0).exact(4, 2), Err(NumericError::TooLarge));
    }

    #[test]
    fn the_text_has_every_digit() {
        for (unscaled, scale, expected) in [
            (0, 0, "0"),
            (150, 2, "1.50"),
            (-5, 3, "-0.005"),
            (-12345, 3, "-12.345"),
            (10i128.pow(37), 0, &format!("1{}", "0".repeat(37))),
        ] {
            assert_eq!(Decimal::new(unscaled, scale).to_text(), expected);
        }
    }

    #[test]
    fn one_plus_a_rate_is_exact() {
        let rate = Decimal::new(19, 2);
        let factor = Decimal::ONE.checked_add(rate).and_then(|f| Decimal::new(10_000, 2).round_product(f, 18, 2));
        assert_eq!(factor, Some(11_900));
    }

    proptest! {
        #[test]
        fn products_agree_with_integers(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000i64..1_000_000) {
            // Four decimals in the product, two wanted: compare with rounding in i128.
            let exact = i128::from(a) * i128::from(b);
            let away = if exact < 0 { -50 } else { 50 };
            let expected = i64::try_from((exact + away) / 100).ok();
            let product = Decimal::new(a.into(), 2).round_product(Decimal::new(b.into(), 2), 18, 2);
            prop_assert_eq!(product, expected);
        }
    }
}
