//! Files and copies at keys that must not exist: nothing is ever overwritten, whatever becomes of the answer.

use std::fs;

use anyhow::Result;
use project_aws::{Aws, AwsError, AwsErrorKind, LocalFile, Uploaded};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::fixture::{BUCKET, Shared, Turn, lake, local_file, no_progress, spawnable};

const MIB: usize = 1 << 20;
const KEY: &str = "run=1/orders/a.parquet";

static SERVER: Shared = Shared::new();

async fn upload(aws: &Aws, file: &LocalFile) -> Result<Result<Uploaded, AwsError>> {
    let (destination, cancel) = (lake()?, CancellationToken::new());
    Ok(spawnable(aws.upload_new(&destination, file, &no_progress, &cancel)).await)
}

fn fault(operation: &str, mode: &str, times: i32, (status, code): (u16, &str)) -> Value {
    json!([{"service": "s3", "operation": operation, "mode": mode, "times": times, "status": status, "code": code, "seconds": 0.3}])
}

fn stored(turn: &Turn<'_>) -> Result<Option<Vec<u8>>> {
    let key = format!("team/shop/{KEY}");
    let is_there = turn.server()?.list_keys(BUCKET, "")?.contains(&key);
    is_there.then(|| turn.server()?.get_object(BUCKET, &key)).transpose()
}

const ERROR: (u16, &str) = (500, "InternalError");
const BUSY: (u16, &str) = (503, "SlowDown");
const CONFLICT: (u16, &str) = (409, "ConditionalRequestConflict");

type Fault = (&'static str, i32, (u16, &'static str), Result<(), AwsErrorKind>);

/// What may happen to the request that makes a file visible: first what differs for a file that went up in parts.
const FAULTS: [Fault; 10] = [
    ("done_then_error", 1, ERROR, Ok(())),
    ("done_then_error", -1, ERROR, Ok(())),
    ("reject", 1, CONFLICT, Ok(())),
    ("reject", -1, CONFLICT, Err(AwsErrorKind::Temporary)),
    ("reject", -1, (403, "AccessDenied"), Err(AwsErrorKind::Denied)),
    ("reject", -1, ERROR, Err(AwsErrorKind::Temporary)),
    ("slow", 1, ERROR, Ok(())),
    ("hold", 1, ERROR, Ok(())),
    ("reject", 1, BUSY, Ok(())),
    ("reject", -1, BUSY, Err(AwsErrorKind::Temporary)),
];

#[tokio::test]
async fn under_every_fault_a_file_is_there_whole_or_not_at_all_and_no_parts_are_left() -> Result<()> {
    let folder = tempdir()?;
    for (operation, bytes, faults) in
        [("PutObject", 1_000, &FAULTS[..]), ("CompleteMultipartUpload", 33 * MIB, &FAULTS[..4])]
    {
        let file = local_file(folder.path(), KEY, bytes)?;
        for &(mode, times, answer, expected) in faults {
            let name = format!("{operation} {mode} {times} {answer:?}");
            let turn = SERVER.turn().await?;
            turn.server()?.inject(&fault(operation, mode, times, answer))?;
            let aws = turn.aws()?;
            match (upload(&aws, &file).await?, expected) {
                (Ok(uploaded), Ok(())) => assert_eq!(uploaded.bytes, bytes as u64, "{name}"),
                (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{name}: {error}"),
                (outcome, _) => anyhow::bail!("{name}: {outcome:?}"),
            }
            assert!(stored(&turn)? == expected.ok().map(|()| fs::read(&file.path)).transpose()?, "{name}");
            assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty(), "{name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_flipped_bit_is_refused_and_leaves_nothing() -> Result<()> {
    let folder = tempdir()?;
    for (operation, bytes) in [("PutObject", 1_000), ("UploadPart", 33 * MIB)] {
        let turn = SERVER.turn().await?;
        turn.server()?.inject(&fault(operation, "flip", 1, ERROR))?;
        let file = local_file(folder.path(), KEY, bytes)?;
        let error = upload(&turn.aws()?, &file).await?.unwrap_err();
        assert_eq!(error.kind(), AwsErrorKind::Temporary, "{error}");
        assert!(error.to_string().contains("BadDigest"), "{error}");
        assert_eq!(stored(&turn)?, None);
        assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn another_file_at_the_key_stays_and_is_named() -> Result<()> {
    let folder = tempdir()?;
    for (conditions, bytes) in [(true, 1_000), (true, 33 * MIB), (false, 1_000), (false, 33 * MIB)] {
        let turn = SERVER.turn().await?;
        if !conditions {
            let none = |operation: &str| {
                json!({
                    "service": "s3", "operation": operation, "mode": "reject", "conditional": true,
                    "status": 501, "code": "NotImplemented", "times": -1
                })
            };
            turn.server()?.inject(&json!([none("PutObject"), none("CompleteMultipartUpload")]))?;
        }
        let file = local_file(folder.path(), KEY, bytes)?;
        let theirs = vec![7; bytes];
        turn.server()?.put_object(BUCKET, &format!("team/shop/{KEY}"), &theirs)?;
        let error = upload(&turn.aws()?, &file).await?.unwrap_err();
        assert_eq!(error.kind(), AwsErrorKind::Data, "{error}");
        let text = "s3://lake/team/shop/run=1/orders/a.parquet exists already and was not overwritten";
        assert!(error.to_string().starts_with(text), "{error}");
        assert!(stored(&turn)? == Some(theirs));
        assert!(turn.server()?.list_pending_uploads(BUCKET)?.is_empty());
        turn.aws()?.delete_objects_below(&lake()?, &[KEY.to_owned()]).await?;
        upload(&turn.aws()?, &file).await??;
        assert!(stored(&turn)? == Some(fs::read(&file.path)?));
    }
    Ok(())
}
