//! Secrets and values of rows, put wherever one can be put, and looked for wherever something is told.

use crate::deadline::wait_for;
use crate::program::{Ended, Program};
use crate::shop::{tiny_shop, value};
use anyhow::{Context, Result, ensure};
use project_test_servers::aws_stand_in::AwsStandIn;
use project_test_servers::postgres::Database;
use project_test_servers::pushgateway_stand_in::PushgatewayStandIn;
use project_test_servers::sentry_stand_in::SentryStandIn;
use serde_json::json;
use std::fs::{read_dir, read_to_string, write};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

const PASSWORD: &str = "canary-password";
const AWS_SECRET: &str = "canary-aws-secret";
const AWS_TOKEN: &str = "canary-aws-token";
const SENTRY_KEY: &str = "canarysentrykey";
const PUSH_PASSWORD: &str = "canary-push";
const TEXT: &str = "canary-text";
const JSON: &str = "canary-json";
const NUMBER: &str = "9182736455463728190";
const LITERAL: &str = "canary-literal";

const SECRETS: [&str; 6] = [PASSWORD, AWS_SECRET, AWS_TOKEN, SENTRY_KEY, PUSH_PASSWORD, LITERAL];
const VALUES: [&str; 3] = [TEXT, JSON, NUMBER];

/// May be told, and is: the same search has to find it.
const TABLE: &str = "canary_table";

/// No file may grow above 4 kB; writing fails as on a full disk.
const FULL_DISK: [&str; 3] = ["sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""];

/// A database with canaries in its rows, and everybody who is told of a run.
struct Surroundings {
    database: Database<'static>,
    sentry: SentryStandIn,
    gateway: PushgatewayStandIn,
    program: Program,
}

/// What was told, by whom it was heard.
struct Told(Vec<(&'static str, String)>);

impl Surroundings {
    fn new() -> Result<Self> {
        let (database, sentry, gateway) = (tiny_shop()?, SentryStandIn::start()?, PushgatewayStandIn::start()?);
        database.execute(&format!(
            "CREATE TABLE {TABLE} AS SELECT id, '{TEXT}' || id AS note, '{{\"key\": \"{JSON}\"}}'::jsonb AS document,
                 {NUMBER}.5::numeric AS amount, md5(id::text) AS noise FROM generate_series(1, 2000) AS id"
        ))?;
        let (port, name) = (database.server().port(), database.name());
        let program = Program::new()?.with_environment([
            ("DATABASE_URL", format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/{name}")),
            ("SENTRY_DSN", sentry.dsn(SENTRY_KEY)),
            ("PROJECT_PUSHGATEWAY", format!("http://ann:{PUSH_PASSWORD}@{}", gateway.address())),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", AWS_SECRET.to_owned()),
            ("AWS_SESSION_TOKEN", AWS_TOKEN.to_owned()),
        ]);
        Ok(Self { database, sentry, gateway, program })
    }

    /// With a configuration file that holds a literal.
    fn configured(&self, condition: &str) -> Result<()> {
        let text = format!("[tables.\"public.{TABLE}\"]\nwhere = \"{condition}\"\n");
        Ok(write(self.program.path("project.toml"), text)?)
    }

    fn told(&self, ended: Ended) -> Result<Told> {
        let pushes: Vec<String> =
            self.gateway.take_pushes().into_iter().map(|push| format!("{}\n{}", push.request, push.body)).collect();
        let file = |name: &str| read_to_string(self.program.path(name)).unwrap_or_default();
        Ok(Told(vec![
            ("standard output", ended.stdout),
            ("standard error", ended.stderr),
            ("the page", file("report.html")),
            ("the JSON report", file("report.json")),
            ("the metrics' file", file("project.prom")),
            ("the Pushgateway", pushes.concat()),
            ("Sentry", self.sentry.take()?.text),
        ]))
    }

    /// Runs it with everything turned on that tells something, in every form.
    fn provoke(&self, wrapper: &[&str], arguments: &[&str], code: i32) -> Result<Vec<Told>> {
        let mut told = Vec::new();
        for form in [["--log-format=text", "--report=report.html"], ["--log-format=json", "--report=report.json"]] {
            let all = ["-v", "-v", "--format=json", "--metrics-file=project.prom", form[0], form[1]];
            let running = self.program.start_below(wrapper, &[arguments, &all].concat())?;
            told.push(self.told(running.wait(PATIENCE)?.expect(code)?)?);
        }
        Ok(told)
    }
}

impl Told {
    /// Who has heard this.
    fn heard(&self, canary: &str) -> Vec<&'static str> {
        self.0.iter().filter(|(_, text)| text.contains(canary)).map(|(who, _)| *who).collect()
    }
}

fn nobody_has_heard(told: &[Told], canaries: &[&str]) -> Result<()> {
    for told in told {
        for canary in canaries {
            let heard = told.heard(canary);
            ensure!(heard.is_empty(), "{canary} was told to {heard:?}: {:#?}", told.0);
        }
    }
    Ok(())
}

fn nothing_has_leaked(told: &[Told]) -> Result<()> {
    nobody_has_heard(told, &[&SECRETS[..], &VALUES].concat())
}

#[test]
fn the_search_finds_what_may_be_told_everywhere() -> Result<()> {
    let here = Surroundings::new()?;
    // A number without precision that has no place in decimal(38,18) fails the table.
    let table = format!("--table=users,public.{TABLE}");
    let told = here.provoke(&[], &[&table, "--numeric=decimal(4,2)"], 65)?;
    let [text, json] = told.as_slice() else { anyhow::bail!("two forms") };
    let both = ["standard output", "standard error", "the page", "the Pushgateway", "Sentry"];
    for who in both {
        ensure!(text.heard(TABLE).contains(&who), "{who} has not heard of the table: {:#?}", text.0);
    }
    ensure!(json.heard(TABLE).contains(&"the JSON report"), "{:#?}", json.0);
    ensure!(text.heard("project_task_rows").contains(&"the metrics' file"), "{:#?}", text.0);
    nothing_has_leaked(&told)
}

#[test]
fn a_source_that_refuses_or_holds_what_the_lake_cannot_hold_tells_no_secret_and_no_value() -> Result<()> {
    let here = Surroundings::new()?;
    let (port, name) = (here.database.server().port(), here.database.name());
    let wrong_password = format!("postgres://locked:{PASSWORD}@127.0.0.1:{port}/{name}");
    let nobody_there = format!("postgres://ann:{PASSWORD}@127.0.0.1:1/shop");
    let malformed = format!("postgres://ann:{PASSWORD}/x@127.0.0.1:5432/shop");
    let table = format!("--table=public.{TABLE}");
    here.database.execute(&format!(
        "CREATE TABLE endless AS SELECT note, document, 'infinity'::date AS at FROM {TABLE};
         UPDATE products SET name = '{TEXT}', price = {NUMBER} WHERE id = 2;
         UPDATE orders SET amount = {NUMBER} WHERE id = 2"
    ))?;
    for (arguments, code) in [
        (vec![wrong_password.as_str(), "--table=users"], 77),
        (vec![&nobody_there, "--table=users"], 69),
        (vec![&malformed, "--table=users"], 2),
        (vec!["--table=users,public.nothing"], 65),
        (vec![&table, "--numeric=decimal(4,2)"], 65),
        (vec![&table, "--numeric=decimal(4,2)", "--rejects=5"], 65),
        (vec!["--table=public.endless", "--infinity=error"], 65),
        (vec!["--table=combined_orders,users,products"], 65),
    ] {
        nothing_has_leaked(&here.provoke(&[], &arguments, code)?).with_context(|| format!("{arguments:?}"))?;
    }
    // Each of these makes the server say something of the literal.
    for condition in [format!("id = '{LITERAL}'"), format!("nothing = '{LITERAL}'"), format!("'{LITERAL}'::int = 1")] {
        here.configured(&condition)?;
        nothing_has_leaked(&here.provoke(&[], &[&table, "--config=project.toml"], 65)?).context(condition)?;
    }
    Ok(())
}

#[test]
fn a_lake_that_refuses_tells_no_secret_and_no_value() -> Result<()> {
    let (here, aws) = (Surroundings::new()?, AwsStandIn::start()?);
    let table = format!("--table=public.{TABLE}");
    nothing_has_leaked(&here.provoke(&FULL_DISK, &[&table, "--numeric=string"], 74)?)?;

    let secrets = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let places = aws.environment().into_iter().map(|(name, value)| (name.to_string(), value));
    let here = Surroundings {
        program: here.program.with_environment(places.filter(|(name, _)| !secrets.contains(&name.as_str()))),
        ..here
    };
    let to_s3 = [
        "--upload=s3://lake/shop",
        "--s3-path-style",
        "--glue-database=shop",
        "--crawler=shop_crawler",
        "--crawler-role=arn:aws:iam::123456789012:role/crawler",
        "--scratch=scratch",
    ];
    for (service, operation) in [("s3", "PutObject"), ("glue", "StartCrawler")] {
        aws.reset()?;
        aws.create_bucket("lake")?;
        aws.inject(&json!([{"service": service, "operation": operation, "mode": "reject", "times": -1}]))?;
        let told = here.provoke(&[], &[&["--table=users"], &to_s3[..]].concat(), 77)?;
        nothing_has_leaked(&told).with_context(|| operation.to_owned())?;
    }
    Ok(())
}

#[test]
fn a_run_that_is_stopped_tells_nothing_and_shows_nothing_to_the_others_on_the_machine() -> Result<()> {
    let here = Surroundings::new()?;
    here.database.execute(&format!("CREATE VIEW slow AS SELECT '{TEXT}' AS note FROM pg_sleep(100)"))?;
    let running = here.program.start(&["--table=public.slow", "-v", "-v", "--report=report.html"])?;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    wait_for("a read that waits", PATIENCE, || Ok((value(&here.database, waiting)? == "1").then_some(())))?;
    let command_line = running.command_line()?;
    ensure!(command_line.contains("--table=public.slow"), "{command_line}");
    running.signal(&["TERM"])?;
    let told = here.told(running.wait(PATIENCE)?.expect(143)?)?;
    nothing_has_leaked(&[told, Told(vec![("the list of processes", command_line)])])
}

#[test]
fn the_files_of_a_run_hold_its_rows_and_no_secret() -> Result<()> {
    let here = Surroundings::new()?;
    here.configured(&format!("note <> '{LITERAL}'"))?;
    let table = format!("--table=public.{TABLE}");
    let told = here.provoke(&[], &[&table, "--config=project.toml", "--numeric=string"], 0)?;
    nothing_has_leaked(&told)?;
    let files = bytes_below(&here.program.lake())?;
    ensure!(!files.is_empty(), "no file");
    for (name, bytes) in files {
        let text = String::from_utf8_lossy(&bytes);
        let (expected, hidden) = if name.ends_with(".parquet") {
            // Footers say the least and the greatest value: these are the rows, and who may read the lake may read them.
            (TEXT, &SECRETS[..])
        } else if name.ends_with(".json") {
            // A manifest says under which condition its rows were read, and holds none of them.
            (LITERAL, &[PASSWORD, AWS_SECRET, AWS_TOKEN, SENTRY_KEY, PUSH_PASSWORD, TEXT, JSON, NUMBER][..])
        } else {
            ensure!(bytes.is_empty(), "{name} is neither a file of rows nor a manifest");
            continue;
        };
        ensure!(text.contains(expected), "{name} has another form, in which the search would find nothing");
        for secret in hidden {
            ensure!(!text.contains(secret), "{secret} is in {name}");
        }
    }
    Ok(())
}

/// Every file below a folder.
fn bytes_below(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in read_dir(folder)? {
        let path = entry?.path();
        match path.symlink_metadata()? {
            metadata if metadata.is_dir() => found.extend(bytes_below(&path)?),
            metadata if metadata.is_file() => found.push((path.display().to_string(), std::fs::read(&path)?)),
            _ => {}
        }
    }
    Ok(found)
}
