//! The logical types that `parquet_derive` cannot express, laid over the schema it derives.
//!
//! `parquet_derive` knows neither decimals nor a timestamp without zone. A record therefore holds such a value as
//! the integer that Parquet stores (minor units, milliseconds, days), and names its logical type in
//! [`Record::LOGICAL`](crate::Record::LOGICAL). The derived code writes the integers; only the schema changes.

use crate::typed::Record;
use anyhow::{Context, Result, bail};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::record::RecordWriter;
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;

/// The root name of every schema that we write, so that the same table has the same schema by any path.
pub(crate) const SCHEMA_ROOT: &str = "schema";

/// What the integers of a record's column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logical {
    /// An `i64` of minor units: `amount × 10^scale`. Precision is at most 18.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// An `i64` of milliseconds since 1970-01-01; `utc` is true for an instant, false for a wall clock.
    TimestampMillis {
        /// Whether the value is an instant (`timestamptz`).
        utc: bool,
    },
    /// An `i32` of days since 1970-01-01.
    Date,
}

impl Logical {
    fn physical(self) -> PhysicalType {
        match self {
            Self::Decimal { .. } | Self::TimestampMillis { .. } => PhysicalType::INT64,
            Self::Date => PhysicalType::INT32,
        }
    }

    fn apply(self, name: &str, repetition: Repetition) -> Result<Type> {
        let column = Type::primitive_type_builder(name, self.physical()).with_repetition(repetition);
        let column = match self {
            Self::Decimal { precision, scale } => column
                .with_logical_type(Some(LogicalType::decimal(i32::from(scale), i32::from(precision))))
                .with_precision(i32::from(precision))
                .with_scale(i32::from(scale)),
            Self::TimestampMillis { utc } => {
                column.with_logical_type(Some(LogicalType::timestamp(utc, TimeUnit::MILLIS)))
            }
            Self::Date => column.with_logical_type(Some(LogicalType::Date)),
        };
        Ok(column.build()?)
    }
}

/// The Parquet schema of a record: the derived one, with the logical types of [`Record::LOGICAL`] laid over it.
///
/// # Errors
/// When `LOGICAL` names a column that the record does not have, or one that holds another integer type.
pub fn record_schema<R: Record>() -> Result<TypePtr>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    let derived = <&[R]>::default().schema()?;
    for (name, _) in R::LOGICAL {
        if !derived.get_fields().iter().any(|field| field.name() == *name) {
            bail!("the record has no column \"{name}\" to give a logical type; correct Record::LOGICAL");
        }
    }
    let mut columns = Vec::with_capacity(derived.get_fields().len());
    for field in derived.get_fields() {
        let Some((name, logical)) = R::LOGICAL.iter().find(|(name, _)| *name == field.name()) else {
            columns.push(Arc::clone(field));
            continue;
        };
        if field.get_physical_type() != logical.physical() {
            bail!(
                "column \"{name}\" is {} but {logical:?} is stored as {}",
                field.get_physical_type(),
                logical.physical()
            );
        }
        let column = logical.apply(name, field.get_basic_info().repetition());
        columns.push(Arc::new(column.with_context(|| format!("column \"{name}\" cannot be {logical:?}"))?));
    }
    Ok(Arc::new(Type::group_type_builder(SCHEMA_ROOT).with_fields(columns).build()?))
}

/// The names of a record's columns, in the order of its fields: what a task has to read.
///
/// # Errors
/// As [`record_schema`].
pub fn record_columns<R: Record>() -> Result<Vec<String>>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    Ok(record_schema::<R>()?.get_fields().iter().map(|field| field.name().to_owned()).collect())
}
