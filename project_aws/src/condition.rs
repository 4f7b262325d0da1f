//! Writes that take place only if a key is as it is expected to be, on stores that know such writes and on others.
//!
//! S3 judges `If-None-Match` and `If-Match` in the same moment in which it writes, so that of two writers one loses. A
//! store that refuses such requests is asked first what the key holds: between question and write another may write.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::classify::service_code;
use crate::connection::Aws;
use crate::error::AwsError;
use crate::location::S3Url;
use crate::waiting::Pace;

/// A conflict ends as soon as the other request does.
const TRIES_AFTER_CONFLICT: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the key must hold for the write to take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing.
    Absent,
    /// The object with this entity tag.
    Unchanged(String),
}

impl Condition {
    pub(crate) fn is_met_by(&self, etag: Option<&str>) -> bool {
        match self {
            Self::Absent => etag.is_none(),
            Self::Unchanged(expected) => etag == Some(expected),
        }
    }

    fn guard(&self) -> Guard {
        match self {
            Self::Absent => Guard { if_none_match: Some("*".to_owned()), if_match: None },
            Self::Unchanged(etag) => Guard { if_none_match: None, if_match: Some(etag.clone()) },
        }
    }
}

/// The headers by which a request says its condition; the default is a request without one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_match: Option<String>,
}

/// What came of it.
pub(crate) enum Written<T, E> {
    Done(T),
    /// The key was not as expected. After a lost answer that may be our own doing.
    NotAsExpected,
    /// Refused for another reason, or nobody knows.
    Failed(Box<SdkError<E>>),
}

/// How the store refuses a request because of its condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NotAsExpected,
    /// Another request was writing at the same moment, and nothing was decided.
    Conflict,
    /// The store does not know such requests.
    Unknown,
}

/// Whether the store has conditional writes, as far as is known. Shared by the clones of [`Aws`].
#[derive(Debug, Default)]
pub(crate) struct ConditionalWrites {
    missing: AtomicBool,
}

impl ConditionalWrites {
    pub(crate) fn are_missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed)
    }

    /// From now on requests are sent without conditions; told once.
    pub(crate) fn found_missing(&self, object: &S3Url, how: &str) {
        if !self.missing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                bucket = object.bucket(),
                how,
                "this store has no conditional writes (If-None-Match, If-Match), so nothing keeps two runs that \
                 publish at the same time from overwriting each other: make sure that only one runs at a time"
            );
        }
    }
}

impl Aws {
    /// Sends a request that writes `object` only if `condition` holds. A conflict is tried again.
    pub(crate) async fn write_if<T, E, F>(
        &self,
        object: &S3Url,
        condition: &Condition,
        send: impl Fn(Guard) -> F,
    ) -> Result<Written<T, E>, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let mut pace = Pace::up_to(LONGEST_PAUSE);
        let mut conflicts = 0;
        loop {
            match self.write_once_if(object, condition, &send).await? {
                Written::Failed(error) if is_conflict(&error) && conflicts < TRIES_AFTER_CONFLICT => {
                    conflicts += 1;
                    tracing::debug!(%object, conflicts, "another request writes the same key");
                    pace.pause().await;
                }
                written => return Ok(written),
            }
        }
    }

    /// The same, but a conflict is a failure: for a request that a conflict makes useless.
    pub(crate) async fn write_once_if<T, E, F>(
        &self,
        object: &S3Url,
        condition: &Condition,
        send: impl Fn(Guard) -> F,
    ) -> Result<Written<T, E>, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        if !self.conditional_writes.are_missing() {
            match send(condition.guard()).await {
                Ok(answer) => return Ok(Written::Done(answer)),
                Err(error) => match refusal(&error) {
                    Some(Refusal::NotAsExpected) => return Ok(Written::NotAsExpected),
                    Some(Refusal::Unknown) => {
                        self.conditional_writes.found_missing(object, service_code(&error).unwrap_or("refused"));
                    }
                    Some(Refusal::Conflict) | None => return Ok(Written::Failed(Box::new(error))),
                },
            }
        }
        let found = self.object_facts(object).await?;
        if !condition.is_met_by(found.as_ref().map(|facts| facts.etag.as_str())) {
            return Ok(Written::NotAsExpected);
        }
        Ok(match send(Guard::default()).await {
            Ok(answer) => Written::Done(answer),
            Err(error) => Written::Failed(Box::new(error)),
        })
    }
}

/// Whether another request was writing the same key, so that this one was not judged.
pub(crate) fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    refusal(error) == Some(Refusal::Conflict)
}

fn refusal<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<Refusal> {
    let SdkError::ServiceError(answer) = error else { return None };
    let (status, meta) = (answer.raw().status().as_u16(), answer.err().meta());
    let says = |word: &str| meta.message().is_some_and(|message| message.to_lowercase().contains(word));
    match (status, meta.code()) {
        (412, _) | (_, Some("PreconditionFailed")) => Some(Refusal::NotAsExpected),
        // If-Match on a key that is gone.
        (404, Some("NoSuchKey")) => Some(Refusal::NotAsExpected),
        (_, Some("ConditionalRequestConflict")) => Some(Refusal::Conflict),
        (501, _) | (_, Some("NotImplemented")) => Some(Refusal::Unknown),
        (400, _) if says("if-none-match") || says("if-match") || says("conditional") => Some(Refusal::Unknown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::error::{ErrorMetadata, SdkError};
    use aws_sdk_s3::primitives::SdkBody;

    use super::{Condition, Refusal, refusal};

    fn answer(status: u16, code: &str, message: &str) -> SdkError<ErrorMetadata> {
        let meta = ErrorMetadata::builder().code(code).message(message);
        SdkError::service_error(meta.build(), HttpResponse::new(status.try_into().unwrap(), SdkBody::empty()))
    }

    #[test]
    fn a_refused_condition_is_told_from_a_conflict_from_a_store_without_conditions_and_from_the_rest() {
        for (status, code, message, expected) in [
            (412, "PreconditionFailed", "At least one of the conditions did not hold", Some(Refusal::NotAsExpected)),
            (412, "", "", Some(Refusal::NotAsExpected)),
            (404, "NoSuchKey", "The specified key does not exist.", Some(Refusal::NotAsExpected)),
            (409, "ConditionalRequestConflict", "A conflicting operation occurred", Some(Refusal::Conflict)),
            (501, "NotImplemented", "A header you provided is not implemented", Some(Refusal::Unknown)),
            (400, "InvalidArgument", "If-None-Match is not supported", Some(Refusal::Unknown)),
            (400, "InvalidRequest", "Conditional headers are not supported", Some(Refusal::Unknown)),
            (400, "InvalidArgument", "the key is too long", None),
            (404, "NoSuchBucket", "The bucket does not exist", None),
            (409, "OperationAborted", "A bucket is being created", None),
            (403, "AccessDenied", "no", None),
            (500, "InternalError", "no", None),
        ] {
            assert_eq!(refusal(&answer(status, code, message)), expected, "{status} {code} {message}");
        }
    }

    #[test]
    fn a_condition_holds_for_nothing_or_for_one_object() {
        let unchanged = Condition::Unchanged("\"a\"".to_owned());
        assert!(Condition::Absent.is_met_by(None) && !Condition::Absent.is_met_by(Some("\"a\"")));
        assert!(unchanged.is_met_by(Some("\"a\"")));
        assert!(!unchanged.is_met_by(Some("\"b\"")) && !unchanged.is_met_by(None));
    }
}
