//! Others that misbehave: somebody who locks a table, a reader that goes away.

use crate::deadline::wait_for;
use crate::other_session::OtherSession;
use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// For what comes about when the machine finds the time.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_table_that_somebody_has_locked_fails_alone_and_with_the_reason() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("CREATE TABLE busy (id int)")?;
    let holder = OtherSession::start(&database, "BEGIN; LOCK TABLE busy")?;
    let locked =
        "SELECT 1 FROM pg_locks WHERE relation = 'busy'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    wait_for("the lock", PATIENCE, || Ok(database.query_text(locked)?.pop()))?;
    let ended = Program::new()?.run(&[&database.uri(), "--table=public.busy,users"])?.expect(75)?;
    drop(holder);
    ended.says(&["public.busy  FAILED (75)", "exclusive lock", "1 of 2 tables published"])?;
    Ok(())
}

#[test]
fn a_table_that_somebody_wants_to_change_while_it_is_read_is_exported_as_it_was() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        "CREATE TABLE parted (id int, note text) PARTITION BY LIST (id);
         CREATE TABLE leaf PARTITION OF parted DEFAULT;
         INSERT INTO parted SELECT id, 'old' FROM generate_series(1, 5) AS id;
         CREATE VIEW gate AS SELECT 1 AS id, pg_advisory_xact_lock(7)::text AS opened",
    )?;
    let closed = OtherSession::start(&database, "SELECT pg_advisory_lock(7)")?;
    let advisory = |granted| format!("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted = {granted}");
    wait_for("the gate to close", PATIENCE, || Ok(database.query_text(&advisory(true))?.pop()))?;
    let program = Program::new()?;
    let running = program.start(&[&database.uri(), "--table=public.gate,public.orders,public.parted,events"])?;
    wait_for("the reader at the gate", PATIENCE, || Ok(database.query_text(&advisory(false))?.pop()))?;
    for change in [
        "TRUNCATE orders",
        "ALTER TABLE orders ALTER COLUMN amount TYPE text",
        "DROP TABLE events",
        "TRUNCATE leaf",
        "ALTER TABLE parted DETACH PARTITION leaf",
    ] {
        let refused = database.execute(&format!("SET lock_timeout = '100ms'; {change}"));
        let message = refused.err().with_context(|| format!("{change} was possible"))?.to_string();
        ensure!(message.contains("lock timeout"), "{change}: {message}");
    }
    database.execute("DELETE FROM orders; UPDATE parted SET note = 'new'; INSERT INTO events VALUES (9)")?;
    drop(closed);
    running.wait(PATIENCE)?.expect(0)?;
    for (sql, answer) in [
        ("SELECT count(*) AS n, sum(id) AS ids FROM public_orders", "n,ids\n3,6\n"),
        ("SELECT count(*) AS n, max(note) AS note FROM public_parted", "n,note\n5,old\n"),
        ("SELECT count(*) AS n, sum(id) AS ids FROM events", "n,ids\n3,6\n"),
    ] {
        assert_eq!(program.query(sql)?, answer);
    }
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
