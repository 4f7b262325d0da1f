//! What the error codes of Postgres mean: the one table of classes, and of what a new attempt of the run may help.

use crate::source_error::SourceErrorKind::{self, Data, Denied, Missing, Temporary, Unreachable};
use diesel::result::DatabaseErrorKind;

/// Whether the run, started over as a whole, may go better. Its snapshot is gone with the transaction that failed, so
/// there is no smaller unit that could be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would end the same way.
    Never,
    /// What went wrong is likely to pass.
    StartOver,
    /// Nothing answers. That passes when the server is only away for a moment, and not when its name is mistyped: worth
    /// it once it has answered.
    IfReachedBefore,
}

/// A SQLSTATE or its first characters, or a part of the message where several things share a code; the first match
/// counts.
struct Rule {
    sqlstates: &'static [&'static str],
    text: Option<&'static str>,
    kind: SourceErrorKind,
    retry: Retry,
}

const fn rule(sqlstates: &'static [&'static str], kind: SourceErrorKind, retry: Retry) -> Rule {
    Rule { sqlstates, text: None, kind, retry }
}

/// Both forms, that of a statement and that of a connection, end so: "due to conflict with recovery".
const CONFLICT: &str = "conflict with recovery";

const RULES: &[Rule] = &[
    // A standby that has to replay a change; it sends 40001, 40P01 or a code of its shutdowns, so the text comes first.
    Rule { sqlstates: &["40", "57014", "57P01"], text: Some(CONFLICT), kind: Temporary, retry: Retry::StartOver },
    // Serialization failure and deadlock: nothing but such a conflict gives the first to one who only reads.
    rule(&["40"], Temporary, Retry::StartOver),
    // Connection exceptions; shutdown, crash, starting up, idle session ended; no connection or no memory left.
    rule(&["08", "57P01", "57P02", "57P03", "57P05", "53200", "53300"], Unreachable, Retry::StartOver),
    // The server's disk is full, or one of its limits reached: that does not pass in a minute.
    rule(&["53"], Unreachable, Retry::Never),
    rule(&["28", "42501"], Denied, Retry::Never),
    // Database (dropped: 57P04), schema, table, column.
    rule(&["3D000", "3F000", "57P04", "42"], Missing, Retry::Never),
    // 55000 is for example a materialized view that has not been populated; XX001 and XX002 are damaged data.
    rule(&["22", "55000", "XX001", "XX002"], Data, Retry::Never),
    // lock_timeout or NOWAIT: it has cost no snapshot, and the other tables shall not wait for whoever holds the lock.
    // Cancelled: whoever did that does not want to do it three times.
    rule(&["55P03", "57014"], Temporary, Retry::Never),
];

/// The class of a code, and of its text where the code alone does not tell; of one that is not here nothing is known.
pub(crate) fn verdict(sqlstate: &str, message: &str) -> (SourceErrorKind, Retry) {
    let fits = |rule: &&Rule| {
        let text = rule.text.is_none_or(|text| message.contains(text));
        text && rule.sqlstates.iter().any(|prefix| sqlstate.starts_with(prefix))
    };
    RULES.iter().find(fits).map_or((Temporary, Retry::Never), |rule| (rule.kind, rule.retry))
}

/// Diesel hands on the server's text and not its code, so the code is guessed from the text. A server that writes
/// another language is judged by whether it has ended the connection: what does so is a shutdown or a conflict.
const TEXTS: &[(&str, &str)] = &[
    (CONFLICT, "40001"),
    ("deadlock detected", "40P01"),
    ("terminating connection due to administrator command", "57P01"),
    ("terminating connection because of crash of another server process", "57P02"),
    ("terminating connection due to unexpected postmaster exit", "57P02"),
    ("the database system is ", "57P03"),
    ("terminating connection due to ", "57P05"),
    ("canceling statement due to lock timeout", "55P03"),
    ("could not obtain lock on ", "55P03"),
    ("canceling statement due to ", "57014"),
    ("permission denied", "42501"),
    ("query would be affected by row-level security", "42501"),
    ("does not exist", "42P01"),
    ("out of memory", "53200"),
];

/// The code that such a text of the server belongs to, as far as one can tell.
pub(crate) fn sqlstate_of(kind: &DatabaseErrorKind, message: &str) -> Option<&'static str> {
    let known = TEXTS.iter().find(|(text, _)| message.contains(text)).map(|(_, sqlstate)| *sqlstate);
    known.or(matches!(kind, DatabaseErrorKind::SerializationFailure).then_some("40001"))
}

/// Whether a standby has given a change that it replays precedence over our reading.
pub(crate) fn is_recovery_conflict(sqlstate: &str, message: &str) -> bool {
    // 40001 in a transaction that only reads has no other cause, whatever language the text is in.
    sqlstate == "40001" || message.contains(CONFLICT)
}

#[cfg(test)]
mod tests {
    use super::{Retry, is_recovery_conflict, sqlstate_of, verdict};
    use crate::source_error::SourceErrorKind::{self, Data, Denied, Missing, Temporary, Unreachable};
    use diesel::result::DatabaseErrorKind;

    /// What it is, the server's code and text, and what that means.
    const CASES: &[(&str, &str, &str, SourceErrorKind, Retry)] = &[
        (
            "recovery conflict of a statement",
            "40001",
            "canceling statement due to conflict with recovery",
            Temporary,
            Retry::StartOver,
        ),
        (
            "recovery conflict of a connection",
            "40001",
            "terminating connection due to conflict with recovery",
            Temporary,
            Retry::StartOver,
        ),
        (
            "recovery conflict that looks like a deadlock",
            "40P01",
            "canceling statement due to conflict with recovery",
            Temporary,
            Retry::StartOver,
        ),
        (
            "recovery conflict that looks like a shutdown",
            "57P01",
            "terminating connection due to conflict with recovery",
            Temporary,
            Retry::StartOver,
        ),
        (
            "administrator's shutdown",
            "57P01",
            "terminating connection due to administrator command",
            Unreachable,
            Retry::StartOver,
        ),
        (
            "crash",
            "57P02",
            "terminating connection because of crash of another server process",
            Unreachable,
            Retry::StartOver,
        ),
        ("starting up", "57P03", "the database system is starting up", Unreachable, Retry::StartOver),
        ("too many connections", "53300", "sorry, too many clients already", Unreachable, Retry::StartOver),
        ("the server's disk", "53100", "could not write to file: No space left", Unreachable, Retry::Never),
        ("broken connection", "08006", "connection failure", Unreachable, Retry::StartOver),
        ("wrong password", "28P01", "password authentication failed", Denied, Retry::Never),
        ("no entry in pg_hba.conf", "28000", "no pg_hba.conf entry for host", Denied, Retry::Never),
        ("missing right", "42501", "permission denied for table orders", Denied, Retry::Never),
        ("missing table", "42P01", "relation \"orders\" does not exist", Missing, Retry::Never),
        ("missing column", "42703", "column \"a\" does not exist", Missing, Retry::Never),
        ("missing database", "3D000", "database \"x\" does not exist", Missing, Retry::Never),
        ("database dropped", "57P04", "terminating connection due to conflict with recovery", Missing, Retry::Never),
        ("lock timeout", "55P03", "canceling statement due to lock timeout", Temporary, Retry::Never),
        ("cancelled", "57014", "canceling statement due to user request", Temporary, Retry::Never),
        ("data exception", "22P02", "invalid input syntax for integer: \"x\"", Data, Retry::Never),
        ("nobody knows", "99999", "no idea", Temporary, Retry::Never),
    ];

    #[test]
    fn every_failure_has_its_class_and_is_repeated_only_when_that_may_help() {
        for (what, sqlstate, message, kind, retry) in CASES {
            assert_eq!(verdict(sqlstate, message), (*kind, *retry), "{what}");
        }
    }

    #[test]
    fn diesels_text_leads_to_the_same_class_as_the_code() {
        for (what, sqlstate, message, kind, retry) in CASES {
            let Some(guessed) = sqlstate_of(&DatabaseErrorKind::Unknown, message) else { continue };
            let same = verdict(guessed, message) == (*kind, *retry);
            // The one text that a drop of the whole database shares with its less final relatives.
            assert!(same || *sqlstate == "57P04", "{what}: {guessed}");
        }
        let guessed = |kind, message| sqlstate_of(&kind, message);
        assert_eq!(guessed(DatabaseErrorKind::SerializationFailure, "Abbruch der Anfrage"), Some("40001"));
        assert_eq!(guessed(DatabaseErrorKind::Unknown, "keine Berechtigung für Tabelle"), None);
    }

    #[test]
    fn a_conflict_is_known_by_its_code_or_its_text() {
        assert!(is_recovery_conflict("40001", "Abbruch der Anfrage"));
        assert!(is_recovery_conflict("40P01", "canceling statement due to conflict with recovery"));
        assert!(!is_recovery_conflict("40P01", "deadlock detected"));
        assert!(!is_recovery_conflict("57P01", "terminating connection due to administrator command"));
    }
}
