//! Uploads that go well, and the question whether the bucket is there.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use project_aws::{AwsErrorKind, S3Url};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::fixture::{BUCKET, Shared, lake, local_file, no_progress};

const MIB: usize = 1 << 20;

static SERVER: Shared = Shared::new();

#[tokio::test]
async fn a_small_file_is_one_put_and_arrives_unchanged() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let file = local_file(folder.path(), "orders/part-00000.parquet", 3 * MIB + 17)?;
    let sent = AtomicU64::new(0);
    let progress = |bytes| {
        sent.fetch_add(bytes, Ordering::Relaxed);
    };
    let uploaded = turn.aws()?.upload_new(&lake()?, &file, &progress, &CancellationToken::new()).await?;
    assert_eq!((uploaded.key, uploaded.bytes), (file.key.clone(), file.bytes));
    assert!(!uploaded.etag.is_empty());
    assert_eq!(sent.into_inner(), file.bytes);
    let stored = turn.server()?.get_object(BUCKET, "team/shop/orders/part-00000.parquet")?;
    assert!(stored == fs::read(&file.path)?);
    assert_eq!(turn.calls("PutObject")?.len(), 1);
    assert_eq!(turn.calls("CreateMultipartUpload")?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts_and_arrives_unchanged() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let file = local_file(folder.path(), "orders/part-00000.parquet", 70 * MIB + 5)?;
    let sent = AtomicU64::new(0);
    let progress = |bytes| {
        sent.fetch_add(bytes, Ordering::Relaxed);
    };
    let uploaded = turn.aws()?.upload_new(&lake()?, &file, &progress, &CancellationToken::new()).await?;
    let content = fs::read(&file.path)?;
    assert_eq!(uploaded.bytes, file.bytes);
    assert_eq!(sent.into_inner(), file.bytes);
    assert_eq!(turn.calls("UploadPart")?.len(), 5);
    assert_eq!(turn.calls("CompleteMultipartUpload")?.len(), 1);
    let stored = turn.server()?.get_object(BUCKET, "team/shop/orders/part-00000.parquet")?;
    assert!(stored == content);
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_file_that_has_changed_since_it_was_written_is_refused() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let mut file = local_file(folder.path(), "orders/part-00000.parquet", 1_000)?;
    file.bytes += 1;
    let upload = |file| {
        let aws = turn.aws();
        async move {
            aws?.upload_new(&lake()?, file, &no_progress, &CancellationToken::new()).await.map_err(anyhow::Error::from)
        }
    };
    let error = upload(&file).await.unwrap_err();
    assert!(error.to_string().contains("has 1000 bytes, but 1001 were written"), "{error}");
    fs::remove_file(&file.path)?;
    let error = upload(&file).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot read"), "{error}");
    assert!(turn.server()?.log()?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_bucket_is_there_or_the_error_names_it() -> Result<()> {
    let turn = SERVER.turn().await?;
    turn.aws()?.check_bucket(&lake()?).await?;
    let nowhere: S3Url = "s3://no-such-lake/team".parse()?;
    let error = turn.aws()?.check_bucket(&nowhere).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Configuration);
    assert!(error.to_string().contains("there is no bucket no-such-lake"), "{error}");
    Ok(())
}
