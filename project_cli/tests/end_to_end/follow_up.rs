//! `--then`: a Job is started when all has gone well and only then, and its end is the end of the run. The API server
//! answers as a real one once did (`project_kube/tests/recordings`).

use crate::deadline::wait_for;
use crate::program::{Ended, Program};
use crate::shop::tiny_shop;
use anyhow::Result;
use project_test_servers::kube_recording::{Exchange, read};
use project_test_servers::kube_stand_in::{KubeStandIn, Step, TOKEN};
use project_test_servers::kubeconfig;
use project_test_servers::sentry_stand_in::SentryStandIn;
use std::fs::{read_to_string, write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Nobody listens there: whatever is known before the database is asked shows in spite of it.
const NO_DATABASE: &str = "postgres://reader@127.0.0.1:1/shop";
/// Before the Job is created: the rehearsals of creating it, looking at it and deleting it.
const REHEARSALS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

fn of_kube(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../project_kube/tests").join(file)
}

fn recorded(case: &str) -> Result<Vec<Exchange>> {
    read(&of_kube(&format!("recordings/{case}.json")))
}

/// An API server that answers as in this recording, and a program that is led to it.
fn cluster(exchanges: Vec<Exchange>) -> Result<(KubeStandIn, Program)> {
    let server = KubeStandIn::start(exchanges.into_iter().map(Step::Answered), None)?;
    let program = Program::new()?;
    let file = kubeconfig::write(&program.path("scratch/.."), &server.url(), None, TOKEN, "shop")?;
    Ok((server, program.with_environment([("KUBECONFIG", file.display().to_string())])))
}

/// `--then` with the template that was recorded.
fn then() -> String {
    format!("--then={}", of_kube("templates/refresh.yaml").display())
}

/// Copies a table, then starts its Job.
fn run(program: &Program, uri: &str, more: &[&str]) -> Result<Ended> {
    program.run(&[&[uri, "--table=users", &then(), "--then-timeout=10m"], more].concat())
}

#[test]
fn a_job_that_succeeds_is_in_the_summary_the_report_and_the_page() -> Result<()> {
    let (server, program) = cluster(recorded("success_of_a_template")?)?;
    let database = tiny_shop()?;
    let ended = run(&program, &database.uri(), &["--format=json", "--report=report.html"])?.expect(0)?;
    server.finish()?;
    assert_eq!(ended.published()?, ["users"]);
    let report = ended.report()?;
    let step = &report["steps"][0];
    let run_id = report["run_id"].as_str().unwrap_or_default().to_lowercase();
    let name = format!("refresh-{run_id}");
    assert_eq!((&step["step"], &step["job"]["succeeded"]), (&"then".into(), &true.into()), "{step:#}");
    assert_eq!((&step["job"]["namespace"], &step["job"]["name"]), (&"shop".into(), &name.clone().into()));
    assert_eq!(step["log"], serde_json::json!(["reading", "[31mdone[0m"]));
    let sentence = format!("the Job {name} in the namespace shop succeeded");
    let page = read_to_string(program.path("report.html"))?;
    assert!(page.contains(&sentence) && page.contains("[31mdone"), "{page}");
    // Somebody who waits knows why; the log is for the report.
    ended.says(&[&sentence, "waits: ImagePullBackOff"])?.never_says("\u{1b}[31m")?;
    Ok(())
}

#[test]
fn a_cron_job_is_started_once() -> Result<()> {
    let (server, program) = cluster(recorded("success_of_a_cron_job")?)?;
    let database = tiny_shop()?;
    program.run(&[&database.uri(), "--table=users", "--then=refresh", "--then-timeout=10m"])?.expect(0)?;
    server.finish()
}

#[test]
fn a_job_that_fails_fails_the_run_and_its_log_goes_to_nobody_else() -> Result<()> {
    let (server, program) = cluster(recorded("failure_with_an_exit_code")?)?;
    let (database, sentry) = (tiny_shop()?, SentryStandIn::start()?);
    let program = program.with_environment([("SENTRY_DSN", sentry.dsn("0123456789abcdef0123456789abcdef"))]);
    let ended = run(&program, &database.uri(), &["--format=json"])?.expect(65)?;
    server.finish()?;
    assert_eq!(ended.published()?, ["users"], "what is published stays");
    assert_eq!(ended.report()?["steps"][0]["job"]["exit_code"], 65);
    let taken = sentry.take()?;
    let [event] = taken.events.as_slice() else { anyhow::bail!("{:#?}", taken.events) };
    assert_eq!((&event["tags"]["stage"], &event["tags"]["exit_code"]), (&"then".into(), &"65".into()));
    assert!(!event.to_string().contains("[31mdone"), "{event:#}");
    ended.says(&["BackoffLimitExceeded", "its container ended with 65", "| [31mdone[0m"])?;
    Ok(())
}

#[test]
fn a_code_that_is_not_ours_is_an_internal_error() -> Result<()> {
    let text = serde_json::to_string(&recorded("failure_with_an_exit_code")?)?;
    let (server, program) = cluster(serde_json::from_str(&text.replace("\"exitCode\":65", "\"exitCode\":3"))?)?;
    let database = tiny_shop()?;
    run(&program, &database.uri(), &[])?.expect(70)?.says(&["its container ended with 3"])?;
    server.finish()
}

#[test]
fn nothing_is_started_when_a_table_failed() -> Result<()> {
    let (server, program) = cluster(recorded("success_of_a_template")?.drain(..REHEARSALS).collect())?;
    let database = tiny_shop()?;
    database.execute("CREATE TABLE bad AS SELECT 'infinity'::date AS at")?;
    let tables = ["--table=users,public.bad", "--infinity=error", "--format=json"];
    let ended = program.run(&[&[&database.uri(), &then(), "--then-timeout=10m"], &tables[..]].concat())?;
    let ended = ended.expect(65)?;
    server.finish()?;
    assert_eq!(ended.published()?, ["users"]);
    ended.says(&["--then", "not done, because the run failed before"])?;
    Ok(())
}

#[test]
fn what_cannot_be_started_is_known_before_anything_is_read() -> Result<()> {
    for (case, job, code, word) in [
        ("unknown_cron_job", "refresh-2", 78, "cannot read the CronJob refresh-2 in the namespace shop"),
        ("invalid_job", "invalid.yaml", 78, "restartPolicy"),
        ("no_rights", "refresh.yaml", 77, "the chart's Role"),
        ("unknown_token", "refresh.yaml", 77, "the token is unknown"),
    ] {
        let (server, program) = cluster(recorded(case)?)?;
        let job = if job.ends_with("yaml") { of_kube("templates").join(job).display().to_string() } else { job.into() };
        let then = format!("--then={job}");
        let ended = program.run(&[NO_DATABASE, "--table=users", &then, "--then-timeout=10m"])?;
        ended.expect(code)?.says(&[word])?;
        server.finish()?;
    }
    Ok(())
}

#[test]
fn without_a_cluster_nothing_is_read_either() -> Result<()> {
    let (server, program) = cluster(Vec::new())?;
    drop(server);
    run(&program, NO_DATABASE, &[])?.expect(69)?.says(&["no connection to the API server"])?;
    let broken = program.path("broken");
    write(&broken, "users: [{token: canary")?;
    for (file, word) in [(broken, "cannot be understood"), ("/nowhere/config".into(), "/nowhere/config")] {
        let program = Program::new()?.with_environment([("KUBECONFIG", file.display().to_string())]);
        run(&program, NO_DATABASE, &[])?.expect(78)?.says(&[word])?.never_says("canary")?;
    }
    // A pod without the token of a service account.
    let pod = [("KUBERNETES_SERVICE_HOST", "127.0.0.1".to_owned()), ("KUBERNETES_SERVICE_PORT", "1".to_owned())];
    for (environment, word) in [(Vec::new(), "this is no pod with a service account"), (pod.into(), "namespace")] {
        let program = Program::new()?.with_environment(environment);
        run(&program, NO_DATABASE, &[])?.expect(78)?.says(&["no credentials for Kubernetes", word])?;
    }
    Ok(())
}

#[test]
fn a_run_that_is_stopped_takes_its_job_with_it() -> Result<()> {
    let (server, program) = cluster(recorded("stopped")?)?;
    let database = tiny_shop()?;
    let running = program.start(&[&database.uri(), "--table=users", &then(), "--then-timeout=10m"])?;
    // Until only the deletion is left.
    wait_for("the Job to be waited for", PATIENCE, || Ok((server.remaining() == 1).then_some(())))?;
    let start = Instant::now();
    running.signal(&["TERM"])?;
    running.wait(PATIENCE)?.expect(143)?.says(&["was stopped and removed"])?;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    server.finish()
}

#[test]
fn a_job_that_is_not_done_in_time_is_removed() -> Result<()> {
    let (server, program) = cluster(recorded("deadline")?)?;
    let database = tiny_shop()?;
    let ended = program.run(&[&database.uri(), "--table=users", &then(), "--then-timeout=3s"])?;
    ended.expect(75)?.says(&["was not done within 3 seconds"])?;
    server.finish()
}
