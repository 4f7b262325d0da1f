//! `--publish=catalog`: every run is kept, and a Glue table is switched to one at once.

use super::{Aws, BUCKET, ROLE};
use crate::deadline::wait_for;
use crate::program::{Ended, Running};
use crate::shop::{EVERYTHING, events_by_partition, revenue_in_usd, sample_shop, tiny_shop};
use crate::table_read::dates::{BY_DATE_AND_KIND, INDEXED, NEW_EVENTS, OLD_EVENTS, WINDOW_REPLACED};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;

const CATALOG: [&str; 4] = ["--upload=s3://lake/shop", "--publish=catalog", "--s3-path-style", "--glue-database=shop"];
const LAKE: [&str; 2] = ["--upload=s3://lake/shop", "--s3-path-style"];
const PATIENCE: Duration = Duration::from_secs(60);

impl Aws {
    fn catalog_turn() -> Result<Self> {
        let aws = Self::turn()?;
        aws.server()?.glue("CreateDatabase", &json!({"DatabaseInput": {"Name": "shop"}}))?;
        Ok(aws)
    }

    fn switch(&self, uri: &str, tables: &str, more: &[&str]) -> Result<Ended> {
        self.begin(uri, tables, more)?.wait(PATIENCE)
    }

    fn begin(&self, uri: &str, tables: &str, more: &[&str]) -> Result<Running> {
        let arguments = [uri, "--table", tables, "--scratch=scratch", "--format=json"];
        self.program.start(&[&arguments, &CATALOG[..], more].concat())
    }

    fn count(&self, table: &str) -> Result<String> {
        let rows = self.query(&format!("SELECT count(*) AS n FROM {table}"))?;
        Ok(rows.trim_start_matches("n\n").trim_end().to_owned())
    }

    /// What `project runs` shows of a table: run and whether it is shown, newest first.
    fn runs(&self, table: &str) -> Result<Vec<(String, bool)>> {
        let json = self.program.run(&[&["runs", "--format=json"], &LAKE[..]].concat())?.expect(0)?.stdout;
        let lines: Vec<Value> = serde_json::from_str(&json)?;
        let of_table = lines.iter().filter(|line| line["table"] == table);
        of_table.map(|line| Ok((text(&line["run"])?, line["shown"] == json!(true)))).collect()
    }
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().with_context(|| format!("{value} is no text"))?.to_owned())
}

fn run_of(ended: &Ended) -> Result<String> {
    text(&ended.report()?["run_id"])
}

#[test]
fn every_table_lies_under_its_run_has_exact_types_and_needs_no_crawler() -> Result<()> {
    let database = sample_shop()?;
    let aws = Aws::catalog_turn()?;
    let run = run_of(&aws.switch(&database.uri(), EVERYTHING, &[])?.expect(0)?)?;
    let prefix = format!("shop/run={run}/");
    let keys = aws.keys("shop/")?;
    ensure!(keys.iter().all(|key| key.starts_with(&prefix) || key.starts_with("shop/_runs/")), "{keys:?}");
    let revenue = revenue_in_usd(&database)?;
    assert_eq!(aws.query("SELECT sum(amount_usd) AS usd FROM combined_orders")?, format!("usd\n{revenue}\n"));
    let (columns, _) = aws.glue_columns("combined_orders")?;
    ensure!(columns.contains(&"amount_usd decimal(18,2)".to_owned()), "{columns:?}");
    let (_, keys) = aws.glue_columns("events")?;
    assert_eq!(keys, ["dt string"]);
    // The rows without a date are there as well.
    let rows: u64 = events_by_partition(&database)?.iter().map(|(_, rows)| rows).sum();
    assert_eq!(aws.count("events")?, rows.to_string());
    aws.program.check_scratch_is_empty()?;
    for operation in ["CreateCrawler", "StartCrawler", "BatchCreatePartition"] {
        assert_eq!(aws.calls(operation)?, [], "{operation}");
    }
    Ok(())
}

#[test]
fn a_second_run_switches_rollback_takes_it_back_and_gc_keeps_what_is_shown() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::catalog_turn()?;
    let first = run_of(&aws.switch(&database.uri(), "users,events", &[])?.expect(0)?)?;
    database.execute("INSERT INTO users SELECT id + 100, name, created_at FROM users")?;
    let second = run_of(&aws.switch(&database.uri(), "users", &[])?.expect(0)?)?;
    assert_eq!(aws.count("users")?, "6");
    assert_eq!(aws.runs("users")?, [(second.clone(), true), (first.clone(), false)]);
    assert_eq!(aws.runs("events")?, [(first.clone(), true)]);

    let back = aws.program.run(&[&["rollback", "--table=users"], &LAKE[..]].concat())?.expect(0)?;
    back.says(&["users shows run", &first, &second])?;
    assert_eq!(aws.count("users")?, "3");
    // Twice would be one run too far.
    aws.program
        .run(&[&["rollback", "--table=users"], &LAKE[..]].concat())?
        .expect(65)?
        .says(&["no run that is older"])?;
    let again = ["rollback", "--table=users", "--to", &second];
    aws.program.run(&[&again, &LAKE[..]].concat())?.expect(0)?;
    assert_eq!(aws.count("users")?, "6");

    // Of the first run events is shown, so all of it stays, however old.
    std::thread::sleep(Duration::from_millis(1100));
    aws.program.run(&[&["gc", "--keep-runs=1", "--grace=1s"], &LAKE[..]].concat())?.expect(0)?;
    assert_eq!((aws.count("users")?, aws.count("events")?.as_str()), ("6".to_owned(), "3"));
    Ok(())
}

#[test]
fn a_window_replaces_its_dates_in_a_run_that_is_whole_by_itself() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(&format!("{INDEXED}{OLD_EVENTS}"))?;
    let aws = Aws::catalog_turn()?;
    aws.switch(&database.uri(), "events", &[])?.expect(0)?;
    database.execute(NEW_EVENTS)?;
    let window = ["--from=2026-01-02", "--to=2026-01-04"];
    let run = run_of(&aws.switch(&database.uri(), "events", &window)?.expect(0)?)?;
    assert_eq!(aws.query(BY_DATE_AND_KIND)?, WINDOW_REPLACED);
    let files = aws.keys(&format!("shop/run={run}/events/"))?;
    assert_eq!(files.len(), 6, "{files:?}");
    Ok(())
}

#[test]
fn of_two_runs_at_the_same_time_the_later_one_to_switch_is_75_and_changes_nothing() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::catalog_turn()?;
    aws.switch(&database.uri(), "users", &[])?.expect(0)?;
    // The first has looked at the table and written its manifest, and waits for the answer.
    aws.fault(&json!({
        "service": "s3", "operation": "PutObject", "key_contains": "_runs/2", "mode": "hold", "seconds": 40, "times": 1
    }))?;
    let slow = aws.begin(&database.uri(), "users", &[])?;
    wait_for("the manifest of the slow run", PATIENCE, || {
        let manifests = aws.keys("shop/_runs/2")?;
        Ok((manifests.len() == 2).then_some(()))
    })?;
    database.execute("INSERT INTO users SELECT id + 100, name, created_at FROM users")?;
    let fast = run_of(&aws.switch(&database.uri(), "users", &[])?.expect(0)?)?;
    aws.server()?.inject(&json!([]))?;
    slow.wait(PATIENCE)?.expect(75)?.says(&["another run published users", &fast])?;
    aws.program.check_scratch_is_empty()?;
    assert_eq!(aws.count("users")?, "6");
    Ok(())
}

#[test]
fn a_destination_keeps_its_mode_and_crawlers_keep_no_runs() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::catalog_turn()?;
    aws.publish(&database.uri(), "users", &[ROLE])?.expect(0)?;
    let refused = aws.switch(&database.uri(), "users", &[])?.expect(78)?;
    refused.says(&["was published with --publish=crawler and not with --publish=catalog", "--force"])?;
    let none = aws.program.run(&[&["rollback", "--table=users"], &LAKE[..]].concat())?.expect(2)?;
    none.says(&["there is no older run to go back to", "--publish=catalog"])?;
    aws.switch(&database.uri(), "users", &["--force"])?.expect(0)?;
    assert_eq!(aws.count("users")?, "3");
    aws.publish(&database.uri(), "users", &[ROLE])?.expect(78)?;
    Ok(())
}

#[test]
fn a_table_that_somebody_else_made_is_not_replaced_and_nothing_is_read_for_it() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::catalog_turn()?;
    aws.publish(&database.uri(), "users", &[ROLE])?.expect(0)?;
    let elsewhere = ["--upload=s3://lake/other"];
    let arguments = [&database.uri(), "--table=users,products", "--scratch=scratch"];
    let ended = aws.program.run(&[&arguments, &CATALOG[1..], &elsewhere[..]].concat())?.expect(78)?;
    ended
        .says(&["users was not made by a run of project that keeps runs", "--force"])?
        .never_says("started task=\"users\"")?;
    assert_eq!(aws.count("products")?, "3");
    assert_eq!(aws.count("users")?, "3");
    Ok(())
}

#[test]
fn a_table_that_lost_its_rows_is_refused_and_leaves_nothing_behind() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::catalog_turn()?;
    aws.switch(&database.uri(), "users,products", &[])?.expect(0)?;
    database.execute("DELETE FROM users")?;
    let ended = aws.switch(&database.uri(), "users,products", &[])?.expect(65)?;
    assert_eq!(ended.published()?, ["products"]);
    let run = run_of(&ended.says(&["users has 0 rows and the published run"])?)?;
    assert_eq!(aws.keys(&format!("shop/run={run}/users/"))?, [""; 0]);
    assert_eq!(aws.count("users")?, "3");
    aws.switch(&database.uri(), "users", &["--force"])?.expect(0)?;
    assert_eq!(aws.count("users")?, "0");
    ensure!(aws.server()?.list_pending_uploads(BUCKET)?.is_empty(), "a multipart upload was left open");
    Ok(())
}

#[test]
fn an_unknown_database_is_78_before_anything_is_read() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    let ended = aws.switch(&database.uri(), "users", &[])?.expect(78)?;
    ended.says(&["there is no Glue database shop"])?.never_says("snapshot taken")?;
    Ok(())
}
