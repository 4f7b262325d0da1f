//! One column of the golden matrix, and what may be done to a value before it is compared.

/// A type and the values that are hard for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoldenColumn {
    /// Name, the same in the lake.
    pub(crate) name: &'static str,
    /// As in `CREATE TABLE`.
    pub(crate) sql_type: &'static str,
    /// What the lake must show, as SQL in which `$` is the column: one of the constants here, which are all the changes
    /// that are allowed, or the same by hand.
    pub(crate) shown: &'static str,
    /// As a person would type them between quotes. NULL comes by itself.
    pub(crate) values: &'static [&'static str],
}

/// Exactly what the server prints for the column.
pub(crate) const AS_PRINTED: &str = "$";
/// A type that the lake holds as text: its cast, which shows more than the plain output in the case of `inet`.
pub(crate) const AS_TEXT: &str = "$::text";
/// The same for the elements of an array.
pub(crate) const ELEMENTS_AS_TEXT: &str = "$::text[]";
/// The default unit of timestamps.
pub(crate) const IN_MILLISECONDS: &str = "date_trunc('milliseconds', $)";
/// `numeric` without precision shows all the digits of DECIMAL(38,18).
pub(crate) const WITH_18_DIGITS: &str = "$::numeric(38,18)";
/// The same in an array.
pub(crate) const ELEMENTS_WITH_18_DIGITS: &str = "$::numeric(38,18)[]";
/// A multirange is a list of ranges, and no reader can tell that from an array of ranges.
pub(crate) const AS_ARRAY_OF_RANGES: &str = "CASE WHEN $ IS NOT NULL THEN ARRAY(SELECT unnest($)) END";

/// A column of the matrix.
pub(crate) const fn column(
    name: &'static str,
    sql_type: &'static str,
    shown: &'static str,
    values: &'static [&'static str],
) -> GoldenColumn {
    GoldenColumn { name, sql_type, shown, values }
}

impl GoldenColumn {
    /// What the lake must show.
    pub(crate) fn expression(&self) -> String {
        self.shown.replace('$', self.name)
    }

    /// The value of a row, as SQL; NULL when there are no more.
    pub(crate) fn literal(&self, row: usize) -> String {
        self.values.get(row).map_or_else(|| "NULL".to_owned(), |value| format!("'{}'", value.replace('\'', "''")))
    }
}
