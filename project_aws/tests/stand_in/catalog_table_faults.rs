//! Tables that are published without a crawler: whatever becomes of a request, the table is ours or as it was.

use anyhow::Result;
use project_aws::{AwsErrorKind, Created, Switched};
use serde_json::json;

use crate::catalog_tables::{create, fault, run, uncut, update, version, with_database};
use crate::fixture::Shared;

static SERVER: Shared = Shared::new();

const DOWN: (u16, &str) = (500, "InternalServiceException");
const BUSY: (u16, &str) = (400, "ThrottlingException");
const IN_CONFLICT: (u16, &str) = (400, "ConcurrentModificationException");

type Fault = (&'static str, i32, (u16, &'static str), Result<(), AwsErrorKind>);

/// What may happen to a request, and whether it must be done in the end or else what kind of error is told.
const FAULTS: [Fault; 9] = [
    ("reject", -1, (400, "AccessDeniedException"), Err(AwsErrorKind::Denied)),
    ("reject", -1, DOWN, Err(AwsErrorKind::Temporary)),
    ("done_then_error", 1, DOWN, Ok(())),
    ("done_then_error", -1, DOWN, Ok(())),
    ("done_then_error", 1, (400, "OperationTimeoutException"), Ok(())),
    ("slow", 1, DOWN, Ok(())),
    ("hold", 1, DOWN, Ok(())),
    ("reject", 1, BUSY, Ok(())),
    ("reject", -1, BUSY, Err(AwsErrorKind::Temporary)),
];

#[tokio::test]
async fn under_every_fault_a_creation_is_done_or_an_error_that_leaves_nothing() -> Result<()> {
    for (mode, times, answer, expected) in FAULTS {
        let name = format!("{mode} {times} {answer:?}");
        let turn = with_database(&SERVER).await?;
        let aws = turn.aws()?;
        turn.server()?.inject(&fault("CreateTable", mode, times, answer))?;
        match (create(&aws, &uncut(1)?).await, expected) {
            (Ok(created), Ok(())) => assert_eq!(created, Created::Done, "{name}"),
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{name}: {error}"),
            (outcome, _) => anyhow::bail!("{name}: {outcome:?}"),
        }
        assert_eq!(run(&aws).await?.is_some(), expected.is_ok(), "{name}");
        turn.server()?.inject(&json!([]))?;
        assert_eq!(create(&aws, &uncut(1)?).await?, Created::Done, "{name}: again");
    }
    Ok(())
}

#[tokio::test]
async fn under_every_fault_a_switch_is_done_or_an_error_that_leaves_the_old() -> Result<()> {
    let conflicts = [("reject", 1, IN_CONFLICT, Ok(())), ("reject", -1, IN_CONFLICT, Err(AwsErrorKind::Temporary))];
    for (mode, times, answer, expected) in FAULTS.into_iter().chain(conflicts) {
        let name = format!("{mode} {times} {answer:?}");
        let turn = with_database(&SERVER).await?;
        let aws = turn.aws()?;
        create(&aws, &uncut(1)?).await?;
        let seen = version(&aws).await?;
        turn.server()?.inject(&fault("UpdateTable", mode, times, answer))?;
        match (update(&aws, &uncut(2)?, &seen).await, expected) {
            (Ok(switched), Ok(())) => assert_eq!(switched, Switched::Done, "{name}"),
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{name}: {error}"),
            (outcome, _) => anyhow::bail!("{name}: {outcome:?}"),
        }
        assert_eq!(run(&aws).await?.as_deref(), Some(if expected.is_ok() { "2" } else { "1" }), "{name}");
        turn.server()?.inject(&json!([]))?;
        assert_eq!(update(&aws, &uncut(2)?, &seen).await?, Switched::Done, "{name}: again");
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_of_the_repetition_does_not_hide_that_the_first_request_was_done() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    let aws = turn.aws()?;
    let lost_then_busy = |operation: &str| {
        let lost = fault(operation, "done_then_error", 1, DOWN)[0].take();
        let busy = fault(operation, "reject", -1, BUSY)[0].take();
        json!([lost, busy])
    };
    turn.server()?.inject(&lost_then_busy("CreateTable"))?;
    assert_eq!(create(&aws, &uncut(1)?).await?, Created::Done);
    turn.server()?.inject(&lost_then_busy("UpdateTable"))?;
    assert_eq!(update(&aws, &uncut(2)?, &version(&aws).await?).await?, Switched::Done);
    assert_eq!(run(&aws).await?.as_deref(), Some("2"));
    Ok(())
}

#[tokio::test]
async fn an_answer_that_never_comes_is_looked_into_after_the_deadline() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    let aws = turn.aws()?;
    create(&aws, &uncut(1)?).await?;
    let seen = version(&aws).await?;
    let held = json!([{"service": "glue", "operation": "UpdateTable", "mode": "hold", "seconds": 60}]);
    turn.server()?.inject(&held)?;
    assert_eq!(update(&aws, &uncut(2)?, &seen).await?, Switched::Done);
    assert_eq!(turn.calls("UpdateTable")?.len(), 2, "the second was refused: the first had been done");
    turn.server()?.inject(&json!([]))?;
    Ok(())
}
