//! Others that misbehave: a Sentry that never answers, somebody who locks a table, a reader that goes away.

use crate::deadline::wait_for;
use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread::spawn;
use std::time::{Duration, Instant};

#[test]
fn a_sentry_that_takes_the_connection_and_never_answers_does_not_hold_the_program() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let dsn = format!("http://key@{}/1", listener.local_addr()?);
    // The connections live as long as the test process, which is longer than the program may wait.
    spawn(move || listener.incoming().collect::<Vec<_>>());
    let program = Program::new()?.with_environment([("SENTRY_DSN", dsn)]);
    let start = Instant::now();
    program.run(&["postgres://nobody@127.0.0.1:1/nothing", "--table=users"])?.expect(69)?;
    ensure!(start.elapsed() < Duration::from_secs(15), "it took {:?}", start.elapsed());
    Ok(())
}

#[test]
fn a_table_that_somebody_has_locked_fails_alone_and_with_the_reason() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("CREATE TABLE busy (id int)")?;
    let mut holder = Command::new(database.server().programs().join("psql"))
        .args(["-Xq", "-d", &database.uri(), "-c", "BEGIN; LOCK TABLE busy; SELECT pg_sleep(100)"])
        .stdout(Stdio::null())
        .spawn()
        .context("cannot run psql")?;
    let locked =
        "SELECT 1 FROM pg_locks WHERE relation = 'busy'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    wait_for("the lock", Duration::from_secs(20), || Ok(database.query_text(locked)?.pop()))?;
    let ended = Program::new()?.run(&[&database.uri(), "--table=public.busy,users"]);
    holder.kill()?;
    holder.wait()?;
    let ended = ended?.expect(75)?;
    ended.says(&["public.busy  FAILED (75)", "exclusive lock", "1 of 2 tables published"])?;
    Ok(())
}

#[test]
fn a_reader_of_the_messages_that_goes_away_changes_nothing() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    let uri = database.uri();
    let closed = ["bash", "-c", "set -o pipefail; \"$0\" \"$@\" 2>&1 | true"];
    program.start_below(&closed, &[&uri, "--table=users"])?.wait(Duration::from_secs(60))?.expect(0)?;
    program.query("SELECT count(*) FROM users")?;
    Ok(())
}
