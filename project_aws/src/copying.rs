//! Copying an object inside the store: files that a run takes over from the one before it.

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::types::{ChecksumAlgorithm, TaggingDirective};

use crate::classify::{outcome_unknown, sdk_error, service_code};
use crate::condition::{Condition, Guard, Written};
use crate::connection::{Aws, complete_timeouts};
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::object_facts::ObjectFacts;

impl Aws {
    /// Copies an object below 5 GB to a key that must not exist, and proves that the copy has `bytes` bytes and the
    /// checksum `crc32` (base64). A key that holds exactly this already is a success.
    pub async fn copy_object(
        &self,
        from: &S3Url,
        to: &S3Url,
        bytes: u64,
        crc32: &str,
    ) -> Result<ObjectFacts, AwsError> {
        let source = format!("{}/{}", from.bucket(), percent_encoded(from.prefix()));
        let copy = |guard: Guard| {
            self.s3
                .copy_object()
                .copy_source(&source)
                .bucket(to.bucket())
                .key(to.prefix())
                .set_if_none_match(guard.if_none_match)
                // The store makes the checksum of what it copies, whatever the source has.
                .checksum_algorithm(ChecksumAlgorithm::Crc32)
                // Copying tags needs two more rights, and our files have none.
                .tagging_directive(TaggingDirective::Replace)
                .customize()
                .config_override(Builder::new().timeout_config(complete_timeouts()))
                .send()
        };
        let task = format!("cannot copy {from} to {to}");
        match self.write_if(to, &Condition::Absent, copy).await? {
            Written::Failed(error) if service_code(&error) == Some("NoSuchKey") => Err(no_source(&task)),
            Written::Failed(error) if !outcome_unknown(&error) => Err(sdk_error(task, *error)),
            Written::Failed(error) => match self.check_copy(&task, to, bytes, crc32).await {
                Ok(facts) => Ok(facts),
                Err(_not_there) => Err(sdk_error(task, *error)),
            },
            // Refused because the source is gone, because somebody was faster, or because we were.
            Written::NotAsExpected if self.object_facts(to).await?.is_none() => Err(no_source(&task)),
            Written::NotAsExpected | Written::Done(_) => self.check_copy(&task, to, bytes, crc32).await,
        }
    }

    async fn check_copy(&self, task: &str, to: &S3Url, bytes: u64, crc32: &str) -> Result<ObjectFacts, AwsError> {
        let facts = self.object_facts(to).await?;
        let fault = match &facts {
            None => "the copy is not there".to_owned(),
            Some(facts) if facts.bytes != bytes => format!("the copy has {} bytes instead of {bytes}", facts.bytes),
            Some(facts) => match &facts.crc32 {
                Some(stored) if stored == crc32 => return Ok(facts.clone()),
                Some(stored) => format!("the CRC-32 of the copy is {stored} instead of {crc32}"),
                None => "the store reports no CRC-32 for the copy, so nothing proves that it is whole".to_owned(),
            },
        };
        let remedy = "make sure that nothing else writes to this place, and run it again";
        Err(AwsError::new(AwsErrorKind::Data, format!("{task}: {fault}; {remedy}")))
    }
}

fn no_source(task: &str) -> AwsError {
    let text = format!("{task}: the file is gone, though the run that wrote it is still published; export it anew");
    AwsError::new(AwsErrorKind::Data, text)
}

/// The source of a copy stands in a header, and its key is encoded as in an address.
fn percent_encoded(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_key_is_encoded_but_for_its_slashes() {
        assert_eq!(percent_encoded("a/dt=2026-01-01/b c+%ü.x"), "a/dt%3D2026-01-01/b%20c%2B%25%C3%BC.x");
    }
}
