//! The settings of every connection and the transaction that every reader works in.

use crate::sql::quote_literal;

/// Setting, value; one that the server does not know (an older version) is skipped.
const SETTINGS: &[(&str, &str)] = &[
    // A lock that somebody else holds must not hang the run.
    ("lock_timeout", "30s"),
    // Long reads are what this program is for; its own deadlines end it.
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    // A filtered read must be an error and not a short file.
    ("row_security", "off"),
    // Every name is qualified.
    ("search_path", ""),
    // Text forms must not depend on the role.
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("standard_conforming_strings", "on"),
    // The same snapshot gives the same order of rows.
    ("synchronize_seqscans", "off"),
    ("client_encoding", "UTF8"),
    // A balancer drops a silent connection after some minutes; the server's probes keep it open.
    ("tcp_keepalives_idle", "60"),
    // A statement whose client was killed must not go on reading; without it the server notices only when it sends.
    (CONNECTION_CHECK, "5s"),
];

/// The server refuses it on systems that cannot watch a socket while a statement runs (Windows, AIX).
const CONNECTION_CHECK: &str = "client_connection_check_interval";

/// A database with the encoding SQL_ASCII holds text in any encoding, and would refuse to send as UTF-8 what is not.
/// Every reader checks text itself, and can name the column.
const TEXT_AS_IT_IS: &str = "SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', false) \
     WHERE pg_catalog.current_setting('server_encoding') = 'SQL_ASCII';";

/// The statements that apply every setting the server has.
pub(crate) fn settings() -> String {
    let values: Vec<String> =
        SETTINGS.iter().map(|(name, value)| format!("({}, {})", quote_literal(name), quote_literal(value))).collect();
    format!(
        "SELECT pg_catalog.set_config(known.name, wanted.value, false) \
         FROM (VALUES {}) AS wanted(name, value) \
         JOIN pg_catalog.pg_settings AS known ON pg_catalog.lower(known.name) = pg_catalog.lower(wanted.name) \
         WHERE known.name <> '{CONNECTION_CHECK}' OR pg_catalog.version() ~ 'linux|darwin|bsd|solaris';{TEXT_AS_IT_IS}",
        values.join(", ")
    )
}

/// The transaction of a reader. `SET TRANSACTION SNAPSHOT` has to be its first statement.
pub(crate) fn begin(snapshot: Option<&str>) -> String {
    let import = snapshot.map(|id| format!("SET TRANSACTION SNAPSHOT {};", quote_literal(id))).unwrap_or_default();
    format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{import}")
}

#[cfg(test)]
mod tests {
    use super::{begin, settings};

    #[test]
    fn the_snapshot_is_imported_first() {
        let sql = begin(Some("0-1"));
        assert_eq!(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;SET TRANSACTION SNAPSHOT '0-1';");
        assert!(settings().contains("('row_security', 'off')"));
    }
}
