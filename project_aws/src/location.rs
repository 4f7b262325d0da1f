//! A place in S3: `s3://bucket/prefix`.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::error::{AwsError, AwsErrorKind};

/// `s3://bucket/prefix`: the root of a lake, a table's folder or one object. Never ends in a slash; the prefix may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Url {
    bucket: String,
    prefix: String,
}

impl S3Url {
    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What follows the bucket, without slashes at its ends. For one object this is its key.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The place `below`, a relative key such as `orders/part-00000.parquet`.
    pub fn join(&self, below: &str) -> Self {
        let below = below.trim_matches('/');
        let prefix = match (self.prefix.as_str(), below) {
            ("", below) => below.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, below) => format!("{prefix}/{below}"),
        };
        Self { bucket: self.bucket.clone(), prefix }
    }

    /// The prefix as a folder: with the slash that keeps `foo` from meaning `foo_bar` too.
    pub(crate) fn folder_prefix(&self) -> String {
        if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) }
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

impl FromStr for S3Url {
    type Err = AwsError;

    fn from_str(text: &str) -> Result<Self, AwsError> {
        let refuse = |why: &str| {
            AwsError::new(
                AwsErrorKind::Configuration,
                format!("\"{text}\" is not an S3 location: {why}; it should look like s3://bucket/prefix"),
            )
        };
        let rest = text.strip_prefix("s3://").ok_or_else(|| refuse("it does not start with s3://"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(fault) = fault_of_bucket(bucket) {
            return Err(refuse(fault));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if let Some(fault) = fault_of_prefix(prefix) {
            return Err(refuse(fault));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// S3's naming rules for buckets, as far as breaking one would reach the wrong place or an error that does not explain itself.
fn fault_of_bucket(bucket: &str) -> Option<&'static str> {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = bucket.as_bytes();
    if bucket.is_empty() {
        Some("the bucket is missing")
    } else if !bytes.iter().all(|byte| is_alphanumeric(byte) || matches!(byte, b'-' | b'.')) {
        Some("a bucket name has only lower-case letters, digits, hyphens and dots")
    } else if !(3..=63).contains(&bytes.len()) {
        Some("a bucket name has 3 to 63 characters")
    } else if !bytes.first().is_some_and(is_alphanumeric)
        || !bytes.last().is_some_and(is_alphanumeric)
        || bucket.contains("..")
    {
        Some("a bucket name begins and ends with a letter or digit and has no two dots in a row")
    } else if bucket.parse::<Ipv4Addr>().is_ok() {
        Some("a bucket name is not an IP address")
    } else {
        None
    }
}

/// Athena and Glue take `a//b` and `a/./b` for other folders than a person who reads them.
fn fault_of_prefix(prefix: &str) -> Option<&'static str> {
    if prefix.is_empty() {
        return None;
    }
    if prefix.split('/').any(str::is_empty) {
        return Some("it has two slashes in a row");
    }
    if prefix.split('/').any(|part| part == "." || part == "..") {
        return Some("a part of it is \".\" or \"..\"");
    }
    if prefix.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::S3Url;
    use crate::error::AwsErrorKind;

    fn url(text: &str) -> S3Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_trailing_slash_makes_no_difference() {
        assert_eq!(url("s3://lake/a/b/"), url("s3://lake/a/b"));
        assert_eq!(url("s3://lake/"), url("s3://lake"));
        assert_eq!(url("s3://lake/a/b/").to_string(), "s3://lake/a/b");
        assert_eq!(url("s3://lake").to_string(), "s3://lake");
    }

    #[test]
    fn bucket_and_prefix_are_separated_at_the_first_slash() {
        let lake = url("s3://my.lake-1/team/dt=2026-01-01");
        assert_eq!((lake.bucket(), lake.prefix()), ("my.lake-1", "team/dt=2026-01-01"));
        assert_eq!(url("s3://lake").prefix(), "");
    }

    #[test]
    fn joining_adds_exactly_one_slash() {
        assert_eq!(url("s3://lake").join("orders").prefix(), "orders");
        assert_eq!(url("s3://lake/a").join("orders/").prefix(), "a/orders");
        assert_eq!(url("s3://lake/a").join("").prefix(), "a");
        assert_eq!(url("s3://lake/a").folder_prefix(), "a/");
        assert_eq!(url("s3://lake").folder_prefix(), "");
    }

    #[test]
    fn what_is_no_s3_location_is_refused_with_the_reason() {
        for (text, reason) in [
            ("lake/a", "does not start with s3://"),
            ("s3a://lake/a", "does not start with s3://"),
            ("s3://", "the bucket is missing"),
            ("s3:///a", "the bucket is missing"),
            ("s3://Lake", "lower-case"),
            ("s3://my_lake", "lower-case"),
            ("s3://ab", "3 to 63"),
            ("s3://-lake", "begins and ends"),
            ("s3://la..ke", "two dots"),
            ("s3://10.0.0.1/a", "IP address"),
            ("s3://lake//a", "two slashes"),
            ("s3://lake/a//b", "two slashes"),
            ("s3://lake/a//", "two slashes"),
            ("s3://lake/a/../b", "\"..\""),
            ("s3://lake/a\nb", "control character"),
        ] {
            let error = text.parse::<S3Url>().unwrap_err();
            assert_eq!(error.kind(), AwsErrorKind::Configuration, "{text}");
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    }
}
