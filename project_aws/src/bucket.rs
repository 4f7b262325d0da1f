//! Whether the destination bucket is there, ours to use, and in our region.

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::SdkError;

use crate::classify::sdk_error;
use crate::connection::{Aws, impatient};
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;

impl Aws {
    /// Asks for the bucket, so that a wrong name is known before a table is read.
    pub async fn check_bucket(&self, destination: &S3Url) -> Result<(), AwsError> {
        let bucket = destination.bucket();
        let looking = self.s3.head_bucket().bucket(bucket).customize();
        let answer = looking.config_override(Builder::new().retry_config(impatient())).send().await;
        let Err(error) = answer else { return Ok(()) };
        // The answer to HEAD has no body, so all there is to go by is the status and one header.
        let status = match &error {
            SdkError::ServiceError(answer) => answer.raw().status().as_u16(),
            _ => {
                return Err(sdk_error(format!("cannot reach the bucket {bucket}"), error));
            }
        };
        let region =
            error.raw_response().and_then(|answer| answer.headers().get("x-amz-bucket-region")).map(str::to_owned);
        let elsewhere = region.filter(|region| self.region() != Some(region.as_str()));
        let (kind, text) = match (status, elsewhere) {
            (301 | 307 | 400, Some(region)) => (
                AwsErrorKind::Configuration,
                format!("the bucket {bucket} is in the region {region}; set --region={region}"),
            ),
            (404, _) => (
                AwsErrorKind::Configuration,
                format!("there is no bucket {bucket}; create it or correct {destination} in --upload"),
            ),
            (403, _) => (
                AwsErrorKind::Denied,
                format!(
                    "the bucket {bucket} is not open to these credentials (HTTP 403); \
                     check the account, and give them s3:ListBucket, s3:PutObject, s3:GetObject and s3:DeleteObject on it"
                ),
            ),
            (400, None) => (
                AwsErrorKind::Denied,
                format!(
                    "the bucket {bucket} refuses the request (HTTP 400), which mostly means that the credentials \
                     have expired; renew them"
                ),
            ),
            _ => {
                return Err(sdk_error(format!("cannot reach the bucket {bucket}"), error));
            }
        };
        Err(AwsError::new(kind, text).caused_by(error))
    }

    fn region(&self) -> Option<&str> {
        self.s3.config().region().map(AsRef::as_ref)
    }
}
