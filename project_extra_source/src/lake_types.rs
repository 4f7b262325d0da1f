//! The types of other Parquet files, as this lake has them, and their values.

use crate::column_type::{LONGEST_DECIMAL, decimal_type};
use anyhow::{Result, bail};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTimestampType, Date32Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, ListArray, MapArray, PrimitiveArray, StringArray, StructArray,
};
use arrow_cast::{can_cast_types, cast};
use arrow_schema::TimeUnit::{self, Microsecond, Millisecond, Nanosecond};
use arrow_schema::{DataType, Field, FieldRef, Fields};
use project_parquet::lake_name;
use std::collections::HashSet;
use std::sync::Arc;

/// Seconds.
const DAY: i64 = 86_400;
/// 0001-01-01, in days since 1970-01-01.
const FIRST_DAY: i64 = -719_162;
/// 10000-01-01.
const END_OF_DAYS: i64 = 2_932_897;

/// How other programs write infinity is a matter of taste, and nobody can tell it from a far year.
const NO_PLACE: &str = "a date or timestamp is infinite or outside of the years 1 to 9999, and the lake has no place for \
                        such a value; write NULL or a date within these years into the file instead";

/// The type that the lake has for one of Arrow's; nothing when there is none.
pub(crate) fn lake_type(source: &DataType, unit: TimeUnit) -> Option<DataType> {
    Some(match source {
        DataType::Boolean
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Utf8
        | DataType::Binary => source.clone(),
        DataType::Int8 | DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => decimal_type(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Timestamp(_, zone) => DataType::Timestamp(unit, zone.as_ref().map(|_| Arc::from("UTC"))),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale)
            if u32::from(*precision) <= LONGEST_DECIMAL && *scale >= 0 =>
        {
            decimal_type(*precision, scale.unsigned_abs())
        }
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            DataType::List(Arc::new(Field::new_list_field(lake_type(field.data_type(), unit)?, true)))
        }
        DataType::Struct(members) => struct_type(members, unit)?,
        DataType::Map(entries, _) => map_type(entries, unit)?,
        DataType::Dictionary(_, values) => lake_type(values, unit)?,
        // As Postgres's: what has no type of its own is text.
        other => can_cast_types(other, &DataType::Utf8).then_some(DataType::Utf8)?,
    })
}

/// Nothing when members fall together in the lake, or when there is none.
fn struct_type(members: &Fields, unit: TimeUnit) -> Option<DataType> {
    let member =
        |member: &FieldRef| Some(Field::new(lake_name(member.name()), lake_type(member.data_type(), unit)?, true));
    let members = members.iter().map(member).collect::<Option<Vec<Field>>>()?;
    let names: HashSet<&String> = members.iter().map(Field::name).collect();
    let apart = !members.is_empty() && names.len() == members.len();
    apart.then(|| DataType::Struct(members.into()))
}

fn map_type(entries: &FieldRef, unit: TimeUnit) -> Option<DataType> {
    let DataType::Struct(members) = entries.data_type() else { return None };
    let [key, value] = &members[..] else { return None };
    let key = Field::new("key", lake_type(key.data_type(), unit)?, false);
    let value = Field::new("value", lake_type(value.data_type(), unit)?, true);
    let entries = Field::new("key_value", DataType::Struct(vec![key, value].into()), false);
    Some(DataType::Map(Arc::new(entries), false))
}

/// The values as the lake has them, and how many timestamps were cut.
pub(crate) fn lake_values(array: &ArrayRef, to: &DataType) -> Result<(ArrayRef, u64)> {
    if array.data_type() == to && !matches!(to, DataType::Date32 | DataType::Timestamp(..)) {
        return Ok((Arc::clone(array), 0));
    }
    match to {
        DataType::Timestamp(..) => timestamps(array, to),
        DataType::Date32 => {
            in_years(array.as_primitive::<Date32Type>(), 1)?;
            Ok((Arc::clone(array), 0))
        }
        DataType::List(field) => {
            let source = DataType::List(Arc::new(Field::new_list_field(inner_type(array.data_type())?, true)));
            let list = cast(array, &source)?;
            let list = list.as_list::<i32>();
            let (values, cut) = lake_values(list.values(), field.data_type())?;
            let list = ListArray::try_new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned())?;
            Ok((Arc::new(list), cut))
        }
        DataType::Struct(fields) => {
            let (group, mut all) = (array.as_struct(), 0);
            let mut columns = Vec::with_capacity(fields.len());
            for (column, field) in group.columns().iter().zip(fields) {
                let (values, cut) = lake_values(column, field.data_type())?;
                columns.push(values);
                all += cut;
            }
            Ok((Arc::new(StructArray::try_new(fields.clone(), columns, group.nulls().cloned())?), all))
        }
        DataType::Map(field, ordered) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let (entries, cut) = lake_values(&entries, field.data_type())?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            let entries = entries.as_struct().clone();
            Ok((Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *ordered)?), cut))
        }
        DataType::Utf8 if matches!(array.data_type(), DataType::FixedSizeBinary(_)) => {
            Ok((Arc::new(uuids(array.as_fixed_size_binary())), 0))
        }
        _ => {
            let values = cast(array, to)?;
            if values.null_count() != array.logical_null_count() {
                bail!("a value does not fit {to}");
            }
            Ok((values, 0))
        }
    }
}

/// The only ones of a fixed size that are text.
fn uuids(array: &FixedSizeBinaryArray) -> StringArray {
    let text = |bytes: &[u8]| {
        let mut text = String::with_capacity(36);
        for (position, byte) in bytes.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
        }
        text
    };
    array.iter().map(|bytes| bytes.map(text)).collect()
}

fn inner_type(list: &DataType) -> Result<DataType> {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Ok(field.data_type().clone())
        }
        other => bail!("{other} is no list"),
    }
}

/// Cut downwards, as those of Postgres are.
fn timestamps(array: &ArrayRef, to: &DataType) -> Result<(ArrayRef, u64)> {
    let (DataType::Timestamp(from, _), DataType::Timestamp(unit, zone)) = (array.data_type(), to) else {
        bail!("{} is no timestamp", array.data_type())
    };
    let (values, count) = match (from, unit) {
        (Microsecond, Millisecond) => cut::<TimestampMicrosecondType, TimestampMillisecondType>(array, 1000, zone),
        (Nanosecond, Millisecond) => cut::<TimestampNanosecondType, TimestampMillisecondType>(array, 1_000_000, zone),
        (Nanosecond, Microsecond) => cut::<TimestampNanosecondType, TimestampMicrosecondType>(array, 1000, zone),
        _ => (cast(array, to)?, 0),
    };
    // What the conversion cannot hold would be a NULL.
    if values.null_count() != array.null_count() {
        bail!(NO_PLACE);
    }
    match unit {
        Microsecond => in_years(values.as_primitive::<TimestampMicrosecondType>(), DAY * 1_000_000)?,
        _ => in_years(values.as_primitive::<TimestampMillisecondType>(), DAY * 1000)?,
    }
    Ok((values, count))
}

fn cut<S, T>(array: &ArrayRef, divisor: i64, zone: &Option<Arc<str>>) -> (ArrayRef, u64)
where
    S: ArrowTimestampType,
    T: ArrowTimestampType,
{
    let source = array.as_primitive::<S>();
    let count = source.iter().flatten().filter(|value| value % divisor != 0).count() as u64;
    let values = source.unary::<_, T>(|value| value.div_euclid(divisor));
    (Arc::new(values.with_timezone_opt(zone.clone())), count)
}

/// Neither Athena nor other readers go further than the years 1 to 9999.
fn in_years<T>(values: &PrimitiveArray<T>, per_day: i64) -> Result<()>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64>,
{
    let (first, end) = (FIRST_DAY * per_day, END_OF_DAYS * per_day);
    if values.iter().flatten().any(|value| !(first..end).contains(&value.into())) {
        bail!(NO_PLACE);
    }
    Ok(())
}
