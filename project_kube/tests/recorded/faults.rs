//! What can happen on the way: an overloaded server, answers that get lost, connections that break, rights that are taken.

use std::time::{Duration, Instant};

use anyhow::Result;
use project_kube::{JobEnd, KubeError};
use project_test_servers::kube_recording::Exchange;
use project_test_servers::kube_stand_in::Step;
use serde_json::json;

use crate::replay::{answered, play, recorded};

/// The same request, answered in another way.
fn refused(exchange: &Exchange, status: u16, reason: &str) -> Step {
    let answer = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status,
        "message": format!("the server says {reason}")});
    Step::Answered(Exchange { status, answer, by_hand: true, ..exchange.clone() })
}

/// Where the Job is created in earnest.
fn creation(exchanges: &[Exchange]) -> usize {
    let is_creation = |e: &&Exchange| e.request.starts_with("POST ") && !e.request.contains("dryRun");
    exchanges.iter().take_while(|e| !is_creation(e)).count()
}

#[tokio::test]
async fn an_overloaded_or_broken_server_is_asked_again() -> Result<()> {
    let (case, exchanges) = recorded("success_of_a_template")?;
    let (rehearsal, create, poll) = (0, creation(&exchanges), creation(&exchanges) + 1);
    let mut steps = answered(exchanges.clone());
    steps.splice(
        poll..poll,
        [refused(&exchanges[poll], 503, "ServiceUnavailable"), Step::Lost(exchanges[poll].clone())],
    );
    steps.splice(create..create, [refused(&exchanges[create], 500, "InternalError")]);
    steps.splice(
        rehearsal..rehearsal,
        [refused(&exchanges[0], 429, "TooManyRequests"), refused(&exchanges[0], 504, "Timeout")],
    );
    case.judge(&play(&case, steps).await?)?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_stays_overloaded_is_left_after_some_requests() -> Result<()> {
    let (case, exchanges) = recorded("success_of_a_template")?;
    let steps = vec![refused(&exchanges[0], 429, "TooManyRequests"); 4];
    let error = play(&case, steps).await?.unwrap_err();
    assert!(matches!(error, KubeError::Temporary(_)), "{error:?}");
    assert!(error.to_string().contains("the server says TooManyRequests (429)"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_job_whose_creation_was_not_heard_of_is_created_once() -> Result<()> {
    let (case, exchanges) = recorded("success_of_a_template")?;
    let create = creation(&exchanges);
    let found = Exchange { sent: json!(null), status: 200, ..exchanges[create].clone() };
    let found = Exchange { request: exchanges[create + 1].request.clone(), ..found };
    let mut steps = answered(exchanges.clone());
    let lost = Step::Lost(exchanges[create].clone());
    steps.splice(create..=create, [lost, refused(&exchanges[create], 409, "AlreadyExists"), Step::Answered(found)]);
    case.judge(&play(&case, steps).await?)?;
    Ok(())
}

#[tokio::test]
async fn the_job_of_another_with_our_name_stays_his() -> Result<()> {
    let (case, exchanges) = recorded("success_of_a_template")?;
    let create = creation(&exchanges);
    let mut answer = exchanges[create].answer.clone();
    answer["metadata"]["annotations"]["project/run-id"] = "another".into();
    let request = exchanges[create + 1].request.clone();
    let other = Exchange { request, sent: json!(null), status: 200, answer, by_hand: true };
    let mut steps = answered(exchanges[..create].to_vec());
    steps.extend([refused(&exchanges[create], 409, "AlreadyExists"), Step::Answered(other)]);
    let error = play(&case, steps).await?.unwrap_err();
    assert!(matches!(&error, KubeError::Temporary(said) if said.contains("AlreadyExists")), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_job_that_is_another_by_now_was_deleted() -> Result<()> {
    let (case, exchanges) = recorded("success_of_a_template")?;
    let poll = creation(&exchanges) + 1;
    let mut steps = answered(exchanges[..=poll].to_vec());
    if let Step::Answered(exchange) = &mut steps[poll] {
        exchange.answer["metadata"]["uid"] = "another".into();
    }
    assert_eq!(play(&case, steps).await?.unwrap().end, JobEnd::Deleted);
    Ok(())
}

#[tokio::test]
async fn a_silent_server_does_not_stop_the_clock() -> Result<()> {
    let (case, exchanges) = recorded("deadline")?;
    let poll = creation(&exchanges) + 1;
    let last = exchanges.iter().rposition(|e| e.request == exchanges[poll].request).unwrap();
    let mut steps = answered(exchanges[..poll].to_vec());
    steps.push(Step::Silent(exchanges[poll].clone()));
    // The pods were asked for once more after that poll.
    steps.extend(answered(exchanges[last + 2..].to_vec()));
    let start = Instant::now();
    case.judge(&play(&case, steps).await?)?;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_right_that_is_taken_while_we_wait_ends_the_waiting() -> Result<()> {
    let (case, exchanges) = recorded("success_of_a_template")?;
    let poll = creation(&exchanges) + 1;
    let mut steps = answered(exchanges[..poll].to_vec());
    steps.push(refused(&exchanges[poll], 403, "Forbidden"));
    let error = play(&case, steps).await?.unwrap_err();
    assert!(matches!(&error, KubeError::Denied(said) if said.contains("goes on")), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_log_that_may_not_be_read_is_a_note() -> Result<()> {
    let (case, mut exchanges) = recorded("success_of_a_template")?;
    let log = exchanges.pop().unwrap();
    assert!(log.request.contains("/log?"), "{log:?}");
    let mut steps = answered(exchanges);
    steps.push(refused(&log, 403, "Forbidden"));
    let outcome = play(&case, steps).await?.unwrap();
    assert_eq!((&outcome.end, &outcome.log), (&JobEnd::Succeeded, &None));
    assert!(
        outcome.notes[0].contains("cannot read the log of the pod refresh-20260102t030405678z-abcd-"),
        "{outcome:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_job_that_ran_into_its_own_deadline_was_not_done_in_time() -> Result<()> {
    let (case, mut exchanges) = recorded("failure_with_an_exit_code")?;
    let failed = exchanges.iter_mut().rev().find(|e| e.answer["kind"] == "Job").unwrap();
    for condition in failed.answer["status"]["conditions"].as_array_mut().unwrap() {
        condition["reason"] = "DeadlineExceeded".into();
    }
    let (uid, job) = (failed.answer["metadata"]["uid"].clone(), failed.request.replace("GET ", "DELETE "));
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        "preconditions": {"uid": uid}});
    let gone = Exchange { request: job, sent: options, status: 404, answer: json!({}), by_hand: true };
    let mut steps = answered(exchanges);
    steps.push(Step::Answered(gone));
    let outcome = play(&case, steps).await?.unwrap();
    assert!(matches!(outcome.end, JobEnd::TimedOut { .. }), "{outcome:?}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_creates_removes_what_was_created() -> Result<()> {
    let (case, exchanges) = recorded("stopped")?;
    let create = creation(&exchanges);
    let deletion = exchanges.last().unwrap().clone();
    assert!(deletion.request.starts_with("DELETE "), "{deletion:?}");
    let mut steps = answered(exchanges[..create].to_vec());
    // Stopped after a second; the answer comes after the third request.
    let late = refused(&exchanges[create], 503, "ServiceUnavailable");
    steps.extend([late.clone(), late, Step::Answered(exchanges[create].clone()), Step::Answered(deletion)]);
    let error = play(&case, steps).await?.unwrap_err();
    assert_eq!(error, KubeError::Stopped("--then: stopped while the Job was being created".to_owned()));
    Ok(())
}
