//! Publishing in two steps: files are staged one by one, where no reader sees them, and become visible together.
//!
//! S3 has exactly one invisible state for an object: a multipart upload that has all its parts and is not completed.
//! The key keeps what it held before, and the local file is no longer needed.

use std::time::Duration;

use aws_sdk_s3::types::CompletedPart;
use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::{self, FuturesUnordered, StreamExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::checksum::Crc32;
use crate::confirm::Expected;
use crate::connection::Aws;
use crate::error::AwsError;
use crate::file_range::check_length;
use crate::location::S3Url;
use crate::multipart::{ABORT_LIMIT, LEFT_BEHIND};
use crate::upload::{LocalFile, Uploaded};

/// These requests carry no file, and while they run, readers see old and new files together.
const REQUESTS_AT_ONCE: usize = 32;

/// A file that S3 holds and no reader sees. It costs money until [`Aws::make_visible`] or [`Aws::abandon`] has it, and
/// a lifecycle rule AbortIncompleteMultipartUpload that is shorter than the run removes it.
#[derive(Debug)]
#[must_use = "a staged file costs money until it is made visible or abandoned"]
pub struct StagedFile {
    /// The key below the destination.
    pub key: String,
    /// The length.
    pub bytes: u64,
    /// Of the whole file.
    pub(crate) crc32: Crc32,
    pub(crate) upload_id: String,
    pub(crate) parts: Vec<CompletedPart>,
}

impl StagedFile {
    /// What must lie at `object` once it is visible.
    pub(crate) fn expected_at<'a>(&'a self, object: &'a S3Url) -> Expected<'a> {
        Expected { object, key: &self.key, bytes: self.bytes, crc32: self.crc32 }
    }
}

/// Files that were staged and that readers see now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeVisible {
    /// The objects, each confirmed by size and checksum, sorted by their keys.
    pub files: Vec<Uploaded>,
    /// From the first request that makes a file visible to the last confirmation: how long readers may have seen some
    /// of the files and not the others.
    pub window: Duration,
}

impl StagedFile {
    /// The CRC-32 of the whole file, in base64.
    pub fn crc32(&self) -> String {
        self.crc32.to_string()
    }
}

impl Aws {
    /// Sends one file, so that making it visible is a single request; `progress` is told the bytes of every part.
    ///
    /// After `Ok`, S3 has proven the checksum of every part, and the local file may be deleted. After an error or a
    /// cancellation nothing of it is left. Either way the key holds what it held before.
    pub async fn stage(
        &self,
        destination: &S3Url,
        file: &LocalFile,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<StagedFile, AwsError> {
        let object = destination.join(&file.key);
        check_length(&file.path, file.bytes).await?;
        let staged = Box::pin(self.stage_parts(&object, file, progress, cancel)).await?;
        tracing::debug!(%object, size_bytes = staged.bytes, parts = staged.parts.len(), "staged");
        Ok(staged)
    }

    /// Makes all files visible, many at once, and confirms each by its size and checksum.
    ///
    /// A cancellation counts only until the first file is asked for: then nothing becomes visible. After that it is
    /// ignored, because a table of half old and half new files is worse for its readers than a run that ends a little
    /// later; the deadlines of the requests hold. For the same reason the caller should not drop the future.
    ///
    /// The first failure keeps those that have not begun from beginning; the others end, all that did not become
    /// visible are abandoned, and the error says how many files are visible.
    pub async fn make_visible(
        &self,
        destination: &S3Url,
        staged: Vec<StagedFile>,
        cancel: &CancellationToken,
    ) -> Result<MadeVisible, AwsError> {
        let total = staged.len();
        if cancel.is_cancelled() {
            self.abandon(destination, staged).await;
            let work = format_args!("publishing to {destination}: none of the {total} staged files became visible");
            return Err(AwsError::interrupted(work));
        }
        let begin = Instant::now();
        let (mut files, mut not_visible, mut failure) = (Vec::with_capacity(total), Vec::new(), None);
        let (mut waiting, mut running) = (staged.into_iter(), FuturesUnordered::new());
        loop {
            while failure.is_none()
                && running.len() < REQUESTS_AT_ONCE
                && let Some(file) = waiting.next()
            {
                running.push(self.complete_and_return(destination, file));
            }
            match running.next().await {
                Some((_, Ok(uploaded))) => files.push(uploaded),
                Some((file, Err(error))) => {
                    not_visible.push(file);
                    failure.get_or_insert(error);
                }
                None => break,
            }
        }
        let window = begin.elapsed();
        if let Some(error) = failure {
            not_visible.extend(waiting);
            self.abandon(destination, not_visible).await;
            return Err(error.with_remark(visible_so_far(files.len(), total)));
        }
        files.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        tracing::info!(%destination, files = total, ?window, "made visible");
        Ok(MadeVisible { files, window })
    }

    /// Removes what was staged. Ends within a few seconds and never fails: it warns of what is left.
    pub async fn abandon(&self, destination: &S3Url, staged: Vec<StagedFile>) {
        let deadline = Instant::now() + ABORT_LIMIT;
        let aborts: Vec<_> = staged.into_iter().map(|file| self.abort_one(destination, file, deadline)).collect();
        let left: Vec<_> = stream::iter(aborts).buffer_unordered(REQUESTS_AT_ONCE).filter_map(ready).collect().await;
        if let Some((object, why)) = left.first() {
            tracing::warn!(%object, others = left.len() - 1, why, "{LEFT_BEHIND}");
        }
    }

    // In boxes, because the compiler cannot see that a stream of borrowing futures may change threads.

    /// Gives the file back: what did not become visible is abandoned.
    fn complete_and_return<'a>(
        &'a self,
        destination: &S3Url,
        file: StagedFile,
    ) -> BoxFuture<'a, (StagedFile, Result<Uploaded, AwsError>)> {
        let object = destination.join(&file.key);
        async move {
            let outcome = self.complete(&object, &file).await;
            (file, outcome)
        }
        .boxed()
    }

    /// The object whose parts are left, and why.
    fn abort_one<'a>(
        &'a self,
        destination: &S3Url,
        file: StagedFile,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<(S3Url, String)>> {
        let object = destination.join(&file.key);
        async move { self.abort(&object, &file.upload_id, deadline).await.err().map(|why| (object, why)) }.boxed()
    }
}

fn visible_so_far(visible: usize, total: usize) -> String {
    match visible {
        0 => format!("none of the {total} staged files is known to have become visible"),
        _ => format!(
            "{visible} of {total} staged files had become visible by then: \
             readers see old and new files together until a run succeeds"
        ),
    }
}
