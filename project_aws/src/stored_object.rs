//! Reading objects; small ones whole: manifests and pointers.

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::ChecksumMode;

use crate::classify::{root_cause, sdk_error};
use crate::connection::{Aws, small_object_limit};
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::waiting::Pace;

/// No manifest comes near it, and a wrong key may name a file of any size.
const MOST_BYTES: u64 = 64 << 20;

/// The SDK repeats a request, but not a body that breaks off or is damaged on the way.
const BODIES_TRIED: u32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The contents of an object, and what names exactly these contents in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// All of it; compared with the checksum that the store keeps.
    pub bytes: Vec<u8>,
    /// S3's entity tag, for [`Aws::replace_object`].
    pub etag: String,
}

impl Aws {
    /// Reads an object of at most 64 MiB; `None` when there is none.
    pub async fn read_object(&self, object: &S3Url) -> Result<Option<StoredObject>, AwsError> {
        let mut pace = Pace::up_to(LONGEST_PAUSE);
        let mut tries = 1;
        loop {
            let Some(answer) = self.get_object(object).await? else { return Ok(None) };
            match read_body(object, answer).await {
                Err(error) if error.kind() != AwsErrorKind::Configuration && tries < BODIES_TRIED => {
                    tracing::debug!(%object, %error, "reading it again");
                    tries += 1;
                    pace.pause().await;
                }
                outcome => return outcome.map(Some),
            }
        }
    }

    pub(crate) async fn get_object(&self, object: &S3Url) -> Result<Option<GetObjectOutput>, AwsError> {
        let answer = self
            .s3
            .get_object()
            .bucket(object.bucket())
            .key(object.prefix())
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => Ok(None),
            Err(error) => {
                Err(sdk_error(format_args!("cannot read {object} (this needs s3:GetObject and s3:ListBucket)"), error))
            }
        }
    }
}

/// The SDK compares what arrives with the checksum of the answer, and fails at the end when they differ.
async fn read_body(object: &S3Url, answer: GetObjectOutput) -> Result<StoredObject, AwsError> {
    let announced = answer.content_length.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default();
    let (mut body, mut bytes) = (answer.body, Vec::new());
    let read = async {
        while let Some(chunk) = body.try_next().await.map_err(|error| broken(object, error))? {
            if bytes.len() as u64 + chunk.len() as u64 > MOST_BYTES {
                return Err(too_large(object));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(small_object_limit(announced.min(MOST_BYTES)), read).await {
        Ok(outcome) => outcome?,
        Err(_elapsed) => {
            let text = format!("cannot read {object}: its contents did not arrive in time; check the network");
            return Err(AwsError::new(AwsErrorKind::Unreachable, text));
        }
    }
    Ok(StoredObject { bytes, etag: answer.e_tag.unwrap_or_default() })
}

pub(crate) fn broken(object: &S3Url, error: impl Error + Send + Sync + 'static) -> AwsError {
    let cause = root_cause(&error);
    let (kind, what) = if cause.contains("checksum") {
        (AwsErrorKind::Data, "its contents are not what was stored")
    } else {
        (AwsErrorKind::Temporary, "its contents broke off")
    };
    AwsError::new(kind, format!("cannot read {object}: {what} ({cause}); run it again")).caused_by(error)
}

fn too_large(object: &S3Url) -> AwsError {
    let text = format!("{object} is larger than {} MiB, so it is no manifest; is the place right?", MOST_BYTES >> 20);
    AwsError::new(AwsErrorKind::Configuration, text)
}
