//! Rows in the text format of COPY, for columns of types whose text form only the server can read.

use crate::calendar::{write_date, write_time, write_timestamp};
use crate::cell::Cell;
use crate::cell::Reader;
use crate::column_type::ColumnType;
use crate::fit::{Fitted, Misfit, fit};
use std::fmt::Write;
use std::ops::Range;

/// A field; `first` tells whether it begins the row.
pub(crate) fn write(
    cell: Cell<'_>,
    to: &ColumnType,
    first: bool,
    scratch: &mut String,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    if !first {
        out.push(b'\t');
    }
    scratch.clear();
    if write_value(cell, to, scratch)? {
        escape(scratch, out);
    } else {
        out.extend_from_slice(b"\\N");
    }
    Ok(())
}

/// The value as the type's input function reads it; false for NULL.
fn write_value(cell: Cell<'_>, to: &ColumnType, text: &mut String) -> Result<bool, Misfit> {
    match fit(cell, to)? {
        Fitted::Null => return Ok(false),
        Fitted::Bool(value) => text.push(if value { 't' } else { 'f' }),
        Fitted::Int2(value) => show(text, value),
        Fitted::Int4(value) => show(text, value),
        Fitted::Int8(value) => show(text, value),
        Fitted::Oid(value) => show(text, value),
        Fitted::Float4(value) => float(text, value.is_infinite(), value.is_sign_negative(), format_args!("{value:e}")),
        Fitted::Float8(value) => float(text, value.is_infinite(), value.is_sign_negative(), format_args!("{value:e}")),
        Fitted::Numeric(digits) => digits.write_text(text),
        Fitted::Date(days) => write_date(days, text),
        Fitted::Timestamp(micros) => write_timestamp(micros, text),
        Fitted::Time(micros) => write_time(micros, text),
        Fitted::Text(value) | Fitted::Jsonb(value) => text.push_str(value),
        Fitted::Bytea(bytes) => {
            text.push_str("\\x");
            hex(bytes, text);
        }
        Fitted::Uuid(bytes) => hex(&bytes, text),
        Fitted::List(elements, range) => write_array(&elements, range, to, text)?,
    }
    Ok(true)
}

/// Writing to a string cannot fail.
fn show(text: &mut String, value: impl std::fmt::Display) {
    let _ = write!(text, "{value}");
}

fn float(text: &mut String, infinite: bool, negative: bool, shortest: std::fmt::Arguments<'_>) {
    match (infinite, negative) {
        (true, true) => text.push_str("-Infinity"),
        (true, false) => text.push_str("Infinity"),
        _ => show(text, shortest),
    }
}

fn hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

/// Every element in quotes, which makes it a value whatever it holds.
fn write_array(elements: &Reader<'_>, range: Range<usize>, to: &ColumnType, text: &mut String) -> Result<(), Misfit> {
    let ColumnType::Array { element, .. } = to else { return Err(Misfit::WrongType) };
    let mut value = String::new();
    text.push('{');
    for at in range.clone() {
        if at > range.start {
            text.push(',');
        }
        value.clear();
        if !write_value(elements(at), element, &mut value)? {
            text.push_str("NULL");
            continue;
        }
        text.push('"');
        for character in value.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    Ok(())
}

fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
}
