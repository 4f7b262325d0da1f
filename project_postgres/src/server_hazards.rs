//! What of the server, or of our role, can spoil a long read.

use crate::source_error::SourceError;
use sqlx::{PgConnection, Row};

/// What the server says of itself and of our session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// A standby that replays what a primary writes.
    pub hot_standby: Option<HotStandby>,
    /// Timeouts that apply although every session turns them off, with their values.
    pub timeouts: Vec<(String, String)>,
    /// Minutes after which a snapshot may be too old to be read, on servers that have such a limit.
    pub snapshot_limit: Option<String>,
    /// Our role.
    pub role: String,
    /// Whether it may do anything.
    pub superuser: bool,
}

/// How a standby treats long reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotStandby {
    /// How long replay waits for a read that is in its way; nothing when it waits for ever.
    pub longest_delay: Option<String>,
    /// Whether the primary keeps the rows that are read here.
    pub feedback: bool,
}

/// A setting that this server does not have is NULL. `old_snapshot_threshold` went with Postgres 17, `transaction_timeout`
/// came with it.
const FACTS: &str = "
    SELECT pg_catalog.pg_is_in_recovery(),
           pg_catalog.current_setting('max_standby_streaming_delay', true),
           pg_catalog.current_setting('hot_standby_feedback', true),
           pg_catalog.current_setting('old_snapshot_threshold', true),
           current_user::text,
           coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false),
           ARRAY(SELECT name::text FROM pg_catalog.pg_settings WHERE name = ANY ($1) AND setting <> '0' ORDER BY name),
           ARRAY(SELECT pg_catalog.current_setting(name) FROM pg_catalog.pg_settings
                 WHERE name = ANY ($1) AND setting <> '0' ORDER BY name)";

/// The timeouts that [every session](crate::session) turns off.
const TIMEOUTS: [&str; 4] =
    ["statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout"];

/// Asks the server; the connection must have our session settings.
///
/// # Errors
/// [`SourceError`] when the server does not answer.
pub async fn server_facts(connection: &mut PgConnection) -> Result<ServerFacts, SourceError> {
    let failed = |error: sqlx::Error| SourceError::from_sqlx("cannot ask the server for its settings", &error);
    let timeouts: Vec<String> = TIMEOUTS.map(str::to_owned).to_vec();
    let row = sqlx::query(FACTS).bind(timeouts).persistent(false).fetch_one(connection).await.map_err(failed)?;
    let in_recovery: bool = row.try_get(0).map_err(failed)?;
    let delay: Option<String> = row.try_get(1).map_err(failed)?;
    let feedback: Option<String> = row.try_get(2).map_err(failed)?;
    let snapshot_limit: Option<String> = row.try_get(3).map_err(failed)?;
    let names: Vec<String> = row.try_get(6).map_err(failed)?;
    let values: Vec<String> = row.try_get(7).map_err(failed)?;
    Ok(ServerFacts {
        hot_standby: in_recovery.then(|| HotStandby {
            longest_delay: delay.filter(|delay| delay != "-1"),
            feedback: feedback.as_deref() == Some("on"),
        }),
        timeouts: names.into_iter().zip(values).collect(),
        snapshot_limit: snapshot_limit.filter(|limit| limit != "-1"),
        role: row.try_get(4).map_err(failed)?,
        superuser: row.try_get(5).map_err(failed)?,
    })
}

impl ServerFacts {
    /// What can end a long read, and what helps against it: a sentence for each.
    pub fn hazards(&self) -> Vec<String> {
        let standby = self.hot_standby.as_ref().and_then(HotStandby::hazard);
        let timeouts = self.timeouts.iter().map(|(name, value)| {
            format!(
                "{name} is {value} although every session of this program turns it off: something between here and the server undoes that, such as a pooler; connect to the server itself"
            )
        });
        let snapshot = self.snapshot_limit.iter().map(|limit| {
            format!(
                "old_snapshot_threshold is {limit}: a run that takes longer can fail with \"snapshot too old\"; set it to -1"
            )
        });
        standby.into_iter().chain(timeouts).chain(snapshot).collect()
    }
}

impl HotStandby {
    fn hazard(&self) -> Option<String> {
        let delay = self.longest_delay.as_ref()?;
        let (conflicts, remedy) = match self.feedback {
            true => ("a change of the table on the primary (ALTER, TRUNCATE, DROP)", ""),
            false => ("a vacuum or a change of the table on the primary", "set hot_standby_feedback = on, "),
        };
        Some(format!(
            "the server is a standby: {conflicts} cancels a read that is in its way for longer than max_standby_streaming_delay = {delay}; {remedy}raise that setting, or read from the primary"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{HotStandby, ServerFacts, TIMEOUTS};
    use crate::session::settings;

    fn standby(longest_delay: Option<&str>, feedback: bool) -> Vec<String> {
        let hot_standby = Some(HotStandby { longest_delay: longest_delay.map(str::to_owned), feedback });
        ServerFacts { hot_standby, ..ServerFacts::default() }.hazards()
    }

    #[test]
    fn a_standby_that_cancels_reads_is_a_hazard() {
        assert!(ServerFacts::default().hazards().is_empty());
        assert!(standby(None, false).is_empty(), "replay waits");
        let without = standby(Some("30s"), false).concat();
        assert!(without.contains("= 30s") && without.contains("set hot_standby_feedback = on"), "{without}");
        let with = standby(Some("30s"), true).concat();
        assert!(!with.contains("vacuum") && !with.contains("feedback"), "{with}");
    }

    #[test]
    fn a_timeout_that_applies_after_all_is_a_hazard() {
        let timeouts = vec![("statement_timeout".to_owned(), "30s".to_owned())];
        let facts = ServerFacts { timeouts, snapshot_limit: Some("1h".into()), ..ServerFacts::default() };
        let [timeout, snapshot] = &facts.hazards()[..] else { panic!("two hazards") };
        assert!(timeout.starts_with("statement_timeout is 30s"), "{timeout}");
        assert!(snapshot.starts_with("old_snapshot_threshold is 1h"), "{snapshot}");
    }

    #[test]
    fn the_timeouts_are_those_that_a_session_turns_off() {
        for name in TIMEOUTS {
            assert!(settings().contains(&format!("('{name}', '0')")), "{name}");
        }
    }
}
