//! Any type, and any value of it.

use super::random::Random;
use super::scalar::Scalar;

/// A type.
#[derive(Debug)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Array(Box<Self>),
    /// The name, and the types of the attributes.
    Composite(String, Vec<Self>),
    /// The name, and what it stands for.
    Domain(String, Box<Self>),
    /// The name, and the type of the bounds.
    Range(&'static str, Scalar),
    /// The same for several ranges.
    Multirange(&'static str, Scalar),
}

/// Types that had to be created, in their order.
#[derive(Debug, Default)]
pub(crate) struct NewTypes {
    /// As it stands in SQL.
    pub(crate) schema: String,
    /// Statements.
    pub(crate) sql: Vec<String>,
}

impl NewTypes {
    fn name(&self) -> String {
        format!("{}.\"Type, no. {}\"", self.schema, self.sql.len())
    }
}

/// Words that a name may stumble over. A tab is as far as it goes: the name stands in the text of a test's failure.
const NAMES: [&str; 12] =
    ["Id", "select", "two words", "quo\"te", "dot.ted", "ünï", "漢字", "100%", "semi;colon", "ta\tb", "it's", "\\"];

/// A name that no other has with the same number.
pub(crate) fn odd_name(random: &mut Random, number: usize) -> String {
    format!("{}_{number}", random.pick(&NAMES))
}

/// An identifier in SQL.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Kind {
    /// For a column. A multirange stands for itself only: within something else no reader can tell it from an array.
    pub(crate) fn of_column(random: &mut Random, types: &mut NewTypes, millis: bool) -> Self {
        if random.chance(5) {
            let (name, bound) = range(random, millis);
            return Self::Multirange(name, bound);
        }
        Self::random(random, types, millis, 3)
    }

    fn random(random: &mut Random, types: &mut NewTypes, millis: bool, depth: u32) -> Self {
        let choice = if depth == 0 { 0 } else { random.below(100) };
        match choice {
            0..=49 => Self::Scalar(Scalar::random(random, millis)),
            50..=69 => Self::Array(Box::new(Self::element(random, types, millis, depth - 1))),
            70..=84 => {
                let count = random.below(4) + 1;
                let members = (0..count).map(|_| Self::random(random, types, millis, depth - 1)).collect();
                let name = types.name();
                let composite = Self::Composite(name, members);
                types.sql.push(composite.definition(random));
                composite
            }
            85..=92 => {
                let base = Self::random(random, types, millis, depth - 1);
                let domain = Self::Domain(types.name(), Box::new(base));
                types.sql.push(domain.definition(random));
                domain
            }
            _ => {
                let (name, bound) = range(random, millis);
                Self::Range(name, bound)
            }
        }
    }

    /// Anything but an array, which in an array would be another dimension.
    fn element(random: &mut Random, types: &mut NewTypes, millis: bool, depth: u32) -> Self {
        match Self::random(random, types, millis, depth) {
            Self::Array(element) => *element,
            other => other,
        }
    }

    fn definition(&self, random: &mut Random) -> String {
        match self {
            Self::Composite(name, members) => {
                let member =
                    |(at, kind): (usize, &Self)| format!("{} {}", identifier(&odd_name(random, at)), kind.sql_type());
                let members: Vec<String> = members.iter().enumerate().map(member).collect();
                format!("CREATE TYPE {name} AS ({})", members.join(", "))
            }
            Self::Domain(name, base) => format!("CREATE DOMAIN {name} AS {}", base.sql_type()),
            _ => String::new(),
        }
    }

    pub(crate) fn sql_type(&self) -> String {
        match self {
            Self::Scalar(scalar) => scalar.sql_type(),
            Self::Array(element) => format!("{}[]", element.sql_type()),
            Self::Composite(name, _) | Self::Domain(name, _) => name.clone(),
            Self::Range(name, _) => format!("{name}range"),
            Self::Multirange(name, _) => format!("{name}multirange"),
        }
    }

    /// Any value or NULL, as an expression in SQL.
    pub(crate) fn value_or_null(&self, random: &mut Random) -> String {
        if random.chance(15) { format!("NULL::{}", self.sql_type()) } else { self.value(random) }
    }

    /// Any value, as an expression in SQL.
    pub(crate) fn value(&self, random: &mut Random) -> String {
        match self {
            Self::Scalar(scalar) => scalar.value(random),
            Self::Array(element) => {
                let count = random.below(5);
                let elements: Vec<String> = (0..count).map(|_| element.value_or_null(random)).collect();
                format!("ARRAY[{}]::{}", elements.join(", "), self.sql_type())
            }
            Self::Composite(name, members) => {
                let values: Vec<String> = members.iter().map(|member| member.value_or_null(random)).collect();
                format!("ROW({})::{name}", values.join(", "))
            }
            Self::Domain(name, base) => format!("({})::{name}", base.value(random)),
            Self::Range(name, bound) => range_value(random, name, *bound),
            Self::Multirange(name, bound) => {
                let count = random.below(3);
                let ranges: Vec<String> = (0..count).map(|_| range_value(random, name, *bound)).collect();
                format!("{name}multirange({})", ranges.join(", "))
            }
        }
    }

    /// What the lake must show: what Postgres prints, but for a multirange the array of its ranges.
    pub(crate) fn shown(&self, column: &str) -> String {
        match self {
            Self::Multirange(..) => format!("CASE WHEN {column} IS NOT NULL THEN ARRAY(SELECT unnest({column})) END"),
            _ => column.to_owned(),
        }
    }
}

fn range(random: &mut Random, millis: bool) -> (&'static str, Scalar) {
    random.pick(&[
        ("int4", Scalar::Int4),
        ("int8", Scalar::Int8),
        ("num", Scalar::AnyNumeric),
        ("date", Scalar::Date),
        ("ts", Scalar::Timestamp { utc: false, millis }),
        ("tstz", Scalar::Timestamp { utc: true, millis }),
        ("public.text", Scalar::Text),
        ("public.float", Scalar::Float8),
    ])
}

fn range_value(random: &mut Random, name: &str, bound: Scalar) -> String {
    let (one, other) = (bound.value(random), bound.value(random));
    let flags = random.pick(&["[]", "[)", "(]", "()"]);
    match random.below(10) {
        0 => format!("{name}range 'empty'"),
        1 => format!("{name}range({one}, NULL, '{flags}')"),
        2 => format!("{name}range(NULL, {one}, '{flags}')"),
        3 => format!("{name}range(NULL, NULL)"),
        _ => format!("{name}range(least({one}, {other}), greatest({one}, {other}), '{flags}')"),
    }
}
