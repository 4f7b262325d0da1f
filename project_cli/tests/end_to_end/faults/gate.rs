//! Tables that cannot be read before a test allows it, so that it knows that a run is in the middle.

use crate::deadline::wait_for;
use crate::other_session::OtherSession;
use anyhow::{Context, Result};
use project_test_servers::postgres::{Database, Postgres};
use std::time::Duration;

/// For what comes about when the machine finds the time.
const PATIENCE: Duration = Duration::from_secs(60);

const LOCK: u32 = 7;

/// Rows of each of them.
pub(crate) const ROWS: u64 = 3;

/// What reads them: Diesel, sqlx through a cursor, and COPY.
pub(crate) const KINDS: [&str; 3] = ["users", "products", "public.gate"];

/// The three tables, as views that wait at the gate, and `moved`, whose rows come and go.
pub(crate) fn create(database: &Database<'_>) -> Result<()> {
    let gate = format!("CROSS JOIN (SELECT pg_advisory_xact_lock({LOCK})::text AS opened) gate");
    database.execute(&format!(
        "CREATE TABLE moved AS SELECT id FROM generate_series(1, 1000) AS id;
         CREATE VIEW users AS
             SELECT id, ('user ' || id)::varchar AS name, 'DE'::varchar AS country,
                    '2026-01-01'::timestamp AS created_at, NULL::varchar AS email
             FROM generate_series(1, {ROWS}) AS id {gate};
         CREATE VIEW products AS
             SELECT id, 'product'::varchar AS name, 1 AS quantity, '2026-01-01'::timestamp AS created_at,
                    true AS approved, 1.5::numeric AS price, NULL::uuid AS uuid
             FROM generate_series(1, {ROWS}) AS id {gate};
         CREATE VIEW gate AS SELECT id FROM generate_series(1, {ROWS}) AS id {gate}"
    ))
}

/// Whoever reads waits until this is dropped.
pub(crate) fn close(server: &Postgres, database: &str) -> Result<OtherSession> {
    let closed = OtherSession::start_on(server, database, &format!("SELECT pg_advisory_lock({LOCK})"))?;
    let held = format!(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK} AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = '{database}')"
    );
    wait_for("the gate to be closed", PATIENCE, || Ok(server.query_text(database, &held)?.pop()))?;
    Ok(closed)
}

/// Waits until a run other than `known` stands at the gate, and says how the server calls it.
pub(crate) fn wait_for_a_reader(server: &Postgres, database: &str, known: &[String]) -> Result<String> {
    let waiting = format!(
        "SELECT application_name FROM pg_stat_activity WHERE datname = '{database}' \
         AND application_name LIKE 'project/%' AND wait_event_type = 'Lock'"
    );
    wait_for("a reader at the gate", PATIENCE, || {
        let names = server.query_text(database, &waiting)?.into_iter().flatten().flatten();
        Ok(names.into_iter().find(|name| !known.contains(name)))
    })
}

/// Waits until the server has ended the session that holds the snapshot of a run, which is the only one that rests.
pub(crate) fn wait_until_lost(server: &Postgres, database: &str, run: &str) -> Result<()> {
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{run}' AND state = 'idle in transaction'"
    );
    wait_for("the end of the snapshot", PATIENCE, || {
        let count = server.query_text(database, &sessions)?.into_iter().flatten().next().flatten();
        Ok((count.context("a count")? == "0").then_some(()))
    })
}
