//! The type table: how the binary form of each Postgres type is read, and what it becomes.

use crate::catalog_type::{CatalogAttribute, CatalogType};
use crate::policy::{AnyNumeric, Arrays, InvalidText, NotANumber, Policies, TimestampUnit};
use crate::sql::quote_identifier;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use project_parquet::lake_name;
use std::collections::HashSet;
use std::sync::Arc;

/// How the binary form of a value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoding {
    /// One byte.
    Bool,
    /// Two bytes.
    Int16,
    /// Four bytes.
    Int32,
    /// Eight bytes.
    Int64,
    /// Four bytes without sign; Parquet readers agree on signed integers only, so it becomes eight.
    Oid,
    /// Four bytes.
    Float32,
    /// Eight bytes.
    Float64,
    /// A numeric whose type fixes precision and scale.
    Decimal {
        /// Digits in all, at most 38.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// Days.
    Date,
    /// Microseconds, kept as they are or as milliseconds.
    Timestamp {
        /// `timestamptz`, an instant.
        utc: bool,
        /// What it is kept in.
        unit: TimestampUnit,
    },
    /// A time of day, kept as text: 24:00 has a place in no other type.
    Time,
    /// A time of day with its offset, kept as text.
    TimeWithOffset,
    /// Months, days and microseconds, which do not add up to one number; kept as text.
    Interval,
    /// Sixteen bytes, kept as text.
    Uuid,
    /// UTF-8.
    Text,
    /// A version byte, then UTF-8.
    Jsonb,
    /// Bytes as they are.
    Bytes,
    /// Any other type, through its cast to text.
    CastToText,
    /// An array as a LIST.
    List(Box<Self>),
    /// A composite type as a group.
    Struct(Vec<Member>),
    /// A range as a group of its bounds and what is true of them.
    Range(Box<Self>),
    /// A LIST of ranges.
    Multirange(Box<Self>),
    /// Keys and values of an hstore.
    Map,
}

/// An attribute of a composite type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Name in Postgres.
    pub name: String,
    /// Name in the lake.
    pub lake_name: String,
    /// How its bytes are read.
    pub decoding: Decoding,
}

impl Decoding {
    /// What a type becomes.
    pub fn of(data_type: &CatalogType, policies: Policies) -> Self {
        match data_type {
            CatalogType::Scalar { oid, modifier } => Self::of_scalar(*oid, *modifier, policies),
            CatalogType::Enum => Self::of_text(policies),
            CatalogType::Hstore => Self::Map,
            CatalogType::Array(_) if policies.arrays == Arrays::Text => Self::CastToText,
            CatalogType::Array(element) => match Self::of(element, policies) {
                // Elements can be cast in one go, but what is inside of them cannot.
                element if element.needs_cast() && element != Self::CastToText => Self::CastToText,
                element => Self::List(Box::new(element)),
            },
            CatalogType::Composite(attributes) => Self::of_composite(attributes, policies),
            CatalogType::Range(of) => Self::of_range(of, policies, Self::Range),
            CatalogType::Multirange(of) => Self::of_range(of, policies, Self::Multirange),
        }
    }

    /// By the OIDs of `pg_type.dat`.
    fn of_scalar(oid: u32, modifier: i32, policies: Policies) -> Self {
        let unit = policies.timestamp_unit;
        match oid {
            16 => Self::Bool,
            21 => Self::Int16,
            23 => Self::Int32,
            20 => Self::Int64,
            26 => Self::Oid,
            700 => Self::Float32,
            701 => Self::Float64,
            1700 if policies.not_a_number == NotANumber::Text => Self::CastToText,
            1700 => Self::of_numeric(modifier, policies.any_numeric),
            1082 => Self::Date,
            1114 => Self::Timestamp { utc: false, unit },
            1184 => Self::Timestamp { utc: true, unit },
            1083 => Self::Time,
            1266 => Self::TimeWithOffset,
            1186 => Self::Interval,
            2950 => Self::Uuid,
            // text, varchar, char(n), name, json
            25 | 1043 | 1042 | 19 | 114 => Self::of_text(policies),
            3802 => Self::Jsonb,
            17 => Self::Bytes,
            _ => Self::CastToText,
        }
    }

    fn of_text(policies: Policies) -> Self {
        match policies.invalid_text {
            InvalidText::Binary => Self::Bytes,
            InvalidText::Error | InvalidText::Replace => Self::Text,
        }
    }

    /// `numeric(p,s)` packs both into the modifier; the scale is an 11-bit signed number (postgres, `numeric.c`).
    fn of_numeric(modifier: i32, without: AnyNumeric) -> Self {
        let Some(packed) = modifier.checked_sub(4).filter(|packed| *packed >= 0) else {
            return match without {
                // A scale is never above 38.
                AnyNumeric::Decimal { precision, scale } => Self::Decimal { precision, scale: scale as i8 },
                AnyNumeric::Text => Self::CastToText,
            };
        };
        let (precision, scale) = (packed >> 16 & 0xffff, (packed & 0x7ff ^ 0x400) - 0x400);
        // numeric(5,-2) holds up to seven digits before the point; numeric(3,5) has five after it.
        let (precision, scale) = (precision.max(scale) - scale.min(0), scale.max(0));
        match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale)) => Self::Decimal { precision, scale },
            _ => Self::CastToText,
        }
    }

    /// Text when there is nothing to make a group of, or two names would be the same in the lake.
    fn of_composite(attributes: &[CatalogAttribute], policies: Policies) -> Self {
        let members: Vec<Member> = attributes
            .iter()
            .map(|attribute| Member {
                name: attribute.name.clone(),
                lake_name: lake_name(&attribute.name),
                decoding: Self::of(&attribute.data_type, policies),
            })
            .collect();
        let names: HashSet<&str> = members.iter().map(|member| member.lake_name.as_str()).collect();
        if names.is_empty() || names.len() < members.len() { Self::CastToText } else { Self::Struct(members) }
    }

    fn of_range(of: &CatalogType, policies: Policies, range: fn(Box<Self>) -> Self) -> Self {
        match Self::of(of, policies) {
            bound if bound.needs_cast() => Self::CastToText,
            bound => range(Box::new(bound)),
        }
    }

    /// Whether the server has to turn it, or a part of it, into text.
    fn needs_cast(&self) -> bool {
        match self {
            Self::CastToText => true,
            Self::List(element) => element.needs_cast(),
            Self::Struct(members) => members.iter().any(|member| member.decoding.needs_cast()),
            _ => false,
        }
    }

    /// What has to be selected for a value of this kind; `value` is an expression that gives it.
    pub(crate) fn expression(&self, value: &str) -> String {
        match self {
            Self::CastToText => format!("{value}::pg_catalog.text"),
            Self::List(element) if element.needs_cast() => format!("{value}::pg_catalog.text[]"),
            Self::Struct(members) if self.needs_cast() => {
                let member = |member: &Member| {
                    member.decoding.expression(&format!("({value}).{}", quote_identifier(&member.name)))
                };
                let members: Vec<String> = members.iter().map(member).collect();
                // A row of nothing but NULL is not NULL.
                format!("CASE WHEN {value} IS DISTINCT FROM NULL THEN ROW({}) END", members.join(", "))
            }
            _ => value.to_owned(),
        }
    }

    /// Whether values have no natural bound of their size.
    pub(crate) fn is_unbounded(&self) -> bool {
        let leaf = matches!(self, Self::Text | Self::Jsonb | Self::CastToText | Self::Bytes);
        leaf || matches!(self, Self::List(_) | Self::Struct(_) | Self::Range(_) | Self::Multirange(_) | Self::Map)
    }

    /// Calls `visit` for this decoding and all that it is made of.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        match self {
            Self::List(inner) | Self::Range(inner) | Self::Multirange(inner) => inner.walk(visit),
            Self::Struct(members) => members.iter().for_each(|member| member.decoding.walk(visit)),
            _ => {}
        }
    }

    /// The Arrow type, which the writer turns into the Parquet type of the same meaning.
    pub(crate) fn arrow_type(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 | Self::Oid => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            // Up to 18 digits Parquet stores 32 or 64 bits; the narrow Arrow type spares a pass over the values. The
            // crate parquet gives 64 bits to a single digit too.
            Self::Decimal { precision: precision @ 2..=9, scale } => DataType::Decimal32(*precision, *scale),
            Self::Decimal { precision: precision @ 0..=18, scale } => DataType::Decimal64(*precision, *scale),
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::Date => DataType::Date32,
            Self::Timestamp { utc, unit } => {
                let unit = match unit {
                    TimestampUnit::Millis => TimeUnit::Millisecond,
                    TimestampUnit::Micros => TimeUnit::Microsecond,
                };
                DataType::Timestamp(unit, utc.then(|| "UTC".into()))
            }
            Self::Uuid | Self::Text | Self::Jsonb | Self::CastToText => DataType::Utf8,
            Self::Time | Self::TimeWithOffset | Self::Interval => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::List(element) => DataType::List(element.element_field()),
            Self::Struct(members) => {
                let field = |member: &Member| Field::new(&member.lake_name, member.decoding.arrow_type(), true);
                DataType::Struct(members.iter().map(field).collect())
            }
            Self::Range(bound) => DataType::Struct(bound.range_fields()),
            Self::Multirange(bound) => DataType::List(Self::Range(bound.clone()).element_field()),
            Self::Map => {
                DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entry_fields()), false)), false)
            }
        }
    }

    /// Of a LIST of these.
    pub(crate) fn element_field(&self) -> Arc<Field> {
        Arc::new(Field::new("element", self.arrow_type(), true))
    }

    /// Of a range with such bounds. A bound that is missing is NULL.
    pub(crate) fn range_fields(&self) -> Fields {
        let bound = |name| Field::new(name, self.arrow_type(), true);
        let flag = |name| Field::new(name, DataType::Boolean, false);
        vec![bound("lower"), bound("upper"), flag("lower_inclusive"), flag("upper_inclusive"), flag("empty")].into()
    }
}

/// Of the entries of a map.
pub(crate) fn entry_fields() -> Fields {
    vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)].into()
}

#[cfg(test)]
mod tests {
    use super::{Decoding, Member};
    use crate::catalog_type::{CatalogAttribute, CatalogType};
    use crate::policy::{AnyNumeric, Arrays, Policies};

    const TEXT: CatalogType = CatalogType::Scalar { oid: 25, modifier: -1 };
    const MONEY: CatalogType = CatalogType::Scalar { oid: 790, modifier: -1 };

    fn of(data_type: &CatalogType) -> Decoding {
        Decoding::of(data_type, Policies::EXACT)
    }

    fn array(of: CatalogType) -> CatalogType {
        CatalogType::Array(Box::new(of))
    }

    fn composite(attributes: &[(&str, CatalogType)]) -> CatalogType {
        let attribute = |(name, data_type): &(&str, CatalogType)| CatalogAttribute {
            name: (*name).to_owned(),
            data_type: data_type.clone(),
        };
        CatalogType::Composite(attributes.iter().map(attribute).collect())
    }

    #[test]
    fn numeric_modifiers() {
        let modifier = |precision: i32, scale: i32| (precision << 16 | scale & 0x7ff) + 4;
        for (precision, scale, expected) in [
            (15, 2, Some((15, 2))),
            (38, 38, Some((38, 38))),
            (5, -2, Some((7, 0))),
            (3, 5, Some((5, 5))),
            (39, 0, None),
        ] {
            let expected =
                expected.map_or(Decoding::CastToText, |(precision, scale)| Decoding::Decimal { precision, scale });
            let found = Decoding::of_numeric(modifier(precision, scale), AnyNumeric::Text);
            assert_eq!(found, expected, "numeric({precision},{scale})");
        }
        assert_eq!(Decoding::of_numeric(-1, AnyNumeric::Text), Decoding::CastToText);
        let decimal = Decoding::Decimal { precision: 38, scale: 18 };
        assert_eq!(Decoding::of_numeric(-1, AnyNumeric::DECIMAL), decimal);
    }

    #[test]
    fn the_server_casts_as_little_as_it_can() {
        let pair = composite(&[("Id", TEXT), ("price", MONEY)]);
        for (data_type, expression) in [
            (array(TEXT), "x"),
            (array(MONEY), "x::pg_catalog.text[]"),
            (composite(&[("a", array(TEXT))]), "x"),
            (
                pair.clone(),
                "CASE WHEN x IS DISTINCT FROM NULL THEN ROW((x).\"Id\", (x).\"price\"::pg_catalog.text) END",
            ),
            (array(pair), "x::pg_catalog.text"),
            (array(array(MONEY)), "x::pg_catalog.text"),
            (CatalogType::Range(Box::new(MONEY)), "x::pg_catalog.text"),
        ] {
            assert_eq!(of(&data_type).expression("x"), expression, "{data_type:?}");
        }
    }

    #[test]
    fn names_that_fall_together_make_a_composite_text() {
        let member = Member { name: "Id".into(), lake_name: "id".into(), decoding: Decoding::Text };
        assert_eq!(of(&composite(&[("Id", TEXT)])), Decoding::Struct(vec![member]));
        assert_eq!(of(&composite(&[("Id", TEXT), ("id", TEXT)])), Decoding::CastToText);
        assert_eq!(of(&composite(&[])), Decoding::CastToText);
        let as_text = Policies { arrays: Arrays::Text, ..Policies::EXACT };
        assert_eq!(Decoding::of(&array(TEXT), as_text), Decoding::CastToText);
    }
}
