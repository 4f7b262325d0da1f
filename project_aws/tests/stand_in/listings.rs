//! What lies below a folder, what is deleted there, and uploads that nobody ended.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_s3::Client;
use project_aws::{AbandonedUpload, AwsErrorKind, ListedObject};
use serde_json::json;

use crate::fixture::{BUCKET, Shared, Turn, config, lake, spawnable};

static SERVER: Shared = Shared::new();

fn listed(objects: &[(&str, u64)]) -> Vec<ListedObject> {
    objects.iter().map(|&(key, bytes)| ListedObject { key: key.to_owned(), bytes }).collect()
}

#[tokio::test]
async fn a_folder_lists_what_is_below_it_and_not_its_neighbours() -> Result<()> {
    let turn = SERVER.turn().await?;
    for key in ["run=1/a.parquet", "run=1/dt=ü &+/b.parquet", "run=1/", "run=10/a.parquet", "run=2", "_runs/1.json"] {
        turn.server()?.put_object(BUCKET, &format!("team/shop/{key}"), key.as_bytes())?;
    }
    let (aws, root) = (turn.aws()?, lake()?);
    let run = root.join("run=1");
    let objects = spawnable(aws.list_objects(&run)).await?;
    assert_eq!(objects, listed(&[("a.parquet", 15), ("dt=ü &+/b.parquet", 24)]));
    assert_eq!(spawnable(aws.list_folders(&root)).await?, ["_runs", "run=1", "run=10"]);
    assert_eq!(aws.list_folders(&run).await?, ["dt=ü &+"]);
    assert_eq!(aws.list_folders(&"s3://lake".parse()?).await?, ["team"]);
    assert!(aws.list_objects(&root.join("run")).await?.is_empty());
    assert!(aws.list_folders(&root.join("run=10")).await?.is_empty());
    let error = aws.list_objects(&"s3://no-such-lake/a".parse()?).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Configuration, "{error}");
    Ok(())
}

#[tokio::test]
async fn all_pages_are_listed_and_all_keys_deleted_however_often_it_breaks_off() -> Result<()> {
    let turn = SERVER.turn().await?;
    for n in 0..1_203 {
        turn.server()?.put_object(BUCKET, &format!("team/shop/run=1/{n:04}/a"), b"x")?;
    }
    turn.server()?.put_object(BUCKET, "team/shop/run=2/a", b"x")?;
    let (aws, run) = (turn.aws()?, lake()?.join("run=1"));
    assert_eq!(aws.list_folders(&run).await?.len(), 1_203);
    let keys: Vec<String> = aws.list_objects(&run).await?.into_iter().map(|object| object.key).collect();
    assert_eq!(keys.len(), 1_203);
    let lost = json!([{"service": "s3", "operation": "DeleteObjects", "mode": "done_then_error", "times": 4}]);
    turn.server()?.inject(&lost)?;
    spawnable(aws.delete_objects_below(&run, &keys)).await?;
    // Keys that are gone already are deleted.
    aws.delete_objects_below(&run, &keys).await?;
    assert_eq!(turn.server()?.list_keys(BUCKET, "")?, ["team/shop/run=2/a"]);
    Ok(())
}

async fn begin(turn: &Turn<'_>, keys: impl Iterator<Item = String>) -> Result<()> {
    let s3 = aws_sdk_s3::config::Builder::from(&config(turn.server()?.endpoint())).force_path_style(true).build();
    let s3 = Client::from_conf(s3);
    for key in keys {
        s3.create_multipart_upload().bucket(BUCKET).key(key).send().await?;
    }
    Ok(())
}

#[tokio::test]
async fn old_uploads_of_a_folder_are_found_on_all_pages_and_aborted() -> Result<()> {
    let turn = SERVER.turn().await?;
    let keys = (0..1_003).map(|n| format!("team/shop/run=1/{n:04}"));
    begin(&turn, keys.chain(["team/shop2/a".to_owned(), "team/shop/run=1/0000".to_owned()])).await?;
    let (aws, root) = (turn.aws()?, lake()?);
    assert!(aws.abandoned_uploads(&root, Duration::from_secs(3_600)).await?.is_empty(), "none is as old as that");
    let all = spawnable(aws.abandoned_uploads(&root, Duration::ZERO)).await?;
    assert_eq!(all.len(), 1_004);
    assert!(all.iter().any(|upload| upload.key == "run=1/1002"));

    let refuse = |key: &str| json!([{"service": "s3", "operation": "AbortMultipartUpload", "mode": "reject", "key_contains": key}]);
    turn.server()?.inject(&refuse("/0500"))?;
    let error = aws.abort_uploads(&root, &all).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("s3://lake/team/shop/run=1/0500"), "{error}");
    assert_eq!(turn.server()?.list_pending_uploads(BUCKET)?, ["team/shop/run=1/0500", "team/shop2/a"]);
    spawnable(aws.abort_uploads(&root, &all)).await?;
    assert_eq!(turn.server()?.list_pending_uploads(BUCKET)?, ["team/shop2/a"]);
    Ok(())
}

#[tokio::test]
async fn an_abort_whose_answer_is_lost_is_done() -> Result<()> {
    let turn = SERVER.turn().await?;
    begin(&turn, ["team/shop/run=1/a".to_owned()].into_iter()).await?;
    let (aws, root) = (turn.aws()?, lake()?);
    let all: Vec<AbandonedUpload> = aws.abandoned_uploads(&root, Duration::ZERO).await?;
    let lost = json!([{"service": "s3", "operation": "AbortMultipartUpload", "mode": "done_then_error"}]);
    turn.server()?.inject(&lost)?;
    aws.abort_uploads(&root, &all).await?;
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}
