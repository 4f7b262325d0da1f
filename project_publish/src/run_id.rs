//! The id of a run: its beginning in UTC, and four digits against two runs of one millisecond.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;
use std::process;

const PREFIX: &str = "run=";
const FORMAT: &str = "%Y%m%dT%H%M%S%3fZ";

/// `20260131T235959999Z-1a2b`: sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// For a run that begins now.
    pub fn now() -> Self {
        let now = Utc::now();
        let salt = process::id().wrapping_mul(0x9e37_79b9) ^ now.timestamp_subsec_nanos();
        Self(format!("{}-{:04x}", now.format(FORMAT), salt & 0xffff))
    }

    /// The id in a text, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let (time, salt) = text.split_once('-')?;
        let is_salt = salt.len() == 4 && salt.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_salt && time_in(time).is_some()).then(|| Self(text.to_owned()))
    }

    /// The id in the name of a run's folder.
    pub fn of_folder(name: &str) -> Option<Self> {
        Self::parse(name.strip_prefix(PREFIX)?)
    }

    /// `run=<id>`.
    pub fn folder(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    /// When the run began.
    pub fn began(&self) -> DateTime<Utc> {
        self.0.split_once('-').and_then(|(time, _)| time_in(time)).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn time_in(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, FORMAT).ok().map(|time| time.and_utc())
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RunId;

    #[test]
    fn an_id_tells_when_its_run_began() {
        let id = RunId::of_folder("run=20260131T235959999Z-1a2b").unwrap();
        assert_eq!(id.began().to_rfc3339(), "2026-01-31T23:59:59.999+00:00");
        assert_eq!(id.folder(), "run=20260131T235959999Z-1a2b");
        assert!(RunId::parse(RunId::now().as_str()).is_some());
        for wrong in ["", "run=", "run=x", "20260131T235959999Z", "run=20261331T235959999Z-1a2b", "run=a-1a2b"] {
            assert_eq!(RunId::of_folder(wrong), None, "{wrong}");
        }
    }
}
