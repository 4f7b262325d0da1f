//! Uploads that go wrong: refused, broken off, cancelled. Nothing pending is ever left.

use std::time::{Duration, Instant};

use anyhow::Result;
use project_aws::{AwsError, AwsErrorKind, LocalFile, S3Url, Uploaded};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::fixture::{BUCKET, Shared, Turn, lake, local_file, no_progress};

const MIB: usize = 1 << 20;

static SERVER: Shared = Shared::new();

fn fault(operation: &str, mode: &str, times: i32) -> Value {
    json!({"service": "s3", "operation": operation, "mode": mode, "times": times})
}

async fn upload(turn: &Turn<'_>, file: &LocalFile) -> Result<Result<Uploaded, AwsError>> {
    let aws = turn.aws()?;
    Ok(aws.upload_new(&lake()?, file, &no_progress, &CancellationToken::new()).await)
}

fn nothing_left(turn: &Turn<'_>) -> Result<()> {
    assert!(turn.server()?.list_keys(BUCKET, "")?.is_empty());
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_refused_upload_is_denied_and_names_the_object() -> Result<()> {
    let turn = SERVER.turn().await?;
    turn.server()?.inject(&json!([fault("PutObject", "reject", -1)]))?;
    let folder = tempdir()?;
    let error = upload(&turn, &local_file(folder.path(), "orders/a.parquet", 10)?).await?.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Denied);
    assert!(error.to_string().contains("cannot upload s3://lake/team/shop/orders/a.parquet"), "{error}");
    assert_eq!(turn.calls("PutObject")?.len(), 1, "a refusal is not repeated");
    nothing_left(&turn)
}

#[tokio::test]
async fn an_unknown_bucket_is_a_matter_of_configuration() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let nowhere: S3Url = "s3://no-such-lake/team".parse()?;
    for bytes in [10, 33 * MIB] {
        let file = local_file(folder.path(), "orders/a.parquet", bytes)?;
        let error = turn.aws()?.upload_new(&nowhere, &file, &no_progress, &CancellationToken::new()).await.unwrap_err();
        assert_eq!(error.kind(), AwsErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("s3://no-such-lake/team/orders/a.parquet"), "{error}");
        assert!(error.to_string().contains("create the bucket"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_success_that_carries_an_error_is_a_failure() -> Result<()> {
    let turn = SERVER.turn().await?;
    let fault = json!([{
        "service": "s3", "operation": "CompleteMultipartUpload", "mode": "reject", "status": 200,
        "code": "InternalError", "times": -1
    }]);
    turn.server()?.inject(&fault)?;
    let folder = tempdir()?;
    let file = local_file(folder.path(), "orders/a.parquet", 33 * MIB)?;
    let error = upload(&turn, &file).await?.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Temporary, "{error}");
    nothing_left(&turn)
}

#[tokio::test]
async fn a_failure_that_cannot_be_cleared_up_is_still_the_first_failure() -> Result<()> {
    let turn = SERVER.turn().await?;
    let faults = json!([fault("CompleteMultipartUpload", "reject", -1), fault("AbortMultipartUpload", "reject", -1)]);
    turn.server()?.inject(&faults)?;
    let folder = tempdir()?;
    let file = local_file(folder.path(), "orders/a.parquet", 33 * MIB)?;
    let error = upload(&turn, &file).await?.unwrap_err();
    assert!(error.to_string().starts_with("cannot upload s3://"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_cancelled_upload_ends_at_once_and_leaves_nothing() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    for (operation, bytes) in [("UploadPart", 40 * MIB), ("CreateMultipartUpload", 40 * MIB)] {
        turn.server()?
            .inject(&json!([{"service": "s3", "operation": operation, "mode": "slow", "seconds": 1.5, "times": -1}]))?;
        let file = local_file(folder.path(), "orders/a.parquet", bytes)?;
        let cancel = CancellationToken::new();
        let aws = turn.aws()?;
        let destination = lake()?;
        let upload = aws.upload_new(&destination, &file, &no_progress, &cancel);
        let cancel_in_the_middle = async {
            while turn.calls(operation)?.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            cancel.cancel();
            anyhow::Ok(Instant::now())
        };
        let (outcome, cancelled) = tokio::join!(upload, cancel_in_the_middle);
        assert_eq!(outcome.unwrap_err().kind(), AwsErrorKind::Interrupted);
        assert!(cancelled?.elapsed() < Duration::from_secs(5));
        nothing_left(&turn)?;
        turn.server()?.inject(&json!([]))?;
    }
    Ok(())
}

#[tokio::test]
async fn objects_that_may_not_be_deleted_are_an_error() -> Result<()> {
    let turn = SERVER.turn().await?;
    turn.server()?.put_object(BUCKET, "team/shop/foo/old.parquet", b"x")?;
    turn.server()?.inject(&json!([fault("DeleteObjects", "reject", -1)]))?;
    let error = turn.aws()?.delete_objects_below(&lake()?, &["foo/old.parquet".to_owned()]).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Denied);
    assert!(error.to_string().starts_with("cannot delete objects below s3://lake/team/shop: "), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_bucket_of_somebody_else_is_denied() -> Result<()> {
    let turn = SERVER.turn().await?;
    turn.server()?.inject(&json!([fault("HeadBucket", "reject", -1)]))?;
    let error = turn.aws()?.check_bucket(&lake()?).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Denied, "{error}");
    Ok(())
}
