//! What a column of the target takes, as far as encoding a value for it is concerned.

/// A type of the server, domains resolved to the type below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// With precision and scale, if it was declared with them.
    Numeric(Option<NumericLimits>),
    Date,
    Timestamp,
    Time,
    /// Any type whose binary form is its text: text, varchar, char(n), name, json, enums.
    Text,
    Jsonb,
    Bytea,
    Uuid,
    /// Any other type; the server reads its text form.
    ByText,
    /// An array of a type that is no array.
    Array {
        element: Box<Self>,
        element_oid: u32,
    },
}

/// `numeric(precision, scale)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumericLimits {
    pub(crate) precision: u32,
    pub(crate) scale: i32,
}

impl ColumnType {
    /// From `pg_type.oid`, `pg_type.typtype` and the modifier of the type below all domains.
    pub(crate) fn of(oid: u32, kind: &str, modifier: i32) -> Self {
        match oid {
            16 => Self::Bool,
            17 => Self::Bytea,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            26 => Self::Oid,
            700 => Self::Float4,
            701 => Self::Float8,
            19 | 25 | 114 | 1042 | 1043 => Self::Text,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 | 1184 => Self::Timestamp,
            1700 => Self::Numeric(NumericLimits::of_modifier(modifier)),
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ if kind == "e" => Self::Text,
            _ => Self::ByText,
        }
    }

    /// Whether every value has a binary form of ours.
    pub(crate) fn is_binary(&self) -> bool {
        match self {
            Self::ByText => false,
            Self::Array { element, .. } => element.is_binary(),
            _ => true,
        }
    }
}

impl NumericLimits {
    /// As the server packs it; a scale may be negative since Postgres 15.
    fn of_modifier(modifier: i32) -> Option<Self> {
        let packed = u32::try_from(modifier.checked_sub(4)?).ok()?;
        let scale = i32::try_from(packed & 0x7ff).ok()?;
        Some(Self { precision: (packed >> 16) & 0xffff, scale: (scale ^ 1024) - 1024 })
    }
}

#[cfg(test)]
mod tests {
    use super::NumericLimits;

    #[test]
    fn modifiers_are_unpacked() {
        let limits = |precision, scale| Some(NumericLimits { precision, scale });
        assert_eq!(NumericLimits::of_modifier(-1), None);
        assert_eq!(NumericLimits::of_modifier(((10 << 16) | 2) + 4), limits(10, 2));
        assert_eq!(NumericLimits::of_modifier(((3 << 16) | (0x7ff & -2)) + 4), limits(3, -2));
    }
}
