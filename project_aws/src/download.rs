//! Objects of any size as files of the local disk.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::stored_object::broken;
use crate::waiting::Pace;

/// The SDK repeats a request, but not a body that breaks off or is damaged on the way.
const BODIES_TRIED: u32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A store that sends nothing for so long has gone away.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

impl Aws {
    /// Writes an object's contents into a new file, compared with the checksum that the store keeps, and tells their length;
    /// `None`, and no file, when there is no such object. A file that could not be finished is left to the caller.
    pub async fn download(&self, object: &S3Url, file: &Path) -> Result<Option<u64>, AwsError> {
        let mut pace = Pace::up_to(LONGEST_PAUSE);
        let mut tries = 1;
        loop {
            let Some(answer) = self.get_object(object).await? else { return Ok(None) };
            match write_body(object, answer.body, file).await {
                Err(error) if error.kind() != AwsErrorKind::LocalDisk && tries < BODIES_TRIED => {
                    tracing::debug!(%object, %error, "reading it again");
                    tries += 1;
                    pace.pause().await;
                }
                outcome => return outcome.map(Some),
            }
        }
    }
}

/// The SDK compares what arrives with the checksum of the answer, and fails at the end when they differ.
async fn write_body(object: &S3Url, mut body: ByteStream, file: &Path) -> Result<u64, AwsError> {
    let mut output = File::create(file).await.map_err(|error| not_written(file, error))?;
    let mut bytes = 0;
    loop {
        let chunk = timeout(LONGEST_SILENCE, body.try_next()).await.map_err(|_elapsed| silent(object))?;
        let Some(chunk) = chunk.map_err(|error| broken(object, error))? else { break };
        output.write_all(&chunk).await.map_err(|error| not_written(file, error))?;
        bytes += chunk.len() as u64;
    }
    output.flush().await.map_err(|error| not_written(file, error))?;
    Ok(bytes)
}

fn silent(object: &S3Url) -> AwsError {
    let seconds = LONGEST_SILENCE.as_secs();
    let text = format!("cannot read {object}: nothing more arrived for {seconds} seconds; check the network");
    AwsError::new(AwsErrorKind::Unreachable, text)
}

fn not_written(file: &Path, error: std::io::Error) -> AwsError {
    let text = format!("cannot write {}: {error}; is there enough space?", file.display());
    AwsError::new(AwsErrorKind::LocalDisk, text).caused_by(error)
}
