//! Types without parts, and any value of them.

use super::random::Random;

/// Microseconds from 0001-01-01 to the end of 9998. A range of dates that includes the last day of 9999 ends beyond it.
const MOST_MICROS: i64 = 315_506_016_000_000_000;

/// A type without parts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric {
        precision: i64,
        scale: i64,
    },
    AnyNumeric,
    Date,
    /// In milliseconds, else in microseconds.
    Timestamp {
        utc: bool,
        millis: bool,
    },
    Time,
    TimeWithOffset,
    Interval,
    Uuid,
    Text,
    Varchar(u64),
    Char(u64),
    Bytes,
    Json,
    Jsonb,
    Mood,
    Hstore,
    Money,
    Network,
    Bits,
    Words,
}

impl Scalar {
    pub(crate) fn random(random: &mut Random, millis: bool) -> Self {
        let precision = random.between(1, 45);
        match random.below(30) {
            0 => Self::Bool,
            1 => Self::Int2,
            2 => Self::Int4,
            3 => Self::Int8,
            4 => Self::Oid,
            5 => Self::Float4,
            6 => Self::Float8,
            7..=9 => Self::Numeric { precision, scale: random.between(-3, precision + 3) },
            10 => Self::AnyNumeric,
            11 => Self::Date,
            12 => Self::Timestamp { utc: false, millis },
            13 => Self::Timestamp { utc: true, millis },
            14 => Self::Time,
            15 => Self::TimeWithOffset,
            16 => Self::Interval,
            17 => Self::Uuid,
            18 => Self::Varchar(random.below(8) + 1),
            19 => Self::Char(random.below(8) + 1),
            20 => Self::Bytes,
            21 => Self::Json,
            22 => Self::Jsonb,
            23 => Self::Mood,
            24 => Self::Hstore,
            25 => Self::Money,
            26 => Self::Network,
            27 => Self::Bits,
            28 => Self::Words,
            _ => Self::Text,
        }
    }

    pub(crate) fn sql_type(self) -> String {
        let name = match self {
            Self::Bool => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Oid => "oid",
            Self::Float4 => "float4",
            Self::Float8 => "float8",
            Self::Numeric { precision, scale } => return format!("numeric({precision},{scale})"),
            Self::AnyNumeric => "numeric",
            Self::Date => "date",
            Self::Timestamp { utc, millis } => {
                let digits = if millis { 3 } else { 6 };
                return format!("timestamp({digits}) {} time zone", if utc { "with" } else { "without" });
            }
            Self::Time => "time",
            Self::TimeWithOffset => "timetz",
            Self::Interval => "interval",
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Varchar(length) => return format!("varchar({length})"),
            Self::Char(length) => return format!("char({length})"),
            Self::Bytes => "bytea",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
            Self::Mood => "public.mood",
            Self::Hstore => "public.hstore",
            Self::Money => "money",
            Self::Network => "cidr",
            Self::Bits => "varbit",
            Self::Words => "tsvector",
        };
        name.to_owned()
    }

    /// Any value, as an expression in SQL.
    pub(crate) fn value(self, random: &mut Random) -> String {
        let value = match self {
            Self::Hstore => hstore(random),
            Self::Words => format!("array_to_tsvector(ARRAY[{}])", quoted(&format!("w{}", random.text(6)))),
            Self::Date => format!("date '0001-01-01' + {}", random.below(3_651_000)),
            Self::Timestamp { utc: true, millis } => {
                format!("timestamptz '0001-01-01 00:00Z' + {}", micros(random, millis))
            }
            Self::Timestamp { utc: false, millis } => format!("timestamp '0001-01-01' + {}", micros(random, millis)),
            _ => quoted(&self.input(random)),
        };
        format!("({value})::{}", self.sql_type())
    }

    /// Any value, as a person types it.
    fn input(self, random: &mut Random) -> String {
        // Half of the integers are small, so that values come more than once.
        let shift = random.pick(&[0, 56]);
        match self {
            Self::Bool => random.chance(50).to_string(),
            Self::Int2 => (random.bits() as i16).to_string(),
            Self::Int4 => (random.bits() as i32 >> (shift / 2)).to_string(),
            Self::Int8 => (random.bits() as i64 >> shift).to_string(),
            Self::Oid => (random.bits() as u32 >> (shift / 2)).to_string(),
            Self::Float4 => float(f64::from(f32::from_bits(random.bits() as u32)), random),
            Self::Float8 => float(f64::from_bits(random.bits()), random),
            Self::Numeric { precision, scale } => numeric(random, precision, scale),
            // All its digits, so that DECIMAL(38,18) shows no more of them.
            Self::AnyNumeric => format!("{}{}.{}", sign(random), random.below(1 << 60), random.digits(18)),
            Self::Time => time(random),
            Self::TimeWithOffset => {
                let sign = random.pick(&['+', '-']);
                format!("{}{sign}{:02}:{:02}:{:02}", time(random), random.below(16), random.below(60), random.below(60))
            }
            Self::Interval => {
                let (months, days) = (random.between(-5000, 5000), random.between(-40, 40));
                format!(
                    "{months} months {days} days {} microseconds",
                    random.between(-1_000_000_000_000, 1_000_000_000_000)
                )
            }
            Self::Uuid => format!("{:016x}{:016x}", random.bits(), random.bits()),
            Self::Varchar(longest) | Self::Char(longest) => {
                random.text(longest).chars().take(longest as usize).collect()
            }
            Self::Bytes => {
                let length = random.below(12);
                let hex: String = (0..length).map(|_| format!("{:02x}", random.below(256))).collect();
                format!("\\x{hex}")
            }
            Self::Json | Self::Jsonb => document(random, 2),
            Self::Mood => random.pick(&["", "sad", "so, \"so\"", "NULL", "Ω"]).to_owned(),
            Self::Money => format!("{}{}.{}", sign(random), random.below(1 << 50), random.digits(2)),
            Self::Network => format!("{}.{}.0.0/16", random.below(256), random.below(256)),
            Self::Bits => {
                let length = random.below(70);
                (0..length).map(|_| if random.chance(50) { '1' } else { '0' }).collect()
            }
            _ => random.text(20),
        }
    }
}

/// Text as SQL.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn sign(random: &mut Random) -> &'static str {
    random.pick(&["", "-"])
}

fn micros(random: &mut Random, millis: bool) -> String {
    let micros = random.between(0, MOST_MICROS);
    let micros = if millis { micros / 1000 * 1000 } else { micros };
    format!("interval '{micros} microseconds'")
}

fn float(any: f64, random: &mut Random) -> String {
    let near = random.between(-1000, 1000) as f64 / 8.0;
    let value = random.pick(&[any, any, near, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    if value.is_nan() { "NaN".to_owned() } else { format!("{value:e}").replace("inf", "Infinity") }
}

fn numeric(random: &mut Random, precision: i64, scale: i64) -> String {
    let count = random.between(1, precision) as usize;
    let digits = random.digits(count);
    let point = format!("{}{digits}e{}", sign(random), -scale);
    // Short ones, and zeros at both ends.
    if random.chance(20) { format!("{}1e{}", sign(random), -scale) } else { point }
}

fn time(random: &mut Random) -> String {
    if random.chance(10) {
        return "24:00:00".to_owned();
    }
    let fraction = random.pick(&["", ".5", ".000001", ".999999"]);
    format!("{:02}:{:02}:{:02}{fraction}", random.below(24), random.below(60), random.below(60))
}

fn hstore(random: &mut Random) -> String {
    let pairs = random.below(4);
    let keys: Vec<String> = (0..pairs).map(|_| quoted(&random.text(5))).collect();
    let value = |random: &mut Random| if random.chance(20) { "NULL".to_owned() } else { quoted(&random.text(5)) };
    let values: Vec<String> = (0..pairs).map(|_| value(random)).collect();
    format!("public.hstore(ARRAY[{}]::text[], ARRAY[{}]::text[])", keys.join(","), values.join(","))
}

fn document(random: &mut Random, depth: u32) -> String {
    let spaces = random.pick(&["", " "]);
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0 => random.pick(&["null", "true", "false"]).to_owned(),
        1 => format!("{}{}.{}", sign(random), random.below(1 << 60), random.digits(20)),
        2 => format!("{}{}", sign(random), random.bits()),
        3 => serde_json::Value::from(random.text(8)).to_string(),
        4 => format!("[{0},{spaces}{1}]", document(random, depth - 1), document(random, depth - 1)),
        _ => {
            let (key, value) = (serde_json::Value::from(random.text(4)), document(random, depth - 1));
            format!("{{{key}:{spaces}{value}, {key}{spaces}: 1}}")
        }
    }
}
