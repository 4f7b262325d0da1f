//! What a person should know of a column before it is read: its types, and what of its values is lost.

use crate::policy::{Infinity, InvalidText, NotANumber, TimestampUnit};
use crate::table_plan::{ColumnPlan, Decoding};

impl ColumnPlan {
    /// The Parquet type, as the documentation writes it.
    pub fn parquet_type(&self) -> String {
        match self.decoding {
            Decoding::Bool => "BOOLEAN".to_owned(),
            Decoding::Int16 => "INT32 INT(16)".to_owned(),
            Decoding::Int32 => "INT32".to_owned(),
            Decoding::Int64 | Decoding::Oid => "INT64".to_owned(),
            Decoding::Float32 => "FLOAT".to_owned(),
            Decoding::Float64 => "DOUBLE".to_owned(),
            Decoding::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
            Decoding::Date => "DATE".to_owned(),
            Decoding::Timestamp { utc, unit } => {
                let unit = match unit {
                    TimestampUnit::Millis => "MILLIS",
                    TimestampUnit::Micros => "MICROS",
                };
                format!("TIMESTAMP({unit}{})", if utc { ",UTC" } else { "" })
            }
            Decoding::Uuid | Decoding::Text | Decoding::Jsonb | Decoding::CastToText => "STRING".to_owned(),
            Decoding::Bytes => "BYTE_ARRAY".to_owned(),
        }
    }

    /// The type that Athena shows.
    pub fn athena_type(&self) -> String {
        match self.decoding {
            Decoding::Bool => "boolean".to_owned(),
            Decoding::Int16 => "smallint".to_owned(),
            Decoding::Int32 => "integer".to_owned(),
            Decoding::Int64 | Decoding::Oid => "bigint".to_owned(),
            Decoding::Float32 => "real".to_owned(),
            Decoding::Float64 => "double".to_owned(),
            Decoding::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Decoding::Date => "date".to_owned(),
            Decoding::Timestamp { .. } => "timestamp".to_owned(),
            Decoding::Uuid | Decoding::Text | Decoding::Jsonb | Decoding::CastToText => "varchar".to_owned(),
            Decoding::Bytes => "varbinary".to_owned(),
        }
    }

    /// What becomes of values that have no exact place; empty when every value arrives as it is.
    pub fn losses(&self) -> Vec<&'static str> {
        let mut losses = Vec::new();
        if let Decoding::Timestamp { unit: TimestampUnit::Millis, .. } = self.decoding {
            losses.push("microseconds are cut");
        }
        match self.decoding {
            Decoding::Date | Decoding::Timestamp { .. } => losses.push(match self.policies.infinity {
                Infinity::Clamp => "infinite or outside the years 1 to 9999: clamped",
                Infinity::Null => "infinite or outside the years 1 to 9999: NULL",
                Infinity::Error => "infinite or outside the years 1 to 9999: fails",
            }),
            Decoding::Decimal { .. } => {
                if self.decoding == Decoding::ANY_NUMERIC && self.type_name == "numeric" {
                    losses.push("more than 20 digits before or 18 after the point: fails");
                }
                losses.push(match self.policies.not_a_number {
                    NotANumber::Null => "NaN: NULL",
                    NotANumber::Error | NotANumber::Text => "NaN: fails",
                });
            }
            Decoding::CastToText => losses.push("the type is text"),
            Decoding::Text if self.policies.invalid_text == InvalidText::Replace => {
                losses.push("text that is not UTF-8: replaced");
            }
            _ => {}
        }
        losses
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policies;
    use crate::table_plan::{ColumnPlan, Decoding};

    fn losses(decoding: Decoding, policies: Policies) -> String {
        let type_name = "numeric".to_owned();
        let column =
            ColumnPlan { name: "c".into(), lake_name: "c".into(), type_name, decoding, not_null: false, policies };
        column.losses().join("; ")
    }

    #[test]
    fn every_loss_is_named_and_nothing_else() {
        assert_eq!(losses(Decoding::Int64, Policies::TOLERANT), "");
        assert!(losses(Decoding::Date, Policies::TOLERANT).ends_with("clamped"));
        assert!(losses(Decoding::Date, Policies::EXACT).ends_with("fails"));
        assert_eq!(losses(Decoding::Decimal { precision: 15, scale: 2 }, Policies::TOLERANT), "NaN: NULL");
        assert!(losses(Decoding::ANY_NUMERIC, Policies::EXACT).starts_with("more than 20 digits"));
        assert_eq!(losses(Decoding::CastToText, Policies::EXACT), "the type is text");
    }
}
