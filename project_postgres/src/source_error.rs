//! What went wrong at the source, in the classes that a caller must tell apart.

use crate::connection_settings::ConnectionSettings;
use crate::sqlstates::{Retry, is_recovery_conflict, sqlstate_of, verdict};
use diesel::result::DatabaseErrorKind;
use std::error::Error;
use std::fmt::Display;
use std::iter::successors;
use std::time::Duration;

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
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    kind: SourceErrorKind,
    retry: Retry,
    message: String,
}

impl SourceError {
    /// An error of our own making.
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            SourceErrorKind::Unreachable | SourceErrorKind::Temporary => Retry::StartOver,
            SourceErrorKind::Denied | SourceErrorKind::Missing | SourceErrorKind::Data => Retry::Never,
        };
        Self { kind, retry, message: message.into() }
    }

    pub(crate) fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// The class of the failure.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// Whether the run, started over, may go better.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// A failure of sqlx while `doing` something, for example `cannot read public.orders`.
    pub(crate) fn from_sqlx(doing: &str, error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => Self::from_server(doing, database.code().as_deref(), database.message()),
            sqlx::Error::Io(error) => Self::lost(doing, error),
            sqlx::Error::Tls(error) => {
                let message = format!("{doing}: TLS failed: {error}; {TLS_REMEDY}");
                Self::new(SourceErrorKind::Unreachable, message).with_retry(Retry::Never)
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

    /// A failure of Diesel while `doing` something. Diesel keeps no SQLSTATE, so the class is guessed from the text.
    pub fn from_diesel(doing: &str, error: &diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::DeserializationError(cause) => {
                // Diesel's text names the field, the cause below it says what is wrong with the value.
                let reason = cause.source().map(|reason| format!(": a value {reason}")).unwrap_or_default();
                Self::new(SourceErrorKind::Data, format!("{doing}: {cause}{reason}"))
            }
            diesel::result::Error::DatabaseError(
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
                cause,
            ) => Self::lost(doing, cause.message()),
            diesel::result::Error::DatabaseError(kind, cause) => {
                Self::from_server(doing, sqlstate_of(kind, cause.message()), cause.message())
            }
            other => Self::new(SourceErrorKind::Temporary, format!("{doing}: {other}")).with_retry(Retry::Never),
        }
    }

    /// A failure of the connection below Diesel.
    pub(crate) fn from_tokio_postgres(doing: &str, error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(server) => Self::from_server(doing, Some(server.code().code()), server.message()),
            None => Self::lost(doing, chain(error)),
        }
    }

    /// A server that has sent nothing for so long.
    pub(crate) fn silent(doing: &str, silence: Duration) -> Self {
        let seconds = silence.as_secs();
        let message = format!(
            "{doing}: the server has sent nothing for {seconds} s; if it needs longer for this, raise --read-timeout"
        );
        Self::new(SourceErrorKind::Unreachable, message)
    }

    /// A connection that did not come about.
    pub(crate) fn connecting(settings: &ConnectionSettings, sqlstate: Option<&str>, cause: &str) -> Self {
        let Some(sqlstate) = sqlstate else {
            let message = format!("Postgres at {settings} does not answer: {cause}; check host, port and network");
            return Self::new(SourceErrorKind::Unreachable, message).with_retry(Retry::IfReachedBefore);
        };
        let (kind, retry) = verdict(sqlstate, cause);
        let remedy = match kind {
            SourceErrorKind::Denied => "; check user and password",
            SourceErrorKind::Missing => "; check the database name at the end of the URI",
            SourceErrorKind::Unreachable => "; try again when the server takes connections",
            _ => "",
        };
        Self::new(kind, format!("Postgres at {settings} refused the connection: {cause}{remedy}")).with_retry(retry)
    }

    /// A TLS handshake that failed.
    pub(crate) fn tls(settings: &ConnectionSettings, cause: &str) -> Self {
        let message = format!("Postgres at {settings}: TLS failed: {cause}; {TLS_REMEDY}");
        Self::new(SourceErrorKind::Unreachable, message).with_retry(Retry::Never)
    }

    fn lost(doing: &str, error: impl Display) -> Self {
        Self::new(SourceErrorKind::Unreachable, format!("{doing}: the connection was lost: {error}"))
    }

    /// Whether anything is known of what the server has said.
    pub(crate) fn is_classified(&self) -> bool {
        self.kind != SourceErrorKind::Temporary || self.retry != Retry::Never
    }

    /// `sqlstate` is what is known of it.
    fn from_server(doing: &str, sqlstate: Option<&str>, message: &str) -> Self {
        let code = sqlstate.unwrap_or_default();
        let (kind, retry) = verdict(code, message);
        if code.starts_with("22") {
            // The server's text for a data exception may quote the value.
            let message =
                format!("{doing}: the server cannot produce a value (SQLSTATE {code}); see its log for the row");
            return Self::new(kind, message);
        }
        let remedy = match kind {
            SourceErrorKind::Denied => "; GRANT SELECT to this role, or run as another",
            SourceErrorKind::Temporary if is_recovery_conflict(code, message) => {
                &format!("; this standby replays a change of the primary rather than let us read on{CONFLICT_REMEDY}")
            }
            // lock_timeout and NOWAIT: reading needs the weakest lock there is, so somebody is changing the table.
            SourceErrorKind::Temporary if code == "55P03" => {
                "; somebody holds an exclusive lock on the table (ALTER, TRUNCATE, VACUUM FULL); try again when that has ended"
            }
            _ => "",
        };
        let code = sqlstate.map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default();
        Self::new(kind, format!("{doing}: {message}{code}{remedy}")).with_retry(retry)
    }
}

/// The error and its causes in one line: the driver's own text does not say what the operating system said.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |&error| error.source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}

const TLS_REMEDY: &str =
    "use sslrootcert=<file> for a server with its own authority, or sslmode=disable on a network that you trust";

/// The first helps against the replay of a clean-up, the others against that of TRUNCATE, DROP and ALTER as well.
pub(crate) const CONFLICT_REMEDY: &str = ": set hot_standby_feedback = on, raise max_standby_streaming_delay above the \
     time of the longest run, or read from the primary";

#[cfg(test)]
mod tests {
    use super::SourceError;
    use crate::source_error::SourceErrorKind;
    use crate::sqlstates::Retry;
    use diesel::result::{DatabaseErrorKind, Error as DieselError};
    use std::io;

    #[test]
    fn a_data_exception_does_not_quote_the_value() {
        let text = "invalid input syntax for integer: \"canary\"";
        let error = SourceError::from_server("cannot read a.b", Some("22P02"), text);
        assert!(!error.to_string().contains("canary"));
        assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Data, Retry::Never));
    }

    #[test]
    fn both_forms_of_a_conflict_name_what_helps() {
        for form in ["canceling statement", "terminating connection"] {
            let text = format!("{form} due to conflict with recovery");
            let error = SourceError::from_server("cannot read a.b", Some("40001"), &text);
            for advice in ["hot_standby_feedback", "max_standby_streaming_delay", "the primary"] {
                assert!(error.to_string().contains(advice), "{error}");
            }
        }
    }

    #[test]
    fn a_dropped_connection_is_the_same_for_every_driver() {
        let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
        let of_sqlx = |error| SourceError::from_sqlx("cannot read a.b", &error);
        let of_diesel = |kind| DieselError::DatabaseError(kind, Box::new("connection closed".to_owned()));
        for error in [
            of_sqlx(sqlx::Error::Io(reset())),
            of_sqlx(sqlx::Error::Io(io::ErrorKind::UnexpectedEof.into())),
            SourceError::from_diesel("cannot read a.b", &of_diesel(DatabaseErrorKind::UnableToSendCommand)),
            SourceError::from_diesel("cannot read a.b", &of_diesel(DatabaseErrorKind::ClosedConnection)),
        ] {
            assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Unreachable, Retry::StartOver), "{error}");
            assert!(error.to_string().contains("the connection was lost"), "{error}");
        }
    }
}
