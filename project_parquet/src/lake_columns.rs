//! What a finished file's columns are called in the Glue catalog: the one table from Parquet types to Glue types.

use anyhow::{Context, Result, bail};
use parquet::basic::{ConvertedType, IntType, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::Type;
use std::fs::File;
use std::path::Path;

/// Digits of the longest decimal that Glue and Athena know.
const LONGEST_DECIMAL: i32 = 38;

/// A column as the Glue catalog describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeColumn {
    /// Its name, exactly as in the file.
    pub name: String,
    /// Its type in Glue's spelling, such as `decimal(18,2)` or `array<struct<id:int,name:string>>`.
    pub glue_type: String,
}

/// The columns of a finished file, in its order.
///
/// # Errors
/// When the file cannot be read, or has a column that Glue has no type for; the error names both.
pub fn lake_columns(file: &Path) -> Result<Vec<LakeColumn>> {
    let reading = || format!("cannot read the schema of {}", file.display());
    let reader = SerializedFileReader::new(File::open(file).with_context(reading)?).with_context(reading)?;
    let schema = reader.metadata().file_metadata().schema();
    schema
        .get_fields()
        .iter()
        .map(|field| {
            Ok(LakeColumn {
                name: field.name().to_owned(),
                glue_type: field_type(field, field.name()).with_context(reading)?,
            })
        })
        .collect()
}

/// The Glue type of a field; `path` is the dotted name of it, for messages.
pub(crate) fn field_type(field: &Type, path: &str) -> Result<String> {
    // A list without the LIST annotation, which readers disagree about.
    if is_repeated(field) {
        return refuse(field, path);
    }
    match field {
        Type::PrimitiveType { physical_type, .. } => match primitive_type(*physical_type, annotation(field)) {
            Some(glue_type) => Ok(glue_type),
            None => refuse(field, path),
        },
        Type::GroupType { fields, .. } => match (annotation(field), fields.as_slice()) {
            (Some(LogicalType::List), [list]) if is_repeated(list) && list.is_group() => match list.get_fields() {
                [element] => Ok(format!("array<{}>", child_type(element, path)?)),
                _ => refuse(field, path),
            },
            (Some(LogicalType::Map), [entries]) if is_repeated(entries) && entries.is_group() => {
                match entries.get_fields() {
                    [key, value] => Ok(format!("map<{},{}>", child_type(key, path)?, child_type(value, path)?)),
                    _ => refuse(field, path),
                }
            }
            (None, [_, ..]) => struct_type(field, path),
            _ => refuse(field, path),
        },
    }
}

fn child_type(child: &Type, parent: &str) -> Result<String> {
    field_type(child, &format!("{parent}.{}", child.name()))
}

fn struct_type(field: &Type, path: &str) -> Result<String> {
    let mut members = Vec::with_capacity(field.get_fields().len());
    for member in field.get_fields() {
        members.push(format!("{}:{}", member.name(), child_type(member, path)?));
    }
    Ok(format!("struct<{}>", members.join(",")))
}

fn primitive_type(physical: PhysicalType, annotation: Option<LogicalType>) -> Option<String> {
    let signed = |bit_width| LogicalType::Integer(IntType { bit_width, is_signed: true });
    let name = match (physical, annotation) {
        (PhysicalType::BOOLEAN, None) => "boolean",
        (PhysicalType::INT32, Some(annotation)) if annotation == signed(8) => "tinyint",
        (PhysicalType::INT32, Some(annotation)) if annotation == signed(16) => "smallint",
        (PhysicalType::INT32, None) => "int",
        (PhysicalType::INT32, Some(annotation)) if annotation == signed(32) => "int",
        (PhysicalType::INT64, None) => "bigint",
        (PhysicalType::INT64, Some(annotation)) if annotation == signed(64) => "bigint",
        (PhysicalType::FLOAT, None) => "float",
        (PhysicalType::DOUBLE, None) => "double",
        // Not on BYTE_ARRAY, which Arrow's readers refuse.
        (
            PhysicalType::INT32 | PhysicalType::INT64 | PhysicalType::FIXED_LEN_BYTE_ARRAY,
            Some(LogicalType::Decimal(decimal)),
        ) if decimal.precision <= LONGEST_DECIMAL => {
            return Some(format!("decimal({},{})", decimal.precision, decimal.scale));
        }
        (PhysicalType::INT32, Some(LogicalType::Date)) => "date",
        // Athena reads a timestamp in nanoseconds as a bare bigint.
        (PhysicalType::INT64, Some(LogicalType::Timestamp(timestamp))) if timestamp.unit != TimeUnit::NANOS => {
            "timestamp"
        }
        (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)) => "string",
        (PhysicalType::BYTE_ARRAY, None) => "binary",
        _ => return None,
    };
    Some(name.to_owned())
}

fn is_repeated(field: &Type) -> bool {
    let info = field.get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::REPEATED
}

/// The annotation of a field, in its older form too: `parquet_derive` writes no other for a timestamp.
pub(crate) fn annotation(field: &Type) -> Option<LogicalType> {
    let info = field.get_basic_info();
    if let Some(logical) = info.logical_type_ref() {
        return Some(logical.clone());
    }
    Some(match info.converted_type() {
        ConvertedType::NONE => return None,
        ConvertedType::UTF8 => LogicalType::String,
        ConvertedType::LIST => LogicalType::List,
        ConvertedType::MAP => LogicalType::Map,
        ConvertedType::DECIMAL => LogicalType::decimal(field.get_scale(), field.get_precision()),
        ConvertedType::DATE => LogicalType::Date,
        ConvertedType::TIMESTAMP_MILLIS => LogicalType::timestamp(true, TimeUnit::MILLIS),
        ConvertedType::TIMESTAMP_MICROS => LogicalType::timestamp(true, TimeUnit::MICROS),
        ConvertedType::INT_8 => LogicalType::integer(8, true),
        ConvertedType::INT_16 => LogicalType::integer(16, true),
        ConvertedType::INT_32 => LogicalType::integer(32, true),
        ConvertedType::INT_64 => LogicalType::integer(64, true),
        _ => LogicalType::Unknown,
    })
}

fn refuse<T>(field: &Type, path: &str) -> Result<T> {
    let info = field.get_basic_info();
    let stored = match field {
        Type::PrimitiveType { physical_type, .. } => physical_type.to_string(),
        Type::GroupType { .. } => "a group".to_owned(),
    };
    let annotated = match (info.logical_type_ref(), info.converted_type()) {
        (Some(logical), _) => format!("annotated {logical:?}"),
        (None, ConvertedType::NONE) => "not annotated".to_owned(),
        (None, converted) => format!("annotated {converted}"),
    };
    let repeated = if is_repeated(field) { ", repeated" } else { "" };
    bail!("column \"{path}\" is {stored}{repeated}, {annotated}, and Glue has no type for that; write it as text")
}

#[cfg(test)]
mod tests {
    use super::lake_columns;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::fs::File;
    use std::sync::Arc;
    use tempfile::tempdir;

    /// The columns of a file that has this schema and no rows, as `name type`.
    fn columns(fields: &str) -> Result<Vec<String>, String> {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let schema = parse_message_type(&format!("message schema {{ {fields} }}")).unwrap();
        let props = Arc::new(WriterProperties::new());
        let writer = SerializedFileWriter::new(File::create(&path).unwrap(), Arc::new(schema), props).unwrap();
        writer.close().unwrap();
        let columns = lake_columns(&path).map_err(|error| format!("{error:#}"))?;
        let columns = columns.into_iter();
        Ok(columns.map(|column| format!("{} {}", column.name, column.glue_type)).collect())
    }

    #[test]
    fn every_type_that_the_lake_knows_has_its_name_in_glue() {
        for (field, expected) in [
            ("required boolean a", "boolean"),
            ("optional int32 a (INTEGER(8,true))", "tinyint"),
            ("optional int32 a (INTEGER(16,true))", "smallint"),
            ("optional int32 a (INTEGER(32,true))", "int"),
            ("optional int32 a", "int"),
            ("optional int64 a", "bigint"),
            ("optional int64 a (INTEGER(64,true))", "bigint"),
            ("optional float a", "float"),
            ("optional double a", "double"),
            ("optional int32 a (DECIMAL(9,2))", "decimal(9,2)"),
            ("optional int64 a (DECIMAL(18,8))", "decimal(18,8)"),
            ("optional fixed_len_byte_array(16) a (DECIMAL(38,18))", "decimal(38,18)"),
            ("optional int32 a (DATE)", "date"),
            ("optional int64 a (TIMESTAMP(MILLIS,true))", "timestamp"),
            ("optional int64 a (TIMESTAMP(MICROS,false))", "timestamp"),
            ("optional binary a (STRING)", "string"),
            ("optional binary a", "binary"),
        ] {
            assert_eq!(columns(&format!("{field};")), Ok(vec![format!("a {expected}")]), "{field}");
        }
    }

    #[test]
    fn the_older_annotations_mean_the_same() {
        let fields = "optional int32 s (INT_16); optional int64 d (DECIMAL(12,3)); optional int64 t (TIMESTAMP_MILLIS); \
                      optional binary u (UTF8); optional int32 y (DATE);";
        let expected = ["s smallint", "d decimal(12,3)", "t timestamp", "u string", "y date"];
        assert_eq!(columns(fields).unwrap(), expected);
    }

    #[test]
    fn nested_columns_are_spelled_out_and_names_keep_their_case() {
        let fields = "optional group Tags (LIST) { repeated group list { optional binary element (STRING); } } \
             required group attributes (MAP) { repeated group key_value { required binary key (STRING); optional int32 value; } } \
             optional group span { optional int32 months; optional group parts (LIST) { \
             repeated group list { optional group element { required int64 id; optional int32 day (DATE); } } } }";
        let expected = [
            "Tags array<string>",
            "attributes map<string,int>",
            "span struct<months:int,parts:array<struct<id:bigint,day:date>>>",
        ];
        assert_eq!(columns(fields).unwrap(), expected);
    }

    #[test]
    fn a_type_that_glue_does_not_have_is_refused_with_the_columns_name() {
        for (field, told) in [
            ("optional int96 a", "column \"a\" is INT96, not annotated"),
            ("optional int32 a (INTEGER(32,false))", "column \"a\" is INT32, annotated"),
            ("optional int64 a (TIMESTAMP(NANOS,true))", "column \"a\" is INT64, annotated"),
            ("optional int64 a (TIME(MICROS,true))", "column \"a\" is INT64, annotated"),
            ("optional fixed_len_byte_array(16) a (UUID)", "column \"a\" is FIXED_LEN_BYTE_ARRAY, annotated Uuid"),
            ("optional fixed_len_byte_array(12) a (INTERVAL)", "annotated INTERVAL"),
            ("optional binary a (DECIMAL(20,2))", "column \"a\" is BYTE_ARRAY, annotated"),
            ("optional fixed_len_byte_array(17) a (DECIMAL(39,2))", "column \"a\" is FIXED_LEN_BYTE_ARRAY"),
            ("repeated int32 a", "column \"a\" is INT32, repeated, not annotated"),
            ("optional group a (LIST) { repeated int32 element; }", "column \"a\" is a group, annotated List"),
            ("optional group a { optional int96 b; }", "column \"a.b\" is INT96"),
        ] {
            let end = if field.ends_with('}') { "" } else { ";" };
            let error = columns(&format!("{field}{end}")).unwrap_err();
            assert!(error.contains(told) && error.contains("a.parquet"), "{field}: {error}");
            assert!(error.contains("write it as text"), "{error}");
        }
    }
}
