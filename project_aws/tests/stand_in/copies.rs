//! Copies inside the store: the same bytes at a key that must not exist, or an error.

use anyhow::Result;
use project_aws::{Aws, AwsError, AwsErrorKind, ObjectFacts, S3Url};
use serde_json::{Value, json};

use crate::fixture::{BUCKET, Shared, Turn, lake, spawnable};

static SERVER: Shared = Shared::new();

const FROM: &str = "run=1/events/dt=2026-01-01/a b+ü.parquet";
const TO: &str = "run=2/events/dt=2026-01-01/a b+ü.parquet";

/// The stand-in with the source in it, and what the manifest of its run says of it.
async fn with_source<'a>(turn: &Turn<'a>) -> Result<(Aws, ObjectFacts)> {
    let (aws, source) = (turn.aws()?, lake()?.join(FROM));
    aws.create_object(&source, b"rows of an earlier run".to_vec()).await?;
    let facts = aws.object_facts(&source).await?;
    Ok((aws, facts.unwrap()))
}

async fn copy(aws: &Aws, to: &S3Url, expected: &ObjectFacts) -> Result<Result<ObjectFacts, AwsError>> {
    let (from, crc32) = (lake()?.join(FROM), expected.crc32.clone().unwrap_or_default());
    Ok(spawnable(aws.copy_object(&from, to, expected.bytes, &crc32)).await)
}

fn stored(turn: &Turn<'_>) -> Result<Option<Vec<u8>>> {
    let key = format!("team/shop/{TO}");
    let is_there = turn.server()?.list_keys(BUCKET, "")?.contains(&key);
    is_there.then(|| turn.server()?.get_object(BUCKET, &key)).transpose()
}

fn fault(mode: &str, times: i32, status: u16, code: &str) -> Value {
    json!([{
        "service": "s3", "operation": "CopyObject", "mode": mode, "times": times,
        "status": status, "code": code, "seconds": 0.3
    }])
}

#[tokio::test]
async fn a_copy_has_the_bytes_and_the_checksum_and_can_be_repeated() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (aws, expected) = with_source(&turn).await?;
    let to = lake()?.join(TO);
    for _ in 0..2 {
        let copied = copy(&aws, &to, &expected).await??;
        assert_eq!((copied.bytes, &copied.crc32), (expected.bytes, &expected.crc32));
        assert_eq!(stored(&turn)?, Some(b"rows of an earlier run".to_vec()));
    }
    Ok(())
}

#[tokio::test]
async fn under_every_fault_a_copy_is_right_or_an_error() -> Result<()> {
    for (mode, times, status, code, expected) in [
        ("reject", -1, 403, "AccessDenied", Err(AwsErrorKind::Denied)),
        ("reject", -1, 500, "InternalError", Err(AwsErrorKind::Temporary)),
        ("done_then_error", 1, 500, "InternalError", Ok(())),
        ("done_then_error", -1, 500, "InternalError", Ok(())),
        ("done_then_error", 1, 200, "InternalError", Ok(())),
        ("slow", 1, 0, "", Ok(())),
        ("hold", 1, 0, "", Ok(())),
        ("reject", 1, 503, "SlowDown", Ok(())),
        ("reject", -1, 503, "SlowDown", Err(AwsErrorKind::Temporary)),
        ("reject", 1, 409, "ConditionalRequestConflict", Ok(())),
        ("reject", -1, 409, "ConditionalRequestConflict", Err(AwsErrorKind::Temporary)),
    ] {
        let name = format!("{mode} {times} {status}");
        let turn = SERVER.turn().await?;
        let (aws, facts) = with_source(&turn).await?;
        turn.server()?.inject(&fault(mode, times, status, code))?;
        match (copy(&aws, &lake()?.join(TO), &facts).await?, expected) {
            (Ok(copied), Ok(())) => assert_eq!(copied.crc32, facts.crc32, "{name}"),
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{name}: {error}"),
            (outcome, _) => anyhow::bail!("{name}: {outcome:?}"),
        }
        assert_eq!(stored(&turn)?.is_some(), expected.is_ok(), "{name}");
        turn.server()?.inject(&json!([]))?;
        copy(&aws, &lake()?.join(TO), &facts).await??;
    }
    Ok(())
}

#[tokio::test]
async fn a_damaged_copy_another_file_and_a_missing_source_are_told() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (aws, facts) = with_source(&turn).await?;
    turn.server()?.inject(&fault("flip", 1, 0, ""))?;
    let error = copy(&aws, &lake()?.join(TO), &facts).await?.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Data, "{error}");
    assert!(error.to_string().contains("the CRC-32 of the copy is "), "{error}");

    let other = lake()?.join("run=2/other.parquet");
    aws.create_object(&other, b"something else".to_vec()).await?;
    let error = copy(&aws, &other, &facts).await?.unwrap_err();
    assert!(error.to_string().contains("the copy has 14 bytes instead of 22"), "{error}");
    assert_eq!(turn.server()?.get_object(BUCKET, "team/shop/run=2/other.parquet")?, b"something else");

    aws.delete_objects_below(&lake()?, &[FROM.to_owned()]).await?;
    let error = copy(&aws, &lake()?.join("run=3/a.parquet"), &facts).await?.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Data, "{error}");
    assert!(error.to_string().contains("the file is gone"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_store_without_conditions_copies_over_nothing_either() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (aws, facts) = with_source(&turn).await?;
    let mut unknown = fault("reject", -1, 501, "NotImplemented");
    unknown[0]["conditional"] = json!(true);
    turn.server()?.inject(&unknown)?;
    let to = lake()?.join(TO);
    turn.server()?.put_object(BUCKET, to.prefix(), b"theirs")?;
    assert_eq!(copy(&aws, &to, &facts).await?.unwrap_err().kind(), AwsErrorKind::Data);
    assert_eq!(stored(&turn)?, Some(b"theirs".to_vec()));
    aws.delete_objects_below(&lake()?, &[TO.to_owned()]).await?;
    copy(&aws, &to, &facts).await??;
    assert_eq!(stored(&turn)?, Some(b"rows of an earlier run".to_vec()));
    Ok(())
}
