//! Tables that somebody changes while a run goes on: he waits, or their task fails; a file is never short.

use crate::deadline::wait_for;
use crate::program::Program;
use crate::shop::{tiny_shop, value};
use anyhow::{Context, Result, ensure};
use project_test_servers::dropping_proxy::DroppingProxy;
use project_test_servers::postgres::Database;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// A table that takes a while comes first, so that the others are locked and not yet read.
const SLOW: &str = "CREATE VIEW a_slow AS SELECT 1 AS id FROM pg_sleep(4)";
/// The second connection of a run is the one that locks.
const HOLDER: u32 = 2;

fn wait_until_it_reads(database: &Database<'_>) -> Result<()> {
    let reads = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    wait_for("the slow table", PATIENCE, || Ok((value(database, reads)? != "0").then_some(())))
}

fn exit_code(report: &serde_json::Value, task: usize) -> Option<u64> {
    report["tasks"][task]["failure"]["exit_code"].as_u64()
}

#[test]
fn whoever_would_truncate_alter_or_drop_a_table_of_the_run_waits_until_it_is_read() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    database.execute(&format!(
        "CREATE TABLE t AS SELECT id FROM generate_series(1, 500) AS id;
         CREATE TABLE behind AS TABLE t; CREATE VIEW seen AS SELECT id FROM behind; {SLOW}"
    ))?;
    let running = program.start(&[&database.uri(), "--table=public.a_slow,public.t,public.seen,users,products"])?;
    wait_until_it_reads(&database)?;
    for change in [
        "TRUNCATE t",
        "ALTER TABLE t ALTER id TYPE int8",
        "ALTER TABLE t ADD more int4",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "DROP TABLE t",
        "TRUNCATE users",
        "TRUNCATE products",
        "TRUNCATE behind",
    ] {
        let error = database.execute(&format!("SET lock_timeout = '50ms'; {change}")).err().context(change)?;
        ensure!(error.to_string().contains("lock timeout"), "{change}: {error}");
    }
    running.wait(PATIENCE)?.expect(0)?;
    for table in ["public_t", "public_seen"] {
        assert_eq!(program.query(&format!("SELECT count(*) AS n FROM {table}"))?, "n\n500\n");
    }
    Ok(())
}

#[test]
fn a_table_for_whose_change_somebody_waits_all_the_time_fails_and_the_others_are_published() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    database.execute(&format!("CREATE TABLE t AS SELECT id FROM generate_series(1, 500) AS id; {SLOW}"))?;
    let running = program.start(&[&database.uri(), "--table=public.a_slow,public.t,users", "--format=json"])?;
    wait_until_it_reads(&database)?;
    std::thread::scope(|scope| -> Result<()> {
        let change = scope.spawn(|| database.execute("TRUNCATE t"));
        let report = running.wait(2 * PATIENCE)?.expect(75)?.says(&["public.t", "exclusive lock"])?.report()?;
        assert_eq!((exit_code(&report, 0), exit_code(&report, 1), exit_code(&report, 2)), (None, Some(75), None));
        // Nothing of the run is in his way any more.
        ensure!(matches!(change.join(), Ok(Ok(()))), "the change failed");
        Ok(())
    })
}

/// A run whose second connection waits until the tables have been changed.
fn changed_before_the_lock(
    database: Database<'static>,
    change: &'static str,
    tables: &str,
) -> Result<serde_json::Value> {
    let (database, program) = (Arc::new(database), Program::new()?);
    let (changed, port) = (Arc::clone(&database), database.server().port());
    let lead = move |connection| {
        if connection == HOLDER {
            // What it changes is looked at below.
            drop(changed.execute(change));
        }
        port
    };
    let proxy = DroppingProxy::leading(lead)?;
    let uri = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
    let report = program.publish(&uri, tables)?.expect(65)?.report()?;
    ensure!(program.query("SELECT count(*) AS n FROM products")? == "n\n3\n", "{report:#}");
    Ok(report)
}

#[test]
fn a_table_that_is_gone_when_it_is_to_be_locked_fails_its_own_task() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("CREATE TABLE gone AS SELECT 1 AS id; CREATE TABLE grown AS SELECT 1 AS id")?;
    let change = "DROP TABLE gone; ALTER TABLE grown ADD more int4 DEFAULT 7; ALTER TABLE users DROP email";
    let report = changed_before_the_lock(database, change, "public.gone,users,public.grown,products")?;
    let codes: Vec<Option<u64>> = (0..4).map(|task| exit_code(&report, task)).collect();
    assert_eq!(codes, [Some(65), Some(65), None, None], "{report:#}");
    let message = |task: usize| report["tasks"][task]["failure"]["message"].to_string();
    ensure!(message(0).contains("public.gone does not exist"), "{report:#}");
    ensure!(message(1).contains("email"), "{report:#}");
    Ok(())
}

#[test]
fn a_column_that_was_retyped_before_the_lock_fails_the_task_whose_struct_it_does_not_fit() -> Result<()> {
    // As wide as before, so that bytes alone do not tell.
    let change = "ALTER TABLE users DROP CONSTRAINT users_pkey; ALTER TABLE users ALTER id TYPE float4";
    let report = changed_before_the_lock(tiny_shop()?, change, "users,products")?;
    assert_eq!((exit_code(&report, 0), exit_code(&report, 1)), (Some(65), None), "{report:#}");
    Ok(())
}

#[test]
fn a_role_that_would_see_only_some_rows_is_refused() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    let guest = format!("filtered_in_{}", database.name());
    database.execute(&format!(
        "CREATE ROLE {guest} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {guest};
         ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON users USING (id < 3)"
    ))?;
    let uri = format!("postgres://{guest}@127.0.0.1:{}/{}", database.server().port(), database.name());
    for table in ["users", "public.users"] {
        let tables = format!("{table},products");
        let report = program.publish(&uri, &tables)?.expect(77)?.says(&["row security"])?.report()?;
        assert_eq!((exit_code(&report, 0), exit_code(&report, 1)), (Some(77), None), "{report:#}");
    }
    database.execute(&format!("DROP OWNED BY {guest}; DROP ROLE {guest}"))
}
