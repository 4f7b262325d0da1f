//! How code declares a column: the file, and the line in it.

use super::type_names::{in_struct, in_table};

/// Where a column is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaration {
    /// As `name -> Type,` in Diesel's `table!`.
    Table,
    /// As a field of a row struct.
    Struct,
}

impl Declaration {
    /// The line for a column of this type; nothing when no row can hold the type.
    pub fn line(self, name: &str, oid: u32, nullable: bool) -> Option<String> {
        let identifier = match self {
            Self::Table => identifier(name),
            Self::Struct => format!("pub {}", identifier(name)),
        };
        Some(self.line_of(&identifier, name, &self.declared(self.type_name(oid)?, nullable)))
    }

    /// The type without its nullability; nothing when no row can hold it.
    pub(super) fn type_name(self, oid: u32) -> Option<&'static str> {
        match self {
            Self::Table => in_table(oid),
            Self::Struct => in_struct(oid),
        }
    }

    /// The type with its nullability.
    pub(super) fn declared(self, type_name: &str, nullable: bool) -> String {
        match (self, nullable) {
            (_, false) => type_name.to_owned(),
            (Self::Table, true) => format!("Nullable<{type_name}>"),
            (Self::Struct, true) => format!("Option<{type_name}>"),
        }
    }

    /// The line of a column that the code calls `identifier`, which for a field begins with its visibility.
    pub(super) fn line_of(self, identifier: &str, name: &str, declared: &str) -> String {
        let same_name = identifier.rsplit(' ').next().is_some_and(|last| last.trim_start_matches("r#") == name);
        match self {
            Self::Table if same_name => format!("{identifier} -> {declared},"),
            Self::Table => format!("#[sql_name = {name:?}] {identifier} -> {declared},"),
            Self::Struct if same_name => format!("{identifier}: {declared},"),
            Self::Struct => format!("#[sqlx(rename = {name:?})] {identifier}: {declared},"),
        }
    }
}

/// An identifier for a column, as Diesel would choose it.
fn identifier(name: &str) -> String {
    let snake: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if KEYWORDS.contains(&name) {
        return format!("{name}_");
    }
    if snake.starts_with(|c: char| c.is_ascii_digit()) { format!("_{snake}") } else { snake }
}

/// The words that Rust keeps for itself.
const KEYWORDS: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The source file of what [`type_name`](std::any::type_name) calls so: all but the last `inside` parts of the name are
/// its module.
pub fn source_file(type_name: &str, inside: usize) -> String {
    let mut parts: Vec<&str> = type_name.split("::").collect();
    parts.truncate(parts.len().saturating_sub(inside));
    match parts.as_slice() {
        [] => String::new(),
        [krate] => format!("{krate}/src/lib.rs"),
        [krate, modules @ ..] => format!("{krate}/src/{}.rs", modules.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Declaration, source_file};

    #[test]
    fn lines_can_be_copied_into_the_code() {
        let table = |name, oid, nullable| Declaration::Table.line(name, oid, nullable);
        assert_eq!(table("country", 23, true).as_deref(), Some("country -> Nullable<Int4>,"));
        assert_eq!(table("type", 1043, false).as_deref(), Some("#[sql_name = \"type\"] type_ -> Varchar,"));
        assert_eq!(table("2 b", 16, false).as_deref(), Some("#[sql_name = \"2 b\"] _2_b -> Bool,"));
        assert_eq!(table("at", 3614, false), None);
        let row = |name, oid, nullable| Declaration::Struct.line(name, oid, nullable);
        assert_eq!(row("price", 1700, true).as_deref(), Some("pub price: Option<Decimal>,"));
        assert_eq!(row("type", 20, false).as_deref(), Some("#[sqlx(rename = \"type\")] pub type_: i64,"));
    }

    #[test]
    fn a_module_lies_in_its_file() {
        assert_eq!(source_file("a::b::users::columns::id", 3), "a/src/b.rs");
        assert_eq!(source_file("a::b::c::Events", 1), "a/src/b/c.rs");
        assert_eq!(source_file("a::Events", 1), "a/src/lib.rs");
    }
}
