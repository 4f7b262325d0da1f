//! Turns an error of the SDK into a kind and a sentence; what a service's code means is in `service_codes`.

use std::error::Error;
use std::fmt::Display;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::AwsErrorKind::{Configuration, Denied, Unreachable};
use crate::error::{AwsError, AwsErrorKind};
use crate::service_codes::{Verdict, verdict};

/// How to give credentials, for every message about missing ones.
pub(crate) const HOW_TO_GIVE_CREDENTIALS: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the pod or machine a role \
     (IRSA, EKS Pod Identity, instance profile)";

/// Turns an error of the SDK into ours. `task` begins the sentence: "cannot upload s3://bucket/key".
pub(crate) fn sdk_error<E>(task: impl Display, error: SdkError<E>) -> AwsError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let (kind, retry, text) = describe(&error);
    AwsError::new(kind, format!("{task}: {text}")).with_retry(retry).caused_by(error)
}

/// What it is, whether the same request may succeed later, and what to say.
fn describe<E>(error: &SdkError<E>) -> (AwsErrorKind, bool, String)
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let meta = answer.err().meta();
            let Verdict { kind, retry, remedy } = verdict(meta.code(), status);
            let said = match (meta.message(), meta.code()) {
                (Some(message), Some(code)) => format!("{message} ({code}, HTTP {status})"),
                (Some(said), None) | (None, Some(said)) => format!("{said} (HTTP {status})"),
                (None, None) => format!("HTTP {status}"),
            };
            (kind, retry, format!("{said}; {remedy}"))
        }
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            let Verdict { kind, retry, remedy } = verdict(None, status);
            (kind, retry, format!("the answer could not be read ({}, HTTP {status}); {remedy}", root_cause(error)))
        }
        SdkError::TimeoutError(_) => {
            (Unreachable, true, "no answer in time; check the network, the proxy and the endpoint".to_owned())
        }
        // Credentials are looked for after the request has been built, so a missing one looks like a failed dispatch.
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) if mentions_credentials(error) => {
            (Denied, false, format!("no usable AWS credentials ({}); {HOW_TO_GIVE_CREDENTIALS}", root_cause(error)))
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            (Configuration, false, format!("the request cannot be sent ({}); check the endpoint", root_cause(error)))
        }
        SdkError::DispatchFailure(_) => (
            Unreachable,
            true,
            format!("no connection ({}); check the network, the proxy and the endpoint", root_cause(error)),
        ),
        _ => (
            Configuration,
            false,
            format!("the request cannot be built ({}); check the region and the endpoint", root_cause(error)),
        ),
    }
}

/// Whether the request may have been carried out although it is reported as failed: the answer was lost, the service
/// broke down on the way, or a repeated request met the success of the first.
pub(crate) fn outcome_unknown<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(answer) => {
            let clean_refusal =
                (300..=499).contains(&answer.raw().status().as_u16()) && answer.err().code() != Some("RequestTimeout");
            !clean_refusal || answer.err().code() == Some("NoSuchUpload")
        }
        _ => true,
    }
}

/// The service's code for the error, if the service answered at all.
pub(crate) fn service_code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    match error {
        SdkError::ServiceError(answer) => answer.err().code(),
        _ => None,
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn mentions_credentials(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| {
        let text = cause.to_string();
        text.contains("credential") || text.contains("identity resolver")
    })
}

/// The last error of the chain: what the operating system or the TLS library said.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::io;

    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::error::{ConnectorError, ErrorMetadata, SdkError};
    use aws_sdk_s3::primitives::SdkBody;

    use super::{outcome_unknown, sdk_error};
    use crate::error::AwsErrorKind;

    type Failure = SdkError<ErrorMetadata>;

    fn response(status: u16) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), SdkBody::empty())
    }

    fn answer(status: u16, code: &str) -> Failure {
        let meta = ErrorMetadata::builder().code(code).message("its words");
        SdkError::service_error(meta.build(), response(status))
    }

    fn no_dispatch(text: &str) -> Failure {
        SdkError::dispatch_failure(ConnectorError::other(text.into(), None))
    }

    fn no_connection() -> Failure {
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        SdkError::dispatch_failure(ConnectorError::io(refused.into()))
    }

    #[test]
    fn the_sentence_says_what_failed_in_whose_words_and_what_to_do() {
        let error = sdk_error("cannot upload s3://lake/a", answer(403, "AccessDenied"));
        let text = error.to_string();
        assert!(text.starts_with("cannot upload s3://lake/a: its words (AccessDenied, HTTP 403); give"), "{text}");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn ways_of_not_reaching_a_service_are_told_apart() {
        let cases: [(Failure, AwsErrorKind, &str); 6] = [
            (no_connection(), AwsErrorKind::Unreachable, "connection refused"),
            (SdkError::timeout_error("slow"), AwsErrorKind::Unreachable, "no answer in time"),
            (no_dispatch("no providers in chain provided credentials"), AwsErrorKind::Denied, "AWS_ACCESS_KEY_ID"),
            (
                SdkError::construction_failure("Invalid Configuration: Missing Region"),
                AwsErrorKind::Configuration,
                "Missing Region",
            ),
            (SdkError::response_error("cut off", response(200)), AwsErrorKind::Temporary, "cut off"),
            (SdkError::response_error("a proxy's page", response(403)), AwsErrorKind::Denied, "HTTP 403"),
        ];
        for (failure, kind, word) in cases {
            let error = sdk_error("cannot do it", failure);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn only_a_clean_refusal_says_that_nothing_was_done() {
        for unknown in [
            answer(200, "InternalError"),
            answer(500, "InternalError"),
            answer(503, "SlowDown"),
            answer(400, "RequestTimeout"),
            answer(404, "NoSuchUpload"),
            SdkError::timeout_error("slow"),
            no_connection(),
        ] {
            assert!(outcome_unknown(&unknown), "{unknown:?}");
        }
        for refusal in [
            answer(403, "AccessDenied"),
            answer(404, "NoSuchBucket"),
            answer(400, "BadDigest"),
            SdkError::construction_failure("no region"),
        ] {
            assert!(!outcome_unknown(&refusal), "{refusal:?}");
        }
    }
}
