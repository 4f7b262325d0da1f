//! The types that a column can have, by the names that Athena has for them.

use arrow_schema::{DataType, Field, Fields, TimeUnit};
use std::fmt;
use std::sync::Arc;

/// Digits of the longest decimal.
pub(crate) const LONGEST_DECIMAL: u32 = 38;

/// The type of a column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// `boolean`.
    Boolean,
    /// `int`: 32 bits.
    Int,
    /// `bigint`: 64 bits.
    Bigint,
    /// `float`: 32 bits.
    Float,
    /// `double`.
    Double,
    /// `decimal(p,s)`.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `date`.
    Date,
    /// `timestamp` or, for an instant, `timestamptz`.
    Timestamp {
        /// Whether it is an instant.
        utc: bool,
    },
    /// `varchar`.
    Text,
    /// Text that holds JSON.
    Json,
    /// `varbinary`, which only Parquet files have.
    Binary,
    /// `array(...)`.
    Array(Box<ColumnType>),
    /// `row(...)`: the name in the source, the name in the lake and the type of each member.
    Row(Vec<Member>),
}

/// A member of a [`ColumnType::Row`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its key in the source.
    pub name: String,
    /// Its name in the lake.
    pub lake_name: String,
    /// Its type.
    pub kind: ColumnType,
}

/// The words of a schema file, for messages.
pub(crate) const WORDS: &str =
    "boolean, int, bigint, float, double, decimal(p,s), date, timestamp, timestamptz, varchar";

impl ColumnType {
    /// From the words of a schema file.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "boolean" | "bool" => Self::Boolean,
            "int" | "integer" => Self::Int,
            "bigint" => Self::Bigint,
            "float" | "real" => Self::Float,
            "double" => Self::Double,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp { utc: false },
            "timestamptz" => Self::Timestamp { utc: true },
            "varchar" | "string" | "text" => Self::Text,
            _ => return decimal(&word),
        })
    }

    /// The nearest one to a type of the lake, for messages.
    pub(crate) fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Boolean => Self::Boolean,
            DataType::Int16 | DataType::Int32 => Self::Int,
            DataType::Int64 => Self::Bigint,
            DataType::Float32 => Self::Float,
            DataType::Float64 => Self::Double,
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale) => {
                Self::Decimal { precision: *precision, scale: scale.unsigned_abs() }
            }
            DataType::Date32 => Self::Date,
            DataType::Binary => Self::Binary,
            DataType::Timestamp(_, zone) => Self::Timestamp { utc: zone.is_some() },
            DataType::List(element) => Self::Array(Box::new(Self::of(element.data_type()))),
            DataType::Struct(members) => Self::Row(
                members
                    .iter()
                    .map(|member| Member {
                        name: member.name().clone(),
                        lake_name: member.name().clone(),
                        kind: Self::of(member.data_type()),
                    })
                    .collect(),
            ),
            _ => Self::Text,
        }
    }

    /// The Arrow type in which a column goes to the writer. Narrow decimals are what Parquet stores; the crate parquet
    /// gives 64 bits to a single digit too.
    pub(crate) fn arrow_type(&self, unit: TimeUnit) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::Bigint => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } => decimal_type(*precision, *scale),
            Self::Date => DataType::Date32,
            Self::Timestamp { utc } => DataType::Timestamp(unit, utc.then(|| Arc::from("UTC"))),
            Self::Text | Self::Json => DataType::Utf8,
            Self::Binary => DataType::Binary,
            Self::Array(element) => DataType::List(Arc::new(Field::new_list_field(element.arrow_type(unit), true))),
            Self::Row(members) => {
                let field = |member: &Member| Field::new(&member.lake_name, member.kind.arrow_type(unit), true);
                DataType::Struct(members.iter().map(field).collect::<Fields>())
            }
        }
    }
}

/// The Arrow type of a decimal, as narrow as its digits allow.
pub(crate) fn decimal_type(precision: u8, scale: u8) -> DataType {
    let small = i8::try_from(scale).unwrap_or(i8::MAX);
    match precision {
        2..=9 => DataType::Decimal32(precision, small),
        0..=18 => DataType::Decimal64(precision, small),
        _ => DataType::Decimal128(precision, small),
    }
}

fn decimal(word: &str) -> Option<ColumnType> {
    let inner = word.strip_prefix("decimal")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    let valid = (1..=LONGEST_DECIMAL).contains(&u32::from(precision)) && scale <= precision;
    valid.then_some(ColumnType::Decimal { precision, scale })
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => write!(f, "boolean"),
            Self::Int => write!(f, "int"),
            Self::Bigint => write!(f, "bigint"),
            Self::Float => write!(f, "float"),
            Self::Double => write!(f, "double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Date => write!(f, "date"),
            Self::Timestamp { utc: false } => write!(f, "timestamp"),
            Self::Timestamp { utc: true } => write!(f, "timestamptz"),
            Self::Text | Self::Json => write!(f, "varchar"),
            Self::Binary => write!(f, "varbinary"),
            Self::Array(element) => write!(f, "array({element})"),
            Self::Row(members) => {
                let members: Vec<String> =
                    members.iter().map(|member| format!("{} {}", member.lake_name, member.kind)).collect();
                write!(f, "row({})", members.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnType;

    #[test]
    fn the_words_of_a_schema_file() {
        for word in ["boolean", "int", "bigint", "float", "double", "decimal(18,2)", "date", "timestamp", "timestamptz"]
        {
            assert_eq!(ColumnType::parse(word).unwrap().to_string(), word);
        }
        assert_eq!(ColumnType::parse("DECIMAL (5)").unwrap().to_string(), "decimal(5,0)");
        for word in ["", "number", "decimal", "decimal(39,2)", "decimal(2,3)", "decimal(0,0)", "decimal(5,2"] {
            assert_eq!(ColumnType::parse(word), None, "{word}");
        }
    }
}
