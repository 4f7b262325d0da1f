//! What went wrong at the source, in the classes that a caller must tell apart.

use crate::connection_settings::ConnectionSettings;
use std::io;
use thiserror::Error;

/// What the caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// The server does not answer, or has gone away.
    Unreachable,
    /// Login or a right is missing.
    Denied,
    /// A database, table or column does not exist.
    Missing,
    /// A value has no place in its column's type.
    Data,
    /// Try again later.
    Temporary,
}

/// A failure of the source: one sentence with the place and the remedy, without row values and secrets.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct SourceError {
    kind: SourceErrorKind,
    message: String,
}

/// SQLSTATE, or its first characters, to class. The first match counts.
const CLASSES: &[(&str, SourceErrorKind)] = &[
    ("08", SourceErrorKind::Unreachable),
    ("28", SourceErrorKind::Denied),
    ("42501", SourceErrorKind::Denied),
    ("3D000", SourceErrorKind::Missing),
    ("3F000", SourceErrorKind::Missing),
    ("42", SourceErrorKind::Missing),
    ("53", SourceErrorKind::Unreachable),
    ("57P", SourceErrorKind::Unreachable),
    ("22", SourceErrorKind::Data),
    // For example a materialized view that has not been populated.
    ("55000", SourceErrorKind::Data),
    ("XX001", SourceErrorKind::Data),
    ("XX002", SourceErrorKind::Data),
    ("40", SourceErrorKind::Temporary),
    ("55P03", SourceErrorKind::Temporary),
    ("57014", SourceErrorKind::Temporary),
];

fn class_of(sqlstate: &str) -> SourceErrorKind {
    let class = CLASSES.iter().find(|(prefix, _)| sqlstate.starts_with(prefix));
    class.map_or(SourceErrorKind::Temporary, |(_, kind)| *kind)
}

impl SourceError {
    /// An error of our own making.
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The class of the failure.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// A failure of sqlx while `doing` something, for example `cannot read public.orders`.
    pub(crate) fn from_sqlx(doing: &str, error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => {
                Self::from_server(doing, database.code().as_deref().unwrap_or(""), database.message())
            }
            sqlx::Error::Io(error) => Self::lost(doing, error),
            sqlx::Error::Tls(error) => {
                Self::new(SourceErrorKind::Unreachable, format!("{doing}: TLS failed: {error}; {TLS_REMEDY}"))
            }
            sqlx::Error::ColumnDecode { index, source } if source.to_string().starts_with("mismatched types") => {
                let found = source.to_string();
                let found = found.rsplit('`').nth(1).unwrap_or("another type");
                let message = format!(
                    "{doing}: column {index} is {found} in the database, which is not what the task was written for; change the struct or the column"
                );
                Self::new(SourceErrorKind::Missing, message)
            }
            sqlx::Error::ColumnDecode { index, source } => {
                Self::new(SourceErrorKind::Data, format!("{doing}: column {index}: a value {source}"))
            }
            sqlx::Error::ColumnNotFound(column) => {
                Self::new(SourceErrorKind::Missing, format!("{doing}: the result has no column \"{column}\""))
            }
            other => Self::new(SourceErrorKind::Temporary, format!("{doing}: {other}")),
        }
    }

    /// A failure of Diesel while `doing` something. Diesel keeps no SQLSTATE, so the class is coarser.
    pub fn from_diesel(doing: &str, error: &diesel::result::Error) -> Self {
        use diesel::result::DatabaseErrorKind;
        match error {
            diesel::result::Error::DeserializationError(cause) => {
                // Diesel's text names the field, the cause below it says what is wrong with the value.
                let reason = cause.source().map(|reason| format!(": a value {reason}")).unwrap_or_default();
                Self::new(SourceErrorKind::Data, format!("{doing}: {cause}{reason}"))
            }
            diesel::result::Error::DatabaseError(kind, information) => {
                let message = information.message();
                let class = match kind {
                    DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection => {
                        SourceErrorKind::Unreachable
                    }
                    DatabaseErrorKind::SerializationFailure => SourceErrorKind::Temporary,
                    _ if message.starts_with("permission denied") => SourceErrorKind::Denied,
                    _ if message.ends_with("does not exist") => SourceErrorKind::Missing,
                    _ => SourceErrorKind::Temporary,
                };
                Self::new(class, format!("{doing}: {message}"))
            }
            other => Self::new(SourceErrorKind::Temporary, format!("{doing}: {other}")),
        }
    }

    /// A connection that did not come about.
    pub(crate) fn connecting(settings: &ConnectionSettings, sqlstate: Option<&str>, cause: &str) -> Self {
        let Some(sqlstate) = sqlstate else {
            let message = format!("Postgres at {settings} does not answer: {cause}; check host, port and network");
            return Self::new(SourceErrorKind::Unreachable, message);
        };
        let remedy = match class_of(sqlstate) {
            SourceErrorKind::Denied => "; check user and password",
            SourceErrorKind::Missing => "; check the database name at the end of the URI",
            SourceErrorKind::Unreachable => "; try again when the server takes connections",
            _ => "",
        };
        Self::new(class_of(sqlstate), format!("Postgres at {settings} refused the connection: {cause}{remedy}"))
    }

    /// A TLS handshake that failed.
    pub(crate) fn tls(settings: &ConnectionSettings, cause: &str) -> Self {
        let message = format!("Postgres at {settings}: TLS failed: {cause}; {TLS_REMEDY}");
        Self::new(SourceErrorKind::Unreachable, message)
    }

    fn lost(doing: &str, error: &io::Error) -> Self {
        Self::new(SourceErrorKind::Unreachable, format!("{doing}: the connection was lost: {error}"))
    }

    pub(crate) fn from_server(doing: &str, sqlstate: &str, message: &str) -> Self {
        let kind = class_of(sqlstate);
        if sqlstate.starts_with("22") {
            // The server's text for a data exception may quote the value.
            let message =
                format!("{doing}: the server cannot produce a value (SQLSTATE {sqlstate}); see its log for the row");
            return Self::new(kind, message);
        }
        let remedy = match kind {
            SourceErrorKind::Denied => "; GRANT SELECT to this role, or run as another",
            // lock_timeout and NOWAIT: reading needs the weakest lock there is, so somebody is changing the table.
            SourceErrorKind::Temporary if sqlstate == "55P03" => {
                "; somebody holds an exclusive lock on the table (ALTER, TRUNCATE, VACUUM FULL); try again when that has ended"
            }
            SourceErrorKind::Temporary if message.contains("conflict with recovery") => {
                "; set hot_standby_feedback, raise max_standby_streaming_delay, or run on the primary"
            }
            _ => "",
        };
        Self::new(kind, format!("{doing}: {message} (SQLSTATE {sqlstate}){remedy}"))
    }
}

const TLS_REMEDY: &str =
    "use sslrootcert=<file> for a server with its own authority, or sslmode=disable on a network that you trust";

#[cfg(test)]
mod tests {
    use super::{SourceError, SourceErrorKind, class_of};

    #[test]
    fn classes() {
        for (sqlstate, kind) in [
            ("28P01", SourceErrorKind::Denied),
            ("42501", SourceErrorKind::Denied),
            ("42P01", SourceErrorKind::Missing),
            ("3D000", SourceErrorKind::Missing),
            ("57P01", SourceErrorKind::Unreachable),
            ("53300", SourceErrorKind::Unreachable),
            ("08006", SourceErrorKind::Unreachable),
            ("40001", SourceErrorKind::Temporary),
            ("57014", SourceErrorKind::Temporary),
            ("55P03", SourceErrorKind::Temporary),
            ("22P02", SourceErrorKind::Data),
            ("99999", SourceErrorKind::Temporary),
        ] {
            assert_eq!(class_of(sqlstate), kind, "{sqlstate}");
        }
    }

    #[test]
    fn a_data_exception_does_not_quote_the_value() {
        let error =
            SourceError::from_server("cannot read a.b", "22P02", "invalid input syntax for integer: \"canary\"");
        assert!(!error.to_string().contains("canary"));
        assert_eq!(error.kind(), SourceErrorKind::Data);
    }
}
