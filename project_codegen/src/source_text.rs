//! Names of the database inside of Rust code: in literals and in comments.

/// A string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// In a comment: one line, between backticks where the name has none itself.
pub(crate) fn quoted(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    format!("`{}`", line.replace('`', "'"))
}
