//! The values of arrays, composites, ranges and maps on their way into Arrow arrays.
//!
//! Layouts (postgres, the `_send` functions): an array is `ndim: i32, has_null: i32, element type: u32`, for each
//! dimension `size: i32, lower bound: i32`, then the elements; a record is `count: i32` and for each attribute
//! `type: u32` and the value; a range is a byte of flags and the bounds that it has; a multirange and an hstore are a
//! `count: i32` and that many ranges or pairs. Every value inside has its length before it, -1 for NULL.

use crate::column_builder::{ColumnBuilder, Invalid, ValueError};
use crate::decoding::{Decoding, entry_fields};
use crate::policy::{Arrays, Policies};
use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, ListArray, MapArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use std::mem::take;
use std::sync::Arc;

/// Postgres, `MAXDIM`.
const MOST_DIMENSIONS: i32 = 6;

/// What is common to all of them. Whatever [`append`](Self::append) returns, one value more stands at the end.
#[derive(Debug)]
pub(crate) struct NestedBuilder {
    validity: Vec<bool>,
    values: NestedValues,
    arrays: Arrays,
    /// Lists whose shape was given up.
    flattened: u64,
}

#[derive(Debug)]
enum NestedValues {
    /// Of arrays, or of multiranges.
    List {
        element: Box<ColumnBuilder>,
        field: Arc<Field>,
        ends: Vec<i32>,
        multirange: bool,
    },
    Struct {
        members: Vec<ColumnBuilder>,
        fields: Fields,
    },
    /// Lower and upper bound, and three flags.
    Range {
        bounds: [Box<ColumnBuilder>; 2],
        flags: [BooleanBufferBuilder; 3],
        fields: Fields,
    },
    Map {
        key: Box<ColumnBuilder>,
        value: Box<ColumnBuilder>,
        ends: Vec<i32>,
    },
}

/// The flags of a range (postgres, `rangetypes.h`).
mod range_flag {
    pub(super) const EMPTY: u8 = 0x01;
    pub(super) const LOWER_INCLUSIVE: u8 = 0x02;
    pub(super) const UPPER_INCLUSIVE: u8 = 0x04;
    pub(super) const LOWER_INFINITE: u8 = 0x08;
    pub(super) const UPPER_INFINITE: u8 = 0x10;
}

impl NestedBuilder {
    /// A builder with room for `rows` values, or nothing for a type without parts.
    pub(crate) fn new(decoding: &Decoding, policies: Policies, rows: usize) -> Option<Self> {
        let part = |decoding: &Decoding| ColumnBuilder::new(decoding, policies, rows);
        let values = match (decoding, decoding.arrow_type()) {
            (Decoding::List(element), DataType::List(field)) => {
                NestedValues::List { element: part(element).into(), field, ends: Vec::new(), multirange: false }
            }
            (Decoding::Multirange(bound), DataType::List(field)) => {
                let element = part(&Decoding::Range(bound.clone())).into();
                NestedValues::List { element, field, ends: Vec::new(), multirange: true }
            }
            (Decoding::Struct(members), DataType::Struct(fields)) => {
                let members = members.iter().map(|member| part(&member.decoding)).collect();
                NestedValues::Struct { members, fields }
            }
            (Decoding::Range(bound), DataType::Struct(fields)) => {
                let flags = [0; 3].map(|_| BooleanBufferBuilder::new(rows));
                NestedValues::Range { bounds: [part(bound).into(), part(bound).into()], flags, fields }
            }
            (Decoding::Map, _) => {
                let text = || part(&Decoding::Text).into();
                NestedValues::Map { key: text(), value: text(), ends: Vec::new() }
            }
            _ => return None,
        };
        Some(Self { validity: Vec::with_capacity(rows), values, arrays: policies.arrays, flattened: 0 })
    }

    /// Appends NULL.
    pub(crate) fn append_null(&mut self) {
        self.values.append_null();
        self.end_value(false);
    }

    /// Decodes and appends one value.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        let appended = match &mut self.values {
            NestedValues::List { element, multirange: true, .. } => append_ranges(bytes, element),
            NestedValues::List { element, .. } => {
                append_array(bytes, element, self.arrays).map(|flattened| self.flattened += u64::from(flattened))
            }
            NestedValues::Struct { members, .. } => append_record(bytes, members),
            NestedValues::Range { bounds, flags, .. } => append_range(bytes, bounds, flags),
            NestedValues::Map { key, value, .. } => append_pairs(bytes, key, value),
        };
        self.end_value(appended.is_ok());
        appended
    }

    fn end_value(&mut self, valid: bool) {
        self.validity.push(valid);
        match &mut self.values {
            NestedValues::List { element: inner, ends, .. } | NestedValues::Map { key: inner, ends, .. } => {
                // A batch has fewer bytes than that.
                ends.push(i32::try_from(inner.len()).unwrap_or(i32::MAX));
            }
            NestedValues::Struct { .. } | NestedValues::Range { .. } => {}
        }
    }

    /// Values appended since the last [`finish`](Self::finish).
    pub(crate) fn len(&self) -> usize {
        self.validity.len()
    }

    /// How many values were changed so far, those inside counted one by one.
    pub(crate) fn changed(&self) -> u64 {
        let inside = match &self.values {
            NestedValues::List { element, .. } => element.changed(),
            NestedValues::Struct { members, .. } => members.iter().map(ColumnBuilder::changed).sum(),
            NestedValues::Range { bounds, .. } => bounds.iter().map(|bound| bound.changed()).sum(),
            NestedValues::Map { key, value, .. } => key.changed() + value.changed(),
        };
        inside + self.flattened
    }

    /// The array of everything appended since the last call, and where text was not valid.
    pub(crate) fn finish(&mut self) -> Result<(ArrayRef, Invalid), ValueError> {
        let nulls = Some(NullBuffer::from(take(&mut self.validity)));
        match &mut self.values {
            NestedValues::List { element, field, ends, .. } => {
                let ends = take(ends);
                let (values, invalid) = element.finish()?;
                let list = ListArray::try_new(Arc::clone(field), offsets(&ends), values, nulls);
                Ok((Arc::new(list.map_err(ValueError::malformed)?), invalid.within(&ends)))
            }
            NestedValues::Map { key, value, ends } => {
                let ends = take(ends);
                let ((keys, mut invalid), (values, others)) = (key.finish()?, value.finish()?);
                invalid.extend(others);
                let entries = StructArray::try_new(entry_fields(), vec![keys, values], None);
                let entries = entries.map_err(ValueError::malformed)?;
                let field = Arc::new(Field::new("key_value", DataType::Struct(entry_fields()), false));
                let map = MapArray::try_new(field, offsets(&ends), entries, nulls, false);
                Ok((Arc::new(map.map_err(ValueError::malformed)?), invalid.within(&ends)))
            }
            NestedValues::Struct { members, fields } => {
                let (columns, invalid) = finish_all(members.iter_mut())?;
                let group = StructArray::try_new(fields.clone(), columns, nulls);
                Ok((Arc::new(group.map_err(ValueError::malformed)?), invalid))
            }
            NestedValues::Range { bounds, flags, fields } => {
                let (mut columns, invalid) = finish_all(bounds.iter_mut().map(AsMut::as_mut))?;
                let flag =
                    |flag: &mut BooleanBufferBuilder| -> ArrayRef { Arc::new(BooleanArray::new(flag.finish(), None)) };
                columns.extend(flags.iter_mut().map(flag));
                let group = StructArray::try_new(fields.clone(), columns, nulls);
                Ok((Arc::new(group.map_err(ValueError::malformed)?), invalid))
            }
        }
    }
}

impl NestedValues {
    fn append_null(&mut self) {
        match self {
            Self::List { .. } | Self::Map { .. } => {}
            Self::Struct { members, .. } => members.iter_mut().for_each(ColumnBuilder::append_null),
            Self::Range { bounds, flags, .. } => {
                bounds.iter_mut().for_each(|bound| bound.append_null());
                flags.iter_mut().for_each(|flag| flag.append(false));
            }
        }
    }
}

fn offsets(ends: &[i32]) -> OffsetBuffer<i32> {
    let offsets: Vec<i32> = std::iter::once(0).chain(ends.iter().copied()).collect();
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

fn finish_all<'a>(
    builders: impl Iterator<Item = &'a mut ColumnBuilder>,
) -> Result<(Vec<ArrayRef>, Invalid), ValueError> {
    let mut columns = Vec::new();
    let mut all = Invalid::default();
    for builder in builders {
        let (column, invalid) = builder.finish()?;
        columns.push(column);
        all.extend(invalid);
    }
    Ok((columns, all))
}

/// Appends the elements; says whether a shape was given up that a list does not have.
fn append_array(bytes: &[u8], element: &mut ColumnBuilder, arrays: Arrays) -> Result<bool, ValueError> {
    let mut rest = Reader(bytes);
    let dimensions = rest.integer()?;
    let (_has_null, _type) = (rest.integer()?, rest.integer()?);
    if !(0..=MOST_DIMENSIONS).contains(&dimensions) {
        return Err(ValueError::malformed("has more dimensions than an array can have"));
    }
    let mut count: usize = usize::from(dimensions != 0);
    let mut plain = dimensions <= 1;
    for _ in 0..dimensions {
        let (size, lower) = (rest.integer()?, rest.integer()?);
        let size = usize::try_from(size).map_err(|_| cut_off())?;
        count = count.checked_mul(size).ok_or_else(cut_off)?;
        plain &= lower == 1;
    }
    if !plain && arrays == Arrays::Error {
        return Err(ValueError::Shape);
    }
    for _ in 0..count {
        append_part(element, rest.value()?)?;
    }
    rest.end()?;
    Ok(!plain)
}

fn append_ranges(bytes: &[u8], range: &mut ColumnBuilder) -> Result<(), ValueError> {
    let mut rest = Reader(bytes);
    for _ in 0..rest.integer()? {
        append_part(range, rest.value()?)?;
    }
    rest.end()
}

fn append_record(bytes: &[u8], members: &mut [ColumnBuilder]) -> Result<(), ValueError> {
    let mut rest = Reader(bytes);
    let mut outcome = match rest.integer() {
        Ok(count) if usize::try_from(count) == Ok(members.len()) => Ok(()),
        Ok(_) => Err(ValueError::malformed("has another number of attributes than its type")),
        Err(error) => Err(error),
    };
    for member in members {
        // After a failure the others get their value too, so that all stay in step.
        match outcome.is_ok().then(|| rest.integer().and_then(|_type| rest.value())) {
            Some(Ok(value)) => outcome = append_part(member, value),
            Some(Err(error)) => {
                member.append_null();
                outcome = Err(error);
            }
            None => member.append_null(),
        }
    }
    outcome.and_then(|()| rest.end())
}

fn append_range(
    bytes: &[u8],
    bounds: &mut [Box<ColumnBuilder>; 2],
    flags: &mut [BooleanBufferBuilder; 3],
) -> Result<(), ValueError> {
    let (given, mut rest) = match bytes {
        [given, rest @ ..] => (*given, Reader(rest)),
        [] => (range_flag::EMPTY, Reader(bytes)),
    };
    let has = |flag: u8| given & flag != 0;
    let kept = [range_flag::LOWER_INCLUSIVE, range_flag::UPPER_INCLUSIVE, range_flag::EMPTY];
    flags.iter_mut().zip(kept).for_each(|(flag, bit)| flag.append(has(bit)));
    let mut outcome = if bytes.is_empty() { Err(cut_off()) } else { Ok(()) };
    for (bound, infinite) in bounds.iter_mut().zip([range_flag::LOWER_INFINITE, range_flag::UPPER_INFINITE]) {
        match (outcome.is_ok() && !has(range_flag::EMPTY | infinite)).then(|| rest.value()) {
            Some(Ok(value)) => outcome = append_part(bound, value),
            Some(Err(error)) => {
                bound.append_null();
                outcome = Err(error);
            }
            None => bound.append_null(),
        }
    }
    outcome.and_then(|()| rest.end())
}

fn append_pairs(bytes: &[u8], key: &mut ColumnBuilder, value: &mut ColumnBuilder) -> Result<(), ValueError> {
    let mut rest = Reader(bytes);
    for _ in 0..rest.integer()? {
        let (key_bytes, value_bytes) = (rest.value()?.ok_or_else(cut_off)?, rest.value()?);
        key.append(key_bytes).and(append_part(value, value_bytes))?;
    }
    rest.end()
}

fn append_part(builder: &mut ColumnBuilder, value: Option<&[u8]>) -> Result<(), ValueError> {
    match value {
        Some(value) => builder.append(value),
        None => {
            builder.append_null();
            Ok(())
        }
    }
}

fn cut_off() -> ValueError {
    ValueError::malformed("is cut off")
}

/// What is left of a value.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn integer(&mut self) -> Result<i32, ValueError> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*head))
    }

    /// A length, -1 for NULL, and so many bytes.
    fn value(&mut self) -> Result<Option<&'a [u8]>, ValueError> {
        let length = self.integer()?;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| cut_off())?;
        let (value, rest) = self.0.split_at_checked(length).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(Some(value))
    }

    fn end(&self) -> Result<(), ValueError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ValueError::malformed("is followed by bytes that do not belong to it"))
        }
    }
}
