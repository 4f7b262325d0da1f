//! A hot standby that cancels our reading, because it has to replay what the primary has removed.

use super::gate::{KINDS, ROWS, close, create, wait_for_a_reader, wait_until_lost};
use crate::lake_folder::{links, runs};
use crate::program::{Ended, Program};
use crate::shop::value;
use anyhow::{Context, Result, ensure};
use project_test_servers::hot_standby::HotStandby;
use project_test_servers::postgres::Database;
use std::fs::read_to_string;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);
/// As short as it gets: a conflict is decided at once.
const IMPATIENT: [(&str, &str); 1] = [("max_standby_streaming_delay", "10ms")];
const ADVICE: [&str; 3] = ["hot_standby_feedback", "max_standby_streaming_delay", "the primary"];

/// How the primary makes the standby cancel whoever has an older snapshot, for the nth time.
type Conflict = fn(usize) -> String;

/// Rows go, and the vacuum that removes them is replayed: the reader's statement is cancelled.
fn vacuum(round: usize) -> String {
    format!("DELETE FROM moved WHERE id % 10 = {round};\nVACUUM moved;")
}

/// The lock of the change is replayed, and the transaction that holds the snapshot also holds a lock.
fn truncate(_round: usize) -> String {
    "TRUNCATE moved;".to_owned()
}

/// Reads `table` and `moved` from the standby with so many attempts, the first `conflicts` of which lose their snapshot.
fn read(servers: &HotStandby, table: &str, conflict: Conflict, attempts: usize, conflicts: usize) -> Result<Run> {
    let database = Database::create(servers.primary())?;
    create(&database)?;
    servers.wait_until_replayed()?;
    let (standby, name) = (servers.standby(), database.name());
    let closed = close(standby, name)?;
    let program = Program::new()?;
    let (tables, attempts) = (format!("--table={table},public.moved"), format!("--attempts={attempts}"));
    let arguments =
        [&standby.uri(name), &tables, &attempts, "--retry-delay=0", "--format=json", "--metrics-file=metrics"];
    let running = program.start(&arguments)?;
    let mut seen = Vec::new();
    for round in 0..conflicts {
        let reader = wait_for_a_reader(standby, name, &seen)?;
        database.execute(&conflict(round))?;
        wait_until_lost(standby, name, &reader)?;
        seen.push(reader);
    }
    drop(closed);
    let ended = running.wait(DEADLINE)?;
    let moved = value(&database, "SELECT count(*) FROM moved")?;
    Ok(Run { program, ended, moved, seen })
}

struct Run {
    program: Program,
    ended: Ended,
    /// Rows of `moved` in the end.
    moved: String,
    /// The attempts that were cancelled, as the server calls them.
    seen: Vec<String>,
}

fn folder(table: &str) -> String {
    table.replace('.', "_")
}

fn one_conflict_is_outlived(servers: &HotStandby, table: &str, conflict: Conflict) -> Result<()> {
    let Run { program, ended, moved, seen } = read(servers, table, conflict, 3, 1)?;
    let ended = ended.expect(0)?.says(&["attempt 1 of 3 is lost and the run starts over"])?.says(&ADVICE)?;
    assert_eq!(ended.published()?, [folder(table), "public_moved".to_owned()]);
    let metrics = read_to_string(program.path("metrics"))?;
    let retries = format!("project_run_retries{{selection=\"{table},public.moved\"}} 1\n");
    ensure!(metrics.contains(&retries), "{metrics}");
    let report = ended.report()?;
    let earlier = report["earlier_attempts"].as_array().context("the earlier attempts")?;
    assert_eq!(earlier.len(), 1, "{ended}");
    assert_eq!(format!("project/{}", earlier[0]["run_id"].as_str().unwrap_or_default()), seen[0]);
    assert_eq!(earlier[0]["failure"]["exit_code"], 75, "{ended}");
    // Only the folder of the second attempt is there, and it holds the table as it is now.
    assert_eq!(runs(&program.lake())?, [format!("run={}", report["run_id"].as_str().unwrap_or_default())]);
    for (table, rows) in [(folder(table), ROWS.to_string()), ("public_moved".to_owned(), moved)] {
        let counted = program.query(&format!("SELECT count(*) FROM {table}"))?;
        assert_eq!(counted.lines().last(), Some(rows.as_str()), "{table}: {ended}");
    }
    Ok(())
}

#[test]
fn a_run_that_is_cancelled_once_starts_over_and_is_right() -> Result<()> {
    let servers = HotStandby::start(&IMPATIENT)?;
    for table in KINDS {
        one_conflict_is_outlived(&servers, table, vacuum).with_context(|| format!("{table}, VACUUM"))?;
        one_conflict_is_outlived(&servers, table, truncate).with_context(|| format!("{table}, TRUNCATE"))?;
    }
    Ok(())
}

#[test]
fn a_run_that_is_cancelled_every_time_is_75_with_what_helps() -> Result<()> {
    let servers = HotStandby::start(&IMPATIENT)?;
    for table in KINDS {
        let Run { program, ended, seen, .. } = read(&servers, table, vacuum, 2, 2)?;
        let ended = ended.expect(75)?.says(&ADVICE)?.says(&["attempt 1 of 2 is lost"])?;
        ensure!(!ended.stderr.contains("attempt 2 of 2 is lost"), "{ended}");
        assert_eq!(seen.len(), 2);
        let failure = ended.report()?["tasks"][0]["failure"]["message"].to_string();
        ensure!(ADVICE.iter().all(|advice| failure.contains(advice)), "{failure}");
        // `moved` may have been read before the transaction that holds the snapshot was cancelled as well.
        ensure!(!links(&program.lake())?.contains_key(&folder(table)), "{ended}");
    }
    Ok(())
}
