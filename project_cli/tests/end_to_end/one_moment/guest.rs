//! What a run is at the server: few sessions that only read, and none when it has been killed.

use super::{MONEY, Writer};
use crate::deadline::wait_for;
use crate::program::Program;
use crate::shop::{sample_shop, value};
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::{Database, Postgres};
use std::time::{Duration, Instant};

const WORKERS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(60);
/// What is promised after a kill.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Sessions, their names, whether any has a transaction id, and the locks on tables that are stronger than ACCESS SHARE.
const SAMPLE: &str = "
    SELECT count(*), coalesce(string_agg(DISTINCT application_name, ','), ''), coalesce(bool_or(backend_xid IS NOT NULL), false),
        coalesce((SELECT string_agg(DISTINCT mode, ',') FROM pg_locks WHERE locktype = 'relation' AND mode <> 'AccessShareLock'
                  AND pid IN (SELECT pid FROM pg_stat_activity WHERE usename = 'GUEST')), '')
    FROM pg_stat_activity WHERE usename = 'GUEST'";

/// A role that may read everything, and may have as many connections as a run is promised to need.
struct Guest {
    database: Database<'static>,
    name: String,
}

impl Guest {
    fn invite(database: Database<'static>) -> Result<Self> {
        let name = format!("guest_of_{}", database.name());
        database.execute(&format!(
            "CREATE ROLE {name} LOGIN CONNECTION LIMIT {};
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
            WORKERS + 1
        ))?;
        Ok(Self { database, name })
    }

    fn uri(&self) -> String {
        format!("postgres://{}@127.0.0.1:{}/{}", self.name, self.database.server().port(), self.database.name())
    }

    fn sample(&self) -> Result<(u32, String, bool, String)> {
        let rows = self.database.query_text(&SAMPLE.replace("GUEST", &self.name))?;
        let row: Vec<String> = rows.into_iter().flatten().flatten().collect();
        let [sessions, names, writes, locks] = <[String; 4]>::try_from(row).ok().context("four values")?;
        Ok((sessions.parse()?, names, writes == "t", locks))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let sql = format!("DROP OWNED BY {0}; DROP ROLE {0}", self.name);
        // A test that has failed may have left a session.
        drop(self.database.execute(&sql));
    }
}

#[test]
fn a_run_has_as_many_sessions_as_workers_and_one_and_holds_no_lock_stronger_than_access_share() -> Result<()> {
    let database = sample_shop()?;
    database.execute("DELETE FROM orders; DELETE FROM products")?;
    database.execute(MONEY)?;
    let (guest, program) = (Guest::invite(database)?, Program::new()?);
    let tables = "combined_orders,users,products,events,public.vault";
    let workers = format!("--workers={WORKERS}");
    let _writer = Writer::start(&guest.database, &program.path("transfer.sql"))?;
    let arguments = [&guest.uri(), "--table", tables, &workers, "--gzip-level=9", "--verify", "--format=json"];
    let mut running = program.start(&arguments)?;
    let (mut samples, mut most, mut seen) = (0, 0, String::new());
    let end = Instant::now() + PATIENCE;
    while running.is_running()? {
        ensure!(Instant::now() < end, "the run does not end");
        let (sessions, names, writes, locks) = guest.sample()?;
        ensure!(sessions <= WORKERS + 1, "{sessions} sessions");
        ensure!(!writes && locks.is_empty(), "writes: {writes}, locks: {locks}");
        (samples, most) = (samples + 1, most.max(sessions));
        if sessions > 0 {
            seen = names;
        }
    }
    let report = running.wait(PATIENCE)?.expect(0)?.report()?;
    assert_eq!(seen, format!("project/{}", report["run_id"].as_str().context("a run id")?));
    // The holder and all workers were there together, or nothing was measured.
    ensure!(samples > 3 && most == WORKERS + 1, "{samples} samples, {most} sessions at most");
    Ok(())
}

#[test]
fn a_run_that_was_killed_leaves_no_session_behind() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    database.create_shop_tables()?;
    database.execute(MONEY)?;
    database.execute("CREATE VIEW slow AS SELECT 1 AS id FROM pg_sleep(100)")?;
    let guest = Guest::invite(database)?;
    let slow =
        format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{}' AND wait_event = 'PgSleep'", guest.name);
    for (table, pause_ms) in
        [("combined_orders", 0), ("combined_orders", 40), ("products", 20), ("public.vault", 150), ("public.slow", 0)]
    {
        let program = Program::new()?;
        let tables = format!("{table},public.slow");
        let running = program.start(&[&guest.uri(), "--table", &tables, "--workers=3"])?;
        wait_for("a session", PATIENCE, || Ok((guest.sample()?.0 > 0).then_some(())))?;
        std::thread::sleep(Duration::from_millis(pause_ms));
        if table == "public.slow" {
            wait_for("a statement that goes on", PATIENCE, || {
                Ok((value(&guest.database, &slow)? != "0").then_some(()))
            })?;
        }
        running.signal(&["KILL"])?;
        assert_eq!(running.wait(PATIENCE)?.code, None);
        wait_for("the end of all sessions", GONE_WITHIN, || Ok((guest.sample()?.0 == 0).then_some(())))?;
    }
    Ok(())
}

#[test]
fn a_run_can_be_stopped_although_its_role_may_have_no_further_connection() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    database.execute(
        "CREATE VIEW users AS SELECT 1 AS id, 'a'::varchar AS name, 'DE'::varchar AS country,
             now()::timestamp AS created_at, 'e'::varchar AS email FROM pg_sleep(100)",
    )?;
    let (guest, program) = (Guest::invite(database)?, Program::new()?);
    guest.database.execute(&format!("ALTER ROLE {} CONNECTION LIMIT 2", guest.name))?;
    let running = program.start(&[&guest.uri(), "--table=users", "--workers=1"])?;
    let slow =
        format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{}' AND wait_event = 'PgSleep'", guest.name);
    wait_for("a statement that goes on", PATIENCE, || Ok((value(&guest.database, &slow)? != "0").then_some(())))?;
    running.signal(&["TERM"])?;
    running.wait(GONE_WITHIN)?.expect(143)?;
    wait_for("the end of all sessions", GONE_WITHIN, || Ok((guest.sample()?.0 == 0).then_some(())))
}
