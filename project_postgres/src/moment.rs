//! The moment that all connections of a run share, and how one that missed it is told.

use crate::connection_settings::ConnectionSettings;
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sql::quote_literal;

/// A snapshot, and the one server that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By which it is imported.
    pub(crate) snapshot: String,
    /// Where it is.
    pub(crate) server: ServerIdentity,
}

/// Which server a connection has reached. One that has several addresses is still one, and no two start in the same
/// microsecond; a standby that was made the primary goes on running, but is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerIdentity {
    /// When its first process was started, as text in UTC.
    pub(crate) started_at: String,
    /// Whether it is in recovery.
    pub(crate) standby: bool,
    /// For messages.
    pub(crate) address: String,
}

/// The columns of a [`ServerIdentity`] in SQL, for a session that has our settings.
pub(crate) const IDENTITY: [&str; 3] = [
    "pg_catalog.pg_postmaster_start_time()::pg_catalog.text",
    "pg_catalog.pg_is_in_recovery()",
    "coalesce(pg_catalog.host(pg_catalog.inet_server_addr()) || ':' || pg_catalog.inet_server_port(), 'a local socket')",
];

/// What the complaint about another server holds; what that server is follows.
const ANOTHER_SERVER: &str = "another server: ";

/// What to do about it.
const REMEDY: &str = "a balanced reader endpoint, a connection pooler or a failover leads there; give the address of one \
    server, or --no-snapshot if every table may show a moment of its own";

impl ServerIdentity {
    /// A query that fails on any other server. A cast that cannot succeed is the one way in plain SQL to stop with a
    /// message made of values.
    pub(crate) fn check(&self) -> String {
        let [started_at, standby, address] = IDENTITY;
        format!(
            "SELECT CASE WHEN {started_at} = {} AND {standby} = {} THEN 0 ELSE ('{ANOTHER_SERVER}' || {address} || \
             CASE WHEN {standby} THEN ', a standby' ELSE ', a primary' END || ', running since ' || {started_at})\
             ::pg_catalog.int4 END",
            quote_literal(&self.started_at),
            self.standby
        )
    }
}

impl std::fmt::Display for ServerIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = if self.standby { "standby" } else { "primary" };
        write!(f, "{}, a {role}, running since {}", self.address, self.started_at)
    }
}

impl Moment {
    /// The error of a reader whose transaction could not begin, when its server is not the one that has the snapshot,
    /// or has it no more.
    pub(crate) fn missed(&self, settings: &ConnectionSettings, message: &str) -> Option<SourceError> {
        let server = &self.server;
        let what = if let Some((_, found)) = message.split_once(ANOTHER_SERVER) {
            let found = found.trim_end_matches('"');
            format!(
                "this connection has reached another server ({found}) than the one with the run's snapshot ({server})"
            )
        } else if message.contains("snapshot") {
            format!(
                "the server does not know the run's snapshot ({message}): this connection has reached another server \
                 than the one that holds it ({server}), or that one does so no more"
            )
        } else {
            return None;
        };
        let message = format!("Postgres at {settings}: {what}; {REMEDY}");
        Some(SourceError::new(SourceErrorKind::Temporary, message))
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, ServerIdentity};
    use crate::connection_settings::{ConnectionDefaults, ConnectionSettings};
    use crate::source::Source;
    use project_test_servers::postgres::Postgres;

    #[test]
    fn the_error_names_both_servers_and_what_leads_there() {
        let settings = ConnectionSettings::parse("postgres://ann@reader.example/shop", &ConnectionDefaults::default());
        let settings = settings.unwrap();
        let server = ServerIdentity {
            started_at: "2026-01-01 00:00:00+00".into(),
            standby: true,
            address: "10.0.0.1:5432".into(),
        };
        let moment = Moment { snapshot: "0-1".into(), server };
        let cast = r#"invalid input syntax for type integer: "another server: 10.0.0.2:5432, a standby""#;
        let error = moment.missed(&settings, cast).unwrap().to_string();
        for text in ["(10.0.0.2:5432, a standby)", "10.0.0.1:5432, a standby", "balanced reader endpoint", "pooler"] {
            assert!(error.contains(text), "{error}");
        }
        let import = r#"invalid snapshot identifier: "0-1""#;
        assert!(moment.missed(&settings, import).unwrap().to_string().contains("does not know the run's snapshot"));
        assert!(moment.missed(&settings, "permission denied").is_none());
    }

    /// Two servers may use the same name for a snapshot.
    #[tokio::test]
    async fn a_snapshot_of_the_same_name_on_another_server_is_not_taken_for_ours() {
        let uri = Postgres::shared().unwrap().uri("postgres");
        let settings = ConnectionSettings::parse(&uri, &ConnectionDefaults::default()).unwrap();
        let (ours, _holder) = Source::new(settings, "test").hold_snapshot(&[], &[]).await.unwrap();
        let moment = ours.moment().unwrap().clone();
        let elsewhere = [
            ServerIdentity { started_at: "2026-01-01 00:00:00+00".into(), ..moment.server.clone() },
            ServerIdentity { standby: true, ..moment.server.clone() },
        ];
        for server in elsewhere {
            let source = ours.at(Moment { server, ..moment.clone() });
            let error = source.connect().await.unwrap_err().to_string();
            assert!(error.contains("has reached another server (127.0.0.1:"), "{error}");
            let diesel = tokio::task::spawn_blocking(move || source.connect_diesel().err()).await.unwrap().unwrap();
            assert_eq!(diesel.to_string(), error);
        }
        ours.connect().await.unwrap();
    }
}
