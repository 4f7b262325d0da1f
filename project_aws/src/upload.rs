//! What uploads of finished files share: their types, the one request of a small file, and bounded memory.

use std::path::PathBuf;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use bytes::Bytes;
use tokio::sync::SemaphorePermit;

use crate::checksum::Crc32;
use crate::condition::Guard;
use crate::connection::{Aws, UPLOAD_MEMORY_MIB, transfer_timeouts};
use crate::error::AwsError;
use crate::file_range::Range;
use crate::location::S3Url;

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
    /// The one request that makes a small file visible.
    pub(crate) async fn put_file(
        &self,
        object: &S3Url,
        content: &Range,
        guard: Guard,
    ) -> Result<PutObjectOutput, SdkError<PutObjectError>> {
        let timeouts = transfer_timeouts(content.data.len() as u64);
        self.put_bytes(object, content.data.clone(), content.crc32, guard, timeouts).await
    }

    /// Writes an object with its checksum, if the guard lets it pass.
    pub(crate) async fn put_bytes(
        &self,
        object: &S3Url,
        bytes: Bytes,
        crc32: Crc32,
        guard: Guard,
        timeouts: TimeoutConfig,
    ) -> Result<PutObjectOutput, SdkError<PutObjectError>> {
        self.s3
            .put_object()
            .bucket(object.bucket())
            .key(object.prefix())
            .set_if_none_match(guard.if_none_match)
            .set_if_match(guard.if_match)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(crc32.to_string())
            .body(ByteStream::from(bytes))
            .customize()
            .config_override(Builder::new().timeout_config(timeouts))
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
