//! The report says which moment a run shows: by the server's clock and in its log.

use super::servers;
use crate::program::Program;
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::{Database, Postgres};
use serde_json::Value;
use std::fs::read_to_string;

fn only(server: &Postgres, query: &str) -> Result<String> {
    let rows = server.query_text("postgres", query)?;
    rows.into_iter().flatten().next().flatten().with_context(|| format!("no answer to {query}"))
}

/// The snapshot in the report of a run that reads one table from `server`, and the page that shows it.
fn snapshot(server: &Postgres, database: &Database<'_>) -> Result<(Value, String)> {
    let program = Program::new()?;
    let uri = server.uri(database.name());
    let arguments = [&uri, "--table=public.t", "--report=report.html", "--format=json"];
    let report = program.run(&arguments)?.expect(0)?.report()?;
    ensure!(report["snapshot_at"].is_string(), "{report:#}");
    Ok((report["snapshot"].clone(), read_to_string(program.path("report.html"))?))
}

#[test]
fn the_snapshot_has_its_place_in_the_log_of_a_primary_and_of_a_standby() -> Result<()> {
    let servers = servers()?;
    let database = Database::create(servers.primary())?;
    database.execute("CREATE TABLE t AS SELECT 1 AS id;")?;
    servers.wait_until_replayed()?;
    let identifier = only(servers.primary(), "SELECT system_identifier FROM pg_control_system()")?;
    let places = [
        (servers.primary(), "pg_current_wal_lsn()", "primary", false),
        (servers.standby(), "pg_last_wal_replay_lsn()", "standby", true),
    ];
    for (server, place, name, standby) in places {
        let before = only(server, &format!("SELECT {place} || ' ' || clock_timestamp()"))?;
        let (snapshot, page) = snapshot(server, &database)?;
        let text = |key: &str| snapshot[key].as_str().with_context(|| format!("no {key}: {snapshot:#}"));
        let (lsn, taken_at) = (text("lsn")?, text("taken_at")?);
        let (lsn_before, clock_before) = before.split_once(' ').context("two values")?;
        let between = format!(
            "SELECT pg_lsn '{lsn}' BETWEEN pg_lsn '{lsn_before}' AND {place}
                AND timestamptz '{taken_at}' BETWEEN timestamptz '{clock_before}' - interval '1 ms' AND clock_timestamp()"
        );
        assert_eq!(only(server, &between)?, "t", "{before}: {snapshot:#}");
        assert_eq!((&snapshot["standby"], text("system_identifier")?), (&Value::from(standby), identifier.as_str()));
        assert_eq!(snapshot["replayed_at"].is_string(), standby, "{snapshot:#}");
        ensure!(page.contains(&format!("at {lsn} in the log of the {name}")), "{page}");
    }
    Ok(())
}

#[test]
fn a_server_that_does_not_tell_its_place_in_the_log_is_read_all_the_same() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    // Roles belong to the whole server, which other tests share.
    let guest = format!("guest_of_{}", database.name());
    database.execute(&format!(
        "CREATE TABLE t AS SELECT 1 AS id; CREATE ROLE {guest} LOGIN; GRANT SELECT ON t TO {guest};
         REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn(), pg_control_system() FROM PUBLIC;",
    ))?;
    let program = Program::new()?;
    let uri = format!("postgres://{guest}@127.0.0.1:{}/{}", database.server().port(), database.name());
    let report = program.run(&[&uri, "--table=public.t", "--format=json"])?.expect(0)?.report()?;
    let snapshot = &report["snapshot"];
    ensure!(snapshot["lsn"].is_null() && snapshot["system_identifier"].is_null(), "{snapshot:#}");
    ensure!(snapshot["id"].is_string() && snapshot["taken_at"].is_string(), "{snapshot:#}");
    database.execute(&format!("DROP OWNED BY {guest}; DROP ROLE {guest};"))
}
