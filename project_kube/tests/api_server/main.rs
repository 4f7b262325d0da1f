//! The cases against a real API server, with the rights that the chart gives. `make kube-test` runs it. With
//! KUBE_RECORD=1 what was said is kept for the tests that have no server.

#[path = "../cases/mod.rs"]
mod cases;
mod cluster;

use anyhow::Result;
use cases::{CASES, RUN, UNKNOWN_TOKEN};
use cluster::Cluster;
use project_test_servers::kube_recording::write;

#[tokio::test(flavor = "multi_thread")]
async fn every_case_comes_out_as_it_should() -> Result<()> {
    let cluster = Cluster::start().await?;
    for case in CASES.iter().chain([&UNKNOWN_TOKEN]) {
        let (outcome, exchanges) = cluster.play(case).await?;
        case.judge(&outcome)?;
        assert_eq!(
            cluster.jobs_left().await?,
            u32::from(outcome.is_ok_and(|outcome| outcome.log.is_some())),
            "{}",
            case.name
        );
        cluster.clear().await?;
        if std::env::var_os("KUBE_RECORD").is_some() {
            write(&case.recording(), &exchanges, RUN)?;
        }
    }
    Ok(())
}
