//! The type of a column, from all of its values.

use crate::column_type::{ColumnType, LONGEST_DECIMAL};
use crate::text_value::{TextValue, double_is_exact};
use arrow_array::StringArray;

/// What the values seen so far have been.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenTexts {
    values: bool,
    boolean: bool,
    integer: bool,
    decimal: bool,
    exponent: bool,
    date: bool,
    local: bool,
    utc: bool,
    text: bool,
    whole: u32,
    fraction: u32,
    /// A number that a double would change.
    no_double: bool,
}

impl SeenTexts {
    /// Takes the values of a column.
    pub(crate) fn take_all(&mut self, column: &StringArray) {
        for value in column.iter().flatten() {
            if self.text {
                return;
            }
            self.take(value);
        }
    }

    /// Takes one value.
    pub(crate) fn take(&mut self, value: &str) {
        self.values = true;
        match TextValue::of(value) {
            TextValue::Boolean => self.boolean = true,
            TextValue::Integer { digits } => {
                self.integer = true;
                self.whole = self.whole.max(digits);
                self.no_double |= digits > 15 && !double_is_exact(value);
            }
            TextValue::Decimal(digits) => {
                self.decimal = true;
                self.whole = self.whole.max(digits.whole);
                self.fraction = self.fraction.max(digits.fraction);
                self.no_double |= digits.whole + digits.fraction > 15 && !double_is_exact(value);
            }
            TextValue::Exponent { exact } => {
                self.exponent = true;
                self.no_double |= !exact;
            }
            TextValue::Date => self.date = true,
            TextValue::Timestamp { utc: false } => self.local = true,
            TextValue::Timestamp { utc: true } => self.utc = true,
            TextValue::Text => self.text = true,
        }
    }

    /// The narrowest type that gives every value back. Money is never a double: only an exponent makes one.
    pub(crate) fn column_type(&self) -> ColumnType {
        let number = self.integer || self.decimal || self.exponent;
        let kinds = [self.boolean, number, self.date, self.local, self.utc, self.text];
        if kinds.iter().filter(|seen| **seen).count() != 1 || self.text {
            return ColumnType::Text;
        }
        if number {
            return self.number();
        }
        match (self.boolean, self.date) {
            (true, _) => ColumnType::Boolean,
            (_, true) => ColumnType::Date,
            _ => ColumnType::Timestamp { utc: self.utc },
        }
    }

    fn number(&self) -> ColumnType {
        if self.exponent {
            return if self.no_double { ColumnType::Text } else { ColumnType::Double };
        }
        if !self.decimal {
            return ColumnType::Bigint;
        }
        let digits = self.whole.saturating_add(self.fraction);
        match (u8::try_from(digits), u8::try_from(self.fraction)) {
            (Ok(precision), Ok(scale)) if digits <= LONGEST_DECIMAL => ColumnType::Decimal { precision, scale },
            _ => ColumnType::Text,
        }
    }

    /// Whether there was any value.
    pub(crate) fn any(&self) -> bool {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::SeenTexts;

    fn kind(values: &[&str]) -> String {
        let mut seen = SeenTexts::default();
        values.iter().for_each(|value| seen.take(value));
        seen.column_type().to_string()
    }

    #[test]
    fn one_value_decides() {
        for (values, expected) in [
            (vec![], "varchar"),
            (vec!["true", "false"], "boolean"),
            (vec!["true", "1"], "varchar"),
            (vec!["1", "-20"], "bigint"),
            (vec!["1", "007"], "varchar"),
            (vec!["1", "2.50"], "decimal(3,2)"),
            (vec!["100", "0.001"], "decimal(6,3)"),
            (vec!["1", "99999999999999999999"], "decimal(20,0)"),
            (vec!["12345678901234567890123456789", "0.1234567890"], "varchar"),
            (vec!["1", "2.5", "1e-3"], "double"),
            (vec!["9007199254740993", "1e-3"], "varchar"),
            (vec!["2026-01-01"], "date"),
            (vec!["2026-01-01", "2026-01-01 00:00:00"], "varchar"),
            (vec!["2026-01-01 00:00:00"], "timestamp"),
            (vec!["2026-01-01 00:00:00Z", "2026-01-01 00:00:00+02"], "timestamptz"),
            (vec!["2026-01-01 00:00:00Z", "2026-01-01 00:00:00"], "varchar"),
            (vec!["2026-01-01", "5"], "varchar"),
        ] {
            assert_eq!(kind(&values), expected, "{values:?}");
        }
    }
}
