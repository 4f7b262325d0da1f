//! What the error codes of S3, Glue and Athena mean: the one table of kinds and remedies.

use crate::error::AwsErrorKind::{self, Configuration, Data, Denied, Temporary};

/// Service codes that mean the same thing.
struct Rule {
    kind: AwsErrorKind,
    /// Whether the same request may succeed later.
    retry: bool,
    remedy: &'static str,
    codes: &'static [&'static str],
}

/// Looked up from the top; a code that is not here is judged by its HTTP status.
const RULES: &[Rule] = &[
    Rule {
        kind: Configuration,
        retry: false,
        remedy: "create the bucket or correct its name in --upload",
        codes: &["NoSuchBucket", "InvalidBucketName"],
    },
    Rule {
        kind: Configuration,
        retry: false,
        remedy: "set --region (or AWS_REGION) to the region of the bucket",
        codes: &[
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "PermanentRedirect",
            "TemporaryRedirect",
        ],
    },
    Rule {
        kind: Configuration,
        retry: false,
        remedy: "check the name, the region and the account",
        codes: &["EntityNotFoundException", "ResourceNotFoundException"],
    },
    Rule {
        kind: Configuration,
        retry: false,
        remedy: "correct the setting that the message names",
        codes: &[
            "GlueEncryptionException",
            "InvalidArgument",
            "InvalidInputException",
            "InvalidParameterValue",
            "KMS.DisabledException",
            "KMS.NotFoundException",
            "ValidationException",
        ],
    },
    Rule {
        kind: Configuration,
        retry: false,
        remedy: "raise the quota of the account, or remove what is not needed",
        codes: &["LimitExceededException", "ResourceNumberLimitExceededException", "TooManyBuckets"],
    },
    Rule {
        kind: Configuration,
        retry: false,
        remedy: "set the clock of this machine",
        codes: &["RequestTimeTooSkewed"],
    },
    Rule {
        kind: Denied,
        retry: false,
        remedy: "give these credentials the right to do it (IAM policy, bucket policy, Lake Formation)",
        codes: &[
            "AccessDenied",
            "AccessDeniedException",
            "AccountProblem",
            "AllAccessDisabled",
            "KMS.AccessDeniedException",
            "NotSignedUp",
            "OptInRequired",
            "UnauthorizedException",
        ],
    },
    Rule {
        kind: Denied,
        retry: false,
        remedy: "the credentials have expired: renew them",
        codes: &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"],
    },
    Rule {
        kind: Denied,
        retry: false,
        remedy: "the credentials are wrong: check the access key, the secret key and the session token",
        codes: &[
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
    },
    Rule {
        kind: Temporary,
        retry: true,
        remedy: "the service is busy: run it again later",
        codes: &[
            "InternalError",
            "InternalFailure",
            "InternalServerException",
            "InternalServiceException",
            "OperationTimeoutException",
            "RequestLimitExceeded",
            "RequestTimeout",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ],
    },
    Rule {
        kind: Temporary,
        retry: true,
        remedy: "somebody else is changing the same thing: run it again later",
        codes: &[
            "ConcurrentModificationException",
            "ConcurrentRunsExceededException",
            "ConditionalRequestConflict",
            "CrawlerRunningException",
            "CrawlerStoppingException",
            "OperationAborted",
        ],
    },
    Rule {
        kind: Temporary,
        retry: false,
        remedy: "somebody else has changed the same thing: run it again",
        codes: &["PreconditionFailed"],
    },
    Rule {
        kind: Temporary,
        retry: false,
        remedy: "the parts are gone: somebody aborted the upload, or the bucket's lifecycle rule \
                 AbortIncompleteMultipartUpload is shorter than the run; run it again",
        codes: &["NoSuchUpload"],
    },
    Rule {
        kind: Temporary,
        retry: true,
        remedy: "the bytes were damaged on the way: run it again",
        codes: &["BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"],
    },
    Rule {
        kind: Data,
        retry: false,
        remedy: "correct what was sent",
        codes: &["EntityTooLarge", "EntityTooSmall", "InvalidPart", "InvalidRequestException", "NoSuchKey"],
    },
];

/// What a service's answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) kind: AwsErrorKind,
    /// Whether the same request may succeed later.
    pub(crate) retry: bool,
    pub(crate) remedy: &'static str,
}

pub(crate) fn verdict(code: Option<&str>, status: u16) -> Verdict {
    if let Some(rule) = RULES.iter().find(|rule| code.is_some_and(|code| rule.codes.contains(&code))) {
        return Verdict { kind: rule.kind, retry: rule.retry, remedy: rule.remedy };
    }
    let (kind, remedy) = match status {
        301 | 307 | 308 => (Configuration, "check the region and the endpoint"),
        401 | 403 => (Denied, "check the credentials and their rights"),
        404 => (Configuration, "check the name, the region and the account"),
        408 | 429 | 500.. => (Temporary, "run it again later"),
        // An answer that cannot be read although it reports success: cut off, or not from AWS at all.
        200..=299 => (Temporary, "run it again; is there a proxy on the way?"),
        _ => (Configuration, "check the settings"),
    };
    Verdict { kind, retry: kind == Temporary, remedy }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{RULES, verdict};
    use crate::error::AwsErrorKind::{Configuration, Data, Denied, Temporary};

    #[test]
    fn a_code_stands_in_one_rule_only() {
        let codes: Vec<&str> = RULES.iter().flat_map(|rule| rule.codes).copied().collect();
        let distinct: HashSet<&str> = codes.iter().copied().collect();
        assert_eq!(distinct.len(), codes.len());
    }

    #[test]
    fn codes_decide_whatever_the_status() {
        for (code, status, kind) in [
            ("NoSuchBucket", 404, Configuration),
            ("PermanentRedirect", 301, Configuration),
            ("EntityNotFoundException", 400, Configuration),
            ("InvalidInputException", 400, Configuration),
            ("AccessDenied", 403, Denied),
            ("AccessDeniedException", 400, Denied),
            ("ExpiredToken", 400, Denied),
            ("InvalidAccessKeyId", 403, Denied),
            ("SignatureDoesNotMatch", 403, Denied),
            ("UnrecognizedClientException", 400, Denied),
            ("SlowDown", 503, Temporary),
            ("InternalError", 200, Temporary),
            ("ThrottlingException", 400, Temporary),
            ("RequestTimeout", 400, Temporary),
            ("ConcurrentModificationException", 400, Temporary),
            ("CrawlerRunningException", 400, Temporary),
            ("NoSuchUpload", 404, Temporary),
            ("BadDigest", 400, Temporary),
            ("RequestTimeTooSkewed", 403, Configuration),
            ("InvalidRequestException", 400, Data),
            ("EntityTooLarge", 400, Data),
        ] {
            assert_eq!(verdict(Some(code), status).kind, kind, "{code}");
        }
    }

    #[test]
    fn a_request_is_repeated_only_when_that_may_help() {
        for (code, status, retry) in [
            ("SlowDown", 503, true),
            ("ServiceUnavailable", 503, true),
            ("InternalError", 500, true),
            ("RequestTimeout", 400, true),
            ("ThrottlingException", 400, true),
            ("TooManyRequestsException", 429, true),
            ("ConcurrentModificationException", 400, true),
            ("CrawlerRunningException", 400, true),
            ("NewInventedException", 503, true),
            ("PreconditionFailed", 412, false),
            ("NoSuchUpload", 404, false),
            ("AccessDenied", 403, false),
            ("ExpiredToken", 400, false),
            ("NoSuchBucket", 404, false),
            ("InvalidPart", 400, false),
            ("NewInventedException", 400, false),
        ] {
            assert_eq!(verdict(Some(code), status).retry, retry, "{code}");
        }
    }

    #[test]
    fn the_status_decides_about_unknown_codes_and_answers_without_one() {
        for (status, kind) in [
            (200, Temporary),
            (301, Configuration),
            (400, Configuration),
            (401, Denied),
            (403, Denied),
            (404, Configuration),
            (408, Temporary),
            (429, Temporary),
            (500, Temporary),
            (503, Temporary),
        ] {
            assert_eq!(verdict(None, status).kind, kind, "{status}");
            assert_eq!(verdict(Some("NewInventedException"), status).kind, kind, "{status}");
        }
    }
}
