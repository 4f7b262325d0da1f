//! A value of a row that has no place in its record.

use std::error::Error;
use std::fmt;

/// Which column it is, and why; never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPlace {
    column: &'static str,
    why: String,
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of column \"{}\" {}", self.column, self.why)
    }
}

impl Error for NoPlace {}

/// The value of a column, or what is wrong with it and where.
///
/// # Errors
/// That of the value, with the column's name.
pub fn at<T, E: fmt::Display>(column: &'static str, value: Result<T, E>) -> Result<T, NoPlace> {
    value.map_err(|why| NoPlace { column, why: why.to_string() })
}

#[cfg(test)]
mod tests {
    use super::at;
    use crate::money::MONEY;
    use project_postgres::value::Decimal;

    #[test]
    fn the_column_is_named_and_the_value_is_not() {
        let refused = at("price", MONEY.exact(Decimal::new(1234, 3))).unwrap_err().to_string();
        assert_eq!(refused, "a value of column \"price\" has more digits after the point than the decimal can hold");
    }
}
