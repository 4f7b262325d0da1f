//! What happens to a value that has no exact place in its Parquet type: an explicit choice, counted when it is used.

use crate::catalog::Relation;
use crate::source_error::SourceError;
use crate::sql::TableName;
use crate::table_plan::TablePlan;
use std::collections::BTreeMap;

/// A policy that can be named on the command line or in a file.
pub trait NamedPolicy: Sized + Copy + 'static {
    /// The names, in the order of the documentation.
    const NAMES: &'static [(&'static str, Self)];
}

macro_rules! policy {
    ($(#[$about:meta])* $name:ident { $($(#[$variant_about:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_about])* $variant,)*
        }

        impl NamedPolicy for $name {
            const NAMES: &'static [(&'static str, Self)] = &[$(($text, Self::$variant)),*];
        }
    };
}

policy! {
    /// Infinite dates and timestamps, and those outside of the years 1 to 9999.
    Infinity {
        /// Becomes the first or the last moment of the years 1 to 9999.
        Clamp = "clamp",
        /// Becomes NULL.
        Null = "null",
        /// Fails the table.
        Error = "error",
    }
}

policy! {
    /// NaN and infinities of `numeric`; floats keep theirs.
    NotANumber {
        /// Becomes NULL.
        Null = "null",
        /// Fails the table.
        Error = "error",
        /// The whole column is text.
        Text = "string",
    }
}

/// `numeric` without precision and scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnyNumeric {
    /// A value that does not fit exactly fails the table.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// The whole column is text.
    Text,
}

impl AnyNumeric {
    /// DECIMAL(38,18).
    pub const DECIMAL: Self = Self::Decimal { precision: 38, scale: 18 };

    /// A decimal, if there can be such a one.
    pub fn decimal(precision: u8, scale: u8) -> Option<Self> {
        ((1..=38).contains(&precision) && scale <= precision).then_some(Self::Decimal { precision, scale })
    }
}

impl NamedPolicy for AnyNumeric {
    const NAMES: &'static [(&'static str, Self)] = &[("decimal", Self::DECIMAL), ("string", Self::Text)];
}

policy! {
    /// Text that is not UTF-8, from a database with the encoding SQL_ASCII.
    InvalidText {
        /// Fails the table.
        Error = "error",
        /// Each invalid sequence becomes U+FFFD.
        Replace = "replace",
        /// The whole column is bytes.
        Binary = "binary",
    }
}

policy! {
    /// The unit of timestamps.
    TimestampUnit {
        /// What Athena reads without doubt; microseconds are cut.
        Millis = "millis",
        /// As exact as Postgres.
        Micros = "micros",
    }
}

policy! {
    /// Arrays of several dimensions, or whose subscripts do not begin at 1: a LIST has neither.
    Arrays {
        /// Fails the table.
        Error = "error",
        /// The elements in their order, one list.
        Flatten = "flatten",
        /// The whole column is text.
        Text = "string",
    }
}

/// The policies of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Policies {
    /// Dates and timestamps.
    pub infinity: Infinity,
    /// `numeric`.
    pub not_a_number: NotANumber,
    /// `numeric` without precision and scale.
    pub any_numeric: AnyNumeric,
    /// Text.
    pub invalid_text: InvalidText,
    /// Timestamps.
    pub timestamp_unit: TimestampUnit,
    /// Arrays.
    pub arrays: Arrays,
}

impl Policies {
    /// For registered tasks: whatever is not exact is an error.
    pub const EXACT: Self = Self {
        infinity: Infinity::Error,
        not_a_number: NotANumber::Error,
        any_numeric: AnyNumeric::DECIMAL,
        invalid_text: InvalidText::Error,
        timestamp_unit: TimestampUnit::Millis,
        arrays: Arrays::Error,
    };

    /// For tables named on the command line: what cannot be kept is changed, counted and told.
    pub const TOLERANT: Self = Self { infinity: Infinity::Clamp, not_a_number: NotANumber::Null, ..Self::EXACT };

    /// With whatever `overrides` says instead.
    #[must_use]
    pub fn with(self, overrides: &PolicyOverrides) -> Self {
        Self {
            infinity: overrides.infinity.unwrap_or(self.infinity),
            not_a_number: overrides.not_a_number.unwrap_or(self.not_a_number),
            any_numeric: overrides.any_numeric.unwrap_or(self.any_numeric),
            invalid_text: overrides.invalid_text.unwrap_or(self.invalid_text),
            timestamp_unit: overrides.timestamp_unit.unwrap_or(self.timestamp_unit),
            arrays: overrides.arrays.unwrap_or(self.arrays),
        }
    }
}

/// The policies that somebody has chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyOverrides {
    /// Dates and timestamps.
    pub infinity: Option<Infinity>,
    /// `numeric`.
    pub not_a_number: Option<NotANumber>,
    /// `numeric` without precision and scale.
    pub any_numeric: Option<AnyNumeric>,
    /// Text.
    pub invalid_text: Option<InvalidText>,
    /// Timestamps.
    pub timestamp_unit: Option<TimestampUnit>,
    /// Arrays.
    pub arrays: Option<Arrays>,
}

/// What somebody wants of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// Only these columns; all of them when there is no list.
    pub columns: Option<Vec<String>>,
    /// Not these columns.
    pub exclude: Vec<String>,
    /// Only the rows for which this SQL condition is true.
    pub filter: Option<String>,
    /// For all columns of the table.
    pub policies: PolicyOverrides,
    /// For single columns, which win over those of the table.
    pub column_policies: BTreeMap<String, PolicyOverrides>,
}

impl TableOptions {
    /// The policies of a column.
    pub fn policies_of(&self, column: &str, default: Policies) -> Policies {
        let of_table = default.with(&self.policies);
        self.column_policies.get(column).map_or(of_table, |overrides| of_table.with(overrides))
    }
}

/// Everything that somebody has chosen for a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// For all tables.
    pub policies: PolicyOverrides,
    /// For single tables, which win over those of all.
    pub tables: BTreeMap<TableName, TableOptions>,
}

impl Choices {
    /// How a relation is read, `default` being the policies where nobody has chosen any.
    ///
    /// # Errors
    /// As [`TablePlan::of`].
    pub fn plan(&self, relation: &Relation, default: Policies) -> Result<TablePlan, SourceError> {
        let nothing = TableOptions::default();
        let options = self.tables.get(&relation.name).unwrap_or(&nothing);
        TablePlan::of(relation, options, default.with(&self.policies))
    }
}
