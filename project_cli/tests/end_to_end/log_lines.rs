//! Messages for programs: what every line holds, and that a reason stands among them once.

use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

const TABLES: &str = "--table=users,products,public.bad";

fn lines(stderr: &str) -> Result<Vec<Value>> {
    stderr.lines().map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))).collect()
}

#[test]
fn every_line_is_json_and_names_its_run_and_every_task_ends_with_the_same_fields() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    database.execute("ALTER TABLE users DROP COLUMN country; CREATE TABLE bad AS SELECT 'infinity'::date AS at")?;
    let arguments = [&database.uri(), TABLES, "--infinity=error", "--format=json"];
    for verbosity in [&["--log-format=json"][..], &["--log-format=json", "-v", "-v"]] {
        let ended = program.run(&[&arguments, verbosity].concat())?.expect(65)?;
        let (report, lines) = (ended.report()?, lines(&ended.stderr)?);
        for line in &lines {
            for field in ["timestamp", "level", "target", "message"] {
                ensure!(line[field].is_string(), "{field} of {line}");
            }
            assert_eq!(line["run"], report["run_id"], "{line}");
        }
        for (task, table, stage, level) in [
            ("users", "users", "checking", "ERROR"),
            ("products", "products", "publishing", "INFO"),
            ("public.bad", "public_bad", "reading", "ERROR"),
        ] {
            let tasks = report["tasks"].as_array().context("tasks")?;
            let reported = tasks.iter().find(|reported| reported["task"] == task).context("a task")?;
            let of_it: Vec<&Value> =
                lines.iter().filter(|line| line["task"] == task && !line["stage"].is_null()).collect();
            let [line] = of_it.as_slice() else { anyhow::bail!("{of_it:?}") };
            assert_eq!((&line["table"], &line["stage"], &line["level"]), (&table.into(), &stage.into(), &level.into()));
            for field in ["rows", "bytes", "files", "duration_ms", "rejected"] {
                ensure!(line[field].is_u64() && line[field] == reported[field], "{field} of {line}");
            }
            let failed = &reported["failure"];
            let (message, code) = if failed.is_null() {
                (&"published".into(), &0.into())
            } else {
                (&failed["message"], &failed["exit_code"])
            };
            assert_eq!((&line["message"], &line["exit_code"]), (message, code));
            if let Some(reason) = failed["message"].as_str() {
                let told =
                    lines.iter().filter(|line| line.to_string().contains(&Value::from(reason).to_string())).count();
                assert_eq!(told, 1, "{reason}: {ended}");
            }
        }
        let last = lines.last().context("a line")?;
        assert_eq!((&last["level"], &last["exit_code"], &last["rows"]), (&"WARN".into(), &65.into(), &3.into()));
        assert_eq!(last["duration_ms"], report["duration_ms"]);
    }
    Ok(())
}

#[test]
fn for_people_a_reason_stands_once_too() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    database.execute("ALTER TABLE users DROP COLUMN country; CREATE TABLE bad AS SELECT 'infinity'::date AS at")?;
    let ended = program.run(&[&database.uri(), TABLES, "--infinity=error", "--format=json", "-vv"])?.expect(65)?;
    let report = ended.report()?;
    for task in report["tasks"].as_array().context("tasks")? {
        if let Some(reason) = task["failure"]["message"].as_str() {
            assert_eq!(ended.stderr.matches(reason).count(), 1, "{reason}: {ended}");
        }
    }
    Ok(())
}

#[test]
fn a_run_that_fails_as_a_whole_or_never_begins_says_so_in_json_as_well() -> Result<()> {
    let program = Program::new()?;
    for (table, code) in [("users", 69), ("usres", 2)] {
        let uri = "postgres://nobody@127.0.0.1:1/nothing";
        let ended = program.run(&[uri, "--table", table, "--log-format=json", "--quiet"])?.expect(code)?;
        let lines = lines(&ended.stderr)?;
        let [line] = lines.as_slice() else { anyhow::bail!("{lines:?}") };
        assert_eq!(
            (&line["level"], &line["exit_code"], &line["stage"]),
            (&"ERROR".into(), &code.into(), &"connecting".into())
        );
    }
    Ok(())
}
