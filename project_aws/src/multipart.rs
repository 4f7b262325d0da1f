//! The requests of a multipart upload: begin, send the parts, complete, abort. None is left behind when one fails.

use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::complete_multipart_upload::{CompleteMultipartUploadError, CompleteMultipartUploadOutput};
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::checksum::Crc32;
use crate::classify::{sdk_error, service_code};
use crate::condition::Guard;
use crate::connection::{Aws, complete_timeouts, transfer_timeouts};
use crate::error::{AwsError, AwsErrorKind};
use crate::file_range::read_range;
use crate::location::S3Url;
use crate::part_plan::{Part, plan_parts};
use crate::staged::StagedFile;
use crate::upload::{LocalFile, Progress, Uploaded};
use crate::waiting::not_broken_off;

/// As many as fit into the memory limit.
const PARTS_AT_ONCE: usize = 4;

/// A run that is being stopped must not hang on its way out: with the grace of `not_broken_off` and the abandoning of
/// what is staged already, which takes as long again, it ends within ten seconds.
pub(crate) const ABORT_LIMIT: Duration = Duration::from_secs(3);

/// What to do about uploads that could not be aborted.
pub(crate) const LEFT_BEHIND: &str =
    "an unfinished upload is left behind; a lifecycle rule AbortIncompleteMultipartUpload removes such";

/// A part that S3 has taken.
struct SentPart {
    completed: CompletedPart,
    crc32: Crc32,
}

impl Aws {
    /// Sends everything and leaves the upload uncompleted.
    pub(crate) async fn stage_parts(
        &self,
        object: &S3Url,
        file: &LocalFile,
        progress: Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<StagedFile, AwsError> {
        let upload_id = self.start_parts(object, cancel).await?;
        let send = self.send_parts(object, file, &upload_id, progress);
        let parts = self.or_abort(object, &upload_id, cancel, send).await?;
        let crc32 = parts.iter().map(|part| part.crc32).fold(Crc32::of(b""), Crc32::followed_by);
        let parts = parts.into_iter().map(|part| part.completed).collect();
        Ok(StagedFile { key: file.key.clone(), bytes: file.bytes, crc32, upload_id, parts })
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

    /// Does `work` for an upload that has begun. When it fails or is cancelled, no parts are left.
    pub(crate) async fn or_abort<T>(
        &self,
        object: &S3Url,
        upload_id: &str,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, AwsError>>,
    ) -> Result<T, AwsError> {
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(AwsError::interrupted(format_args!("uploading {object}"))),
            outcome = work => outcome,
        };
        // A failure to abort must not hide the first one.
        if outcome.is_err()
            && let Err(why) = self.abort(object, upload_id, Instant::now() + ABORT_LIMIT).await
        {
            tracing::warn!(%object, upload_id, why, "{LEFT_BEHIND}");
        }
        outcome
    }

    async fn send_parts(
        &self,
        object: &S3Url,
        file: &LocalFile,
        upload_id: &str,
        progress: Progress<'_>,
    ) -> Result<Vec<SentPart>, AwsError> {
        stream::iter(plan_parts(file.bytes))
            .map(|part| self.send_part(object, file, upload_id, part, progress))
            .buffered(PARTS_AT_ONCE)
            .try_collect()
            .await
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
        // The whole part is in memory, so the SDK can repeat it, and a slow disk never looks like a stalled stream.
        let answer = self
            .s3
            .upload_part()
            .bucket(object.bucket())
            .key(object.prefix())
            .upload_id(upload_id)
            .part_number(part.number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(content.crc32.to_string())
            .body(ByteStream::from(content.data))
            .customize()
            .config_override(Builder::new().timeout_config(transfer_timeouts(part.bytes)))
            .send()
            .await
            .map_err(|error| {
                let task = format_args!("cannot upload part {} of {object}", part.number);
                sdk_error(task, error)
            })?;
        let sent = proven(object, part, content.crc32, answer)?;
        progress(part.bytes);
        Ok(sent)
    }

    /// The one request that makes a staged file visible, and the proof that it is the file that was sent.
    pub(crate) async fn complete(&self, object: &S3Url, staged: &StagedFile) -> Result<Uploaded, AwsError> {
        let answer = self.send_complete(object, staged, Guard::default()).await;
        self.settle(&staged.expected_at(object), answer.map(|stored| stored.checksum_crc32)).await
    }

    pub(crate) async fn send_complete(
        &self,
        object: &S3Url,
        staged: &StagedFile,
        guard: Guard,
    ) -> Result<CompleteMultipartUploadOutput, SdkError<CompleteMultipartUploadError>> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(staged.parts.clone())).build();
        self.s3
            .complete_multipart_upload()
            .bucket(object.bucket())
            .key(object.prefix())
            .upload_id(&staged.upload_id)
            .multipart_upload(parts)
            .set_if_none_match(guard.if_none_match)
            .set_if_match(guard.if_match)
            .checksum_type(ChecksumType::FullObject)
            .checksum_crc32(staged.crc32.to_string())
            .mpu_object_size(i64::try_from(staged.bytes).unwrap_or(i64::MAX))
            .customize()
            .config_override(Builder::new().timeout_config(complete_timeouts()))
            .send()
            .await
    }

    /// Removes what was sent. `Err` says why it may still be there: such parts cost money until a lifecycle rule finds
    /// them.
    pub(crate) async fn abort(&self, object: &S3Url, upload_id: &str, deadline: Instant) -> Result<(), String> {
        let abort =
            self.s3.abort_multipart_upload().bucket(object.bucket()).key(object.prefix()).upload_id(upload_id).send();
        let answer = tokio::select! {
            // First, so that many of them that come too late cost nothing.
            biased;
            () = sleep_until(deadline) => return Err("no answer in time".to_owned()),
            answer = abort => answer,
        };
        match answer {
            Ok(_) => Ok(()),
            // It was completed or aborted after all.
            Err(error) if service_code(&error) == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(sdk_error("cannot abort it", error).to_string()),
        }
    }
}

/// What completing the upload needs of a part, once the answer shows that the part arrived as it was sent.
fn proven(object: &S3Url, part: Part, crc32: Crc32, answer: UploadPartOutput) -> Result<SentPart, AwsError> {
    let sent = crc32.to_string();
    if let Some(stored) = answer.checksum_crc32.filter(|stored| *stored != sent) {
        let text = format!(
            "part {} of {object} did not arrive as it was sent: its CRC-32 is {stored} instead of {sent}; \
             check the store and the proxy on the way, and run it again",
            part.number
        );
        return Err(AwsError::new(AwsErrorKind::Data, text));
    }
    let completed =
        CompletedPart::builder().part_number(part.number).set_e_tag(answer.e_tag).checksum_crc32(sent).build();
    Ok(SentPart { completed, crc32 })
}
