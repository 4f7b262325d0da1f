//! Publishing in two steps: nobody sees what is staged, all of it becomes visible together, and nothing is left behind.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use aws_sdk_s3::config::Builder;
use project_aws::{AwsError, AwsErrorKind, LocalFile, StagedFile};
use serde_json::json;
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::fixture::{BUCKET, Shared, Turn, config, lake, local_file, no_progress, spawnable};

const MIB: usize = 1 << 20;

static SERVER: Shared = Shared::new();

/// What any reader does, by AWS's client and not by ours.
fn reader(turn: &Turn<'_>) -> Result<aws_sdk_s3::Client> {
    let config = Builder::from(&config(turn.server()?.endpoint())).force_path_style(true);
    Ok(aws_sdk_s3::Client::from_conf(config.build()))
}

/// The keys that a listing shows, and those of the uploads that are not completed.
async fn listed_and_pending(turn: &Turn<'_>) -> Result<(Vec<String>, Vec<String>)> {
    let reader = reader(turn)?;
    let objects = reader.list_objects_v2().bucket(BUCKET).send().await?;
    let uploads = reader.list_multipart_uploads().bucket(BUCKET).send().await?;
    let listed = objects.contents().iter().filter_map(|object| object.key.clone()).collect();
    let mut pending: Vec<String> = uploads.uploads().iter().filter_map(|upload| upload.key.clone()).collect();
    pending.sort();
    Ok((listed, pending))
}

async fn stage(turn: &Turn<'_>, file: &LocalFile) -> Result<Result<StagedFile, AwsError>> {
    Ok(turn.aws()?.stage(&lake()?, file, &no_progress, &CancellationToken::new()).await)
}

/// Stages so many small files of one table, `part-00000` and so on.
async fn stage_small(turn: &Turn<'_>, folder: &Path, files: usize) -> Result<Vec<StagedFile>> {
    let mut staged = Vec::new();
    for n in 0..files {
        let file = local_file(folder, &format!("orders/part-{n:05}.parquet"), 1_000 + n)?;
        staged.push(stage(turn, &file).await??);
    }
    Ok(staged)
}

fn nothing_left(turn: &Turn<'_>) -> Result<()> {
    assert!(turn.server()?.list_keys(BUCKET, "")?.is_empty());
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn nothing_is_visible_until_everything_is_and_then_it_is_the_same() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (aws, destination, cancel, folder) = (turn.aws()?, lake()?, CancellationToken::new(), tempdir()?);
    let replaced = "team/shop/t/dt=2026-01-01/large.parquet";
    turn.server()?.put_object(BUCKET, replaced, b"of an earlier run")?;
    let sent = AtomicU64::new(0);
    let progress = |bytes| {
        sent.fetch_add(bytes, Ordering::Relaxed);
    };
    let (mut staged, mut contents) = (Vec::new(), Vec::new());
    for (key, bytes) in [
        ("t/dt=2026-01-02/small.parquet", 3 * MIB + 17),
        ("t/dt=2026-01-01/large.parquet", 40 * MIB + 5),
        ("t/dt=2026-01-01/empty.parquet", 0),
    ] {
        let file = local_file(folder.path(), key, bytes)?;
        let one = spawnable(aws.stage(&destination, &file, &progress, &cancel)).await?;
        assert_eq!((one.key.as_str(), one.bytes), (key, file.bytes));
        staged.push(one);
        contents.push((format!("team/shop/{key}"), fs::read(&file.path)?));
        fs::remove_file(&file.path)?;
    }
    contents.sort();
    let keys: Vec<&String> = contents.iter().map(|(key, _)| key).collect();
    assert_eq!(sent.into_inner(), contents.iter().map(|(_, content)| content.len() as u64).sum::<u64>());

    let (listed, pending) = listed_and_pending(&turn).await?;
    assert_eq!((listed, pending.iter().collect::<Vec<_>>()), (vec![replaced.to_owned()], keys.clone()));
    assert_eq!(turn.server()?.get_object(BUCKET, replaced)?, b"of an earlier run");
    let hidden = reader(&turn)?.head_object().bucket(BUCKET).key("team/shop/t/dt=2026-01-02/small.parquet");
    assert!(hidden.send().await.unwrap_err().into_service_error().is_not_found());

    let begin = Instant::now();
    let visible = spawnable(aws.make_visible(&destination, staged, &cancel)).await?;
    assert!(visible.window > Duration::ZERO && visible.window <= begin.elapsed());
    let (listed, pending) = listed_and_pending(&turn).await?;
    assert_eq!((listed.iter().collect::<Vec<_>>(), pending), (keys, Vec::new()));
    assert_eq!(visible.files.len(), contents.len());
    for (uploaded, (key, content)) in visible.files.iter().zip(&contents) {
        assert_eq!((format!("team/shop/{}", uploaded.key), uploaded.bytes), (key.clone(), content.len() as u64));
        assert!(turn.server()?.get_object(BUCKET, key)? == *content);
    }
    assert_eq!(turn.calls("UploadPart")?.len(), 3 + 1 + 1);
    Ok(())
}

#[tokio::test]
async fn a_file_that_has_changed_since_it_was_written_is_not_staged() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let mut file = local_file(folder.path(), "orders/a.parquet", 1_000)?;
    file.bytes += 1;
    let error = stage(&turn, &file).await?.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::LocalDisk, "{error}");
    assert!(turn.server()?.log()?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_part_that_fails_for_good_aborts_what_was_staged() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let file = local_file(folder.path(), "orders/a.parquet", 40 * MIB)?;
    // The SDK repeats what may pass, part by part, and nobody notices.
    let busy = json!({"service": "s3", "operation": "UploadPart", "mode": "reject", "status": 503, "code": "SlowDown"});
    turn.server()?.inject(&json!([busy]))?;
    let staged = stage(&turn, &file).await??;
    assert_eq!(turn.calls("UploadPart")?.len(), 4);
    turn.aws()?.abandon(&lake()?, vec![staged]).await;

    turn.server()?.inject(&json!([{"service": "s3", "operation": "UploadPart", "mode": "reject", "times": -1}]))?;
    let error = stage(&turn, &file).await?.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("cannot upload part "), "{error}");
    assert_eq!(turn.calls("AbortMultipartUpload")?.len(), 2);
    nothing_left(&turn)
}

#[tokio::test]
async fn a_cancelled_stage_ends_at_once_and_leaves_nothing() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (aws, destination, folder) = (turn.aws()?, lake()?, tempdir()?);
    for (operation, calls) in [("CreateMultipartUpload", 1), ("UploadPart", 3)] {
        let slow = json!({"service": "s3", "operation": operation, "mode": "slow", "seconds": 1.5, "times": -1});
        turn.server()?.inject(&json!([slow]))?;
        let file = local_file(folder.path(), "orders/a.parquet", 40 * MIB)?;
        let cancel = CancellationToken::new();
        let (outcome, cancelled) = tokio::join!(
            aws.stage(&destination, &file, &no_progress, &cancel),
            cancel_at_call(&turn, operation, calls, &cancel)
        );
        assert_eq!(outcome.unwrap_err().kind(), AwsErrorKind::Interrupted);
        assert!(cancelled?.elapsed() < Duration::from_secs(5));
        nothing_left(&turn)?;
    }
    Ok(())
}

async fn cancel_at_call(turn: &Turn<'_>, operation: &str, nth: usize, cancel: &CancellationToken) -> Result<Instant> {
    while turn.calls(operation)?.len() < nth {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cancel.cancel();
    Ok(Instant::now())
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost_is_recognised_as_done() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let staged = stage_small(&turn, folder.path(), 2).await?;
    // The SDK repeats the call, and S3 no longer knows the upload.
    let lost = json!({
        "service": "s3", "operation": "CompleteMultipartUpload", "key_contains": "part-00000", "mode": "done_then_error"
    });
    turn.server()?.inject(&json!([lost]))?;
    let visible = turn.aws()?.make_visible(&lake()?, staged, &CancellationToken::new()).await?;
    assert_eq!(visible.files.len(), 2);
    let mut answers: Vec<_> = turn.calls("CompleteMultipartUpload")?.iter().map(|call| call.status).collect();
    answers.sort();
    assert_eq!(answers, [Some(200), Some(404), Some(500)]);
    assert_eq!(turn.server()?.list_keys(BUCKET, "")?.len(), 2);
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_failure_keeps_the_rest_from_beginning_and_says_how_many_files_are_visible() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let staged = stage_small(&turn, folder.path(), 40).await?;
    let complete = |key: &str, mode: &str| {
        json!({
            "service": "s3", "operation": "CompleteMultipartUpload", "key_contains": key,
            "mode": mode, "seconds": 2, "times": -1
        })
    };
    // The first is refused while the others of the first 32 are still at it.
    turn.server()?.inject(&json!([complete("part-00000", "reject"), complete("", "slow")]))?;
    let error = turn.aws()?.make_visible(&lake()?, staged, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Denied, "{error}");
    let text = error.to_string();
    assert!(text.starts_with("cannot upload s3://lake/team/shop/orders/part-00000.parquet: "), "{text}");
    assert!(text.contains("; 31 of 40 staged files had become visible by then"), "{text}");
    assert_eq!(turn.server()?.list_keys(BUCKET, "")?.len(), 31);
    assert_eq!(turn.calls("CompleteMultipartUpload")?.len(), 32);
    assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn parts_that_somebody_removed_are_an_error_that_says_so() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let staged = stage_small(&turn, folder.path(), 1).await?;
    let reader = reader(&turn)?;
    let uploads = reader.list_multipart_uploads().bucket(BUCKET).send().await?;
    let [upload] = uploads.uploads() else { anyhow::bail!("one upload is pending: {uploads:?}") };
    let abort = reader.abort_multipart_upload().bucket(BUCKET);
    abort.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone()).send().await?;
    let error = turn.aws()?.make_visible(&lake()?, staged, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Temporary, "{error}");
    let text = error.to_string();
    assert!(text.contains("AbortIncompleteMultipartUpload is shorter than the run"), "{text}");
    assert!(text.ends_with("none of the 1 staged files is known to have become visible"), "{text}");
    nothing_left(&turn)
}

#[tokio::test]
async fn a_cancellation_before_the_first_file_publishes_nothing() -> Result<()> {
    let turn = SERVER.turn().await?;
    let folder = tempdir()?;
    let staged = stage_small(&turn, folder.path(), 3).await?;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = turn.aws()?.make_visible(&lake()?, staged, &cancel).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Interrupted, "{error}");
    assert_eq!(turn.calls("CompleteMultipartUpload")?.len(), 0);
    nothing_left(&turn)
}

#[tokio::test]
async fn a_cancellation_after_the_first_file_does_not_leave_half_a_table() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (aws, destination, cancel, folder) = (turn.aws()?, lake()?, CancellationToken::new(), tempdir()?);
    let staged = stage_small(&turn, folder.path(), 40).await?;
    let slow = json!({
        "service": "s3", "operation": "CompleteMultipartUpload", "mode": "slow", "seconds": 0.5, "times": -1
    });
    turn.server()?.inject(&json!([slow]))?;
    let (outcome, cancelled) = tokio::join!(
        aws.make_visible(&destination, staged, &cancel),
        cancel_at_call(&turn, "CompleteMultipartUpload", 1, &cancel)
    );
    cancelled?;
    let visible = outcome?;
    assert_eq!(visible.files.len(), 40);
    // Two rounds: 32 at once and 8 after them.
    assert!(visible.window >= Duration::from_secs(1), "{:?}", visible.window);
    assert_eq!(turn.server()?.list_keys(BUCKET, "")?.len(), 40);
    Ok(())
}

#[tokio::test]
async fn abandoning_removes_everything_and_never_takes_long() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (aws, destination, folder) = (turn.aws()?, lake()?, tempdir()?);
    let staged = stage_small(&turn, folder.path(), 40).await?;
    spawnable(aws.abandon(&destination, staged)).await;
    assert_eq!(turn.calls("AbortMultipartUpload")?.len(), 40);
    nothing_left(&turn)?;

    let staged = stage_small(&turn, folder.path(), 40).await?;
    let silent = json!({"service": "s3", "operation": "AbortMultipartUpload", "mode": "hold", "times": -1});
    turn.server()?.inject(&json!([silent]))?;
    let begin = Instant::now();
    aws.abandon(&destination, staged).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    turn.server()?.inject(&json!([]))?;
    Ok(())
}

#[tokio::test]
async fn nothing_to_publish_is_no_failure() -> Result<()> {
    let turn = SERVER.turn().await?;
    turn.aws()?.abandon(&lake()?, Vec::new()).await;
    let visible = turn.aws()?.make_visible(&lake()?, Vec::new(), &CancellationToken::new()).await?;
    assert!(visible.files.is_empty());
    assert!(turn.server()?.log()?.is_empty());
    Ok(())
}
