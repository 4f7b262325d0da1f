//! What goes wrong on the way to S3 and Glue.

use super::{Aws, BUCKET, CATALOG, LAKE, ROLE};
use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::Result;
use serde_json::json;
use std::time::Duration;

#[test]
fn a_refused_upload_is_77_and_the_crawler_is_never_started() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    aws.fault(&json!({
        "service": "s3", "operation": "UploadPart", "mode": "reject", "key_contains": "/users/", "times": -1
    }))?;
    let ended = aws.publish(&database.uri(), "combined_orders,users,products", &[ROLE])?.expect(77)?;
    let ended = ended.says(&["the crawler shop_crawler was not started", "users/part-00000.parquet"])?;
    assert_eq!(ended.published()?, ["combined_orders", "products"]);
    assert_eq!(aws.calls("StartCrawler")?, []);
    assert_eq!(aws.keys("shop/users/")?, Vec::<String>::new());
    Ok(())
}

#[test]
fn an_unknown_bucket_is_78_before_anything_is_read() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    let arguments = [
        &database.uri(),
        "--table=combined_orders,users",
        "--upload=s3://no-such-bucket/shop",
        "--scratch=scratch",
        ROLE,
    ];
    let ended = aws.program.run(&[&arguments, &CATALOG[..]].concat())?.expect(78)?;
    ended.says(&["there is no bucket no-such-bucket"])?.never_says("snapshot taken")?.never_says("started")?;
    aws.program.check_scratch_is_empty()?;
    let services: Vec<String> = aws.server()?.log()?.into_iter().map(|call| call.operation).collect();
    assert_eq!(services, ["HeadBucket"]);
    Ok(())
}

#[test]
fn a_crawler_that_is_missing_and_has_no_role_is_78_and_names_the_flag() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "users", &[])?.expect(78)?.says(&["--crawler-role", "shop_crawler"])?;
    assert_eq!(aws.calls("StartCrawler")?, []);
    Ok(())
}

#[test]
fn settings_that_s3_needs_are_78_and_named() -> Result<()> {
    let program = Program::new()?;
    let uri = "postgres://nobody@127.0.0.1:1/nothing";
    program.run(&[uri, LAKE, "--crawler=c"])?.expect(78)?.says(&["--glue-database"])?;
    program.run(&[uri, LAKE, "--glue-database=d"])?.expect(78)?.says(&["--crawler"])?;
    program.run(&["query", "SELECT 1", LAKE])?.expect(78)?.says(&["--glue-database"])?;
    Ok(())
}

#[test]
fn a_failed_crawl_is_65_with_the_message_of_glue() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    let message = "Insufficient Lake Formation permission(s) on s3://lake/shop";
    let (running, stopping) = (Duration::from_millis(200), Duration::from_millis(50));
    aws.server()?.set_crawl(running, stopping, Some(message))?;
    let ended = aws.publish(&database.uri(), "users", &[ROLE])?.expect(65)?;
    let ended = ended.says(&[message, "ended as FAILED"])?;
    assert_eq!(ended.report()?["failure"]["exit_code"], 65);
    Ok(())
}

#[test]
fn a_failed_task_keeps_its_old_objects_and_the_others_are_published_and_crawled() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "combined_orders,users", &[ROLE])?.expect(0)?;
    let before = aws.server()?.get_object(BUCKET, "shop/combined_orders/part-00000.parquet")?;
    database.execute("UPDATE orders SET amount = 1e17 WHERE id = 2; DELETE FROM users WHERE id = 3")?;
    let ended = aws.publish(&database.uri(), "combined_orders,users", &[ROLE])?.expect(65)?;
    assert_eq!(ended.published()?, ["users"]);
    assert_eq!(aws.server()?.get_object(BUCKET, "shop/combined_orders/part-00000.parquet")?, before);
    assert_eq!(aws.calls("StartCrawler")?.len(), 2);
    assert_eq!(aws.query("SELECT count(*) AS n FROM users")?, "n\n2\n");
    Ok(())
}

#[test]
fn the_secret_key_is_in_no_message_however_verbose() -> Result<()> {
    const CANARY: &str = "canary-c4n4ry-secret-key";
    let database = tiny_shop()?;
    let mut aws = Aws::turn()?;
    let secret = [("AWS_SECRET_ACCESS_KEY", CANARY.to_owned())];
    aws.program = Program::new()?.with_environment(aws.server()?.environment()).with_environment(secret);
    aws.publish(&database.uri(), "users", &[ROLE, "-vv"])?.expect(0)?.never_says(CANARY)?;
    aws.fault(&json!({"service": "s3", "operation": "HeadBucket", "mode": "reject", "times": -1}))?;
    let denied = aws.publish(&database.uri(), "users", &[ROLE, "-vv", "--log-format=json"])?.expect(77)?;
    denied.never_says(CANARY)?;
    Ok(())
}
