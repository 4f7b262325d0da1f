//! The report as a file: what it holds, what it remembers, and that it can break nothing.

use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs::{create_dir, read_dir, read_to_string, write};

/// The JSON in a report, whatever its form.
fn document(program: &Program, name: &str) -> Result<Value> {
    let text = read_to_string(program.path(name))?;
    let json = match text.split_once("id=\"project-report\">") {
        Some((_, rest)) => rest.split_once("</script>").context("an element that ends")?.0,
        None => &text,
    };
    Ok(serde_json::from_str(json)?)
}

#[test]
fn both_forms_hold_the_report_of_the_run_and_the_runs_that_they_replace() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    let uri = database.uri();
    for name in ["report.html", "reports/report.json"] {
        let flag = format!("--report={name}");
        let mut ids: Vec<Value> = Vec::new();
        for _ in 0..3 {
            let ended = program.run(&[&uri, "--table=users,public.orders", &flag, "--format=json"])?.expect(0)?;
            let (report, document) = (ended.report()?, document(&program, name)?);
            let printed = report.as_object().context("a report")?;
            for (key, value) in printed {
                assert_eq!(&document[key], value, "{key}");
            }
            assert_eq!((&document["exit_code"], &document["outcome"]), (&Value::from(0), &Value::from("done")));
            assert_eq!(document["selection"], "users,public.orders");
            ids.insert(0, report["run_id"].clone());
            let known: Vec<Value> =
                document["runs"].as_array().context("runs")?.iter().map(|run| run["run_id"].clone()).collect();
            assert_eq!(known, ids);
        }
    }
    let left: Vec<_> = read_dir(program.path("reports"))?.collect::<std::io::Result<_>>()?;
    assert_eq!(left.len(), 1, "{left:?}");
    Ok(())
}

#[test]
fn stages_and_the_snapshot_are_on_the_clock_of_the_run() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    let report = program.publish(&database.uri(), "users,products,events,public.orders")?.expect(0)?.report()?;
    let number = |value: &Value| value.as_u64().with_context(|| format!("no number: {value}"));
    let tasks = report["tasks"].as_array().context("tasks")?;
    // Each is cut to whole milliseconds.
    let end = |stage: &Value| Ok::<_, anyhow::Error>(number(&stage["start_ms"])? + number(&stage["duration_ms"])?);
    let mut read = 0;
    for stage in tasks.iter().map(|task| &task["reading"]) {
        ensure!(number(&stage["start_ms"])? >= read, "{report:#}");
        read = end(stage)?;
    }
    // All are prepared before the first is shown, so that these overlap.
    for stage in tasks.iter().map(|task| &task["publishing"]) {
        ensure!(number(&stage["start_ms"])? >= read, "{report:#}");
        ensure!(end(stage)? <= number(&report["duration_ms"])?, "{report:#}");
    }
    ensure!(number(&report["snapshot_age_ms"])? <= number(&report["duration_ms"])?, "{report:#}");
    let (started, snapshot) = (report["started_at"].as_str(), report["snapshot_at"].as_str());
    ensure!(started < snapshot && snapshot.is_some_and(|moment| moment.ends_with('Z')), "{started:?} {snapshot:?}");
    Ok(())
}

#[test]
fn a_run_that_fails_or_never_begins_has_a_report_too_and_no_secret_is_in_it() -> Result<()> {
    let program = Program::new()?;
    let uri = "postgres://ann:canary@127.0.0.1:1/shop?application_name=canary";
    for (table, code, words) in [("users", 69, "69: not reachable"), ("usres", 2, "2: command line")] {
        let arguments =
            [uri, "--table", table, "--report=report.html", "--pushgateway=http://ann:canary@127.0.0.1:1", "-vv"];
        program.run(&arguments)?.expect(code)?.never_says("canary")?;
        let page = read_to_string(program.path("report.html"))?;
        ensure!(page.contains(words) && page.contains("The whole run"), "{page}");
        ensure!(!page.contains("canary"), "{page}");
        assert_eq!(document(&program, "report.html")?["exit_code"], code);
    }
    Ok(())
}

#[test]
fn a_report_that_cannot_be_written_or_compared_with_changes_nothing_but_a_warning() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    let uri = database.uri();
    create_dir(program.path("folder.html"))?;
    let ended = program.run(&[&uri, "--table=users", "--report=folder.html", "--format=json"])?.expect(0)?;
    let ended = ended.says(&["the report is not in its file: cannot write folder.html", "1 of 1 table published"])?;
    ensure!(ended.report()?["notes"].to_string().contains("folder.html"), "{ended}");

    write(program.path("other.html"), "<p>not ours")?;
    let ended = program.run(&[&uri, "--table=users", "--report=other.html"])?.expect(0)?;
    ended.says(&["WARN", "other.html is no report that this version can read"])?;
    assert_eq!(document(&program, "other.html")?["runs"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[test]
fn drift_that_a_task_can_live_with_is_in_both_forms() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    database.execute("ALTER TABLE users ADD COLUMN nickname text")?;
    let json = ["--table=users,products", "--report=report.json"];
    program.run(&[&[database.uri().as_str()], &json[..]].concat())?.expect(0)?;
    let tasks = &document(&program, "report.json")?["tasks"];
    let sentence = tasks[0]["drift"][0].as_str().context("a sentence")?;
    ensure!(sentence.contains("nickname"), "{sentence}");
    assert_eq!(tasks[1]["drift"], Value::Array(Vec::new()));
    program.run(&[&database.uri(), "--table=users", "--report=report.html"])?.expect(0)?;
    let page = read_to_string(program.path("report.html"))?;
    ensure!(page.contains("Where code and database have drifted apart") && page.contains("nickname"), "{page}");
    Ok(())
}
