//! Stopped in the middle: at once, in good order, and without a trace.

use crate::deadline::wait_for;
use crate::lake_folder::{links, listing, runs};
use crate::program::{Program, Running};
use crate::shop::{empty_shop, value};
use anyhow::{Context, Result, anyhow, ensure};
use project_test_servers::postgres::{Database, Postgres};
use std::fs::create_dir_all;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What is promised to whoever stops a run.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
/// For what the machine has to do before a test can begin, and the server after it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A table that takes seconds to read, for all tests here.
fn big() -> Result<&'static Database<'static>> {
    static BIG: OnceLock<Result<Database<'static>, String>> = OnceLock::new();
    let fill = || {
        let database = Database::create(Postgres::shared()?)?;
        database.execute(
            "CREATE UNLOGGED TABLE big AS
             SELECT id, md5(id::text) AS a, md5((-id)::text) AS b, md5((id * 3)::text) AS c, now() AS at
             FROM generate_series(1, 2000000) AS id",
        )?;
        Ok(database)
    };
    let database = BIG.get_or_init(|| fill().map_err(|error: anyhow::Error| format!("{error:#}")));
    database.as_ref().map_err(|message| anyhow!("{message}"))
}

/// Waits until the newest run in the lake reads `table` and has begun to write it; returns the run's name at the server.
fn wait_for_the_middle(program: &Program, database: &Database<'_>, table: &str, older: usize) -> Result<String> {
    wait_for("the middle of the run", PATIENCE, || {
        if !program.lake().exists() {
            return Ok(None);
        }
        let runs = runs(&program.lake())?;
        let Some(run) = runs.get(older) else { return Ok(None) };
        let writes = listing(&program.lake().join(run)).is_ok_and(|files| {
            files.keys().any(|path| path.starts_with(table) && path.extension() == Some("partial".as_ref()))
        });
        let session = format!("project/{}", run.trim_start_matches("run="));
        let reads = sessions(database, &session, "AND state = 'active' AND query LIKE 'COPY%'")? > 0;
        Ok((writes && reads).then_some(session))
    })
}

fn sessions(database: &Database<'_>, name: &str, and: &str) -> Result<u32> {
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' {and}");
    Ok(value(database, &sql)?.parse()?)
}

fn wait_until_no_session_is_left(database: &Database<'_>, name: &str) -> Result<()> {
    wait_for("the end of our sessions at the server", STOPPED_WITHIN, || {
        Ok((sessions(database, name, "")? == 0).then_some(()))
    })
}

/// A lake with one published table, and a run that is in the middle of a big one.
fn in_the_middle(small: &str) -> Result<(Program, Running, String)> {
    let database = big()?;
    database.execute(&format!("CREATE TABLE {small} AS SELECT 'old' AS state"))?;
    let program = Program::new()?;
    program.publish(&database.uri(), &format!("public.{small}"))?.expect(0)?;
    database.execute(&format!("UPDATE {small} SET state = 'new'"))?;
    let tables = format!("public.{small},public.big");
    let running = program.start(&[&database.uri(), "--table", &tables, "--gzip-level=9"])?;
    let session = wait_for_the_middle(&program, database, "public_big", 1)?;
    Ok((program, running, session))
}

fn a_signal_stops_the_run(signal: &str, code: i32) -> Result<()> {
    let (program, running, session) = in_the_middle(&format!("small_{}", signal.to_lowercase()))?;
    let published = links(&program.lake())?;
    running.signal(&[signal])?;
    let ended = running.wait(STOPPED_WITHIN)?.expect(code)?;
    ended.says(&["stopped by a signal: 0 of 2 tables published"])?;
    wait_until_no_session_is_left(big()?, &session)?;
    assert_eq!(links(&program.lake())?, published);
    let runs = runs(&program.lake())?;
    ensure!(runs.len() == 1, "the stopped run has left something: {:?}", listing(&program.lake())?);
    program.check_scratch_is_empty()
}

#[test]
fn ctrl_c_in_the_middle_of_a_big_table_is_130_and_leaves_nothing_behind() -> Result<()> {
    a_signal_stops_the_run("INT", 130)
}

#[test]
fn sigterm_in_the_middle_of_a_big_table_is_143_and_leaves_nothing_behind() -> Result<()> {
    a_signal_stops_the_run("TERM", 143)
}

#[test]
fn a_second_signal_ends_the_program_at_once() -> Result<()> {
    let (program, running, _) = in_the_middle("small_twice")?;
    let published = links(&program.lake())?;
    // Stopped meanwhile, so that both arrive together.
    running.signal(&["STOP", "INT", "TERM", "CONT"])?;
    let start = Instant::now();
    let ended = running.wait(STOPPED_WITHIN)?;
    ensure!(matches!(ended.code, Some(130 | 143)), "{ended}");
    ensure!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
    // Whoever is in a hurry gets no summary.
    ended.never_says("stopped by a signal")?;
    assert_eq!(links(&program.lake())?, published);
    Ok(())
}

#[test]
fn after_a_kill_readers_see_the_old_table_and_the_next_run_publishes_the_new_one() -> Result<()> {
    let (program, running, session) = in_the_middle("small_kill")?;
    running.signal(&["KILL"])?;
    assert_eq!(running.wait(STOPPED_WITHIN)?.code, None);
    let state = "SELECT state FROM public_small_kill";
    assert_eq!(program.query(state)?, "state\nold\n");
    wait_until_no_session_is_left(big()?, &session)?;
    let killed = session.replace("project/", "run=");
    ensure!(runs(&program.lake())?.contains(&killed), "a killed run cleans up nothing: {:?}", runs(&program.lake())?);
    program.publish(&big()?.uri(), "public.small_kill")?.expect(0)?.says(&["removed what a killed run has left"])?;
    assert_eq!(program.query(state)?, "state\nnew\n");
    let left = runs(&program.lake())?;
    ensure!(left.len() == 2 && !left.contains(&killed), "{killed} is there, or more is gone: {left:?}");
    Ok(())
}

#[test]
fn a_run_leaves_those_alone_that_go_on_and_those_that_were_told_to_stay() -> Result<()> {
    let (program, mut running, session) = in_the_middle("small_host")?;
    big()?.execute("CREATE TABLE small_guest AS SELECT 'new' AS state")?;
    program.run(&[&big()?.uri(), "--table=public.small_guest", "--no-upload"])?.expect(0)?;
    let older = "run=20250101T000000000Z-0000";
    create_dir_all(program.lake().join(older).join("public_old"))?;
    let before = runs(&program.lake())?;
    ensure!(before.contains(&session.replace("project/", "run=")) && before.len() == 4, "{before:?}");
    program.publish(&big()?.uri(), "public.small_guest")?.expect(0)?.never_says("killed run")?;
    let after = runs(&program.lake())?;
    ensure!(before.iter().all(|run| after.contains(run)), "{before:?} and then {after:?}");
    ensure!(running.is_running()?, "it has ended too early to show anything");
    running.signal(&["TERM"])?;
    running.wait(STOPPED_WITHIN)?.expect(143)?;
    // Nobody's any more, now that all have ended.
    let owned = listing(&program.lake())?.into_keys().filter(|path| path.ends_with(".owner")).collect::<Vec<_>>();
    ensure!(owned.is_empty(), "{owned:?}");
    Ok(())
}

/// A table that never answers, for each way of reading.
fn a_signal_stops_a_read_that_waits(task: &str, view: &str) -> Result<()> {
    let database = empty_shop()?;
    database.execute(view)?;
    let program = Program::new()?;
    let running = program.start(&[&database.uri(), "--table", task])?;
    let waiting = "SELECT application_name FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'project/%' AND wait_event = 'PgSleep'";
    let session = wait_for("a read that waits", PATIENCE, || {
        let rows = database.query_text(waiting)?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    })?;
    running.signal(&["TERM"])?;
    running.wait(STOPPED_WITHIN)?.expect(143)?;
    wait_until_no_session_is_left(&database, &session)?;
    let left = listing(&program.lake()).context("the lake")?;
    ensure!(left.is_empty(), "left in the lake: {left:?}");
    Ok(())
}

#[test]
fn sigterm_stops_a_batch_task_whose_table_does_not_answer() -> Result<()> {
    a_signal_stops_a_read_that_waits(
        "users",
        "DROP TABLE users;
         CREATE VIEW users AS SELECT 1 AS id, 'a'::varchar AS name, 'DE'::varchar AS country, now()::timestamp AS created_at,
             'e'::varchar AS email FROM pg_sleep(100)",
    )
}

#[test]
fn sigterm_stops_a_stream_task_whose_table_does_not_answer() -> Result<()> {
    a_signal_stops_a_read_that_waits(
        "products",
        "DROP TABLE products;
         CREATE VIEW products AS SELECT 1 AS id, 'a'::varchar AS name, 2 AS quantity, now()::timestamp AS created_at,
             true AS approved, 1.5::numeric AS price, NULL::uuid AS uuid FROM pg_sleep(100)",
    )
}

#[test]
fn sigterm_stops_a_table_that_does_not_answer() -> Result<()> {
    a_signal_stops_a_read_that_waits("public.slow", "CREATE VIEW slow AS SELECT 1 AS id FROM pg_sleep(100)")
}
