//! Uploads that go well, what they replace, and the question whether the bucket is there.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use project_aws::{AwsErrorKind, S3Url};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::fixture::{BUCKET, Shared, lake, local_file, no_progress, spawnable};

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
    let uploaded = turn.aws()?.upload(&lake()?, &file, &progress, &CancellationToken::new()).await?;
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
    let uploaded = turn.aws()?.upload(&lake()?, &file, &progress, &CancellationToken::new()).await?;
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
            aws?.upload(&lake()?, file, &no_progress, &CancellationToken::new()).await.map_err(anyhow::Error::from)
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
async fn removing_old_files_leaves_the_new_ones_the_neighbours_and_what_is_no_parquet() -> Result<()> {
    let turn = SERVER.turn().await?;
    let server = turn.server()?;
    for key in [
        "team/shop/foo/old.parquet",
        "team/shop/foo/dt=2026-01-01/old.parquet",
        "team/shop/foo/new.parquet",
        "team/shop/foo/notes.txt",
        "team/shop/foo_bar/old.parquet",
        "team/shop/foo.parquet",
        "team/foo/old.parquet",
    ] {
        server.put_object(BUCKET, key, b"x")?;
    }
    let old = |key: &str| key != "foo/new.parquet";
    let removed = turn.aws()?.remove_stale(&lake()?, "foo", &old).await?;
    assert_eq!(removed, ["foo/dt=2026-01-01/old.parquet", "foo/old.parquet"]);
    assert_eq!(
        server.list_keys(BUCKET, "")?,
        [
            "team/foo/old.parquet",
            "team/shop/foo.parquet",
            "team/shop/foo/new.parquet",
            "team/shop/foo/notes.txt",
            "team/shop/foo_bar/old.parquet",
        ]
    );
    let error = turn.aws()?.remove_stale(&lake()?, "", &old).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Configuration);
    Ok(())
}

#[tokio::test]
async fn removing_old_files_of_some_dates_leaves_all_other_dates() -> Result<()> {
    let turn = SERVER.turn().await?;
    let server = turn.server()?;
    for key in [
        "team/shop/foo/dt=2026-01-01/new.parquet",
        "team/shop/foo/dt=2026-01-01/old.parquet",
        "team/shop/foo/dt=2026-01-01/notes.txt",
        "team/shop/foo/dt=2026-01-011/old.parquet",
        "team/shop/foo/dt=2026-01-02/old.parquet",
        "team/shop/foo/dt=2026-01-03/old.parquet",
        "team/shop/foo/old.parquet",
        "team/shop/foo_bar/dt=2026-01-01/old.parquet",
        "team/shop/dt=2026-01-01/old.parquet",
    ] {
        server.put_object(BUCKET, key, b"x")?;
    }
    let replaced = |key: &str| ["dt=2026-01-01/", "dt=2026-01-03/"].iter().any(|dates| key.contains(dates));
    let stale = |key: &str| replaced(key) && key != "foo/dt=2026-01-01/new.parquet";
    let (aws, destination) = (turn.aws()?, lake()?);
    let removed = spawnable(aws.remove_stale(&destination, "foo", &stale)).await?;
    assert_eq!(removed, ["foo/dt=2026-01-01/old.parquet", "foo/dt=2026-01-03/old.parquet"]);
    let left = [
        "team/shop/dt=2026-01-01/old.parquet",
        "team/shop/foo/dt=2026-01-01/new.parquet",
        "team/shop/foo/dt=2026-01-01/notes.txt",
        "team/shop/foo/dt=2026-01-011/old.parquet",
        "team/shop/foo/dt=2026-01-02/old.parquet",
        "team/shop/foo/old.parquet",
        "team/shop/foo_bar/dt=2026-01-01/old.parquet",
    ];
    assert_eq!(server.list_keys(BUCKET, "")?, left.map(str::to_owned).to_vec());
    Ok(())
}

#[tokio::test]
async fn more_old_files_than_fit_into_one_request_are_removed() -> Result<()> {
    let turn = SERVER.turn().await?;
    for n in 0..1_203 {
        turn.server()?.put_object(BUCKET, &format!("team/shop/foo/{n:04}.parquet"), b"")?;
    }
    let removed = turn.aws()?.remove_stale(&lake()?, "foo", &|_| true).await?;
    assert_eq!(removed.len(), 1_203);
    assert_eq!(turn.calls("DeleteObjects")?.len(), 2);
    assert!(turn.server()?.list_keys(BUCKET, "")?.is_empty());
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
