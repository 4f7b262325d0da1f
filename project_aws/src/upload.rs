//! Uploading finished files, with bounded memory and a proof that they arrived.

use std::path::PathBuf;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use tokio::sync::SemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::condition::Guard;
use crate::confirm::Expected;
use crate::connection::{Aws, UPLOAD_MEMORY_MIB, transfer_timeouts};
use crate::error::AwsError;
use crate::file_range::{Range, check_length, read_range};
use crate::location::S3Url;
use crate::part_plan::MULTIPART_FROM;

/// Is told the number of bytes of every request that is through.
pub(crate) type Progress<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// A finished local file and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// The file.
    pub path: PathBuf,
    /// Its key below the destination, such as `orders/part-00000.parquet`.
    pub key: String,
    /// Its length when it was finished.
    pub bytes: u64,
}

/// An object that S3 has confirmed: it holds exactly the bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The key below the destination.
    pub key: String,
    /// The length that S3 reports.
    pub bytes: u64,
    /// The CRC-32 of the whole object that S3 reports, in base64.
    pub crc32: String,
    /// S3's entity tag.
    pub etag: String,
}

impl Aws {
    /// Uploads one file; `progress` is told the bytes of every request that is through.
    ///
    /// After `Ok`, size and checksum of the object agree with the file. After an error or a cancellation the key holds
    /// what it held before (or the whole file, when the answer to the last request was lost), and no parts are left.
    pub async fn upload(
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
                outcome = Box::pin(self.upload_whole(&object, file, progress)) => outcome,
            }
        } else {
            Box::pin(self.upload_in_parts(&object, file, progress, cancel)).await
        }?;
        tracing::debug!(%object, size_bytes = uploaded.bytes, "uploaded and confirmed");
        Ok(uploaded)
    }

    async fn upload_whole(
        &self,
        object: &S3Url,
        file: &LocalFile,
        progress: Progress<'_>,
    ) -> Result<Uploaded, AwsError> {
        let _memory = self.reserve_memory(file.bytes).await?;
        let content = read_range(&file.path, 0, file.bytes).await?;
        let answer = self.put_file(object, &content, Guard::default()).await;
        let expected = Expected { object, key: &file.key, bytes: file.bytes, crc32: content.crc32 };
        let uploaded = self.settle(&expected, answer.map(|stored| stored.checksum_crc32)).await?;
        progress(file.bytes);
        Ok(uploaded)
    }

    /// The one request that makes a small file visible.
    pub(crate) async fn put_file(
        &self,
        object: &S3Url,
        content: &Range,
        guard: Guard,
    ) -> Result<PutObjectOutput, SdkError<PutObjectError>> {
        self.s3
            .put_object()
            .bucket(object.bucket())
            .key(object.prefix())
            .set_if_none_match(guard.if_none_match)
            .set_if_match(guard.if_match)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(content.crc32.to_string())
            .body(ByteStream::from(content.data.clone()))
            .customize()
            .config_override(Builder::new().timeout_config(transfer_timeouts(content.data.len() as u64)))
            .send()
            .await
    }

    /// Waits until `bytes` more of file contents may be in memory; they count until the permit is dropped.
    pub(crate) async fn reserve_memory(&self, bytes: u64) -> Result<SemaphorePermit<'_>, AwsError> {
        // A part larger than the whole limit (of a file above 600 GB) goes alone.
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).min(UPLOAD_MEMORY_MIB);
        self.upload_memory
            .acquire_many(mib)
            .await
            .map_err(|closed| AwsError::interrupted("waiting for memory to upload").caused_by(closed))
    }
}
