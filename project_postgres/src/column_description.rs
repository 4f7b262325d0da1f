//! What a person should know of a column before it is read: its types, and what of its values is lost.

use crate::decoding::{Decoding, Member};
use crate::policy::{Arrays, Infinity, InvalidText, NotANumber, TimestampUnit};
use crate::table_plan::ColumnPlan;

impl Decoding {
    /// The Parquet type, as the documentation writes it.
    fn parquet_type(&self) -> String {
        match self {
            Self::Bool => "BOOLEAN".to_owned(),
            Self::Int16 => "INT32 INT(16)".to_owned(),
            Self::Int32 => "INT32".to_owned(),
            Self::Int64 | Self::Oid => "INT64".to_owned(),
            Self::Float32 => "FLOAT".to_owned(),
            Self::Float64 => "DOUBLE".to_owned(),
            Self::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
            Self::Date => "DATE".to_owned(),
            Self::Timestamp { utc, unit } => {
                let unit = match unit {
                    TimestampUnit::Millis => "MILLIS",
                    TimestampUnit::Micros => "MICROS",
                };
                format!("TIMESTAMP({unit}{})", if *utc { ",UTC" } else { "" })
            }
            Self::Bytes => "BYTE_ARRAY".to_owned(),
            Self::List(element) => format!("LIST<{}>", element.parquet_type()),
            Self::Struct(members) => {
                let member = |member: &Member| format!("{}: {}", member.lake_name, member.decoding.parquet_type());
                format!("GROUP<{}>", joined(members.iter().map(member)))
            }
            Self::Range(bound) => format!("GROUP<lower, upper: {}; {FLAGS}: BOOLEAN>", bound.parquet_type()),
            Self::Multirange(bound) => format!("LIST<{}>", Self::Range(bound.clone()).parquet_type()),
            Self::Map => "MAP<STRING, STRING>".to_owned(),
            _ => "STRING".to_owned(),
        }
    }

    /// The type that Athena shows.
    fn athena_type(&self) -> String {
        match self {
            Self::Bool => "boolean".to_owned(),
            Self::Int16 => "smallint".to_owned(),
            Self::Int32 => "integer".to_owned(),
            Self::Int64 | Self::Oid => "bigint".to_owned(),
            Self::Float32 => "real".to_owned(),
            Self::Float64 => "double".to_owned(),
            Self::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Self::Date => "date".to_owned(),
            Self::Timestamp { .. } => "timestamp".to_owned(),
            Self::Bytes => "varbinary".to_owned(),
            Self::List(element) => format!("array({})", element.athena_type()),
            Self::Struct(members) => {
                let member = |member: &Member| format!("{} {}", member.lake_name, member.decoding.athena_type());
                format!("row({})", joined(members.iter().map(member)))
            }
            Self::Range(bound) => {
                let bound = bound.athena_type();
                let flags = FLAGS.split(", ").map(|flag| format!("{flag} boolean"));
                format!("row(lower {bound}, upper {bound}, {})", joined(flags))
            }
            Self::Multirange(bound) => format!("array({})", Self::Range(bound.clone()).athena_type()),
            Self::Map => "map(varchar, varchar)".to_owned(),
            _ => "varchar".to_owned(),
        }
    }

    /// What becomes of values that have no exact place, of this part alone.
    fn losses(&self, column: &ColumnPlan) -> Vec<&'static str> {
        let policies = &column.policies;
        let mut losses = Vec::new();
        if let Self::Timestamp { unit: TimestampUnit::Millis, .. } = self {
            losses.push("microseconds are cut");
        }
        match self {
            Self::Date | Self::Timestamp { .. } => losses.push(match policies.infinity {
                Infinity::Clamp => "infinite or outside the years 1 to 9999: clamped",
                Infinity::Null => "infinite or outside the years 1 to 9999: NULL",
                Infinity::Error => "infinite or outside the years 1 to 9999: fails",
            }),
            Self::Decimal { .. } => {
                // The type does not say how many digits there are.
                if !column.type_name.contains('(') {
                    losses.push("more digits before or after the point than the decimal has: fails");
                }
                losses.push(match policies.not_a_number {
                    NotANumber::Null => "NaN: NULL",
                    NotANumber::Error | NotANumber::Text => "NaN: fails",
                });
            }
            Self::List(_) => losses.push(match policies.arrays {
                Arrays::Flatten => "several dimensions or other subscripts: one plain list",
                Arrays::Error | Arrays::Text => "several dimensions or other subscripts: fails",
            }),
            Self::CastToText => losses.push("the type is text"),
            Self::Text | Self::Map if policies.invalid_text == InvalidText::Replace => {
                losses.push("text that is not UTF-8: replaced");
            }
            _ => {}
        }
        losses
    }
}

/// Of a range.
const FLAGS: &str = "lower_inclusive, upper_inclusive, empty";

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

impl ColumnPlan {
    /// The Parquet type, as the documentation writes it.
    pub fn parquet_type(&self) -> String {
        self.decoding.parquet_type()
    }

    /// The type that Athena shows.
    pub fn athena_type(&self) -> String {
        self.decoding.athena_type()
    }

    /// What becomes of values that have no exact place; empty when every value arrives as it is.
    pub fn losses(&self) -> Vec<&'static str> {
        let mut losses = Vec::new();
        self.decoding.walk(&mut |part| {
            let more: Vec<_> = part.losses(self).into_iter().filter(|loss| !losses.contains(loss)).collect();
            losses.extend(more);
        });
        losses
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog_type::CatalogType;
    use crate::decoding::{Decoding, Member};
    use crate::policy::Policies;
    use crate::table_plan::ColumnPlan;

    fn column_of(decoding: Decoding) -> ColumnPlan {
        ColumnPlan {
            name: "c".into(),
            lake_name: "c".into(),
            type_name: "t".into(),
            data_type: CatalogType::Enum,
            decoding,
            not_null: false,
            policies: Policies::EXACT,
        }
    }

    fn losses(decoding: Decoding, policies: Policies) -> String {
        let type_name = match decoding {
            Decoding::Decimal { scale: 2, .. } => "numeric(15,2)".to_owned(),
            _ => "numeric".to_owned(),
        };
        let column = ColumnPlan { type_name, policies, ..column_of(decoding) };
        column.losses().join("; ")
    }

    #[test]
    fn every_loss_is_named_and_nothing_else() {
        assert_eq!(losses(Decoding::Int64, Policies::TOLERANT), "");
        assert!(losses(Decoding::Date, Policies::TOLERANT).ends_with("clamped"));
        assert!(losses(Decoding::Date, Policies::EXACT).ends_with("fails"));
        assert_eq!(losses(Decoding::Decimal { precision: 15, scale: 2 }, Policies::TOLERANT), "NaN: NULL");
        let two_losses = "more digits before or after the point than the decimal has: fails; NaN: fails";
        assert_eq!(losses(Decoding::Decimal { precision: 38, scale: 18 }, Policies::EXACT), two_losses);
        assert_eq!(losses(Decoding::CastToText, Policies::EXACT), "the type is text");
        let dates = losses(Decoding::List(Box::new(Decoding::List(Box::new(Decoding::Date)))), Policies::EXACT);
        assert_eq!(dates.matches("several dimensions").count(), 1, "{dates}");
        assert!(dates.ends_with("1 to 9999: fails"), "{dates}");
    }

    #[test]
    fn what_a_type_is_made_of_is_spelled_out() {
        let range = Decoding::Multirange(Box::new(Decoding::Date));
        let flags = "lower_inclusive boolean, upper_inclusive boolean, empty boolean";
        assert_eq!(column_of(range).athena_type(), format!("array(row(lower date, upper date, {flags}))"));
        let member = Member { name: "A".into(), lake_name: "a".into(), decoding: Decoding::Map };
        let list = column_of(Decoding::List(Box::new(Decoding::Struct(vec![member]))));
        assert_eq!(list.parquet_type(), "LIST<GROUP<a: MAP<STRING, STRING>>>");
        assert_eq!(list.athena_type(), "array(row(a map(varchar, varchar)))");
    }
}
