//! Two runs at once, a lock that somebody holds, a stop, a lost connection.

use crate::fixture::{Fixture, figures, insertion};
use anyhow::{Context, Result, ensure};
use project_insert_data::{InsertErrorKind, Mode};
use project_test_servers::dropping_proxy::DroppingProxy;
use std::thread;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

fn numbers(count: u32) -> String {
    (0..count).fold("id,n\n".to_owned(), |text, id| text + &format!("{id},{id}\n"))
}

#[test]
fn of_two_runs_at_once_one_inserts_and_the_other_finds_it_done() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int, n text)")?;
    let mut insertion = insertion(Mode::Upsert, fixture.csv("a.csv", numbers(20_000))?);
    insertion.key = Some(vec!["id".to_owned()]);
    let outcomes = thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| fixture.run(&insertion))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Result<Vec<_>, _>>()
    })?;
    let mut inserted: Vec<u64> = outcomes.iter().map(|done| done.inserted).collect();
    inserted.sort_unstable();
    assert_eq!(inserted, [0, 0, 0, 20_000]);
    assert_eq!(fixture.rows("SELECT count(*), count(DISTINCT id) FROM t")?, "20000,20000");
    Ok(())
}

/// Stops the insertion while it waits for a lock that the test holds.
#[test]
fn a_stop_ends_the_statement_at_the_server() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY, n text)")?;
    let insertion = insertion(Mode::Insert, fixture.csv("a.csv", numbers(10))?);
    let cancel = CancellationToken::new();
    thread::scope(|scope| -> Result<()> {
        let holder = scope.spawn(|| fixture.database.execute("BEGIN; LOCK TABLE t; SELECT pg_sleep(5); COMMIT"));
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        let locked =
            "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 't'::regclass";
        wait_for(|| Ok(fixture.rows(locked)? == "1"))?;
        let run = scope.spawn(|| fixture.run_as(&fixture.database.uri(), &insertion, &cancel));
        wait_for(|| Ok(fixture.rows(waits)? == "1"))?;
        let start = Instant::now();
        cancel.cancel();
        let error = run.join().unwrap().err().context("it should have stopped")?;
        ensure!(error.kind() == InsertErrorKind::Stopped, "{error}");
        ensure!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        wait_for(|| Ok(fixture.rows(waits)? == "0"))?;
        wait_for(|| {
            Ok(fixture.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'project/run' AND datname = current_database()")? == "0")
        })?;
        holder.join().unwrap()
    })?;
    assert_eq!(fixture.rows("SELECT count(*) FROM t")?, "0");
    Ok(())
}

#[test]
fn wherever_the_connection_breaks_there_are_all_rows_or_none() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY, n text)")?;
    let insertion = insertion(Mode::Replace, fixture.csv("a.csv", numbers(3_000))?);
    let port = fixture.database.server().port();
    let mut done = false;
    let mut allowed = 1_000;
    while !done {
        let proxy = DroppingProxy::start(port, allowed)?;
        let uri = fixture.database.uri().replace(&port.to_string(), &proxy.port().to_string());
        match fixture.run_as(&uri, &insertion, &CancellationToken::new()) {
            Ok(outcome) => {
                assert_eq!(outcome.inserted + outcome.unchanged, 3_000);
                done = true;
            }
            Err(error) => {
                let kind = error.kind();
                ensure!(matches!(kind, InsertErrorKind::Temporary | InsertErrorKind::Unreachable), "{kind:?}: {error}");
            }
        }
        let rows = fixture.rows("SELECT count(*) FROM t")?;
        ensure!(rows == "0" || rows == "3000", "{rows} rows after {allowed} bytes");
        allowed += 37;
        ensure!(allowed < 20_000, "it never gets through");
    }
    assert_eq!(figures(&fixture.run(&insertion)?), [3_000, 0, 0, 3_000, 0, 0]);
    Ok(())
}

fn wait_for(condition: impl Fn() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition()? {
        ensure!(Instant::now() < end, "it takes too long");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
