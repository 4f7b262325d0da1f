//! The moment that all connections of a run share, and how one that missed it is told.

use crate::connection_settings::ConnectionSettings;
use crate::source_error::{CONFLICT_REMEDY, SourceError, SourceErrorKind};
use crate::sql::quote_literal;
use crate::sqlstates::Retry;

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

/// Why a reader could not begin at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missed {
    /// It has reached this server, which is not the one.
    AnotherServer(String),
    /// Its server does not know the snapshot, in these words.
    UnknownSnapshot(String),
}

impl Moment {
    /// What the server's refusal to begin has to do with the moment, if anything.
    pub(crate) fn missed(&self, refusal: &str) -> Option<Missed> {
        if let Some((_, found)) = refusal.split_once(ANOTHER_SERVER) {
            return Some(Missed::AnotherServer(found.trim_end_matches('"').to_owned()));
        }
        // In most languages the snapshot is named, if not called by that word.
        let about_it = refusal.contains("snapshot") || refusal.contains(&self.snapshot);
        about_it.then(|| Missed::UnknownSnapshot(refusal.to_owned()))
    }

    /// The error of a reader who has missed the moment. `answer` is what the server then said against being the one that
    /// has the snapshot.
    pub(crate) fn told(&self, settings: &ConnectionSettings, missed: &Missed, answer: Option<&str>) -> SourceError {
        let server = &self.server;
        let (what, retry) = match (missed, &answer.and_then(|answer| self.missed(answer))) {
            (Missed::AnotherServer(found), _) | (_, Some(Missed::AnotherServer(found))) => {
                let what = format!(
                    "this connection has reached another server ({found}) than the one with the run's snapshot \
                     ({server}); {REMEDY}"
                );
                // The address will lead to several servers the next time as well.
                (what, Retry::Never)
            }
            (Missed::UnknownSnapshot(refusal), _) => {
                let remedy = if server.standby { format!("; on a standby{CONFLICT_REMEDY}") } else { String::new() };
                let what = format!(
                    "the run's snapshot is gone ({refusal}), because the connection that held it was lost, on {server}{remedy}"
                );
                (what, Retry::StartOver)
            }
        };
        SourceError::new(SourceErrorKind::Temporary, format!("Postgres at {settings}: {what}")).with_retry(retry)
    }
}

#[cfg(test)]
mod tests {
    use super::{Missed, Moment, ServerIdentity};
    use crate::connection_settings::{ConnectionDefaults, ConnectionSettings};
    use crate::source::Source;
    use crate::sqlstates::Retry;
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
        let import = r#"invalid snapshot identifier: "0-1""#;
        // The check finds it, or the question after an import that has failed.
        let (found, unknown) = (moment.missed(cast).unwrap(), moment.missed(import).unwrap());
        for error in [moment.told(&settings, &found, None), moment.told(&settings, &unknown, Some(cast))] {
            assert_eq!(error.retry(), Retry::Never, "{error}");
            let error = error.to_string();
            for text in ["(10.0.0.2:5432, a standby)", "10.0.0.1:5432, a standby", "balanced reader endpoint", "pooler"]
            {
                assert!(error.contains(text), "{error}");
            }
        }
        let gone = moment.told(&settings, &unknown, None);
        assert_eq!(gone.retry(), Retry::StartOver);
        assert!(gone.to_string().contains("snapshot is gone"), "{gone}");
        assert!(gone.to_string().contains("hot_standby_feedback"), "{gone}");
        assert!(moment.missed("permission denied").is_none());
        let elsewhere = "ungültige Kennung »0-1«";
        assert_eq!(moment.missed(elsewhere), Some(Missed::UnknownSnapshot(elsewhere.into())));
    }

    #[tokio::test]
    async fn a_snapshot_whose_holder_is_gone_is_told_from_one_of_another_server() {
        let uri = Postgres::shared().unwrap().uri("postgres");
        let settings = ConnectionSettings::parse(&uri, &ConnectionDefaults::default()).unwrap();
        let (ours, holder) = Source::new(settings, "test").hold_snapshot(&[], &[]).await.unwrap();
        // The end of the holder takes its time; this one was never there.
        let gone = Moment { snapshot: "00000000-00000000-1".into(), ..ours.moment().unwrap().clone() };
        let server = ServerIdentity { standby: true, ..gone.server.clone() };
        let elsewhere = ours.at(Moment { server, ..gone.clone() });
        let unknown = ours.at(gone);
        drop(holder);
        for (source, text, retry) in
            [(unknown, "snapshot is gone", Retry::StartOver), (elsewhere, "has reached another server", Retry::Never)]
        {
            let error = source.connect().await.unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
            assert_eq!(error.retry(), retry, "{error}");
            let diesel = tokio::task::spawn_blocking(move || source.connect_diesel().err()).await.unwrap().unwrap();
            assert_eq!((diesel.to_string(), diesel.retry()), (error.to_string(), retry));
        }
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
