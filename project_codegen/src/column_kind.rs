//! What a column is in Diesel's `table!`, in the row and in the record.

use project_postgres::catalog::CatalogColumn;
use project_postgres::catalog_type::CatalogType;
use project_postgres::{Decoding, Policies};

/// The ways of a column from the server into a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// The same type in the row and in the record: that of `table!`, that of both structs.
    Same(&'static str, &'static str),
    /// Four bytes without sign, eight with it.
    Oid,
    /// A numeric of at most 18 digits: an integer of minor units.
    Digits {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// A numeric that no integer holds: its digits as text.
    DecimalText,
    /// Days.
    Date,
    /// Milliseconds.
    Timestamp {
        /// An instant.
        utc: bool,
    },
    /// Text in a type of its own: that of `table!`, that of the row.
    Wrapped(&'static str, &'static str),
    /// Text that the server makes of a type that no field can hold.
    Cast,
}

/// Digits of the longest decimal that an `i64` holds whatever they are.
const MOST_DIGITS: u8 = 18;

impl ColumnKind {
    /// The kind of a column of the catalog; by the OIDs of `pg_type.dat`.
    pub(crate) fn of(column: &CatalogColumn) -> Self {
        match column.data_type.oid() {
            16 => Self::Same("Bool", "bool"),
            21 => Self::Same("Int2", "i16"),
            23 => Self::Same("Int4", "i32"),
            20 => Self::Same("Int8", "i64"),
            26 => Self::Oid,
            700 => Self::Same("Float4", "f32"),
            701 => Self::Same("Float8", "f64"),
            1700 => Self::of_numeric(&column.data_type),
            25 | 19 => Self::Same("Text", "String"),
            1043 => Self::Same("Varchar", "String"),
            1042 => Self::Same("Bpchar", "String"),
            17 => Self::Same("Bytea", "Vec<u8>"),
            1082 => Self::Date,
            1114 => Self::Timestamp { utc: false },
            1184 => Self::Timestamp { utc: true },
            2950 => Self::Wrapped("Uuid", "UuidText"),
            114 => Self::Wrapped("Json", "JsonText"),
            3802 => Self::Wrapped("Jsonb", "JsonText"),
            _ => Self::Cast,
        }
    }

    /// A numeric whose type does not say how many digits it has may have any number.
    fn of_numeric(data_type: &CatalogType) -> Self {
        let has_digits = matches!(data_type, CatalogType::Scalar { modifier: 4.., .. });
        match Decoding::of(data_type, Policies::EXACT) {
            Decoding::Decimal { precision: precision @ ..=MOST_DIGITS, scale } if has_digits => {
                // A scale is never below zero here.
                Self::Digits { precision, scale: scale.unsigned_abs() }
            }
            Decoding::Decimal { .. } => Self::DecimalText,
            _ => Self::Cast,
        }
    }

    /// The type in `table!`.
    pub(crate) fn diesel(self) -> &'static str {
        match self {
            Self::Same(diesel, _) | Self::Wrapped(diesel, _) => diesel,
            Self::Oid => "Oid",
            Self::Digits { .. } | Self::DecimalText => "Numeric",
            Self::Date => "Date",
            Self::Timestamp { utc: false } => "Timestamp",
            Self::Timestamp { utc: true } => "Timestamptz",
            Self::Cast => "AnyType",
        }
    }

    /// The type of the row's field.
    pub(crate) fn row(self) -> &'static str {
        match self {
            Self::Same(_, row) | Self::Wrapped(_, row) => row,
            Self::Oid => "Oid",
            Self::Digits { .. } | Self::DecimalText => "Decimal",
            Self::Date => "Date",
            Self::Timestamp { .. } => "Timestamp",
            Self::Cast => "CastText",
        }
    }

    /// The name of the row's type in `project_postgres::value`, if it comes from there.
    pub(crate) fn value_type(self) -> Option<&'static str> {
        (!matches!(self, Self::Same(..))).then(|| self.row())
    }

    /// The type of the record's field.
    pub(crate) fn record(self) -> &'static str {
        match self {
            Self::Same(_, same) => same,
            Self::Oid | Self::Digits { .. } | Self::Timestamp { .. } => "i64",
            Self::Date => "i32",
            Self::DecimalText | Self::Wrapped(..) | Self::Cast => "String",
        }
    }

    /// The logical type that the record lays over its integer, as an expression.
    pub(crate) fn logical(self) -> Option<String> {
        match self {
            Self::Digits { .. } => Some(format!("{}.logical()", self.digits()?)),
            Self::Date => Some("Logical::Date".to_owned()),
            Self::Timestamp { utc } => Some(format!("Logical::TimestampMillis {{ utc: {utc} }}")),
            _ => None,
        }
    }

    /// The name of the constant with its digits.
    pub(crate) fn digits(self) -> Option<String> {
        match self {
            Self::Digits { precision, scale } => Some(format!("NUMERIC_{precision}_{scale}")),
            _ => None,
        }
    }

    /// What the record's integer or text means, for its documentation.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Same(..) | Self::Oid | Self::Wrapped(..) => "",
            Self::Digits { .. } => ", in units of its last digit",
            Self::DecimalText => ", every digit as text",
            Self::Date => ", days since 1970-01-01",
            Self::Timestamp { utc: false } => ", milliseconds of a wall clock",
            Self::Timestamp { utc: true } => ", milliseconds since 1970-01-01 in UTC",
            Self::Cast => ", as the server writes it",
        }
    }

    /// What somebody has to know who has not looked into the files.
    pub(crate) fn note(self) -> Option<&'static str> {
        match self {
            Self::Cast => Some("no field can hold the type; it is read as the server writes it (::text)"),
            Self::DecimalText => Some(
                "a record holds at most 18 digits, and these may be more: it becomes text with every digit; for money, \
                 round it in into_record with project_schemas::money::MONEY",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnKind;
    use project_postgres::catalog::CatalogColumn;
    use project_postgres::catalog_type::CatalogType;
    use project_schemas::expected::Declaration;

    fn kind(data_type: CatalogType) -> ColumnKind {
        ColumnKind::of(&CatalogColumn { name: "c".into(), data_type, type_name: "t".into(), not_null: true })
    }

    fn numeric(precision: i32, scale: i32) -> ColumnKind {
        kind(CatalogType::Scalar { oid: 1700, modifier: ((precision << 16) | (scale & 0x7ff)) + 4 })
    }

    #[test]
    fn money_is_exact_in_an_integer_or_in_text() {
        assert_eq!(numeric(12, 2), ColumnKind::Digits { precision: 12, scale: 2 });
        assert_eq!(numeric(18, 0), ColumnKind::Digits { precision: 18, scale: 0 });
        assert_eq!(numeric(19, 2), ColumnKind::DecimalText);
        assert_eq!(numeric(5, -2), ColumnKind::Digits { precision: 7, scale: 0 });
        assert_eq!(numeric(3, 5), ColumnKind::Digits { precision: 5, scale: 5 });
        assert_eq!(numeric(40, 2), ColumnKind::Cast);
        assert_eq!(kind(CatalogType::Scalar { oid: 1700, modifier: -1 }), ColumnKind::DecimalText);
    }

    /// The check of a run suggests lines for the same types; both must mean the same.
    #[test]
    fn the_types_are_those_that_project_check_suggests() {
        for oid in [16, 21, 23, 20, 26, 700, 701, 1700, 25, 1043, 1042, 17, 1082, 1114, 1184, 2950, 114, 3802] {
            let kind = kind(CatalogType::Scalar { oid, modifier: -1 });
            assert_eq!(Declaration::Table.line("c", oid, false), Some(format!("c -> {},", kind.diesel())), "{oid}");
            assert_eq!(Declaration::Struct.line("c", oid, false), Some(format!("pub c: {},", kind.row())), "{oid}");
        }
        for other in [CatalogType::Scalar { oid: 790, modifier: -1 }, CatalogType::Enum, CatalogType::Hstore] {
            assert_eq!(kind(other), ColumnKind::Cast);
        }
    }
}
