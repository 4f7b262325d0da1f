//! One value of a column of a Parquet file, whatever Arrow keeps it in.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time64MicrosecondType, Time64NanosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type, i256,
};
use std::ops::Range;
use std::rc::Rc;

/// A value.
#[derive(Clone)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    /// `unscaled / 10^scale`.
    Decimal(i128, i8),
    WideDecimal(i256, i8),
    /// Days since 1970-01-01.
    Date(i32),
    /// Since 1970-01-01, in this unit.
    Timestamp(i64, TimeUnit),
    /// Since midnight, in this unit.
    Time(i64, TimeUnit),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Some of the elements of all rows.
    List(Reader<'a>, Range<usize>),
}

/// Reads the value of a row.
pub(crate) type Reader<'a> = Rc<dyn Fn(usize) -> Cell<'a> + 'a>;

/// The reader of a column; nothing when there is none for its type, which is looked at before.
pub(crate) fn reader(array: &dyn Array) -> Option<Reader<'_>> {
    Some(match array.data_type() {
        DataType::Null => Rc::new(|_| Cell::Null),
        DataType::Boolean => {
            let values = array.as_boolean();
            nullable(array, move |row| Cell::Bool(values.value(row)))
        }
        DataType::Int8 => primitive::<Int8Type>(array, |value| Cell::Integer(value.into())),
        DataType::Int16 => primitive::<Int16Type>(array, |value| Cell::Integer(value.into())),
        DataType::Int32 => primitive::<Int32Type>(array, |value| Cell::Integer(value.into())),
        DataType::Int64 => primitive::<Int64Type>(array, |value| Cell::Integer(value.into())),
        DataType::UInt8 => primitive::<UInt8Type>(array, |value| Cell::Integer(value.into())),
        DataType::UInt16 => primitive::<UInt16Type>(array, |value| Cell::Integer(value.into())),
        DataType::UInt32 => primitive::<UInt32Type>(array, |value| Cell::Integer(value.into())),
        DataType::UInt64 => primitive::<UInt64Type>(array, |value| Cell::Integer(value.into())),
        DataType::Float16 => primitive::<Float16Type>(array, |value| Cell::Float(value.to_f64())),
        DataType::Float32 => primitive::<Float32Type>(array, |value| Cell::Float(value.into())),
        DataType::Float64 => primitive::<Float64Type>(array, Cell::Float),
        DataType::Decimal128(_, scale) => {
            let scale = *scale;
            primitive::<Decimal128Type>(array, move |value| Cell::Decimal(value, scale))
        }
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            primitive::<Decimal256Type>(array, move |value| Cell::WideDecimal(value, scale))
        }
        DataType::Date32 => primitive::<Date32Type>(array, Cell::Date),
        DataType::Timestamp(unit @ TimeUnit::Millisecond, _) => {
            let unit = *unit;
            primitive::<TimestampMillisecondType>(array, move |value| Cell::Timestamp(value, unit))
        }
        DataType::Timestamp(unit @ TimeUnit::Microsecond, _) => {
            let unit = *unit;
            primitive::<TimestampMicrosecondType>(array, move |value| Cell::Timestamp(value, unit))
        }
        DataType::Timestamp(unit @ TimeUnit::Nanosecond, _) => {
            let unit = *unit;
            primitive::<TimestampNanosecondType>(array, move |value| Cell::Timestamp(value, unit))
        }
        DataType::Time32(unit @ TimeUnit::Millisecond) => {
            let unit = *unit;
            primitive::<Time32MillisecondType>(array, move |value| Cell::Time(value.into(), unit))
        }
        DataType::Time64(unit @ TimeUnit::Microsecond) => {
            let unit = *unit;
            primitive::<Time64MicrosecondType>(array, move |value| Cell::Time(value, unit))
        }
        DataType::Time64(unit @ TimeUnit::Nanosecond) => {
            let unit = *unit;
            primitive::<Time64NanosecondType>(array, move |value| Cell::Time(value, unit))
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            nullable(array, move |row| Cell::Text(values.value(row)))
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            nullable(array, move |row| Cell::Bytes(values.value(row)))
        }
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary();
            nullable(array, move |row| Cell::Bytes(values.value(row)))
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let elements = reader(lists.values())?;
            let offset = |at: usize| usize::try_from(lists.value_offsets()[at]).unwrap_or_default();
            nullable(array, move |row| Cell::List(Rc::clone(&elements), offset(row)..offset(row + 1)))
        }
        _ => return None,
    })
}

fn nullable<'a>(array: &'a dyn Array, value: impl Fn(usize) -> Cell<'a> + 'a) -> Reader<'a> {
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => Rc::new(value),
        Some(nulls) => Rc::new(move |row| if nulls.is_null(row) { Cell::Null } else { value(row) }),
    }
}

fn primitive<'a, T: ArrowPrimitiveType>(array: &'a dyn Array, cell: impl Fn(T::Native) -> Cell<'a> + 'a) -> Reader<'a> {
    let values = array.as_primitive::<T>().values();
    nullable(array, move |row| cell(values[row]))
}
