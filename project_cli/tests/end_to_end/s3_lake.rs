//! From Postgres to S3, through the crawler, and out of Athena.

mod catalog;
mod dates;
mod early_upload;
mod every_type;
mod extra;
mod failures;
mod insert;
mod interrupted;
mod snapshot;
mod verify;

use crate::program::{Ended, Program};
use crate::shop::{EVERYTHING, code_of, combined_orders, events_by_partition, revenue_in_usd, sample_shop, tiny_shop};
use anyhow::{Context, Result, ensure};
use project_test_servers::aws_stand_in::{AwsStandIn, Call};
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const BUCKET: &str = "lake";
const LAKE: &str = "--upload=s3://lake/shop";
const CATALOG: [&str; 3] = ["--s3-path-style", "--glue-database=shop", "--crawler=shop_crawler"];
const ROLE: &str = "--crawler-role=arn:aws:iam::123456789012:role/crawler";

/// The one stand-in; starting it costs seconds, resetting it nothing.
static STAND_IN: Mutex<Option<AwsStandIn>> = Mutex::new(None);

/// A turn at the stand-in, which is empty but for the bucket, and the binary that is led there.
struct Aws {
    stand_in: MutexGuard<'static, Option<AwsStandIn>>,
    program: Program,
}

impl Aws {
    fn turn() -> Result<Self> {
        let mut stand_in = STAND_IN.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match stand_in.take() {
            Some(running) => running,
            None => AwsStandIn::start()?,
        };
        running.reset()?;
        running.create_bucket(BUCKET)?;
        running.set_crawl(Duration::from_millis(300), Duration::from_millis(100), None)?;
        let program = Program::new()?.with_environment(running.environment());
        *stand_in = Some(running);
        Ok(Self { stand_in, program })
    }

    fn server(&self) -> Result<&AwsStandIn> {
        self.stand_in.as_ref().context("the stand-in was started")
    }

    fn publish(&self, uri: &str, tables: &str, more: &[&str]) -> Result<Ended> {
        let arguments = [uri, "--table", tables, LAKE, "--scratch=scratch", "--format=json"];
        let ended = self.program.run(&[&arguments, &CATALOG[..], more].concat())?;
        self.program.check_scratch_is_empty()?;
        Ok(ended)
    }

    fn query(&self, sql: &str) -> Result<String> {
        let arguments = ["query", sql, LAKE, "--format=csv", "--athena-output=s3://lake/answers"];
        Ok(self.program.run(&[&arguments, &CATALOG[..2]].concat())?.expect(0)?.stdout)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.server()?.list_keys(BUCKET, prefix)
    }

    fn calls(&self, operation: &str) -> Result<Vec<Call>> {
        let mut calls = self.server()?.log()?;
        calls.retain(|call| call.operation == operation);
        Ok(calls)
    }

    fn fault(&self, fault: &Value) -> Result<()> {
        self.server()?.inject(&json!([fault]))
    }

    /// A table's columns and partition keys in Glue, as `name type`.
    fn glue_columns(&self, table: &str) -> Result<(Vec<String>, Vec<String>)> {
        let answer = self.server()?.glue("GetTable", &json!({"DatabaseName": "shop", "Name": table}))?;
        let table = &answer["Table"];
        let columns = |list: &Value| {
            let text = |column: &Value, key: &str| column[key].as_str().unwrap_or("missing").to_owned();
            let columns = list.as_array().into_iter().flatten();
            columns.map(|column| format!("{} {}", text(column, "Name"), text(column, "Type"))).collect()
        };
        Ok((columns(&table["StorageDescriptor"]["Columns"]), columns(&table["PartitionKeys"])))
    }
}

#[test]
fn every_selection_goes_through_s3_and_the_crawler_and_answers_in_athena() -> Result<()> {
    let database = sample_shop()?;
    let aws = Aws::turn()?;
    for (selection, tables) in [
        ("all", &["combined_orders", "users"][..]),
        ("stream_tasks", &["products"]),
        ("huge_tasks", &["events"]),
        ("users", &["users"]),
        ("public.currencies", &["public_currencies"]),
    ] {
        let ended = aws.publish(&database.uri(), selection, &[ROLE])?.expect(code_of(selection)?)?;
        assert_eq!(ended.published()?, tables, "{selection}");
        for table in tables {
            ensure!(!aws.keys(&format!("shop/{table}/"))?.is_empty(), "{table} has no object");
            let source = match *table {
                "combined_orders" => combined_orders(&database)?,
                table => crate::shop::value(
                    &database,
                    &format!("SELECT count(*) FROM {}", table.trim_start_matches("public_")),
                )?,
            };
            let sql = format!("SELECT count(*) AS n FROM {table}");
            assert_eq!(aws.query(&sql)?, format!("n\n{source}\n"), "{selection}: {table}");
        }
    }
    assert_eq!(aws.calls("StartCrawler")?.len(), 5);
    assert_eq!(aws.calls("CreateCrawler")?.len(), 1);
    ensure!(aws.server()?.list_pending_uploads(BUCKET)?.is_empty(), "a multipart upload was left open");
    Ok(())
}

#[test]
fn the_sum_of_a_money_column_in_athena_is_exactly_that_of_sql_and_types_are_kept() -> Result<()> {
    let database = sample_shop()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), EVERYTHING, &[ROLE])?.expect(0)?;
    let revenue = revenue_in_usd(&database)?;
    assert_eq!(aws.query("SELECT sum(amount_usd) AS usd FROM combined_orders")?, format!("usd\n{revenue}\n"));
    let (columns, keys) = aws.glue_columns("combined_orders")?;
    for column in [
        "order_id int",
        "country string",
        "conversion_rate decimal(18,8)",
        "amount decimal(18,2)",
        "amount_usd decimal(18,2)",
        "amount_with_tax decimal(18,2)",
        "created_at timestamp",
    ] {
        ensure!(columns.iter().any(|found| found == column), "{column} is not in {columns:?}");
    }
    assert_eq!(keys, Vec::<String>::new());
    let (columns, keys) = aws.glue_columns("events")?;
    assert_eq!(columns[0], "id bigint");
    assert_eq!(keys, ["dt string"]);

    let expected = events_by_partition(&database)?;
    for (folder, _) in &expected {
        ensure!(!aws.keys(&format!("shop/events/{folder}/"))?.is_empty(), "{folder} has no object");
    }
    let (folder, rows) = expected.first().context("a partition")?;
    let date = folder.trim_start_matches("dt=");
    assert_eq!(aws.query(&format!("SELECT count(*) AS n FROM events WHERE dt = '{date}'"))?, format!("n\n{rows}\n"));
    Ok(())
}

#[test]
fn the_crawler_starts_after_the_answer_to_the_last_upload() -> Result<()> {
    const HELD_BACK: f64 = 0.4;
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    // The request that makes a file visible.
    let operation = "CompleteMultipartUpload";
    aws.fault(&json!({"service": "s3", "operation": operation, "mode": "slow", "seconds": HELD_BACK, "times": -1}))?;
    aws.publish(&database.uri(), "combined_orders,users,products,events", &[ROLE])?.expect(0)?;
    let starts = aws.calls("StartCrawler")?;
    let [start] = starts.as_slice() else { anyhow::bail!("{starts:?}") };
    let uploads = aws.calls(operation)?;
    ensure!(uploads.len() >= 4, "{uploads:?}");
    for upload in uploads {
        ensure!(start.time >= upload.time + HELD_BACK, "{start:?} came before the answer to {upload:?}");
    }
    Ok(())
}

#[test]
fn a_second_run_removes_what_it_replaces_and_nothing_of_its_neighbours() -> Result<()> {
    let database = sample_shop()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "events,users", &[ROLE])?.expect(0)?;
    aws.server()?.put_object(BUCKET, "shop/users_old/part-00000.parquet", b"not ours")?;
    aws.server()?.put_object(BUCKET, "shop/users/part-00007.parquet", b"a part of an older, larger run")?;
    aws.server()?.put_object(BUCKET, "shop/users/_README", b"not a part")?;
    let (gone, _) = events_by_partition(&database)?.into_iter().next().context("a partition")?;
    let date = gone.trim_start_matches("dt=").to_owned();
    database.execute(&format!("DELETE FROM events WHERE (created_at AT TIME ZONE 'UTC')::date = '{date}'"))?;
    aws.publish(&database.uri(), "events,users", &[ROLE])?.expect(0)?;

    assert_eq!(aws.keys(&format!("shop/events/{gone}/"))?, Vec::<String>::new());
    assert_eq!(aws.keys("shop/users/")?, ["shop/users/_README", "shop/users/part-00000.parquet"]);
    assert_eq!(aws.server()?.get_object(BUCKET, "shop/users_old/part-00000.parquet")?, b"not ours");
    let rows = crate::shop::value(&database, "SELECT count(*) FROM events")?;
    assert_eq!(aws.query("SELECT count(*) AS n FROM events")?, format!("n\n{rows}\n"));
    Ok(())
}

#[test]
fn a_crawler_that_is_not_waited_for_is_only_started() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    aws.server()?.set_crawl(Duration::from_secs(60), Duration::from_secs(1), None)?;
    let start = Instant::now();
    let ended = aws.publish(&database.uri(), "users", &[ROLE, "--no-wait-crawler"])?.expect(0)?;
    ensure!(start.elapsed() < Duration::from_secs(30), "it waited: {:?}", start.elapsed());
    ended.says(&["crawler shop_crawler started; it is not waited for"])?;
    assert_eq!(aws.calls("StartCrawler")?.len(), 1);
    Ok(())
}

#[test]
fn without_upload_nothing_is_asked_of_aws() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "users", &["--no-upload"])?.expect(0)?;
    assert_eq!(aws.server()?.log()?, []);
    Ok(())
}
