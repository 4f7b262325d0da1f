//! Uploading a file to a key that must not exist: what has been published under a run's own prefix never changes.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::condition::{Condition, Written, is_conflict};
use crate::confirm::Expected;
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::file_range::{check_length, read_range};
use crate::location::S3Url;
use crate::multipart::ABORT_LIMIT;
use crate::part_plan::MULTIPART_FROM;
use crate::staged::StagedFile;
use crate::upload::{LocalFile, Progress, Uploaded};

/// A conflict while S3 puts the parts together costs all of them.
const UPLOADS_TRIED: u32 = 3;

/// What came of completing an upload.
enum Completed {
    Is(Uploaded),
    /// Another request wrote the key at the same moment, and the parts have to be sent anew.
    InConflict(AwsError),
}

impl Aws {
    /// Uploads one file; `progress` is told the bytes of every request that is through.
    ///
    /// The key must not exist: what is there is never overwritten. An object that is there and has the size and checksum
    /// of the file is ours: the answer to the request that made it may have been lost. After `Ok`, size and checksum of
    /// the object agree with the file. After an error or a cancellation the key holds what it held before (or the whole
    /// file, when the answer to the last request was lost), and no parts are left.
    pub async fn upload_new(
        &self,
        destination: &S3Url,
        file: &LocalFile,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Uploaded, AwsError> {
        let object = destination.join(&file.key);
        check_length(&file.path, file.bytes).await?;
        let uploaded = if file.bytes < MULTIPART_FROM {
            tokio::select! {
                biased;
                () = cancel.cancelled() => Err(AwsError::interrupted(format_args!("uploading {object}"))),
                outcome = Box::pin(self.put_new(&object, file, progress)) => outcome,
            }
        } else {
            Box::pin(self.upload_new_in_parts(&object, file, progress, cancel)).await
        }?;
        tracing::debug!(%object, size_bytes = uploaded.bytes, "uploaded and confirmed");
        Ok(uploaded)
    }

    async fn put_new(&self, object: &S3Url, file: &LocalFile, progress: Progress<'_>) -> Result<Uploaded, AwsError> {
        let _memory = self.reserve_memory(file.bytes).await?;
        let content = &read_range(&file.path, 0, file.bytes).await?;
        let put = |guard| self.put_file(object, content, guard);
        let written = match self.write_if(object, &Condition::Absent, put).await? {
            Written::Done(stored) => Written::Done(stored.checksum_crc32),
            Written::NotAsExpected => Written::NotAsExpected,
            Written::Failed(error) => Written::Failed(error),
        };
        let expected = Expected { object, key: &file.key, bytes: file.bytes, crc32: content.crc32 };
        let uploaded = self.settle_new(&expected, written).await?;
        progress(file.bytes);
        Ok(uploaded)
    }

    async fn upload_new_in_parts(
        &self,
        object: &S3Url,
        file: &LocalFile,
        progress: Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<Uploaded, AwsError> {
        let mut tries = 1;
        loop {
            let staged = self.stage_parts(object, file, progress, cancel).await?;
            let complete = Box::pin(self.complete_new(object, &staged));
            match self.or_abort(object, &staged.upload_id, cancel, complete).await? {
                Completed::Is(uploaded) => return Ok(uploaded),
                Completed::InConflict(error) if tries == UPLOADS_TRIED => return Err(error),
                Completed::InConflict(error) => tracing::info!(%object, %error, "sending all parts again"),
            }
            tries += 1;
        }
    }

    async fn complete_new(&self, object: &S3Url, staged: &StagedFile) -> Result<Completed, AwsError> {
        let expected = staged.expected_at(object);
        let complete = |guard| self.send_complete(object, staged, guard);
        let written = match self.write_once_if(object, &Condition::Absent, complete).await? {
            Written::Done(stored) => Written::Done(stored.checksum_crc32),
            Written::NotAsExpected => Written::NotAsExpected,
            Written::Failed(error) => Written::Failed(error),
        };
        let was_refused = !matches!(written, Written::Done(_));
        let in_conflict = matches!(&written, Written::Failed(error) if is_conflict(error));
        let outcome = self.settle_new(&expected, written).await;
        // Nobody needs these parts any more, unless they are the object. A failure aborts them by itself.
        if was_refused && (in_conflict || outcome.is_ok()) {
            let left = self.abort(object, &staged.upload_id, Instant::now() + ABORT_LIMIT).await;
            left.unwrap_or_else(|why| tracing::warn!(%object, why, "an unfinished upload may be left behind"));
        }
        match outcome {
            Err(error) if in_conflict => Ok(Completed::InConflict(error)),
            outcome => outcome.map(Completed::Is),
        }
    }

    /// As [`Aws::settle`]; a key that was there is looked at.
    async fn settle_new<E>(
        &self,
        expected: &Expected<'_>,
        written: Written<Option<String>, E>,
    ) -> Result<Uploaded, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let answered: Result<Option<String>, SdkError<E>> = match written {
            Written::Done(crc32) => Ok(crc32),
            Written::Failed(error) => Err(*error),
            Written::NotAsExpected => {
                let there = self.confirm(expected).await;
                return there.map_err(|error| match error.kind() {
                    AwsErrorKind::Data => exists(expected.object, &error),
                    _ => error,
                });
            }
        };
        self.settle(expected, answered).await
    }
}

fn exists(object: &S3Url, how: &AwsError) -> AwsError {
    let text = format!("{object} exists already and was not overwritten: {how}");
    AwsError::new(AwsErrorKind::Data, text)
}
