//! Rows in the binary format of COPY.

use crate::cell::{Cell, Reader};
use crate::column_type::ColumnType;
use crate::fit::{Fitted, Misfit, fit};
use std::ops::Range;

/// Signature, flags, length of the header's extension.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The count of fields of a row that is none.
pub(crate) const TRAILER: &[u8] = &(-1i16).to_be_bytes();
const NULL: &[u8] = &(-1i32).to_be_bytes();
const JSONB_VERSION: u8 = 1;

/// Begins a row of so many fields.
pub(crate) fn begin_row(fields: i16, out: &mut Vec<u8>) {
    out.extend_from_slice(&fields.to_be_bytes());
}

/// A field: its length and the value in the server's binary form.
pub(crate) fn write(cell: Cell<'_>, to: &ColumnType, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let fitted = fit(cell, to)?;
    let start = out.len();
    out.extend_from_slice(NULL);
    match fitted {
        Fitted::Null => return Ok(()),
        Fitted::Bool(value) => out.push(value.into()),
        Fitted::Int2(value) => out.extend_from_slice(&value.to_be_bytes()),
        Fitted::Int4(value) | Fitted::Date(value) => out.extend_from_slice(&value.to_be_bytes()),
        Fitted::Int8(value) | Fitted::Timestamp(value) | Fitted::Time(value) => {
            out.extend_from_slice(&value.to_be_bytes());
        }
        Fitted::Oid(value) => out.extend_from_slice(&value.to_be_bytes()),
        Fitted::Float4(value) => out.extend_from_slice(&value.to_be_bytes()),
        Fitted::Float8(value) => out.extend_from_slice(&value.to_be_bytes()),
        Fitted::Numeric(digits) => digits.write_binary(out),
        Fitted::Text(text) => out.extend_from_slice(text.as_bytes()),
        Fitted::Jsonb(text) => {
            out.push(JSONB_VERSION);
            out.extend_from_slice(text.as_bytes());
        }
        Fitted::Bytea(bytes) => out.extend_from_slice(bytes),
        Fitted::Uuid(bytes) => out.extend_from_slice(&bytes),
        Fitted::List(elements, range) => write_array(&elements, range, to, out)?,
    }
    let length = i32::try_from(out.len() - start - NULL.len()).map_err(|_| Misfit::OutOfRange)?;
    out[start..start + NULL.len()].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Dimensions, whether there are NULLs, type of the elements; then count and first subscript; then the elements.
fn write_array(elements: &Reader<'_>, range: Range<usize>, to: &ColumnType, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let ColumnType::Array { element, element_oid } = to else { return Err(Misfit::WrongType) };
    let has_null = range.clone().any(|at| matches!(elements(at), Cell::Null));
    let dimensions = i32::from(!range.is_empty());
    out.extend_from_slice(&dimensions.to_be_bytes());
    out.extend_from_slice(&i32::from(has_null).to_be_bytes());
    out.extend_from_slice(&element_oid.to_be_bytes());
    if range.is_empty() {
        return Ok(());
    }
    out.extend_from_slice(&i32::try_from(range.len()).map_err(|_| Misfit::OutOfRange)?.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    range.into_iter().try_for_each(|at| write(elements(at), element, out))
}
