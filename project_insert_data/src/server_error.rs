//! What the target's server has refused, in our words: its own text may quote a value, and its DETAIL does.

use crate::error::{InsertError, InsertErrorKind};
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

/// What the server was doing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The beginning of the sentence: `cannot insert into public.orders`.
    pub(crate) doing: &'a str,
    /// When it read a file: that file, what its rows are called, and its columns.
    pub(crate) file: Option<FilePlace<'a>>,
}

/// A file that the server was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FilePlace<'a> {
    /// As the person at the keyboard knows it.
    pub(crate) name: &'a str,
    /// `line` or `row`.
    pub(crate) unit: &'a str,
    /// The columns of the COPY.
    pub(crate) columns: &'a [String],
}

impl<'a> Place<'a> {
    /// Without a file.
    pub(crate) fn of(doing: &'a str) -> Self {
        Self { doing, file: None }
    }
}

/// The sentence for an error of the driver.
pub(crate) fn explain(place: &Place<'_>, error: &Error) -> InsertError {
    match error.as_db_error() {
        Some(server) => refused(place, server),
        None => {
            let message = format!(
                "{}: the connection was lost: {error}; the server rolls everything back, run it again",
                place.doing
            );
            InsertError::new(InsertErrorKind::Temporary, message)
        }
    }
}

fn refused(place: &Place<'_>, server: &DbError) -> InsertError {
    let code = server.code().code();
    let (kind, what) = verdict(code, server);
    let doing = place.file.as_ref().map_or_else(|| place.doing.to_owned(), |file| location(file, server));
    let end = match (kind, place.file) {
        (InsertErrorKind::Temporary, _) => "; rolled back, a rerun is harmless",
        (_, Some(_)) => "; nothing was written",
        _ => "; rolled back",
    };
    InsertError::new(kind, format!("{doing}: {what} (SQLSTATE {code}){end}"))
}

/// Class and sentence. The server's own text stands only where it cannot hold a value.
fn verdict(code: &str, server: &DbError) -> (InsertErrorKind, String) {
    use InsertErrorKind::{Configuration, Data, Denied, Temporary};
    let object = |what: &str, name: Option<&str>| name.map(|name| format!(" {what} \"{name}\"")).unwrap_or_default();
    let constraint = object("constraint", server.constraint());
    let table = object("of table", server.table());
    let column = object("column", server.column());
    let said = || server.message().to_owned();
    match code {
        "23502" => (Data, format!("NULL in the NOT NULL{column}{table}")),
        "23503" => {
            (Data, format!("a row breaks the foreign key{constraint}{table}; load the rows that it needs first"))
        }
        "23505" => (Data, format!("two rows would be equal in the unique{constraint}{table}")),
        "23514" => (Data, format!("a row breaks the check{constraint}{table}, or belongs into no partition")),
        "22021" | "22P05" => {
            (Data, "a text that the server cannot keep: not UTF-8, or with a NUL character".to_owned())
        }
        "22P04" => (Data, "too few or too many fields, or a quote that does not end".to_owned()),
        "22001" => (Data, "a text that is longer than the column allows".to_owned()),
        "22003" | "22008" => (Data, "a value that is out of the range of the column's type".to_owned()),
        "P0001" => (Data, format!("a trigger or function has refused a row{table}; the server's log has its words")),
        "55P03" => (Temporary, "somebody else holds a lock on the table, or loads into it".to_owned()),
        "25006" => (Configuration, "the target takes no writes: it is a standby or read-only".to_owned()),
        "57014" => (Temporary, "somebody has cancelled the statement".to_owned()),
        "42501" => (Denied, format!("{}; GRANT it to the role of TARGET_DATABASE_URL", said())),
        _ if code.starts_with("22") => (Data, "a value that the column's type does not take".to_owned()),
        _ if code.starts_with("23") => (Data, format!("a row breaks the{constraint}{table}")),
        _ if code.starts_with("40") => (Temporary, said()),
        _ if code.starts_with("53") || code.starts_with("57") || code.starts_with("08") => (Temporary, said()),
        _ if code.starts_with("42") || code.starts_with("0A") => (Data, said()),
        // Whatever is raised by code that is not the server's may quote a value.
        _ => (Data, format!("the server has refused it{constraint}{table}; its log has more")),
    }
}

/// `line 12 of orders.csv, column "amount"`, from the CONTEXT, whose rest may be the value.
fn location(file: &FilePlace<'_>, server: &DbError) -> String {
    let found = server.where_().and_then(|context| copy_position(context, file.columns));
    match found {
        Some((row, Some(column))) => format!("{} {row} of {}, column \"{column}\"", file.unit, file.name),
        Some((row, None)) => format!("{} {row} of {}", file.unit, file.name),
        None => format!("cannot copy {}", file.name),
    }
}

/// Line and column of `COPY project_staging, line 3, column a: "value"`.
fn copy_position<'a>(context: &str, columns: &'a [String]) -> Option<(u64, Option<&'a str>)> {
    let rest = context.lines().find_map(|line| line.strip_prefix("COPY ")?.split_once(", line "))?.1;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let line = rest[..digits].parse().ok()?;
    let column = rest[digits..].strip_prefix(", column ").and_then(|rest| {
        let named = columns.iter().filter(|column| rest.starts_with(column.as_str()));
        named.max_by_key(|column| column.len()).map(String::as_str)
    });
    Some((line, column))
}

#[cfg(test)]
mod tests {
    use super::copy_position;

    #[test]
    fn the_position_is_found_and_the_value_is_not() {
        let columns = ["a".to_owned(), "a: b".to_owned()];
        let position = |context| copy_position(context, &columns);
        assert_eq!(position("COPY project_staging, line 3, column a: \"canary\""), Some((3, Some("a"))));
        assert_eq!(position("COPY project_staging, line 3, column a: b: \"canary\""), Some((3, Some("a: b"))));
        assert_eq!(position("COPY project_staging, line 12: \"canary,canary\""), Some((12, None)));
        assert_eq!(
            position("JSON data, line 1: {canary\nCOPY project_staging, line 4, column a"),
            Some((4, Some("a")))
        );
        assert_eq!(position("PL/pgSQL function f() line 3 at RAISE"), None);
    }
}
