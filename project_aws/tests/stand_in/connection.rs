//! The way to AWS: no server, no credentials, no region.

use std::env;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use aws_config::web_identity_token;
use aws_sdk_s3::config::SharedCredentialsProvider;
use project_aws::{Aws, AwsErrorKind, AwsSettings};
use tokio::net::TcpListener;

use crate::fixture::{config, lake};

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() -> Result<()> {
    let unused = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let aws = Aws::from_config(&config(&format!("http://{unused}")), true);
    let error = aws.check_bucket(&lake()?).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("bucket lake"), "{error}");
    let aws = Aws::from_config(&config("http://no-such-host.invalid"), true);
    let error = aws.check_bucket(&lake()?).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Unreachable, "{error}");
    Ok(())
}

/// As in a pod whose role is configured but whose token is not mounted.
#[tokio::test]
async fn credentials_that_cannot_be_loaded_are_denied_and_say_how_to_give_them() -> Result<()> {
    let missing_token = web_identity_token::StaticConfiguration {
        web_identity_token_file: "/no/such/token".into(),
        role_arn: "arn:aws:iam::123456789012:role/lake".to_owned(),
        session_name: "test".to_owned(),
    };
    let provider = web_identity_token::Builder::default().static_configuration(missing_token).build();
    let config = config("http://127.0.0.1:9")
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build();
    let error = Aws::from_config(&config, true).check_bucket(&lake()?).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
    Ok(())
}

/// In a process of its own, because it reads the environment: prints the outcome of `connect`.
#[tokio::test]
#[ignore = "run by the tests below, with an environment of their own"]
#[expect(clippy::print_stdout, reason = "read by the process that started this one")]
async fn connect_and_print() {
    let region = env::var("TEST_REGION").ok();
    let settings = AwsSettings { region, s3_path_style: true };
    match Aws::connect(&settings).await {
        Ok(_) => println!("connected"),
        Err(error) => println!("{:?}: {error}", error.kind()),
    }
}

fn connect_with(variables: &[(&str, &str)]) -> Result<String> {
    let Output { stdout, status, .. } = Command::new(env::current_exe()?)
        .args(["--ignored", "--exact", "connection::connect_and_print", "--nocapture"])
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()?;
    ensure!(status.success(), "{status}");
    Ok(String::from_utf8(stdout)?)
}

#[test]
fn connecting_without_region_or_credentials_fails_fast_and_says_what_to_set() -> Result<()> {
    let begin = Instant::now();
    let printed = connect_with(&[])?;
    assert!(printed.contains("Configuration: no AWS region is set; give it with --region"), "{printed}");
    let printed = connect_with(&[("TEST_REGION", "eu-central-1")])?;
    assert!(printed.contains("Denied: no usable AWS credentials"), "{printed}");
    assert!(printed.contains("set AWS_ACCESS_KEY_ID"), "{printed}");
    let keys = [("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    assert!(connect_with(&keys)?.contains("connected"));
    assert!(begin.elapsed() < Duration::from_secs(20));
    Ok(())
}
