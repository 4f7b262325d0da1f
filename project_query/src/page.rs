//! The rows of a result as text, a page at a time.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Fractions of a second are printed when there are any, as many digits as they need.
const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.f";
const TIMESTAMP_WITH_ZONE: &str = "%Y-%m-%d %H:%M:%S%.f%:z";
const TIME: &str = "%H:%M:%S%.f";

/// What a column holds, as far as printing it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Integers, decimals and floating-point numbers.
    Number,
    /// `true` and `false`.
    Boolean,
    /// Everything else.
    Text,
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name that the query gives it.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// Some rows of a result. The first page of a result may have no rows; every page knows all columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The columns, in the order of the values of a row.
    pub columns: Arc<[Column]>,
    /// The values, exactly as stored; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

pub(crate) fn columns(schema: &Schema) -> Arc<[Column]> {
    let columns =
        schema.fields().iter().map(|field| Column { name: field.name().clone(), kind: kind(field.data_type()) });
    columns.collect()
}

fn kind(data_type: &DataType) -> ColumnKind {
    match data_type {
        DataType::Boolean => ColumnKind::Boolean,
        DataType::Dictionary(_, values) => kind(values),
        numeric if numeric.is_numeric() => ColumnKind::Number,
        _ => ColumnKind::Text,
    }
}

pub(crate) fn rows(batch: &RecordBatch) -> Result<Vec<Vec<Option<String>>>, ArrowError> {
    let options = FormatOptions::new()
        .with_display_error(false)
        .with_timestamp_format(Some(TIMESTAMP))
        .with_timestamp_tz_format(Some(TIMESTAMP_WITH_ZONE))
        .with_datetime_format(Some(TIMESTAMP))
        .with_time_format(Some(TIME));
    let columns = batch
        .columns()
        .iter()
        // A dictionary or a column of type NULL has nulls that its own bitmap does not show.
        .map(|column| Ok((column.logical_nulls(), ArrayFormatter::try_new(column, &options)?)))
        .collect::<Result<Vec<_>, ArrowError>>()?;
    let row = |at: usize| {
        let values = columns.iter().map(|(nulls, formatter)| {
            let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
            (!is_null).then(|| formatter.value(at).try_to_string()).transpose()
        });
        values.collect::<Result<Vec<_>, ArrowError>>()
    };
    (0..batch.num_rows()).map(row).collect()
}
