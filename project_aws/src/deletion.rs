//! Deleting objects by their keys.

use aws_sdk_s3::types::{Delete, Error as KeyError, ObjectIdentifier};

use crate::classify::sdk_error;
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;

/// S3's limit for one DeleteObjects.
const KEYS_PER_REQUEST: usize = 1_000;

impl Aws {
    /// Deletes the objects with these keys below `root`. One that is gone already is a success, so that a deletion that
    /// broke off can be repeated.
    pub async fn delete_objects_below(&self, root: &S3Url, keys: &[String]) -> Result<(), AwsError> {
        let task = &format!("cannot delete objects below {root}");
        for batch in keys.chunks(KEYS_PER_REQUEST) {
            let objects = batch
                .iter()
                .map(|key| ObjectIdentifier::builder().key(root.join(key).prefix()).build())
                .collect::<Result<Vec<_>, _>>()
                .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build())
                .map_err(|error| AwsError::new(AwsErrorKind::Data, format!("{task}: {error}")))?;
            let answer = self.s3.delete_objects().bucket(root.bucket()).delete(objects).send().await;
            let answer = answer.map_err(|error| sdk_error(task, error))?;
            // The request as a whole succeeds even when not one key could be deleted.
            let errors: Vec<&KeyError> = answer.errors().iter().filter(|error| !is_gone(error)).collect();
            if let [first, others @ ..] = errors.as_slice() {
                return Err(not_deleted(task, first, others.len()));
            }
        }
        Ok(())
    }
}

/// S3 does not mention a key that does not exist; other stores do.
fn is_gone(error: &KeyError) -> bool {
    error.code() == Some("NoSuchKey")
}

fn not_deleted(task: &str, first: &KeyError, others: usize) -> AwsError {
    let code = first.code().unwrap_or("unknown error");
    let kind = match code {
        "AccessDenied" => AwsErrorKind::Denied,
        _ => AwsErrorKind::Temporary,
    };
    let text = format!(
        "{task}: {} ({code}) for the key {} and {others} more; \
         give these credentials s3:DeleteObject, or run it again",
        first.message().unwrap_or("no message"),
        first.key().unwrap_or("unknown"),
    );
    AwsError::new(kind, text)
}
