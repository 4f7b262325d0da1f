//! What a person should know of a record before it is written: its columns, their types, and what is not exact.

use crate::lake_columns::{annotation, field_type};
use crate::logical::record_schema;
use crate::typed::Record;
use anyhow::Result;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::record::RecordWriter;
use parquet::schema::types::Type;

/// A column that a typed task writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordColumn {
    /// Its name in the lake.
    pub name: String,
    /// The Parquet type, as the documentation writes it.
    pub parquet_type: String,
    /// The type that Athena shows.
    pub athena_type: String,
    /// What the column cannot hold exactly; empty when it holds every value as it is.
    pub loss: Option<String>,
}

/// The columns of a record, in the order of its fields.
///
/// # Errors
/// As [`record_schema`].
pub fn record_description<R: Record>() -> Result<Vec<RecordColumn>>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    record_schema::<R>()?.get_fields().iter().map(|field| describe(field)).collect()
}

fn describe(field: &Type) -> Result<RecordColumn> {
    let physical = field.get_physical_type();
    let (parquet_type, loss) = match annotation(field) {
        None => (physical.to_string(), None),
        Some(LogicalType::String) => ("STRING".to_owned(), None),
        Some(LogicalType::Date) => ("DATE".to_owned(), None),
        Some(LogicalType::Decimal(decimal)) => (
            format!("DECIMAL({},{})", decimal.precision, decimal.scale),
            Some(format!("rounded to {} decimals", decimal.scale)),
        ),
        Some(LogicalType::Timestamp(timestamp)) => {
            let (unit, loss) = match timestamp.unit {
                TimeUnit::MILLIS => ("MILLIS", Some("microseconds are cut".to_owned())),
                TimeUnit::MICROS => ("MICROS", None),
                TimeUnit::NANOS => ("NANOS", None),
            };
            let zone = if timestamp.is_adjusted_to_u_t_c { ",UTC" } else { "" };
            (format!("TIMESTAMP({unit}{zone})"), loss)
        }
        Some(LogicalType::Integer(int)) if int.is_signed => (format!("{physical} INT({})", int.bit_width), None),
        Some(other) => (format!("{physical} {other:?}"), None),
    };
    let athena_type = athena_type(&field_type(field, field.name())?).to_owned();
    Ok(RecordColumn { name: field.name().to_owned(), parquet_type, athena_type, loss })
}

/// Queries call some types by other names than the catalog.
fn athena_type(glue_type: &str) -> &str {
    match glue_type {
        "int" => "integer",
        "float" => "real",
        "string" => "varchar",
        "binary" => "varbinary",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::describe;
    use parquet::schema::parser::parse_message_type;

    #[test]
    fn every_type_of_a_record_has_its_names() {
        for (field, parquet, athena, loss) in [
            ("required boolean a", "BOOLEAN", "boolean", None),
            ("optional int32 a", "INT32", "integer", None),
            ("optional int32 a (INTEGER(16,true))", "INT32 INT(16)", "smallint", None),
            ("optional int64 a", "INT64", "bigint", None),
            ("optional float a", "FLOAT", "real", None),
            ("optional double a", "DOUBLE", "double", None),
            ("optional int64 a (DECIMAL(18,2))", "DECIMAL(18,2)", "decimal(18,2)", Some("rounded to 2 decimals")),
            ("optional int32 a (DATE)", "DATE", "date", None),
            (
                "optional int64 a (TIMESTAMP(MILLIS,false))",
                "TIMESTAMP(MILLIS)",
                "timestamp",
                Some("microseconds are cut"),
            ),
            ("optional int64 a (TIMESTAMP(MICROS,true))", "TIMESTAMP(MICROS,UTC)", "timestamp", None),
            ("optional binary a (STRING)", "STRING", "varchar", None),
            ("optional binary a", "BYTE_ARRAY", "varbinary", None),
        ] {
            let schema = parse_message_type(&format!("message schema {{ {field}; }}")).unwrap();
            let found = describe(&schema.get_fields()[0]).unwrap();
            let found = (found.parquet_type.as_str(), found.athena_type.as_str(), found.loss.as_deref());
            assert_eq!(found, (parquet, athena, loss), "{field}");
        }
    }
}
