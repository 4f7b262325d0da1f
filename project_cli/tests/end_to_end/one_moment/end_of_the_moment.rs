//! A snapshot that is lost, or grows too old, ends the reading.

use crate::deadline::wait_for;
use crate::lake_folder::runs;
use crate::program::{Program, Running};
use crate::shop::{tiny_shop, value};
use anyhow::{Result, ensure};
use project_test_servers::postgres::Database;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn shop_with_a_table_that_does_not_answer() -> Result<Database<'static>> {
    let database = tiny_shop()?;
    database.execute("CREATE VIEW slow AS SELECT 1 AS id FROM pg_sleep(100)")?;
    Ok(database)
}

fn wait_until_it_reads(database: &Database<'_>) -> Result<()> {
    let reads = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    wait_for("the slow table", PATIENCE, || Ok((value(database, reads)? != "0").then_some(())))
}

fn start(program: &Program, database: &Database<'_>, more: &[&str]) -> Result<Running> {
    let arguments = [&database.uri(), "--table=users,public.slow,products", "--format=json"];
    program.start(&[&arguments, more].concat())
}

/// Ends the session that holds the snapshot.
const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'project/%' AND state = 'idle in transaction'";

#[test]
fn a_run_whose_snapshot_is_ended_stops_at_once_and_publishes_nothing() -> Result<()> {
    let (database, program) = (shop_with_a_table_that_does_not_answer()?, Program::new()?);
    let running = start(&program, &database, &["--attempts=1"])?;
    wait_until_it_reads(&database)?;
    database.execute(END)?;
    let start = Instant::now();
    let ended = running.wait(PATIENCE)?.expect(69)?;
    ensure!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
    let report = ended.report()?;
    let message = report["failure"]["message"].to_string();
    ensure!(message.contains("the snapshot of the run was lost: terminating connection"), "{ended}");
    ensure!(!program.lake().join("users").exists() && !program.lake().join("products").exists(), "{ended}");
    Ok(())
}

#[test]
fn a_run_whose_snapshot_is_ended_starts_over_with_another_one() -> Result<()> {
    let (database, program) = (shop_with_a_table_that_does_not_answer()?, Program::new()?);
    let running = start(&program, &database, &["--retry-delay=10s"])?;
    wait_until_it_reads(&database)?;
    database.execute(END)?;
    // Waits until the reader of the first attempt is gone.
    database.execute("CREATE OR REPLACE VIEW slow AS SELECT 1 AS id")?;
    let ended = running.wait(PATIENCE)?.expect(0)?.says(&["attempt 1 of 3 is lost and the run starts over"])?;
    assert_eq!(ended.published()?, ["users", "public_slow", "products"]);
    let report = ended.report()?;
    let earlier = &report["earlier_attempts"][0];
    let message = earlier["failure"]["message"].to_string();
    ensure!(message.contains("the snapshot of the run was lost: terminating connection"), "{ended}");
    ensure!(earlier["run_id"] != report["run_id"] && report["earlier_attempts"][1].is_null(), "{ended}");
    // What the first attempt had read does not stay.
    assert_eq!(runs(&program.lake())?, [format!("run={}", report["run_id"].as_str().unwrap_or_default())]);
    Ok(())
}

#[test]
fn reading_stops_when_the_snapshot_is_too_old_and_what_was_read_is_published() -> Result<()> {
    let (database, program) = (shop_with_a_table_that_does_not_answer()?, Program::new()?);
    let start = Instant::now();
    let ended = self::start(&program, &database, &["--max-snapshot-age=3s"])?.wait(PATIENCE)?.expect(75)?;
    ensure!(start.elapsed() < Duration::from_secs(30), "it took {:?}", start.elapsed());
    let report = ended.report()?;
    for task in [1, 2] {
        let message = report["tasks"][task]["failure"]["message"].to_string();
        ensure!(message.contains("--max-snapshot-age of 3 s") && message.contains("--workers"), "{report:#}");
    }
    assert_eq!(ended.published()?, ["users"]);
    assert_eq!(report["earlier_attempts"].as_array().map(Vec::len), Some(0), "{report:#}");
    let age = report["snapshot_age_ms"].as_u64().unwrap_or_default();
    ensure!((3_000..20_000).contains(&age), "{report:#}");
    let sessions = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'project/%'";
    wait_for("the end of our sessions", Duration::from_secs(10), || {
        Ok((value(&database, sessions)? == "0").then_some(()))
    })
}
