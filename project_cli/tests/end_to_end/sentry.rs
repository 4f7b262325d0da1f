//! Failures as events: what they hold, what they never hold, and that a Sentry that misbehaves changes nothing.

use crate::lake_folder::{listing, runs};
use crate::program::{Ended, Program};
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use project_test_servers::sentry_stand_in::{Answer, SentryStandIn};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// More than a dead Sentry may cost.
const LITTLE: Duration = Duration::from_secs(8);
const CANARY: &str = "canary-in-a-row";

fn program(dsn: String) -> Result<Program> {
    Ok(Program::new()?.with_environment([("SENTRY_DSN", dsn), ("SENTRY_ENVIRONMENT", "staging".into())]))
}

fn messages_of_breadcrumbs(event: &Value) -> Result<Vec<&str>> {
    let values = event["breadcrumbs"]["values"].as_array().context("no breadcrumbs")?;
    values.iter().map(|crumb| crumb["message"].as_str().context("no message")).collect()
}

#[test]
fn every_failing_task_is_an_event_with_all_that_an_operator_asks_first() -> Result<()> {
    let (database, stand_in) = (tiny_shop()?, SentryStandIn::start()?);
    database.execute(&format!(
        "ALTER TABLE users DROP COLUMN country;
         CREATE TABLE bad AS SELECT '{CANARY}' AS note, 'infinity'::date AS at"
    ))?;
    let program = program(stand_in.dsn("0123456789abcdef0123456789abcdef"))?;
    let tables = "--table=users,products,public.bad";
    let ended = program.run(&[&database.uri(), tables, "--infinity=error", "--format=json"])?.expect(65)?;
    // The program has ended: what did not leave before that will never come.
    let taken = stand_in.take()?;
    let report = ended.report()?;
    let [users, bad] = taken.events.as_slice() else { anyhow::bail!("{:#?}", taken.events) };
    for (event, task, table, stage) in
        [(users, "users", "users", "checking"), (bad, "public.bad", "public_bad", "reading")]
    {
        for (tag, value) in [("task", task), ("table", table), ("stage", stage), ("exit_code", "65")] {
            assert_eq!(event["tags"][tag], value, "{event:#}");
        }
        assert_eq!(event["tags"]["run_id"], report["run_id"]);
        assert_eq!(event["release"], concat!("project@", env!("CARGO_PKG_VERSION")));
        assert_eq!((&event["environment"], &event["server_name"]), (&Value::from("staging"), &Value::Null));
        let tasks = report["tasks"].as_array().context("tasks")?;
        let reported = tasks.iter().find(|reported| reported["task"] == task).context("a task")?;
        assert_eq!(event["message"], reported["failure"]["message"]);
    }
    assert_eq!(messages_of_breadcrumbs(users)?, ["the run began"]);
    let before =
        ["the run began", "the snapshot was taken", "the reading of products ended", "the reading of public.bad ended"];
    assert_eq!(messages_of_breadcrumbs(bad)?, before);
    let host = String::from_utf8(Command::new("uname").arg("-n").output()?.stdout)?;
    for secret in [CANARY, "postgres@127.0.0.1", &format!("\"{}\"", host.trim())] {
        ensure!(!taken.text.contains(secret), "{secret:?} is in {}", taken.text);
    }
    Ok(())
}

#[test]
fn a_run_that_fails_as_a_whole_or_never_begins_is_an_event_and_one_that_succeeds_is_none() -> Result<()> {
    let (database, stand_in) = (tiny_shop()?, SentryStandIn::start()?);
    let (uri, program) = (database.uri(), program(stand_in.dsn("key"))?);
    for (uri, table, code, stage) in
        [("postgres://nobody@127.0.0.1:1/nothing", "users", 69, "connecting"), (&uri, "usres", 2, "connecting")]
    {
        program.run(&[uri, "--table", table])?.expect(code)?;
        let taken = stand_in.take()?;
        let [event] = taken.events.as_slice() else { anyhow::bail!("{:#?}", taken.events) };
        assert_eq!((&event["tags"]["stage"], &event["tags"]["task"]), (&Value::from(stage), &Value::Null));
        assert_eq!(event["tags"]["exit_code"], code.to_string());
    }
    program.run(&[&uri, "--table=users"])?.expect(0)?;
    assert_eq!(stand_in.take()?.events, Vec::<Value>::new());
    Ok(())
}

/// What a run leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: Option<i32>,
    /// What is in the files, without the footers, which name the run.
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// The pages of a Parquet file: its last eight bytes are the length of the footer and a mark.
fn pages(mut file: Vec<u8>) -> Result<Vec<u8>> {
    let end = file.len().checked_sub(8).context("a file without a footer")?;
    let footer = u32::from_le_bytes(file[end..end + 4].try_into()?);
    file.truncate(end.checked_sub(usize::try_from(footer)?).context("a footer as long as the file")?);
    Ok(file)
}

fn outcome(program: &Program, ended: &Ended) -> Result<Outcome> {
    let run = program.lake().join(runs(&program.lake())?.concat());
    let files = listing(&run)?.into_keys().filter(|path| run.join(path).is_file());
    let files = files.map(|path| Ok((path.clone(), pages(std::fs::read(run.join(path))?)?))).collect::<Result<_>>()?;
    Ok(Outcome { code: ended.code, files })
}

#[test]
fn a_sentry_that_refuses_or_is_gone_or_never_answers_changes_neither_files_nor_code_and_costs_seconds() -> Result<()> {
    let (database, stand_in) = (tiny_shop()?, SentryStandIn::start()?);
    database.execute("CREATE TABLE bad AS SELECT 'infinity'::date AS at; CREATE TABLE worse AS TABLE bad")?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let uri = database.uri();
    let arguments = [uri.as_str(), "--table=users,public.bad,public.worse", "--infinity=error", "--format=json"];
    let without = Program::new()?;
    let start = Instant::now();
    let expected = outcome(&without, &without.run(&arguments)?.expect(65)?)?;
    let alone = start.elapsed();
    ensure!(expected.files.len() == 1, "{expected:?}");
    for (answer, dsn, heard) in [
        (Answer::Status(200), stand_in.dsn("key"), true),
        (Answer::Status(429), stand_in.dsn("key"), true),
        (Answer::Status(500), stand_in.dsn("key"), true),
        (Answer::Never, stand_in.dsn("key"), true),
        (Answer::Never, format!("http://key@{free}/1"), false),
    ] {
        stand_in.set_answer(answer);
        let program = program(dsn.clone())?;
        let start = Instant::now();
        let ended = program.run(&arguments)?.expect(65)?;
        let took = start.elapsed();
        ensure!(took < alone + LITTLE, "{answer:?} {dsn}: {took:?} instead of {alone:?}");
        assert_eq!(outcome(&program, &ended)?, expected, "{answer:?} {dsn}");
        assert_eq!(stand_in.take()?.events.is_empty(), !heard, "{answer:?} {dsn}");
    }
    Ok(())
}

#[test]
fn what_is_no_dsn_is_78_before_anything_is_read_and_is_not_repeated() -> Result<()> {
    let (database, program) = (tiny_shop()?, program(format!("https://sentry.example/{CANARY}"))?);
    let ended = program.run(&[&database.uri(), "--table=users", "-vv"])?.expect(78)?;
    ended.says(&["SENTRY_DSN", "https://key@host/project"])?.never_says(CANARY)?;
    ensure!(!program.lake().exists(), "a lake was created");
    Ok(())
}
