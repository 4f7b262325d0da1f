//! One column as code expects it.

use super::declaration::Declaration;

/// A column as the code that reads it expects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedColumn {
    /// Name in Postgres.
    pub name: String,
    /// Whether the code can hold NULL.
    pub nullable: bool,
    /// The type as the code writes it, for example `Nullable<Int4>` or `Option<i32>`.
    pub declared: String,
    /// The same without its nullability.
    pub(super) type_name: String,
    pub(super) types: Types,
    pub(super) place: Place,
}

/// The server's types that the code can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Types {
    /// By their OIDs.
    Oids(Vec<u32>),
    /// By its name: a type of an extension, or an enum, has another OID in every database.
    Named(String),
    /// Any, because the query casts it to text.
    Any,
}

/// Where the code declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a line of its own, under this identifier; that of a field has its visibility before it.
    Line { declaration: Declaration, identifier: String },
    /// By its name only.
    Nowhere,
}

impl ExpectedColumn {
    /// A column that the code does not read into a field, but needs to be of one of these types.
    pub fn of_types(name: &str, oids: &[u32], declared: &str) -> Self {
        let (name, declared, type_name) = (name.to_owned(), declared.to_owned(), declared.to_owned());
        Self { name, nullable: true, declared, type_name, types: Types::Oids(oids.to_vec()), place: Place::Nowhere }
    }

    /// Whether the code can read a column of this type; the name is the one that the server writes.
    pub fn reads(&self, oid: u32, type_name: &str) -> bool {
        match &self.types {
            Types::Any => true,
            Types::Oids(oids) => oids.contains(&oid),
            Types::Named(name) => type_name.rsplit('.').next().is_some_and(|last| last.trim_matches('"') == name),
        }
    }

    /// Whether the query casts the column to text, so that its type does not matter.
    pub fn is_cast_to_text(&self) -> bool {
        self.types == Types::Any
    }

    /// The line that would declare the column as a type of the server; nothing when no row can hold it.
    pub fn line(&self, oid: u32, type_name: &str, nullable: bool) -> Option<String> {
        let Place::Line { declaration, identifier } = &self.place else { return None };
        let own = || self.reads(oid, type_name).then_some(self.type_name.as_str());
        let declared = declaration.declared(declaration.type_name(oid).or_else(own)?, nullable);
        Some(declaration.line_of(identifier, &self.name, &declared))
    }

    /// The line that declares the column now.
    pub fn current_line(&self) -> Option<String> {
        let Place::Line { declaration, identifier } = &self.place else { return None };
        Some(declaration.line_of(identifier, &self.name, &self.declared))
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpectedColumn, Place, Types};

    #[test]
    fn a_type_of_an_extension_is_known_by_its_name() {
        let column = ExpectedColumn {
            name: "c".into(),
            nullable: false,
            declared: "Citext".into(),
            type_name: "Citext".into(),
            types: Types::Named("citext".into()),
            place: Place::Nowhere,
        };
        for (name, reads) in [("citext", true), ("public.citext", true), ("text", false), ("\"a b\".\"citext\"", true)]
        {
            assert_eq!(column.reads(1, name), reads, "{name}");
        }
    }
}
