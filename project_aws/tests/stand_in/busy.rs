//! Services that are busy for a while: each request is repeated by itself, and what it belongs to does not fail.

use anyhow::Result;
use project_aws::AwsErrorKind;
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::crawler::{crawl, failure, publish, settings, tables_of};
use crate::fixture::{BUCKET, Shared, lake, local_file, no_progress};

const MIB: usize = 1 << 20;
/// One more than what the SDK repeats by itself would outlive.
const REFUSALS: usize = 4;
/// What one request is tried, at most.
const ATTEMPTS: usize = 8;

static SERVER: Shared = Shared::new();

fn slow_down(operation: &str) -> Value {
    json!({"service": "s3", "operation": operation, "mode": "reject", "status": 503, "code": "SlowDown", "times": REFUSALS})
}

fn throttled(operation: &str, times: i64) -> Value {
    let code = "ThrottlingException";
    json!({"service": "glue", "operation": operation, "mode": "reject", "status": 400, "code": code, "times": times})
}

#[tokio::test]
async fn a_store_that_refuses_four_times_in_a_row_gets_the_file_all_the_same() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    for (operation, bytes) in [
        ("PutObject", 10),
        ("CreateMultipartUpload", 33 * MIB),
        ("UploadPart", 33 * MIB),
        ("CompleteMultipartUpload", 33 * MIB),
        ("HeadObject", 33 * MIB),
    ] {
        turn.server()?.inject(&json!([slow_down(operation)]))?;
        let file = local_file(folder.path(), &format!("orders/{operation}.parquet"), bytes)?;
        let before = turn.calls(operation)?.len();
        turn.aws()?.upload_new(&lake()?, &file, &no_progress, &CancellationToken::new()).await?;
        let refused = turn.calls(operation)?.split_off(before).into_iter().filter(|call| call.status == Some(503));
        assert_eq!(refused.count(), REFUSALS, "{operation}");
        let stored = turn.server()?.get_object(BUCKET, &format!("team/shop/{}", file.key))?;
        assert!(stored == std::fs::read(&file.path)?, "{operation}");
    }
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn of_an_upload_only_the_part_that_was_refused_is_sent_again() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let file = local_file(folder.path(), "orders/a.parquet", 65 * MIB)?;
    turn.aws()?.upload_new(&lake()?, &file, &no_progress, &CancellationToken::new()).await?;
    let parts = turn.calls("UploadPart")?.len();
    assert!(parts > 2, "{parts}");
    turn.server()?.inject(&json!([slow_down("UploadPart")]))?;
    let file = local_file(folder.path(), "orders/b.parquet", 65 * MIB)?;
    turn.aws()?.upload_new(&lake()?, &file, &no_progress, &CancellationToken::new()).await?;
    assert_eq!(turn.calls("UploadPart")?.len(), 2 * parts + REFUSALS);
    assert_eq!(turn.calls("CreateMultipartUpload")?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_store_that_never_takes_it_is_given_up() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let mut always = slow_down("UploadPart");
    always["times"] = json!(-1);
    turn.server()?.inject(&json!([always]))?;
    let file = local_file(folder.path(), "orders/a.parquet", 20 * MIB)?;
    let staged = turn.aws()?.stage(&lake()?, &file, &no_progress, &CancellationToken::new()).await;
    let error = staged.err().unwrap();
    assert_eq!(error.kind(), AwsErrorKind::Temporary, "{error}");
    assert!(error.to_string().contains("SlowDown"), "{error}");
    assert!(turn.calls("UploadPart")?.len() >= ATTEMPTS);
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_crawl_outlives_a_throttled_catalog() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    let faults = ["GetDatabase", "GetCrawler", "StartCrawler", "GetTable"].map(|call| throttled(call, REFUSALS as i64));
    turn.server()?.inject(&json!(faults))?;
    assert_eq!(tables_of(crawl(&turn, &settings(&["orders"])?).await?), ["orders"]);
    for operation in ["StartCrawler", "GetTable"] {
        let refused = turn.calls(operation)?.into_iter().filter(|call| call.status == Some(400));
        assert_eq!(refused.count(), REFUSALS, "{operation}");
    }
    Ok(())
}

#[tokio::test]
async fn a_catalog_that_never_answers_is_temporary() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    turn.server()?.inject(&json!([throttled("GetTable", -1)]))?;
    let (kind, text) = failure(&turn, &settings(&["orders"])?).await?;
    assert_eq!(kind, AwsErrorKind::Temporary, "{text}");
    Ok(())
}
