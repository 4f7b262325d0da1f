//! The settings of every connection and the transaction that every reader works in.

use crate::moment::Moment;
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
    // The same snapshot gives the same order of rows, and a connection costs the server one process.
    ("synchronize_seqscans", "off"),
    (PARALLEL_PLANS, "0"),
    ("client_encoding", "UTF8"),
    // A balancer drops a silent connection after some minutes; the server's probes keep it open.
    ("tcp_keepalives_idle", "60"),
    // A statement whose client was killed must not go on reading; without it the server notices only when it sends.
    (CONNECTION_CHECK, "5s"),
];

/// Cores that a query may use beside its own.
const PARALLEL_PLANS: &str = "max_parallel_workers_per_gather";

/// For a query whose answer does not depend on the order of rows, and for which somebody waits.
pub(crate) const ALLOW_PARALLEL_PLANS: &str = "RESET max_parallel_workers_per_gather";

/// The server refuses it on systems that cannot watch a socket while a statement runs (Windows, AIX).
const CONNECTION_CHECK: &str = "client_connection_check_interval";

/// A database with the encoding SQL_ASCII holds text in any encoding, and would refuse to send as UTF-8 what is not.
/// Every reader checks text itself, and can name the column.
const TEXT_AS_IT_IS: &str = "SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', false) \
     WHERE pg_catalog.current_setting('server_encoding') = 'SQL_ASCII';";

/// The statements that apply every setting the server has.
pub(crate) fn settings() -> String {
    format!("{};{TEXT_AS_IT_IS}", apply(SETTINGS))
}

/// The same for a session that writes, but for the role's own search_path: triggers and defaults of the table that it
/// writes to may need that.
pub(crate) fn settings_for_writing() -> String {
    let (_, kept): (Vec<_>, Vec<_>) = SETTINGS.iter().partition(|(name, _)| *name == "search_path");
    format!("{};{TEXT_AS_IT_IS}", apply(&kept))
}

/// A statement for each setting, with its name, to find the one that a server refuses.
pub(crate) fn one_by_one() -> impl Iterator<Item = (&'static str, String)> {
    SETTINGS.chunks(1).flat_map(|setting| setting.iter().map(|(name, _)| (*name, apply(setting))))
}

fn apply(settings: &[(&str, &str)]) -> String {
    let values: Vec<String> =
        settings.iter().map(|(name, value)| format!("({}, {})", quote_literal(name), quote_literal(value))).collect();
    format!(
        "SELECT known.name, pg_catalog.set_config(known.name, wanted.value, false) \
         FROM (VALUES {}) AS wanted(name, value) \
         JOIN pg_catalog.pg_settings AS known ON pg_catalog.lower(known.name) = pg_catalog.lower(wanted.name) \
         WHERE known.name <> '{CONNECTION_CHECK}' OR pg_catalog.version() ~ 'linux|darwin|bsd|solaris'",
        values.join(", ")
    )
}

/// The first setting, as the server answers, that has not the value that it was given. Those that only keep an idle connection open are not worth failing for.
pub(crate) fn not_taken(values: &[(String, String)]) -> Option<String> {
    let wanted = |name: &str| SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    values.iter().find_map(|(name, value)| {
        let (name, wanted) = wanted(name)?;
        let network = matches!(*name, "tcp_keepalives_idle" | CONNECTION_CHECK);
        // Values come back in their full form: `ISO, MDY`.
        let taken = network || value.to_lowercase().starts_with(&wanted.to_lowercase());
        (!taken).then(|| format!("{name} is still \"{value}\" after it was set to \"{wanted}\""))
    })
}

/// The transaction of a reader, with all settings, at the moment of the run if it has one. `SET TRANSACTION SNAPSHOT`
/// has to be its first statement. Everything goes in one message: behind a pooler the next one may reach another server.
pub(crate) fn begin(moment: Option<&Moment>) -> String {
    const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;";
    let settings = settings();
    match moment {
        None => format!("{BEGIN}{settings}"),
        Some(moment) => {
            let snapshot = quote_literal(&moment.snapshot);
            format!("{BEGIN}SET TRANSACTION SNAPSHOT {snapshot};{settings}{};", moment.server.check())
        }
    }
}

/// Asks a connection that could not import the snapshot which server it has reached; fails on any but that of the moment.
pub(crate) fn which_server(moment: &Moment) -> String {
    format!("ROLLBACK;{}{};", settings(), moment.server.check())
}

#[cfg(test)]
mod tests {
    use super::{begin, not_taken, settings};
    use crate::moment::{Moment, ServerIdentity};

    #[test]
    fn the_snapshot_is_imported_first() {
        let server =
            ServerIdentity { started_at: "2026-01-01 00:00:00+00".into(), standby: false, address: "a".into() };
        let sql = begin(Some(&Moment { snapshot: "0-1".into(), server }));
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;SET TRANSACTION SNAPSHOT '0-1';SELECT";
        assert!(sql.starts_with(begin), "{sql}");
        assert!(settings().contains("('row_security', 'off')"));
    }

    #[test]
    fn a_setting_that_the_server_has_not_taken_is_named() {
        let values = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            not_taken(&pairs)
        };
        assert_eq!(
            values(&[("DateStyle", "ISO, MDY"), ("statement_timeout", "0"), ("tcp_keepalives_idle", "0")]),
            None
        );
        let refused = values(&[("lock_timeout", "30s"), ("row_security", "on")]).unwrap();
        assert_eq!(refused, "row_security is still \"on\" after it was set to \"off\"");
    }
}
