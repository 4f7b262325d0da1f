//! Uploading a large file in parts, and leaving none behind when it fails.

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use crate::checksum::Crc32;
use crate::classify::{sdk_error, service_code};
use crate::confirm::Expected;
use crate::connection::{Aws, complete_timeouts, transfer_timeouts};
use crate::error::{AwsError, AwsErrorKind};
use crate::file_range::read_range;
use crate::location::S3Url;
use crate::part_plan::{Part, plan_parts};
use crate::upload::{LocalFile, Progress, Uploaded};
use crate::waiting::not_broken_off;

/// As many as fit into the memory limit.
const PARTS_AT_ONCE: usize = 4;

/// A run that is being stopped must not hang on its way out.
const ABORT_LIMIT: Duration = Duration::from_secs(5);

/// A part that S3 has taken.
struct SentPart {
    completed: CompletedPart,
    crc32: Crc32,
}

impl Aws {
    pub(crate) async fn upload_in_parts(
        &self,
        object: &S3Url,
        file: &LocalFile,
        progress: Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<Uploaded, AwsError> {
        let upload_id = self.start_parts(object, cancel).await?;
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(AwsError::interrupted(format_args!("uploading {object}"))),
            outcome = self.send_and_complete(object, file, &upload_id, progress) => outcome,
        };
        if outcome.is_err() {
            self.abort_parts(object, &upload_id).await;
        }
        outcome
    }

    /// The id of a new upload; without it the upload could not be aborted.
    async fn start_parts(&self, object: &S3Url, cancel: &CancellationToken) -> Result<String, AwsError> {
        let start = self
            .s3
            .create_multipart_upload()
            .bucket(object.bucket())
            .key(object.prefix())
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_type(ChecksumType::FullObject)
            .send();
        let task = format!("cannot start the upload of {object}");
        not_broken_off(start, cancel)
            .await
            .ok_or_else(|| AwsError::interrupted(format_args!("starting the upload of {object}")))?
            .map_err(|error| sdk_error(&task, error))?
            .upload_id
            .ok_or_else(|| {
                let text = format!("{task}: the answer names no upload; run it again");
                AwsError::new(AwsErrorKind::Temporary, text)
            })
    }

    async fn send_and_complete(
        &self,
        object: &S3Url,
        file: &LocalFile,
        upload_id: &str,
        progress: Progress<'_>,
    ) -> Result<Uploaded, AwsError> {
        let parts: Vec<SentPart> = stream::iter(plan_parts(file.bytes))
            .map(|part| self.send_part(object, file, upload_id, part, progress))
            .buffered(PARTS_AT_ONCE)
            .try_collect()
            .await?;
        let crc32 = parts.iter().map(|part| part.crc32).fold(Crc32::of(b""), Crc32::followed_by);
        let parts = parts.into_iter().map(|part| part.completed).collect();
        let answer = self
            .s3
            .complete_multipart_upload()
            .bucket(object.bucket())
            .key(object.prefix())
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .checksum_type(ChecksumType::FullObject)
            .checksum_crc32(crc32.to_string())
            .mpu_object_size(i64::try_from(file.bytes).unwrap_or(i64::MAX))
            .customize()
            .config_override(Builder::new().timeout_config(complete_timeouts()))
            .send()
            .await;
        let expected = Expected { object, file, crc32 };
        self.settle(&expected, answer.map(|stored| stored.checksum_crc32)).await
    }

    async fn send_part(
        &self,
        object: &S3Url,
        file: &LocalFile,
        upload_id: &str,
        part: Part,
        progress: Progress<'_>,
    ) -> Result<SentPart, AwsError> {
        let _memory = self.reserve_memory(part.bytes).await?;
        let content = read_range(&file.path, part.offset, part.bytes).await?;
        let crc32 = content.crc32;
        // The whole part is in memory, so the SDK can repeat it, and a slow disk never looks like a stalled stream.
        let answer = self
            .s3
            .upload_part()
            .bucket(object.bucket())
            .key(object.prefix())
            .upload_id(upload_id)
            .part_number(part.number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(crc32.to_string())
            .body(ByteStream::from(content.data))
            .customize()
            .config_override(Builder::new().timeout_config(transfer_timeouts(part.bytes)))
            .send()
            .await
            .map_err(|error| {
                let task = format_args!("cannot upload part {} of {object}", part.number);
                sdk_error(task, error)
            })?;
        progress(part.bytes);
        let completed = CompletedPart::builder()
            .part_number(part.number)
            .set_e_tag(answer.e_tag)
            .checksum_crc32(crc32.to_string())
            .build();
        Ok(SentPart { completed, crc32 })
    }

    /// Parts that are left cost money until a lifecycle rule finds them. A failure here must not hide the first one.
    async fn abort_parts(&self, object: &S3Url, upload_id: &str) {
        let abort =
            self.s3.abort_multipart_upload().bucket(object.bucket()).key(object.prefix()).upload_id(upload_id).send();
        let why = match tokio::time::timeout(ABORT_LIMIT, abort).await {
            Ok(Ok(_)) => return,
            // It was completed or aborted after all.
            Ok(Err(error)) if service_code(&error) == Some("NoSuchUpload") => return,
            Ok(Err(error)) => sdk_error("cannot abort it", error).to_string(),
            Err(_elapsed) => "no answer in time".to_owned(),
        };
        tracing::warn!(
            %object,
            upload_id,
            why,
            "an unfinished upload is left behind; a lifecycle rule AbortIncompleteMultipartUpload removes such"
        );
    }
}
