//! Writing small objects whole if nobody else has: manifests and pointers. A lost answer is looked into.

use bytes::Bytes;

use crate::checksum::Crc32;
use crate::classify::{outcome_unknown, sdk_error};
use crate::condition::{Condition, Guard, Written};
use crate::connection::{Aws, small_object_timeouts};
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::stored_object::StoredObject;

/// What came of creating something that must not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there and is exactly ours.
    Done,
    /// Another one is there; nothing was changed.
    Exists,
}

/// What came of replacing exactly the object that was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It is exactly ours.
    Done,
    /// Somebody else has written in the meantime, and theirs is there.
    Overtaken,
}

impl Aws {
    /// Writes an object that must not exist. One that is there and is the same byte for byte is ours: the answer to the
    /// request that made it may have been lost.
    pub async fn create_object(&self, object: &S3Url, bytes: Vec<u8>) -> Result<Created, AwsError> {
        let is_ours = self.write_object_if(object, bytes.into(), &Condition::Absent).await?;
        Ok(if is_ours { Created::Done } else { Created::Exists })
    }

    /// Writes an object in the place of the one with the entity tag, or where there was none.
    pub async fn replace_object(
        &self,
        object: &S3Url,
        bytes: Vec<u8>,
        expected_etag: Option<&str>,
    ) -> Result<Replaced, AwsError> {
        let condition = expected_etag.map_or(Condition::Absent, |etag| Condition::Unchanged(etag.to_owned()));
        let is_ours = self.write_object_if(object, bytes.into(), &condition).await?;
        Ok(if is_ours { Replaced::Done } else { Replaced::Overtaken })
    }

    /// Whether the object holds the bytes afterwards; if not, it is somebody else's.
    async fn write_object_if(&self, object: &S3Url, bytes: Bytes, condition: &Condition) -> Result<bool, AwsError> {
        let checksum = Crc32::of(&bytes);
        let (crc32, timeouts) = (checksum.to_string(), small_object_timeouts(bytes.len() as u64));
        let put = |guard: Guard| self.put_bytes(object, bytes.clone(), checksum, guard, timeouts.clone());
        let task = format!("cannot write {object}");
        match self.write_if(object, condition, put).await? {
            Written::Done(answer) if answer.checksum_crc32.as_ref() == Some(&crc32) => Ok(true),
            // The store says nothing of a checksum, or something else.
            Written::Done(_) if self.holds(object, &bytes).await? => Ok(true),
            Written::Done(_) => Err(not_what_was_sent(object)),
            Written::NotAsExpected => self.holds(object, &bytes).await,
            Written::Failed(error) if outcome_unknown(&error) => match self.read_object(object).await {
                Ok(stored) if holds(stored.as_ref(), &bytes) => {
                    tracing::info!(%object, "the answer was lost; the object is there and right");
                    Ok(true)
                }
                // Whatever became of our request: what is there now is somebody else's.
                Ok(stored) if !condition.is_met_by(stored.as_ref().map(|stored| stored.etag.as_str())) => Ok(false),
                _ => Err(sdk_error(task, *error).with_remark("whether it was written is not known")),
            },
            Written::Failed(error) => Err(sdk_error(task, *error)),
        }
    }

    async fn holds(&self, object: &S3Url, bytes: &Bytes) -> Result<bool, AwsError> {
        Ok(holds(self.read_object(object).await?.as_ref(), bytes))
    }
}

fn holds(stored: Option<&StoredObject>, bytes: &Bytes) -> bool {
    stored.is_some_and(|stored| stored.bytes == *bytes)
}

fn not_what_was_sent(object: &S3Url) -> AwsError {
    let text = format!(
        "{object} is not what was written to it: the store took other bytes, or somebody else writes to this place, too; \
         make sure that nobody does, and run it again"
    );
    AwsError::new(AwsErrorKind::Data, text)
}
