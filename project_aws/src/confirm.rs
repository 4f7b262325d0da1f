//! The proof that an object is the file that was sent, and the question what became of a request whose answer was lost.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::checksum::Crc32;
use crate::classify::{outcome_unknown, sdk_error};
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::upload::Uploaded;

/// What must lie in the store.
pub(crate) struct Expected<'a> {
    pub(crate) object: &'a S3Url,
    /// Its key below the destination.
    pub(crate) key: &'a str,
    pub(crate) bytes: u64,
    pub(crate) crc32: Crc32,
}

impl Aws {
    /// Judges the request that makes the object visible, by the checksum in its answer and by the object itself.
    pub(crate) async fn settle<E>(
        &self,
        expected: &Expected<'_>,
        answered_crc32: Result<Option<String>, SdkError<E>>,
    ) -> Result<Uploaded, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let object = expected.object;
        match answered_crc32 {
            Ok(crc32) => {
                if let Some(crc32) = crc32 {
                    expected.check_crc32(&crc32)?;
                }
                self.confirm(expected).await
            }
            Err(error) if outcome_unknown(&error) => match self.confirm(expected).await {
                Ok(uploaded) => {
                    tracing::info!(%object, "the answer to the upload was lost; the object is there and right");
                    Ok(uploaded)
                }
                Err(_not_there) => Err(sdk_error(format_args!("cannot upload {object}"), error)),
            },
            Err(error) => Err(sdk_error(format_args!("cannot upload {object}"), error)),
        }
    }

    pub(crate) async fn confirm(&self, expected: &Expected<'_>) -> Result<Uploaded, AwsError> {
        let object = expected.object;
        let facts = self.object_facts(object).await?.ok_or_else(|| expected.differs("it is not there"))?;
        if facts.bytes != expected.bytes {
            return Err(expected.differs(&format!("it has {} bytes instead of {}", facts.bytes, expected.bytes)));
        }
        let crc32 = facts.crc32.ok_or_else(|| {
            expected.differs("the store reports no CRC-32 for it, so nothing proves that it is whole")
        })?;
        expected.check_crc32(&crc32)?;
        Ok(Uploaded { key: expected.key.to_owned(), bytes: expected.bytes, crc32, etag: facts.etag })
    }
}

impl Expected<'_> {
    fn check_crc32(&self, reported: &str) -> Result<(), AwsError> {
        if reported == self.crc32.to_string() {
            return Ok(());
        }
        Err(self.differs(&format!("its CRC-32 is {reported} instead of {}", self.crc32)))
    }

    fn differs(&self, how: &str) -> AwsError {
        AwsError::new(
            AwsErrorKind::Data,
            format!(
                "{} is not the file that was uploaded: {how}; \
                 make sure that nothing else writes to this place, and run it again",
                self.object
            ),
        )
    }
}
