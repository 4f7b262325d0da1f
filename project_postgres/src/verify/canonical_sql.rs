//! SQL for the value that a file should hold of a column: a number, or its canonical text.

use crate::catalog_type::CatalogType;
use crate::decoding::Decoding;
use crate::policy::{Infinity, NotANumber, Policies, TimestampUnit};
use crate::sql::{quote_identifier, quote_literal};
use crate::table_plan::ColumnPlan;
use project_parquet::proof::TextForm;

/// The encoding of the database, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerEncoding {
    /// The one of files.
    Utf8,
    /// Any bytes.
    SqlAscii,
    /// One that the server turns into UTF-8 when it sends text.
    Other,
}

impl ServerEncoding {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "UTF8" => Self::Utf8,
            "SQL_ASCII" => Self::SqlAscii,
            _ => Self::Other,
        }
    }

    pub(super) fn text_form(self) -> TextForm {
        match self {
            Self::Utf8 => TextForm::Plain,
            Self::SqlAscii | Self::Other => TextForm::Hex,
        }
    }

    /// What a STRING becomes.
    fn string(self, text: &str) -> String {
        match self.text_form() {
            TextForm::Plain => text.to_owned(),
            TextForm::Hex => self.hex(text),
        }
    }

    /// The digits of the bytes that a client gets. The encoding is spelled out: a parallel worker has no client.
    fn hex(self, text: &str) -> String {
        let sent_as = if self == Self::SqlAscii { "SQL_ASCII" } else { "UTF8" };
        format!("pg_catalog.encode(pg_catalog.convert_to({text}, '{sent_as}'), 'hex')")
    }
}

/// A value that a file should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Canonical {
    /// An expression of type int8 or numeric.
    Number(String),
    /// An expression of type text.
    Text(String),
}

/// For a column, or for what it is made of.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    decoding: &'a Decoding,
    data_type: &'a CatalogType,
    policies: &'a Policies,
    encoding: ServerEncoding,
}

/// The value that a file should hold of the column.
pub(super) fn canonical(column: &ColumnPlan, encoding: ServerEncoding) -> Canonical {
    let ColumnPlan { decoding, data_type, policies, .. } = column;
    let (part, value) = (Part { decoding, data_type, policies, encoding }, quote_identifier(&column.name));
    part.number(&value).map_or_else(|| Canonical::Text(part.text(&value)), Canonical::Number)
}

impl Part<'_> {
    /// Of integers and decimals.
    fn number(&self, value: &str) -> Option<String> {
        match self.decoding {
            Decoding::Int16 | Decoding::Int32 | Decoding::Int64 | Decoding::Oid => {
                Some(format!("{value}::pg_catalog.int8"))
            }
            Decoding::Decimal { scale, .. } => Some(self.decimal(value, *scale)),
            _ => None,
        }
    }

    /// With as many digits after the point as the file has, unless the value has more: nothing is rounded here.
    fn decimal(&self, value: &str, scale: i8) -> String {
        let exact = match self.data_type {
            // The type has seen to it.
            CatalogType::Scalar { modifier, .. } if *modifier >= 0 => value.to_owned(),
            _ => {
                let rounded = format!("pg_catalog.round({value}, {scale})");
                format!("(CASE WHEN {rounded} = {value} THEN {rounded} ELSE {value} END)")
            }
        };
        match self.policies.not_a_number {
            // NaN and the infinities are what leaves something when it is taken from itself. A literal of infinity
            // would be refused by the servers before 14.
            NotANumber::Null => format!("(CASE WHEN {value} - {value} = 0 THEN {exact} END)"),
            NotANumber::Error | NotANumber::Text => exact,
        }
    }

    /// The canonical text.
    fn text(&self, value: &str) -> String {
        if let Some(number) = self.number(value) {
            return format!("{number}::pg_catalog.text");
        }
        match self.decoding {
            Decoding::Bool => format!("{value}::pg_catalog.text"),
            Decoding::Float32 => format!("pg_catalog.encode(pg_catalog.float4send({value}), 'hex')"),
            Decoding::Float64 => format!("pg_catalog.encode(pg_catalog.float8send({value}), 'hex')"),
            Decoding::Date => {
                format!("{}::pg_catalog.text", self.within(value, "date", ["0001-01-01", "9999-12-31"]))
            }
            Decoding::Timestamp { utc, unit } => self.timestamp(value, *utc, *unit),
            Decoding::Bytes => match self.data_type {
                CatalogType::Scalar { oid: 17, .. } => format!("pg_catalog.encode({value}, 'hex')"),
                _ => self.encoding.hex(&self.string(value)),
            },
            Decoding::List(_) | Decoding::Struct(_) | Decoding::Range(_) | Decoding::Multirange(_) => {
                let parts = self.parts(value);
                // Looked at as a whole: a row of nothing but NULL is not NULL. OFFSET keeps the server from working
                // out each part twice.
                format!(
                    "(CASE WHEN {value} IS DISTINCT FROM NULL THEN coalesce((SELECT pg_catalog.string_agg(\
                     coalesce(pg_catalog.octet_length(c) || ':' || c, '-'), '') FROM ({parts} OFFSET 0) AS parts(c)), '') END)"
                )
            }
            _ => self.encoding.string(&self.string(value)),
        }
    }

    /// As the server sends it.
    fn string(&self, value: &str) -> String {
        match (self.decoding, self.data_type) {
            // A cast would take the blanks from the end of char(n), and somebody may have made one for an enum.
            (Decoding::Text | Decoding::Bytes, CatalogType::Scalar { oid: 1042, .. } | CatalogType::Enum) => {
                format!("(CASE WHEN {value} IS NOT NULL THEN pg_catalog.concat({value}) END)")
            }
            _ => format!("{value}::pg_catalog.text"),
        }
    }

    fn timestamp(&self, value: &str, utc: bool, unit: TimestampUnit) -> String {
        let (data_type, zone) = if utc { ("timestamptz", "+00") } else { ("timestamp", "") };
        let ends = ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"].map(|end| format!("{end}{zone}"));
        let kept = self.within(value, data_type, [&ends[0], &ends[1]]);
        match unit {
            TimestampUnit::Millis => format!("pg_catalog.date_trunc('milliseconds', {kept})::pg_catalog.text"),
            TimestampUnit::Micros => format!("{kept}::pg_catalog.text"),
        }
    }

    /// What the policy makes of a date or a timestamp. (`least` and `greatest` would make a date of NULL.)
    fn within(&self, value: &str, data_type: &str, ends: [&str; 2]) -> String {
        let [first, last] = ends.map(|end| format!("{}::pg_catalog.{data_type}", quote_literal(end)));
        match self.policies.infinity {
            Infinity::Clamp => {
                format!("(CASE WHEN {value} < {first} THEN {first} WHEN {value} > {last} THEN {last} ELSE {value} END)")
            }
            Infinity::Null => format!("(CASE WHEN {value} >= {first} AND {value} <= {last} THEN {value} END)"),
            Infinity::Error => value.to_owned(),
        }
    }

    /// A query for the canonical texts of the parts of a value, in their order: an order that the server would not keep
    /// could only alarm, never hide anything.
    fn parts(&self, value: &str) -> String {
        match (self.decoding, self.data_type) {
            (Decoding::List(element), CatalogType::Array(of)) => self.elements(value, element, of),
            (Decoding::Multirange(bound), CatalogType::Multirange(of)) => {
                self.elements(value, &Decoding::Range(bound.clone()), &CatalogType::Range(of.clone()))
            }
            (Decoding::Struct(members), CatalogType::Composite(attributes)) => {
                let members = members.iter().zip(attributes).map(|(member, attribute)| {
                    let part = Part { decoding: &member.decoding, data_type: &attribute.data_type, ..*self };
                    part.text(&format!("({value}).{}", quote_identifier(&attribute.name)))
                });
                rows(members)
            }
            (Decoding::Range(bound), CatalogType::Range(of)) => {
                let bound = Part { decoding: bound, data_type: of, ..*self };
                let bounds = ["lower", "upper"].map(|end| bound.text(&format!("pg_catalog.{end}({value})")));
                let flags = ["lower_inc", "upper_inc", "isempty"]
                    .map(|flag| format!("pg_catalog.{flag}({value})::pg_catalog.text"));
                rows(bounds.into_iter().chain(flags))
            }
            // The plan was made of this very type, so that there is nothing else.
            _ => rows([format!("{value}::pg_catalog.text")].into_iter()),
        }
    }

    fn elements(&self, value: &str, decoding: &Decoding, data_type: &CatalogType) -> String {
        let element = Part { decoding, data_type, ..*self }.text("e");
        format!("SELECT {element} FROM (SELECT pg_catalog.unnest({value}) AS e) AS elements")
    }
}

fn rows(values: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = values.map(|value| format!("({value})")).collect();
    format!("VALUES {}", rows.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Canonical, ServerEncoding, canonical};
    use crate::catalog_type::{CatalogAttribute, CatalogType};
    use crate::decoding::Decoding;
    use crate::policy::Policies;
    use crate::table_plan::ColumnPlan;

    fn of(data_type: CatalogType, policies: Policies, encoding: ServerEncoding) -> Canonical {
        let column = ColumnPlan {
            name: "it".into(),
            lake_name: "it".into(),
            type_name: "test".into(),
            decoding: Decoding::of(&data_type, policies),
            data_type,
            not_null: false,
            policies,
        };
        canonical(&column, encoding)
    }

    fn scalar(oid: u32, modifier: i32) -> CatalogType {
        CatalogType::Scalar { oid, modifier }
    }

    #[test]
    fn numbers_stay_numbers_and_only_what_has_no_scale_is_given_one() {
        let exact = |data_type| of(data_type, Policies::EXACT, ServerEncoding::Utf8);
        assert_eq!(exact(scalar(23, -1)), Canonical::Number("\"it\"::pg_catalog.int8".into()));
        assert_eq!(exact(scalar(1700, (15 << 16 | 2) + 4)), Canonical::Number("\"it\"".into()));
        let rounded =
            "(CASE WHEN pg_catalog.round(\"it\", 18) = \"it\" THEN pg_catalog.round(\"it\", 18) ELSE \"it\" END)";
        assert_eq!(exact(scalar(1700, -1)), Canonical::Number(rounded.into()));
    }

    #[test]
    fn text_of_another_encoding_is_compared_by_its_digits() {
        let text = |encoding| of(scalar(25, -1), Policies::EXACT, encoding);
        assert_eq!(text(ServerEncoding::Utf8), Canonical::Text("\"it\"::pg_catalog.text".into()));
        for (encoding, sent_as) in [(ServerEncoding::of("LATIN1"), "UTF8"), (ServerEncoding::SqlAscii, "SQL_ASCII")] {
            let digits = "pg_catalog.encode(pg_catalog.convert_to(\"it\"::pg_catalog.text, ";
            assert_eq!(text(encoding), Canonical::Text(format!("{digits}'{sent_as}'), 'hex')")));
        }
    }

    #[test]
    fn hostile_names_of_attributes_stay_names() {
        let attribute = CatalogAttribute { name: "a\"; DROP TABLE t; --".into(), data_type: scalar(25, -1) };
        let group = of(CatalogType::Composite(vec![attribute]), Policies::EXACT, ServerEncoding::Utf8);
        let Canonical::Text(sql) = group else { panic!("{group:?}") };
        assert!(sql.contains("(VALUES ((\"it\").\"a\"\"; DROP TABLE t; --\"::pg_catalog.text) OFFSET 0)"), "{sql}");
    }
}
