//! COPY's text format, in which psql hands on rows.

use anyhow::{Result, bail};

/// One line of COPY's text format. It is exact where psql's tables are not: NULL differs from every string, and no value can
/// break a line or a column.
pub(crate) fn parse_row(line: &str) -> Result<Vec<Option<String>>> {
    line.split('\t').map(parse_value).collect()
}

fn parse_value(field: &str) -> Result<Option<String>> {
    if field == r"\N" {
        return Ok(None);
    }
    let mut value = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        value.push(match character {
            '\\' => match characters.next() {
                Some('\\') => '\\',
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('v') => '\u{b}',
                other => bail!("unknown escape {other:?} in COPY's output"),
            },
            other => other,
        });
    }
    Ok(Some(value))
}
