//! The canonical texts of the values of an Arrow array, as the table in `mod.rs` says.

use anyhow::{Context, Result, bail};
use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, ListArray, MapArray, StringArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::temporal_conversions::{date32_to_datetime, timestamp_ms_to_datetime, timestamp_us_to_datetime};
use std::fmt::{Debug, Display};
use std::io::Write;
use std::iter::repeat_n;
use std::ops::Range;

/// What the canonical text of a STRING is: a server whose own encoding is not UTF-8 cannot hash UTF-8, but its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// The string.
    Plain,
    /// Its bytes as hexadecimal digits.
    Hex,
}

/// The values of a column or of a part of it.
pub(super) struct Values<'a> {
    array: &'a ArrayRef,
    kind: Kind<'a>,
    form: TextForm,
}

enum Kind<'a> {
    Bool(&'a BooleanArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal(&'a Decimal128Array, usize),
    Date(&'a Date32Array),
    Millis(&'a TimestampMillisecondArray, bool),
    Micros(&'a TimestampMicrosecondArray, bool),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    List(&'a ListArray, Box<Values<'a>>),
    Group(Vec<Values<'a>>),
    Map(&'a MapArray, &'a StringArray, &'a StringArray),
}

impl<'a> Values<'a> {
    /// The values of an array as the reader of Parquet makes it.
    ///
    /// # Errors
    /// For a type that no column of ours has.
    pub(super) fn of(array: &'a ArrayRef, form: TextForm) -> Result<Self> {
        let kind = match array.data_type() {
            DataType::Boolean => Kind::Bool(typed(array)?),
            DataType::Int16 => Kind::Int16(typed(array)?),
            DataType::Int32 => Kind::Int32(typed(array)?),
            DataType::Int64 => Kind::Int64(typed(array)?),
            DataType::Float32 => Kind::Float32(typed(array)?),
            DataType::Float64 => Kind::Float64(typed(array)?),
            DataType::Decimal128(_, scale) => Kind::Decimal(typed(array)?, usize::try_from(*scale)?),
            DataType::Date32 => Kind::Date(typed(array)?),
            DataType::Timestamp(TimeUnit::Millisecond, zone) => Kind::Millis(typed(array)?, zone.is_some()),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Kind::Micros(typed(array)?, zone.is_some()),
            DataType::Utf8 => Kind::Text(typed(array)?),
            DataType::Binary => Kind::Bytes(typed(array)?),
            DataType::List(_) => {
                let list: &ListArray = typed(array)?;
                Kind::List(list, Box::new(Self::of(list.values(), form)?))
            }
            DataType::Struct(_) => {
                let group: &StructArray = typed(array)?;
                Kind::Group(group.columns().iter().map(|part| Self::of(part, form)).collect::<Result<_>>()?)
            }
            DataType::Map(..) => {
                let map: &MapArray = typed(array)?;
                Kind::Map(map, typed(map.keys())?, typed(map.values())?)
            }
            other => bail!("its type in the file, {other}, is not one that is written"),
        };
        Ok(Self { array, kind, form })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row)
    }

    /// The integer of a column of integers or decimals, less the point.
    pub(super) fn number(&self, row: usize) -> Option<i128> {
        match &self.kind {
            Kind::Int16(array) => Some(array.value(row).into()),
            Kind::Int32(array) => Some(array.value(row).into()),
            Kind::Int64(array) => Some(array.value(row).into()),
            Kind::Decimal(array, _) => Some(array.value(row)),
            _ => None,
        }
    }

    /// Appends the canonical text of a value that is not NULL.
    pub(super) fn append(&self, row: usize, text: &mut Vec<u8>) {
        match &self.kind {
            Kind::Bool(array) => append_shown(text, array.value(row)),
            Kind::Int16(array) => append_shown(text, array.value(row)),
            Kind::Int32(array) => append_shown(text, array.value(row)),
            Kind::Int64(array) => append_shown(text, array.value(row)),
            Kind::Float32(array) => append_hex(text, &array.value(row).to_be_bytes()),
            Kind::Float64(array) => append_hex(text, &array.value(row).to_be_bytes()),
            Kind::Decimal(array, scale) => append_decimal(text, array.value(row), *scale),
            Kind::Date(array) => {
                let date = date32_to_datetime(array.value(row)).map(|midnight| midnight.date());
                append_moment(text, date, array.value(row));
            }
            Kind::Millis(array, utc) => {
                append_moment(text, timestamp_ms_to_datetime(array.value(row)), array.value(row));
                append_zone(text, *utc);
            }
            Kind::Micros(array, utc) => {
                append_moment(text, timestamp_us_to_datetime(array.value(row)), array.value(row));
                append_zone(text, *utc);
            }
            Kind::Text(array) => append_string(text, array.value(row).as_bytes(), self.form),
            Kind::Bytes(array) => append_hex(text, array.value(row)),
            Kind::List(list, elements) => {
                let ends = list.value_offsets();
                (ends[row]..ends[row + 1]).for_each(|element| append_part(text, elements, element as usize));
            }
            Kind::Group(parts) => parts.iter().for_each(|part| append_part(text, part, row)),
            Kind::Map(map, keys, values) => {
                let ends = map.value_offsets();
                let pairs = pairs_text(keys, values, ends[row] as usize..ends[row + 1] as usize);
                append_string(text, &pairs, self.form);
            }
        }
    }
}

fn typed<A: Array + 'static>(array: &ArrayRef) -> Result<&A> {
    array.as_any().downcast_ref().with_context(|| format!("it is not read as {}", array.data_type()))
}

/// A part of a list or a group.
fn append_part(text: &mut Vec<u8>, part: &Values<'_>, row: usize) {
    if part.is_null(row) {
        return text.push(b'-');
    }
    let start = text.len();
    part.append(row, text);
    let length = format!("{}:", text.len() - start);
    text.splice(start..start, length.into_bytes());
}

fn append_shown(text: &mut Vec<u8>, value: impl Display) {
    // Writing to memory cannot fail.
    let _ = write!(text, "{value}");
}

fn append_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

fn append_string(text: &mut Vec<u8>, string: &[u8], form: TextForm) {
    match form {
        TextForm::Plain => text.extend_from_slice(string),
        TextForm::Hex => append_hex(text, string),
    }
}

/// An integer with the point before its last `scale` digits.
pub(super) fn append_decimal(text: &mut Vec<u8>, unscaled: impl Display, scale: usize) {
    let start = text.len();
    append_shown(text, unscaled);
    if scale == 0 {
        return;
    }
    let first_digit = start + usize::from(text[start] == b'-');
    let digits = text.len() - first_digit;
    text.splice(first_digit..first_digit, repeat_n(b'0', (scale + 1).saturating_sub(digits)));
    text.insert(text.len() - scale, b'.');
}

/// As ISO 8601 has it, without zeros at the end of a fraction. A number that is no date becomes a text that no date has.
fn append_moment(text: &mut Vec<u8>, moment: Option<impl Display>, number: impl Debug) {
    let Some(moment) = moment else {
        let _ = write!(text, "no date: {number:?}");
        return;
    };
    let start = text.len();
    append_shown(text, moment);
    if text[start..].contains(&b'.') {
        let kept = text.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
        text.truncate(kept);
    }
}

fn append_zone(text: &mut Vec<u8>, utc: bool) {
    if utc {
        text.extend_from_slice(b"+00");
    }
}

/// As Postgres writes an hstore.
fn pairs_text(keys: &StringArray, values: &StringArray, pairs: Range<usize>) -> Vec<u8> {
    let mut text = Vec::new();
    for pair in pairs.clone() {
        if pair > pairs.start {
            text.extend_from_slice(b", ");
        }
        append_quoted(&mut text, keys.value(pair));
        text.extend_from_slice(b"=>");
        if values.is_null(pair) {
            text.extend_from_slice(b"NULL");
        } else {
            append_quoted(&mut text, values.value(pair));
        }
    }
    text
}

fn append_quoted(text: &mut Vec<u8>, string: &str) {
    text.push(b'"');
    for byte in string.bytes() {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text.push(b'"');
}
