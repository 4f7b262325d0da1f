//! From the texts of a column to values of its type, by Arrow's kernels. Each text is looked at first, because the
//! kernels round, trim and guess, and this program does not.

use crate::column_type::ColumnType;
use crate::text_value::{TextValue, is_finer_than};
use anyhow::Result;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_cast::cast;
use arrow_schema::TimeUnit;
use std::sync::Arc;

/// A column whose texts were understood, but for some.
pub(crate) struct TypedColumn {
    pub(crate) values: ArrayRef,
    /// The rows whose text is no value of the type; they are NULL in `values`.
    pub(crate) bad: Vec<usize>,
    /// Timestamps whose last digits were cut.
    pub(crate) cut: u64,
}

/// Understands the texts of a column.
pub(crate) fn typed_column(texts: &StringArray, kind: &ColumnType, unit: TimeUnit) -> Result<TypedColumn> {
    if matches!(kind, ColumnType::Text | ColumnType::Json) {
        return Ok(TypedColumn { values: Arc::new(texts.clone()), bad: Vec::new(), cut: 0 });
    }
    let is_bad = |row: &usize| texts.is_valid(*row) && !is_value(texts.value(*row), kind);
    let mut bad: Vec<usize> = (0..texts.len()).filter(is_bad).collect();
    let good: ArrayRef = if bad.is_empty() { Arc::new(texts.clone()) } else { Arc::new(without(texts, &bad)) };
    let values = cast(&good, &kind.arrow_type(unit))?;
    if values.null_count() != good.null_count() {
        bad.extend((0..good.len()).filter(|row| good.is_valid(*row) && values.is_null(*row)));
        bad.sort_unstable();
    }
    let digits = if unit == TimeUnit::Millisecond { 3 } else { 6 };
    let cut = match kind {
        ColumnType::Timestamp { .. } => texts.iter().flatten().filter(|text| is_finer_than(digits, text)).count(),
        _ => 0,
    };
    let cut = cut as u64;
    Ok(TypedColumn { values, bad, cut })
}

fn without(texts: &StringArray, bad: &[usize]) -> StringArray {
    let mut bad = bad.iter().peekable();
    let kept = |(row, text)| if bad.next_if_eq(&&row).is_some() { None } else { text };
    texts.iter().enumerate().map(kept).collect()
}

/// Whether a text is a value of a type that somebody has chosen, who may know that a code is a number.
fn is_value(text: &str, kind: &ColumnType) -> bool {
    match kind {
        ColumnType::Boolean => ["true", "false", "t", "f", "1", "0"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        ColumnType::Int | ColumnType::Bigint => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        ColumnType::Decimal { precision, scale } => fits_decimal(text, usize::from(*precision), usize::from(*scale)),
        // "inf" and "NaN" are doubles too.
        ColumnType::Float | ColumnType::Double => text.parse::<f64>().is_ok(),
        ColumnType::Date => TextValue::of(text) == TextValue::Date,
        ColumnType::Timestamp { utc: false } => {
            matches!(TextValue::of(text), TextValue::Date | TextValue::Timestamp { utc: false })
        }
        ColumnType::Timestamp { utc: true } => {
            matches!(TextValue::of(text), TextValue::Date | TextValue::Timestamp { .. })
        }
        ColumnType::Text | ColumnType::Json => true,
        // No text becomes one of these.
        ColumnType::Binary | ColumnType::Array(_) | ColumnType::Row(_) => false,
    }
}

fn fits_decimal(text: &str, precision: usize, scale: usize) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let some = !whole.is_empty() && (!fraction.is_empty() || !unsigned.contains('.'));
    let fits =
        whole.trim_start_matches('0').len() <= precision - scale && fraction.trim_end_matches('0').len() <= scale;
    some && digits(whole) && digits(fraction) && fits
}

#[cfg(test)]
mod tests {
    use super::typed_column;
    use crate::column_type::ColumnType;
    use crate::inference::SeenTexts;
    use arrow_array::{Array, StringArray};
    use arrow_cast::display::array_value_to_string;
    use arrow_schema::TimeUnit;
    use proptest::prelude::{Strategy, prop_assert_eq, proptest};

    fn shown(texts: &[&str], kind: &str) -> (Vec<String>, Vec<usize>) {
        let texts: StringArray = texts.iter().copied().map(Some).collect();
        let typed = typed_column(&texts, &ColumnType::parse(kind).unwrap(), TimeUnit::Millisecond).unwrap();
        let shown = |row| array_value_to_string(&typed.values, row).unwrap();
        ((0..texts.len()).map(shown).collect(), typed.bad)
    }

    #[test]
    fn a_chosen_type_takes_its_values_and_no_others() {
        for (kind, text, expected) in [
            ("bigint", "007", Some("7")),
            ("bigint", "+5", Some("5")),
            ("bigint", " 5", None),
            ("bigint", "5.0", None),
            ("bigint", "9223372036854775808", None),
            ("int", "2147483648", None),
            ("decimal(4,2)", "12.3", Some("12.30")),
            ("decimal(4,2)", "012.300", Some("12.30")),
            ("decimal(4,2)", "1.234", None),
            ("decimal(4,2)", "123", None),
            ("decimal(4,2)", "1e1", None),
            ("decimal(4,2)", "1.", None),
            ("decimal(38,0)", "99999999999999999999999999999999999999", Some("99999999999999999999999999999999999999")),
            ("decimal(1,1)", "-0.9", Some("-0.9")),
            ("double", "1e3", Some("1000.0")),
            ("double", "one", None),
            ("boolean", "T", Some("true")),
            ("boolean", "0", Some("false")),
            ("boolean", "2", None),
            ("date", "2026-02-28", Some("2026-02-28")),
            ("date", "28.02.2026", None),
            ("timestamp", "2026-02-28", Some("2026-02-28T00:00:00")),
            ("timestamp", "2026-02-28 01:02:03.45678", Some("2026-02-28T01:02:03.456")),
            ("timestamp", "1969-12-31 23:59:59.9999", Some("1969-12-31T23:59:59.999")),
            ("timestamp", "2026-02-28 01:02:03Z", None),
            ("timestamptz", "2026-02-28 01:02:03+02:00", Some("2026-02-27T23:02:03Z")),
            ("timestamptz", "2026-02-28 01:02:03-08", Some("2026-02-28T09:02:03Z")),
            ("timestamptz", "2026-02-28 01:02:03", Some("2026-02-28T01:02:03Z")),
            ("varchar", " x ", Some(" x ")),
        ] {
            let (values, bad) = shown(&[text], kind);
            assert_eq!(
                (bad.is_empty(), values[0].as_str()),
                (expected.is_some(), expected.unwrap_or_default()),
                "{kind} {text}"
            );
        }
    }

    #[test]
    fn bad_rows_are_named_and_the_others_stay() {
        let (values, bad) = shown(&["1", "x", "3", "9223372036854775808"], "bigint");
        assert_eq!((values, bad), (["1", "", "3", ""].map(str::to_owned).to_vec(), vec![1, 3]));
    }

    fn plain(text: &str) -> String {
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        if text == "-0" { "0".to_owned() } else { text.to_owned() }
    }

    proptest! {
        #[test]
        fn decimals_come_back_as_they_were(
            texts in proptest::collection::vec("-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,20})?".prop_map(|text| text), 1..20),
        ) {
            let mut seen = SeenTexts::default();
            texts.iter().for_each(|text| seen.take(text));
            let array: StringArray = texts.iter().map(Some).collect();
            let typed = typed_column(&array, &seen.column_type(), TimeUnit::Millisecond).unwrap();
            prop_assert_eq!(&typed.bad, &Vec::<usize>::new());
            for (row, text) in texts.iter().enumerate() {
                prop_assert_eq!(plain(&array_value_to_string(&typed.values, row).unwrap()), plain(text));
            }
        }
    }
}
