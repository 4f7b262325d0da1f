//! How each column of a table is read and what it becomes: the type table.

use crate::catalog::{CatalogColumn, Relation};
use crate::lake_name::lake_name;
use crate::policy::{AnyNumeric, Infinity, InvalidText, NotANumber, Policies, TableOptions, TimestampUnit};
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sql::{Predicate, TableName, quote_identifier};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// A table that can be read: its columns with their expressions, decoders and Parquet types.
#[derive(Debug, Clone)]
pub struct TablePlan {
    /// Schema and name.
    pub table: TableName,
    /// The columns, in the catalog's order.
    pub columns: Vec<ColumnPlan>,
    /// Which rows are read at all.
    pub filter: Option<Predicate>,
}

/// One column on its way from Postgres to Parquet.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// Name in Postgres.
    pub name: String,
    /// Name in the lake.
    pub lake_name: String,
    /// The type as Postgres writes it.
    pub type_name: String,
    /// How its bytes are read.
    pub decoding: Decoding,
    /// Declared NOT NULL.
    pub not_null: bool,
    /// What happens to values that have no exact place.
    pub policies: Policies,
}

/// How the binary form of a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoding {
    /// One byte.
    Bool,
    /// Two bytes.
    Int16,
    /// Four bytes.
    Int32,
    /// Eight bytes.
    Int64,
    /// Four bytes without sign; Parquet readers agree on signed integers only, so it becomes eight.
    Oid,
    /// Four bytes.
    Float32,
    /// Eight bytes.
    Float64,
    /// A numeric whose type fixes precision and scale.
    Decimal {
        /// Digits in all, at most 38.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// Days.
    Date,
    /// Microseconds, kept as they are or as milliseconds.
    Timestamp {
        /// `timestamptz`, an instant.
        utc: bool,
        /// What it is kept in.
        unit: TimestampUnit,
    },
    /// Sixteen bytes, kept as text.
    Uuid,
    /// UTF-8.
    Text,
    /// A version byte, then UTF-8.
    Jsonb,
    /// Bytes as they are.
    Bytes,
    /// Any other type, through its cast to text.
    CastToText,
}

impl Decoding {
    /// A numeric without precision and scale.
    pub(crate) const ANY_NUMERIC: Self = Self::Decimal { precision: 38, scale: 18 };

    /// The type table, by the OIDs of `pg_type.dat`.
    fn of(column: &CatalogColumn, policies: Policies) -> Self {
        let text = match policies.invalid_text {
            InvalidText::Binary => Self::Bytes,
            InvalidText::Error | InvalidText::Replace => Self::Text,
        };
        let unit = policies.timestamp_unit;
        match column.type_oid {
            16 => Self::Bool,
            21 => Self::Int16,
            23 => Self::Int32,
            20 => Self::Int64,
            26 => Self::Oid,
            700 => Self::Float32,
            701 => Self::Float64,
            1700 if policies.not_a_number == NotANumber::Text => Self::CastToText,
            1700 => Self::of_numeric(column.type_modifier, policies.any_numeric),
            1082 => Self::Date,
            1114 => Self::Timestamp { utc: false, unit },
            1184 => Self::Timestamp { utc: true, unit },
            2950 => Self::Uuid,
            // text, varchar, char(n), name, json
            25 | 1043 | 1042 | 19 | 114 => text,
            3802 => Self::Jsonb,
            17 => Self::Bytes,
            _ => Self::CastToText,
        }
    }

    /// `numeric(p,s)` packs both into the modifier; the scale is an 11-bit signed number (postgres, `numeric.c`).
    fn of_numeric(modifier: i32, without: AnyNumeric) -> Self {
        let Some(packed) = modifier.checked_sub(4).filter(|packed| *packed >= 0) else {
            return match without {
                AnyNumeric::Decimal => Self::ANY_NUMERIC,
                AnyNumeric::Text => Self::CastToText,
            };
        };
        let (precision, scale) = (packed >> 16 & 0xffff, (packed & 0x7ff ^ 0x400) - 0x400);
        // numeric(5,-2) holds up to seven digits before the point; numeric(3,5) has five after it.
        let (precision, scale) = (precision.max(scale) - scale.min(0), scale.max(0));
        match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale)) => Self::Decimal { precision, scale },
            _ => Self::CastToText,
        }
    }

    /// The Arrow type, which the writer turns into the Parquet type of the same meaning.
    pub(crate) fn arrow_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 | Self::Oid => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            // Up to 18 digits Parquet stores 32 or 64 bits; the narrow Arrow type spares a pass over the values.
            Self::Decimal { precision: precision @ 0..=9, scale } => DataType::Decimal32(precision, scale),
            Self::Decimal { precision: precision @ 10..=18, scale } => DataType::Decimal64(precision, scale),
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::Date => DataType::Date32,
            Self::Timestamp { utc, unit } => {
                let unit = match unit {
                    TimestampUnit::Millis => TimeUnit::Millisecond,
                    TimestampUnit::Micros => TimeUnit::Microsecond,
                };
                DataType::Timestamp(unit, utc.then(|| "UTC".into()))
            }
            Self::Uuid | Self::Text | Self::Jsonb | Self::CastToText => DataType::Utf8,
            Self::Bytes => DataType::Binary,
        }
    }
}

impl ColumnPlan {
    /// Whether NULL may stand in the lake: also where a policy puts it.
    fn is_nullable(&self) -> bool {
        let made_null = match self.decoding {
            Decoding::Date | Decoding::Timestamp { .. } => self.policies.infinity == Infinity::Null,
            Decoding::Decimal { .. } => self.policies.not_a_number == NotANumber::Null,
            _ => false,
        };
        !self.not_null || made_null
    }

    /// What the policies have done to the values that they changed.
    pub(crate) fn change(&self) -> &'static str {
        match (self.decoding, self.policies.infinity) {
            (Decoding::Date | Decoding::Timestamp { .. }, Infinity::Clamp) => "infinite or out of range, clamped",
            (Decoding::Date | Decoding::Timestamp { .. }, _) => "infinite or out of range, now NULL",
            (Decoding::Decimal { .. }, _) => "NaN or infinite, now NULL",
            _ => "not valid UTF-8, replaced",
        }
    }

    fn as_text(&self) -> String {
        format!("{}::pg_catalog.text", quote_identifier(&self.name))
    }
}

impl TablePlan {
    /// Plans the columns of a relation that `options` leave, `default` being the policies of those it says nothing of.
    ///
    /// # Errors
    /// When no column is left, when a column that is named does not exist, or when two of them get the same name in the
    /// lake.
    pub fn of(relation: &Relation, options: &TableOptions, default: Policies) -> Result<Self, SourceError> {
        let table = &relation.name;
        let refuse = |message: String| Err(SourceError::new(SourceErrorKind::Missing, message));
        let named = options.columns.iter().flatten().chain(&options.exclude).chain(options.column_policies.keys());
        for name in named {
            if !relation.columns.iter().any(|column| column.name == *name) {
                return refuse(format!(
                    "{table} has no column \"{name}\", which the file of --config names; correct it there"
                ));
            }
        }
        let wanted = |column: &&CatalogColumn| {
            options.columns.as_ref().is_none_or(|columns| columns.contains(&column.name))
                && !options.exclude.contains(&column.name)
        };
        let wanted: Vec<&CatalogColumn> = relation.columns.iter().filter(wanted).collect();
        if wanted.is_empty() {
            return refuse(format!(
                "{table} has no columns to read, and a Parquet file needs at least one; leave it out"
            ));
        }
        let mut seen: HashMap<String, &str> = HashMap::new();
        for column in &wanted {
            if let Some(other) = seen.insert(lake_name(&column.name), &column.name) {
                let name = &column.name;
                return refuse(format!(
                    "{table}: the columns \"{other}\" and \"{name}\" would have the same name in the lake; rename one, or exclude one in the file of --config"
                ));
            }
        }
        let columns = wanted.into_iter().map(|column| {
            let policies = options.policies_of(&column.name, default);
            ColumnPlan {
                name: column.name.clone(),
                lake_name: lake_name(&column.name),
                type_name: column.type_name.clone(),
                decoding: Decoding::of(column, policies),
                not_null: column.not_null,
                policies,
            }
        });
        let filter = options.filter.clone().map(Predicate::Written);
        Ok(Self { table: table.clone(), columns: columns.collect(), filter })
    }

    /// The Arrow schema of the files.
    pub fn schema(&self) -> SchemaRef {
        let field =
            |column: &ColumnPlan| Field::new(&column.lake_name, column.decoding.arrow_type(), column.is_nullable());
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// What stands between SELECT and FROM.
    pub(crate) fn expressions(&self) -> Vec<String> {
        let expression = |column: &ColumnPlan| match column.decoding {
            Decoding::CastToText => column.as_text(),
            _ => quote_identifier(&column.name),
        };
        self.columns.iter().map(expression).collect()
    }

    /// The columns whose values have no natural bound, each with an expression whose length is about what is read.
    pub(crate) fn unbounded_columns(&self) -> Vec<(String, String)> {
        let unbounded = self.columns.iter().filter_map(|column| match column.decoding {
            Decoding::Text | Decoding::Jsonb | Decoding::CastToText => Some((column.name.clone(), column.as_text())),
            Decoding::Bytes => Some((column.name.clone(), quote_identifier(&column.name))),
            _ => None,
        });
        unbounded.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Decoding;
    use crate::policy::AnyNumeric;

    #[test]
    fn numeric_modifiers() {
        let modifier = |precision: i32, scale: i32| (precision << 16 | scale & 0x7ff) + 4;
        for (precision, scale, expected) in [
            (15, 2, Some((15, 2))),
            (38, 38, Some((38, 38))),
            (5, -2, Some((7, 0))),
            (3, 5, Some((5, 5))),
            (39, 0, None),
        ] {
            let expected =
                expected.map_or(Decoding::CastToText, |(precision, scale)| Decoding::Decimal { precision, scale });
            let found = Decoding::of_numeric(modifier(precision, scale), AnyNumeric::Text);
            assert_eq!(found, expected, "numeric({precision},{scale})");
        }
        assert_eq!(Decoding::of_numeric(-1, AnyNumeric::Text), Decoding::CastToText);
        assert_eq!(Decoding::of_numeric(-1, AnyNumeric::Decimal), Decoding::ANY_NUMERIC);
    }
}
