//! One column's values on their way into an Arrow array.

use crate::table_plan::Decoding;
use crate::value::{Date, NumericError, Timestamp, jsonb_text, numeric_to_scale, uuid_text};
use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal32Builder, Decimal64Builder,
    Decimal128Builder, Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringArray,
    TimestampMillisecondBuilder,
};
use arrow::datatypes::DataType;
use std::str::from_utf8;
use std::sync::Arc;

/// Why a value has no place in its column. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ValueError(String);

impl ValueError {
    fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// Decodes one column. Text is validated once for a whole batch, in [`finish`](Self::finish).
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
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
    Timestamp(TimestampMillisecondBuilder),
    Uuid(BinaryBuilder),
    Text(BinaryBuilder),
    Jsonb(BinaryBuilder),
    Bytes(BinaryBuilder),
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
        let value = numeric_to_scale(bytes, self.scale).map_err(ValueError::new)?;
        if value.unsigned_abs() >= self.limit { Err(ValueError::new(NumericError::TooLarge)) } else { Ok(value) }
    }
}

/// Calls the same method of whichever builder it is.
macro_rules! each {
    ($self:expr, $builder:ident => $call:expr) => {
        match $self {
            ColumnBuilder::Bool($builder) => $call,
            ColumnBuilder::Int16($builder) => $call,
            ColumnBuilder::Int32($builder) => $call,
            ColumnBuilder::Int64($builder) | ColumnBuilder::Oid($builder) => $call,
            ColumnBuilder::Float32($builder) => $call,
            ColumnBuilder::Float64($builder) => $call,
            ColumnBuilder::Decimal32($builder, _) => $call,
            ColumnBuilder::Decimal64($builder, _) => $call,
            ColumnBuilder::Decimal128($builder, _) => $call,
            ColumnBuilder::Date($builder) => $call,
            ColumnBuilder::Timestamp($builder) => $call,
            ColumnBuilder::Uuid($builder)
            | ColumnBuilder::Text($builder)
            | ColumnBuilder::Jsonb($builder)
            | ColumnBuilder::Bytes($builder) => $call,
        }
    };
}

impl ColumnBuilder {
    /// A builder with room for `rows` values.
    pub(crate) fn new(decoding: Decoding, rows: usize) -> Self {
        let binary = || BinaryBuilder::with_capacity(rows, rows * 16);
        match decoding {
            Decoding::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            Decoding::Int16 => Self::Int16(Int16Builder::with_capacity(rows)),
            Decoding::Int32 => Self::Int32(Int32Builder::with_capacity(rows)),
            Decoding::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            Decoding::Oid => Self::Oid(Int64Builder::with_capacity(rows)),
            Decoding::Float32 => Self::Float32(Float32Builder::with_capacity(rows)),
            Decoding::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            Decoding::Decimal { precision, scale } => {
                Self::decimal(decoding.arrow_type(), DecimalType::new(precision, scale), rows)
            }
            Decoding::Date => Self::Date(Date32Builder::with_capacity(rows)),
            Decoding::Timestamp { .. } => {
                Self::Timestamp(TimestampMillisecondBuilder::with_capacity(rows).with_data_type(decoding.arrow_type()))
            }
            Decoding::Uuid => Self::Uuid(BinaryBuilder::with_capacity(rows, rows * 36)),
            Decoding::Text | Decoding::CastToText => Self::Text(binary()),
            Decoding::Jsonb => Self::Jsonb(binary()),
            Decoding::Bytes => Self::Bytes(binary()),
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

    /// Appends NULL.
    #[inline]
    pub(crate) fn append_null(&mut self) {
        each!(self, builder => builder.append_null());
    }

    /// Decodes and appends one value.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        match self {
            Self::Bool(builder) => builder.append_value(fixed::<1>(bytes)? != [0]),
            Self::Int16(builder) => builder.append_value(i16::from_be_bytes(fixed(bytes)?)),
            Self::Int32(builder) => builder.append_value(i32::from_be_bytes(fixed(bytes)?)),
            Self::Int64(builder) => builder.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Oid(builder) => builder.append_value(i64::from(u32::from_be_bytes(fixed(bytes)?))),
            Self::Float32(builder) => builder.append_value(f32::from_be_bytes(fixed(bytes)?)),
            Self::Float64(builder) => builder.append_value(f64::from_be_bytes(fixed(bytes)?)),
            Self::Decimal32(builder, decimal) => {
                builder.append_value(i32::try_from(decimal.decode(bytes)?).map_err(ValueError::new)?);
            }
            Self::Decimal64(builder, decimal) => {
                builder.append_value(i64::try_from(decimal.decode(bytes)?).map_err(ValueError::new)?);
            }
            Self::Decimal128(builder, decimal) => builder.append_value(decimal.decode(bytes)?),
            Self::Date(builder) => {
                let date = Date::from_wire(bytes).and_then(Date::to_days);
                builder.append_value(date.map_err(ValueError::new)?);
            }
            Self::Timestamp(builder) => {
                let timestamp = Timestamp::from_wire(bytes).and_then(Timestamp::to_millis);
                builder.append_value(timestamp.map_err(ValueError::new)?);
            }
            Self::Uuid(builder) => builder.append_value(uuid_text(&fixed(bytes)?)),
            Self::Text(builder) | Self::Bytes(builder) => builder.append_value(bytes),
            Self::Jsonb(builder) => builder.append_value(jsonb_text(bytes).map_err(ValueError::new)?),
        }
        Ok(())
    }

    /// The array of everything appended since the last call.
    ///
    /// # Errors
    /// Text that is not UTF-8, with the index of the first such value in the batch.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, (usize, ValueError)> {
        match self {
            Self::Text(builder) | Self::Jsonb(builder) | Self::Uuid(builder) => {
                let (offsets, values, nulls) = builder.finish().into_parts();
                match StringArray::try_new(offsets.clone(), values.clone(), nulls) {
                    Ok(text) => Ok(Arc::new(text)),
                    Err(_) => {
                        let invalid = |ends: &[i32]| from_utf8(&values[ends[0] as usize..ends[1] as usize]).is_err();
                        let row = offsets.windows(2).position(invalid).unwrap_or_default();
                        Err((row, ValueError("is not valid UTF-8".to_owned())))
                    }
                }
            }
            other => Ok(each!(other, builder => Arc::new(builder.finish()) as Arc<dyn Array>)),
        }
    }
}

#[inline]
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], ValueError> {
    bytes.try_into().map_err(|_| ValueError(format!("has {} bytes where its type has {N}", bytes.len())))
}
