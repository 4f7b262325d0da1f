//! One column's values on their way into an Arrow array.

use crate::decoding::Decoding;
use crate::nested_builder::NestedBuilder;
use crate::policy::{Infinity, InvalidText, NotANumber, Policies, TimestampUnit};
use crate::value::{
    ClockError, Date, NumericError, Timestamp, TimestampError, interval_text, jsonb_text, numeric_to_scale, time_text,
    time_with_offset_text, uuid_text,
};
use arrow::array::{
    Array, ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal32Builder, Decimal64Builder,
    Decimal128Builder, Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringArray,
    StringBuilder, TimestampMicrosecondBuilder, TimestampMillisecondBuilder,
};
use arrow::datatypes::DataType;
use std::mem::take;
use std::str::from_utf8;
use std::sync::Arc;

/// Why a value has no place in its column. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    /// A date or a timestamp.
    #[error("{0}")]
    Time(TimestampError),
    /// A numeric.
    #[error("{0}")]
    Numeric(NumericError),
    /// Text.
    #[error("is not valid UTF-8")]
    Text,
    /// An array.
    #[error("has several dimensions or subscripts that do not begin at 1, which a list cannot hold")]
    Shape,
    /// Bytes that the server does not send for this type.
    #[error("{0}")]
    Malformed(String),
}

impl ValueError {
    pub(crate) fn malformed(reason: impl ToString) -> Self {
        Self::Malformed(reason.to_string())
    }
}

/// The rows of a batch whose text is not valid.
#[derive(Debug, Default)]
pub(crate) struct Invalid(pub(crate) Vec<usize>);

impl Invalid {
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The lists that these elements belong to; `ends` are those of the lists.
    pub(crate) fn within(self, ends: &[i32]) -> Self {
        let list = |element: usize| ends.partition_point(|end| usize::try_from(*end).is_ok_and(|end| end <= element));
        Self(self.0.into_iter().map(list).collect())
    }
}

/// Decodes one column. Text is validated once for a whole batch, in [`finish`](Self::finish).
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    values: Values,
    policies: Policies,
    changed: u64,
}

#[derive(Debug)]
enum Values {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Oid(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal32(Decimal32Builder, DecimalType),
    Decimal64(Decimal64Builder, DecimalType),
    Decimal128(Decimal128Builder, DecimalType),
    Date(Date32Builder),
    Millis(TimestampMillisecondBuilder),
    Micros(TimestampMicrosecondBuilder),
    Uuid(BinaryBuilder),
    Text(BinaryBuilder),
    Jsonb(BinaryBuilder),
    /// Kept as the text that the function makes of the bytes.
    Clock(StringBuilder, fn(&[u8]) -> Result<String, ClockError>),
    Bytes(BinaryBuilder),
    Nested(Box<NestedBuilder>),
}

/// What a decimal column can hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecimalType {
    scale: u32,
    limit: u128,
}

impl DecimalType {
    fn new(precision: u8, scale: i8) -> Self {
        // The server has checked the precision already; this guards against bytes that no server sent.
        Self { scale: u32::from(scale.unsigned_abs()), limit: 10u128.pow(u32::from(precision)) }
    }

    #[inline]
    fn decode(self, bytes: &[u8]) -> Result<i128, ValueError> {
        let value = numeric_to_scale(bytes, self.scale).map_err(ValueError::Numeric)?;
        if value.unsigned_abs() >= self.limit { Err(ValueError::Numeric(NumericError::TooLarge)) } else { Ok(value) }
    }
}

/// Calls the same method of whichever Arrow builder it is, or something of our own nested one.
macro_rules! each {
    ($self:expr, $builder:ident => $call:expr, $nested:ident => $nested_call:expr) => {
        match $self {
            Values::Bool($builder) => $call,
            Values::Int16($builder) => $call,
            Values::Int32($builder) => $call,
            Values::Int64($builder) | Values::Oid($builder) => $call,
            Values::Float32($builder) => $call,
            Values::Float64($builder) => $call,
            Values::Decimal32($builder, _) => $call,
            Values::Decimal64($builder, _) => $call,
            Values::Decimal128($builder, _) => $call,
            Values::Date($builder) => $call,
            Values::Millis($builder) => $call,
            Values::Micros($builder) => $call,
            Values::Uuid($builder) | Values::Text($builder) | Values::Jsonb($builder) | Values::Bytes($builder) => {
                $call
            }
            Values::Clock($builder, _) => $call,
            Values::Nested($nested) => $nested_call,
        }
    };
}

impl Values {
    fn new(decoding: &Decoding, policies: Policies, rows: usize) -> Self {
        if let Some(nested) = NestedBuilder::new(decoding, policies, rows) {
            return Self::Nested(Box::new(nested));
        }
        let arrow_type = decoding.arrow_type();
        let binary = || BinaryBuilder::with_capacity(rows, rows * 16);
        let clock = |text| Self::Clock(StringBuilder::with_capacity(rows, rows * 16), text);
        match decoding {
            Decoding::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            Decoding::Int16 => Self::Int16(Int16Builder::with_capacity(rows)),
            Decoding::Int32 => Self::Int32(Int32Builder::with_capacity(rows)),
            Decoding::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            Decoding::Oid => Self::Oid(Int64Builder::with_capacity(rows)),
            Decoding::Float32 => Self::Float32(Float32Builder::with_capacity(rows)),
            Decoding::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            Decoding::Decimal { precision, scale } => {
                Self::decimal(arrow_type, DecimalType::new(*precision, *scale), rows)
            }
            Decoding::Date => Self::Date(Date32Builder::with_capacity(rows)),
            Decoding::Timestamp { unit: TimestampUnit::Millis, .. } => {
                Self::Millis(TimestampMillisecondBuilder::with_capacity(rows).with_data_type(arrow_type))
            }
            Decoding::Timestamp { unit: TimestampUnit::Micros, .. } => {
                Self::Micros(TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(arrow_type))
            }
            Decoding::Uuid => Self::Uuid(BinaryBuilder::with_capacity(rows, rows * 36)),
            Decoding::Jsonb => Self::Jsonb(binary()),
            Decoding::Time => clock(time_text),
            Decoding::TimeWithOffset => clock(time_with_offset_text),
            Decoding::Interval => clock(interval_text),
            Decoding::Bytes => Self::Bytes(binary()),
            // What has parts is not here any more.
            _ => Self::Text(binary()),
        }
    }

    fn decimal(arrow_type: DataType, decimal: DecimalType, rows: usize) -> Self {
        match arrow_type {
            DataType::Decimal32(..) => {
                Self::Decimal32(Decimal32Builder::with_capacity(rows).with_data_type(arrow_type), decimal)
            }
            DataType::Decimal64(..) => {
                Self::Decimal64(Decimal64Builder::with_capacity(rows).with_data_type(arrow_type), decimal)
            }
            _ => Self::Decimal128(Decimal128Builder::with_capacity(rows).with_data_type(arrow_type), decimal),
        }
    }

    #[inline(always)]
    fn append(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        match self {
            Self::Bool(builder) => builder.append_value(fixed::<1>(bytes)? != [0]),
            Self::Int16(builder) => builder.append_value(i16::from_be_bytes(fixed(bytes)?)),
            Self::Int32(builder) => builder.append_value(i32::from_be_bytes(fixed(bytes)?)),
            Self::Int64(builder) => builder.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Oid(builder) => builder.append_value(i64::from(u32::from_be_bytes(fixed(bytes)?))),
            Self::Float32(builder) => builder.append_value(f32::from_be_bytes(fixed(bytes)?)),
            Self::Float64(builder) => builder.append_value(f64::from_be_bytes(fixed(bytes)?)),
            Self::Decimal32(builder, decimal) => {
                builder.append_value(i32::try_from(decimal.decode(bytes)?).map_err(ValueError::malformed)?);
            }
            Self::Decimal64(builder, decimal) => {
                builder.append_value(i64::try_from(decimal.decode(bytes)?).map_err(ValueError::malformed)?);
            }
            Self::Decimal128(builder, decimal) => builder.append_value(decimal.decode(bytes)?),
            Self::Date(builder) => {
                let date = Date::from_wire(bytes).and_then(Date::to_days);
                builder.append_value(date.map_err(ValueError::Time)?);
            }
            Self::Millis(builder) => {
                let timestamp = Timestamp::from_wire(bytes).and_then(Timestamp::to_millis);
                builder.append_value(timestamp.map_err(ValueError::Time)?);
            }
            Self::Micros(builder) => {
                let timestamp = Timestamp::from_wire(bytes).and_then(Timestamp::to_micros);
                builder.append_value(timestamp.map_err(ValueError::Time)?);
            }
            Self::Uuid(builder) => builder.append_value(uuid_text(&fixed(bytes)?)),
            Self::Text(builder) | Self::Bytes(builder) => builder.append_value(bytes),
            Self::Jsonb(builder) => builder.append_value(jsonb_text(bytes).map_err(ValueError::malformed)?),
            Self::Clock(..) | Self::Nested(_) => return self.append_by_call(bytes),
        }
        Ok(())
    }

    /// What takes long anyway; out of line, so that the rest is small enough for the loop over the fields of a row.
    #[inline(never)]
    fn append_by_call(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        match self {
            Self::Clock(builder, text) => builder.append_value(text(bytes).map_err(ValueError::malformed)?),
            Self::Nested(builder) => return builder.append(bytes),
            _ => return Err(ValueError::malformed("is neither a time nor made of parts")),
        }
        Ok(())
    }

    /// Appends what is nearest to a date or a timestamp that is infinite or out of range.
    fn append_nearest(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        match self {
            Self::Date(builder) => {
                builder.append_value(Date::from_wire(bytes).map_err(ValueError::Time)?.nearest_days())
            }
            Self::Millis(builder) => {
                builder.append_value(Timestamp::from_wire(bytes).map_err(ValueError::Time)?.nearest_millis());
            }
            Self::Micros(builder) => {
                builder.append_value(Timestamp::from_wire(bytes).map_err(ValueError::Time)?.nearest_micros());
            }
            _ => return Err(ValueError::malformed("is neither a date nor a timestamp")),
        }
        Ok(())
    }
}

impl ColumnBuilder {
    /// A builder with room for `rows` values.
    pub(crate) fn new(decoding: &Decoding, policies: Policies, rows: usize) -> Self {
        Self { values: Values::new(decoding, policies, rows), policies, changed: 0 }
    }

    /// Appends NULL.
    #[inline]
    pub(crate) fn append_null(&mut self) {
        each!(&mut self.values, builder => builder.append_null(), nested => nested.append_null());
    }

    /// Decodes and appends one value, or what the policies make of it; NULL when it returns an error, so that columns
    /// stay in step.
    #[inline(always)]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        self.values.append(bytes).or_else(|error| self.replace(bytes, error))
    }

    /// Values appended since the last [`finish`](Self::finish).
    pub(crate) fn len(&self) -> usize {
        each!(&self.values, builder => builder.len(), nested => nested.len())
    }

    /// How many values were changed so far.
    pub(crate) fn changed(&self) -> u64 {
        match &self.values {
            Values::Nested(builder) => builder.changed(),
            _ => self.changed,
        }
    }

    #[cold]
    fn replace(&mut self, bytes: &[u8], error: ValueError) -> Result<(), ValueError> {
        if let Values::Nested(_) = self.values {
            // Its parts have policies of their own, and it has appended NULL already.
            return Err(error);
        }
        let time = matches!(error, ValueError::Time(TimestampError::Infinite | TimestampError::OutOfRange));
        let number = matches!(error, ValueError::Numeric(NumericError::NaN | NumericError::Infinite));
        if time && self.policies.infinity == Infinity::Clamp {
            self.values.append_nearest(bytes)?;
        } else {
            each!(&mut self.values, builder => builder.append_null(), nested => nested.append_null());
            let null = time && self.policies.infinity == Infinity::Null
                || number && self.policies.not_a_number == NotANumber::Null;
            if !null {
                return Err(error);
            }
        }
        self.changed += 1;
        Ok(())
    }

    /// The array of everything appended since the last call, and the rows whose text is not UTF-8 although no policy
    /// allows that; in the array it is replaced.
    pub(crate) fn finish(&mut self) -> Result<(ArrayRef, Invalid), ValueError> {
        match &mut self.values {
            Values::Text(builder) | Values::Jsonb(builder) | Values::Uuid(builder) => {
                let binary = builder.finish();
                let (offsets, values, nulls) = binary.clone().into_parts();
                if let Ok(text) = StringArray::try_new(offsets, values, nulls) {
                    return Ok((Arc::new(text), Invalid::default()));
                }
                let is_invalid = |value: Option<&[u8]>| value.is_some_and(|value| from_utf8(value).is_err());
                let invalid = binary.iter().enumerate().filter(|(_, value)| is_invalid(*value)).map(|(row, _)| row);
                let mut invalid = Invalid(invalid.collect());
                if self.policies.invalid_text == InvalidText::Replace {
                    self.changed += take(&mut invalid.0).len() as u64;
                }
                let mut text = StringBuilder::with_capacity(binary.len(), binary.value_data().len());
                binary.iter().for_each(|value| text.append_option(value.map(String::from_utf8_lossy)));
                Ok((Arc::new(text.finish()), invalid))
            }
            other => {
                let array =
                    each!(other, builder => Arc::new(builder.finish()) as ArrayRef, nested => return nested.finish());
                Ok((array, Invalid::default()))
            }
        }
    }
}

#[inline]
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], ValueError> {
    bytes.try_into().map_err(|_| ValueError::malformed(format!("has {} bytes where its type has {N}", bytes.len())))
}
