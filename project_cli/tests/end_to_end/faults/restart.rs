//! A server that restarts while a run reads from it.

use super::gate::{KINDS, ROWS, close, create, wait_for_a_reader};
use crate::lake_folder::links;
use crate::program::Program;
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::{Database, Postgres, Shutdown};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn a_run_outlives_a_restart_of_its_server() -> Result<()> {
    let server = Postgres::start()?;
    let database = Database::create(&server)?;
    create(&database)?;
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        for table in KINDS {
            let closed = close(&server, database.name())?;
            let program = Program::new()?;
            let tables = format!("--table=public.moved,{table}");
            // The pauses together are longer than a restart takes.
            let retries = ["--attempts=6", "--retry-delay=1s"];
            let running = program.start(&[&[&database.uri(), &tables, "--format=json"], &retries[..]].concat())?;
            wait_for_a_reader(&server, database.name(), &[])?;
            server.restart(how)?;
            let ended = running.wait(DEADLINE)?.expect(0)?.says(&["attempt 1 of 6 is lost"])?;
            drop(closed);
            let report = ended.report()?;
            let earlier = &report["earlier_attempts"][0]["failure"];
            assert_eq!(earlier["exit_code"], 69, "{how:?}, {table}: {ended}");
            assert_eq!(ended.published()?.len(), 2);
            let count = format!("SELECT count(*) FROM {}", table.replace('.', "_"));
            assert_eq!(program.query(&count)?.lines().last(), Some(ROWS.to_string().as_str()));
        }
    }
    Ok(())
}

#[test]
fn a_server_that_does_not_come_back_in_time_is_69_and_nothing_is_published() -> Result<()> {
    let server = Postgres::start()?;
    let database = Database::create(&server)?;
    create(&database)?;
    let closed = close(&server, database.name())?;
    let program = Program::new()?;
    let arguments = [&database.uri(), "--table=public.moved,public.gate", "--attempts=2", "--retry-delay=0"];
    let running = program.start(&arguments)?;
    wait_for_a_reader(&server, database.name(), &[])?;
    server.kill()?;
    let ended =
        running.wait(DEADLINE)?.expect(69)?.says(&["attempt 1 of 2 is lost", "failed (69): Postgres at 127.0.0.1"])?;
    drop(closed);
    ensure!(links(&program.lake()).context("the lake")?.is_empty(), "{ended}");
    Ok(())
}

#[test]
fn a_server_that_never_answered_is_not_waited_for() -> Result<()> {
    let uri = "postgres://nobody@127.0.0.1:1/nothing";
    let ended = Program::new()?.run(&[uri, "--table=users", "--retry-delay=1h"])?.expect(69)?;
    ended.never_says("starts over")?;
    Ok(())
}
