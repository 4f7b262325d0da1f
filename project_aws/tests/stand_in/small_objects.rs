//! Manifests and pointers: written only over what was read, whatever becomes of the answer.

use anyhow::Result;
use project_aws::{Aws, AwsError, AwsErrorKind, Created, Replaced, S3Url};
use serde_json::{Value, json};

use crate::fixture::{BUCKET, Shared, Turn, lake, spawnable};

static SERVER: Shared = Shared::new();

const KEY: &str = "team/shop/_runs/1.json";

fn manifest() -> Result<S3Url> {
    Ok(lake()?.join("_runs/1.json"))
}

async fn create(aws: &Aws, content: &[u8]) -> Result<Result<Created, AwsError>> {
    Ok(spawnable(aws.create_object(&manifest()?, content.to_vec())).await)
}

async fn replace(aws: &Aws, content: &[u8], etag: Option<&str>) -> Result<Result<Replaced, AwsError>> {
    Ok(spawnable(aws.replace_object(&manifest()?, content.to_vec(), etag)).await)
}

async fn etag(aws: &Aws) -> Result<Option<String>> {
    Ok(spawnable(aws.read_object(&manifest()?)).await?.map(|stored| stored.etag))
}

fn stored(turn: &Turn<'_>) -> Result<Option<Vec<u8>>> {
    let is_there = turn.server()?.list_keys(BUCKET, KEY)?.iter().any(|key| key == KEY);
    is_there.then(|| turn.server()?.get_object(BUCKET, KEY)).transpose()
}

fn put(mode: &str, more: Value) -> Value {
    let mut fault = json!({"service": "s3", "operation": "PutObject", "mode": mode});
    if let (Some(fault), Value::Object(more)) = (fault.as_object_mut(), more) {
        fault.extend(more);
    }
    json!([fault])
}

/// What may happen to a PutObject, and whether it must be done in the end or else what kind of error is told.
fn faults() -> Vec<(&'static str, Value, Result<(), AwsErrorKind>)> {
    let busy = json!({"status": 503, "code": "SlowDown"});
    let always_busy = json!({"status": 503, "code": "SlowDown", "times": -1});
    let conflict = json!({"status": 409, "code": "ConditionalRequestConflict"});
    let always_in_conflict = json!({"status": 409, "code": "ConditionalRequestConflict", "times": -1});
    let broken_down = json!({"status": 500, "code": "InternalError", "times": -1});
    vec![
        ("refused", put("reject", json!({"times": -1})), Err(AwsErrorKind::Denied)),
        ("done, the answer lost", put("done_then_error", json!({})), Ok(())),
        ("done, every answer lost", put("done_then_error", json!({"times": -1})), Ok(())),
        ("never done", put("reject", broken_down), Err(AwsErrorKind::Temporary)),
        ("slow", put("slow", json!({"seconds": 0.3})), Ok(())),
        ("held", put("hold", json!({"seconds": 0.3})), Ok(())),
        ("throttled", put("reject", busy), Ok(())),
        ("throttled for ever", put("reject", always_busy), Err(AwsErrorKind::Temporary)),
        ("in conflict", put("reject", conflict), Ok(())),
        ("in conflict for ever", put("reject", always_in_conflict), Err(AwsErrorKind::Temporary)),
        ("a bit flipped", put("flip", json!({})), Err(AwsErrorKind::Temporary)),
    ]
}

#[tokio::test]
async fn what_is_created_is_read_and_never_created_again_over_another() -> Result<()> {
    let turn = SERVER.turn().await?;
    let aws = turn.aws()?;
    assert_eq!(etag(&aws).await?, None);
    assert_eq!(create(&aws, b"ours").await??, Created::Done);
    let read = aws.read_object(&manifest()?).await?;
    assert_eq!(read.as_ref().map(|read| read.bytes.as_slice()), Some(b"ours".as_slice()));
    assert_eq!(create(&aws, b"theirs").await??, Created::Exists);
    assert_eq!(create(&aws, b"ours").await??, Created::Done, "the same again is our own, its answer lost");
    assert_eq!(stored(&turn)?, Some(b"ours".to_vec()));
    let facts = spawnable(aws.object_facts(&manifest()?)).await?;
    assert_eq!(facts.as_ref().map(|facts| (facts.bytes, facts.crc32.is_some())), Some((4, true)));
    assert_eq!(facts.map(|facts| facts.etag), read.map(|read| read.etag));
    assert_eq!(aws.object_facts(&manifest()?.join("below")).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_replacement_takes_the_place_of_what_was_read_and_of_nothing_else() -> Result<()> {
    let turn = SERVER.turn().await?;
    let aws = turn.aws()?;
    assert_eq!(replace(&aws, b"1", None).await??, Replaced::Done);
    assert_eq!(replace(&aws, b"2", None).await??, Replaced::Overtaken);
    let first = etag(&aws).await?;
    assert_eq!(replace(&aws, b"2", first.as_deref()).await??, Replaced::Done);
    assert_eq!(replace(&aws, b"3", first.as_deref()).await??, Replaced::Overtaken);
    assert_eq!(stored(&turn)?, Some(b"2".to_vec()));
    let second = etag(&aws).await?;
    aws.delete_objects_below(&lake()?, &["_runs/1.json".to_owned()]).await?;
    assert_eq!(replace(&aws, b"3", second.as_deref()).await??, Replaced::Overtaken, "it is gone");
    assert_eq!(stored(&turn)?, None);
    Ok(())
}

#[tokio::test]
async fn of_two_writers_at_the_same_time_one_is_overtaken() -> Result<()> {
    let turn = SERVER.turn().await?;
    let (ours, theirs) = (turn.aws()?, turn.aws()?);
    replace(&ours, b"old", None).await??;
    let seen = etag(&ours).await?;
    let (a, b) = tokio::join!(replace(&ours, b"a", seen.as_deref()), replace(&theirs, b"b", seen.as_deref()));
    let expected = match (a??, b??) {
        (Replaced::Done, Replaced::Overtaken) => b"a",
        (Replaced::Overtaken, Replaced::Done) => b"b",
        both => anyhow::bail!("one of two is done: {both:?}"),
    };
    assert_eq!(stored(&turn)?, Some(expected.to_vec()));
    Ok(())
}

#[tokio::test]
async fn a_creation_under_every_fault_is_done_or_an_error_that_leaves_nothing() -> Result<()> {
    for (name, fault, expected) in faults() {
        let turn = SERVER.turn().await?;
        turn.server()?.inject(&fault)?;
        let outcome = create(&turn.aws()?, b"ours").await?;
        match (&outcome, expected) {
            (Ok(outcome), Ok(())) => assert_eq!(*outcome, Created::Done, "{name}"),
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{name}: {error}"),
            _ => anyhow::bail!("{name}: {outcome:?} instead of {expected:?}"),
        }
        assert_eq!(stored(&turn)?, expected.ok().map(|()| b"ours".to_vec()), "{name}");
        turn.server()?.inject(&json!([]))?;
        assert_eq!(create(&turn.aws()?, b"ours").await??, Created::Done, "{name}: again");
        assert_eq!(create(&turn.aws()?, b"theirs").await??, Created::Exists, "{name}: theirs");
    }
    Ok(())
}

#[tokio::test]
async fn a_replacement_under_every_fault_is_done_or_an_error_that_leaves_the_old() -> Result<()> {
    for (name, fault, expected) in faults() {
        let turn = SERVER.turn().await?;
        let aws = turn.aws()?;
        replace(&aws, b"old", None).await??;
        let seen = etag(&aws).await?;
        turn.server()?.inject(&fault)?;
        let outcome = replace(&aws, b"new", seen.as_deref()).await?;
        match (&outcome, expected) {
            (Ok(outcome), Ok(())) => assert_eq!(*outcome, Replaced::Done, "{name}"),
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{name}: {error}"),
            _ => anyhow::bail!("{name}: {outcome:?} instead of {expected:?}"),
        }
        let left = if expected.is_ok() { b"new" } else { b"old" };
        assert_eq!(stored(&turn)?, Some(left.to_vec()), "{name}");
        turn.server()?.inject(&json!([]))?;
        assert_eq!(replace(&aws, b"new", seen.as_deref()).await??, Replaced::Done, "{name}: again");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_is_overtaken_learns_it_although_every_answer_is_lost() -> Result<()> {
    let turn = SERVER.turn().await?;
    let aws = turn.aws()?;
    replace(&aws, b"old", None).await??;
    let seen = etag(&aws).await?;
    replace(&aws, b"theirs", seen.as_deref()).await??;
    turn.server()?.inject(&put("done_then_error", json!({"times": -1})))?;
    assert_eq!(replace(&aws, b"ours", seen.as_deref()).await??, Replaced::Overtaken);
    assert_eq!(create(&aws, b"ours").await??, Created::Exists);
    assert_eq!(stored(&turn)?, Some(b"theirs".to_vec()));
    Ok(())
}

#[tokio::test]
async fn a_store_that_refuses_conditions_is_asked_before_every_write() -> Result<()> {
    let turn = SERVER.turn().await?;
    let unknown = json!({"conditional": true, "status": 501, "code": "NotImplemented", "times": -1});
    turn.server()?.inject(&put("reject", unknown))?;
    let aws = turn.aws()?;
    assert_eq!(create(&aws, b"1").await??, Created::Done);
    assert_eq!(create(&aws, b"2").await??, Created::Exists);
    assert_eq!(stored(&turn)?, Some(b"1".to_vec()));
    let first = etag(&aws).await?;
    assert_eq!(replace(&aws, b"2", first.as_deref()).await??, Replaced::Done);
    assert_eq!(replace(&aws, b"3", first.as_deref()).await??, Replaced::Overtaken);
    assert_eq!(stored(&turn)?, Some(b"2".to_vec()));
    let refused = turn.calls("PutObject")?.iter().filter(|call| call.status == Some(501)).count();
    assert_eq!(refused, 1, "what is known is not tried again");
    assert!(!aws.has_conditional_writes(&lake()?.join("_runs/probe")).await?);
    Ok(())
}

#[tokio::test]
async fn a_store_that_ignores_conditions_is_found_out_and_the_probe_leaves_nothing() -> Result<()> {
    let turn = SERVER.turn().await?;
    let probe = lake()?.join("_runs/probe");
    let aws = turn.aws()?;
    assert!(spawnable(aws.has_conditional_writes(&probe)).await?);
    turn.server()?.inject(&put("unconditional", json!({"times": -1})))?;
    assert!(!aws.has_conditional_writes(&probe).await?);
    assert!(turn.server()?.list_keys(BUCKET, "")?.is_empty());
    assert_eq!(create(&aws, b"1").await??, Created::Done);
    assert_eq!(create(&aws, b"2").await??, Created::Exists);
    assert_eq!(stored(&turn)?, Some(b"1".to_vec()));
    Ok(())
}

#[tokio::test]
async fn what_is_read_is_what_was_stored_or_an_error() -> Result<()> {
    let turn = SERVER.turn().await?;
    let aws = turn.aws()?;
    create(&aws, b"ours").await??;
    let get = |mode: &str, times: i32, status: u16, code: &str| json!([{"service": "s3", "operation": "GetObject", "mode": mode, "times": times, "status": status, "code": code}]);
    for (fault, expected) in [
        (get("flip", 1, 0, ""), Ok(())),
        (get("flip", -1, 0, ""), Err(AwsErrorKind::Data)),
        (get("slow", 1, 0, ""), Ok(())),
        (get("reject", 1, 503, "SlowDown"), Ok(())),
        (get("reject", -1, 503, "SlowDown"), Err(AwsErrorKind::Temporary)),
        (get("reject", -1, 403, "AccessDenied"), Err(AwsErrorKind::Denied)),
        (get("reject", -1, 404, "NoSuchBucket"), Err(AwsErrorKind::Configuration)),
    ] {
        turn.server()?.inject(&fault)?;
        match (aws.read_object(&manifest()?).await, expected) {
            (Ok(read), Ok(())) => assert_eq!(read.map(|read| read.bytes), Some(b"ours".to_vec()), "{fault}"),
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{fault}: {error}"),
            (outcome, _) => anyhow::bail!("{fault}: {outcome:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_huge_object_is_not_read_into_memory() -> Result<()> {
    let turn = SERVER.turn().await?;
    turn.server()?.put_object(BUCKET, KEY, &vec![0; (64 << 20) + 1])?;
    let error = turn.aws()?.read_object(&manifest()?).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Configuration);
    assert!(error.to_string().contains("larger than 64 MiB"), "{error}");
    assert_eq!(turn.calls("GetObject")?.len(), 1);
    Ok(())
}
