//! Metrics of a run: what is told, to whom, and that telling it can break nothing.

use crate::deadline::wait_for;
use crate::program::{Ended, Program};
use crate::shop::{tiny_shop, value};
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::Database;
use project_test_servers::pushgateway_stand_in::{Answer, Push, PushgatewayStandIn};
use std::collections::BTreeMap;
use std::fs::{metadata, read_to_string};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const TWO_TABLES: &str = "--table=users,public.orders";
/// More than a dead Pushgateway may cost.
const LITTLE: Duration = Duration::from_secs(10);

/// A run that tells metrics to the stand-in and to a file.
fn run(program: &Program, database: &Database<'_>, gateway: &str, more: &[&str]) -> Result<Ended> {
    let (uri, gateway) = (database.uri(), format!("--pushgateway={gateway}"));
    program.run(&[&[&uri, TWO_TABLES, &gateway, "--metrics-file=project.prom", "--format=json"], more].concat())
}

/// The series of a text with their values.
fn series(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(series, value)| (series.into(), value.into())).collect()
}

fn of_the_file(program: &Program) -> Result<BTreeMap<String, String>> {
    Ok(series(&read_to_string(program.path("project.prom"))?))
}

fn of_pushes(pushes: &[Push]) -> BTreeMap<String, String> {
    pushes.iter().flat_map(|push| series(&push.body)).collect()
}

fn last_success(task: &str) -> String {
    format!("project_task_last_success_timestamp_seconds{{task=\"{task}\"}}")
}

fn exit_code(selection: &str) -> String {
    format!("project_run_last_exit_code{{selection=\"{selection}\"}}")
}

#[test]
fn each_published_table_and_the_run_have_a_group_and_the_file_says_the_same() -> Result<()> {
    let (database, program, gateway) = (tiny_shop()?, Program::new()?, PushgatewayStandIn::start()?);
    let ended = run(&program, &database, &format!("http://{}", gateway.address()), &[])?.expect(0)?;
    let pushes = gateway.take_pushes();
    let requests: Vec<&str> = pushes.iter().map(|push| push.request.as_str()).collect();
    let expected = [
        "POST /metrics/job/project/task/users",
        "POST /metrics/job/project/task/public.orders",
        // users,public.orders
        "POST /metrics/job/project/selection@base64/dXNlcnMscHVibGljLm9yZGVycw",
    ];
    assert_eq!(requests, expected);
    let told = of_the_file(&program)?;
    assert_eq!(of_pushes(&pushes), told);
    assert_eq!(metadata(program.path("project.prom"))?.permissions().mode() & 0o777, 0o644);

    let report = ended.report()?;
    for (at, task) in ["users", "public.orders"].iter().enumerate() {
        let of_task = |name: &str| told[&format!("project_task_{name}{{task=\"{task}\"}}")].as_str();
        let reported = &report["tasks"][at];
        assert_eq!((of_task("rows"), of_task("rejected_rows"), of_task("changed_values")), ("3", "0", "0"));
        for count in ["rows", "bytes", "files"] {
            assert_eq!(of_task(count), reported[count].to_string(), "{task} {count}");
        }
        let ratio = reported["uncompressed_bytes"].as_f64().context("a size")?
            / reported["bytes"].as_f64().context("a size")?;
        assert_eq!(of_task("compression_ratio"), format!("{ratio:.3}"));
        let duration = reported["duration_ms"].as_u64().context("a duration")?;
        assert_eq!(of_task("duration_seconds"), format!("{}.{:03}", duration / 1000, duration % 1000));
    }
    let age = told["project_snapshot_age_seconds{selection=\"users,public.orders\"}"].parse::<f64>()?;
    ensure!(age > 0.0 && age < report["duration_ms"].as_f64().unwrap_or(0.0) / 1000.0, "{age}");
    assert_eq!(told[&exit_code("users,public.orders")], "0");
    assert_eq!(told["project_run_retries{selection=\"users,public.orders\"}"], "0");
    Ok(())
}

#[test]
fn a_task_that_fails_and_a_rehearsal_leave_every_last_success_where_it_was() -> Result<()> {
    let (database, program, gateway) = (tiny_shop()?, Program::new()?, PushgatewayStandIn::start()?);
    let url = format!("http://{}", gateway.address());
    run(&program, &database, &url, &[])?.expect(0)?;
    let before = of_the_file(&program)?;
    let _ = gateway.take_pushes();
    // Its columns are not those of the task any more; the other table goes on.
    database.execute("ALTER TABLE users DROP COLUMN country")?;
    run(&program, &database, &url, &[])?.expect(65)?;
    let after = of_the_file(&program)?;
    assert_eq!(after[&last_success("users")], before[&last_success("users")]);
    ensure!(after[&last_success("public.orders")] > before[&last_success("public.orders")], "{after:?}");
    assert_eq!(after[&exit_code("users,public.orders")], "65");
    let pushed = of_pushes(&gateway.take_pushes());
    ensure!(pushed.keys().all(|series| !series.contains("task=\"users\"")), "{pushed:?}");

    run(&program, &database, &url, &["--no-upload"])?.expect(65)?;
    let rehearsed = of_the_file(&program)?;
    assert_eq!(rehearsed[&last_success("public.orders")], after[&last_success("public.orders")]);
    let pushed = of_pushes(&gateway.take_pushes());
    ensure!(pushed.keys().all(|series| !series.contains("task=")), "{pushed:?}");
    Ok(())
}

#[test]
fn a_run_that_never_begins_tells_its_exit_code_and_hides_no_other() -> Result<()> {
    let (database, program, gateway) = (tiny_shop()?, Program::new()?, PushgatewayStandIn::start()?);
    let (uri, url) = (database.uri(), format!("--pushgateway=http://{}", gateway.address()));
    for (selection, code) in [("users", 0), ("usres", 2)] {
        program.run(&[&uri, "--table", selection, &url, "--metrics-file=project.prom"])?.expect(code)?;
        assert_eq!(of_pushes(&gateway.take_pushes())[&exit_code(selection)], code.to_string());
    }
    let file = of_the_file(&program)?;
    assert_eq!((file[&exit_code("users")].as_str(), file[&exit_code("usres")].as_str()), ("0", "2"));
    Ok(())
}

#[test]
fn a_pushgateway_that_is_broken_changes_nothing_but_a_note() -> Result<()> {
    let (database, program, gateway) = (tiny_shop()?, Program::new()?, PushgatewayStandIn::start()?);
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    for (answer, address, note) in [
        (Answer::Status(500), gateway.address(), "refused the metrics of users, public.orders"),
        (Answer::Never, gateway.address(), "there was no answer within 5.0 s"),
        (Answer::Never, free, "refused"),
    ] {
        gateway.set_answer(answer);
        let start = Instant::now();
        let url = format!("http://ann:canary@{address}");
        let ended = run(&program, &database, &url, &["-vv"])?.expect(0)?.says(&[note, "WARN"])?;
        ensure!(start.elapsed() < LITTLE, "it took {:?}", start.elapsed());
        let ended = ended.never_says("canary")?;
        assert_eq!(ended.published()?, ["users", "public_orders"]);
        let notes = ended.report()?["notes"].to_string();
        ensure!(notes.contains(note) && notes.contains(&address.to_string()), "{notes}");
        ensure!(of_the_file(&program)?.contains_key(&last_success("users")), "the file is a matter of its own");
    }
    Ok(())
}

#[test]
fn a_metrics_file_that_cannot_be_written_changes_nothing_but_a_note() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    let ended = program.run(&[&database.uri(), "--table=users", "--metrics-file=scratch"])?.expect(0)?;
    ended.says(&["the metrics are not in their file: cannot write scratch", "1 of 1 table published"])?;
    Ok(())
}

#[test]
fn a_run_that_is_stopped_tells_it_and_waits_for_nobody() -> Result<()> {
    let (database, program, gateway) = (tiny_shop()?, Program::new()?, PushgatewayStandIn::start()?);
    let (uri, url) = (database.uri(), format!("--pushgateway=http://{}", gateway.address()));
    for (slow, answer) in [("slow", Answer::Status(200)), ("slower", Answer::Never)] {
        gateway.set_answer(answer);
        database.execute(&format!("CREATE VIEW {slow} AS SELECT 1 AS id FROM pg_sleep(100)"))?;
        let table = format!("public.{slow}");
        let running = program.start(&[&uri, "--table", &table, &url])?;
        let waiting = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE '%\"{slow}\"%'"
        );
        wait_for("a read that waits", LITTLE, || Ok((value(&database, &waiting)? == "1").then_some(())))?;
        running.signal(&["TERM"])?;
        running.wait(LITTLE)?.expect(143)?;
        assert_eq!(of_pushes(&gateway.take_pushes())[&exit_code(&table)], "143");
    }
    Ok(())
}
