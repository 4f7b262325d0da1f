//! The clients of S3, Glue and Athena, and how patient they are.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, ProvideCredentials};
use tokio::sync::Semaphore;

use crate::classify::{HOW_TO_GIVE_CREDENTIALS, root_cause};
use crate::condition::ConditionalWrites;
use crate::error::{AwsError, AwsErrorKind};

/// What the caller may set; everything else comes from the SDK's own variables, files and roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsSettings {
    /// The region; without it AWS_REGION, the profile or the machine says it.
    pub region: Option<String>,
    /// Addresses a bucket as `endpoint/bucket` instead of `bucket.endpoint`: for S3-compatible stores.
    pub s3_path_style: bool,
}

/// S3, Glue and Athena of one account and region. Cheap to clone; clones share connections and the memory limit.
#[derive(Debug, Clone)]
pub struct Aws {
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) glue: aws_sdk_glue::Client,
    pub(crate) athena: aws_sdk_athena::Client,
    /// The MiB of file contents that may be in memory at once, over all uploads.
    pub(crate) upload_memory: Arc<Semaphore>,
    pub(crate) conditional_writes: Arc<ConditionalWrites>,
}

/// Four parts of the usual size.
pub(crate) const UPLOAD_MEMORY_MIB: u32 = 64;

/// Looking for a region or credentials asks the machine's metadata service, which on a plain machine never answers.
const LOOKUP_LIMIT: Duration = Duration::from_secs(15);

impl Aws {
    /// Finds region and credentials as every AWS tool does. Fails within half a minute when there are none.
    pub async fn connect(settings: &AwsSettings) -> Result<Self, AwsError> {
        let mut loader = aws_config::defaults(behavior());
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let found = tokio::time::timeout(LOOKUP_LIMIT, loader.load()).await;
        let config = found.ok().filter(|config| config.region().is_some()).ok_or_else(no_region)?;
        check_credentials(&config).await?;
        Ok(Self::from_config(&config, settings.s3_path_style))
    }

    /// The clients over a configuration that the caller has made. Nothing is looked for and nothing is asked.
    pub fn from_config(config: &SdkConfig, s3_path_style: bool) -> Self {
        let s3 =
            aws_sdk_s3::config::Builder::from(config).force_path_style(s3_path_style).timeout_config(call_timeouts());
        let s3 = s3.retry_config(patient(config));
        let glue = aws_sdk_glue::config::Builder::from(config).timeout_config(call_timeouts());
        let glue = glue.retry_config(patient(config));
        let athena = aws_sdk_athena::config::Builder::from(config).timeout_config(call_timeouts());
        Self {
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            glue: aws_sdk_glue::Client::from_conf(glue.build()),
            athena: aws_sdk_athena::Client::from_conf(athena.build()),
            upload_memory: Arc::new(Semaphore::new(UPLOAD_MEMORY_MIB as usize)),
            conditional_writes: Arc::default(),
        }
    }
}

/// A dated version, so that an update of the SDK changes nothing behind our back. This one tries a request three times.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// For what publishes: a store that is busy for some seconds must not cost the work of hours. Seven pauses, each a random
/// part of 1, 2, 4, 8, 16 and twice 20 seconds, are half a minute on average. Whoever has set AWS_MAX_ATTEMPTS knows better.
fn patient(config: &SdkConfig) -> RetryConfig {
    let given = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    match given.max_attempts() == RetryConfig::standard().max_attempts() {
        true => given.with_max_attempts(8),
        false => given,
    }
}

/// For the first call of all, whose usual failure is a mistyped name.
pub(crate) fn impatient() -> RetryConfig {
    RetryConfig::standard()
}

/// More than all pauses between the attempts of a request together.
const PAUSES: Duration = Duration::from_secs(100);

/// For calls that carry no file: the SDK itself would wait for an answer for ever.
fn call_timeouts() -> TimeoutConfig {
    timeouts(Duration::from_secs(20))
}

/// For a request that carries `bytes` of a file. Four parts at once over a line of 4 Mbit/s still get through.
pub(crate) fn transfer_timeouts(bytes: u64) -> TimeoutConfig {
    timeouts(Duration::from_secs(60 + bytes / 128_000))
}

/// For a request that carries a manifest, and for the contents of one that is read.
pub(crate) fn small_object_timeouts(bytes: u64) -> TimeoutConfig {
    timeouts(small_object_limit(bytes))
}

pub(crate) fn small_object_limit(bytes: u64) -> Duration {
    Duration::from_secs(20 + bytes / 128_000)
}

/// For CompleteMultipartUpload and CopyObject, which may take S3 minutes.
pub(crate) fn complete_timeouts() -> TimeoutConfig {
    timeouts(Duration::from_secs(300))
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * 3 + PAUSES)
        .build()
}

fn no_region() -> AwsError {
    AwsError::new(AwsErrorKind::Configuration, "no AWS region is set; give it with --region or AWS_REGION")
}

/// Looks once, now: later every call would look again, and each would report it in its own words.
async fn check_credentials(config: &SdkConfig) -> Result<(), AwsError> {
    let no_credentials = |why: &str| {
        AwsError::new(AwsErrorKind::Denied, format!("no usable AWS credentials ({why}); {HOW_TO_GIVE_CREDENTIALS}"))
    };
    let Some(provider) = config.credentials_provider() else {
        return Err(no_credentials("no provider is configured"));
    };
    match tokio::time::timeout(LOOKUP_LIMIT, provider.provide_credentials()).await {
        Ok(Ok(credentials)) => {
            let region = config.region().map(Region::as_ref);
            tracing::info!(provider = provider_name(&credentials), region, "found AWS credentials");
            Ok(())
        }
        Ok(Err(error)) => Err(no_credentials(&root_cause(&error)).caused_by(error)),
        Err(_elapsed) => Err(no_credentials("looking for them took too long")),
    }
}

/// Which provider gave the credentials. An earlier one hides a later one, which is the first thing to know when the
/// wrong account answers. Only the debug format tells it (secrets are redacted there).
fn provider_name(credentials: &Credentials) -> String {
    format!("{credentials:?}").split('"').nth(1).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::Credentials;

    use super::provider_name;

    #[test]
    fn the_provider_is_named_and_no_key() {
        let credentials = Credentials::new("AKIAKEY", "hidden", None, None, "EnvironmentVariable");
        assert_eq!(provider_name(&credentials), "EnvironmentVariable");
    }
}
