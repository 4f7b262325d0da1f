//! Files that hold no Job, or more than one. None of them gets as far as the server.

use std::time::Duration;

use anyhow::{Result, bail};
use project_kube::{FollowUp, JobSource, KubeError, prepare};

/// What is said of a file with this name and these bytes.
async fn said_of(name: &str, bytes: &[u8]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(name);
    std::fs::write(&file, bytes)?;
    said_of_source(JobSource::Template(file)).await
}

async fn said_of_source(source: JobSource) -> Result<String> {
    let kubeconfig = Some("/nowhere/kubeconfig".into());
    let follow_up = FollowUp { source, timeout: Duration::from_secs(60), kubeconfig, log_lines: 20 };
    match prepare(&follow_up, "run").await {
        Err(KubeError::Configuration(said)) => Ok(said),
        other => bail!("{other:?}"),
    }
}

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: canary}\nspec: {}\n";

#[tokio::test]
async fn what_is_no_job_is_named_and_not_repeated() -> Result<()> {
    let laughs = (1..30).fold("a0: &a0 [canary]\n".to_owned(), |all, n| {
        let last = format!("*a{}, ", n - 1);
        format!("{all}a{n}: &a{n} [{}]\n", last.repeat(9))
    });
    let deep = "[".repeat(100_000);
    let long = "# ".repeat(1_000_000);
    let binary = [&b"kind: \xff"[..], b"\xfe"].concat();
    let several = format!("{JOB}---\n{JOB}");
    for (name, bytes, word) in [
        ("job.yaml", "canary: [".as_bytes(), "is not YAML that can be read: see line 1"),
        ("job.yaml", laughs.as_bytes(), "is not YAML that can be read"),
        ("job.yaml", deep.as_bytes(), "is not YAML that can be read"),
        ("job.yaml", &binary, "is not UTF-8, from byte 6 on"),
        ("job.yaml", long.as_bytes(), "is longer than"),
        ("job.yaml", b"", "holds 0 documents"),
        ("job.yaml", several.as_bytes(), "holds 2 documents"),
        ("job.yaml", b"- canary", "has kind \"\""),
        ("job.json", b"{\"kind\": \"canary", "is not JSON: see line 1"),
        ("job.yaml", JOB.replace("kind: Job", "kind: Pod").as_bytes(), "has kind \"Pod\" and apiVersion \"batch/v1\""),
        ("job.yaml", JOB.replace("kind: Job", "kind: CronJob").as_bytes(), "give its name, as in --then="),
        ("job.yaml", JOB.replace("batch/v1", "batch/v1beta1").as_bytes(), "apiVersion \"batch/v1beta1\""),
        ("job.yaml", JOB.replace("{name: canary}", "{}").as_bytes(), "has no metadata.name"),
        ("job.yaml", JOB.replace("spec: {}", "").as_bytes(), "has no spec"),
        ("job.yaml", JOB.replace("spec: {}", "spec: {suspend: true}").as_bytes(), "says suspend: true"),
        ("job.yaml", JOB.replace("{name: canary}", "{name: a, labels: canary}").as_bytes(), "metadata.labels"),
        // This one is a Job.
        ("job.yaml", JOB.as_bytes(), "no credentials for Kubernetes"),
        (
            "job.json",
            br#"{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "a-"}, "spec": {}}"#,
            "no credentials",
        ),
    ] {
        let said = said_of(name, bytes).await?;
        assert!(said.contains(word) && !said.contains("canary"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_file_and_no_name_is_a_mistake() -> Result<()> {
    for (source, word) in [
        (JobSource::Template("/nowhere/job.yaml".into()), "/nowhere/job.yaml cannot be read"),
        (JobSource::Template("/tmp".into()), "/tmp is no file"),
        (JobSource::CronJob("Re fresh".to_owned()), "is no CronJob's name"),
        (JobSource::CronJob("..".to_owned()), "is no CronJob's name"),
        (JobSource::CronJob(String::new()), "is no CronJob's name"),
    ] {
        let said = said_of_source(source).await?;
        assert!(said.contains(word), "{said}");
    }
    Ok(())
}
