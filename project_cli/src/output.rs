//! Results on standard output: a table for people, CSV or JSON for scripts.
//!
//! * Table: columns are as wide as their widest value among the first rows, numbers stand right, NULL is `NULL`, and
//!   control characters are shown as escapes so that no value can play tricks on the terminal.
//! * CSV: RFC 4180, but with plain line feeds; NULL is an empty field and the empty text is `""`.
//! * JSON: an array of objects, one to a line. A number is written exactly as it arrived, digit for digit; what JSON
//!   has no number for (NaN, Infinity) is a string. Of two columns with one name the second gets `_2`.

use std::io::{self, Write};
use std::ops::ControlFlow;

use serde::de::IgnoredAny;
use unicode_width::UnicodeWidthStr;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultFormat {
    /// Aligned columns.
    Table,
    /// RFC 4180.
    Csv,
    /// An array of objects.
    Json,
}

/// What a column holds, as far as printing is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Numbers of every kind.
    Number,
    /// `true` and `false`.
    Boolean,
    /// Everything else.
    Text,
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

/// A row; `None` is NULL.
pub(crate) type Row = Vec<Option<String>>;

/// A table needs the widths of its columns before its first line; this many rows are held back to find them.
const ROWS_TO_MEASURE: usize = 1000;

/// Prints one result, a page at a time.
///
/// A reader that goes away (`| head`) is no error: pages answer `Break` from then on, and the query may stop.
pub(crate) struct ResultPrinter<W: Write> {
    format: ResultFormat,
    columns: Vec<Column>,
    out: W,
    rows: u64,
    /// Rows of a table whose widths are not known yet.
    held_back: Vec<Row>,
    widths: Option<Vec<usize>>,
    reader_gone: bool,
}

impl<W: Write> ResultPrinter<W> {
    pub(crate) fn new(format: ResultFormat, mut columns: Vec<Column>, out: W) -> Self {
        if format == ResultFormat::Json {
            make_names_unique(&mut columns);
        }
        Self { format, columns, out, rows: 0, held_back: Vec::new(), widths: None, reader_gone: false }
    }

    /// Prints the next rows.
    pub(crate) fn page(&mut self, rows: Vec<Row>) -> io::Result<ControlFlow<()>> {
        self.guarded(|printer| match printer.format {
            ResultFormat::Table => printer.table_page(rows),
            ResultFormat::Csv => printer.csv_page(&rows),
            ResultFormat::Json => printer.json_page(&rows),
        })
    }

    /// Ends the result. A result that breaks off without it is not valid JSON, which is intended.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let flow = self.guarded(|printer| {
            match printer.format {
                ResultFormat::Table => printer.release_held_back()?,
                ResultFormat::Csv => printer.csv_header()?,
                ResultFormat::Json if printer.rows == 0 => printer.out.write_all(b"[]\n")?,
                ResultFormat::Json => printer.out.write_all(b"\n]\n")?,
            }
            printer.out.flush()
        });
        flow.map(|_| ())
    }

    fn guarded(&mut self, print: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<ControlFlow<()>> {
        if self.reader_gone {
            return Ok(ControlFlow::Break(()));
        }
        match print(self) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_gone = true;
                Ok(ControlFlow::Break(()))
            }
            Err(error) => Err(error),
        }
    }

    fn table_page(&mut self, rows: Vec<Row>) -> io::Result<()> {
        match &self.widths {
            Some(widths) => write_table_rows(&mut self.out, &self.columns, widths, &rows),
            None => {
                self.held_back.extend(rows);
                if self.held_back.len() >= ROWS_TO_MEASURE {
                    self.release_held_back()?;
                }
                Ok(())
            }
        }
    }

    fn release_held_back(&mut self) -> io::Result<()> {
        if self.widths.is_some() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.held_back);
        let measured = rows.get(..ROWS_TO_MEASURE).unwrap_or(&rows);
        let widths = widths(&self.columns, measured);
        write_table_head(&mut self.out, &self.columns, &widths)?;
        write_table_rows(&mut self.out, &self.columns, &widths, &rows)?;
        self.widths = Some(widths);
        Ok(())
    }

    fn csv_header(&mut self) -> io::Result<()> {
        if self.rows > 0 {
            return Ok(());
        }
        let names = self.columns.iter().map(|column| Some(column.name.as_str()));
        write_csv_line(&mut self.out, names)
    }

    fn csv_page(&mut self, rows: &[Row]) -> io::Result<()> {
        for row in rows {
            self.csv_header()?;
            write_csv_line(&mut self.out, row.iter().map(Option::as_deref))?;
            self.rows += 1;
        }
        Ok(())
    }

    fn json_page(&mut self, rows: &[Row]) -> io::Result<()> {
        for row in rows {
            self.out.write_all(if self.rows == 0 { b"[\n" } else { b",\n" })?;
            write_json_object(&mut self.out, &self.columns, row)?;
            self.rows += 1;
        }
        Ok(())
    }
}

fn make_names_unique(columns: &mut [Column]) {
    for at in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(at);
        let taken = |name: &str| before.iter().any(|column| column.name == name);
        let column = &mut rest[0];
        let fresh = (2..).map(|count| format!("{}_{count}", column.name)).find(|name| !taken(name));
        if let Some(fresh) = fresh.filter(|_| taken(&column.name)) {
            column.name = fresh;
        }
    }
}

fn shown(value: Option<&str>) -> String {
    let Some(value) = value else {
        return "NULL".to_owned();
    };
    if value.chars().any(changes_the_terminal) {
        value
            .chars()
            .map(|character| {
                if changes_the_terminal(character) {
                    character.escape_default().to_string()
                } else {
                    character.to_string()
                }
            })
            .collect()
    } else {
        value.to_owned()
    }
}

/// Control characters, and those that turn the direction of what follows.
fn changes_the_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn widths(columns: &[Column], rows: &[Row]) -> Vec<usize> {
    let width = |at: usize, column: &Column| {
        let values = rows.iter().map(|row| shown(row.get(at).and_then(Option::as_deref)).width());
        values.chain([shown(Some(&column.name)).width()]).max().unwrap_or(0)
    };
    columns.iter().enumerate().map(|(at, column)| width(at, column)).collect()
}

fn write_table_head(out: &mut impl Write, columns: &[Column], widths: &[usize]) -> io::Result<()> {
    let names: Row = columns.iter().map(|column| Some(column.name.clone())).collect();
    write_table_rows(out, columns, widths, &[names])?;
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    writeln!(out, "{}", rule.join("  "))
}

fn write_table_rows(out: &mut impl Write, columns: &[Column], widths: &[usize], rows: &[Row]) -> io::Result<()> {
    for row in rows {
        let mut line = String::new();
        for ((value, column), width) in row.iter().zip(columns).zip(widths) {
            let value = shown(value.as_deref());
            let padding = " ".repeat(width.saturating_sub(value.width()));
            let (left, right) = match column.kind {
                ColumnKind::Number => (padding.as_str(), ""),
                ColumnKind::Boolean | ColumnKind::Text => ("", padding.as_str()),
            };
            line.extend([left, &value, right, "  "]);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn write_csv_line<'a>(out: &mut impl Write, values: impl Iterator<Item = Option<&'a str>>) -> io::Result<()> {
    for (at, value) in values.enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        match value {
            None => {}
            Some(value) if value.is_empty() || value.contains(['"', ',', '\n', '\r']) => {
                write!(out, "\"{}\"", value.replace('"', "\"\""))?;
            }
            Some(value) => out.write_all(value.as_bytes())?,
        }
    }
    out.write_all(b"\n")
}

fn write_json_object(out: &mut impl Write, columns: &[Column], row: &Row) -> io::Result<()> {
    out.write_all(b"{")?;
    for (at, (column, value)) in columns.iter().zip(row).enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *out, &column.name)?;
        out.write_all(b":")?;
        match (value, column.kind) {
            (None, _) => out.write_all(b"null")?,
            (Some(value), ColumnKind::Number) if is_json_number(value) => out.write_all(value.as_bytes())?,
            (Some(value), ColumnKind::Boolean) if matches!(value.as_str(), "true" | "false") => {
                out.write_all(value.as_bytes())?;
            }
            (Some(value), _) => serde_json::to_writer(&mut *out, value)?,
        }
    }
    out.write_all(b"}")
}

/// Whether a text is a number in the grammar of JSON.
fn is_json_number(text: &str) -> bool {
    let begins_and_ends_well = text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_digit());
    begins_and_ends_well && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests;
