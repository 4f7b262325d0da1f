//! Which Arrow type goes into which Postgres type: only where every value, or every value that is checked, stays what
//! it is.

use crate::column_type::ColumnType;
use arrow::datatypes::{DataType, TimeUnit};

/// Why a column of this type does not go into a column of that one; the end of a sentence with what to do.
pub(crate) fn refusal(from: &DataType, to: &ColumnType) -> Option<&'static str> {
    if takes(from, to) {
        return None;
    }
    Some(match (from, to) {
        (DataType::Struct(_) | DataType::Map(..), _) => {
            "a group or map has no place in one column; write its parts as columns, or as JSON text, in a query"
        }
        (DataType::List(element), ColumnType::Array { .. }) if element.data_type().is_nested() => {
            "lists within lists may have rows of different length, which no array has; flatten them in a query"
        }
        (DataType::Float16 | DataType::Float32 | DataType::Float64, ColumnType::Numeric(_)) => {
            "a binary fraction has no exact decimal; CAST it to decimal(p,s) in a query"
        }
        (DataType::Binary | DataType::FixedSizeBinary(_), _) => {
            "bytes go only into bytea, and 16 of them into uuid; if they are text, CAST them in a query"
        }
        _ => "the types do not match exactly; CAST the column in a query",
    })
}

fn takes(from: &DataType, to: &ColumnType) -> bool {
    use ColumnType::{Array, Bool, Bytea, Date, Float4, Float8, Int2, Int4, Int8, Numeric, Oid, Time, Timestamp, Uuid};
    match from {
        DataType::Null => true,
        DataType::Boolean => matches!(to, Bool),
        integer if integer.is_integer() => matches!(to, Int2 | Int4 | Int8 | Oid | Numeric(_) | Float4 | Float8),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => matches!(to, Float4 | Float8),
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            *scale >= 0 && matches!(to, Numeric(_) | Int2 | Int4 | Int8)
        }
        DataType::Date32 => matches!(to, Date),
        DataType::Timestamp(unit, _) => matches!(to, Timestamp) && *unit != TimeUnit::Second,
        DataType::Time32(TimeUnit::Millisecond) | DataType::Time64(_) => matches!(to, Time),
        // By its text form, which the server reads for every type but those.
        DataType::Utf8 => !matches!(to, Bytea | Array { .. }),
        DataType::Binary => matches!(to, Bytea),
        DataType::FixedSizeBinary(length) => matches!(to, Bytea) || matches!(to, Uuid) && *length == 16,
        DataType::List(element) => match to {
            Array { element: to, .. } => !element.data_type().is_nested() && takes(element.data_type(), to),
            _ => false,
        },
        _ => false,
    }
}

/// Whether the server has to read the text form of the values, because the type has no binary form here.
pub(crate) fn needs_text(from: &DataType, to: &ColumnType) -> bool {
    match (from, to) {
        (DataType::Null, _) => false,
        (DataType::Utf8, ColumnType::Text | ColumnType::Jsonb | ColumnType::Uuid) => false,
        (DataType::Utf8, _) => true,
        (DataType::List(element), ColumnType::Array { element: to, .. }) => needs_text(element.data_type(), to),
        _ => !to.is_binary(),
    }
}

/// As a person calls it.
pub(crate) fn name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "STRING".to_owned(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("DECIMAL({precision},{scale})")
        }
        DataType::Timestamp(_, zone) if zone.is_some() => "TIMESTAMP adjusted to UTC".to_owned(),
        DataType::Timestamp(..) => "TIMESTAMP".to_owned(),
        DataType::List(element) => format!("LIST of {}", name(element.data_type())),
        DataType::Struct(_) => "a group".to_owned(),
        DataType::Map(..) => "a map".to_owned(),
        other => other.to_string().to_uppercase(),
    }
}
