//! Every case, from its recording. A request that differs from the recorded one fails the test.

use anyhow::{Context, Result};
use project_kube::{JobOutcome, KubeError};
use project_test_servers::kube_recording::{Exchange, read};
use project_test_servers::kube_stand_in::{KubeStandIn, Step, TOKEN};
use project_test_servers::kubeconfig;

use crate::cases::{CASES, Case, UNKNOWN_TOKEN};

/// What was recorded of the case with this name, and the case.
pub(crate) fn recorded(name: &str) -> Result<(Case, Vec<Exchange>)> {
    let case = CASES.into_iter().chain([UNKNOWN_TOKEN]).find(|case| case.name == name);
    let case = case.context("no such case")?;
    Ok((case, read(&case.recording())?))
}

/// As it was.
pub(crate) fn answered(exchanges: Vec<Exchange>) -> Vec<Step> {
    exchanges.into_iter().map(Step::Answered).collect()
}

/// Plays the case against these steps, all of which have to be taken.
pub(crate) async fn play(case: &Case, steps: Vec<Step>) -> Result<Result<JobOutcome, KubeError>> {
    let folder = tempfile::tempdir()?;
    let server = KubeStandIn::start(steps, None)?;
    let outcome = case.play(kubeconfig::write(folder.path(), &server.url(), None, TOKEN, "shop")?).await;
    server.finish()?;
    Ok(outcome)
}

#[tokio::test]
async fn every_recorded_case_comes_out_as_it_did() -> Result<()> {
    let playing = CASES.into_iter().chain([UNKNOWN_TOKEN]).map(|case| {
        tokio::spawn(async move {
            let (case, exchanges) = recorded(case.name)?;
            case.judge(&play(&case, answered(exchanges)).await?)?;
            anyhow::Ok(())
        })
    });
    for case in playing.collect::<Vec<_>>() {
        case.await??;
    }
    Ok(())
}

#[tokio::test]
async fn another_request_than_the_recorded_one_is_noticed() -> Result<()> {
    let (case, mut exchanges) = recorded("success_of_a_template")?;
    exchanges[0].sent["spec"]["activeDeadlineSeconds"] = 601.into();
    let difference = play(&case, answered(exchanges)).await.unwrap_err().to_string();
    assert!(difference.contains("activeDeadlineSeconds"), "{difference}");
    Ok(())
}
