//! What S3 says of one object without sending it.

use aws_sdk_s3::types::ChecksumMode;

use crate::classify::sdk_error;
use crate::connection::Aws;
use crate::error::AwsError;
use crate::location::S3Url;

/// An object as HeadObject describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    /// Its length.
    pub bytes: u64,
    /// The CRC-32 of the whole object in base64, if the store keeps one.
    pub crc32: Option<String>,
    /// S3's entity tag, with its quotes.
    pub etag: String,
}

impl Aws {
    /// Length, checksum and entity tag of an object; `None` when there is none.
    pub async fn object_facts(&self, object: &S3Url) -> Result<Option<ObjectFacts>, AwsError> {
        let answer = self
            .s3
            .head_object()
            .bucket(object.bucket())
            .key(object.prefix())
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match answer {
            Ok(head) => Ok(Some(ObjectFacts {
                bytes: head.content_length.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
                // That of parts, which a store may make of a multipart upload, says nothing about the whole.
                crc32: head.checksum_crc32.filter(|crc32| !crc32.contains('-')),
                etag: head.e_tag.unwrap_or_default(),
            })),
            // The answer to HEAD has no body: a missing bucket looks the same.
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(sdk_error(
                format_args!("cannot look at {object} (this needs s3:GetObject and s3:ListBucket)"),
                error,
            )),
        }
    }
}
